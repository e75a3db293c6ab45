"""What all deeds by hand share: one transaction, a time of their own, and checks.

A deed by hand does what was asked or raises `Refused` and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from django.db import OperationalError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Max
from psycopg import errors

from accounts.refusals import Refused
from patients import identity
from patients.models import Episode
from wards.bed_states import states_at
from wards.facts import Place
from wards.models import Bed, BedStatus, Movement, Occupancy, Reservation, Ward
from wards.provenance import BY_HAND
from wards.recording import Recorded

AHEAD: Final = timedelta(minutes=5)
"""How far ahead of now a movement may be dated by hand: clocks differ, plans are not movements."""
_INSTANT: Final = timedelta(microseconds=1)
_TRIES: Final = 4
_LONDON: Final = ZoneInfo("Europe/London")
T = TypeVar("T")


def transacted(deed: Callable[[], T]) -> T:
    """Run in one transaction; try again where PostgreSQL broke a deadlock with others.

    Our own locks are ordered; a deadlock can only come from rows that appeared meanwhile (two
    calls making the same records), and then trying again is right.
    """
    for attempt in range(_TRIES):
        try:
            with transaction.atomic():
                return deed()
        except OperationalError as error:
            broken = isinstance(error.__cause__, errors.DeadlockDetected)
            if not broken or connection.in_atomic_block or attempt == _TRIES - 1:
                raise
    raise AssertionError("the last try returns or raises")


@dataclass(frozen=True, slots=True)
class When:
    """When it happened, and when it is said."""

    occurred_at: datetime
    sent_at: datetime


def said_before(key: str) -> Movement | None:
    """The movement that was made by hand under this key; None where there is none, or no key.

    Whoever says the same at the same moment waits here until it is done, so ask before anything
    else is locked.
    """
    if not key:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"said {key}"])
    return Movement.objects.filter(source=BY_HAND, key=key).first()


def refuse_ahead(occurred_at: datetime | None, at: datetime) -> None:
    """Raise Refused for something said to have happened at a time that has not come."""
    if occurred_at is not None and occurred_at > at + AHEAD:
        raise Refused("That time has not come yet. Give the time at which it happened.")


def lock_and_date(records: Sequence[int], occurred_at: datetime | None, at: datetime) -> When:
    """Lock the people, then say when: a deed by hand is always the last thing said of them, and
    without a time of its own it happened after everything that did."""
    refuse_ahead(occurred_at, at)
    people = identity.lock_people(records)
    last = Movement.objects.filter(
        visit__in=Movement.objects.filter(patient__in=list(people)).values("visit"),
        occurred_at__lte=at + AHEAD,
    ).aggregate(said=Max("sent_at"), happened=Max("occurred_at"))
    said, happened = last["said"], last["happened"]
    return When(
        occurred_at=occurred_at or max(at, happened + _INSTANT if happened else at),
        sent_at=max(at, said + _INSTANT if said else at),
    )


def lock_wards(wards: Collection[int]) -> None:
    """Let nobody else give beds of these wards by hand until this transaction is over.

    What the rules say of a bed hangs on who else lies on the ward and for whom its beds are held,
    so whoever weighs a bed holds its ward. People are locked before wards, wards before beds.
    """
    list(
        Ward.objects.select_for_update(no_key=True)
        .filter(pk__in=list(wards))
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def check_place(place: Place, occurred_at: datetime, *, lain_in: bool = True) -> None:
    """Raise Refused where the bed is not in use then, closed or not opened.

    lain_in: somebody is put into it then, not only to have it later; nobody is before a terminal
    clean is done (NHS England, National infection prevention and control manual, 2.3).
    """
    if place.bed is None:
        return
    bed = Bed.objects.select_related("ward").get(pk=place.bed)
    if bed.ward_id != place.ward:
        raise Refused(f"Bed {bed.label} is on {bed.ward.name}. Choose the bed again.")
    state = next(s for s in states_at(at=occurred_at, wards=[bed.ward_id]) if s.bed == bed.pk)
    if not state.in_use:
        raise Refused(f"Bed {bed.label} on {bed.ward.name} is not in use. Choose another bed.")
    if state.is_closed:
        raise Refused(
            f"Bed {bed.label} on {bed.ward.name} is closed. Reopen it or choose another bed."
        )
    if not state.opened:
        raise Refused(
            f"Bed {bed.label} on {bed.ward.name} is an escalation bed that is not open. "
            "Open it or choose another bed."
        )
    if lain_in and state.is_unready and state.level == BedStatus.Level.TERMINAL:
        raise Refused(
            f"Bed {bed.label} on {bed.ward.name} waits for a terminal clean. Choose another bed, "
            "or say on its tile that it is clean once it is."
        )


def check_done(done: Recorded, asked: dict[str, Place], occurred_at: datetime) -> None:
    """Whether everybody is now where they were asked to be."""
    check_clashes(done, occurred_at)
    for key, place in asked.items():
        episodes = set(done.change.episodes.get(done.visits[key], ()))
        if not any(
            row.episode in episodes
            and row.lo <= occurred_at < row.hi
            and row.ward == place.ward
            and (place.bed is None or row.bed == place.bed)
            for row in done.change.rows
        ):
            raise Refused(
                "Something recorded later contradicts this move. Look at the patient's movements."
            )


def check_clashes(done: Recorded, since: datetime) -> None:
    """Refuse where somebody would be without the bed that was meant for them."""
    for row in done.change.rows:
        if row.wanted_bed is not None and row.bed is None and row.hi > since:
            raise Refused(taken(row.wanted_bed, max(row.lo, since)))
    gone = Episode.objects.filter(pk__in=done.change.displaced, admitted_at__lte=since + AHEAD)
    if done.change.displaced and gone.exists():
        beds = [r.bed for r in done.change.rows if r.bed is not None and r.hi > since]
        raise Refused(_taken_in_part(beds[-1]))


def check_free(bed: int, since: datetime, *, at: datetime) -> None:
    """Refuse where somebody is in the bed at the time, or was put into it later.

    Whoever a source only announces for a time after `at` gives way.
    """
    rows = Occupancy.objects.filter(
        bed=bed, period__overlap=DateTimeTZRange(since, None), period__startswith__lte=at + AHEAD
    )
    later = rows.order_by("period").values_list("period", flat=True).first()
    if later is None:
        return
    if later.lower <= since:
        raise Refused(taken(bed, since))
    raise Refused(_taken_in_part(bed))


def check_not_held(bed: int, *, person: int | None, at: datetime) -> None:
    """Raise Refused where the bed is held at `at` for anybody else than `person` (the key of the
    record that stands for them; None: nobody yet known)."""
    row = (
        Reservation.objects.filter(bed=bed, period__contains=at, status=Reservation.Status.HELD)
        .select_related("bed__ward", "episode__patient")
        .first()
    )
    if row is None or (person is not None and row.episode.patient.person_id == person):
        return
    raise Refused(
        f"Bed {row.bed.label} on {row.bed.ward.name} is held for somebody else until "
        f"{clock(row.period.upper)}. Choose another bed, or have that reservation given back."
    )


def _named(bed: int) -> str:
    row = Bed.objects.select_related("ward").get(pk=bed)
    return f"Bed {row.label} on {row.ward.name}"


def _taken_in_part(bed: int) -> str:
    return f"{_named(bed)} is taken for part of this time. Choose another bed, or a later time."


def taken(bed: int, at: datetime) -> str:
    """Says that somebody is in the bed, and what to do."""
    row = Occupancy.objects.filter(bed=bed, period__contains=at).first()
    since = f", since {clock(row.period.lower)}" if row is not None else ""
    return (
        f"{_named(bed)} is taken{since}. Choose another bed, or move the patient who is in it "
        "first."
    )


def clock(moment: datetime) -> str:
    """A moment as refusals write it, in local time."""
    return f"{moment.astimezone(_LONDON):%H:%M on %-d %B}"
