"""What teams said of a stay, by when it was recorded: board rounds and barriers.

Of the rounds recorded by a moment the one held last speaks, whatever the order in which they were
told. Expected discharge dates are not read here: a round tells them as a movement, in whose turn
with what feeds say `reading` finds them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np
from django.db import connection

from flow.forecasts.clock import minute_of, minute_reached
from flow.forecasts.history import Notes
from patients.models import BarrierStep, Review
from patients.readiness import Looked, readiness
from wards.models import ReferralStep

_REVIEWS: Final = """
    SELECT episode_id, id, occurred_at, recorded_at, criteria, exception <> '',
           pathway, day, medicines, transport
      FROM patients_review WHERE episode_id = ANY(%(episodes)s) AND recorded_at <= %(at)s
     ORDER BY recorded_at, id
"""
_BARRIERS: Final = """
    SELECT b.episode_id, b.id, s.kind, s.occurred_at, s.recorded_at
      FROM patients_barrierstep s JOIN patients_barrier b ON b.id = s.barrier_id
     WHERE b.episode_id = ANY(%(episodes)s) AND s.recorded_at <= %(at)s
       AND s.kind = ANY(%(kinds)s)
     ORDER BY s.recorded_at, s.id
"""
_PLACES: Final = """
    SELECT r.episode_id, r.id, s.kind, s.occurred_at, s.recorded_at
      FROM wards_referralstep s JOIN wards_referral r ON r.id = s.referral_id
     WHERE r.episode_id = ANY(%(episodes)s) AND s.recorded_at <= %(at)s
       AND s.kind <> 'rescheduled'
     ORDER BY s.recorded_at, s.id
"""
_ACCEPTS: Final = frozenset({ReferralStep.Kind.ACCEPTED})
_OPENS: Final = frozenset({BarrierStep.Kind.RAISED, BarrierStep.Kind.REOPENED})
_CLOSES: Final = frozenset(
    {BarrierStep.Kind.RESOLVED, BarrierStep.Kind.REPLACED, BarrierStep.Kind.MISTAKEN}
)
_ARRANGED: Final[Mapping[str, frozenset[str]]] = {
    "medicines": frozenset({Review.Medicines.READY, Review.Medicines.NOT_NEEDED}),
    "transport": frozenset({Review.Transport.BOOKED, Review.Transport.NOT_NEEDED}),
}

Row = tuple[int, float]


@dataclass(slots=True)
class Waits:
    """What was said of one stay: by name, the minute it was known and the value from then on."""

    said: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))

    def add(self, name: str, at: datetime, value: float) -> None:
        """Something was recorded; it counts from the minute in which that was over."""
        self.said[name].append((minute_reached(at), value))

    def note(self, notes: Notes, stay: int) -> None:
        """Write everything down under a stay's number."""
        for name, rows in self.said.items():
            for minute, value in rows:
                notes.add(name, stay, minute, value)


def waits_of(episodes: Collection[int], *, at: datetime) -> Mapping[int, Waits]:
    """What was recorded by `at` of these episodes."""
    waits: dict[int, Waits] = defaultdict(Waits)
    asked: dict[str, datetime | list[int] | list[str]] = {
        "episodes": list(episodes),
        "at": at,
        "kinds": [kind.value for kind in _OPENS | _CLOSES],
    }
    with connection.cursor() as cursor:
        cursor.execute(_REVIEWS, asked)
        reviews: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
        for episode, *row in cursor.fetchall():
            reviews[episode].append(tuple(row))
        for episode, rows in reviews.items():
            _reviewed(waits[episode], rows)
        cursor.execute(_BARRIERS, asked)
        _opened(waits, cursor.fetchall(), _OPENS, ("barriers", "oldest_barrier"))
        cursor.execute(_PLACES, asked)
        _opened(waits, cursor.fetchall(), _ACCEPTS, ("places", ""))
    return waits


def _reviewed(waits: Waits, rows: Iterable[tuple[Any, ...]]) -> None:
    """Follow the rounds of one stay in the order in which they were recorded."""
    looked: list[Looked] = []
    held: dict[str, tuple[datetime, int]] = {}
    for pk, occurred, recorded, criteria, exception, *rest in rows:
        if criteria is not None:
            looked.append(Looked(occurred, pk, tuple(criteria), exception=exception))
            periods = readiness(looked)
            is_ready = bool(periods) and periods[-1].end is None
            waits.add("ready", recorded, minute_of(periods[-1].start) if is_ready else 0)
        for name, value in _said(*rest):
            # Told after a round that was held later, it is news of the past alone.
            if (occurred, pk) > held.get(name, (occurred, 0)):
                held[name] = (occurred, pk)
                waits.add(name, recorded, value)


def _said(pathway: int | None, day: str, *arranged: str) -> Iterable[tuple[str, float]]:
    if pathway is not None:
        yield "pathway", pathway
    if day:
        yield "green", float(day == Review.Day.GREEN)
    for name, value in zip(_ARRANGED, arranged, strict=True):
        if value:
            yield name, float(value in _ARRANGED[name])


def _opened(
    waits: Mapping[int, Waits],
    rows: Iterable[tuple[int, int, str, datetime, datetime]],
    opens: Collection[str],
    names: tuple[str, str],
) -> None:
    """Count what stands open, after each step of it, and when the oldest began."""
    standing: dict[int, dict[int, int]] = defaultdict(dict)
    for episode, pk, kind, occurred, recorded in rows:
        mine = standing[episode]
        if kind in opens:
            mine.setdefault(pk, minute_of(occurred))
        else:
            mine.pop(pk, None)
        count, oldest = names
        waits[episode].add(count, recorded, len(mine))
        if oldest:
            waits[episode].add(oldest, recorded, min(mine.values()) if mine else np.nan)
