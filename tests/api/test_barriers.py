"""Barriers over REST: who sees which, and what may be done about them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Organisation, Team, User
from accounts.roles import Role
from accounts.tokens import TokenScope
from patients.code_loading import built_in, load_codes
from patients.models import Barrier, Code, Episode, EscalationStep
from tests.api.callers import Caller
from tests.screens.hospital import FAMILY, Hospital, build
from wards.barriers import Said, raise_barrier
from wards.rounds import Found, review

pytestmark = pytest.mark.django_db

LIST = "/api/v1/barriers/"


@pytest.fixture
def hospital() -> Hospital:
    load_codes(built_in())
    made = build()
    board = Organisation.objects.create(code="QXX", name="Board", kind="icb")
    Organisation.objects.filter(code="RXX").update(parent=board)
    council = Organisation.objects.create(code="CXX", name="Council", kind="council", parent=board)
    Team.objects.create(organisation=council, code="SW", name="Social work", kind="social_work")
    trust = Organisation.objects.get(code="RXX")
    Team.objects.create(organisation=trust, code="TH", name="Therapies", kind="therapy")
    EscalationStep.objects.create(organisation=trust, level=1, after_hours=0, title="Matron")
    made.fill(made.wards[0], 3)
    return made


def episodes() -> list[Episode]:
    return list(Episode.objects.filter(status="in_hospital").order_by("pk"))


def of(episode: Episode) -> str:
    return f"/api/v1/episodes/{episode.pk}/barriers/"


@pytest.fixture
def nurse(hospital: Hospital) -> Caller:
    return Caller("nurse", Role.WARD_NURSE, ward=hospital.wards[0])


@pytest.fixture
def council(hospital: Hospital) -> Caller:
    return Caller("council", Role.PARTNER, organisation=Organisation.objects.get(code="CXX"))


def test_a_barrier_is_raised_seen_by_its_owner_and_resolved(nurse: Caller, council: Caller) -> None:
    episode = episodes()[0]
    status, made = nurse.post(of(episode), reason="p3-capacity", note="Home named Elm")
    assert status == 201
    assert (made["organisation"], made["team"], made["status"]) == ("CXX", "SW", "open")
    assert [step["kind"] for step in made["steps"]] == ["raised"]
    nurse.post(of(episodes()[1]), reason="therapy-review")
    [seen] = council.get()
    assert seen["id"] == made["id"]
    assert seen["patient"]["name"].startswith(FAMILY.upper())
    assert seen["visit"] is None
    deed = f"{LIST}{made['id']}/"
    assert council.post(f"{deed}contact/", note="Rang the home")[0] == 200
    status, after = council.post(f"{deed}escalate/")
    assert (status, after["level"]) == (200, 1)
    status, after = council.post(f"{deed}resolve/", note="Place from Monday")
    assert (status, after["status"]) == (200, "resolved")
    assert council.get() == []
    assert [b["id"] for b in council.get(status="resolved")] == [made["id"]]
    status, problem = council.post(f"{deed}resolve/")
    assert (status, problem["type"]) == (409, "/api/v1/problems/#refused")
    assert "over already" in problem["detail"]


def test_a_barrier_raised_by_mistake_is_taken_back_with_its_reason(
    nurse: Caller, council: Caller
) -> None:
    episode = episodes()[0]
    _, first = nurse.post(of(episode), reason="p3-capacity")
    _, second = nurse.post(of(episode), reason="transport")
    assert (first["reportable"], second["reportable"]) == (True, False)
    deed = f"{LIST}{first['id']}/take-back/"
    for said in ({}, {"note": ""}, {"note": "  "}):
        status, problem = council.post(deed, **said)
        assert status == 400
        assert list(problem["errors"]) == ["note"]
    status, after = council.post(deed, note="Of the patient in the next bed")
    assert (status, after["status"], after["reportable"]) == (200, "mistaken", False)
    assert after["ended_at"] is not None
    assert [step["kind"] for step in after["steps"]] == ["raised", "mistaken"]
    assert after["steps"][-1]["note"] == "Of the patient in the next bed"
    assert council.get() == []
    [left] = nurse.get()
    assert (left["id"], left["reportable"]) == (second["id"], True)
    assert council.post(deed, note="Again")[0] == 404
    other = Caller("other", Role.READER, everywhere=True)
    deed = f"{LIST}{second['id']}/take-back/"
    assert other.post(deed, note="Not mine")[0] == 403
    assert council.post(deed, note="Not ours")[0] == 404
    assert nurse.post(f"{LIST}{second['id']}/resolve/")[0] == 200
    status, problem = nurse.post(deed, note="Too late")
    assert (status, problem["type"]) == (409, "/api/v1/problems/#refused")


def test_a_partner_sees_no_other_patient_and_does_nothing_else(
    nurse: Caller, council: Caller
) -> None:
    one, other = episodes()[:2]
    nurse.post(of(one), reason="p3-capacity")
    _, hidden = nurse.post(of(other), reason="therapy-review")
    assert council.client.get(of(other)).status_code == 404
    assert council.client.get(f"{LIST}{hidden['id']}/").status_code == 404
    assert council.post(f"{LIST}{hidden['id']}/resolve/")[0] == 404
    assert council.post(of(one), reason="transport")[0] == 404
    reads = (TokenScope.EPISODES_READ, TokenScope.OCCUPANCY_READ, TokenScope.PLACES_READ)
    reader = Caller("r", Role.PARTNER, *reads,
                    organisation=Organisation.objects.get(code="CXX"))  # fmt: skip
    for address in ("episodes", "occupancy", "wards", "beds"):
        assert reader.get(f"/api/v1/{address}/") == []


def test_each_scope_opens_what_it_says(hospital: Hospital, nurse: Caller) -> None:
    reader = Caller("reader", Role.WARD_NURSE, TokenScope.WAITS_READ, ward=hospital.wards[0])
    assert reader.post(of(episodes()[0]), reason="transport")[0] == 403
    other = Caller("other", Role.WARD_NURSE, ward=hospital.wards[1])
    _, made = nurse.post(of(episodes()[0]), reason="transport")
    assert other.get() == []
    assert other.post(f"{LIST}{made['id']}/resolve/")[0] == 404
    observer = Caller("observer", Role.OBSERVER, everywhere=True)
    assert observer.get() == []
    looks = Caller("looks", Role.READER, everywhere=True)
    assert len(looks.get()) == 1
    assert looks.post(f"{LIST}{made['id']}/resolve/")[0] == 403
    assert looks.post(of(episodes()[0]), reason="equipment")[0] == 403


def test_lists_are_filtered(nurse: Caller) -> None:
    one, other, third = episodes()
    review(episode=one, found=Found(criteria=[], pathway=3), said=by(nurse))
    nurse.post(of(one), reason="p3-capacity")
    nurse.post(of(other), reason="therapy-review")
    nurse.post(of(third), reason="medicines-and-letter")
    for query, count in (
        ({"pathway": "3"}, 1), ({"organisation": "CXX"}, 1), ({"team": "TH"}, 1),
        ({"reason": "therapy-review"}, 1), ({"ward": "TGH-W1"}, 3),
        ({"site": "TGH"}, 3), ({"status": "resolved"}, 0),
        ({"reason": ["therapy-review", "p3-capacity"]}, 2),
    ):  # fmt: skip
        assert len(nurse.get(**query)) == count, query
    [p3] = nurse.get(pathway="3")
    assert p3["discharge_ready_at"] is not None
    assert nurse.client.get(LIST, {"status": "odd"}).status_code == 400
    assert nurse.client.get(LIST, {"colour": "red"}).status_code == 400


def test_who_has_a_step_there_may_ask_for_a_ward_out_of_sight(
    nurse: Caller, council: Caller
) -> None:
    there = {"ward": "TGH-W1"}, {"site": "TGH"}
    for query in there:
        assert council.client.get(LIST, query).status_code == 400
    nurse.post(of(episodes()[0]), reason="p3-capacity")
    for query in there:
        assert len(council.get(**query)) == 1
    assert council.client.get(LIST, {"ward": "TGH-W2"}).status_code == 400
    assert council.client.get(LIST, {"ward": ["TGH-W1", "TGH-W2"]}).status_code == 400


def by(caller: Caller) -> Said:
    return Said(timezone.now(), caller.user)


@pytest.mark.django_db(transaction=True)  # what was known when is told by the commits
def test_a_past_moment_shows_what_was_known_then(nurse: Caller) -> None:
    episode = episodes()[0]
    before = timezone.now()
    yesterday = before - timedelta(hours=2)
    status, made = nurse.post(
        of(episode), reason="therapy-review", occurred_at=yesterday.isoformat()
    )
    assert status == 201
    between = timezone.now()
    nurse.post(f"{LIST}{made['id']}/resolve/")
    assert nurse.get(at=before.isoformat()) == [], "nobody had said so"
    assert [b["status"] for b in nurse.get(at=between.isoformat())] == ["open"]
    assert nurse.get() == []
    told_later = nurse.get(
        at=(yesterday + timedelta(hours=1)).isoformat(), known_at=timezone.now().isoformat()
    )
    assert [b["id"] for b in told_later] == [made["id"]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "reason"),
        ({"reason": "nothing"}, "reason"),
        ({"reason": "transport", "team": "ZZ"}, "team"),
        ({"reason": "transport", "organisation": "ZZ"}, "organisation"),
        ({"reason": "transport", "due_at": "soon"}, "due_at"),
        ({"reason": "transport", "colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_used_is_named(nurse: Caller, body: dict[str, str], field: str) -> None:
    status, problem = nurse.post(of(episodes()[0]), **body)
    assert (status, list(problem["errors"])) == (400, [field])
    assert not Barrier.objects.exists()


def test_the_summary_adds_up_and_is_scoped(hospital: Hospital, nurse: Caller) -> None:
    for number, (episode, slug) in enumerate(
        zip(episodes(), ("p3-capacity", "therapy-review", "transport"), strict=True)
    ):
        found = Found(criteria=[], pathway=number)
        review(episode=episode, found=found, said=by(nurse))
        nurse.post(of(episode), reason=slug)
    address = "/api/v1/discharges/summary/"
    told = nurse.client.get(address).json()
    assert told["patients"] == 3
    assert {g["key"]: g["patients"] for g in told["by_pathway"]} == {"0": 1, "1": 1, "2": 1}
    assert {g["key"]: g["patients"] for g in told["by_organisation"]} == {"RXX": 2, "CXX": 1}
    assert told["bed_days_last_week"] is not None
    some = nurse.client.get(address, {"organisation": "CXX"}).json()
    assert (some["patients"], some["bed_days_last_week"]) == (1, None)
    elsewhere = Caller("elsewhere", Role.WARD_NURSE, ward=hospital.wards[1])
    assert elsewhere.client.get(address).json()["patients"] == 0
    csv = nurse.client.get(address, {"format": "csv"}).content.decode()
    assert csv.startswith("group,key,name,patients,bed_days")


def test_a_review_is_recorded_and_what_it_leaves_out_goes_on(nurse: Caller) -> None:
    address = f"/api/v1/episodes/{episodes()[0].pk}/reviews/"
    status, first = nurse.post(
        address, criteria=[], pathway=1, day="red", red_reason="no-plan", key="r1"
    )
    assert (status, first["by"], first["red_reason"]) == (201, "nurse", "no-plan")
    assert nurse.post(address, criteria=["oxygen"], key="r1")[1]["id"] == first["id"]
    status, second = nurse.post(address, medicines="ready")
    assert (second["criteria"], second["pathway"], second["day"]) == ([], 1, "red")
    assert [r["id"] for r in nurse.get(address)] == [second["id"], first["id"]]
    for body, code in (
        ({"criteria": ["breathing"]}, 409), ({"pathway": 7}, 400), ({"red_reason": "x"}, 400),
        ({"colour": 1}, 400), ({"exception": "x", "criteria": ["oxygen"]}, 409),
    ):  # fmt: skip
        assert nurse.post(address, **body)[0] == code, body


def test_the_reviews_of_a_round_carry_its_key(nurse: Caller) -> None:
    address = f"/api/v1/episodes/{episodes()[0].pk}/reviews/"
    of_a_round = "7b1d3a52-9a3c-4a53-9a41-3f6d4c5e8a10"
    status, told = nurse.post(address, criteria=["oxygen"], round=of_a_round)
    assert (status, told["round"]) == (201, of_a_round)
    assert nurse.get(address)[0]["round"] == of_a_round


def test_the_reasons_are_listed(nurse: Caller) -> None:
    reasons = nurse.get("/api/v1/reasons/")
    assert {"delay-reasons-2024", "criteria-to-reside"} <= {r["code_set"] for r in reasons}


def test_a_list_asks_as_often_for_one_as_for_all(hospital: Hospital, nurse: Caller) -> None:
    nurse.post(of(episodes()[0]), reason="transport")

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            nurse.get()
        return len(asked)

    queries()
    few = queries()
    hospital.fill(hospital.wards[1], 6)
    everywhere = User.objects.create(username="all")
    for episode in episodes():
        for slug in ("equipment", "therapy-review"):
            raise_barrier(episode=episode, reason=code(slug), said=Said(timezone.now(), everywhere))
    assert queries() == few <= 6


def code(slug: str) -> Code:
    return Code.objects.select_related("code_set").get(
        slug=slug, code_set__slug="delay-reasons-2024"
    )


def test_who_hands_a_step_on_is_told_that_it_was_handed_on(nurse: Caller, council: Caller) -> None:
    _, made = nurse.post(of(episodes()[0]), reason="p3-capacity")
    status, after = council.post(
        f"{LIST}{made['id']}/reassign/", organisation="RXX", team="TH", note="Ours no more"
    )
    assert (status, after["organisation"], after["team"]) == (200, "RXX", "TH")
    assert [step["kind"] for step in after["steps"]][-1] == "reassigned"
    assert council.get() == []


@pytest.mark.parametrize("number", [2**63, 10**40])
def test_a_number_that_no_row_has_is_not_found(nurse: Caller, number: int) -> None:
    for address in (
        f"{LIST}{number}/",
        f"/api/v1/episodes/{number}/barriers/",
        f"/api/v1/referrals/{number}/",
    ):
        assert nurse.client.get(address).status_code == 404, address
    for deed in ("resolve", "escalate", "reassign", "contact", "take-back"):
        status, _ = nurse.post(f"{LIST}{number}/{deed}/", note="Why")
        assert status == 404, deed


def test_a_moment_at_which_nothing_was_recorded_is_refused(nurse: Caller) -> None:
    """The stays began long before anybody told of them."""
    at = (timezone.now() - timedelta(hours=1)).isoformat()
    for address in (LIST, "/api/v1/discharges/summary/", "/api/v1/referrals/"):
        response = nurse.client.get(address, {"at": at})
        assert response.status_code == 400, address
        assert "Nothing had been recorded by then" in response.json()["errors"]["at"][0]
        now = timezone.now().isoformat()
        assert nurse.client.get(address, {"at": at, "known_at": now}).status_code == 200
