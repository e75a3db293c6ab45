"""What people and feeds do to where patients are: the deeds.

`record` takes what a feed says: it is always kept, and a contradiction is shown on the boards.
The other deeds are done by hand: they either do what was asked or raise `Refused` and change
nothing. Where they take a `key` (of at most 60 characters, unique for what is said), saying the
same again does nothing and returns what had been made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import uuid4

from accounts.models import User
from accounts.refusals import Refused
from patients.keys import PersonKey, VisitKey
from patients.models import Episode, Patient
from wards import held_beds
from wards.admission import admit
from wards.by_hand import (
    AHEAD,
    When,
    check_clashes,
    check_done,
    check_free,
    check_not_held,
    check_place,
    clock,
    lock_and_date,
    lock_wards,
    said_before,
    transacted,
)
from wards.cleaning import after_leaving, after_undoing, beds_of
from wards.expecting import come, expect
from wards.facts import Fact, Joined, Moved, MovementKind, Place
from wards.held_beds import open_request_of
from wards.models import Movement, Occupancy, Override
from wards.newcomers import AlreadyKnown, SameName
from wards.placing import Weighed, check_suits, keep_overrides
from wards.provenance import BY_HAND
from wards.recording import Outcome, keep, told_again
from wards.swapping import weigh_swap

__all__ = [
    "AHEAD",
    "BY_HAND",
    "AlreadyKnown",
    "Outcome",
    "Refused",
    "SameName",
    "admit",
    "cancel",
    "come",
    "discharge",
    "expect",
    "leave",
    "merge",
    "record",
    "return_",
    "still_here",
    "swap",
    "told_again",
    "transfer",
    "unmerge",
]

_EMPTYING: Final = frozenset({MovementKind.TRANSFERRED, MovementKind.DISCHARGED})
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


def record(
    facts: Sequence[Fact], *, source: str, by: User | None = None, known_when_sent: bool = False
) -> list[Outcome]:
    """Keep what a source says and let the stays follow; one outcome for each fact, in order.

    `known_when_sent` as in `wards.recording.keep`. Runs in the caller's transaction or in one of
    its own.
    """
    if not facts:
        return []
    return transacted(
        lambda: keep(facts, source=source, by=by, known_when_sent=known_when_sent).outcomes
    )


def transfer(
    *,
    episode: Episode,
    place: Place,
    at: datetime,
    by: User,
    occurred_at: datetime | None = None,
    reason: str = "",
    key: str = "",
) -> Movement:
    """Move a patient to another ward or bed.

    `reason`: why it is right against rules that may be overridden. Refused where a rule forbids
    the bed (`wards.placing.Unsuitable`), or it is held for somebody else.
    """
    step = _Step(episode, MovementKind.TRANSFERRED, place, key=key)
    return _do(step, occurred_at, at, by, reason)


def swap(
    *,
    one: Episode,
    other: Episode,
    at: datetime,
    by: User,
    occurred_at: datetime | None = None,
    reason: str = "",
    key: str = "",
) -> list[Movement]:
    """Two patients change places at one moment. Refused as `transfer` is."""
    if one.pk == other.pk:
        raise Refused("A swap needs two patients.")

    back = f"{key}-2" if key else ""

    def deed() -> list[Movement]:
        if known := said_before(key):
            return [known, Movement.objects.get(source=BY_HAND, key=back)]
        when = lock_and_date([one.patient_id, other.patient_id], occurred_at, at)
        where = {
            episode: Place(*place)
            for episode, *place in Occupancy.objects.filter(
                episode__in=[one, other], period__contains=when.occurred_at
            ).values_list("episode_id", "ward_id", "bay_id", "wanted_bed_id")
        }
        if len(where) < 2:
            raise Refused("Both patients must be in a place to swap.")
        steps = [
            _Step(one, MovementKind.TRANSFERRED, where[other.pk], key=key),
            _Step(other, MovementKind.TRANSFERRED, where[one.pk], key=back),
        ]
        moves_to = [(one, where[other.pk]), (other, where[one.pk])]
        weighed = weigh_swap(moves_to, when=when, by=by, reason=reason)
        moves = _done(steps, when, by, swapped=True)
        for one_of, move in zip(weighed, moves, strict=True):
            keep_overrides(one_of, deed=Override.Deed.SWAP, at=when.occurred_at, movement=move)
        return moves

    return transacted(deed)


def discharge(
    *,
    episode: Episode,
    at: datetime,
    by: User,
    occurred_at: datetime | None = None,
    destination: str = "",
    key: str = "",
) -> Movement:
    """The patient has physically left; the bed is free from `occurred_at` on."""
    said: dict[str, str | None] = {"discharge_destination": destination} if destination else {}
    step = _Step(episode, MovementKind.DISCHARGED, stay=said, key=key)
    return _do(step, occurred_at, at, by)


def leave(
    *,
    episode: Episode,
    at: datetime,
    by: User,
    occurred_at: datetime | None = None,
    key: str = "",
) -> Movement:
    """The patient goes on leave; the bed stays theirs."""
    return _do(_Step(episode, MovementKind.LEFT, key=key), occurred_at, at, by)


def return_(
    *,
    episode: Episode,
    at: datetime,
    by: User,
    occurred_at: datetime | None = None,
    key: str = "",
) -> Movement:
    """The patient is back from leave."""
    return _do(_Step(episode, MovementKind.RETURNED, key=key), occurred_at, at, by)


def still_here(*, episode: Episode, at: datetime, by: User) -> Movement:
    """Somebody has looked: the patient is where the board has them."""

    def deed() -> Movement:
        when = lock_and_date([episode.patient_id], None, at)
        here = Occupancy.objects.filter(episode=episode, period__contains=when.occurred_at)
        place = here.values_list("ward_id", "bay_id", "wanted_bed_id").first()
        if place is None:
            raise Refused("The board has them nowhere now. Look at it again.")
        fact = _Step(episode, MovementKind.OBSERVED, Place(*place)).fact(when)
        done = keep([fact], source=BY_HAND, by=by)
        return Movement.objects.get(pk=done.movements[fact.key])

    return transacted(deed)


def cancel(*, movement: Movement, at: datetime, by: User) -> Movement:
    """Take a movement back, as if it had not been said; a bed that was held for them until then
    is held again. Refused if the bed it would give back is somebody else's by now, or is held for
    somebody else."""
    undo = _UNDO.get(MovementKind(movement.kind))
    if undo is None:
        raise Refused("Only a movement that places, moves or discharges somebody can be undone.")

    def deed() -> Movement:
        when = lock_and_date([movement.patient_id], None, at)
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
        check_clashes(done, movement.occurred_at)
        _check_given_back(movement.patient.person_id, when)
        held_beds.hold_again(movement, at=when.sent_at, by=by)
        after_undoing(movement, when=when, by=by)
        return Movement.objects.get(pk=done.movements[fact.key])

    return transacted(deed)


def _check_given_back(person: int | None, when: When) -> None:
    """Raise Refused where the bed that somebody is in again has been held for somebody else."""
    here = Occupancy.objects.filter(person=person, period__contains=when.occurred_at)
    bed = here.values_list("bed_id", flat=True).first()
    if bed is not None:
        check_not_held(bed, person=person, at=when.sent_at)


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
    transacted(lambda: keep([fact], source=BY_HAND, by=by))


def _visit_key(authority: str, number: str) -> VisitKey | None:
    return VisitKey(authority, number) if number else None


@dataclass(frozen=True, slots=True)
class _Step:
    """What is asked for one patient."""

    episode: Episode
    kind: MovementKind
    place: Place | None = None
    stay: Mapping[str, str | None] = field(default_factory=dict)
    key: str = ""

    def fact(self, when: When) -> Moved:
        visit, patient = self.episode.visit, self.episode.patient
        return Moved(
            key=self.key or uuid4().hex,
            sent_at=when.sent_at,
            person=PersonKey(patient.authority, patient.identifier),
            kind=self.kind,
            occurred_at=when.occurred_at,
            visit=_visit_key(visit.authority, visit.number),
            place=self.place,
            discharged_at=when.occurred_at if self.kind is MovementKind.DISCHARGED else None,
            stay=self.stay,
        )


def _do(
    step: _Step, occurred_at: datetime | None, at: datetime, by: User, reason: str = ""
) -> Movement:
    def deed() -> Movement:
        if known := said_before(step.key):
            return known
        when = lock_and_date([step.episode.patient_id], occurred_at, at)
        return _done([step], when, by, reason=reason)[0]

    return transacted(deed)


def _done(
    steps: Sequence[_Step],
    when: When,
    by: User,
    *,
    swapped: bool = False,
    reason: str = "",
) -> list[Movement]:
    """Check, keep, check what came of it; anything not as asked rolls the whole deed back.
    `swapped`: the beds are those of one another, and have been weighed.

    Who is moved or leaves may leave a bed behind that needs cleaning (`wards.cleaning`).
    """
    weighed: list[Weighed | None] = []
    for step in steps:
        step.episode.refresh_from_db()
        if step.episode.status_at(when.sent_at) not in Episode.PRESENT:
            raise Refused("This patient is not in hospital any more. Look at the board again.")
        admitted = step.episode.admitted_at
        if admitted is not None and when.occurred_at < admitted:
            raise Refused(f"That is before the admission, {clock(admitted)}.")
        if step.place is None or swapped:
            weighed.append(None)
            continue
        _check_goes_on(step.episode, step.place, when.occurred_at)
        lock_wards([step.place.ward])
        check_place(step.place, when.occurred_at)
        weighed.append(_weigh(step, when, by, reason))
    facts = [step.fact(when) for step in steps]
    leaving = [step.episode.pk for step in steps if step.kind in _EMPTYING]
    beds = beds_of(leaving, at=when.occurred_at) if leaving else {}
    done = keep(facts, source=BY_HAND, by=by)
    check_done(done, {f.key: f.place for f in facts if f.place}, when.occurred_at)
    made = Movement.objects.in_bulk(list(done.movements.values()))
    moves = [made[done.movements[fact.key]] for fact in facts]
    for one, move in zip(weighed, moves, strict=True):
        if one is not None:
            keep_overrides(one, deed=Override.Deed.MOVE, at=when.occurred_at, movement=move)
    left = {
        beds[step.episode.pk]: (step.episode.pk, move)
        for step, move in zip(steps, moves, strict=True)
        if step.episode.pk in beds
    }
    after_leaving(left, when=when, by=by)
    return moves


def _weigh(step: _Step, when: When, by: User, reason: str) -> Weighed | None:
    """Whether the bed is theirs to have by the rules, and by what is held for others."""
    place = step.place
    if place is None or place.bed is None:
        return None
    check_not_held(place.bed, person=step.episode.patient.person_id, at=when.sent_at)
    check_free(place.bed, when.occurred_at, at=when.sent_at)
    return check_suits(
        episode=step.episode,
        place=place,
        at=when.occurred_at,
        by=by,
        reason=reason,
        request=open_request_of(step.episode, at=when.occurred_at),
    )


def _check_goes_on(episode: Episode, place: Place, occurred_at: datetime) -> None:
    """A move leads to another ward or to another bed, and out of a bed only with the ward."""
    here = Occupancy.objects.filter(episode=episode, period__contains=occurred_at)
    ward, bed = here.values_list("ward_id", "bed_id").first() or (None, None)
    if ward != place.ward:
        return
    if place.bed is None:
        raise Refused("They are on this ward already. Choose one of its beds, or another ward.")
    if place.bed == bed:
        raise Refused("They are in this bed already. Choose another one.")
