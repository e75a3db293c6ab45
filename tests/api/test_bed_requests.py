"""Asking for a bed over REST: the whole way, who may, and why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from accounts.models import Organisation
from accounts.roles import Role
from accounts.tokens import TokenScope
from flow.desk.clocks import LIMITS, ClockKind
from patients.models import Episode
from tests.api.callers import Caller
from tests.api.test_schema import agrees, answer_of, resolved
from tests.screens.hospital import FAMILY, Hospital, add_beds, build
from wards import requests
from wards.barriers import Said
from wards.facts import MovementKind
from wards.matching import USUAL_CLEANING
from wards.models import Bed, BedRequest, Movement, Override, Reservation, Site, Ward
from wards.movements import record
from wards.requests import Terms
from wards.rule_books import keep_book
from wards.suitability.defaults import EXAMPLE

pytestmark = pytest.mark.django_db

LIST = "/api/v1/bed-requests/"
MOVES = "/api/v1/movements/"
DESK = (TokenScope.BEDS_READ, TokenScope.BEDS_WRITE, TokenScope.EPISODES_READ)
HUGE = 10**30


@pytest.fixture
def hospital() -> Hospital:
    made = build()
    keep_book(site=made.site, book=EXAMPLE, valid_from=timezone.now() - timedelta(days=1), by=None)
    made.admit(made.emergency)
    made.fill(made.wards[0], 2)
    return made


@pytest.fixture
def elsewhere(hospital: Hospital) -> Hospital:
    """Another site, of which nobody here has a role."""
    made = build(code="OGH")
    made.admit(made.emergency)
    return made


@pytest.fixture
def manager(hospital: Hospital) -> Caller:
    return Caller("manager", Role.BED_MANAGER, *DESK, site=hospital.site)


@pytest.fixture
def emergency(hospital: Hospital) -> Caller:
    return Caller("emergency", Role.WARD_NURSE, *DESK, ward=hospital.emergency)


@pytest.fixture
def nurse(hospital: Hospital) -> Caller:
    return Caller("nurse", Role.WARD_NURSE, *DESK, ward=hospital.wards[0])


def patient_on(ward: Ward) -> Episode:
    found = Episode.objects.filter(
        occupancies__ward=ward, occupancies__period__contains=timezone.now()
    )
    return found.order_by("pk")[0]


def ask(caller: Caller, on: Ward, **more: Any) -> dict[str, Any]:
    """A bed for somebody on this ward."""
    status, answer = caller.post(LIST, episode=patient_on(on).pk, **more)
    assert status == 201, answer
    return answer


def one(caller: Caller, key: int) -> dict[str, Any]:
    response = caller.client.get(f"{LIST}{key}/")
    assert response.status_code == 200, response.content
    found: dict[str, Any] = response.json()
    return found


def matches(caller: Caller, key: int, **query: Any) -> dict[str, Any]:
    response = caller.client.get(f"{LIST}{key}/matches/", query)
    assert response.status_code == 200, response.content
    found: dict[str, Any] = response.json()
    return found


@pytest.mark.parametrize(("deed", "hours"), [("reserve", 4), ("allocate", 12)])
def test_a_bed_that_somebody_is_about_to_leave_is_held_from_when_it_is_ready(
    manager: Caller, hospital: Hospital, deed: str, hours: int
) -> None:
    asked = ask(manager, hospital.emergency)
    bed = hospital.beds(hospital.wards[0])[2].pk
    inside = hospital.admit(Bed.objects.get(pk=bed))
    leaves = hospital.now.replace(microsecond=0) + timedelta(hours=10)
    announced = replace(
        inside,
        key="leaves",
        kind=MovementKind.PENDING_DISCHARGE,
        sent_at=hospital.now,
        occurred_at=hospital.now,
        place=None,
        stay={"expected_discharge_at": leaves.isoformat()},
    )
    record([announced], source="feed")
    status, told = manager.post(f"{LIST}{asked['id']}/{deed}/", bed=bed)
    assert status == 200, told
    assert Reservation.objects.get().period.upper == leaves + USUAL_CLEANING + timedelta(
        hours=hours
    )


def test_the_whole_way(manager: Caller, nurse: Caller, hospital: Hospital) -> None:
    ward = hospital.wards[0]
    asked = ask(manager, hospital.emergency, ward=ward.code, priority=2, specialty="cardiology")
    assert (asked["kind"], asked["ward"], asked["waits_for"]) == ("ed_admission", "TGH-W1", "bed")
    assert asked["patient"]["name"].startswith(FAMILY.upper())
    assert [row["id"] for row in manager.get(LIST)] == [asked["id"]]

    found = matches(manager, asked["id"], suitable="true")
    assert found["rule_book"]["name"] == EXAMPLE.name
    best = found["results"][0]
    assert (best["ward"], best["suitable"], best["state"]) == ("TGH-W1", True, "ready")
    assert best["score"] > 0
    assert {"code", "title", "text", "speaks", "hard", "cost", "breach"} == set(best["reasons"][0])

    here = f"{LIST}{asked['id']}"
    status, held = nurse.post(f"{here}/reserve/", bed=best["bed"], note="Until the porters come")
    assert (status, held["waits_for"], held["held"]["bed"]) == (200, "move", best["bed"])
    assert held["held"]["decided"] is False

    other = ask(nurse, ward, specialty="cardiology")
    status, problem = manager.post(f"{LIST}{other['id']}/reserve/", bed=best["bed"])
    assert status == 409
    assert problem["type"].endswith("#refused")
    assert "held for somebody else until" in problem["detail"]
    status, problem = manager.post(
        MOVES, kind="transferred", episode=other["episode"], bed=best["bed"]
    )
    assert (status, "held for somebody else" in problem["detail"]) == (409, True)

    status, given = manager.post(f"{here}/allocate/", bed=best["bed"])
    assert (status, given["held"]["decided"]) == (200, True)
    status, moved = manager.post(
        MOVES, kind="transferred", episode=asked["episode"], bed=best["bed"]
    )
    assert status == 201, moved
    assert (moved["now"]["bed"], moved["now"]["label"]) == (best["bed"], best["label"])
    row = Reservation.objects.get()
    assert row.status == Reservation.Status.USED
    after = one(manager, asked["id"])
    assert after["ended_at"] is not None
    assert [line["status"] for line in after["history"]] == ["used"]
    assert [row["id"] for row in manager.get(LIST)] == [other["id"]]


def test_clocks_run_from_arrival_and_from_the_decision(manager: Caller, hospital: Hospital) -> None:
    asked = ask(manager, hospital.emergency)
    clocks = {clock["kind"]: clock for clock in asked["clocks"]}
    assert set(clocks) == {"four_from_arrival", "twelve_from_decision", "twelve_from_arrival"}
    assert [kind for kind, clock in clocks.items() if clock["over"]] == ["four_from_arrival"]
    assert clocks["twelve_from_decision"]["since"] == asked["since"]
    assert LIMITS[ClockKind.FOUR_FROM_ARRIVAL] == timedelta(hours=4)


def test_terms_are_changed_and_what_is_left_out_stays(manager: Caller, hospital: Hospital) -> None:
    asked = ask(manager, hospital.emergency, priority=4, note="By the window", asked_by="Take")
    status, changed = manager.post(f"{LIST}{asked['id']}/change/", priority=1, note="")
    assert (status, changed["id"], changed["priority"]) == (200, asked["id"], 1)
    assert (changed["note"], changed["asked_by"]) == (None, "Take")
    status, other = manager.post(f"{LIST}{asked['id']}/change/", ward="TGH-W2")
    assert (status, other["ward"], other["asked_by"]) == (200, "TGH-W2", "Take")
    assert [row["id"] for row in manager.get(LIST)] == [other["id"]]


@pytest.mark.parametrize("due", ["0026-11-23T12:00:00Z", "9999-12-31T23:59:00Z"])
def test_a_year_that_cannot_be_meant_is_refused(
    manager: Caller, hospital: Hospital, due: str
) -> None:
    episode = patient_on(hospital.emergency).pk
    status, answer = manager.post(LIST, episode=episode, ward="TGH-W1", due_at=due)
    assert status == 400
    assert answer["errors"]["due_at"] == [
        "The bed would be wanted more than 400 days from now. Check the year."
    ]
    asked = ask(manager, hospital.emergency, ward="TGH-W1")
    assert manager.post(f"{LIST}{asked['id']}/change/", due_at=due)[0] == 400


def test_it_is_withdrawn_with_a_reason_once(manager: Caller, hospital: Hospital) -> None:
    asked = ask(manager, hospital.emergency)
    here = f"{LIST}{asked['id']}/cancel/"
    status, problem = manager.post(here)
    assert (status, list(problem["errors"])) == (400, ["reason"])
    status, gone = manager.post(here, reason="Goes home")
    assert (status, gone["waits_for"]) == (200, None)
    assert gone["ended_at"]
    assert manager.get(LIST) == []
    status, problem = manager.post(here, reason="Goes home")
    assert (status, "over already" in problem["detail"]) == (409, True)
    assert matches(manager, asked["id"])["results"] == []


def test_that_it_is_withdrawn_is_taken_back(manager: Caller, hospital: Hospital) -> None:
    reader = Caller("reader", Role.OBSERVER, *DESK, site=hospital.site)
    asked = ask(manager, hospital.emergency, ward="TGH-W1", priority=2)
    bed = matches(manager, asked["id"])["results"][0]["bed"]
    manager.post(f"{LIST}{asked['id']}/allocate/", bed=bed)
    restore = f"{LIST}{asked['id']}/restore/"
    status, problem = manager.post(restore)
    assert (status, "was not called off" in problem["detail"]) == (409, True)
    manager.post(f"{LIST}{asked['id']}/cancel/", reason="Goes home")
    assert reader.post(restore)[0] == 403
    status, again = manager.post(restore)
    assert (status, again["ended_at"], again["priority"], again["since"]) == (
        200, None, 2, asked["since"],
    )  # fmt: skip
    assert (again["held"]["bed"], again["held"]["decided"]) == (bed, True)
    assert [row["id"] for row in manager.get(LIST)] == [asked["id"]]


def test_what_is_held_is_given_back(manager: Caller, hospital: Hospital) -> None:
    asked = ask(manager, hospital.emergency, ward="TGH-W1")
    bed = matches(manager, asked["id"])["results"][0]["bed"]
    manager.post(f"{LIST}{asked['id']}/reserve/", bed=bed)
    status, answer = manager.post(f"{LIST}{asked['id']}/release/")
    assert (status, answer["held"]) == (200, None)
    assert [line["status"] for line in answer["history"]] == ["released"]
    status, problem = manager.post(f"{LIST}{asked['id']}/release/")
    assert (status, problem["detail"]) == (409, "No bed is held for this request.")


@pytest.mark.parametrize("deed", ["reserve", "allocate"])
def test_who_says_what_they_saw_held_gives_back_nothing_else(
    manager: Caller, hospital: Hospital, deed: str
) -> None:
    asked = ask(manager, hospital.emergency, ward="TGH-W1")
    here = f"{LIST}{asked['id']}/{deed}/"
    first, second, third = (row["bed"] for row in matches(manager, asked["id"])["results"][:3])
    assert asked["held"] is None
    status, answer = manager.post(here, bed=first, seen=None)
    assert (status, answer["held"]["bed"]) == (200, first)
    status, problem = manager.post(here, bed=second, seen=None)
    assert status == 409
    assert "Meanwhile bed" in problem["detail"]
    seen = answer["held"]["id"]
    assert manager.post(here, bed=second, seen=seen + 10**6)[0] == 409
    assert one(manager, asked["id"])["held"]["id"] == seen
    status, answer = manager.post(here, bed=second, seen=seen)
    assert (status, answer["held"]["bed"]) == (200, second)
    assert manager.post(here, bed=third, seen=seen)[0] == 409
    status, answer = manager.post(here, bed=third)
    assert (status, answer["held"]["bed"]) == (200, third), "left out, nothing is checked"
    for wrong in ("1", 0, -1, True, HUGE):
        assert manager.post(here, bed=first, seen=wrong)[0] == 400, wrong


def test_the_same_key_of_the_same_caller_asks_once(
    manager: Caller, emergency: Caller, hospital: Hospital
) -> None:
    first = ask(manager, hospital.emergency, key="take-7")
    again = ask(manager, hospital.emergency, key="take-7")
    assert again["id"] == first["id"]
    assert Movement.objects.filter(kind="pending_admit").count() == 1
    episode = patient_on(hospital.emergency).pk
    status, problem = emergency.post(LIST, episode=episode, key="take-7")
    assert (status, "asked for already" in problem["detail"]) == (409, True)
    manager.post(f"{LIST}{first['id']}/cancel/", reason="Better")
    assert ask(manager, hospital.emergency, key="take-7")["ended_at"], "said before, and over"
    assert BedRequest.objects.count() == 1


# --- rules ----------------------------------------------------------------------------------------


def refused_bed(hospital: Hospital) -> Bed:
    """One that the patients here, who are women, may be given only against a rule."""
    bed = hospital.beds(hospital.wards[1])[0]
    assert bed.bay is not None
    bed.bay.sex = "male"
    bed.bay.save()
    return bed


def test_a_refusal_names_its_rules(emergency: Caller, manager: Caller, hospital: Hospital) -> None:
    bed = refused_bed(hospital)
    second = Caller("second", Role.WARD_NURSE, *DESK, site=hospital.site)
    asked = ask(manager, hospital.emergency, ward="TGH-W2", specialty="general_medicine")
    here = f"{LIST}{asked['id']}"
    [match] = [row for row in matches(second, asked["id"])["results"] if row["bed"] == bed.pk]
    assert (match["suitable"], match["may_override"], match["score"]) == (False, False, 0)
    for body in ({}, {"reason": "There is no other"}):
        status, problem = second.post(f"{here}/reserve/", bed=bed.pk, **body)
        assert (status, problem["type"]) == (409, "/api/v1/problems/#unsuitable")
        assert problem["may_override"] is False
        assert [rule["code"] for rule in problem["rules"]] == ["bay_sex"]
        assert problem["rules"][0]["text"] in problem["detail"]
    assert not Reservation.objects.exists()


def test_who_manages_beds_may_say_why_it_is_right(manager: Caller, hospital: Hospital) -> None:
    bed = refused_bed(hospital)
    asked = ask(manager, hospital.emergency, ward="TGH-W2", specialty="general_medicine")
    here = f"{LIST}{asked['id']}"
    [match] = [row for row in matches(manager, asked["id"])["results"] if row["bed"] == bed.pk]
    assert (match["suitable"], match["may_override"]) == (False, True)
    status, problem = manager.post(f"{here}/allocate/", bed=bed.pk)
    assert (status, problem["may_override"]) == (409, True)
    status, answer = manager.post(f"{here}/allocate/", bed=bed.pk, reason="Agreed with matron")
    assert status == 200, answer
    assert answer["history"][0]["overridden"] == [
        {"code": "bay_sex", "reason": "Agreed with matron"}
    ]
    status, _ = manager.post(MOVES, kind="transferred", episode=asked["episode"], bed=bed.pk)
    assert status == 201, "what was overridden to give it need not be said again"
    said = Override.objects.order_by("pk").values_list("deed", "rule", "breach", "by")
    assert list(said) == [("allocate", "bay_sex", "mixed_sex", manager.user.pk)], "counted once"


def test_a_fact_is_overridden_by_nobody(manager: Caller, hospital: Hospital) -> None:
    asked = ask(manager, hospital.emergency, ward="TGH-W1")
    [taken, *_] = hospital.beds(hospital.wards[0])
    status, problem = manager.post(
        f"{LIST}{asked['id']}/reserve/", bed=taken.pk, reason="I want it"
    )
    assert (status, problem["may_override"]) == (409, False)
    assert [rule["code"] for rule in problem["rules"]] == ["occupied"]


def test_needs_decide_which_bed_suits(manager: Caller, hospital: Hospital) -> None:
    asked = ask(manager, hospital.emergency, ward="TGH-W1")
    room = hospital.beds(hospital.wards[0])[-1]
    Bed.objects.filter(pk=room.pk).update(features=["side_room"])
    address = f"/api/v1/episodes/{asked['episode']}/needs/"
    assert manager.get(address) == []
    status, said = manager.post(
        address, isolation="side_room", infections=["norovirus"], key="ipc-1"
    )
    assert (status, said["isolation"]) == (201, "side_room")
    assert manager.post(address, isolation="side_room", key="ipc-1")[1]["id"] == said["id"]
    best, *rest = matches(manager, asked["id"])["results"]
    assert (best["bed"], best["suitable"]) == (room.pk, True)
    against = {reason["code"] for row in rest for reason in row["reasons"] if reason["hard"]}
    assert "side_room" in against
    status, said = manager.post(address, falls_risk=True)
    assert (said["isolation"], said["infections"], said["falls_risk"]) == (
        "side_room", ["norovirus"], True,
    )  # fmt: skip
    assert manager.get(address)[0]["id"] == said["id"]
    assert one(manager, asked["id"])["needs"]["infections"] == ["norovirus"]


# --- who may --------------------------------------------------------------------------------------


def test_who_may_ask(nurse: Caller, emergency: Caller, hospital: Hospital) -> None:
    waiting = patient_on(hospital.emergency).pk
    assert nurse.post(LIST, episode=waiting)[0] == 404, "not in sight"
    reader = Caller("reader", Role.READER, *DESK, site=hospital.site)
    assert reader.post(LIST, episode=waiting)[0] == 403
    asked = ask(emergency, hospital.emergency, ward="TGH-W1")
    assert asked["ward"] == "TGH-W1", "of their own site, though they do not see it"
    assert nurse.post(f"{LIST}{asked['id']}/change/", priority=1)[0] == 200, "now they wait for it"
    assert reader.post(f"{LIST}{asked['id']}/cancel/", reason="No")[0] == 403
    here = f"{LIST}{asked['id']}/reserve/"
    bed = hospital.beds(hospital.wards[0])[3]
    status, problem = emergency.post(here, bed=bed.pk)
    assert (status, list(problem["errors"])) == (400, ["bed"]), "a bed out of sight is none"
    assert reader.post(here, bed=bed.pk)[0] == 403
    assert nurse.post(here, bed=bed.pk)[0] == 200
    assert emergency.post(f"{LIST}{asked['id']}/release/")[0] == 200, "it was held for theirs"


def test_other_sites_are_not_there(
    manager: Caller, hospital: Hospital, elsewhere: Hospital
) -> None:
    theirs = Caller("theirs", Role.BED_MANAGER, *DESK, site=elsewhere.site)
    far = ask(theirs, elsewhere.emergency)
    asked = ask(manager, hospital.emergency)
    assert [row["id"] for row in manager.get(LIST)] == [asked["id"]]
    assert manager.client.get(f"{LIST}{far['id']}/").status_code == 404
    assert manager.client.get(f"{LIST}{far['id']}/matches/").status_code == 404
    for deed, body in (
        ("change", {}), ("reserve", {"bed": 1}), ("allocate", {"bed": 1}), ("release", {}),
        ("cancel", {"reason": "No"}), ("restore", {}),
    ):  # fmt: skip
        assert manager.post(f"{LIST}{far['id']}/{deed}/", **body)[0] == 404, deed
    bed = elsewhere.beds(elsewhere.wards[0])[0]
    status, problem = manager.post(f"{LIST}{asked['id']}/reserve/", bed=bed.pk)
    assert (status, "that you may see" in problem["detail"]) == (400, True)
    status, problem = manager.post(f"{LIST}{asked['id']}/change/", ward="OGH-W1")
    assert (status, list(problem["errors"])) == (400, ["ward"])
    assert manager.client.get(f"{LIST}{asked['id']}/matches/?site=OGH").status_code == 400
    assert manager.client.get(f"{LIST}?site=OGH").status_code == 400
    assert {row["site"] for row in matches(manager, asked["id"])["results"]} == {"TGH"}
    episode = patient_on(elsewhere.emergency).pk
    assert manager.client.get(f"/api/v1/episodes/{episode}/needs/").status_code == 404
    assert manager.post(f"/api/v1/episodes/{episode}/needs/", wanders=True)[0] == 404


def test_figures_alone_name_nobody(manager: Caller, hospital: Hospital) -> None:
    asked = ask(manager, hospital.emergency, note=f"Daughter of {FAMILY}", asked_by=FAMILY)
    manager.post(f"/api/v1/episodes/{asked['episode']}/needs/", infections=["norovirus"])
    counts = Caller("counts", Role.OBSERVER, *DESK, site=hospital.site)
    [row] = counts.get(LIST)
    for name in ("episode", "patient", "note", "asked_by", "sex", "age", "needs", "from_bed"):
        assert row[name] is None, name
    assert row["clocks"], "they are figures"
    for address in (LIST, f"{LIST}{asked['id']}/", f"{LIST}?format=csv"):
        said = counts.client.get(address).content.decode().lower()
        assert FAMILY.lower() not in said
        assert "norovirus" not in said
    assert counts.client.get(f"{LIST}{asked['id']}/matches/").status_code == 403
    nobody = Caller("partner", Role.PARTNER, *DESK, organisation=Organisation.objects.get())
    assert nobody.client.get(LIST).status_code == 403
    assert nobody.client.get(f"{LIST}{asked['id']}/").status_code == 404


def test_a_token_does_what_it_was_made_for(manager: Caller, hospital: Hospital) -> None:
    asked = ask(manager, hospital.emergency, ward="TGH-W1")
    beds = Caller("beds", Role.BED_MANAGER, TokenScope.BEDS_READ, site=hospital.site)
    [row] = beds.get(LIST)
    assert (row["patient"], row["episode"]) == (None, asked["episode"])
    assert matches(beds, asked["id"])["results"]
    bed = hospital.beds(hospital.wards[0])[3].pk
    status, problem = beds.post(f"{LIST}{asked['id']}/reserve/", bed=bed)
    assert (status, problem["type"].rpartition("#")[2]) == (403, "insufficient-scope")
    other = Caller("waits", Role.BED_MANAGER, TokenScope.WAITS_READ, site=hospital.site)
    assert other.client.get(LIST).status_code == 403
    assert other.client.get(f"{LIST}{asked['id']}/matches/").status_code == 403


def test_of_a_restricted_record_nothing_is_told(manager: Caller, hospital: Hospital) -> None:
    hospital.admit(hospital.wards[1], restricted=True)
    asked = ask(manager, hospital.wards[1])
    assert (asked["patient"]["restricted"], asked["patient"]["name"]) == (True, None)
    assert (asked["sex"], asked["age"]) == (None, None)


# --- filters, shapes, and hostile callers ---------------------------------------------------------


def test_filters(manager: Caller, hospital: Hospital) -> None:
    first = ask(manager, hospital.emergency, ward="TGH-W1", specialty="cardiology")
    other = ask(manager, hospital.wards[0], ward="TGH-W2")
    bed = hospital.beds(hospital.wards[1])[0].pk
    assert manager.post(f"{LIST}{other['id']}/reserve/", bed=bed)[0] == 200
    for query, keys in (
        ({"kind": "ed_admission"}, [first["id"]]),
        ({"kind": ["ed_admission", "ward_move"]}, [first["id"], other["id"]]),
        ({"specialty": "cardiology"}, [first["id"]]),
        ({"ward": "TGH-W2"}, [other["id"]]),
        ({"waits_for": "move"}, [other["id"]]),
        ({"site": "TGH", "waits_for": "bed"}, [first["id"]]),
    ):
        assert [row["id"] for row in manager.get(LIST, **query)] == keys, query
    for query in ({"kind": "hotel"}, {"ward": "W9"}, {"waits_for": "x"}, {"at": "now"}):
        response = manager.client.get(LIST, query)
        assert (response.status_code, list(response.json()["errors"])) == (400, list(query))
    text = manager.client.get(f"{LIST}?format=csv").content.decode()
    assert text.splitlines()[0].startswith("id,episode,patient_mrn")
    assert "clock_ends_at" in text
    found = manager.client.get(f"{LIST}{first['id']}/matches/?format=csv&limit=2").content.decode()
    assert len(found.splitlines()) == 3


@pytest.mark.parametrize(
    "body",
    [
        {}, {"episode": None}, {"episode": "1"}, {"episode": True}, {"episode": 1.5},
        {"episode": HUGE}, {"episode": -1}, {"episode": [1]}, {"episode": {"id": 1}},
        {"episode": 1, "priority": 9}, {"episode": 1, "priority": [1]},
        {"episode": 1, "note": "x" * 501}, {"episode": 1, "note": "a\x00b"},
        {"episode": 1, "note": "\ud800"}, {"episode": 1, "due_at": "soon"},
        {"episode": 1, "due_at": "0001-01-01T00:00:00+14:00"}, {"episode": 1, "due_at": 5},
        {"episode": 1, "key": "x" * 65}, {"episode": 1, "kind": "admit"}, {"episode": 1, "": 1},
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_by_name(manager: Caller, body: dict[str, Any]) -> None:
    status, problem = manager.post(LIST, **body)
    assert status == 400, problem
    assert problem["errors"]


@pytest.mark.parametrize("body", ["[]", '"x"', "null", "{", '{"a":' * 100_000, '{"bed": 1e400}'])
def test_what_is_no_object_is_refused(manager: Caller, hospital: Hospital, body: str) -> None:
    asked = ask(manager, hospital.emergency)
    manager.client.raise_request_exception = False
    for address in (LIST, MOVES, f"{LIST}{asked['id']}/reserve/"):
        response = manager.client.post(address, body, "application/json")
        assert response.status_code == 400, (address, response.content)


def test_hostile_holding(manager: Caller, hospital: Hospital) -> None:
    asked = ask(manager, hospital.emergency)
    here = f"{LIST}{asked['id']}/reserve/"
    manager.client.raise_request_exception = False
    bed = hospital.beds(hospital.wards[1])[0].pk
    for body in (
        {}, {"bed": HUGE}, {"bed": str(bed)}, {"bed": "1"}, {"bed": 0}, {"bed": None},
        {"bed": bed, "until": "never"}, {"bed": bed, "decided": True}, {"bed": 2**62},
    ):  # fmt: skip
        assert manager.post(here, **body)[0] == 400, body
    assert manager.post(here, bed=bed, until="0001-01-01T00:00:00Z")[0] == 400
    for until in ("2000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        status, problem = manager.post(here, bed=bed, until=until)
        assert (status, problem["type"].rpartition("#")[2]) == (409, "refused"), until
    for key in (HUGE, 2**63, 2**62, 0):
        assert manager.client.get(f"{LIST}{key}/").status_code == 404
        assert manager.client.get(f"{LIST}{key}/matches/").status_code == 404
        assert manager.post(f"{LIST}{key}/release/")[0] == 404
    for query in ("limit=0", "limit=1e9", "suitable=yes", "suitable=true&suitable=false", "x=1"):
        assert manager.client.get(f"{LIST}{asked['id']}/matches/?{query}").status_code == 400
    assert not Reservation.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {"isolation": "tent"}, {"requires": ["gold"]}, {"infections": ["x" * 41]},
        {"infections": ["x"] * 11}, {"infections": "norovirus"}, {"acuity": 4}, {"acuity": HUGE},
        {"wanders": "perhaps"}, {"corridor_groups": [""]}, {"sex": "F"},
    ],
)  # fmt: skip
def test_needs_that_nobody_has(manager: Caller, hospital: Hospital, body: dict[str, Any]) -> None:
    episode = patient_on(hospital.emergency).pk
    assert manager.post(f"/api/v1/episodes/{episode}/needs/", **body)[0] == 400


@pytest.mark.parametrize("body", [{}, {"key": "k1"}, {"occurred_at": None}])
def test_saying_nothing_is_not_saying_that_nothing_is_needed(
    manager: Caller, hospital: Hospital, body: dict[str, Any]
) -> None:
    address = f"/api/v1/episodes/{patient_on(hospital.emergency).pk}/needs/"
    status, problem = manager.post(address, **body)
    assert status == 400
    assert "at least one need" in str(problem["errors"])
    none = manager.client.generic("POST", address, b"", content_type="application/json")
    assert none.status_code == 400, "no body at all"
    assert manager.get(address) == []
    status, said = manager.post(address, falls_risk=False)
    assert (status, said["falls_risk"]) == (201, False), "that it is not so is something"


def test_a_request_whose_place_nobody_said_asks_for_the_site(
    manager: Caller, hospital: Hospital
) -> None:
    asked = ask(manager, hospital.emergency)
    found = matches(manager, asked["id"], site="TGH", limit=3)
    assert (len(found["results"]), found["suitable"] + found["refused"]) == (3, 12)
    assert len(matches(manager, asked["id"], suitable="false")["results"]) == found["refused"]


def queries(caller: Caller, address: str) -> int:
    with CaptureQueriesContext(connection) as taken:
        response = caller.client.get(address)
    assert response.status_code == 200
    return len(taken)


def test_as_many_queries_for_sixty_beds_and_sixty_requests(
    manager: Caller, hospital: Hospital
) -> None:
    asked = ask(manager, hospital.emergency, ward="TGH-W1")
    bed = hospital.beds(hospital.wards[0])[3].pk
    manager.post(f"{LIST}{asked['id']}/reserve/", bed=bed)

    def more(number: int) -> None:
        for fact in [hospital.admit(hospital.emergency) for _ in range(number)]:
            stay = Episode.objects.get(visit__number=fact.visit.number if fact.visit else "")
            requests.ask(
                episode=stay,
                ward=hospital.wards[1],
                terms=Terms(),
                said=Said(timezone.now(), manager.user),
            )

    addresses = [LIST, f"{LIST}{asked['id']}/", f"{LIST}{asked['id']}/matches/?limit=1000"]
    more(9)
    for address in addresses:
        queries(manager, address)  # what a process remembers is read
    few = [queries(manager, address) for address in addresses]
    more(50)
    add_beds(hospital.wards[0], 54, first=6)
    hospital.fill(hospital.wards[0], 30)
    assert len(manager.get(LIST)) >= 60
    assert [queries(manager, address) for address in addresses] == few
    assert few[0] <= 10
    assert few[2] <= 30
    assert len(Site.objects.all()) == 1


def test_answers_have_the_shape_the_document_gives_them(
    manager: Caller, hospital: Hospital
) -> None:
    generator: Any = SchemaGenerator
    schema: dict[str, Any] = generator().get_schema(request=None, public=True)
    asked = ask(manager, hospital.emergency, ward="TGH-W1")
    here, needs = f"{LIST}{asked['id']}", f"/api/v1/episodes/{asked['episode']}/needs/"
    assert manager.post(needs, wanders=True)[0] == 201
    bed = matches(manager, asked["id"])["results"][0]["bed"]
    _, held = manager.post(f"{here}/reserve/", bed=bed)
    _, moved = manager.post(MOVES, kind="transferred", episode=asked["episode"], bed=bed)
    for address, path in (
        (LIST, LIST), (f"{here}/", f"{LIST}{{key}}/"), (needs, "/api/v1/episodes/{key}/needs/"),
        (f"{here}/matches/", f"{LIST}{{key}}/matches/"),
    ):  # fmt: skip
        told = answer_of(schema, path)
        agrees(schema, told, manager.client.get(address).json(), address)
    agrees(schema, answer_of(schema, f"{LIST}{{key}}/reserve/", "post"), held, "reserve")
    made = schema["paths"][MOVES]["post"]["responses"]["201"]["content"]["application/json"]
    agrees(schema, resolved(schema, made["schema"]), moved, "moved")


# --- those who are to come ----------------------------------------------------------------------


def coming(hospital: Hospital, **more: Any) -> dict[str, Any]:
    return {
        "person": {"family_name": "Winter", "date_of_birth": "1947-03-31", "sex": "female"},
        "ward": hospital.wards[1].code,
        "expected_at": (hospital.now + timedelta(hours=2)).isoformat(),
        "method": "12",
        "asked_by": "Clinic",
        **more,
    }


def test_somebody_is_expected_and_comes(hospital: Hospital, manager: Caller) -> None:
    status, made = manager.post(LIST, **coming(hospital, key="c1"))
    assert status == 201, made
    assert (made["kind"], made["ward"]) == ("elective", hospital.wards[1].code)
    assert made["elective"] is True
    assert manager.post(LIST, **coming(hospital, key="c1"))[1]["id"] == made["id"]
    bed = hospital.beds(hospital.wards[1])[0]
    status, came = manager.post(MOVES, kind="admitted", episode=made["episode"], bed=bed.pk)
    assert status == 201, came
    assert came["now"]["bed"] == bed.pk
    status, again = manager.post(MOVES, kind="admitted", episode=made["episode"], bed=bed.pk)
    assert status == 409
    assert "not expected any more" in again["detail"]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"expected_at": None}, "expected_at"),
        ({"ward": ""}, "ward"),
        ({"episode": 1}, "non_field_errors"),
        ({"method": "booked"}, "method"),
        ({"person": {"given_name": "Ada"}}, "person"),
    ],
)
def test_who_is_expected_is_said_wholly(
    hospital: Hospital, manager: Caller, more: dict[str, Any], field: str
) -> None:
    status, answer = manager.post(LIST, **coming(hospital, **more))
    assert status == 400, answer
    assert field in str(answer)
    assert not BedRequest.objects.filter(kind="expected").exists()


def test_expecting_needs_a_role_on_the_ward(hospital: Hospital, nurse: Caller) -> None:
    assert nurse.post(LIST, **coming(hospital))[0] in (400, 403)
    assert not BedRequest.objects.filter(kind="expected").exists()
