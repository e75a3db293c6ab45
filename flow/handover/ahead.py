"""What runs out or is due in the hours to come, in one list and one small picture."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from flow.desk.misplaced import Outlier
from flow.desk.types import Need
from flow.desk.words import CLOCKS, KINDS
from flow.handover.types import Ahead, Coming, Lane, Leaving, OpenBarrier
from flow.reading import read_as
from wards.models import Closure, Opening

HORIZON: Final = timedelta(hours=12)
"""How far ahead a handover looks: the shift that begins."""
_HOUR: Final = timedelta(hours=1)


def ahead(
    *,
    at: datetime,
    until: datetime,
    wards: Collection[int],
    needs: Iterable[Need],
    corridor: Iterable[Outlier],
    closures: Iterable[Closure],
    barriers: Iterable[OpenBarrier],
    leaving: Sequence[Leaving],
) -> Ahead:
    """What of all this runs out or is due in `[at, until)`, in the order of time, and what is to
    be closed or opened on these wards; two queries."""
    found = [
        *(entry for need in needs for entry in _of_need(need)),
        *(entry for one in corridor for entry in _in_corridor(one)),
        *(_barrier(one) for one in barriers),
        *(_leaves(one, one.at) for one in leaving if one.at is not None),
        *(_closure(one, ends=True) for one in closures),
        *_planned(at=at, until=until, wards=wards),
    ]
    entries = sorted(
        (replace(one, x=_share(one.at, at, until)) for one in found if at <= one.at < until),
        key=lambda one: one.at,
    )
    return Ahead(
        until=until,
        entries=entries,
        lanes=[(lane, [one for one in entries if one.lane == lane]) for lane in Lane],
        hours=_ticks(at, until),
        untimed=[one for one in leaving if one.at is None],
    )


def _share(moment: datetime, at: datetime, until: datetime) -> float:
    return round(100 * ((moment - at) / (until - at)), 2)


def _ticks(at: datetime, until: datetime) -> list[tuple[float, datetime]]:
    """The full hours of the picture, every third of them by the clock named by the page."""
    local = timezone.localtime(at)
    first = (
        at
        + (_HOUR - timedelta(minutes=local.minute, seconds=local.second))
        - timedelta(microseconds=local.microsecond)
    )
    count = int((until - first) / _HOUR) + 1
    return [(_share(first + n * _HOUR, at, until), first + n * _HOUR) for n in range(count)]


def _of_need(need: Need) -> Iterator[Coming]:
    """Its clocks, when it is wanted or expected, and until when its bed is held."""
    why = str(KINDS[need.kind])
    address = reverse("desk:request", args=[need.id])
    where = need.origin.name if need.origin else ""
    for clock in need.clocks:
        yield Coming(
            clock.ends_at,
            Lane.CLOCK,
            str(CLOCKS[clock.kind]),
            _("%(why)s, in %(where)s") % {"why": why, "where": where} if where else why,
            face=need.face,
            address=address,
        )
    if need.due_at is not None:
        target = need.target.name if need.target else _("any ward")
        yield Coming(
            need.due_at,
            Lane.WANTED if need.origin else Lane.ARRIVING,
            _("Wants a bed on %(ward)s") % {"ward": target}
            if need.origin
            else _("Expected on %(ward)s") % {"ward": target},
            why,
            face=need.face,
            address=address,
        )
    if need.held is not None:
        yield Coming(
            need.held.until,
            Lane.HELD,
            _("%(ward)s, bed %(bed)s is held no longer")
            % {"ward": need.held.ward.name, "bed": need.held.label},
            why,
            face=need.face,
            address=address,
        )


def _in_corridor(one: Outlier) -> Iterator[Coming]:
    """The clock of corridor care, and when whoever signed it off is to look again."""
    assert one.clock is not None, "whoever is in a corridor has its clock"
    place = _("%(ward)s, bed %(bed)s") % {"ward": one.ward, "bed": one.label}
    address = reverse("flow:bed", args=[one.bed])
    words = str(CLOCKS[one.clock.kind])
    yield Coming(one.clock.ends_at, Lane.CLOCK, words, place, face=one.face, address=address)
    if one.care is not None and one.care.signed is not None:
        yield Coming(
            one.care.signed.review_at,
            Lane.CLOCK,
            _("Corridor care to be looked at again"),
            place,
            face=one.face,
            address=address,
        )


def _barrier(one: OpenBarrier) -> Coming:
    return Coming(
        one.due_at,
        Lane.BARRIER,
        one.label,
        " · ".join(part for part in (one.owner, one.ward) if part),
        face=one.face,
        address=reverse("flow:barrier", args=[one.id]) if one.face else "",
    )


def _leaves(one: Leaving, at: datetime) -> Coming:
    place = one.ward
    if one.bed:
        place = _("%(ward)s, bed %(bed)s") % {"ward": one.ward, "bed": one.bed}
    return Coming(
        at,
        Lane.LEAVING,
        _("Leaves %(place)s") % {"place": place},
        face=one.face,
        address=reverse("flow:stay", args=[one.episode]) if one.face else "",
    )


def _closure(one: Closure, *, ends: bool) -> Coming:
    """That what is closed opens, or that something closes."""
    where = one.ward.name
    if one.bed is not None:
        where = _("%(ward)s, bed %(bed)s") % {"ward": where, "bed": one.bed.label}
    elif one.bay is not None:
        where = f"{where}, {one.bay}"
    never = datetime.max.replace(tzinfo=timezone.get_default_timezone())
    at = (one.period.upper or never) if ends else one.period.lower
    words = _("%(place)s opens again") if ends else _("%(place)s closes")
    return Coming(
        at,
        Lane.BED,
        words % {"place": where},
        str(one.get_reason_display()),
        patient=False,
        address=reverse("flow:bed", args=[one.bed_id]) if one.bed_id else "",
    )


def _planned(*, at: datetime, until: datetime, wards: Collection[int]) -> Iterator[Coming]:
    """Closures that begin, and escalation beds that are to close or to open."""
    begin = Closure.objects.filter(
        ward__in=list(wards), period__startswith__gt=at, period__startswith__lt=until
    )
    for closure in begin.select_related("ward", "bay", "bed"):
        yield _closure(closure, ends=False)
    openings = Opening.objects.filter(bed__ward__in=list(wards), period__endswith__gt=at) | (
        Opening.objects.filter(bed__ward__in=list(wards), period__startswith__gt=at)
    )
    for opening in openings.select_related("bed__ward"):
        place = {"ward": opening.bed.ward.name, "bed": opening.bed.label}
        address = reverse("flow:bed", args=[opening.bed_id])
        more = _("Escalation")
        if opening.period.lower > at:
            words = _("%(ward)s, bed %(bed)s opens") % place
            yield Coming(
                opening.period.lower, Lane.BED, words, more, patient=False, address=address
            )
        if opening.period.upper is not None:
            words = _("%(ward)s, bed %(bed)s closes") % place
            yield Coming(
                opening.period.upper, Lane.BED, words, more, patient=False, address=address
            )


_DEFINITE_SQL: Final = """
SELECT e.patient_id AS patient, e.id AS episode, o.ward_id, w.name AS ward,
       coalesce(bed.label, '') AS bed, coalesce(said.expected, e.expected_discharge_at) AS at
  FROM wards_bedrequest r
  JOIN patients_episode e ON e.id = r.episode_id
  JOIN wards_occupancy o ON o.episode_id = e.id AND o.period @> %(at)s::timestamptz
  JOIN wards_ward w ON w.id = o.ward_id
  LEFT JOIN wards_bed bed ON bed.id = o.bed_id
  LEFT JOIN LATERAL (
       SELECT review.expected_discharge_at AS expected FROM patients_review review
        WHERE review.episode_id = e.id AND review.expected_discharge_at IS NOT NULL
        ORDER BY review.occurred_at DESC, review.id DESC LIMIT 1) said ON true
 WHERE r.kind = 'discharge' AND r.period @> %(at)s::timestamptz AND o.ward_id = ANY(%(wards)s)
 ORDER BY w.position, w.name, bed.position, e.id
"""


def definite(*, at: datetime, wards: Collection[int]) -> list[Leaving]:
    """Announced discharges of patients who are on these wards; one query. Their time is the last
    expected one, where that is still to come and more than a day: plans are made by the day."""
    rows = read_as(Leaving, _DEFINITE_SQL, {"at": at, "wards": sorted(wards)})
    return [one if _is_a_time(one.at, at) else replace(one, at=None) for one in rows]


def _is_a_time(planned: datetime | None, at: datetime) -> bool:
    if planned is None or planned < at:
        return False
    local = timezone.localtime(planned)
    return (local.hour, local.minute) != (0, 0)
