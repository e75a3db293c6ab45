"""What a simulated world is like: who comes, how long they stay, how they leave.

A `World` holds every parameter as data, so that a test or a training run can ask for another
one with `dataclasses.replace`: longer stays, a deeper weekend slump, a shift of level from
some day on. The figures of the default world are chosen to look like an English district
system of about a thousand beds; they are nobody's data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

HOME: Final = "home"
SUPPORT: Final = "support"
VIRTUAL: Final = "virtual"
REABLEMENT: Final = "reablement"
REHABILITATION: Final = "rehabilitation"
CARE_HOME: Final = "care_home"

ONWARD_KIND: Final[Mapping[str, str]] = {
    VIRTUAL: "virtual", REABLEMENT: "reablement",
    REHABILITATION: "community", CARE_HOME: "care_home",
}  # fmt: skip
"""The kind of ward that a way out leads to; the other ways need no place that we can see."""


@dataclass(frozen=True, slots=True)
class Course:
    """One way an illness may run: days until medically ready are log-normal."""

    weight: float
    median_days: float
    sigma: float


@dataclass(frozen=True, slots=True)
class Stream:
    """Patients of one kind. `share` weighs emergencies; `lists` is the part of their wards' beds
    that is planned for operations and treatments on a list.

    `unit` is the specialty of the assessment unit they go through first, empty for straight to
    the ward; `pathways` weighs the ways out; `critical` and `worsens` are the chance of starting
    in critical care and the daily hazard of getting there; `dies` the daily hazard of death.
    """

    name: str
    specialty: str
    family: str
    share: float
    courses: tuple[Course, ...]
    ages: tuple[float, float]
    pathways: Mapping[str, float]
    unit: str = ""
    lists: float = 0.0
    critical: float = 0.0
    worsens: float = 0.0
    dies: float = 0.002
    female: float = 0.5


@dataclass(frozen=True, slots=True)
class Onward:
    """A service after hospital. With `staged` its patients leave the way hospital patients do."""

    way: str
    specialty: str
    course: Course
    staged: bool = False
    dies: float = 0.002


@dataclass(frozen=True, slots=True)
class Shift:
    """From `since` (minutes since 1970) on, the world runs otherwise: each rate times a factor."""

    since: int
    recovery: float = 1.0
    leaving: float = 1.0
    arrivals: float = 1.0


@dataclass(frozen=True, slots=True)
class World:
    """All parameters. Hourly profiles start at local midnight, weekly ones on Monday.

    `ready_by_hour` and `ready_by_day` are weights around the recovery of the course;
    `arrange_*` and `leave_by_hour` are hazards an hour, once ready and once arranged.
    `load` is the emergency and elective demand as a part of all acute core beds; a little over
    what they bear, for a real hospital is full and turns the rest away.
    """

    name: str
    streams: tuple[Stream, ...]
    onward: tuple[Onward, ...]
    ready_by_hour: tuple[float, ...]
    ready_by_day: tuple[float, ...]
    arrange_home: tuple[float, ...]
    arrange_home_by_day: tuple[float, ...]
    arrange_days: Mapping[str, float]
    office_hours: tuple[float, ...]
    office_days: tuple[float, ...]
    leave_by_hour: tuple[float, ...]
    leave_by_day: tuple[float, ...]
    lounge_by_hour: tuple[float, ...]
    lounge_share: float
    falls_through: float
    loses_patience: float
    ed_by_hour: tuple[float, ...]
    ed_by_day: tuple[float, ...]
    conversion: float
    gp_share: float
    day_cases: float
    load: float
    outbreaks_per_day: float
    places_limit_discharge: bool = True
    shifts: tuple[Shift, ...] = ()


def _by_hour(text: str) -> tuple[float, ...]:
    values = tuple(float(word) for word in text.split())
    if len(values) != 24:
        raise ValueError("an hourly profile has 24 values")
    return values


_ADULT: Final = {
    HOME: 0.81, VIRTUAL: 0.07, SUPPORT: 0.07, REABLEMENT: 0.03, REHABILITATION: 0.015,
    CARE_HOME: 0.005,
}  # fmt: skip
_FRAIL: Final = {
    HOME: 0.50, VIRTUAL: 0.07, SUPPORT: 0.20, REABLEMENT: 0.09, REHABILITATION: 0.095,
    CARE_HOME: 0.045,
}  # fmt: skip
_INJURED: Final = {
    HOME: 0.62, SUPPORT: 0.16, REABLEMENT: 0.08, REHABILITATION: 0.12, CARE_HOME: 0.02,
}  # fmt: skip
_SURGICAL: Final = {HOME: 0.91, SUPPORT: 0.05, REABLEMENT: 0.03, REHABILITATION: 0.01}
_CHILD: Final = {HOME: 1.0}


def _courses(short: float, short_days: float, long_days: float, sigma: float) -> tuple[Course, ...]:
    long = Course(1 - short, long_days, sigma)
    return (Course(short, short_days, 0.65), long) if short else (long,)


def _medical(
    name: str,
    share: float,
    courses: tuple[Course, ...],
    age: float,
    unit: str = "acute_medicine",
    **more: float,
) -> Stream:
    ways = _FRAIL if age > 74 else _ADULT
    return Stream(name, name, "medical", share, courses, (age, 14.0), ways, unit, **more)


def _surgical(
    name: str,
    share: float,
    courses: tuple[Course, ...],
    age: float,
    unit: str = "acute_surgery",
    **more: float,
) -> Stream:
    ways = _INJURED if name == "trauma_orthopaedics" else _SURGICAL
    return Stream(name, name, "surgical", share, courses, (age, 17.0), ways, unit, **more)


_STREAMS: Final = (
    _medical("general_medicine", 19, _courses(0.60, 1.2, 5.5, 0.80), 66,
        critical=0.04, worsens=0.002),
    _medical("respiratory", 14, _courses(0.40, 1.4, 6.0, 0.75), 69,
        critical=0.1, worsens=0.006, dies=0.006),
    _medical("cardiology", 11, _courses(0.45, 1.2, 5.0, 0.70), 69,
        critical=0.04, worsens=0.004, lists=0.15),
    _medical("gastroenterology", 8, _courses(0.45, 1.3, 5.5, 0.75), 60,
        critical=0.06, worsens=0.003, lists=0.1),
    _medical("elderly_medicine", 16, _courses(0.28, 1.6, 9.0, 0.75), 84, "acute_frailty",
        dies=0.008),
    _medical("diabetes_endocrine", 4, _courses(0.50, 1.2, 5.0, 0.70), 62, critical=0.06),
    _medical("stroke", 4, _courses(0.15, 2.0, 8.5, 0.85), 76, "", dies=0.006),
    _medical("renal", 2.5, _courses(0.30, 1.5, 6.0, 0.75), 67, critical=0.08, lists=0.2),
    _medical("haematology_oncology", 3.5, _courses(0.25, 1.5, 6.5, 0.80), 64,
        dies=0.006, lists=0.65),
    _surgical("general_surgery", 11, _courses(0.55, 1.2, 4.5, 0.75), 56,
        critical=0.08, worsens=0.003, lists=0.34),
    _surgical("colorectal_surgery", 1.5, _courses(0.0, 1.0, 6.0, 0.65), 66,
        critical=0.3, lists=0.75),
    _surgical("vascular_surgery", 1.5, _courses(0.15, 1.5, 7.0, 0.80), 70,
        critical=0.24, lists=0.6),
    _surgical("urology", 4, _courses(0.55, 1.1, 3.5, 0.70), 64, lists=0.38),
    _surgical("trauma_orthopaedics", 9, _courses(0.35, 1.6, 9.0, 0.65), 75, "",
        critical=0.02, dies=0.004),
    _surgical("elective_orthopaedics", 0, _courses(0.0, 1.0, 2.6, 0.50), 68, "",
        lists=0.86, dies=0.0003),
    _surgical("gynaecology", 2.5, _courses(0.60, 1.1, 3.0, 0.60), 47,
        female=1.0, lists=0.55, dies=0.0003),
    _surgical("ear_nose_throat", 2, _courses(0.65, 1.0, 3.0, 0.65), 51, lists=0.55, dies=0.0005),
    Stream("paediatrics", "paediatrics", "children", 11, _courses(0.70, 0.9, 2.8, 0.70),
        (5.0, 4.5), _CHILD, dies=0.0001),
)  # fmt: skip

_ONWARD: Final = (
    Onward(VIRTUAL, "acute_medicine", Course(1.0, 7.0, 0.45), dies=0.001),
    Onward(REABLEMENT, "reablement", Course(1.0, 24.0, 0.45), dies=0.001),
    Onward(REHABILITATION, "rehabilitation", Course(1.0, 17.0, 0.55), staged=True),
    Onward(CARE_HOME, "nursing_home", Course(1.0, 27.0, 0.40), dies=0.004),
)

ORDINARY: Final = World(
    name="ordinary",
    streams=_STREAMS,
    onward=_ONWARD,
    # Decisions follow the morning ward round; few fall at night.
    ready_by_hour=_by_hour(
        "0.05 0.05 0.05 0.05 0.05 0.05 0.10 0.30 1.50 3.00 3.60 3.20 "
        "2.40 2.00 1.80 1.50 1.20 0.80 0.50 0.30 0.20 0.10 0.05 0.05"
    ),
    ready_by_day=(1.15, 1.10, 1.05, 1.05, 1.15, 0.72, 0.62),
    arrange_home=_by_hour(
        "0.01 0.01 0.01 0.01 0.01 0.01 0.02 0.05 0.15 0.40 0.55 0.55 "
        "0.55 0.55 0.55 0.50 0.45 0.30 0.15 0.08 0.04 0.02 0.01 0.01"
    ),
    arrange_home_by_day=(1.0, 1.0, 1.0, 1.0, 1.0, 0.7, 0.6),
    # Mean days, weekends included, from ready until everything but a place is agreed.
    arrange_days={VIRTUAL: 0.4, SUPPORT: 2.6, REABLEMENT: 1.6, REHABILITATION: 1.5, CARE_HOME: 6.0},
    office_hours=_by_hour("0 0 0 0 0 0 0 0 0.3 1 1.3 1.3 1 1 1.3 1.3 1 0.5 0 0 0 0 0 0"),
    office_days=(1.0, 1.0, 1.0, 1.0, 1.1, 0.20, 0.10),
    leave_by_hour=_by_hour(
        "0.01 0.01 0.01 0.01 0.01 0.01 0.02 0.04 0.06 0.12 0.24 0.38 "
        "0.42 0.42 0.46 0.50 0.50 0.45 0.35 0.25 0.15 0.08 0.03 0.01"
    ),
    leave_by_day=(1.0, 1.0, 1.0, 1.0, 1.05, 0.85, 0.75),
    lounge_by_hour=_by_hour(
        "3 3 3 3 3 3 3 3 0.6 0.6 0.6 0.6 0.6 0.6 0.6 0.6 0.7 0.8 1.2 2 3 3 3 3"
    ),
    lounge_share=0.35,
    falls_through=0.04,
    loses_patience=0.05,
    ed_by_hour=_by_hour(
        "0.55 0.45 0.38 0.33 0.30 0.32 0.42 0.65 1.00 1.40 1.55 1.55 "
        "1.45 1.40 1.35 1.35 1.40 1.45 1.45 1.35 1.20 1.05 0.85 0.70"
    ),
    ed_by_day=(1.12, 1.03, 0.99, 0.97, 0.97, 0.95, 0.97),
    conversion=0.29,
    gp_share=0.14,
    day_cases=46.0,
    load=1.10,
    outbreaks_per_day=0.35,
)


def slower(world: World, *, recovery: float, since: int) -> World:
    """The same world in which, from a minute on, recovery runs at `recovery` of its pace."""
    return replace(
        world,
        name=f"{world.name}, recovery x{recovery:g}",
        shifts=(*world.shifts, Shift(since=since, recovery=recovery)),
    )


def weekend_slump(world: World, *, depth: float) -> World:
    """The same world with weekend decisions and departures `depth` times the ordinary ones."""

    def slumped(days: tuple[float, ...]) -> tuple[float, ...]:
        return (*days[:5], days[5] * depth, days[6] * depth)

    return replace(
        world,
        name=f"{world.name}, weekends x{depth:g}",
        ready_by_day=slumped(world.ready_by_day),
        arrange_home_by_day=slumped(world.arrange_home_by_day),
        office_days=slumped(world.office_days),
        leave_by_day=slumped(world.leave_by_day),
    )


def longer_stays(world: World, *, factor: float) -> World:
    """The same world with every course `factor` times as long."""

    def longer(stream: Stream) -> Stream:
        courses = (replace(c, median_days=c.median_days * factor) for c in stream.courses)
        return replace(stream, courses=tuple(courses))

    return replace(
        world,
        name=f"{world.name}, stays x{factor:g}",
        streams=tuple(longer(stream) for stream in world.streams),
    )
