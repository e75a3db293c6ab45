"""What a patient waits for, in the drawer of the ward board."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from patients.models import Barrier
from tests.screens.hospital import Hospital, signed_in, user
from tests.screens.rounds import Care, care_of, code
from wards.barriers import Said
from wards.rounds import Found, review


@pytest.fixture
def care(hospital: Hospital) -> Care:
    return care_of(hospital)


def address(care: Care, number: int = 0) -> str:
    return f"/beds/{care.hospital.beds(care.hospital.wards[0])[number].pk}/?fragment=1"


def test_a_barrier_is_raised_and_resolved_in_the_drawer(care: Care, nurse: Client) -> None:
    one = care.stays()[0]
    page = nurse.get(address(care)).content.decode()
    assert "nothing recorded" in page
    assert "never" in page
    refused = nurse.post(address(care), {"deed": "raise", "episode_seen": one.pk, "note": "Lift"})
    assert refused.status_code == 422
    assert "Choose what is waited for." in refused.content.decode()
    assert 'value="Lift"' in refused.content.decode()
    body = {"deed": "raise", "episode_seen": one.pk, "reason": code("p3-capacity").pk}
    assert nurse.post(address(care), body).content == b"Raised, with Social work."
    made = Barrier.objects.get()
    assert "Social work" in nurse.get(address(care)).content.decode()
    body = {"deed": "resolve", "episode_seen": one.pk, "barrier": made.pk}
    assert nurse.post(address(care), body).status_code == 200
    assert nurse.post(address(care), body).status_code == 422, "it is over"
    body["episode_seen"] = care.stays()[1].pk
    assert nurse.post(address(care), body).status_code == 409, "somebody else is in the bed"


def test_who_plans_discharges_may_without_moving_patients(care: Care) -> None:
    one = care.stays()[0]
    planner = signed_in(user("planner", Role.DISCHARGE_COORDINATOR, everywhere=True))
    page = planner.get(address(care)).content.decode()
    assert "Raise a barrier" in page
    assert 'value="discharge"' not in page
    body = {"deed": "raise", "episode_seen": one.pk, "reason": code("transport").pk}
    assert planner.post(address(care), body).status_code == 200
    gone = planner.post(address(care), {"deed": "discharge", "episode_seen": one.pk})
    assert gone.status_code == 403
    reader = signed_in(user("reader", Role.READER, everywhere=True))
    page = reader.get(address(care)).content.decode()
    assert "Awaiting patient transport" in page
    assert "Raise a barrier" not in page
    assert reader.post(address(care), body).status_code == 403


def test_the_last_review_stands_in_the_drawer(care: Care, nurse: Client) -> None:
    one = care.stays()[0]
    by = User.objects.get(username="nurse")
    found = Found(criteria=[], pathway=2, day="red", red_reason=code("therapy", "red-day-reasons"),
                  next_step="Stairs", frailty=6, residence="care_home")  # fmt: skip
    review(episode=one, found=found, said=Said(timezone.now(), by))
    page = nurse.get(address(care)).content.decode()
    for words in ("Ready to leave", "rehab bed", "Waiting for therapy", "Stairs", "by Nurse",
                  "6, Living with moderate frailty", "Care home"):  # fmt: skip
        assert words in page, words
    assert f"/rounds/TGH-W1/?site=TGH&amp;patient={one.pk}" in page
    observer = signed_in(user("counts", Role.OBSERVER, everywhere=True))
    assert "moderate frailty" not in observer.get(address(care)).content.decode()


def test_a_past_drawer_tells_what_was_waited_for_then(care: Care, nurse: Client) -> None:
    one = care.stays()[0]
    care.waits(one, "p3-capacity", ago=timedelta(hours=1))
    for hours, told in ((2, False), (0.5, True)):
        at = (timezone.now() - timedelta(hours=hours)).isoformat()
        page = nurse.get(f"{address(care)}&{urlencode({'at': at})}").content.decode()
        assert ("Residential/nursing" in page) is told
        assert 'name="deed"' not in page
