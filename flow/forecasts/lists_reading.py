"""Reads who was expected at a site by name, when, and what became of it.

Electives as listed and patients sent in by a doctor are announced by movements (a pre-admission, a
pending admission); places at the site that were accepted for a patient by the steps of referrals.
Both are facts that are never edited, so that a past moment sees what was known then.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import numpy as np

from flow.forecasts.clock import minute_of, minute_reached
from flow.forecasts.history import NOT_YET
from flow.forecasts.listed import Listed
from flow.forecasts.paths import Way, way_of
from flow.reading import read
from wards.facts import MovementKind as Kind
from wards.models import ReferralStep, Site

_ANNOUNCES: Final = {Kind.EXPECTED: Way.ELECTIVE, Kind.PENDING_ADMIT: Way.EMERGENCY}
"""What puts somebody on a list, and by which way they come where no admission method is told."""
_COMES: Final = frozenset({Kind.ADMITTED, Kind.TRANSFERRED, Kind.OBSERVED})
_DROPS: Final = frozenset(
    {
        Kind.CANCELLED_EXPECTED,
        Kind.CANCELLED_PENDING_ADMIT,
        Kind.CANCELLED_ADMIT,
        Kind.DELETED,
    }
)
_ACCEPTED_SINCE: Final = timedelta(days=60)
"""How long ago a place may have accepted a patient who is expected still."""
_SEXES: Final = {"female": 0, "male": 1}
_HERE: Final = """
    WITH here AS (SELECT w.id, coalesce(w.same_as_id, w.id) AS is
                    FROM wards_ward w LEFT JOIN wards_ward real ON real.id = w.same_as_id
                   WHERE coalesce(real.site_id, w.site_id) = %(site)s)
"""
_ANNOUNCED: Final = """
    SELECT DISTINCT m.visit_id AS id FROM wards_movement m
     WHERE m.kind = ANY(%(kinds)s) AND m.recorded_at BETWEEN %(since)s AND %(at)s
       AND coalesce(m.wanted_ward_id, m.ward_id) IN (SELECT id FROM here)
"""
_EXPECTED: Final = (
    "SELECT DISTINCT e.visit_id AS id FROM patients_episode e WHERE e.status = 'expected'"
)
_MOVEMENTS: Final = """
    SELECT m.visit_id, m.kind, m.recorded_at, m.occurred_at, m.admitted_at,
           m.stay->>'expected_at', m.stay->>'admission_method', m.stay->>'specialty',
           here.is, p.sex, last.id
      FROM wards_movement m
      JOIN named ON named.id = m.visit_id
      JOIN patients_visit v ON v.id = m.visit_id
      JOIN patients_patient p ON p.id = v.patient_id
      LEFT JOIN here ON here.id = coalesce(m.wanted_ward_id, m.ward_id)
      LEFT JOIN LATERAL (SELECT e.id FROM patients_episode e WHERE e.visit_id = m.visit_id
                          ORDER BY e.ordinal DESC LIMIT 1) last ON true
     WHERE m.recorded_at <= %(at)s
     ORDER BY m.visit_id, m.recorded_at, m.sent_at, m.id
"""
_STEPS: Final = f"""
    {_HERE}
    SELECT r.id, s.kind, s.recorded_at, s.occurred_at, s.starts_at, here.is, p.sex, e.id,
           e.specialty
      FROM wards_referralstep s
      JOIN wards_referral r ON r.id = s.referral_id
      JOIN here ON here.id = r.ward_id
      JOIN patients_episode e ON e.id = r.episode_id
      JOIN patients_patient p ON p.id = e.patient_id
     WHERE s.recorded_at BETWEEN %(since)s AND %(at)s
     ORDER BY r.id, s.recorded_at, s.id
"""  # noqa: S608 - put together from constants


@dataclass(frozen=True, slots=True)
class _One:
    """Somebody on a list; see `Listed`."""

    key: int
    way: Way
    listed: int
    planned: int
    ward: int
    specialty: str
    sex: int
    came: int = NOT_YET
    dropped: int = NOT_YET


def read_lists(site: Site, *, since: datetime, at: datetime) -> Listed:
    """Who was put on a list for the site since a moment, as was known at `at`; two queries."""
    return _read(site, _ANNOUNCED, since, at)


def read_expected(site: Site, *, at: datetime) -> Listed:
    """Who is expected at the site, as is known at `at`, which is about now; two queries."""
    return _read(site, _EXPECTED, at - _ACCEPTED_SINCE, at)


def _read(site: Site, visits: str, since: datetime, at: datetime) -> Listed:
    asked = {
        "site": site.pk,
        "since": since,
        "at": at,
        "kinds": [kind.value for kind in _ANNOUNCES],
    }
    movements = f"{_HERE}, named AS ({visits}) {_MOVEMENTS}"
    people: list[_One] = []
    for _, rows in groupby(read(movements, asked), key=itemgetter(0)):
        people += _announced(rows)
    for _, rows in groupby(read(_STEPS, asked), key=itemgetter(0)):
        people += _accepted(rows)
    people = [one for one in people if one.ward]  # others are expected elsewhere
    return Listed(
        keys=np.array([one.key for one in people], dtype=np.int64),
        way=np.array([one.way for one in people], dtype=np.int64),
        listed=np.array([one.listed for one in people], dtype=np.int64),
        planned=np.array([one.planned for one in people], dtype=np.int64),
        came=np.array([one.came for one in people], dtype=np.int64),
        dropped=np.array([one.dropped for one in people], dtype=np.int64),
        ward=np.array([one.ward for one in people], dtype=np.int64),
        specialty=np.array([one.specialty for one in people], dtype=str),
        sexes=np.array([one.sex for one in people], dtype=np.int64),
    )


def _announced(rows: Iterable[tuple[Any, ...]]) -> Iterable[_One]:
    """Those of one visit, in the order in which its movements became known."""
    now: _One | None = None
    is_here = False
    for _, said, recorded, occurred, admitted, *stay, ward, sex, episode in rows:
        kind, learnt = Kind(said), minute_reached(recorded)
        if kind in _ANNOUNCES and not is_here:
            if now is None:
                now = _One(
                    key=episode or 0, way=_ANNOUNCES[kind], listed=learnt,
                    planned=minute_of(occurred), ward=0, specialty="", sex=_SEXES.get(sex, 2),
                )  # fmt: skip
            now = _told(replace(now, ward=ward or now.ward), *stay)
        elif kind in _COMES:
            is_here = True
            if now is not None:
                yield replace(now, came=minute_of(admitted or occurred))
            now = None
        elif kind is Kind.DISCHARGED:
            is_here = False
        elif kind in _DROPS and now is not None:
            yield replace(now, dropped=learnt)
            now = None
    if now is not None:
        yield now


def _told(one: _One, planned: str | None, method: str | None, specialty: str | None) -> _One:
    """The same with what a movement said of the stay."""
    if planned:
        one = replace(one, planned=minute_of(datetime.fromisoformat(planned)))
    if method:
        one = replace(one, way=way_of(method))
    return replace(one, specialty=specialty or one.specialty)


def _accepted(rows: Iterable[tuple[Any, ...]]) -> Iterable[_One]:
    """The patient of one referral, once a place has accepted them."""
    now: _One | None = None
    for _, kind, recorded, occurred, starts, ward, sex, episode, specialty in rows:
        if kind in (ReferralStep.Kind.ACCEPTED, ReferralStep.Kind.RESCHEDULED) and starts:
            learnt, planned = minute_reached(recorded), minute_of(starts)
            now = replace(now, planned=planned) if now else _One(
                episode, Way.OTHER, learnt, planned, ward, specialty, _SEXES.get(sex, 2)
            )  # fmt: skip
        elif kind == ReferralStep.Kind.PLACED and now:
            now = replace(now, came=minute_of(occurred))
        elif kind in (ReferralStep.Kind.DECLINED, ReferralStep.Kind.WITHDRAWN) and now:
            now = replace(now, dropped=minute_reached(recorded))
    if now is not None:
        yield now
