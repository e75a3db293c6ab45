"""Daily returns over REST."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, time, timedelta
from io import StringIO

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Organisation
from accounts.roles import Role
from accounts.tokens import TokenScope
from flow.counts import LONDON
from flow.models import DailyReturn
from flow.returns.submitting import submit
from patients.code_loading import built_in, load_codes
from tests.api.callers import Caller
from tests.screens.hospital import Hospital, build

pytestmark = pytest.mark.django_db

SITREP = "/api/v1/returns/sitrep/"
DISCHARGE = "/api/v1/returns/discharge/"


@pytest.fixture
def hospital() -> Hospital:
    load_codes(built_in())
    made = build()
    made.fill(made.wards[0], 3)
    return made


@pytest.fixture
def reader(hospital: Hospital) -> Caller:
    return Caller(
        "reader",
        Role.OBSERVER,
        TokenScope.OCCUPANCY_READ,
        organisation=hospital.site.organisation,
    )


def clock(patch: pytest.MonkeyPatch, hour: int, minute: int = 0) -> datetime:
    """Makes it that time of today in England."""
    today = datetime.combine(timezone.localdate(), time(hour, minute), LONDON)
    patch.setattr(timezone, "now", lambda: today.astimezone(UTC))
    return today


def test_before_eight_the_situation_report_of_today_has_no_number(
    reader: Caller, hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock(monkeypatch, 7, 59)
    row = next(row for row in reader.get(SITREP) if row["line"] == "ga_open")
    assert (row["value"], row["counted_now"], row["differs"]) == (None, None, False)
    assert row["state"] == "not_yet"
    eight = datetime.fromisoformat(row["counted_from"])
    assert {one["state"] for one in reader.get(DISCHARGE)} == {"not_sent"}
    day = timezone.localdate() - timedelta(days=1)
    before = {row["line"]: row for row in reader.get(SITREP, date=day.isoformat())}["ga_open"]
    assert (before["value"], before["state"]) == (12, "not_sent")
    told = reader.client.get(SITREP, {"format": "csv"}).content.decode()
    [line] = [one for one in csv.DictReader(StringIO(told)) if one["line"] == "ga_open"]
    assert (line["value"], line["counted_now"], line["state"]) == ("", "", "not_yet")
    assert clock(monkeypatch, 8) == eight
    row = next(row for row in reader.get(SITREP) if row["line"] == "ga_open")
    assert (row["value"], row["counted_now"], row["state"]) == (12, 12, "not_sent")


def test_the_return_of_today_is_told_line_by_line(
    reader: Caller, hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock(monkeypatch, 12)
    lines = {row["line"]: row for row in reader.get(SITREP)}
    assert lines["ga_open"]["value"] == 12
    assert lines["ga_open"]["state"] == "not_sent"
    assert {row["organisation"] for row in lines.values()} == {"RXX"}
    assert "nctr" in {row["line"] for row in reader.get(DISCHARGE)}


def test_what_was_sent_is_told_beside_what_is_counted_now(
    reader: Caller, hospital: Hospital
) -> None:
    body = Organisation.objects.get(code="RXX")
    day = timezone.localdate() - timedelta(days=1)
    submit(kind="sitrep", organisation=body, day=day, by=reader.user, at=timezone.now())
    hospital.admit(hospital.beds(hospital.wards[1])[0], ago=timedelta(days=30))
    line = {row["line"]: row for row in reader.get(SITREP, date=day.isoformat())}["los_21"]
    assert (line["value"], line["counted_now"], line["differs"], line["state"]) == (
        0,
        1,
        True,
        "sent",
    )


@pytest.mark.parametrize("day", ["yesterday", "2999-01-01", "2026-02-31"])
def test_a_day_that_is_none_is_named(reader: Caller, day: str) -> None:
    answer = reader.client.get(SITREP, {"date": day})
    assert answer.status_code == 400
    assert "Give a day" in answer.content.decode()


def test_nobody_reads_another_organisation(reader: Caller) -> None:
    other = Organisation.objects.create(code="RYY", name="Another trust", kind="trust")
    away = Caller("away", Role.OBSERVER, TokenScope.OCCUPANCY_READ, organisation=other)
    assert away.get(SITREP) == []
    assert reader.client.get(SITREP, {"organisation": "RYY"}).status_code == 400
    assert Client().get(SITREP).status_code == 401
    waits = Caller("waits", Role.OBSERVER, TokenScope.WAITS_READ, everywhere=True)
    assert waits.client.get(SITREP).status_code == 403
    assert reader.client.get(SITREP, {"date": "2019-01-01"}).status_code == 404


def test_a_return_is_signed_and_amended(hospital: Hospital) -> None:
    body = hospital.site.organisation
    scopes = (TokenScope.RETURNS_WRITE, TokenScope.OCCUPANCY_READ)
    signer = Caller("signer", Role.SITE_MANAGER, *scopes, organisation=body)
    day = (timezone.localdate() - timedelta(days=1)).isoformat()
    for kind, line in (("sitrep", "ga_open"), ("discharge", "nctr")):
        address = f"/api/v1/returns/{kind}/RXX/{day}/sign/"
        status, told = signer.post(address)
        assert status == 201
        [row] = [row for row in told["results"] if row["line"] == line]
        assert (row["state"], row["amendment"], row["signed_by"]) == ("sent", 1, "signer")
        assert signer.post(address)[0] == 409, "somebody has sent it meanwhile"
        status, problem = signer.post(address, seen=1)
        assert (status, "Say why" in problem["detail"]) == (409, True)
        status, told = signer.post(address, seen=1, note="A late discharge")
        assert (status, told["results"][0]["state"]) == (201, "amended")
    assert DailyReturn.objects.count() == 2
    long_ago = (timezone.localdate() - timedelta(days=15)).isoformat()
    assert signer.post(f"/api/v1/returns/sitrep/RXX/{long_ago}/sign/")[0] == 409
    for address in (f"sitrep/RZZ/{day}", f"flow/RXX/{day}", "sitrep/RXX/2026-02-31"):
        assert signer.post(f"/api/v1/returns/{address}/sign/")[0] == 404


def test_only_who_signs_returns_signs_one(hospital: Hospital, reader: Caller) -> None:
    body = hospital.site.organisation
    day = timezone.localdate() - timedelta(days=1)
    address = f"/api/v1/returns/sitrep/RXX/{day.isoformat()}/sign/"
    other = Organisation.objects.create(code="RYY", name="Another trust", kind="trust")
    writes = TokenScope.RETURNS_WRITE
    observer = Caller("observer", Role.OBSERVER, writes, organisation=body)
    away = Caller("away", Role.SITE_MANAGER, writes, organisation=other)
    without = Caller("without", Role.SITE_MANAGER, TokenScope.WAITS_WRITE, organisation=body)
    assert reader.post(address)[0] == 403
    assert observer.post(address)[0] == 403
    assert away.post(address)[0] == 404
    assert without.post(address)[0] == 403
    assert not DailyReturn.objects.exists()


def test_a_table_is_told_as_csv(reader: Caller) -> None:
    answer = reader.client.get(SITREP, {"format": "csv"})
    assert answer["Content-Type"].startswith("text/csv")
    assert answer.content.decode().splitlines()[0].startswith("organisation,date,definition")
