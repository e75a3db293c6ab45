"""Four weeks of the whole of Northmoor, held against what an English hospital looks like."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from statistics import mean, median, quantiles

import pytest

from simulation import beds, system
from simulation.clock import DAY, HOUR, local_hour, weekday
from simulation.engine import Engine, Happening
from simulation.hazards import Stage
from simulation.places import load
from simulation.state import NOWHERE
from simulation.worlds import ORDINARY
from tests.simulation.conftest import START

DAYS = 28

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("month")]


@dataclass
class Month:
    """What was counted every hour, and every arrival and departure."""

    engine: Engine
    occupancy: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    closed: list[float] = field(default_factory=list)
    delayed: list[float] = field(default_factory=list)
    in_department: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    queue: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    stays: list[float] = field(default_factory=list)
    attendances: list[float] = field(default_factory=list)
    arrivals: Counter[tuple[int, int]] = field(default_factory=Counter)
    departures: Counter[tuple[int, int]] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    deaths: int = 0
    outliers: list[int] = field(default_factory=list)

    def hear(self, what: Happening) -> None:
        self.told[what.event] += 1
        visit = what.visit
        if visit is None:
            return
        when = (weekday(what.at), local_hour(what.at))
        if what.event == "A04" and visit.patient_class == "E":
            self.arrivals[when] += 1
        if what.event == "A03" and visit.patient_class == "E":
            self.attendances.append((what.at - visit.admitted) / HOUR)
        ward = self.engine.wards[what.ward]
        if what.event == "A03" and (ward.is_acute or ward.kind == "discharge_lounge"):
            self.stays.append((what.at - visit.admitted) / DAY)
            self.departures[when] += 1
            self.deaths += what.died

    def count(self) -> None:
        engine = self.engine
        hour = local_hour(engine.now)
        inside = [v for v in engine.state.visits.values() if v.is_here]
        for site in engine.places.acute_sites:
            acute = [b for w in engine.places.of_site(site) if w.is_acute for b in w.beds]
            occupied = sum(engine.state.occupant[b.number] != 0 for b in acute)
            core = sum(not b.is_escalation for b in acute)
            closed = sum(engine.state.condition[b.number] == "C" for b in acute)
            used = sum(b.is_escalation and engine.state.occupant[b.number] != 0 for b in acute)
            self.occupancy[site].append(occupied / (core - closed + used))
            self.closed.append(closed / core)
        self.in_department[hour].append(sum(v.patient_class == "E" for v in inside))
        self.queue[hour].append(
            sum(beds.waiting_admissions(engine, s) for s in engine.places.acute_sites)
        )
        acute_stays = [v for v in inside if v.stage is not None and engine.wards[v.ward].is_acute]
        ready = sum(v.stage in (Stage.READY, Stage.WAITING, Stage.ARRANGED) for v in acute_stays)
        self.delayed.append(ready / len(acute_stays))


@pytest.fixture(scope="module")
def month() -> Month:
    engine = system.lived_in(load(), ORDINARY, seed=20, until=START)
    month = Month(engine)
    engine.listener = month.hear
    for _ in range(24 * DAYS):
        engine.run_until(engine.now + HOUR)
        month.count()
    return month


def by_day(counts: Counter[tuple[int, int]], days: range) -> float:
    return sum(n for (day, _hour), n in counts.items() if day in days) / len(days)


def by_hour(counts: Counter[tuple[int, int]], hours: range) -> int:
    return sum(n for (_day, hour), n in counts.items() if hour in hours)


def test_hospitals_are_nearly_full_and_never_overflow(month: Month) -> None:
    for site, rates in month.occupancy.items():
        assert 0.91 < mean(rates) < 0.98, site
        assert max(rates) <= 1.0
        low, *_rest = quantiles(rates, n=20)
        assert low > 0.85
    both = [rate for rates in month.occupancy.values() for rate in rates]
    assert 0.92 < mean(both) < 0.97


def test_beds_are_fullest_before_noon_and_emptiest_in_the_evening(month: Month) -> None:
    rates = month.occupancy["NGH"]
    hours = [local_hour(START + (n + 1) * HOUR) for n in range(len(rates))]

    def at(hour: int) -> float:
        return mean(rate for rate, each in zip(rates, hours, strict=True) if each == hour)

    assert at(10) > at(19) + 0.015


def test_the_emergency_department_is_crowded_in_the_afternoon(month: Month) -> None:
    by_clock = {hour: mean(counts) for hour, counts in month.in_department.items()}
    busiest = max(by_clock, key=lambda hour: by_clock[hour])
    assert 11 <= busiest <= 20
    assert mean(by_clock[h] for h in (14, 15, 16)) > 1.6 * mean(by_clock[h] for h in (4, 5, 6))
    assert max(max(counts) for counts in month.in_department.values()) < 220


def test_arrivals_follow_hour_and_weekday(month: Month) -> None:
    day, night = by_hour(month.arrivals, range(10, 20)), by_hour(month.arrivals, range(7))
    assert day / 10 > 2.5 * night / 7
    assert by_day(month.arrivals, range(1)) > 1.05 * by_day(month.arrivals, range(2, 7))
    assert 300 < sum(month.arrivals.values()) / DAYS < 520


def test_discharges_cluster_after_the_ward_round_and_slump_at_weekends(month: Month) -> None:
    total = sum(month.departures.values())
    assert by_hour(month.departures, range(11, 18)) > 0.65 * total
    assert by_hour(month.departures, range(7)) < 0.05 * total
    weekdays, weekend = by_day(month.departures, range(5)), by_day(month.departures, range(5, 7))
    assert 0.4 < weekend / weekdays < 0.8


def test_stays_are_short_in_the_middle_and_long_in_the_tail(month: Month) -> None:
    assert 2.0 < median(month.stays) < 5.0
    assert 4.5 < mean(month.stays) < 9.0
    assert 0.02 < mean(days > 21 for days in month.stays) < 0.09
    assert max(month.stays) > 45


def test_attendances_heap_up_just_before_four_hours(month: Month) -> None:
    within = [sum(low <= hours < low + 0.25 for hours in month.attendances) for low in (3.75, 4.0)]
    assert within[0] > 1.3 * within[1]
    assert 0.55 < mean(hours < 4 for hours in month.attendances) < 0.85
    assert 0.005 < mean(hours > 12 for hours in month.attendances) < 0.12


def test_some_patients_wait_to_leave_and_some_beds_are_closed(month: Month) -> None:
    assert 0.08 < mean(month.delayed) < 0.24
    assert 0.0005 < mean(month.closed) < 0.03


def test_patients_lie_on_other_specialties_wards_but_protected_ones(month: Month) -> None:
    engine = month.engine
    own = {"paediatrics", "elective_orthopaedics"}
    elsewhere = 0
    for visit in engine.state.visits.values():
        ward = engine.wards[visit.ward] if visit.ward != NOWHERE else None
        if ward and ward.kind == "inpatient":
            differs = engine.stream(visit.stream).specialty != ward.specialty
            elsewhere += differs
            assert not (differs and ward.specialty in own)
    assert 20 < elsewhere < 350


def test_messages_are_few_enough_to_load_and_many_enough_to_watch(month: Month) -> None:
    a_day = sum(month.told.values()) / DAYS
    assert 2500 < a_day < 4500
    assert month.deaths / DAYS > 1
    assert month.told["A25"] > 20
    assert month.told["A17"] > 10
    assert month.told["A40"] > 10
