"""Corridor care signed off: by whom, until when, for whom it is never acceptable."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Refused
from patients.models import Episode, Patient
from tests.screens.hospital import Hospital, build
from tests.wards.test_races import at_once
from wards.barriers import Said
from wards.care_needs import Needed, say
from wards.corridors import Against, against, last_of, sign_off
from wards.facts import MovementKind, Place
from wards.models import Bed, CorridorSignOff, Occupancy
from wards.waits import retire

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def hospital() -> Hospital:
    """Somebody lies in bed 1 of the first ward, which is a space in a corridor."""
    made = build()
    Bed.objects.filter(ward=made.wards[0], label__in=["1", "2"]).update(features=["corridor"])
    made.fill(made.wards[0], 1)
    return made


@pytest.fixture
def matron() -> User:
    return User.objects.create(username="matron")


def here(hospital: Hospital) -> Occupancy:
    return Occupancy.objects.get(ward=hospital.wards[0], period__contains=timezone.now())


def signed(
    hospital: Hospital,
    by: User,
    *,
    seen: int | None = None,
    at: datetime | None = None,
    **said: str,
) -> CorridorSignOff:
    row, moment = here(hospital), at or timezone.now()
    assert row.bed_id is not None
    return sign_off(
        episode=row.episode_id,
        bed=row.bed_id,
        accountable=said.get("accountable", "Site matron on call"),
        reason=said.get("reason", "No bed until the discharge at noon"),
        review_at=moment + 2 * HOUR,
        seen=seen,
        at=moment,
        by=by,
    )


def test_it_is_signed_off_and_again_when_it_goes_on(hospital: Hospital, matron: User) -> None:
    row, now = here(hospital), timezone.now()
    assert row.bed_id is not None
    place = {row.episode_id: (row.bed_id, row.period.lower)}
    assert last_of(place) == {}
    first = signed(hospital, matron, at=now)
    assert (first.accountable, first.review_at, first.by) == (
        "Site matron on call",
        now + 2 * HOUR,
        matron,
    )
    second = signed(hospital, matron, seen=first.pk, at=now + 3 * HOUR, accountable="Chief nurse")
    assert last_of(place) == {row.episode_id: second}
    # What was signed off before they came here, or for another space, is of no use here.
    assert last_of({row.episode_id: (row.bed_id, now + 4 * HOUR)}) == {}
    assert last_of({row.episode_id: (0, row.period.lower)}) == {}


def test_what_makes_no_sense_is_refused(hospital: Hospital, matron: User) -> None:
    row, now = here(hospital), timezone.now()
    other = hospital.beds(hospital.wards[0])[4].pk
    with pytest.raises(Refused, match="Say who answers for it"):
        signed(hospital, matron, accountable="  ")
    with pytest.raises(Refused, match="Say who answers for it"):
        signed(hospital, matron, reason="")
    assert row.bed_id is not None
    for bed, until, why in (
        (other, now + HOUR, "not in this space any more"),
        (row.bed_id, now, "within 12 hours"),
        (row.bed_id, now + 13 * HOUR, "within 12 hours"),
    ):
        with pytest.raises(Refused, match=why):
            sign_off(
                episode=row.episode_id, bed=bed, accountable="x", reason="y", review_at=until,
                seen=None, at=now, by=matron,
            )  # fmt: skip
    Bed.objects.filter(pk=row.bed_id).update(features=[])
    with pytest.raises(Refused, match="is no corridor"):
        signed(hospital, matron)
    assert not CorridorSignOff.objects.exists()


def test_stale_sight_is_refused_with_who_signed_it(hospital: Hospital, matron: User) -> None:
    first = signed(hospital, matron)
    with pytest.raises(Refused, match="Meanwhile signed off by Site matron on call"):
        signed(hospital, matron)
    with pytest.raises(Refused, match="Meanwhile signed off"):
        signed(hospital, matron, seen=first.pk + 1)


def test_the_groups_known_then_are_kept_with_it(hospital: Hospital, matron: User) -> None:
    row, now = here(hospital), timezone.now()
    key = row.episode_id
    assert against({key: 79}, at=now) == {key: Against((), is_known=False)}
    assert against({key: 17}, at=now) == {key: Against(("child",), is_known=False)}
    assert not signed(hospital, matron).groups_known
    stay = Episode.objects.get(pk=key)
    say(episode=stay, needed=Needed(falls_risk=True), said=Said(now, matron))
    assert against({key: None}, at=timezone.now()) == {key: Against((), is_known=True)}
    needed = Needed(corridor_groups=("news2_over_5", "severe_frailty"))
    say(episode=stay, needed=needed, said=Said(timezone.now(), matron))
    last = CorridorSignOff.objects.get()
    kept = signed(hospital, matron, seen=last.pk)
    assert (kept.groups, kept.groups_known) == (["news2_over_5", "severe_frailty"], True)


def test_a_child_is_known_by_their_age(hospital: Hospital, matron: User) -> None:
    born = timezone.localdate() - timedelta(days=5 * 365)
    Patient.objects.filter(pk=here(hospital).episode.patient_id).update(date_of_birth=born)
    assert signed(hospital, matron).groups == ["child"]


@pytest.mark.parametrize("change", ["accountable = 'x'", "reason = 'x'", "groups = '{}'"])
def test_the_database_lets_nobody_rewrite_it(hospital: Hospital, matron: User, change: str) -> None:
    kept = signed(hospital, matron)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE wards_corridorsignoff SET {change} WHERE id = %s", [kept.pk])
    with pytest.raises(DatabaseError), transaction.atomic():
        CorridorSignOff.objects.filter(pk=kept.pk).delete()
    blank = {"accountable": "", "reason": "x", "review_at": kept.review_at}
    past = {"accountable": "x", "reason": "x", "review_at": kept.occurred_at}
    for wrong in (blank, past):
        with pytest.raises(DatabaseError), transaction.atomic():
            CorridorSignOff.objects.create(
                episode=kept.episode, bed=kept.bed, groups_known=True, by=matron,
                occurred_at=kept.occurred_at, **wrong,
            )  # fmt: skip


def test_it_goes_with_the_stay_when_visits_are_merged(hospital: Hospital, matron: User) -> None:
    kept = signed(hospital, matron)
    hospital.admit(hospital.wards[1])
    heir = Occupancy.objects.get(ward=hospital.wards[1]).episode_id
    Occupancy.objects.filter(episode=kept.episode_id).delete()
    retire([kept.episode_id], {kept.episode_id: [heir]})
    assert CorridorSignOff.objects.get().episode_id == heir


def test_who_has_moved_on_is_not_signed_off_any_more(hospital: Hospital, matron: User) -> None:
    fact = hospital.admit(hospital.beds(hospital.wards[0])[1])
    row = Occupancy.objects.get(bed=hospital.beds(hospital.wards[0])[1])
    hospital.tell(fact, MovementKind.TRANSFERRED, place=Place(hospital.wards[1].pk))
    assert row.bed_id is not None
    with pytest.raises(Refused, match="not in this space any more"):
        sign_off(
            episode=row.episode_id, bed=row.bed_id, accountable="x", reason="y",
            review_at=timezone.now() + HOUR, seen=None, at=timezone.now(), by=matron,
        )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_of_many_who_sign_it_off_at_once_one_is_kept(hospital: Hospital, matron: User) -> None:
    results = at_once([lambda: signed(hospital, matron) for _ in range(8)])
    assert results.count(None) == 1
    assert CorridorSignOff.objects.count() == 1
