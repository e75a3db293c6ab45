"""What people and feeds do to where patients are: the deeds.

`record` takes what a feed says: it is always kept, and a contradiction is shown on the boards.
The other deeds are done by hand: they either do what was asked or raise `Refused` and change
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.db import OperationalError, connection, transaction
from django.db.models import Max
from psycopg import errors

from accounts.models import User
from accounts.refusals import Refused
from patients import identity
from patients.keys import Details, PersonKey, VisitKey
from patients.models import Episode, Patient
from wards.bed_states import states_at
from wards.facts import Fact, Joined, Moved, MovementKind, Place
from wards.models import Bed, Movement, Occupancy
from wards.recording import Outcome, Recorded, keep, told_again

__all__ = [
    "Outcome",
    "Refused",
    "admit",
    "cancel",
    "discharge",
    "leave",
    "merge",
    "record",
    "return_",
    "swap",
    "told_again",
    "transfer",
    "unmerge",
]

BY_HAND: Final = "web"
_INSTANT: Final = timedelta(microseconds=1)
AHEAD: Final = timedelta(minutes=5)
"""How far ahead of now a movement may be dated by hand: clocks differ, plans are not movements."""
_TRIES: Final = 4
_LONDON: Final = ZoneInfo("Europe/London")
_UNDO: Final = {
    MovementKind.ADMITTED: MovementKind.CANCELLED_ADMIT,
    MovementKind.TRANSFERRED: MovementKind.CANCELLED_TRANSFER,
    MovementKind.DISCHARGED: MovementKind.CANCELLED_DISCHARGE,
    MovementKind.LEFT: MovementKind.CANCELLED_LEAVE,
    MovementKind.RETURNED: MovementKind.CANCELLED_RETURN,
    MovementKind.EXPECTED: MovementKind.CANCELLED_EXPECTED,
    MovementKind.PENDING_ADMIT: MovementKind.CANCELLED_PENDING_ADMIT,
    MovementKind.PENDING_TRANSFER: MovementKind.CANCELLED_PENDING_TRANSFER,
    MovementKind.PENDING_DISCHARGE: MovementKind.CANCELLED_PENDING_DISCHARGE,
}
_PRESENT: Final = (Episode.Status.IN_HOSPITAL, Episode.Status.ON_LEAVE)
T = TypeVar("T")


def record(facts: Sequence[Fact], *, source: str, by: User | None = None) -> list[Outcome]:
    """Keep what a source says and let the stays follow; one outcome for each fact, in order.

    Runs in the caller's transaction or in one of its own.
    """
    return _transacted(lambda: keep(facts, source=source, by=by).outcomes) if facts else []


def _transacted(deed: Callable[[], T]) -> T:
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


def admit(
    *,
    person: PersonKey,
    place: Place,
    at: datetime,
    by: User,
    occurred_at: datetime | None = None,
    visit: VisitKey | None = None,
    details: Details | None = None,
    stay: dict[str, str | None] | None = None,
) -> Episode:
    """Admit somebody to a ward and, where given, a bed. Refused if the bed is not free or they
    are somewhere already."""
    visit = visit or VisitKey("flowboard", f"FB-{uuid4().hex[:10]}")

    def deed() -> Episode:
        record = identity.ensure_patients([person])[person]
        when = _lock_and_date([record], occurred_at, at)
        _check_place(place, when.occurred_at)
        already = Occupancy.objects.filter(
            person__records=record, period__contains=when.occurred_at
        ).select_related("ward")
        if row := already.first():
            raise Refused(
                f"This patient is already on {row.ward.name}. Transfer them from there instead."
            )
        fact = Moved(
            key=uuid4().hex,
            sent_at=when.sent_at,
            person=person,
            details=details or Details(),
            kind=MovementKind.ADMITTED,
            occurred_at=when.occurred_at,
            admitted_at=when.occurred_at,
            visit=visit,
            place=place,
            stay=stay or {},
        )
        done = keep([fact], source=BY_HAND, by=by)
        _check_done(done, {fact.key: place}, when.occurred_at)
        episodes = Episode.objects.filter(pk__in=done.change.episodes[done.visits[fact.key]])
        return episodes.filter(patient__person__records=record).latest("ordinal")

    return _transacted(deed)


def transfer(
    *,
    episode: Episode,
    place: Place,
    at: datetime,
    by: User,
    occurred_at: datetime | None = None,
) -> Movement:
    """Move a patient to another ward or bed."""
    step = _Step(episode, MovementKind.TRANSFERRED, place)
    return _do([step], occurred_at, at, by)[0]


def swap(
    *, one: Episode, other: Episode, at: datetime, by: User, occurred_at: datetime | None = None
) -> list[Movement]:
    """Two patients change places at one moment."""
    if one.pk == other.pk:
        raise Refused("A swap needs two patients.")

    def deed() -> list[Movement]:
        when = _lock_and_date([one.patient_id, other.patient_id], occurred_at, at)
        where = {
            episode: Place(*place)
            for episode, *place in Occupancy.objects.filter(
                episode__in=[one, other], period__contains=when.occurred_at
            ).values_list("episode_id", "ward_id", "bay_id", "wanted_bed_id")
        }
        if len(where) < 2:
            raise Refused("Both patients must be in a place to swap.")
        steps = [
            _Step(one, MovementKind.TRANSFERRED, where[other.pk]),
            _Step(other, MovementKind.TRANSFERRED, where[one.pk]),
        ]
        return _done(steps, when, by, closed_ok=True)

    return _transacted(deed)


def discharge(
    *,
    episode: Episode,
    at: datetime,
    by: User,
    occurred_at: datetime | None = None,
    destination: str = "",
) -> Movement:
    """The patient has physically left; the bed is free from `occurred_at` on."""
    said: dict[str, str | None] = {"discharge_destination": destination} if destination else {}
    step = _Step(episode, MovementKind.DISCHARGED, stay=said)
    return _do([step], occurred_at, at, by)[0]


def leave(
    *, episode: Episode, at: datetime, by: User, occurred_at: datetime | None = None
) -> Movement:
    """The patient goes on leave; the bed stays theirs."""
    return _do([_Step(episode, MovementKind.LEFT)], occurred_at, at, by)[0]


def return_(
    *, episode: Episode, at: datetime, by: User, occurred_at: datetime | None = None
) -> Movement:
    """The patient is back from leave."""
    return _do([_Step(episode, MovementKind.RETURNED)], occurred_at, at, by)[0]


def cancel(*, movement: Movement, at: datetime, by: User) -> Movement:
    """Take a movement back, as if it had not been said. Refused if the bed it would give back
    is somebody else's by now."""
    undo = _UNDO.get(MovementKind(movement.kind))
    if undo is None:
        raise Refused("Only a movement that places, moves or discharges somebody can be undone.")

    def deed() -> Movement:
        when = _lock_and_date([movement.patient_id], None, at)
        if Movement.objects.filter(cancels=movement).exists():
            raise Refused("That has been undone already.")
        fact = Moved(
            key=uuid4().hex,
            sent_at=when.sent_at,
            person=PersonKey(movement.patient.authority, movement.patient.identifier),
            kind=undo,
            occurred_at=when.occurred_at,
            visit=_visit_key(movement.visit.authority, movement.visit.number),
            cancels=movement.pk,
        )
        done = keep([fact], source=BY_HAND, by=by)
        _check_clashes(done, movement.occurred_at)
        return Movement.objects.get(pk=done.movements[fact.key])

    return _transacted(deed)


def merge(*, old: Patient, survivor: Patient, at: datetime, by: User) -> None:
    """Two records are one person; the survivor's details count."""
    _join(old, survivor, at, by, undone=False)


def unmerge(*, old: Patient, survivor: Patient, at: datetime, by: User) -> None:
    """Two records are two people after all; each has its own stays again."""
    _join(old, survivor, at, by, undone=True)


def _join(old: Patient, survivor: Patient, at: datetime, by: User, *, undone: bool) -> None:
    if old.pk == survivor.pk:
        raise Refused("Choose two different records.")
    fact = Joined(
        key=uuid4().hex,
        sent_at=at,
        person=PersonKey(survivor.authority, survivor.identifier),
        other=PersonKey(old.authority, old.identifier),
        undone=undone,
    )
    _transacted(lambda: keep([fact], source=BY_HAND, by=by))


def _visit_key(authority: str, number: str) -> VisitKey | None:
    return VisitKey(authority, number) if number else None


@dataclass(frozen=True, slots=True)
class _Step:
    """What is asked for one patient."""

    episode: Episode
    kind: MovementKind
    place: Place | None = None
    stay: Mapping[str, str | None] = field(default_factory=dict)

    def fact(self, when: _When) -> Moved:
        visit, patient = self.episode.visit, self.episode.patient
        return Moved(
            key=uuid4().hex,
            sent_at=when.sent_at,
            person=PersonKey(patient.authority, patient.identifier),
            kind=self.kind,
            occurred_at=when.occurred_at,
            visit=_visit_key(visit.authority, visit.number),
            place=self.place,
            discharged_at=when.occurred_at if self.kind is MovementKind.DISCHARGED else None,
            stay=self.stay,
        )


@dataclass(frozen=True, slots=True)
class _When:
    occurred_at: datetime
    sent_at: datetime


def _lock_and_date(records: Sequence[int], occurred_at: datetime | None, at: datetime) -> _When:
    """Lock the people, then say when: a deed by hand is always the last thing said of them, and
    without a time of its own it happened after everything that did."""
    if occurred_at is not None and occurred_at > at + AHEAD:
        raise Refused("That time has not come yet. Give the time at which it happened.")
    people = identity.lock_people(records)
    last = Movement.objects.filter(
        visit__in=Movement.objects.filter(patient__in=list(people)).values("visit"),
        occurred_at__lte=at + AHEAD,
    ).aggregate(said=Max("sent_at"), happened=Max("occurred_at"))
    said, happened = last["said"], last["happened"]
    return _When(
        occurred_at=occurred_at or max(at, happened + _INSTANT if happened else at),
        sent_at=max(at, said + _INSTANT if said else at),
    )


def _do(
    steps: Sequence[_Step], occurred_at: datetime | None, at: datetime, by: User
) -> list[Movement]:
    def deed() -> list[Movement]:
        when = _lock_and_date([s.episode.patient_id for s in steps], occurred_at, at)
        return _done(steps, when, by)

    return _transacted(deed)


def _done(
    steps: Sequence[_Step], when: _When, by: User, *, closed_ok: bool = False
) -> list[Movement]:
    """Check, keep, check what came of it; anything not as asked rolls the whole deed back."""
    for step in steps:
        step.episode.refresh_from_db()
        if step.episode.status not in _PRESENT:
            raise Refused("This patient is not in hospital any more. Look at the board again.")
        admitted = step.episode.admitted_at
        if admitted is not None and when.occurred_at < admitted:
            raise Refused(f"That is before the admission, {_clock(admitted)}.")
        if step.place is not None and not closed_ok:
            _check_place(step.place, when.occurred_at)
    facts = [step.fact(when) for step in steps]
    done = keep(facts, source=BY_HAND, by=by)
    _check_done(done, {f.key: f.place for f in facts if f.place}, when.occurred_at)
    made = Movement.objects.in_bulk(list(done.movements.values()))
    return [made[done.movements[fact.key]] for fact in facts]


def _check_place(place: Place, occurred_at: datetime) -> None:
    """Hand-made moves go to beds that are in use and not closed."""
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


def _check_done(done: Recorded, asked: dict[str, Place], occurred_at: datetime) -> None:
    """Whether everybody is now where they were asked to be."""
    _check_clashes(done, occurred_at)
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


def _check_clashes(done: Recorded, since: datetime) -> None:
    """Refuse where somebody would be without the bed that was meant for them."""
    for row in done.change.rows:
        if row.wanted_bed is not None and row.bed is None and row.hi > since:
            raise Refused(_taken(row.wanted_bed, max(row.lo, since)))
    if done.change.displaced:
        beds = [r.bed for r in done.change.rows if r.bed is not None and r.hi > since]
        raise Refused(
            f"{_named(beds[-1])} is taken for part of this time. Choose another bed, or a later "
            "time."
        )


def _named(bed: int) -> str:
    row = Bed.objects.select_related("ward").get(pk=bed)
    return f"Bed {row.label} on {row.ward.name}"


def _taken(bed: int, at: datetime) -> str:
    row = Occupancy.objects.filter(bed=bed, period__contains=at).first()
    since = f", since {_clock(row.period.lower)}" if row is not None else ""
    return (
        f"{_named(bed)} is taken{since}. Choose another bed, or move the patient who is in it "
        "first."
    )


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(_LONDON):%H:%M on %-d %B}"
