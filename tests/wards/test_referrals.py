"""Asking for a place after hospital, the answer, and getting there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from accounts.models import Organisation
from accounts.refusals import Refused
from patients.keys import PersonKey, VisitKey
from patients.models import Episode
from tests.wards.hospital import minutes
from tests.wards.waiting import System, admission, reason, system
from wards import referrals, rounds
from wards.facts import Moved, MovementKind, Place
from wards.models import Bed, BedRequest, Occupancy, Referral, ReferralStep, Site, Ward
from wards.movements import discharge, record, transfer

pytestmark = pytest.mark.django_db

DECLINE = "decline-reasons"


@dataclass(frozen=True)
class Area:
    """A system with a community hospital of another provider, and a ward of two beds there."""

    care: System
    community: Organisation
    ward: Ward
    beds: list[Bed]

    def asked(self, number: int = 0, at: float = 10) -> Referral:
        return referrals.refer(
            episode=self.care.admitted(number),
            kind="community",
            ward=self.ward,
            said=self.care.said(at),
        )

    def accepted(self, number: int = 0) -> Referral:
        return referrals.accept(
            referral=self.asked(number), starts_at=minutes(120), said=self.care.said(30)
        )


@pytest.fixture
def area() -> Area:
    care = system()
    provider = Organisation.objects.create(code="RYY", name="Community trust", kind="trust")
    site = Site.objects.create(code="COM", name="Cottage", kind="community", organisation=provider)
    ward = Ward.objects.create(site=site, code="C1", name="Elm ward", kind="community")
    beds = [Bed.objects.create(ward=ward, label=label) for label in "12"]
    return Area(care, provider, ward, beds)


def steps(referral: Referral) -> list[str]:
    return list(ReferralStep.objects.filter(referral=referral).values_list("kind", flat=True))


def test_a_place_is_asked_with_the_pathway_of_the_last_review(area: Area) -> None:
    episode = area.care.admitted()
    rounds.review(episode=episode, found={"pathway": 2}, said=area.care.said(5))
    referral = referrals.refer(
        episode=episode, kind="community", ward=area.ward, said=area.care.said(10), key="k1"
    )
    assert (referral.organisation, referral.pathway) == (area.community, 2)
    assert referral.due_at == minutes(10) + timedelta(hours=24)
    again = referrals.refer(
        episode=episode, kind="community", ward=area.ward, said=area.care.said(12), key="k1"
    )
    assert again == referral
    assert steps(referral) == ["asked"]


def test_a_patient_is_accepted_and_moved_to_another_provider(area: Area) -> None:
    referral = area.accepted()
    waiting = BedRequest.objects.get()
    assert (waiting.kind, waiting.ward, waiting.period.upper) == ("transfer", area.ward, None)
    stay = referrals.place(referral=referral, bed=area.beds[0].pk, said=area.care.said(130))
    before = Episode.objects.get(visit__number="V0")
    assert (before.status, before.discharged_at) == ("discharged", minutes(130))
    assert (stay.status, stay.admitted_at) == ("in_hospital", minutes(130))
    assert stay.provider == area.community
    assert stay.patient == before.patient
    there = Occupancy.objects.get(period__upper_inf=True)
    assert (there.ward, there.bed) == (area.ward, area.beds[0])
    referral.refresh_from_db()
    assert (referral.status, referral.period.upper) == ("placed", minutes(130))
    assert steps(referral) == ["asked", "accepted", "placed"]
    waiting.refresh_from_db()
    assert waiting.period.upper == minutes(130)


def test_nobody_is_awaited_twice_whom_a_feed_has_announced(area: Area) -> None:
    referral = area.asked()
    announced = Moved(
        key="A14 of the community's own system",
        sent_at=minutes(20),
        person=PersonKey("T", "P0"),
        kind=MovementKind.PENDING_ADMIT,
        occurred_at=minutes(20),
        visit=VisitKey("T", "C0"),
        wanted_ward=area.ward.pk,
    )
    record([announced], source="community")
    assert BedRequest.objects.get().kind == "admit"
    referrals.accept(referral=referral, starts_at=minutes(120), said=area.care.said(30))
    assert BedRequest.objects.get().kind == "admit"
    referrals.withdraw(referral=referral, said=area.care.said(40), note="Goes home")
    assert BedRequest.objects.get().period.upper is None, "the feed's to take back"


def test_under_the_same_provider_the_stay_goes_on(area: Area) -> None:
    Site.objects.filter(code="COM").update(organisation=area.care.trust)
    area.ward.site.refresh_from_db()
    stay = referrals.place(referral=area.accepted(), bed=area.beds[0].pk, said=area.care.said(130))
    assert stay.visit.number == "V0"
    assert Episode.objects.count() == 1


def test_a_bed_that_is_taken_leaves_everything_as_it_was(area: Area) -> None:
    referral = area.accepted()
    record([admission(9, Place(area.ward.pk, None, area.beds[0].pk), 5)], source="pas")
    with pytest.raises(Refused, match="taken"):
        referrals.place(referral=referral, bed=area.beds[0].pk, said=area.care.said(130))
    referral.refresh_from_db()
    assert referral.status == "accepted"
    assert Episode.objects.get(visit__number="V0").status == "in_hospital"


def test_a_place_declines_with_a_coded_reason_and_another_is_asked(area: Area) -> None:
    referral = area.asked()
    with pytest.raises(Refused, match="no reason to decline"):
        referrals.decline(
            referral=referral, reason=reason("therapy-review"), said=area.care.said(20)
        )
    referrals.decline(
        referral=referral, reason=reason("no-place", DECLINE), said=area.care.said(20)
    )
    with pytest.raises(Refused, match="over already: declined"):
        referrals.accept(referral=referral, starts_at=minutes(60), said=area.care.said(30))
    again = referrals.refer(
        episode=referral.episode, kind="community", ward=area.ward, said=area.care.said(40)
    )
    assert again.status == "asked"


def test_an_accepted_place_given_up_is_awaited_no_more(area: Area) -> None:
    referral = area.accepted()
    with pytest.raises(Refused, match="Say why"):
        referrals.withdraw(referral=referral, note=" ", said=area.care.said(40))
    referrals.withdraw(referral=referral, note="Going home", said=area.care.said(40))
    assert BedRequest.objects.get().period.upper == minutes(40)


def test_one_place_accepts_a_patient_and_nobody_is_asked_twice(area: Area) -> None:
    referral = area.accepted()
    other = referrals.refer(
        episode=referral.episode,
        kind="repatriation",
        organisation=area.care.council,
        said=area.care.said(40),
    )
    with pytest.raises(Refused, match="Another place has accepted"):
        referrals.accept(referral=other, starts_at=minutes(60), said=area.care.said(50))
    with pytest.raises(Refused, match="asked for this patient already"):
        referrals.refer(
            episode=referral.episode, kind="community", ward=area.ward, said=area.care.said(50)
        )
    other.refresh_from_db()
    assert other.status == "asked"


@pytest.mark.parametrize(
    ("kind", "says"), [("virtual", "no place of this kind"), ("hotel", "kind is one of")]
)
def test_a_place_must_fit_its_kind(area: Area, kind: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        referrals.refer(
            episode=area.care.admitted(), kind=kind, ward=area.ward, said=area.care.said(10)
        )


def test_the_clock_closes_what_is_over(area: Area) -> None:
    arrived, left, stays = area.accepted(0), area.asked(1), area.asked(2)
    transfer(
        episode=arrived.episode,
        place=Place(area.ward.pk),
        at=minutes(60),
        by=area.care.nurse,
    )
    discharge(episode=left.episode, at=minutes(60), by=area.care.nurse)
    assert referrals.settle(at=minutes(70)) == 2
    assert referrals.settle(at=minutes(71)) == 0
    found = dict(Referral.objects.values_list("episode__visit__number", "status"))
    assert found == {"V0": "placed", "V1": "withdrawn", "V2": "asked"}
    assert stays.period.upper is None


def test_steps_are_never_edited(area: Area) -> None:
    area.asked()
    with pytest.raises(DatabaseError), transaction.atomic():
        ReferralStep.objects.update(note="otherwise")
