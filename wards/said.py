"""What still stands of what was said of a visit, once cancellations and repeats are matched.

In the order in which the source said things (`sent_at`, then content): a cancellation takes back
the latest movement of its kind that had been said before it, and a repeat of a movement that
still stands is dropped. Arrival plays no part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from patients.keys import VisitKey
from wards.facts import MovementKind as Kind
from wards.facts import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One movement as stored, its places already resolved to the wards they turned out to be."""

    id: int
    kind: Kind
    occurred_at: datetime
    sent_at: datetime
    key: str
    place: Place | None = None
    from_place: Place | None = None
    wanted_ward: int | None = None
    admitted_at: datetime | None = None
    discharged_at: datetime | None = None
    cancels: int | None = None
    source: str = ""
    alias: VisitKey | None = None
    stay: Mapping[str, str | None] = field(default_factory=dict)


TARGETS: Final[Mapping[Kind, frozenset[Kind]]] = {
    Kind.CANCELLED_ADMIT: frozenset({Kind.ADMITTED}),
    Kind.CANCELLED_TRANSFER: frozenset({Kind.TRANSFERRED}),
    Kind.CANCELLED_DISCHARGE: frozenset({Kind.DISCHARGED}),
    Kind.CANCELLED_LEAVE: frozenset({Kind.LEFT}),
    Kind.CANCELLED_RETURN: frozenset({Kind.RETURNED}),
    Kind.CANCELLED_EXPECTED: frozenset({Kind.EXPECTED}),
    Kind.CANCELLED_PENDING_ADMIT: frozenset({Kind.PENDING_ADMIT, Kind.EXPECTED}),
    Kind.CANCELLED_PENDING_TRANSFER: frozenset({Kind.PENDING_TRANSFER}),
    Kind.CANCELLED_PENDING_DISCHARGE: frozenset({Kind.PENDING_DISCHARGE}),
}
PENDING: Final[Mapping[Kind, str]] = {
    Kind.PENDING_ADMIT: "admit",
    Kind.PENDING_TRANSFER: "transfer",
    Kind.PENDING_DISCHARGE: "discharge",
}
ASKED: Final[Mapping[Kind, str]] = {**PENDING, Kind.EXPECTED: "expected"}
"""The kinds of movement that ask for a bed, and the kind of request each makes."""
PLANS: Final = frozenset(ASKED)
"""What somebody meant to happen; called off it stays known, with the time it was."""
_RANK: Final[Mapping[Kind, int]] = {kind: rank for rank, kind in enumerate(Kind)}


@dataclass(slots=True)
class Standing:
    """A movement that has not been taken back. `implied`: a discharge known only from a time.
    `place` is empty once it is known to have been said in error. `misdated`: a discharge dated
    before the admission that it ends; `occurred_at` is then when that was."""

    told: Told
    kind: Kind
    occurred_at: datetime
    place: Place | None = None
    implied: bool = False
    dropped_at: datetime | None = None  # a pending move that was called off
    misdated: bool = False

    @property
    def said(self) -> tuple[datetime, int, str]:
        return (self.told.sent_at, _RANK[self.kind], self.told.key)

    @property
    def happened(self) -> tuple[datetime, datetime, int, str]:
        return (self.occurred_at, *self.said)


def said_order(movement: Told) -> tuple[datetime, int, str]:
    """The order in which the source said things; equal moments are told apart by content."""
    return (movement.sent_at, _RANK[movement.kind], movement.key)


@dataclass(slots=True)
class Heard:
    """What stands after every cancellation has been matched.

    taken_back: the cancellations that found what they cancel (movement → movement).
    """

    standing: list[Standing]
    cancelled_admission: bool
    taken_back: Mapping[int, int]


def standing(movements: Iterable[Told]) -> Heard:
    """Match cancellations and repeats in the order in which the source said them."""
    stands: list[Standing] = []
    called_off = False
    taken_back: dict[int, int] = {}
    dropped: dict[int, Standing] = {}
    for told in sorted(movements, key=said_order):
        kind = told.kind
        if kind is Kind.GIVEN or kind is Kind.JOINED:
            continue
        if kind is Kind.DELETED:
            stands, called_off = [], True
        elif told.cancels in dropped:
            # That a plan was called off is taken back, so the plan stands as before.
            dropped.pop(told.cancels).dropped_at = None
            taken_back.pop(told.cancels)
            taken_back[told.id] = told.cancels
        elif kind in TARGETS:
            target = _cancelled_by(told, stands)
            if target is not None:
                taken_back[told.id] = target.told.id
            if kind is Kind.CANCELLED_ADMIT:
                called_off = True
                stands = [s for s in stands if _outlives_cancelled_admission(s, target)]
            elif kind is Kind.CANCELLED_DISCHARGE:
                stands = [s for s in stands if not _discharged_so(s, target, stands)]
            elif target is not None and target.kind in PLANS:
                target.dropped_at = told.occurred_at
                dropped[told.id] = target
            elif target is not None:
                stands = [s for s in stands if s.told is not target.told]
                _forget_sightings(target, stands)
        elif not any(_repeats(told, s) for s in stands):
            stands.append(Standing(told, kind, told.occurred_at, told.place))
            if told.discharged_at is not None and kind is not Kind.DISCHARGED:
                stands.append(
                    Standing(told, Kind.DISCHARGED, told.discharged_at, told.place, implied=True)
                )
    return Heard([s for s in stands if not _only_vaguer(s, stands)], called_off, taken_back)


def _only_vaguer(s: Standing, stands: Iterable[Standing]) -> bool:
    """Whether `s` is a discharge implied by a date, of which the real one is known."""
    until = s.told.stay.get("discharged_until")
    return (
        s.implied
        and until is not None
        and any(
            not other.implied
            and other.kind is Kind.DISCHARGED
            and s.occurred_at <= other.occurred_at < datetime.fromisoformat(until)
            for other in stands
        )
    )


def _forget_sightings(cancelled: Standing, stands: Iterable[Standing]) -> None:
    """What a source said it saw, while it believed what it has now taken back, goes with it."""
    if cancelled.place is None:
        return
    for s in stands:
        if (
            s.kind in (Kind.OBSERVED, Kind.TRACKED)
            and s.told.source == cancelled.told.source
            and s.said > cancelled.said
            and s.place is not None
            and agrees(s.place, cancelled.place)
        ):
            s.place = None


def _cancelled_by(told: Told, stands: Sequence[Standing]) -> Standing | None:
    """The movement that `told` takes back: the one it names, else one at its very time, else
    the latest of its kind."""
    if told.cancels is not None:
        return next((s for s in stands if s.told.id == told.cancels and not s.implied), None)
    candidates = [
        s for s in stands if s.kind in TARGETS[told.kind] and not s.implied and s.dropped_at is None
    ]
    # A pending admission that is called off is an announcement only where there is no other.
    candidates = [s for s in candidates if s.kind is not Kind.EXPECTED] or candidates
    for candidate in reversed(candidates):
        if candidate.occurred_at == told.occurred_at:
            return candidate
    return candidates[-1] if candidates else None


def _discharged_so(s: Standing, target: Standing | None, stands: Iterable[Standing]) -> bool:
    """Whether `s` is a discharge that goes with `target`, the one taken back: an amended time of
    it that the same source gave before, or one known from a date alone. A discharge of an earlier
    stay of the visit, and what another source said, stand."""
    if s.kind is not Kind.DISCHARGED:
        return False
    if s is target or s.implied:
        return True
    if target is None or s.told.source != target.told.source:
        return False
    return not any(
        other.kind is Kind.ADMITTED and s.occurred_at < other.occurred_at <= target.occurred_at
        for other in stands
    )


def _outlives_cancelled_admission(s: Standing, target: Standing | None) -> bool:
    """Whether what was said before an admission was cancelled still counts after it.

    Only what lies before that admission does: an earlier stay of the same visit.
    """
    return target is not None and s.happened < target.happened


def _repeats(told: Told, s: Standing) -> bool:
    return (
        not s.implied
        and s.dropped_at is None
        and s.kind is told.kind
        and s.occurred_at == told.occurred_at
        and s.told.place == told.place
        and s.told.wanted_ward == told.wanted_ward
        and s.told.admitted_at == told.admitted_at
        and s.told.discharged_at == told.discharged_at
        and s.told.stay == told.stay
    )


def agrees(seen: Place, known: Place) -> bool:
    """Whether a sighting says nothing other than what is known; it may say less."""
    return (
        seen.ward == known.ward
        and (seen.bay is None or seen.bay == known.bay)
        and (seen.bed is None or seen.bed == known.bed)
    )
