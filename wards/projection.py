"""What the movements of one visit add up to: its stays, and where each was when.

A pure function of the set of movements: whatever order they arrive in, however often, the
result is the same. Two orders are used and both come from the source, never from arrival:

- *what was said when* (`sent_at`, `key`): in this order a cancellation takes back the latest
  movement of its kind that had been said before it, and a repeat of a movement that still
  stands is dropped;
- *what happened when* (`occurred_at`, then the first order): in this order the movements that
  still stand move the patient.

A sighting moves a patient only against a place that the same source had named before the
sighting was sent: an update sent at 10:00 knows nothing of a 09:00 transfer that was typed in
at 11:00.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from wards.facts import MovementKind as Kind
from wards.facts import Place
from wards.said import ASKED, PENDING, PLANS, Standing, Told, agrees, said_order, standing

SHARED_NUMBER: Final = "visit_number_shared"
"""Flag of a stay: another patient is in hospital under the same visit number."""
RESUMED: Final = "resumed"
"""Flag of a stay: a later one of the same person ended, and nobody told of the end of this."""
MOVED_AFTER: Final = "moved_after_discharge"
"""Flag of a stay: its source moved the patient after it had said that they had left."""
DISPUTED_END: Final = "discharge_disputed"
"""Flag of a stay: another source took the discharge back than the one that told of it."""
MISDATED_END: Final = "discharge_before_admission"
"""Flag of a stay: its discharge was dated before its admission."""
EARLY_MOVE: Final = "moved_before_admission"
"""Flag of a stay: its first move was dated before its admission."""
_MOVES: Final = frozenset({Kind.TRANSFERRED, Kind.LEFT, Kind.RETURNED})
_TAKES_OVER: Final = frozenset({Kind.PENDING_ADMIT, Kind.PENDING_TRANSFER})
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_BED_NEEDED: Final = _TAKES_OVER | {Kind.EXPECTED}


@dataclass(frozen=True, slots=True)
class Claim:
    """The source puts the patient at `place` for `[start, end)`; `end` None means until now.

    `inferred` marks a start that nobody told us (a sighting, or a place named only at the end).
    """

    start: datetime
    end: datetime | None
    place: Place
    key: str
    sent_at: datetime
    on_leave: bool = False
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """A pending move: `kind` is admit, transfer, discharge or expected; `[since, until)`."""

    kind: str
    since: datetime
    until: datetime | None
    from_ward: int | None
    ward: int | None
    key: str


@dataclass(frozen=True, slots=True)
class Stay:
    """One episode: see `patients.models.Episode` for the words. `heard_of`: the latest time of
    which something was said of it but its end."""

    status: str
    admitted_at: datetime | None
    discharged_at: datetime | None
    details: Mapping[str, str]
    flags: tuple[str, ...]
    claims: tuple[Claim, ...]
    requests: tuple[Request, ...]
    heard_of: datetime | None = None


def project(movements: Sequence[Told], *, nameless: bool = False) -> list[Stay]:
    """The stays of one visit, in time order.

    `nameless`: the source sent no visit number, so that a second admission is a new stay even
    where the discharge of the first never came.
    """
    heard = standing(movements)
    if not heard.standing:
        return [_cancelled(movements)] if heard.cancelled_admission else []
    if not nameless:
        _date_ends(heard.standing)
    builders = _walk(sorted(heard.standing, key=lambda s: s.happened), nameless=nameless)
    if builders and (end := builders[-1].discharged) is not None:
        builders[-1].is_disputed = any(
            m.kind is Kind.CANCELLED_DISCHARGE
            and m.source != end.told.source
            and m.cancels is None
            and said_order(m) > end.said
            for m in movements
        )
    stays = [b.stay() for b in builders if b.is_a_stay or not heard.cancelled_admission]
    return stays or [_cancelled(movements)]


def _date_ends(stands: Iterable[Standing]) -> None:
    """Let a discharge that is dated before the admission it ends come right after it.

    Clocks differ: what the source said last counts, not which of two times is the smaller. A
    discharge that names an earlier admission of its own is of an earlier stay, told late.
    """
    admissions = sorted((s for s in stands if s.kind is Kind.ADMITTED), key=lambda s: s.said)
    for s in stands:
        if s.kind is not Kind.DISCHARGED or s.implied:
            continue
        before = [a for a in admissions if a.said < s.said]
        if not before or any(a.occurred_at <= s.occurred_at for a in before):
            continue
        named, last = s.told.admitted_at, before[-1]
        is_earlier = named is not None and named <= s.occurred_at
        if is_earlier and named not in (last.told.admitted_at, last.occurred_at):
            continue
        s.occurred_at, s.misdated = last.occurred_at, True


def _cancelled(movements: Sequence[Told]) -> Stay:
    ordered = sorted(movements, key=said_order)
    admitted = [m.admitted_at for m in ordered if m.admitted_at]
    return Stay(
        status="cancelled",
        admitted_at=admitted[-1] if admitted else None,
        discharged_at=None,
        details=_folded(ordered),
        flags=(),
        claims=(),
        requests=(),
    )


def _folded(ordered: Iterable[Told]) -> dict[str, str]:
    """Details of a stay: for each, the latest said wins; None takes it back."""
    details: dict[str, str | None] = {}
    for told in ordered:
        details.update(told.stay)
    return {name: value for name, value in details.items() if value is not None}


def _last(said: Iterable[tuple[datetime | None, str | None]]) -> datetime | None:
    """The time last said; one said by the day or the hour (it has an end) does not replace a
    time within it that was said exactly."""
    time: datetime | None = None
    for at, until in said:
        if at is None or time is None or until is None:
            time = at or time
        elif not at <= time < datetime.fromisoformat(until):
            time = at
    return time


@dataclass(slots=True)
class _Spot:
    """One step of the way: from `at` on, the patient was here."""

    at: datetime
    place: Place
    by: Standing
    on_leave: bool
    inferred: bool


@dataclass(slots=True)
class _Builder:
    """One stay while it is being walked through."""

    members: list[Standing] = field(default_factory=list)
    spots: list[_Spot] = field(default_factory=list)
    admitted: Standing | None = None
    discharged: Standing | None = None
    ended_by: datetime | None = None  # the next stay began and no discharge was heard of
    on_leave: bool = False
    expected_only: bool = True
    is_a_stay: bool = False  # holds more than sightings
    after: list[Standing] = field(default_factory=list)  # moves dated after the discharge
    is_disputed: bool = False

    @property
    def place(self) -> Place | None:
        return self.spots[-1].place if self.spots else None

    def put(self, s: Standing, place: Place, *, inferred: bool = False) -> None:
        self.spots.append(_Spot(s.occurred_at, place, s, self.on_leave, inferred))

    @property
    def admitted_at(self) -> datetime:
        """The time the source last gave, else that of the admission, else the first we know."""
        said = [
            (m.told.admitted_at, m.told.stay.get("admitted_until"))
            for m in sorted(self.members, key=lambda m: m.said)
            if m.told.admitted_at
        ]
        return _last(said) or (self.admitted or self.members[0]).occurred_at

    @property
    def ends_at(self) -> datetime | None:
        if self.discharged is None:
            return self.ended_by
        said = [
            (m.told.discharged_at, m.told.stay.get("discharged_until"))
            for m in sorted(self.members, key=lambda m: m.said)
            if m.told.discharged_at and m.said >= self.discharged.said
        ]
        own = self.discharged.told.occurred_at if self.discharged.misdated else None
        return max(_last(said) or own or self.discharged.occurred_at, self.admitted_at)

    def stay(self) -> Stay:
        ordered = sorted({m.told.id: m.told for m in self.members}.values(), key=said_order)
        if self.expected_only:
            plans = [m for m in self.members if m.kind in PLANS]
            called_off = plans and all(m.dropped_at for m in plans)
            status, start, end = "cancelled" if called_off else "expected", None, None
        else:
            start, end = self.admitted_at, self.ends_at
            status = "discharged" if end else "on_leave" if self.on_leave else "in_hospital"
        flags = []
        if self.admitted is None and not self.expected_only:
            flags.append("admission_inferred")
        if self.ended_by is not None and self.discharged is None:
            flags.append("discharge_inferred")
        flags += self._doubts(end)
        return Stay(
            status=status,
            admitted_at=start,
            discharged_at=end,
            details=_folded(ordered),
            flags=tuple(flags),
            claims=() if start is None else tuple(_claims(self.spots, start, end)),
            requests=tuple(_requests(self)),
            heard_of=max(
                (m.occurred_at for m in self.members if m.kind is not Kind.DISCHARGED),
                default=None,
            ),
        )

    def _doubts(self, end: datetime | None) -> Iterable[str]:
        """Flags for times that contradict each other."""
        first = self.spots[0].by if self.spots else None
        if self.discharged is not None and self.discharged.misdated:
            yield MISDATED_END
        if self.is_disputed:
            yield DISPUTED_END
        if end and any(s.occurred_at > end and s.said > self.discharged_said for s in self.after):
            yield MOVED_AFTER
        began = self.admitted.occurred_at if self.admitted else None
        # At the very moment of the admission, a move puts right where that was.
        if began and first and first.kind is Kind.TRANSFERRED and first.occurred_at < began:
            yield EARLY_MOVE

    @property
    def discharged_said(self) -> tuple[datetime, int, str]:
        """The place of the discharge in the order in which things were said."""
        assert self.discharged is not None, "only of a stay that has ended"
        return self.discharged.said


def _walk(ordered: Sequence[Standing], *, nameless: bool) -> list[_Builder]:
    builders: list[_Builder] = []
    for s in ordered:
        open_stay = builders[-1] if builders else None
        if open_stay is None or _begins_another(s, open_stay, nameless=nameless):
            if open_stay is not None and open_stay.discharged is None:
                open_stay.ended_by = s.occurred_at
            open_stay = _Builder()
            builders.append(open_stay)
        open_stay.members.append(s)
        _step(open_stay, s)
    return builders


def _begins_another(s: Standing, current: _Builder, *, nameless: bool) -> bool:
    """Whether `s` opens a new stay of the same visit."""
    if current.expected_only:
        return False
    if current.discharged is None:
        return nameless and s.kind is Kind.ADMITTED and s.told.admitted_at != current.admitted_at
    if s.kind is Kind.ADMITTED or s.kind is Kind.EXPECTED or s.kind is Kind.PENDING_ADMIT:
        return s.occurred_at >= current.discharged.occurred_at
    ended = current.ends_at
    return bool(
        s.kind in (Kind.TRANSFERRED, Kind.OBSERVED, Kind.TRACKED)
        and s.told.admitted_at
        and ended
        and s.told.admitted_at >= ended
    )


def _step(b: _Builder, s: Standing) -> None:
    """Let one movement act on the stay it belongs to."""
    kind, place = s.kind, s.place
    if kind not in (Kind.OBSERVED, Kind.TRACKED):
        b.is_a_stay = True
    if kind is Kind.DISCHARGED:
        b.expected_only = False
        _discharge(b, s)
        return
    if kind is Kind.EXPECTED or kind is Kind.PENDING_ADMIT:
        return
    b.expected_only = False
    if kind in PENDING:
        return
    if b.discharged is not None:
        if kind in _MOVES:
            b.after.append(s)
        return  # said of a stay that was over; its details still count
    if kind is Kind.LEFT or kind is Kind.RETURNED:
        b.on_leave = kind is Kind.LEFT
        where = place if kind is Kind.RETURNED and place else b.place or place
        if where:
            b.put(s, where)
        return
    if kind is Kind.ADMITTED and b.admitted is None:
        b.admitted = s
    if place is None:
        return
    if kind is Kind.ADMITTED or kind is Kind.TRANSFERRED:
        if not b.spots and kind is Kind.TRANSFERRED and s.told.from_place:
            b.put(s, s.told.from_place, inferred=True)
        elif b.spots and b.spots[-1].at == s.occurred_at and not b.spots[-1].inferred:
            b.spots.pop()  # put right at the very moment it was said to begin
        b.on_leave = False
        b.put(s, place)
    elif b.place is None or (kind is Kind.OBSERVED and _contradicts(s, b.spots[-1])):
        b.put(s, place, inferred=True)


def _contradicts(s: Standing, spot: _Spot) -> bool:
    """Whether the source of `s`, knowing of `spot` when it spoke, says another place.

    Another source's update knows nothing of `spot`.
    """
    return (
        s.place is not None
        and not agrees(s.place, spot.place)
        and s.told.source == spot.by.told.source
        and s.said > spot.by.said
    )


def _discharge(b: _Builder, s: Standing) -> None:
    if b.discharged is None:
        if not b.spots and s.place is not None:
            b.put(s, s.place, inferred=True)
        b.discharged = s
    elif (not s.implied, s.said) > (not b.discharged.implied, b.discharged.said):
        b.discharged = s  # an amended time; one that was really said beats an implied one


def _claims(spots: Sequence[_Spot], admitted: datetime, end: datetime | None) -> Iterable[Claim]:
    """The way as half-open periods: the first from the admission, the last to the discharge."""
    claims: list[Claim] = []
    for number, spot in enumerate(spots):
        until = spots[number + 1].at if number + 1 < len(spots) else end
        start = spot.at
        known_since = spot.inferred or spot.by.kind is not Kind.TRANSFERRED
        if number == 0 and known_since and (until is None or admitted < until):
            start = admitted
        elif claims and claims[-1].end is not None and claims[-1].end > start:
            start = claims[-1].end
        if end is not None and (until is None or until > end):
            until = end
        if until is not None and until <= start:
            continue
        last = claims[-1] if claims else None
        if (
            last is not None
            and last.end == start
            and last.place == spot.place
            and last.on_leave == spot.on_leave
        ):
            claims[-1] = Claim(
                last.start, until, last.place, last.key, last.sent_at, last.on_leave, last.inferred
            )
            continue
        by = spot.by.told
        inferred = spot.inferred and not (number == 0 and spot.by.kind is Kind.ADMITTED)
        claims.append(Claim(start, until, spot.place, by.key, by.sent_at, spot.on_leave, inferred))
    return claims


def _requests(b: _Builder) -> Iterable[Request]:
    """Pending moves, each until it was met, called off, replaced or overtaken by the discharge."""
    pending = [m for m in b.members if m.kind in ASKED]
    asked_for: list[datetime | None] = []
    for number, s in enumerate(pending):
        since, until = s.occurred_at, _over(s, pending[number + 1 :], b)
        if s.kind is Kind.EXPECTED:
            # Told once more that they are to come, while their bed is asked for already, is no
            # second need; it counts from when that request was called off.
            since = max([since, *(end or _NEVER for end in asked_for)])
        elif s.kind in _TAKES_OVER:
            asked_for.append(until)
        if since >= (until or _NEVER):
            continue
        before = [spot.place.ward for spot in b.spots if spot.at <= since]
        here = s.told.place.ward if s.told.place else None
        # Where somebody expected is said to be, they are to come to.
        coming = s.kind is Kind.EXPECTED and not before
        yield Request(
            ASKED[s.kind],
            since,
            until,
            None if coming else before[-1] if before else here,
            s.told.wanted_ward or (here if coming else None),
            s.told.key,
        )


def _over(s: Standing, after: Sequence[Standing], b: _Builder) -> datetime | None:
    """When nobody waits for what `s` asked for any more; None while they do."""
    ends = [s.dropped_at, b.ends_at if not b.expected_only else None]
    met = (m for m in b.members if m.happened > s.happened and _meets(m, s, b))
    asked_again = (m for m in after if m.kind is s.kind or _takes_over(m, s))
    ends += [m.occurred_at for m in (next(met, None), next(asked_again, None)) if m is not None]
    return min((end for end in ends if end is not None), default=None)


def _takes_over(later: Standing, pending: Standing) -> bool:
    """Whether the bed that `pending` asked for is asked for by `later` from then on.

    Nobody needs two: who is only expected is to be admitted now, and an admission and a move that
    are both announced for one stay are two words for the same need.
    """
    return pending.kind in _BED_NEEDED and later.kind in _TAKES_OVER


def _meets(later: Standing, pending: Standing, b: _Builder) -> bool:
    """Whether `later` is what `pending` waited for."""
    if pending.kind is Kind.EXPECTED:
        return later.kind not in PLANS
    if pending.kind is Kind.PENDING_DISCHARGE:
        return later.kind is Kind.DISCHARGED
    if pending.kind is Kind.PENDING_ADMIT and later.kind is Kind.ADMITTED:
        return True
    # Whoever is in an emergency department already is moved to the ward, not admitted once more.
    if later.kind not in (Kind.TRANSFERRED, Kind.ADMITTED) or later.told.place is None:
        return False
    before = [spot.place.ward for spot in b.spots if spot.at <= pending.occurred_at]
    # Whoever waits for another bed of their own ward does so until they are moved at all.
    return (
        not before
        or before[-1] in (pending.told.wanted_ward, None)
        or (later.told.place.ward != before[-1])
    )
