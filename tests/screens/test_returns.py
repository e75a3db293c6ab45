"""The pages of the daily returns: who sees, who signs, what stays typed."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, time, timedelta
from io import StringIO

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Organisation
from accounts.roles import Role
from flow.counts import LONDON
from flow.models import ReturnNumber, ReturnVersion
from patients.code_loading import built_in, load_codes
from tests.screens.hospital import FAMILY, Hospital, add_beds, signed_in, user

LIST = "/returns/"


@pytest.fixture
def duty(hospital: Hospital) -> Client:
    load_codes(built_in())
    return signed_in(user("duty", Role.SITE_MANAGER, organisation=hospital.site.organisation))


def lately(kind: str = "sitrep", days: int = 1) -> str:
    """The return of yesterday: today's may not be due at the time of the test."""
    return f"/returns/{kind}/RXX/{timezone.localdate() - timedelta(days=days)}/"


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, response.content[:500]
    return response.content.decode()


def test_the_list_says_what_is_due_and_what_was_sent(duty: Client) -> None:
    page = text(duty, LIST)
    assert page.count("Due today") == 2
    assert page.count("Not sent") == 28
    assert duty.post(lately(), {"seen": "0"}).status_code == 302
    page = text(duty, LIST)
    assert (page.count("Due today"), page.count(">Sent<"), page.count("Not sent")) == (2, 1, 27)


def test_a_return_is_signed_then_amended_with_a_trail(duty: Client, hospital: Hospital) -> None:
    assert "Not sent" in text(duty, lately())
    duty.post(lately(), {"seen": "0"})
    assert "every number is as it was sent" in text(duty, lately())
    hospital.admit(hospital.beds(hospital.wards[1])[0], ago=timedelta(days=20))
    page = text(duty, lately())
    assert "differ</strong>" in page
    refused = duty.post(lately(), {"seen": "1", "value-ga_open": "11", "why-ga_open": "Loan"})
    assert refused.status_code == 422
    again = refused.content.decode()
    assert "Say why the return is amended." in again
    assert 'value="11"' in again
    assert 'value="Loan"' in again
    duty.post(
        lately(),
        {"seen": "1", "note": "Told late", "value-ga_open": "11", "why-ga_open": "One on loan"},
    )
    page = text(duty, lately())
    assert "Amended (version 2)" in page
    assert "Told late" in page
    assert "Entered by hand (12 counted): One on loan" in page
    assert list(ReturnVersion.objects.values_list("number", "note")) == [(1, ""), (2, "Told late")]


def test_the_patients_behind_a_number_are_for_those_who_may_see_them(
    duty: Client, hospital: Hospital
) -> None:
    hospital.admit(hospital.beds(hospital.wards[1])[0], ago=timedelta(days=20))
    assert FAMILY.upper() in text(duty, lately() + "?line=ga_occupied")
    counts = signed_in(user("counts", Role.OBSERVER, organisation=hospital.site.organisation))
    page = text(counts, lately() + "?line=ga_occupied")
    assert FAMILY.upper() not in page
    assert "None of them is on a ward whose patients you may see" in page
    assert FAMILY.upper() not in text(duty, lately())


def test_who_may_not_sign_is_offered_nothing_and_refused(hospital: Hospital) -> None:
    load_codes(built_in())
    counts = signed_in(user("counts", Role.OBSERVER, organisation=hospital.site.organisation))
    assert "Sign and send" not in text(counts, lately())
    assert counts.post(lately(), {"seen": "0"}).status_code == 403
    nurse = signed_in(user("nurse", Role.WARD_NURSE, ward=hospital.wards[0]))
    assert nurse.get(LIST).status_code == 403
    assert nurse.get(lately()).status_code == 403
    other = Organisation.objects.create(code="RYY", name="Another trust", kind="trust")
    away = signed_in(user("away", Role.SITE_MANAGER, organisation=other))
    assert away.get(lately()).status_code == 403


@pytest.mark.parametrize(
    "address",
    [
        "/returns/sitrep/R99/2026-01-01/",
        "/returns/other/RXX/2026-01-01/",
        "/returns/sitrep/RXX/yesterday/",
        "/returns/sitrep/RXX/2026-02-31/",
        "/returns/sitrep/RXX/2999-01-01/",
        "/returns/sitrep/RXX/2019-01-01/",
    ],
)
def test_there_is_no_other_return(duty: Client, address: str) -> None:
    assert duty.get(address).status_code == 404


@pytest.mark.parametrize("said", ["a few", "-1", "nan", "1e999", "1e-9", "12.7", "1,5", "1" * 5000])
def test_what_is_no_number_is_refused_and_kept(duty: Client, said: str) -> None:
    answer = duty.post(lately(), {"seen": "0", "value-ga_open": said, "why-ga_open": "So"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert f'value="{said}"' in page
    assert "give a whole number from 0 up" in page
    assert not ReturnVersion.objects.exists()


def test_a_return_is_downloaded_as_a_table(duty: Client) -> None:
    duty.post(lately(), {"seen": "0"})
    answer = duty.get(lately() + "?format=csv")
    assert answer["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(StringIO(answer.content.decode())))
    line = next(row for row in rows if row["line"] == "ga_open")
    assert (line["sent"], line["counted_now"], line["signed_by"]) == ("12", "12", "Duty")


def test_a_thousand_may_be_parted_by_a_comma(duty: Client) -> None:
    duty.post(lately(), {"seen": "0", "value-ga_open": "1,204", "why-ga_open": "So"})
    assert ReturnNumber.objects.get(key="ga_open").value == 1204


def test_a_reason_is_no_formula_in_a_spreadsheet(duty: Client) -> None:
    said = '=HYPERLINK("x")'
    duty.post(lately(), {"seen": "0", "value-ga_open": "11", "why-ga_open": said})
    told = duty.get(lately() + "?format=csv").content.decode()
    [line] = [row for row in csv.DictReader(StringIO(told)) if row["line"] == "ga_open"]
    assert (line["sent"], line["counted_now"], line["reason"]) == ("11", "12", f"'{said}")


def test_the_table_has_no_number_before_it_is_counted(
    duty: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    eight = datetime.combine(timezone.localdate(), time(8), LONDON)
    counted = []
    for late in (-1, 0):
        at = (eight + timedelta(minutes=late)).astimezone(UTC)
        monkeypatch.setattr(timezone, "now", lambda at=at: at)
        told = duty.get(lately(days=0) + "?format=csv").content.decode()
        [line] = [row for row in csv.DictReader(StringIO(told)) if row["line"] == "ga_open"]
        counted.append(line["counted_now"])
        assert datetime.fromisoformat(line["counted_from"]) == eight
    assert counted == ["", "12"]


@pytest.mark.parametrize("kind", ["sitrep", "discharge"])
def test_a_return_takes_as_many_queries_for_a_large_hospital(
    duty: Client, hospital: Hospital, kind: str
) -> None:
    duty.post(lately(kind), {"seen": "0"})
    text(duty, lately(kind))
    with CaptureQueriesContext(connection) as few:
        text(duty, lately(kind))
    for ward in hospital.wards:
        add_beds(ward, 30, first=6)
        hospital.fill(ward, 30)
    with CaptureQueriesContext(connection) as many:
        text(duty, lately(kind))
    assert len(many) == len(few) <= 16


def test_what_has_not_come_yet_cannot_be_signed(duty: Client) -> None:
    now = timezone.localtime()
    is_due = now.hour >= 8
    page = text(duty, lately(days=0))
    assert ("Sign and send" in page) is is_due
    assert ("It is counted at 08:00" in page) is not is_due
    status = duty.post(lately(days=0), {"seen": "0"}).status_code
    assert status == (302 if is_due else 422)
