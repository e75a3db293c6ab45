"""Closing, reopening and cleaning beds over REST."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.roles import Role
from accounts.tokens import TokenScope
from tests.api.callers import Caller
from tests.screens.hospital import Hospital, build
from wards import bed_states, cleaning
from wards.models import Bed, BedStatus, Closure

pytestmark = pytest.mark.django_db
BEDS = (TokenScope.BEDS_READ, TokenScope.BEDS_WRITE)


@pytest.fixture
def hospital() -> Hospital:
    made = build()
    made.fill(made.wards[0], 3)
    return made


@pytest.fixture
def manager(hospital: Hospital) -> Caller:
    return Caller("manager", Role.BED_MANAGER, *BEDS, site=hospital.site)


@pytest.fixture
def cleaner(hospital: Hospital) -> Caller:
    return Caller("cleaner", Role.CLEANER, *BEDS, ward=hospital.wards[1])


@pytest.fixture
def bed(hospital: Hospital) -> Bed:
    return hospital.beds(hospital.wards[1])[0]


def of(bed: Bed, deed: str = "") -> str:
    return f"/api/v1/beds/{bed.pk}/{deed}"


def read(caller: Caller, bed: Bed) -> dict[str, Any]:
    answer = caller.client.get(of(bed))
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json()
    return told


def refused(answer: tuple[int, dict[str, Any]]) -> str:
    """The reason of a 409 problem document."""
    status, body = answer
    assert (status, body["status"], body["type"]) == (409, 409, "/api/v1/problems/#refused")
    return str(body["detail"])


def test_a_bed_is_closed_and_reopened(manager: Caller, bed: Bed) -> None:
    until = timezone.now() + timedelta(days=2)
    status, told = manager.post(
        of(bed, "close/"), reason="infection", until=until.isoformat(), note="Door to be mended"
    )
    assert (status, told["state"], told["closed_reason"]) == (200, "closed", "infection")
    closure = Closure.objects.get()
    assert (closure.bed, closure.note, closure.by) == (bed, "Door to be mended", manager.user)
    assert told["closure"] == closure.pk
    assert datetime.fromisoformat(told["closed_until"]) == until
    assert datetime.fromisoformat(told["closed_since"]) == closure.period.lower
    assert refused(manager.post(of(bed, "close/"), reason="estates")).startswith("Closed already")
    status, told = manager.post(of(bed, "reopen/"))
    assert (status, told["state"], told["closure"]) == (200, "available", None)
    assert refused(manager.post(of(bed, "reopen/"))) == "This bed is not closed."


def test_a_ward_is_not_reopened_bed_by_bed(manager: Caller, bed: Bed) -> None:
    now = timezone.now() - timedelta(minutes=5)
    bed_states.close(ward=bed.ward_id, reason="staffing", since=now, by=manager.user)
    assert "its bay or ward is closed" in refused(manager.post(of(bed, "reopen/")))
    assert Closure.objects.get().period.upper is None


def test_a_bed_is_asked_to_be_cleaned_and_cleaned(
    manager: Caller, cleaner: Caller, bed: Bed
) -> None:
    status, told = manager.post(of(bed, "cleaning/"), level="terminal")
    assert (status, told["state"], told["status"], told["level"]) == (
        200,
        "unready",
        "K",
        "terminal",
    )
    assert "terminal clean" in refused(cleaner.post(of(bed, "cleaned/"), level="routine"))
    assert "Those who look after" in refused(cleaner.post(of(bed, "cleaning/"), level="routine"))
    before = timezone.now()
    status, told = cleaner.post(of(bed, "cleaned/"))
    assert (status, told["state"], told["status"], told["level"]) == (
        200, "available", "U", "terminal",
    )  # fmt: skip
    assert datetime.fromisoformat(told["since"]) >= before
    fact = BedStatus.objects.latest("pk")
    assert (fact.source, fact.by) == ("api", cleaner.user)
    assert "ready already" in refused(cleaner.post(of(bed, "cleaned/")))


def test_a_time_that_is_given_counts(manager: Caller, bed: Bed) -> None:
    now = timezone.now()
    ago = [(now - timedelta(minutes=each)).isoformat() for each in (40, 10)]
    manager.post(of(bed, "cleaning/"), level="routine", occurred_at=ago[0])
    _, told = manager.post(of(bed, "cleaned/"), occurred_at=ago[1])
    assert datetime.fromisoformat(told["status_since"]) == now - timedelta(minutes=10)
    ahead = (now + timedelta(hours=1)).isoformat()
    for deed, said in (
        ("close/", {"reason": "estates"}), ("cleaning/", {"level": "routine"}),
        ("cleaned/", {}), ("reopen/", {}),
    ):  # fmt: skip
        assert "not come yet" in refused(manager.post(of(bed, deed), occurred_at=ahead, **said))


def test_a_bed_with_somebody_in_it_is_not_ready(manager: Caller, hospital: Hospital) -> None:
    taken = hospital.beds(hospital.wards[0])[0]
    assert manager.post(of(taken, "cleaning/"), level="routine")[0] == 200
    assert "Somebody is in" in refused(manager.post(of(taken, "cleaned/")))


def test_what_is_said_wrongly_is_told_field_by_field(manager: Caller, bed: Bed) -> None:
    for deed, said, field in (
        ("close/", {}, "reason"),
        ("close/", {"reason": "bored"}, "reason"),
        ("close/", {"reason": "estates", "until": "soon"}, "until"),
        ("cleaning/", {}, "level"),
        ("cleaned/", {"level": "deep"}, "level"),
        ("reopen/", {"note": "why"}, "note"),
    ):
        status, body = manager.post(of(bed, deed), **said)
        assert (status, list(body["errors"])) == (400, [field]), deed
    assert not Closure.objects.exists()


def test_who_may_not_is_told_so_and_nothing_of_beds_out_of_sight(
    hospital: Hospital, cleaner: Caller, bed: Bed
) -> None:
    observer = Caller("observer", Role.OBSERVER, *BEDS, everywhere=True)
    nurse = Caller("nurse", Role.WARD_NURSE, *BEDS, ward=hospital.wards[1])
    reader = Caller("reader", Role.BED_MANAGER, TokenScope.BEDS_READ, everywhere=True)
    elsewhere = hospital.beds(hospital.wards[0])[5]
    said = {"close/": {"reason": "estates"}, "cleaning/": {"level": "routine"}}
    for deed in ("close/", "reopen/", "cleaning/", "cleaned/"):
        body: dict[str, Any] = said.get(deed, {})
        assert observer.post(of(bed, deed), **body)[0] == 403
        status, problem = reader.post(of(bed, deed), **body)
        assert (status, problem["type"]) == (403, "/api/v1/problems/#insufficient-scope")
        assert cleaner.post(of(elsewhere, deed), **body)[0] == 404
        if deed in ("close/", "reopen/"):
            assert nurse.post(of(bed, deed), **body)[0] == 403
            assert cleaner.post(of(bed, deed), **body)[0] == 403
        response = Caller.post(observer, "/api/v1/beds/0/" + deed, **body)
        assert response[0] == 404


def test_a_deed_tells_no_patient_to_who_may_not_see_one(hospital: Hospital) -> None:
    taken = hospital.beds(hospital.wards[0])[0]
    cleaner = Caller("all", Role.CLEANER, *TokenScope, ward=hospital.wards[0])
    _, told = cleaner.post(of(taken, "cleaning/"), level="terminal")
    assert (told["state"], told["patient"]) == ("occupied", None)


def test_a_token_for_beds_reads_them_and_nothing_else(
    manager: Caller, hospital: Hospital, bed: Bed
) -> None:
    cleaning.ask(bed=bed.pk, level="routine", at=timezone.now(), by=manager.user)
    told = read(manager, bed)
    assert (told["status"], told["level"], told["closure"]) == ("K", "routine", None)
    assert told["since"] == told["status_since"]
    assert len(manager.get("/api/v1/beds/")) == 12
    assert len(manager.get(f"/api/v1/wards/{hospital.wards[1].code}/beds/")) == 6
    assert manager.client.get("/api/v1/occupancy/").status_code == 403
    assert manager.client.get("/api/v1/episodes/").status_code == 403


@pytest.mark.parametrize("deed", ["close/", "reopen/", "cleaning/", "cleaned/"])
def test_a_body_nested_without_end_is_a_clear_error(manager: Caller, bed: Bed, deed: str) -> None:
    answer = manager.client.post(of(bed, deed), "[" * 100_000, content_type="application/json")
    assert answer.status_code == 400
    assert "nested too deeply" in answer.content.decode()
