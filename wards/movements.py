"""What people and feeds do to where patients are: the deeds.

`record` takes what a feed says: it is always kept, and a contradiction is shown on the boards.
The other deeds are done by hand: they either do what was asked or raise `Refused` and change
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.db import OperationalError, connection, transaction
from psycopg import errors

from accounts.models import User
from accounts.refusals import Refused
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
    occurred_at: datetime,
    at: datetime,
    by: User,
    visit: VisitKey | None = None,
    details: Details | None = None,
    stay: dict[str, str | None] | None = None,
) -> Episode:
    """Admit somebody to a ward and, where given, a bed. Refused if the bed is not free or they
    are somewhere already."""
    visit = visit or VisitKey("flowboard", f"FB-{uuid4().hex[:10]}")
    fact = Moved(
        key=uuid4().hex,
        sent_at=at,
        person=person,
        details=details or Details(),
        kind=MovementKind.ADMITTED,
        occurred_at=occurred_at,
        admitted_at=occurred_at,
        visit=visit,
        place=place,
        stay=stay or {},
    )

    def deed() -> Episode:
        _check_time(occurred_at, at)
        _check_place(place, occurred_at)
        already = Occupancy.objects.filter(
            person__records__authority=person.authority,
            person__records__identifier=person.value,
            period__contains=occurred_at,
        ).select_related("ward")
        if row := already.first():
            raise Refused(
                f"This patient is already on {row.ward.name}. Transfer them from there instead."
            )
        done = keep([fact], source=BY_HAND, by=by)
        _check_done(done, {fact.key: place}, occurred_at)
        return Episode.objects.get(pk=done.change.episodes[done.visits[fact.key]][-1])

    return _transacted(deed)


def transfer(
    *, episode: Episode, place: Place, occurred_at: datetime, at: datetime, by: User
) -> Movement:
    """Move a patient to another ward or bed."""
    return _do(
        [_moved(episode, MovementKind.TRANSFERRED, occurred_at, at, place=place)],
        [episode],
        occurred_at,
        at,
        by,
    )[0]


def swap(
    *, one: Episode, other: Episode, occurred_at: datetime, at: datetime, by: User
) -> list[Movement]:
    """Two patients change places at one moment."""
    if one.pk == other.pk:
        raise Refused("A swap needs two patients.")

    def places() -> dict[int, Place]:
        rows = Occupancy.objects.filter(
            episode__in=[one, other], period__contains=occurred_at
        ).values_list("episode_id", "ward_id", "bay_id", "wanted_bed_id")
        return {episode: Place(*where) for episode, *where in rows}

    def deed() -> list[Movement]:
        _lock_people([one, other])
        where = places()
        if len(where) < 2:
            raise Refused("Both patients must be in a place to swap.")
        facts = [
            _moved(one, MovementKind.TRANSFERRED, occurred_at, at, place=where[other.pk]),
            _moved(other, MovementKind.TRANSFERRED, occurred_at, at, place=where[one.pk]),
        ]
        return _done(facts, [one, other], occurred_at, at, by, closed_ok=True)

    return _transacted(deed)


def discharge(
    *, episode: Episode, occurred_at: datetime, at: datetime, by: User, destination: str = ""
) -> Movement:
    """The patient has physically left; the bed is free from `occurred_at` on."""
    stay: dict[str, str | None] = {"discharge_destination": destination} if destination else {}
    fact = _moved(
        episode,
        MovementKind.DISCHARGED,
        occurred_at,
        at,
        discharged_at=occurred_at,
        stay=stay,
    )
    return _do([fact], [episode], occurred_at, at, by)[0]


def leave(*, episode: Episode, occurred_at: datetime, at: datetime, by: User) -> Movement:
    """The patient goes on leave; the bed stays theirs."""
    fact = _moved(episode, MovementKind.LEFT, occurred_at, at)
    return _do([fact], [episode], occurred_at, at, by)[0]


def return_(*, episode: Episode, occurred_at: datetime, at: datetime, by: User) -> Movement:
    """The patient is back from leave."""
    fact = _moved(episode, MovementKind.RETURNED, occurred_at, at)
    return _do([fact], [episode], occurred_at, at, by)[0]


def cancel(*, movement: Movement, at: datetime, by: User) -> Movement:
    """Take a movement back, as if it had not been said. Refused if the bed it would give back
    is somebody else's by now."""
    undo = _UNDO.get(MovementKind(movement.kind))
    if undo is None:
        raise Refused("Only a movement that places, moves or discharges somebody can be undone.")
    fact = Moved(
        key=uuid4().hex,
        sent_at=max(at, movement.sent_at),
        person=PersonKey(movement.patient.authority, movement.patient.identifier),
        kind=undo,
        occurred_at=at,
        visit=_visit_key(movement.visit.authority, movement.visit.number),
        cancels=movement.pk,
    )

    def deed() -> Movement:
        _lock_people_of([movement.patient_id])
        if Movement.objects.filter(cancels=movement).exists():
            raise Refused("That has been undone already.")
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


def _moved(
    episode: Episode,
    kind: MovementKind,
    occurred_at: datetime,
    at: datetime,
    *,
    place: Place | None = None,
    discharged_at: datetime | None = None,
    stay: dict[str, str | None] | None = None,
) -> Moved:
    visit, patient = episode.visit, episode.visit.patient
    return Moved(
        key=uuid4().hex,
        sent_at=at,
        person=PersonKey(patient.authority, patient.identifier),
        kind=kind,
        occurred_at=occurred_at,
        visit=_visit_key(visit.authority, visit.number),
        place=place,
        discharged_at=discharged_at,
        stay=stay or {},
    )


def _do(
    facts: Sequence[Moved],
    episodes: Sequence[Episode],
    occurred_at: datetime,
    at: datetime,
    by: User,
) -> list[Movement]:
    return _transacted(lambda: _done(facts, episodes, occurred_at, at, by))


def _done(
    facts: Sequence[Moved],
    episodes: Sequence[Episode],
    occurred_at: datetime,
    at: datetime,
    by: User,
    *,
    closed_ok: bool = False,
) -> list[Movement]:
    """Check, keep, check what came of it; anything not as asked rolls the whole deed back."""
    _check_time(occurred_at, at)
    _lock_people(episodes)
    for episode in episodes:
        episode.refresh_from_db()
        if episode.status not in _PRESENT:
            raise Refused("This patient is not in hospital any more. Look at the board again.")
        if episode.admitted_at is not None and occurred_at < episode.admitted_at:
            raise Refused(f"That is before the admission, {_clock(episode.admitted_at)}.")
    for fact in facts:
        if fact.place is not None and not closed_ok:
            _check_place(fact.place, occurred_at)
    done = keep(facts, source=BY_HAND, by=by)
    _check_done(done, {f.key: f.place for f in facts if f.place}, occurred_at)
    made = Movement.objects.in_bulk(list(done.movements.values()))
    return [made[done.movements[fact.key]] for fact in facts]


def _lock_people(episodes: Sequence[Episode]) -> None:
    _lock_people_of([episode.patient_id for episode in episodes])


def _lock_people_of(records: Sequence[int]) -> None:
    people = Patient.objects.filter(pk__in=records).values("person_id")
    rows = Patient.objects.filter(person_id__in=people).order_by("pk")
    list(rows.select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))


def _check_time(occurred_at: datetime, at: datetime) -> None:
    if occurred_at > at + AHEAD:
        raise Refused("That time has not come yet. Give the time at which it happened.")


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
        raise Refused(
            "Somebody else was in that bed for part of this time. Give a later time or choose "
            "another bed."
        )


def _taken(bed: int, at: datetime) -> str:
    row = (
        Occupancy.objects.filter(bed=bed, period__contains=at).select_related("bed", "ward").first()
    )
    if row is None:
        place = Bed.objects.select_related("ward").get(pk=bed)
        return f"Bed {place.label} on {place.ward.name} is taken for part of this time."
    since = _clock(row.period.lower) if row.period.lower else ""
    return (
        f"Bed {row.bed} on {row.ward.name} is taken, since {since}. Choose another bed, or move "
        "the patient who is in it first."
    )


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(_LONDON):%H:%M on %-d %B}"
