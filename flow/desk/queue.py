"""Every need for a bed of a site in one list, sorted by what matters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flow.board_types import Face, Sight
from flow.days import age
from flow.desk.clocks import TWELVE_HOURS, Clock, ClockKind, emergency_clocks
from flow.desk.rights import is_in_sight
from flow.desk.rows import NeedRow, needs_at
from flow.desk.types import HeldBed, Lapsed, Need, Queue
from flow.faces import faces
from flow.reading import read
from patients.models import CareNeeds
from wards.bed_states import states_at
from wards.care_needs import Needed, latest
from wards.models import BedRequest, BedStatus, Reservation, Site, Ward
from wards.needing import is_elective, kind_of

USUAL_PRIORITY: Final = 3
_PATIENCE: Final = {
    1: timedelta(hours=1),
    2: timedelta(hours=4),
    3: timedelta(hours=12),
    4: timedelta(hours=24),
}
"""Within which time a need of each priority is to be met where no clock runs; local, a start."""
_OVERNIGHT: Final = (
    Ward.Kind.ASSESSMENT,
    Ward.Kind.INPATIENT,
    Ward.Kind.CRITICAL_CARE,
    Ward.Kind.MATERNITY,
    Ward.Kind.COMMUNITY,
)
"""The kinds of ward whose empty beds somebody can be admitted to."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the queue is asked for; empty means all."""

    kinds: Collection[str] = ()
    specialties: Collection[str] = ()
    wards: Collection[int] = ()
    waits_for: Collection[str] = ()

    def fits(self, need: Need) -> bool:
        """Whether the need is asked for."""
        return (
            (not self.kinds or need.kind in self.kinds)
            and (not self.specialties or need.specialty in self.specialties)
            and (not self.wards or (need.target is not None and need.target.id in self.wards))
            and (not self.waits_for or need.waits_for in self.waits_for)
        )


def queue(site: Site, *, at: datetime, sight: Sight, wanted: Wanted | None = None) -> Queue:
    """The queue of a site at `at`; six queries, however many wait. The figures are those of the
    site; what tells more than a number is of the needs that are in the viewer's sight."""
    rows = needs_at(site.pk, at=at)
    every = as_needs(rows, at=at, sight=sight)
    needs = [need for need in every if is_in_sight(need, sight)]
    needs.sort(key=lambda need: order(need, at))
    chosen = [need for need in needs if wanted is None or wanted.fits(need)]
    free, cleaning = _beds(site.pk, at)
    return Queue(
        moment=at,
        needs=chosen,
        kinds=Counter(need.kind for need in needs),
        specialties=Counter(need.specialty for need in needs if need.specialty),
        held=sum(need.held is not None for need in every),
        overdue=sum(any(clock.is_over(at) for clock in need.clocks) for need in every),
        unseen=sum(not need.may_see for need in needs),
        free=free,
        cleaning=cleaning,
        shown=len(every),
        listed=len(needs),
    )


def one_need(request: int, *, at: datetime, sight: Sight) -> Need | None:
    """One open request wherever it counts; None once it is over."""
    rows = needs_at(at=at, request=request)
    found = as_needs(rows, at=at, sight=sight)
    return found[0] if found else None


def as_needs(rows: Sequence[NeedRow], *, at: datetime, sight: Sight) -> list[Need]:
    """The rows as the desk shows them; three queries, however many there are."""
    seen = {row.id for row in rows if _may_see(row, sight)}
    known = faces({row.patient for row in rows if row.id in seen})
    needed = latest({row.episode for row in rows}, at=at)
    beds = {row.held_bed for row in rows if row.held_bed is not None}
    states = _states(beds, at)
    return [
        _need(
            row,
            known.get(row.patient),
            needed.get(row.episode) if row.id in seen else None,
            states,
            may_see=row.id in seen,
        )
        for row in rows
    ]


def order(need: Need, at: datetime) -> tuple[bool, bool, bool, datetime, int, datetime, int]:
    """What the list is sorted by: those without a bed first; of these the immediate, then those
    of whom a clock of twelve hours has run out or any clock is about to; then all by the moment
    at which the next clock runs out or the bed is wanted; what has run out is first."""
    clock = need.next_clock(at)
    patience = need.since + _PATIENCE[need.priority]
    ends = [patience if need.due_at is None else need.due_at]
    if clock is not None:
        ends.append(clock.ends_at)
    pressing = _pressing(need, at)
    ends.extend(one.ends_at for one in pressing)
    return (
        need.held is not None,
        need.priority > 1,
        not pressing,
        min(ends),
        need.priority,
        need.since,
        need.id,
    )


def _pressing(need: Need, at: datetime) -> list[Clock]:
    """Their clocks that count more than how long others have been patient."""
    return [
        clock
        for clock in need.clocks
        if clock.is_near(at) or (clock.kind in TWELVE_HOURS and clock.is_over(at))
    ]


def _may_see(row: NeedRow, sight: Sight) -> bool:
    places = [place.id for place in (row.origin, row.target) if place is not None]
    return sight.patients is None or any(sight.sees_patients(ward) for ward in places)


def _need(
    row: NeedRow,
    face: Face | None,
    needed: CareNeeds | None,
    states: Mapping[int, tuple[str, str]],
    *,
    may_see: bool,
) -> Need:
    expected = row.request_kind == BedRequest.Kind.EXPECTED
    return Need(
        id=row.id,
        key=row.key,
        kind=kind_of(
            row.request_kind,
            method=row.method,
            on=row.origin.kind if row.origin else "",
            target=row.target.kind if row.target else "",
            from_site=row.origin_site,
            to_site=row.target_site,
        ),
        priority=row.priority or USUAL_PRIORITY,
        since=row.since,
        due_at=row.due_at or (row.expected_at if expected else None),
        episode=row.episode,
        origin=row.origin,
        bed=row.bed,
        target=row.target,
        specialty=row.asked_specialty or row.specialty,
        asked_by=row.asked_by,
        note=row.note if may_see else "",
        elective=is_elective(row.method),
        clocks=_clocks(row),
        held=_held(row, states),
        lapsed=_lapsed(row),
        needed=Needed.of(needed) if needed is not None else None,
        sex=row.sex if may_see else "",
        age=age(row.born, at=row.since) if may_see else None,
        face=face,
        may_see=may_see,
    )


def _clocks(row: NeedRow) -> tuple[Clock, ...]:
    if row.origin is None or row.origin.kind != Ward.Kind.EMERGENCY:
        decided = row.request_kind == BedRequest.Kind.ADMIT and row.origin is not None
        return (Clock(ClockKind.TWELVE_FROM_DECISION, row.decided_at),) if decided else ()
    # Whoever waits there to go to a ward has been decided on, by whatever message it was told.
    return emergency_clocks(row.admitted_at, row.decided_at)


def _held(row: NeedRow, states: Mapping[int, tuple[str, str]]) -> HeldBed | None:
    if row.reservation is None or row.held_bed is None or row.held_ward is None:
        return None
    assert row.held_until is not None, "a reservation always ends"
    state, status = states.get(row.held_bed, ("unlisted", ""))
    return HeldBed(
        reservation=row.reservation,
        bed=row.held_bed,
        label=row.held_label,
        ward=row.held_ward,
        until=row.held_until,
        decided=row.held_decided,
        state=state,
        status=status,
    )


def _lapsed(row: NeedRow) -> Lapsed | None:
    if row.lapsed_bed is None or row.lapsed_at is None:
        return None
    why = str(Reservation.Status(row.lapsed_why).label)
    return Lapsed(row.lapsed_bed, row.lapsed_label, row.lapsed_ward, why, row.lapsed_at)


def _states(beds: Collection[int], at: datetime) -> dict[int, tuple[str, str]]:
    """What each of these beds is now: the state of its tile, and what was last said of it."""
    if not beds:
        return {}
    rows = read(
        """
        SELECT b.ward_id, array_agg(b.id) AS beds, array_agg(o.bed_id)
          FROM wards_bed b
          LEFT JOIN wards_occupancy o ON o.bed_id = b.id AND o.period @> %(at)s::timestamptz
         WHERE b.id = ANY(%(beds)s) GROUP BY b.ward_id
        """,
        {"beds": sorted(beds), "at": at},
    )
    taken = {bed for row in rows for bed in row[2] if bed is not None}
    found = {}
    for state in states_at(at=at, wards=[row[0] for row in rows]):
        if state.bed not in beds:
            continue
        what = "available"
        if state.bed in taken:
            what = "occupied"
        elif state.is_closed or not state.opened:
            what = "closed"
        elif state.is_unready:
            what = "unready"
        found[state.bed] = (what, state.status)
    return found


def _beds(site: int, at: datetime) -> tuple[int, int]:
    """Of the wards where people stay overnight (of a service without any, of all its places), the
    beds that are ready and held for nobody, and those to be cleaned."""
    rows = Ward.objects.filter(site=site, same_as=None).exclude(kind=Ward.Kind.UNRECOGNISED)
    kinds = dict(rows.values_list("pk", "kind"))
    beds = [ward for ward, kind in kinds.items() if kind in _OVERNIGHT]
    wards = beds or list(kinds)
    found = read(
        """
        SELECT bed_id FROM wards_occupancy
         WHERE period @> %(at)s::timestamptz AND ward_id = ANY(%(wards)s) AND bed_id IS NOT NULL
        UNION
        SELECT bed_id FROM wards_reservation
         WHERE period @> %(at)s::timestamptz AND status = 'held'
        """,
        {"at": at, "wards": wards},
    )
    taken = {row[0] for row in found}
    free = cleaning = 0
    for state in states_at(at=at, wards=wards):
        if not state.in_use or not state.opened or state.is_closed or state.bed in taken:
            continue
        if state.status in (BedStatus.Status.HOUSEKEEPING, BedStatus.Status.CONTAMINATED):
            cleaning += 1
        else:
            free += 1
    return free, cleaning
