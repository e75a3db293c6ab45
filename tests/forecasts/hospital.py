"""An invented hospital of which everything is known: how often who comes, moves and leaves.

Hour by hour it is run from a seed, and told as `Stays` in which everything is learnt in the minute
in which it happens. Every chance that the forecast has to find is a number here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.clock import DAY, HOUR, weekday_and_hour
from flow.forecasts.history import Notes, Stays, WardFacts

START = 29_541_600 // DAY * DAY
"""A midnight in March 2026 (UTC)."""

Floats = NDArray[np.float64]


def flat(_: int) -> float:
    """As many at all times."""
    return 1.0


@dataclass(frozen=True)
class Truth:
    """How things are: numbers a day and chances an hour.

    attend: to the department. need, leave: chances an hour in it of needing a bed and of leaving.
    get: chance an hour of coming to the bed once it is asked for. direct, elective: to a ward.
    onward: chance an hour of moving from the assessment unit to a ward. go: chance an hour of
    leaving the site. arrivals: factor on all arrivals by the hour of the run. own: variance of a
    day's own factor. wards: inpatient wards beside one assessment unit (0: none).
    """

    attend: float = 120.0
    need: float = 0.06
    leave: float = 0.16
    get: float = 0.5
    direct: float = 6.0
    elective: float = 0.0
    onward: float = 0.03
    go: float = 0.009
    arrivals: Callable[[int], float] = flat
    own: float = 0.0
    wards: int = 5
    has_department: bool = True
    has_unit: bool = True
    tells_asked: bool = True

    def facts(self) -> tuple[WardFacts, ...]:
        """The wards: unknown, department, unit, then the others."""
        others = (
            WardFacts(10 + n, f"Ward {n}", "inpatient", f"specialty {n % 3}", counts=True)
            for n in range(self.wards)
        )
        return (
            WardFacts(0, "", "", "", counts=False),
            WardFacts(1, "ED", "emergency", "", counts=False),
            WardFacts(2, "AMU", "assessment", "", counts=True),
            *others,
        )


@dataclass
class _Patient:
    stay: int
    ward: int
    asked: bool = False


@dataclass
class Run:
    """What happened, hour by hour. beds: patients on wards with beds at the beginning of each hour;
    by_ward: the same by ward; waiting: in the department, and a bed is asked for; attended, came:
    arrivals of the hour in the department and in a bed."""

    stays: Stays = field(init=False)
    beds: list[int] = field(default_factory=list)
    by_ward: list[list[int]] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    attended: list[int] = field(default_factory=list)
    came: list[int] = field(default_factory=list)


def hour_factor(truth: Truth, hour: int) -> float:
    """The usual shape of a day, times what the truth says."""
    _, local = weekday_and_hour(np.array([START + hour * HOUR]))
    shape = 1 + 0.6 * np.sin((int(local[0]) - 9) / 24 * 2 * np.pi)
    return float(shape) * truth.arrivals(hour)


def run(truth: Truth, days: int, *, seed: int, full: int = 300) -> Run:
    """The hospital from `START` on, with so many patients on its wards in the beginning."""
    rng = np.random.default_rng(seed)
    notes = Notes()
    people: list[_Patient] = []
    sexes: list[int] = []
    ages: list[float] = []
    seen = Run()
    day = 1.0

    def come(ward: int, minute: int, method: int, learnt: int = 0) -> _Patient:
        stay = len(sexes)
        sexes.append(int(rng.integers(0, 2)))
        ages.append(float(rng.uniform(1, 95)))
        for name, value in (("admitted", minute), ("ward", ward), ("method", method)):
            notes.add(name, stay, max(minute, learnt), value)
        people.append(_Patient(stay, ward))
        return people[-1]

    def first() -> int:
        return 2 if truth.has_unit and rng.uniform() < 0.7 else 3 + int(rng.integers(truth.wards))

    for _ in range(full):
        ago = int(rng.exponential(1 / truth.go) * HOUR)
        come(3 + int(rng.integers(truth.wards)), START - ago, 1, START)
    for hour in range(days * 24):
        begin = START + hour * HOUR
        if hour % 24 == 0 and truth.own:
            day = float(rng.gamma(1 / truth.own, truth.own))
        seen.beds.append(sum(p.ward > 1 for p in people))
        seen.by_ward.append([sum(p.ward == n for p in people) for n in range(3 + truth.wards)])
        seen.waiting.append(sum(p.ward == 1 and p.asked for p in people))
        came = 0
        for person in list(people):
            minute = begin + int(rng.integers(1, HOUR))
            luck = rng.uniform()
            if person.ward == 1:
                if person.asked:
                    if luck < truth.get:
                        person.ward = first()
                        notes.add("ward", person.stay, minute, person.ward)
                        came += 1
                elif luck < truth.need:
                    person.asked = True
                    if truth.tells_asked:
                        notes.add("asked", person.stay, minute, minute)
                elif luck < truth.need + truth.leave:
                    notes.add("ended", person.stay, minute, minute)
                    people.remove(person)
            elif luck < truth.go:
                notes.add("ended", person.stay, minute, minute)
                people.remove(person)
            elif person.ward == 2 and luck < truth.go + truth.onward:
                person.ward = 3 + int(rng.integers(truth.wards))
                notes.add("ward", person.stay, minute, person.ward)
        factor = hour_factor(truth, hour) * day / 24
        attended = int(rng.poisson(truth.attend * factor)) if truth.has_department else 0
        for _ in range(attended):
            come(1, begin + int(rng.integers(1, HOUR)), 0)
        for number, method in ((truth.direct, 1), (truth.elective, 2)):
            for _ in range(int(rng.poisson(number * factor))):
                come(first(), begin + int(rng.integers(1, HOUR)), method)
                came += 1
        seen.attended.append(attended)
        seen.came.append(came)
    seen.stays = Stays(
        keys=np.arange(len(sexes)) + 1000,
        sexes=np.array(sexes),
        ages=np.array(ages),
        codes={"method": ("", "21", "11"), "specialty": ("",)},
        wards=truth.facts(),
        logs=notes.logs(),
    )
    return seen
