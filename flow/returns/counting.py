"""The daily returns, counted from the facts: the situation report's bed lines and the discharges.

Bed lines are a snapshot at 08:00 of the day of reporting; discharges are of the day before, from
midnight to midnight (NHS England, process and definitions for the daily situation report web
form). Nights in hospital are midnights since the admission. Each number knows the stays behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from accounts.models import Organisation
from flow.bed_sql import common
from flow.counts import LONDON, Clock, frozen_moment
from flow.moment import Moment, held, said_by
from flow.reading import read_as
from flow.returns.definitions import Definition, Line
from patients.models import Code
from wards.models import Ward


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a return: `value` None where nothing can be divided. episodes: the stays
    behind it, empty for beds that nobody is in."""

    key: str
    label: str
    value: float | None
    episodes: tuple[int, ...] = ()
    is_rate: bool = False


@dataclass(frozen=True, slots=True)
class _Bed:
    """A bed, or a patient without one, at the snapshot."""

    kind: str
    specialty: str
    funding: str
    state: str
    closure: str
    episode: int | None
    admitted_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Ready:
    """Somebody who met no criteria to reside on the day. ended: when the period did."""

    episode: int
    admitted_at: datetime | None
    discharged_at: datetime | None
    ready_until: datetime | None
    pathway: int | None
    reason: str


def counted(
    definition: Definition, organisation: Organisation, day: date, *, known_at: datetime | None
) -> list[Number]:
    """The numbers of the return of `day`, from the facts as known at `known_at` (None: now).

    Three queries at most, four with reasons.
    """
    wards = _wards(definition, organisation)
    if definition.kind == "sitrep":
        moment = Moment(frozen_moment(day, Clock.SITREP), known_at)
        rows = _beds(moment, list(wards))
        return _numbers(definition, lambda line: _bed_line(definition, line, rows, day))
    start, end = window(day)
    ready = _ready(Moment(end, known_at), start, list(wards))
    return _numbers(definition, lambda line: _ready_line(line, ready, end))


def window(day: date) -> tuple[datetime, datetime]:
    """The day before the day of reporting, from midnight to midnight in England."""
    end = datetime.combine(day, time(), LONDON)
    return datetime.combine(day - timedelta(days=1), time(), LONDON), end


def _wards(definition: Definition, organisation: Organisation) -> dict[int, Ward]:
    kinds = frozenset().union(*definition.wards.values())
    found = Ward.objects.filter(site__organisation=organisation, same_as=None, kind__in=kinds)
    return {w.pk: w for w in found if w.specialty not in definition.excluded_specialties}


def _beds(moment: Moment, wards: Sequence[int]) -> list[_Bed]:
    sql = f"""
WITH {common(moment)}
SELECT w.kind, w.specialty, b.funding, b.state, coalesce(b.reason, '') AS closure,
       o.episode_id AS episode, e.admitted_at
  FROM beds b
  JOIN wards_ward w ON w.id = b.ward_id
  LEFT JOIN occupied o ON o.id = b.occupancy_id
  LEFT JOIN patients_episode e ON e.id = o.episode_id
 UNION ALL
SELECT w.kind, w.specialty, '', 'bedless', '', o.episode_id, e.admitted_at
  FROM occupied o
  JOIN wards_ward w ON w.id = o.ward_id
  JOIN patients_episode e ON e.id = o.episode_id
 WHERE o.bed_id IS NULL AND o.ward_id = ANY(%(wards)s)
"""  # noqa: S608 - tables and columns of ours; the values travel as parameters
    return read_as(_Bed, sql, moment.params | {"wards": sorted(wards)})


def _ready(moment: Moment, start: datetime, wards: Sequence[int]) -> list[_Ready]:
    """Everybody who met no criteria to reside at some time of the day, on one of the wards."""
    during = "r.period && tstzrange(%(start)s, %(at)s)"
    sql = f"""
SELECT DISTINCT ON (e.id) e.id AS episode, e.admitted_at,
       CASE WHEN left_at.at < %(at)s THEN left_at.at END AS discharged_at,
       upper(ready.period) AS ready_until, said.pathway, coalesce(main.slug, '') AS reason
  FROM {held("patients_readiness", moment, during)} ready
  JOIN patients_episode e ON e.id = ready.episode_id
  JOIN {held("wards_occupancy", moment, during)} o
       ON o.episode_id = e.id AND o.ward_id = ANY(%(wards)s)
      AND o.period * ready.period && tstzrange(%(start)s, %(at)s)
  LEFT JOIN LATERAL (
       SELECT max(coalesce(upper(last.period), 'infinity')) AS at
         FROM {held("wards_occupancy", moment, "r.episode_id = e.id")} last) left_at ON true
  LEFT JOIN LATERAL (
       SELECT review.pathway FROM patients_review review
        WHERE review.episode_id = e.id AND review.occurred_at <= %(at)s
          AND {said_by(moment, "review")}
        ORDER BY review.occurred_at DESC, review.id DESC LIMIT 1) said ON true
  LEFT JOIN LATERAL (
       SELECT code.slug
         FROM {held("patients_barrier", moment, _STANDING)} barrier
         JOIN patients_code code ON code.id = barrier.reason_id
        ORDER BY barrier.is_reportable DESC, lower(barrier.period), barrier.id LIMIT 1) main ON true
 ORDER BY e.id, lower(ready.period) DESC
"""  # noqa: S608 - tables and columns of ours; the values travel as parameters
    return read_as(_Ready, sql, moment.params | {"start": start, "wards": sorted(wards)})


_STANDING: Final = """r.episode_id = e.id AND r.outcome <> 'mistaken'
          AND lower(r.period) < %(at)s AND (upper_inf(r.period) OR upper(r.period) >= %(at)s)"""


def _numbers(definition: Definition, of: Callable[[Line], tuple[int, ...] | int]) -> list[Number]:
    """Every line, rates last of all as they are made of others."""
    found: dict[str, Number] = {}
    for line in _spelled_out(definition.lines):
        if line.count == "rate":
            found[line.key] = _rate(line, found)
            continue
        behind = of(line)
        if isinstance(behind, int):
            found[line.key] = Number(line.key, line.label, behind)
        else:
            found[line.key] = Number(line.key, line.label, len(behind), behind)
    return list(found.values())


def _spelled_out(lines: Iterable[Line]) -> Iterable[Line]:
    """The lines, one for each code where a line is of every code of a set."""
    for line in lines:
        if not line.each:
            yield line
            continue
        codes = Code.objects.filter(code_set__slug=line.each).order_by("position")
        for slug, label in codes.values_list("slug", "label"):
            yield Line(
                key=f"{line.key}:{slug}",
                label=f"{line.label}: {label}",
                count=line.count,
                outcome=line.outcome,
                nights=line.nights,
                state=slug,
            )
        yield Line(
            key=f"{line.key}:",
            label=f"{line.label}: no reason recorded",
            count=line.count,
            outcome=line.outcome,
            nights=line.nights,
            state="-",
        )


def _rate(line: Line, found: dict[str, Number]) -> Number:
    part, whole = found[line.of].value, found[line.over].value
    value = round(100 * part / whole, 1) if part is not None and whole else None
    return Number(line.key, line.label, value, is_rate=True)


_OPEN: Final = frozenset({"occupied", "available", "unready"})


def _bed_line(
    definition: Definition, line: Line, rows: Collection[_Bed], day: date
) -> tuple[int, ...] | int:
    there = [row for row in rows if _fits(definition, line, row)]
    if line.count == "patients":
        return tuple(
            row.episode
            for row in there
            if row.episode is not None and nights(row.admitted_at, day) >= line.nights
        )
    if line.state == "occupied":
        return tuple(r.episode for r in there if r.state == "occupied" and r.episode is not None)
    if line.state == "closed":
        return sum(
            row.state == "closed" and (not line.closure or row.closure == line.closure)
            for row in there
        )
    return sum(row.state in _OPEN for row in there)


def _fits(definition: Definition, line: Line, row: _Bed) -> bool:
    if row.kind not in definition.wards[line.place]:
        return False
    paediatric = row.specialty in definition.paediatric_specialties
    if line.age and (line.age == "paediatric") != paediatric:
        return False
    return not line.funding or line.funding == row.funding


def _ready_line(line: Line, rows: Iterable[_Ready], end: datetime) -> tuple[int, ...]:
    return tuple(
        row.episode
        for row in rows
        if line.outcome in ("any", outcome(row, end))
        and (line.pathway is None or line.pathway == _known(row.pathway))
        and (not line.nights or nights(row.admitted_at, end.date()) >= line.nights)
        and (not line.state or line.state == (row.reason or "-"))
    )


def _known(pathway: int | None) -> int | str:
    return "unknown" if pathway is None else pathway


def outcome(row: _Ready, end: datetime) -> str:
    """What had become of somebody by the end of the day, which is no more part of it."""
    if row.discharged_at is not None and row.discharged_at < end:
        return "discharged"
    if row.ready_until is not None and row.ready_until < end:
        return "met_again"
    return "remaining"


def nights(admitted_at: datetime | None, day: date) -> int:
    """Midnights in England since the admission; -1 where that is not known."""
    if admitted_at is None:
        return -1
    return (day - admitted_at.astimezone(LONDON).date()).days
