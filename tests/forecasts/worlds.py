"""A small invented hospital whose true chances are known, told as it would have become known."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from flow.forecasts.clock import DAY, HOUR, minute_of
from flow.forecasts.history import NOT_YET, Notes, Stays, WardFacts

START = minute_of(datetime(2025, 1, 6, tzinfo=UTC))  # a Monday
_MEAN_DAYS = (0.0, 3.0, 5.0, 8.0)
_BY_HOUR = np.array([0.1] * 8 + [0.5, 1, 2, 3, 3, 3.5, 4, 4, 4, 3, 2, 1, 0.5, 0.3, 0.2, 0.1])
SPECIALTIES = ("", "100", "300", "430")


@dataclass
class Hospital:
    """`beds` in use on average; the hazard depends on specialty, weekday, age and hour, and is
    multiplied by `slow` from day `shift` on."""

    beds: int
    days: int
    seed: int = 0
    shift: int | None = None
    slow: float = 1.0
    specialty: list[int] = field(default_factory=list)
    age: list[float] = field(default_factory=list)
    admitted: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        there = np.zeros(0, dtype=np.int64)
        rate = self.beds / np.mean(_MEAN_DAYS[1:]) / 24
        for hour in range(self.days * 24):
            at = START + hour * HOUR
            gone = rng.random(there.size) < self._hourly(there, at)
            for stay in there[gone]:
                self.ended[stay] = at + int(rng.integers(1, HOUR))
            there = there[~gone]
            fresh = range(len(self.ended), len(self.ended) + rng.poisson(rate))
            for _ in fresh:
                self.specialty.append(int(rng.integers(1, 4)))
                self.age.append(float(np.clip(rng.normal(65, 18), 18, 100)))
                self.admitted.append(at + int(rng.integers(0, HOUR)))
                self.ended.append(NOT_YET)
            there = np.concatenate([there, np.array(fresh, dtype=np.int64)])

    def _hourly(self, stays: np.ndarray, at: int) -> np.ndarray:
        specialty = np.array(self.specialty, dtype=np.int64)[stays]
        age = np.array(self.age, dtype=np.float64)[stays]
        days = (at - np.array(self.admitted, dtype=np.int64)[stays]) / DAY
        weekday = (at - START) // DAY % 7
        hazard = 1 / np.array(_MEAN_DAYS[1:])[specialty - 1] * np.exp(-0.012 * (age - 65))
        hazard = hazard * (0.45 if weekday >= 5 else 1.3 if weekday == 4 else 1.0)
        hazard = hazard * np.where(days < 1, 0.5, np.where(days < 4, 1.2, 0.9))
        if self.shift is not None and at >= START + self.shift * DAY:
            hazard = hazard * self.slow
        share = _BY_HOUR[(at - START) % DAY // HOUR] / _BY_HOUR.sum()
        return np.asarray(-np.expm1(-hazard * share))

    def truth(self, stays: np.ndarray, at: int, hours: int = 24) -> np.ndarray:
        """The true chance of each of these stays, there at the full hour `at`, to end in time."""
        still = np.ones(stays.size)
        for hour in range(hours):
            still *= 1 - self._hourly(stays, at + hour * HOUR)
        return 1 - still

    def stays(self, *, told_late: int = 0) -> Stays:
        """As it became known: at once, or each departure so many minutes late."""
        notes = Notes()
        for stay, (admitted, ended) in enumerate(zip(self.admitted, self.ended, strict=True)):
            notes.add("admitted", stay, admitted, admitted)
            notes.add("ward", stay, admitted, 1)
            notes.add("specialty", stay, admitted, self.specialty[stay])
            if ended < NOT_YET:
                notes.add("ended", stay, ended + told_late, ended)
        return Stays(
            keys=np.arange(len(self.admitted)),
            sexes=np.zeros(len(self.admitted), dtype=np.int64),
            ages=np.array(self.age),
            codes={"specialty": SPECIALTIES, "method": ("",)},
            wards=(
                WardFacts(0, "", "", "", counts=False),
                WardFacts(1, "A", "inpatient", "", counts=True),
            ),
            logs=notes.logs(),
        )

    def until(self) -> int:
        """When it is over."""
        return START + self.days * DAY
