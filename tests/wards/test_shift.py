"""A shift: fifty managers and a full feed at once. No bed is given twice, nothing said is lost,
nobody waits for ever, and the boards are right at the end."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db.models import Count
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Refused
from flow.board_types import Sight
from flow.boards_ward import ward_board
from patients.keys import PersonKey, VisitKey
from patients.models import Episode
from tests.wards.hospital import Hospital, build
from tests.wards.test_races import at_once
from wards import held_beds, movements, requests, reservations
from wards.barriers import Said
from wards.facts import Moved, MovementKind
from wards.held_beds import MOVES
from wards.models import Bed, BedRequest, Movement, Occupancy, Reservation, Ward
from wards.requests import Terms

pytestmark = pytest.mark.django_db(transaction=True)

MANAGERS = 50
DEEDS = 4
FEED = 120


def fact(number: int, kind: MovementKind, hospital: Hospital, dice: random.Random) -> Moved:
    """The feed says something of one of its forty patients."""
    now = timezone.now()
    place = dice.choice(hospital.beds)
    return Moved(
        key=f"feed {number}",
        sent_at=now,
        person=PersonKey("RXX", f"F{number % 40}"),
        kind=kind,
        occurred_at=now,
        visit=VisitKey("RXX", f"FV{number % 40}"),
        place=place if kind is not MovementKind.DISCHARGED else None,
        discharged_at=now if kind is MovementKind.DISCHARGED else None,
        admitted_at=now if kind is MovementKind.ADMITTED else None,
    )


def feed(hospital: Hospital) -> Callable[[], object]:
    """A full feed: admissions, moves and discharges, as fast as they are taken."""

    def run() -> None:
        dice = random.Random("feed")
        kinds = (MovementKind.ADMITTED, MovementKind.TRANSFERRED, MovementKind.DISCHARGED)
        for number in range(FEED):
            movements.record([fact(number, dice.choice(kinds), hospital, dice)], source="feed")

    return run


def manager(
    number: int, hospital: Hospital, by: User, done: Counter[str], made: list[str]
) -> Callable[[], object]:
    """Somebody who holds, gives, moves and gives back, of what they see at that moment."""

    def run() -> None:
        dice = random.Random(number)
        for _ in range(DEEDS):
            deed = dice.choice((_ask, _hold, _hold, _give, _move, _release))
            try:
                said = deed(hospital, by, dice, timezone.now())
            except Refused as refusal:
                done["refused" if refusal.reason else "refused without a word"] += 1
            else:
                if said:
                    made.append(said)
                    done[deed.__name__] += 1

    return run


def _ask(hospital: Hospital, by: User, dice: random.Random, at: datetime) -> str:
    stay = dice.choice(list(Episode.objects.present(at=at)[:60]))
    ward = Ward.objects.get(pk=dice.choice(hospital.wards))
    made = requests.ask(episode=stay, ward=ward, terms=Terms(), said=Said(at, by))
    return f"movement {made.key}"


def _hold(hospital: Hospital, by: User, dice: random.Random, at: datetime) -> str:
    return _reserved(hospital, by, dice, at, decided=False)


def _give(hospital: Hospital, by: User, dice: random.Random, at: datetime) -> str:
    return _reserved(hospital, by, dice, at, decided=True)


def _reserved(
    hospital: Hospital, by: User, dice: random.Random, at: datetime, *, decided: bool
) -> str:
    asked = list(BedRequest.objects.filter(kind__in=MOVES, period__contains=at)[:40])
    bed = dice.choice(hospital.beds).bed
    if not asked or bed is None:
        return ""
    row = reservations.reserve(
        request=dice.choice(asked), bed=bed, said=Said(at, by), decided=decided
    )
    return f"reservation {row.pk}"


def _move(hospital: Hospital, by: User, dice: random.Random, at: datetime) -> str:
    stay = dice.choice(list(Episode.objects.present(at=at).select_related("visit", "patient")[:60]))
    place = dice.choice(hospital.beds)
    return f"pk {movements.transfer(episode=stay, place=place, at=at, by=by).pk}"


def _release(_hospital: Hospital, by: User, dice: random.Random, at: datetime) -> str:
    held = list(Reservation.objects.filter(status="held").select_related("episode__patient")[:20])
    if not held:
        return ""
    row = reservations.release(reservation=dice.choice(held), said=Said(at, by))
    return f"reservation {row.pk}"


def test_fifty_managers_and_a_full_feed_at_once() -> None:
    hospital = build(wards=4, beds=12)
    by = User.objects.create_superuser("manager", password="x")
    start = timezone.now() - timedelta(hours=1)
    for number, place in enumerate(hospital.beds[:30]):
        movements.admit(person=PersonKey("RXX", f"P{number}"), place=place, at=start, by=by)
    done: Counter[str] = Counter()
    made: list[str] = []
    results = at_once(
        [feed(hospital), *(manager(n, hospital, by, done, made) for n in range(MANAGERS))]
    )
    # Nobody was stuck, no deadlock came through, nothing but refusals with a reason.
    assert [one for one in results if one is not None] == []
    assert done["refused"] > 0
    assert done["refused without a word"] == 0
    assert sum(done.values()) - done["refused"] > MANAGERS // 5
    _nothing_is_lost(made)
    _no_bed_twice()
    _boards_are_right(hospital)


def _nothing_is_lost(made: list[str]) -> None:
    """Every deed that was answered with success is there, and every message of the feed."""
    assert Movement.objects.filter(source="feed").count() == FEED
    keys = {one.removeprefix("movement ") for one in made if one.startswith("movement ")}
    assert Movement.objects.filter(key__in=keys).count() == len(keys)
    pks = {int(one.removeprefix("pk ")) for one in made if one.startswith("pk ")}
    assert Movement.objects.filter(pk__in=pks).count() == len(pks)
    held = {int(one.split()[1]) for one in made if one.startswith("reservation ")}
    assert Reservation.objects.filter(pk__in=held).count() == len(held)


def _no_bed_twice() -> None:
    now = timezone.now()
    here = Occupancy.objects.filter(period__contains=now)
    for column in ("bed", "person"):
        twice = here.exclude(**{f"{column}__isnull": True}).values(column).annotate(n=Count("pk"))
        assert not twice.filter(n__gt=1).exists(), column
    held_beds.settle(at=now)
    rows = Reservation.objects.filter(status="held", period__contains=now)
    assert rows.count() == rows.values("bed").distinct().count()
    assert rows.count() == rows.values("episode").distinct().count()
    for row in rows:
        # A bed that is held has nobody in it who came after it was.
        came = here.filter(bed=row.bed).exclude(episode=row.episode)
        assert not came.filter(period__startswith__gt=row.period.lower).exists()


def _boards_are_right(hospital: Hospital) -> None:
    """What the boards show is what the occupancies say."""
    now = timezone.now()
    for pk in hospital.wards:
        ward = Ward.objects.select_related("site").get(pk=pk)
        board = ward_board(ward, now=now, sight=Sight(patients=None))
        shown = {
            tile.id: tile.occupant.episode
            for bay in board.bays
            for tile in bay.beds
            if tile.occupant is not None
        }
        beds = Bed.objects.filter(ward=ward)
        true = dict(
            Occupancy.objects.filter(bed__in=beds, period__contains=now).values_list(
                "bed_id", "episode_id"
            )
        )
        assert shown == true
        held = set(
            Reservation.objects.filter(bed__in=beds, period__contains=now).values_list(
                "bed_id", flat=True
            )
        )
        marked = {tile.id for bay in board.bays for tile in bay.beds if tile.held_until}
        assert marked == held
