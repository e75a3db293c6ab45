"""From when on the records tell of the past: before that, empty beds are not known to be empty.

The earliest movement is no beginning: one message with a time of last year, or a patient admitted
months before the first load, tells nothing of who else was here. So movements have to come in
numbers. The rule, in one sentence: **the records begin with the first movement that opens a week
with at least 1 in 20 of the movements of a typical week, and no fewer than five**; departures are
told of from the first discharge after it that opens a week with 1 in 20 of the discharges of a
typical week, and no fewer than two. What that means:

- A typical week is the one from the middle movement on: half of all movements happened before
  it. (It is found from 101 movements evenly spread over all that were recorded, so that it costs
  the same after years.) Where it has fewer than five movements, a week like it is enough, so that
  a ward where little happens has its past as well.
- Fed live from nothing, the records begin with the first movement, at once.
- A first load begins them about where its history begins. Patients admitted months before who
  are still here tell of themselves and not of that time; and nothing is complete before people
  are told to have left.
- As many as 1 in 20 movements may carry wrong times of long ago without moving anything.
- A pilot ward that becomes a hospital keeps its past while it makes 1 in 20 of the whole: of the
  rest of the hospital nothing was known then, and its beds would look free.
- A gap later on, a feed that was down for a month, moves nothing: the first such week counts.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flow.reading import read

SETTLED: Final = timedelta(hours=24)
"""How long after its beginning a history counts as incomplete: a day of arrivals and departures."""

KEPT: Final = 60.0
"""Seconds for which a process remembers when the records begin."""

_ANEW: Final = 1.0
"""Seconds after which it looks again before it refuses a moment."""


@dataclass(frozen=True, slots=True)
class Records:
    """When the records begin; None where there are none yet.

    begin: the first of many movements at recognised places, as the module says; what wards nobody
    has recognised were said to hold, stray messages as a rule, begins nothing. departures: the
    first of many discharges since. A first load tells when those came who are still there, and
    nothing of those who had left, so until departures are told figures are too low. recorded:
    when the first stay of all was written here, however long before it had been; history that is
    loaded counts as known at its time, but no board showed it then. cleaning: from when on beds
    were said to be cleaned or to be cleaned; before it, such a bed counts as free. One bed in
    twenty may have been spoken of before, by mistake.
    """

    begin: datetime | None = None
    departures: datetime | None = None
    recorded: datetime | None = None
    cleaning: datetime | None = None

    @property
    def complete(self) -> datetime | None:
        """From when on figures of the past can be relied on; None while nothing is complete."""
        if self.begin is None or self.departures is None:
            return None
        return max(self.begin, self.departures) + SETTLED

    def tells_of(self, at: datetime) -> bool:
        """Whether anything is known of the moment."""
        return self.begin is not None and at >= self.begin

    def known_by(self, known_at: datetime) -> bool:
        """Whether anything had been recorded by then."""
        return self.recorded is not None and known_at >= self.recorded

    def is_complete(self, at: datetime, *, known_at: datetime | None = None) -> bool:
        """Whether figures of the moment are whole, as known now or at `known_at`."""
        if self.complete is None or at < self.complete:
            return False
        return known_at is None or (
            self.recorded is not None and known_at >= self.recorded + SETTLED
        )

    def tells_cleaning(self, at: datetime) -> bool:
        """Whether beds to be cleaned are known at the moment."""
        return self.cleaning is not None and at >= self.cleaning


# Reads of indexes alone: 101 movements by their key, a week of them counted, and from each
# beginning as many as it takes; a statement of a bed's is one look a bed.
_SQL: Final = """
WITH strange AS (
  SELECT array_agg(id) AS wards FROM wards_ward WHERE kind = 'unrecognised' AND same_as_id IS NULL),
middle AS (
  SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY sampled.occurred_at) AS at
    FROM (SELECT min(id) AS first, max(id) AS last FROM wards_movement) ends
   CROSS JOIN generate_series(0, 100) n
   CROSS JOIN LATERAL (SELECT m.occurred_at FROM wards_movement m
                        WHERE m.id >= ends.first + (ends.last - ends.first) * n / 100
                        ORDER BY m.id LIMIT 1) sampled),
typical AS (
  SELECT count(*) AS movements, count(*) FILTER (WHERE kind = 'discharged') AS departures
    FROM wards_movement m, middle
   WHERE m.occurred_at >= middle.at AND m.occurred_at < middle.at + interval '7 days'),
many AS (
  SELECT greatest(least(movements, 5), movements / 20)::int AS movements,
         greatest(2, departures / 20)::int AS departures FROM typical),
told AS NOT MATERIALIZED (
  SELECT m.occurred_at FROM wards_movement m
   WHERE m.ward_id <> ALL (coalesce((SELECT wards FROM strange), '{}'))),
begun AS (
  SELECT coalesce(
    (SELECT occurred_at
       FROM (SELECT occurred_at, lead(occurred_at, (SELECT movements - 1 FROM many))
                                 OVER (ORDER BY occurred_at) AS enough FROM told) t
      WHERE enough < occurred_at + interval '7 days' ORDER BY occurred_at LIMIT 1),
    (SELECT occurred_at FROM told ORDER BY occurred_at LIMIT 1)) AS at),
gone AS NOT MATERIALIZED (
  SELECT m.occurred_at FROM wards_movement m
   WHERE m.kind = 'discharged' AND m.occurred_at >= (SELECT at FROM begun)
     AND (m.ward_id IS NULL OR m.ward_id <> ALL (coalesce((SELECT wards FROM strange), '{}'))))
SELECT (SELECT at FROM begun),
       coalesce(
         (SELECT occurred_at
            FROM (SELECT occurred_at, lead(occurred_at, (SELECT departures - 1 FROM many))
                                      OVER (ORDER BY occurred_at) AS enough FROM gone) g
           WHERE enough < occurred_at + interval '7 days' ORDER BY occurred_at LIMIT 1),
         (SELECT occurred_at FROM gone ORDER BY occurred_at LIMIT 1)),
       (SELECT e.pgh_created_at FROM patients_episodeevent e ORDER BY e.pgh_id LIMIT 1),
       (SELECT percentile_disc(0.05) WITHIN GROUP (ORDER BY first.occurred_at) FROM wards_bed b
         CROSS JOIN LATERAL (SELECT s.occurred_at FROM wards_bedstatus s
                              WHERE s.bed_id = b.id AND s.status IN ('H', 'K')
                              ORDER BY s.occurred_at LIMIT 1) first)
"""


class _Remembered:
    """The records' beginning as this process last read it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records = Records()
        self._read_at = float("-inf")

    def get(self, *, at: datetime | None, known_at: datetime | None) -> Records:
        with self._lock:
            age = time.monotonic() - self._read_at
            found = self._records
            refuses = (at is not None and not found.tells_of(at)) or (
                known_at is not None and not found.known_by(known_at)
            )
            if age > KEPT or (refuses and age > _ANEW):
                [row] = read(_SQL, {})
                self._records, self._read_at = Records(*row), time.monotonic()
            return self._records

    def forget(self) -> None:
        self._read_at = float("-inf")


_remembered: Final = _Remembered()


def records(*, at: datetime | None = None, known_at: datetime | None = None) -> Records:
    """When the records begin; one query at most, and none where it was asked within a minute.

    `at`, `known_at`: what somebody asks for, so that it is not refused by an old memory.
    """
    return _remembered.get(at=at, known_at=known_at)


def forget() -> None:
    """Look again when next asked."""
    _remembered.forget()
