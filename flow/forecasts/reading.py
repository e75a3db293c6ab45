"""Reads the stays at a site from the database as they became known.

For each visit the movements are taken in the order in which we learnt of them; whatever was
believed after each becomes an entry of a log. Reviews and barriers are read by the time at which
they were recorded. Sex, date of birth and which records are one person are read as they are known
now, and so is which stay a movement without a visit number belongs to: these say who somebody is,
not when they leave.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

import numpy as np
from django.db import connection

from flow.forecasts.clock import minute_of, minute_reached
from flow.forecasts.history import NOT_YET, Notes, Stays, WardFacts
from flow.forecasts.numbering import in_known_order
from flow.forecasts.reviews import Waits, waits_of
from flow.forecasts.unfolding import Learnt, State, Unit, unfold
from wards.facts import MovementKind as Kind
from wards.models import Site, Ward
from wards.told_rows import MOVEMENTS, ToldRow, told

COUNTED: Final = frozenset(
    {
        Ward.Kind.INPATIENT,
        Ward.Kind.ASSESSMENT,
        Ward.Kind.CRITICAL_CARE,
        Ward.Kind.MATERNITY,
        Ward.Kind.DISCHARGE_LOUNGE,
        Ward.Kind.COMMUNITY,
        Ward.Kind.VIRTUAL,
        Ward.Kind.REABLEMENT,
        Ward.Kind.CARE_HOME,
        Ward.Kind.UNRECOGNISED,
    }
)
"""Kinds of ward whose patients are in hospital, or with a service, for more than a visit."""

_TOUCHING: Final = """
    WITH here AS (SELECT id FROM wards_ward
                   WHERE id = ANY(%(wards)s) OR same_as_id = ANY(%(wards)s)),
    named AS (SELECT DISTINCT coalesce(b.visit_id, m.visit_id) AS id
                FROM wards_movement m LEFT JOIN wards_belonging b ON b.movement_id = m.id
               WHERE m.ward_id IN (SELECT id FROM here) AND m.recorded_at <= %(at)s)
    SELECT m.visit_id
      FROM wards_movement m JOIN named ON named.id = m.visit_id
     WHERE m.recorded_at <= %(at)s
     GROUP BY m.visit_id
    HAVING max(m.occurred_at) >= %(since)s OR NOT bool_or(m.kind = 'discharged')
"""
_THERE: Final = """
    SELECT e.visit_id FROM patients_episode e
      JOIN wards_occupancy o ON o.episode_id = e.id
     WHERE o.ward_id = ANY(%(wards)s) AND o.period @> %(at)s::timestamptz
    UNION
    SELECT coalesce(b.visit_id, m.visit_id)
      FROM wards_movement m LEFT JOIN wards_belonging b ON b.movement_id = m.id
     WHERE m.recorded_at > %(at)s
"""
_OF_VISITS: Final = """
    SELECT id FROM wards_movement WHERE visit_id = ANY(%(visits)s)
    UNION
    SELECT movement_id FROM wards_belonging WHERE visit_id = ANY(%(visits)s)
    UNION
    SELECT other.id FROM wards_movement other
      JOIN wards_movement joined ON joined.visit_id = other.visit_id
     WHERE joined.into_visit_id = ANY(%(visits)s)
"""
_ROWS: Final = f"""
    SELECT rows.*, b.visit_id, v.number
      FROM ({MOVEMENTS} WHERE m.recorded_at <= %(at)s AND m.id = ANY(%(movements)s)) AS rows
      JOIN patients_visit v ON v.id = rows.visit_id
      LEFT JOIN wards_belonging b ON b.movement_id = rows.id
     ORDER BY rows.id
"""  # noqa: S608 - put together from constants
_PEOPLE: Final = """
    SELECT e.visit_id, e.ordinal, e.id, p.sex, p.date_of_birth, coalesce(p.person_id, p.id)
      FROM patients_episode e JOIN patients_patient p ON p.id = e.patient_id
     WHERE e.visit_id = ANY(%s)
"""
_SEXES: Final = {"female": 0, "male": 1}
_AT_ONCE: Final = 5_000
"""Visits read with one query."""


def read(site: Site, *, since: datetime, at: datetime) -> Stays:
    """The stays at a site that went on at `since` or later, as far as was known at `at`."""
    reader = _Reader(site, at)
    with connection.cursor() as cursor:
        cursor.execute(_TOUCHING, {"wards": reader.here, "at": at, "since": since})
        visits = sorted(pk for (pk,) in cursor.fetchall())
    return reader.stays(visits)


def read_present(site: Site, *, at: datetime) -> Stays:
    """The stays at a site that go on at `at`, which is about now, as far as was known then.

    With them come those of whom something was recorded since: at `at` that was not known.
    """
    reader = _Reader(site, at)
    with connection.cursor() as cursor:
        cursor.execute(_THERE, {"wards": reader.here, "at": at})
        visits = sorted(pk for (pk,) in cursor.fetchall())
    return reader.stays(visits)


def read_visit(site: Site, visit: int, *, at: datetime) -> Stays:
    """The stays at a site within one visit, as far as was known at `at`."""
    return _Reader(site, at).stays([visit])


@dataclass(slots=True)
class _Visit:
    """What was learnt of a visit; `until`: when it turned out to be part of another."""

    number: str = ""
    learnt: list[Learnt] = field(default_factory=list)
    until: datetime | None = None


@dataclass(slots=True)
class _Person:
    episode: int
    sex: int
    born: date | None
    person: int


class _Reader:
    """Gathers the stays at one site."""

    def __init__(self, site: Site, at: datetime) -> None:
        wards = list(Ward.objects.filter(site=site, same_as=None).order_by("pk"))
        self.here = [ward.pk for ward in wards]
        self._at = at
        self._wards = [WardFacts(0, "", "", "", counts=False)] + [
            WardFacts(w.pk, w.name, w.kind, w.specialty, counts=w.kind in COUNTED) for w in wards
        ]
        self._ward_codes = {ward.key: n for n, ward in enumerate(self._wards)}
        self._codes: dict[str, dict[str, int]] = {"specialty": {"": 0}, "method": {"": 0}}
        self._notes = Notes()
        self._keys: list[int] = []
        self._names: list[str] = []
        self._sexes: list[int] = []
        self._ages: list[float] = []
        self._persons: list[int] = []

    def stays(self, visits: list[int]) -> Stays:
        """The stays in these visits."""
        for first in range(0, len(visits), _AT_ONCE):
            self._read(visits[first : first + _AT_ONCE])
        found = Stays(
            keys=np.array(self._keys, dtype=np.int64),
            sexes=np.array(self._sexes, dtype=np.int64),
            ages=np.array(self._ages, dtype=np.float64),
            codes={name: tuple(codes) for name, codes in self._codes.items()},
            wards=tuple(self._wards),
            logs=self._notes.logs(),
            names=tuple(self._names),
            people=np.array(self._persons, dtype=np.int64),
        )
        return in_known_order(found)

    def _read(self, visits: Collection[int]) -> None:
        people = _people(visits)
        waits = waits_of([person.episode for person in people.values()], at=self._at)
        found = _visits(visits, self._at)
        # In the order of the keys, whatever order the database answers in.
        for pk in visits:
            if pk in found:
                self._follow(pk, found[pk], people, waits)

    def _follow(
        self,
        pk: int,
        visit: _Visit,
        people: Mapping[tuple[int, int], _Person],
        waits: Mapping[int, Waits],
    ) -> None:
        numbers: dict[Unit, int] = {}
        before: dict[Unit, State] = {}
        for at, states in _until(
            unfold(visit.learnt, self._ward_codes, nameless=not visit.number), visit
        ):
            minute = minute_reached(at)
            for unit in before.keys() - states.keys():
                self._notes.add("admitted", numbers[unit], minute, NOT_YET)
            for unit, state in states.items():
                person = people.get((pk, unit.stay))
                if unit not in numbers:
                    numbers[unit] = self._begin(visit, person, state)
                    if person is not None and unit.run == 0:
                        waits.get(person.episode, Waits()).note(self._notes, numbers[unit])
                self._note(numbers[unit], minute, state, before.get(unit))
            before = dict(states)

    def _begin(self, visit: _Visit, person: _Person | None, state: State) -> int:
        self._names.append(visit.number)
        self._keys.append(person.episode if person else 0)
        self._sexes.append(person.sex if person else 2)
        self._ages.append(_age(person, state))
        self._persons.append(person.person if person else 0)
        return len(self._keys) - 1

    def _note(self, stay: int, minute: int, state: State, before: State | None) -> None:
        now, then = self._values(state), {} if before is None else self._values(before)
        for name, value in now.items():
            if then.get(name) != value and not (value is None and name not in then):
                self._notes.add(name, stay, minute, np.nan if value is None else value)

    def _values(self, state: State) -> dict[str, float | None]:
        plan = state.details.get("expected_discharge_at")
        return {
            "admitted": minute_of(state.admitted),
            "ended": NOT_YET if state.ended is None else minute_of(state.ended),
            "ward": self._ward_codes[state.ward],
            "specialty": self._code("specialty", state.details.get("specialty", "")),
            "method": self._code("method", state.details.get("admission_method", "")),
            "plan": minute_of(datetime.fromisoformat(plan)) if plan else None,
            "announced": 1.0 if state.is_announced else None,
            "asked": minute_of(state.asked) if state.asked else None,
        }

    def _code(self, name: str, value: str) -> int:
        return self._codes[name].setdefault(value, len(self._codes[name]))


def _until(
    unfolded: Iterable[tuple[datetime, Mapping[Unit, State]]], visit: _Visit
) -> Iterator[tuple[datetime, Mapping[Unit, State]]]:
    for at, states in unfolded:
        if visit.until is not None and at >= visit.until:
            break
        yield at, states
    if visit.until is not None:
        yield visit.until, {}


def _age(person: _Person | None, state: State) -> float:
    if person is not None and person.born is not None:
        return (state.admitted.date() - person.born).days / 365.25
    try:
        return float(state.details.get("age", ""))
    except ValueError:
        return float("nan")


def _people(visits: Collection[int]) -> dict[tuple[int, int], _Person]:
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, [list(visits)])
        return {
            (visit, ordinal): _Person(episode, _SEXES.get(sex, 2), born, person)
            for visit, ordinal, episode, sex, born, person in cursor.fetchall()
        }


def _visits(visits: Collection[int], at: datetime) -> dict[int, _Visit]:
    found: dict[int, _Visit] = {}
    rows: dict[int, list[ToldRow]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_OF_VISITS, {"visits": list(visits)})
        movements = [pk for (pk,) in cursor.fetchall()]
        # By their keys: the planner would else read every movement there is.
        cursor.execute(_ROWS, {"movements": movements, "at": at})
        for row in cursor.fetchall():
            read_row = told(row[:23])
            counts_for = row[23] or read_row.visit
            visit = found.setdefault(counts_for, _Visit())
            if counts_for == read_row.visit:
                visit.number = row[24]
            rows[counts_for].append(read_row)
    for pk, mine in rows.items():
        found[pk].learnt += [Learnt(r.told, r.recorded_at) for r in mine]
    for pk, mine in rows.items():
        joins = [r for r in mine if r.told.kind is Kind.JOINED]
        if not joins:
            continue
        last = max(joins, key=lambda r: (r.told.sent_at, r.told.key))
        if last.into_visit is None:
            continue
        found[pk].until = last.recorded_at
        if last.into_visit in found:
            found[last.into_visit].learnt += [
                Learnt(r.told, max(r.recorded_at, last.recorded_at)) for r in mine
            ]
    return found
