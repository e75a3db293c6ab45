"""Whose stay was meant where a source that numbers visits left the number out.

Feeds that number visits still send updates, moves and discharges without the number, or with an
account number alone. What is said so belongs to the stay that was open, else to the last one
before it: it never makes a second stay beside a numbered one. Only an admission at another time,
or an announcement, opens a stay of its own.

Pure, and a function of what was said alone, never of the order it arrived in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from wards.facts import MovementKind as Kind
from wards.projection import Claim, Request, Stay
from wards.said import Told, said_order, standing

_SIGHTINGS: Final = frozenset({Kind.OBSERVED, Kind.TRACKED, Kind.TRANSFERRED})
"""What says where somebody is; where no stay was open yet, it belongs to the first that follows."""
_OWN: Final = frozenset(
    {
        Kind.EXPECTED,
        Kind.PENDING_ADMIT,
        Kind.CANCELLED_EXPECTED,
        Kind.CANCELLED_PENDING_ADMIT,
        Kind.DELETED,
    }
)
"""What never speaks of a stay that has begun, and what is too grave to guess whom it means."""


@dataclass(slots=True)
class Numbered:
    """A stay that the source numbered. `stream` says where it is found, `name` under which number,
    `inferred` that nobody told of its admission. `stream` None: one that the source opened
    without a number."""

    stream: int | None
    name: str
    began: datetime
    ended: datetime | None = None
    inferred: bool = False
    claims: Sequence[Claim] = ()
    placed: list[tuple[datetime, int]] = field(default_factory=list)

    @property
    def order(self) -> tuple[datetime, str]:
        """By beginning; what begins together is told apart by its number."""
        return (self.began, self.name)

    def is_open(self, at: datetime) -> bool:
        """Whether it had begun by `at` and not ended before."""
        return self.began <= at and (self.ended is None or at <= self.ended)

    def ward(self, at: datetime) -> int | None:
        """The ward last named up to `at`."""
        told = [(claim.start, claim.place.ward) for claim in self.claims] + self.placed
        known = sorted(place for place in told if place[0] <= at)
        return known[-1][1] if known else None


def belonging(loose: Sequence[Told], stays: Iterable[Numbered]) -> dict[int, int]:
    """Which of the movements said without a number belong to which stream of `stays`; those left
    out are of a stay without a number."""
    heard = standing(loose)
    stands = sorted(heard.standing, key=lambda s: s.happened)
    opened = sorted((replace(stay, placed=[]) for stay in stays), key=lambda s: s.order)
    admissions = {
        s.told.id: s.told
        for s in stands
        if s.kind is Kind.ADMITTED and _same_admission(s.told, opened) is None
    }
    ends = [s.occurred_at for s in stands if s.kind is Kind.DISCHARGED]
    adopted = _adopt(admissions.values(), ends, opened)
    opened += [
        Numbered(None, "", a.occurred_at) for a in admissions.values() if a.id not in adopted
    ]
    opened.sort(key=lambda s: s.order)
    found: dict[int, int | None] = {}
    for s in stands:
        if s.told.id not in found:
            found[s.told.id] = adopted.get(s.told.id) or _stream(s.told, opened, s.told.id)
    for told in sorted(loose, key=lambda m: (m.occurred_at, *said_order(m))):
        if told.id not in found and told.id not in heard.taken_back:
            found[told.id] = _stream(told, opened, None)
    for cancellation, target in heard.taken_back.items():
        found[cancellation] = found.get(target)
    return {pk: stream for pk, stream in found.items() if stream is not None}


def _same_admission(told: Told, stays: Iterable[Numbered]) -> Numbered | None:
    """The numbered stay whose admission `told` tells once more."""
    times = {told.admitted_at, told.occurred_at}
    return next((stay for stay in stays if stay.stream and stay.began in times), None)


def _adopt(
    admissions: Iterable[Told], ends: Sequence[datetime], stays: Sequence[Numbered]
) -> dict[int, int]:
    """The admissions told without a number of stays of which the number was told only later.

    Such a stay then began with that admission.
    """
    adopted: dict[int, int] = {}
    waiting = sorted(admissions, key=lambda m: (m.occurred_at, *said_order(m)))
    before: datetime | None = None
    for stay in stays:
        earlier = [
            told
            for told in waiting
            if told.occurred_at <= stay.began and (before is None or told.occurred_at > before)
        ]
        before = stay.began
        if not stay.inferred or stay.stream is None or not earlier:
            continue
        last = earlier[-1]
        if not any(last.occurred_at <= end < stay.began for end in ends):
            stay.began = last.occurred_at
            adopted[last.id] = stay.stream
    return adopted


def _stream(told: Told, stays: Sequence[Numbered], standing: int | None) -> int | None:
    """The stream of the stay that was meant; None for one without a number.

    `standing`: the movement has not been taken back, and what follows is understood by it.
    """
    if told.kind in _OWN:
        return None
    if told.kind is Kind.ADMITTED:
        same = _same_admission(told, stays)
        return same.stream if same is not None else None
    stay = _meant(told, stays)
    if stay is None:
        return None
    if standing is not None:
        if told.place is not None and told.kind in (*_SIGHTINGS, Kind.RETURNED):
            stay.placed.append((told.occurred_at, told.place.ward))
        end = told.occurred_at if told.kind is Kind.DISCHARGED else told.discharged_at
        if end is not None and (stay.ended is None or end < stay.ended):
            stay.ended = end
    return stay.stream


def _meant(told: Told, stays: Sequence[Numbered]) -> Numbered | None:
    """The stay whose admission is named; else of those open then the last to begin, for an end
    the last on the ward that is left; else the last before, or for a sighting the first after."""
    at = told.occurred_at
    if told.admitted_at is not None:
        named = [stay for stay in stays if stay.began == told.admitted_at]
        if named:
            return named[-1]
    begun = [stay for stay in stays if stay.began <= at]
    open_then = [stay for stay in begun if stay.is_open(at)]
    if told.kind is Kind.DISCHARGED and told.place is not None:
        there = [stay for stay in open_then if stay.ward(at) == told.place.ward]
        open_then = there or open_then
    if not begun:
        is_early = told.kind in _SIGHTINGS and told.admitted_at is None
        return stays[0] if stays and is_early else None
    stay = (open_then or begun)[-1]
    is_another = (
        told.kind in _SIGHTINGS
        and told.admitted_at is not None
        and stay.ended is not None
        and told.admitted_at >= stay.ended
    )
    return None if is_another else stay


def ended_by_the_next(stay: Stay, began: Iterable[datetime]) -> Stay:
    """A stay without a number ends when the source next opens a numbered one, unless its end was
    told. `began`: when those did."""
    start = stay.admitted_at
    if start is None or stay.discharged_at is not None or stay.status == "cancelled":
        return stay
    later = [moment for moment in began if moment > start]
    if not later:
        return stay
    end = min(later)
    return replace(
        stay,
        status="discharged",
        discharged_at=end,
        flags=(*stay.flags, "discharge_inferred"),
        claims=tuple(_cut(stay.claims, end)),
        requests=tuple(_dropped(stay.requests, end)),
    )


def _cut(claims: Iterable[Claim], end: datetime) -> Iterable[Claim]:
    for claim in claims:
        if claim.start < end:
            until = claim.end if claim.end is not None and claim.end < end else end
            yield replace(claim, end=until)


def _dropped(requests: Iterable[Request], end: datetime) -> Iterable[Request]:
    for request in requests:
        if request.since < end:
            until = request.until if request.until is not None and request.until < end else end
            yield replace(request, until=until)
