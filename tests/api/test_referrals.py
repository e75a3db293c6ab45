"""Places after hospital over REST: who sees, who asks, who answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Organisation
from accounts.roles import Role
from accounts.tokens import TokenScope
from patients.code_loading import built_in, load_codes
from patients.models import Episode
from tests.api.callers import Caller
from tests.screens.hospital import Hospital, build
from wards.barriers import Said
from wards.models import Bed, Site, Ward
from wards.referrals import refer

pytestmark = pytest.mark.django_db

LIST = "/api/v1/referrals/"
RECEIVING = "/api/v1/receiving/"


@pytest.fixture
def hospital() -> Hospital:
    load_codes(built_in())
    made = build()
    made.fill(made.wards[0], 3)
    provider = Organisation.objects.create(code="RYY", name="Community trust", kind="trust")
    site = Site.objects.create(code="COM", name="Cottage", kind="community", organisation=provider)
    ward = Ward.objects.create(site=site, code="C1", name="Elm ward", kind="community")
    for label in "123":
        Bed.objects.create(ward=ward, label=label)
    return made


@pytest.fixture
def nurse(hospital: Hospital) -> Caller:
    return Caller("nurse", Role.WARD_NURSE, ward=hospital.wards[0])


@pytest.fixture
def community(hospital: Hospital) -> Caller:
    return Caller("community", Role.PARTNER, organisation=Organisation.objects.get(code="RYY"))


def episodes() -> list[Episode]:
    return list(Episode.objects.filter(status="in_hospital").order_by("pk"))


def asked(nurse: Caller, number: int = 0, **more: Any) -> dict[str, Any]:
    status, answer = nurse.post(
        LIST, episode=episodes()[number].pk, kind="community", ward="C1", **more
    )
    assert status == 201, answer
    return answer


def test_a_place_is_asked_accepts_and_the_patient_is_moved(
    nurse: Caller, community: Caller
) -> None:
    one = asked(nurse, needs="Two to transfer", pathway=2)
    [seen] = community.get(LIST)
    assert (seen["id"], seen["needs"], seen["visit"]) == (one["id"], "Two to transfer", None)
    assert seen["patient"]["name"]
    start = (timezone.now() + timedelta(hours=3)).isoformat()
    status, answer = community.post(f"{LIST}{one['id']}/accept/", starts_at=start)
    assert (status, answer["status"]) == (200, "accepted")
    [place] = community.get(RECEIVING)
    assert (place["beds_available"], place["accepted"], place["left"]) == (3, 1, 2)
    status, answer = community.post(f"{LIST}{one['id']}/place/", bed="2")
    assert (status, answer["status"]) == (200, "placed")
    assert [step["kind"] for step in answer["steps"]] == ["asked", "accepted", "placed"]
    assert answer["ward"] is None
    stay = Episode.objects.get(status="in_hospital", provider__code="RYY")
    assert stay.occupancies.get().bed == Bed.objects.get(ward__code="C1", label="2")


def test_a_refusal_names_its_reason_and_what_is_known(nurse: Caller, community: Caller) -> None:
    one = asked(nurse)
    status, answer = community.post(f"{LIST}{one['id']}/decline/", reason="because")
    assert (status, answer["type"].rsplit("/", 1)[-1]) == (
        400,
        "invalid-parameter",
    ) or status == 400
    status, answer = community.post(f"{LIST}{one['id']}/decline/", reason="no-place", note="Full")
    assert (status, answer["status"], answer["reason"]) == (200, "declined", "no-place")
    status, answer = community.post(f"{LIST}{one['id']}/decline/", reason="no-place")
    assert (status, answer["detail"]) == (409, "This is over already: declined.")
    assert nurse.get(LIST) == []
    assert [row["id"] for row in nurse.get(LIST, status="declined")] == [one["id"]]


def test_only_who_was_asked_answers_and_only_who_asked_takes_back(
    nurse: Caller, community: Caller, hospital: Hospital
) -> None:
    one = asked(nurse)
    start = timezone.now().isoformat()
    assert nurse.post(f"{LIST}{one['id']}/accept/", starts_at=start)[0] == 403
    assert community.post(f"{LIST}{one['id']}/withdraw/", note="No")[0] in (403, 404)
    other = Caller("other", Role.WARD_NURSE, ward=hospital.wards[1])
    assert other.get(LIST) == []
    assert other.post(f"{LIST}{one['id']}/withdraw/", note="No")[0] == 404
    assert other.post(LIST, episode=one["episode"], kind="community", ward="C1")[0] == 404
    stranger = Caller("counts", Role.OBSERVER, ward=hospital.wards[0])
    assert stranger.client.get(RECEIVING).status_code == 403
    reading = Caller("reading", Role.WARD_NURSE, TokenScope.WAITS_READ, ward=hospital.wards[0])
    assert reading.post(LIST, episode=one["episode"], kind="community", ward="C1")[0] == 403
    assert nurse.post(f"{LIST}{one['id']}/withdraw/", note="Going home")[1]["status"] == "withdrawn"


def test_those_asked_see_nothing_but_what_they_were_asked(nurse: Caller, community: Caller) -> None:
    one = asked(nurse)
    asked(nurse, 1)
    assert len(community.get(LIST)) == 2
    assert community.client.get(f"/api/v1/episodes/{one['episode']}/").status_code in (403, 404)
    outside = Caller(
        "outside",
        Role.PARTNER,
        organisation=Organisation.objects.create(code="CXX", name="Council", kind="council"),
    )
    assert outside.get(LIST) == []
    assert outside.client.get(f"{LIST}{one['id']}/").status_code == 404


def test_filters_name_what_is_there_and_may_be_asked(
    nurse: Caller, community: Caller, hospital: Hospital
) -> None:
    outside = Organisation.objects.create(code="CXX", name="Council", kind="council")
    stranger = Caller("outside", Role.OBSERVER, ward=hospital.wards[1])
    assert nurse.get(LIST, to_ward="C1") == [], "a place that may be asked"
    assert nurse.get(LIST, organisation=outside.code) == []
    assert community.client.get(LIST, {"ward": "TGH-W1"}).status_code == 400
    asked(nurse)
    assert len(community.get(LIST, ward="TGH-W1", site="TGH", to_ward="C1")) == 1
    for caller, query in (
        (nurse, {"to_ward": "C9"}), (nurse, {"organisation": "R99"}), (nurse, {"site": "NOWHERE"}),
        (nurse, {"ward": "TGH-W2"}), (community, {"ward": "TGH-W2"}), (stranger, {"to_ward": "C1"}),
    ):  # fmt: skip
        response = caller.client.get(LIST, query)
        assert response.status_code == 400, query
        assert list(response.json()["errors"]) == list(query)


def test_the_past_answers_with_what_stood_then(nurse: Caller, community: Caller) -> None:
    one = asked(nurse)
    between = timezone.now()
    community.post(f"{LIST}{one['id']}/accept/", starts_at=timezone.now().isoformat())
    assert nurse.get(LIST)[0]["status"] == "accepted"
    assert nurse.get(LIST, at=between.isoformat())[0]["status"] == "asked"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"kind": "community", "ward": "C9"}, "There is no ward C9."),
        ({"kind": "repatriation", "organisation": "R99"}, "There is no organisation R99."),
        ({"kind": "hotel", "ward": "C1"}, "not a valid choice"),
    ],
)
def test_what_does_not_exist_is_named(nurse: Caller, body: dict[str, str], says: str) -> None:
    status, answer = nurse.post(LIST, episode=episodes()[0].pk, **body)
    assert status == 400
    assert says in str(answer)


def test_a_list_takes_as_many_queries_for_one_as_for_many(
    nurse: Caller, hospital: Hospital
) -> None:
    asked(nurse)
    with CaptureQueriesContext(connection) as few:
        nurse.get(LIST)
    hospital.fill(hospital.wards[0], 20)
    for episode in Episode.objects.filter(status="in_hospital", referrals=None):
        refer(
            episode=episode,
            kind="community",
            ward=Ward.objects.get(code="C1"),
            said=Said(timezone.now(), nurse.user),
        )
    with CaptureQueriesContext(connection) as many:
        assert len(nurse.get(LIST)) > 6
    assert len(many) == len(few)
