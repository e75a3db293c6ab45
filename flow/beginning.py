"""From when on the records tell of the past: before that, empty beds are not known to be empty."""

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

    begin: the earliest movement at a recognised place; what wards nobody has recognised were
    said to hold, stray messages as a rule, begins nothing. departures: the earliest discharge.
    A first load tells when those came who are still there, and nothing of those who had left,
    so until departures are told figures are too low. recorded: when the first movement of all
    was recorded. cleaning: when a bed was first said to be cleaned or to be cleaned; before it,
    such a bed counts as free.
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


# Each is a look at the beginning of an index; a statement of a bed's is one look a bed.
_SQL: Final = """
SELECT (SELECT m.occurred_at FROM wards_movement m JOIN wards_ward w ON w.id = m.ward_id
         WHERE w.kind <> 'unrecognised' OR w.same_as_id IS NOT NULL
         ORDER BY m.occurred_at LIMIT 1),
       (SELECT m.occurred_at FROM wards_movement m LEFT JOIN wards_ward w ON w.id = m.ward_id
         WHERE m.kind = 'discharged'
           AND (w.id IS NULL OR w.kind <> 'unrecognised' OR w.same_as_id IS NOT NULL)
         ORDER BY m.occurred_at LIMIT 1),
       (SELECT m.recorded_at FROM wards_movement m ORDER BY m.id LIMIT 1),
       (SELECT min(first.occurred_at) FROM wards_bed b
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
