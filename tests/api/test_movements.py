"""Saying over REST that somebody came, went or moved."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from accounts.models import Organisation
from accounts.roles import Role
from accounts.tokens import TokenScope
from patients.models import Episode, Patient
from tests.api.callers import Caller
from tests.screens.hospital import Hospital, build, nhs_number
from wards.facts import MovementKind
from wards.models import BedRequest, Movement, Occupancy, Override, Ward
from wards.rule_books import keep_book
from wards.suitability.defaults import EXAMPLE

pytestmark = pytest.mark.django_db

MOVES = "/api/v1/movements/"
DESK = (TokenScope.BEDS_READ, TokenScope.BEDS_WRITE)
PERSON = {
    "hospital_number": "H1",
    "nhs_number": nhs_number(777_001),
    "family_name": "Newcomer",
    "date_of_birth": "1960-02-29",
    "sex": "female",
}


@pytest.fixture
def hospital() -> Hospital:
    made = build()
    keep_book(site=made.site, book=EXAMPLE, valid_from=timezone.now() - timedelta(days=1), by=None)
    made.fill(made.wards[0], 2)
    return made


@pytest.fixture
def manager(hospital: Hospital) -> Caller:
    return Caller("manager", Role.BED_MANAGER, *DESK, site=hospital.site)


@pytest.fixture
def nurse(hospital: Hospital) -> Caller:
    return Caller("nurse", Role.WARD_NURSE, *DESK, ward=hospital.wards[0])


@pytest.fixture
def other(hospital: Hospital) -> Caller:
    return Caller("other", Role.WARD_NURSE, *DESK, ward=hospital.wards[1])


def stays(ward: Ward) -> list[Episode]:
    here = Occupancy.objects.filter(ward=ward, period__contains=timezone.now())
    return [row.episode for row in here.order_by("bed__position").select_related("episode")]


def move(caller: Caller, **body: Any) -> dict[str, Any]:
    status, answer = caller.post(MOVES, **body)
    assert status == 201, answer
    return answer


def refused(answer: tuple[int, dict[str, Any]]) -> str:
    status, problem = answer
    assert status == 409, problem
    kind: str = problem["type"].rpartition("#")[2]
    return kind


def test_from_coming_to_going(manager: Caller, hospital: Hospital) -> None:
    beds = hospital.beds(hospital.wards[1])
    came = move(manager, kind="admitted", person=PERSON, bed=beds[0].pk)
    assert (came["movement"]["kind"], came["movement"]["bed"]) == ("admitted", beds[0].pk)
    assert (came["now"]["status"], came["now"]["label"]) == ("in_hospital", "1")
    assert came["movement"]["by"] == "manager"
    stay = came["now"]["episode"]
    there = move(manager, kind="transferred", episode=stay, ward="TGH-W2", bed_label="2")
    assert (there["now"]["bed"], there["now"]["ward"], there["other"]) == (
        beds[1].pk, "TGH-W2", None,
    )  # fmt: skip
    assert move(manager, kind="left", episode=stay)["now"]["on_leave"] is True
    assert move(manager, kind="returned", episode=stay)["now"]["on_leave"] is False
    gone = move(manager, kind="discharged", episode=stay, destination="19")
    assert (gone["now"]["status"], gone["now"]["ward"]) == ("discharged", None)
    assert Episode.objects.get(pk=stay).discharge_destination == "19"
    kept = Patient.objects.get(family_name="Newcomer")
    assert (kept.identifier, kept.nhs_number) == ("H1", PERSON["nhs_number"])


def test_two_change_places(manager: Caller, hospital: Hospital) -> None:
    one, two = stays(hospital.wards[0])
    first, second, *_ = hospital.beds(hospital.wards[0])
    done = move(manager, kind="swapped", episode=one.pk, other=two.pk, key="s")
    assert (done["now"]["bed"], done["other"]["now"]["bed"]) == (second.pk, first.pk)
    again = move(manager, kind="swapped", episode=one.pk, other=two.pk, key="s")
    assert again["movement"]["id"] == done["movement"]["id"]
    assert again["other"]["movement"]["id"] == done["other"]["movement"]["id"]
    assert Movement.objects.filter(kind="transferred").count() == 2
    status, problem = manager.post(MOVES, kind="swapped", episode=one.pk)
    assert (status, list(problem["errors"])) == (400, ["other"])
    assert refused(manager.post(MOVES, kind="swapped", episode=one.pk, other=one.pk)) == "refused"


def test_the_same_key_of_the_same_caller_is_done_once(
    manager: Caller, nurse: Caller, hospital: Hospital
) -> None:
    [stay, _] = stays(hospital.wards[0])
    beds = hospital.beds(hospital.wards[0])
    body = {"kind": "transferred", "episode": stay.pk, "bed": beds[3].pk, "key": "7"}
    first = move(manager, **body)
    move(manager, kind="transferred", episode=stay.pk, bed=beds[4].pk)
    again = move(manager, **body)
    assert again["movement"]["id"] == first["movement"]["id"]
    assert (again["movement"]["bed"], again["now"]["bed"]) == (beds[3].pk, beds[4].pk)
    assert move(nurse, **body)["movement"]["id"] != first["movement"]["id"], "another caller"
    came = [
        move(manager, kind="admitted", person=PERSON, ward="TGH-W2", key="a")["now"]["episode"]
        for _ in range(3)
    ]
    assert len(set(came)) == 1
    for kind in ("left", "returned", "discharged"):
        told = [move(manager, kind=kind, episode=stay.pk, key=kind) for _ in range(2)]
        assert told[0]["movement"] == told[1]["movement"], kind


@pytest.mark.django_db(transaction=True)
def test_the_same_said_at_the_same_moment_is_done_once(manager: Caller) -> None:
    body = {"kind": "admitted", "person": {"family_name": "Nameless"}, "ward": "TGH-W2", "key": "n"}

    def say(_number: int) -> int:
        try:
            stay: int = move(manager, **body)["now"]["episode"]
            return stay
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as together:
        assert len(set(together.map(say, range(4)))) == 1
    assert Patient.objects.filter(family_name="Nameless").count() == 1


def test_only_the_last_movement_by_hand_is_taken_back(
    manager: Caller, other: Caller, hospital: Hospital
) -> None:
    [stay, _] = stays(hospital.wards[0])
    told = Movement.objects.filter(visit=stay.visit, kind=MovementKind.ADMITTED).get()
    assert refused(manager.post(f"{MOVES}{told.pk}/cancel/")) == "refused"
    moved = move(manager, kind="transferred", episode=stay.pk, ward="TGH-W2", bed_label="1")
    gone = move(manager, kind="discharged", episode=stay.pk)["movement"]["id"]
    assert refused(manager.post(f"{MOVES}{moved['movement']['id']}/cancel/")) == "refused"
    reader = Caller("reader", Role.READER, *DESK, site=hospital.site)
    assert reader.post(f"{MOVES}{gone}/cancel/")[0] == 403
    status, back = other.post(f"{MOVES}{gone}/cancel/")
    assert (status, back["movement"]["cancels"], back["now"]["ward"]) == (200, gone, "TGH-W2")
    status, problem = manager.post(f"{MOVES}{gone}/cancel/")
    assert (status, problem["detail"]) == (409, "That has been undone already.")
    for key in (10**30, 2**62):
        assert manager.post(f"{MOVES}{key}/cancel/")[0] == 404
    assert manager.post(f"{MOVES}{moved['movement']['id']}/cancel/", reason="x")[0] == 400


# --- who may --------------------------------------------------------------------------------------


def test_who_may_say_where_somebody_is(
    manager: Caller, nurse: Caller, other: Caller, hospital: Hospital
) -> None:
    [stay, _] = stays(hospital.wards[0])
    for kind in ("transferred", "discharged", "left", "returned"):
        assert other.post(MOVES, kind=kind, episode=stay.pk, ward="TGH-W2")[0] == 404, kind
    reader = Caller("reader", Role.READER, *DESK, site=hospital.site)
    for kind in ("transferred", "discharged", "left"):
        assert reader.post(MOVES, kind=kind, episode=stay.pk, ward="TGH-W2")[0] == 403, kind
    assert reader.post(MOVES, kind="admitted", person=PERSON, ward="TGH-W2")[0] == 403
    bed = hospital.beds(hospital.wards[1])[0].pk
    status, problem = nurse.post(MOVES, kind="transferred", episode=stay.pk, bed=bed)
    assert (status, list(problem["errors"])) == (400, ["bed"]), "out of sight"
    status, _ = nurse.post(MOVES, kind="transferred", episode=stay.pk, ward="TGH-W2", bed_label="1")
    assert status == 403, "a bed there is theirs to give"
    assert nurse.post(MOVES, kind="admitted", person=PERSON, ward="TGH-W2")[0] == 400
    there = move(nurse, kind="transferred", episode=stay.pk, ward="TGH-W2")
    assert (there["now"]["ward"], there["now"]["bed"]) == ("TGH-W2", None)
    assert move(other, kind="transferred", episode=stay.pk, bed=bed)["now"]["bed"] == bed


def test_who_is_awaited_is_fetched_and_no_more(
    manager: Caller, other: Caller, hospital: Hospital
) -> None:
    [stay, _] = stays(hospital.wards[0])
    asking = Caller("asking", Role.BED_MANAGER, *DESK, site=hospital.site)
    status, asked = asking.post("/api/v1/bed-requests/", episode=stay.pk, ward="TGH-W2")
    assert status == 201, asked
    assert other.post(MOVES, kind="discharged", episode=stay.pk)[0] == 403
    assert other.post(MOVES, kind="transferred", episode=stay.pk, ward="TGH-W1")[0] == 400
    came = move(other, kind="transferred", episode=stay.pk, ward="TGH-W2", bed_label="1")
    assert came["now"]["ward"] == "TGH-W2"
    assert BedRequest.objects.get(pk=asked["id"]).period.upper is not None


def test_other_sites_are_not_there(manager: Caller, hospital: Hospital) -> None:
    elsewhere = build(code="OGH")
    elsewhere.fill(elsewhere.wards[0], 1)
    [theirs] = stays(elsewhere.wards[0])
    [stay, _] = stays(hospital.wards[0])
    bed = elsewhere.beds(elsewhere.wards[0])[1].pk
    for kind in ("transferred", "discharged", "left", "returned", "swapped"):
        body = {"kind": kind, "ward": "TGH-W2", "other": stay.pk}
        assert manager.post(MOVES, episode=theirs.pk, **body)[0] == 404, kind
    assert manager.post(MOVES, kind="swapped", episode=stay.pk, other=theirs.pk)[0] == 404
    for place in ({"bed": bed}, {"ward": "OGH-W1"}, {"ward": "TGH-W1", "site": "OGH"}):
        assert manager.post(MOVES, kind="transferred", episode=stay.pk, **place)[0] == 400, place
        assert manager.post(MOVES, kind="admitted", person=PERSON, **place)[0] == 400, place
    moved = Movement.objects.filter(visit=theirs.visit).get()
    assert manager.post(f"{MOVES}{moved.pk}/cancel/")[0] == 404
    assert stays(elsewhere.wards[0]) == [theirs]


def test_a_token_that_reads_moves_nobody(hospital: Hospital) -> None:
    reading = Caller("reading", Role.BED_MANAGER, TokenScope.BEDS_READ, site=hospital.site)
    [stay, _] = stays(hospital.wards[0])
    status, problem = reading.post(MOVES, kind="discharged", episode=stay.pk)
    assert (status, problem["type"].rpartition("#")[2]) == (403, "insufficient-scope")
    assert reading.client.get(MOVES).status_code in (403, 405)


# --- refusals -------------------------------------------------------------------------------------


def against_a_rule(hospital: Hospital) -> int:
    """A bed of a bay for men; those who are here are women."""
    bed = hospital.beds(hospital.wards[1])[0]
    assert bed.bay is not None
    bed.bay.sex = "male"
    bed.bay.save()
    return bed.pk


def test_a_rule_forbids_and_who_manages_beds_says_why_not(
    manager: Caller, other: Caller, hospital: Hospital
) -> None:
    bed = against_a_rule(hospital)
    both = Caller("both", Role.WARD_NURSE, *DESK, site=hospital.site)
    [stay, _] = stays(hospital.wards[0])
    body = {"kind": "transferred", "episode": stay.pk, "bed": bed}
    status, problem = both.post(MOVES, **body, reason="It is urgent")
    assert (status, problem["type"]) == (409, "/api/v1/problems/#unsuitable")
    assert problem["may_override"] is False
    [rule] = problem["rules"]
    assert (rule["code"], rule["may_override"]) == ("bay_sex", True)
    assert rule["text"] in problem["detail"]
    status, problem = manager.post(MOVES, **body)
    assert (status, problem["may_override"]) == (409, True)
    assert stays(hospital.wards[1]) == []
    moved = move(manager, **body, reason="No other bed, agreed with the matron")
    kept = Override.objects.get()
    assert (kept.movement_id, kept.rule, kept.by) == (
        moved["movement"]["id"], "bay_sex", manager.user,
    )  # fmt: skip
    status, problem = other.post(MOVES, kind="admitted", person=PERSON, bed=bed)
    assert (status, "is taken" in problem["detail"]) == (409, True)


def test_admitting_against_a_rule(manager: Caller, hospital: Hospital) -> None:
    bed = against_a_rule(hospital)
    body = {"kind": "admitted", "person": PERSON, "bed": bed}
    assert refused(manager.post(MOVES, **body)) == "unsuitable"
    assert not Patient.objects.filter(family_name="Newcomer").exists(), "nothing is left behind"
    assert move(manager, **body, reason="Agreed")["now"]["bed"] == bed


def test_somebody_known_is_confirmed(manager: Caller, hospital: Hospital) -> None:
    first = move(manager, kind="admitted", person=PERSON, ward="TGH-W2")
    move(manager, kind="discharged", episode=first["now"]["episode"])
    body = {"kind": "admitted", "person": PERSON, "ward": "TGH-W2"}
    status, problem = manager.post(MOVES, **body)
    assert (status, problem["type"].rpartition("#")[2]) == (409, "already-known")
    again = move(manager, **body, confirmed=problem["record"])
    assert again["now"]["episode"] != first["now"]["episode"]
    assert refused(manager.post(MOVES, **body, confirmed=problem["record"])) == "refused"
    namesake = {"family_name": "Newcomer", "date_of_birth": "1960-02-29"}
    status, problem = manager.post(MOVES, kind="admitted", person=namesake, ward="TGH-W2")
    assert (status, problem["type"].rpartition("#")[2]) == (409, "same-name")
    move(manager, kind="admitted", person=namesake, ward="TGH-W2", others=problem["records"])


def test_nothing_is_told_of_people_out_of_sight(manager: Caller, hospital: Hospital) -> None:
    elsewhere = build(code="OGH")
    theirs = Caller("theirs", Role.BED_MANAGER, *DESK, site=elsewhere.site)
    move(theirs, kind="admitted", person=PERSON, ward="OGH-W1")
    guess = PERSON | {"family_name": "Guess", "hospital_number": ""}
    status, problem = manager.post(MOVES, kind="admitted", person=guess, ward="TGH-W2")
    assert (status, problem["type"].rpartition("#")[2]) == (409, "refused")
    told = str(problem)
    for secret in ("Newcomer", PERSON["nhs_number"], "OGH", "1960"):
        assert secret not in told


@pytest.mark.parametrize(
    "body",
    [
        {}, {"kind": "observed"}, {"kind": ["admitted"]}, {"kind": "admitted"},
        {"kind": "admitted", "ward": "TGH-W2", "person": {}},
        {"kind": "admitted", "ward": "TGH-W2", "person": "Smith"},
        {"kind": "admitted", "ward": "TGH-W2", "person": {"nhs_number": "9990000000"}},
        {"kind": "admitted", "ward": "TGH-W2", "person": {"hospital_number": "--"}},
        {"kind": "admitted", "ward": "TGH-W2", "person": {"family_name": "a\x00b"}},
        {"kind": "admitted", "ward": "TGH-W2", "person": {**PERSON, "sex": "F"}},
        {"kind": "admitted", "ward": "TGH-W2", "person": {**PERSON, "date_of_birth": "1066-01-01"}},
        {"kind": "admitted", "ward": "TGH-W2", "person": {**PERSON, "date_of_birth": "2999-01-01"}},
        {"kind": "admitted", "person": PERSON},
        {"kind": "admitted", "person": PERSON, "site": "TGH"},
        {"kind": "admitted", "person": PERSON, "ward": "W9"},
        {"kind": "admitted", "person": PERSON, "ward": "TGH-W2", "bed_label": "99"},
        {"kind": "admitted", "person": PERSON, "bed": 10**30},
        {"kind": "admitted", "person": PERSON, "bed": "1"},
        {"kind": "admitted", "person": PERSON, "ward": "TGH-W2", "others": ["x"]},
        {"kind": "admitted", "person": PERSON, "ward": "TGH-W2", "others": [1] * 21},
        {"kind": "transferred"}, {"kind": "discharged", "episode": 10**30},
        {"kind": "discharged", "episode": 1, "destination": "home"},
        {"kind": "discharged", "episode": 1, "nhs_number": "9990000000"},
        {"kind": "discharged", "episode": 1, "key": "x" * 65},
        {"kind": "discharged", "episode": 1, "occurred_at": "0001-01-01T00:00:00+14:00"},
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_by_name(manager: Caller, body: dict[str, Any]) -> None:
    status, problem = manager.post(MOVES, **body)
    assert status == 400, problem
    assert problem["errors"]
    assert PERSON["nhs_number"] not in str(problem)


def test_times_that_cannot_be(manager: Caller, hospital: Hospital) -> None:
    [stay, _] = stays(hospital.wards[0])
    body = {"kind": "discharged", "episode": stay.pk}
    for when in ("2999-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1900-01-01T00:00:00Z"):
        assert refused(manager.post(MOVES, **body, occurred_at=when)) == "refused", when
    ago = timezone.now() - timedelta(hours=1)
    done = move(manager, **body, occurred_at=ago.isoformat())
    assert done["now"]["discharged_at"] == done["movement"]["occurred_at"]
    assert refused(manager.post(MOVES, **body)) == "refused"


def test_a_bed_is_on_its_ward(manager: Caller, hospital: Hospital) -> None:
    [stay, _] = stays(hospital.wards[0])
    bed = hospital.beds(hospital.wards[1])[0].pk
    status, problem = manager.post(
        MOVES, kind="transferred", episode=stay.pk, ward="TGH-W1", bed=bed
    )
    assert (status, list(problem["errors"])) == (400, ["bed"])
    assert Organisation.objects.count() == 1
