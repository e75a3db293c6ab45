"""Board rounds: when they are held, and what they find for each patient.

A round of a ward begins between half past eight and ten and takes a minute or two a patient, bed
by bed. Not every ward holds one every day, and at weekends only every other. Between rounds the
staff say at once when somebody turns ready to leave and when the leaving is arranged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from simulation.care.criteria import criteria_of
from simulation.care.people import frailty_of, residence_of
from simulation.care.stays import ROUNDS_ON, Stay, chance
from simulation.care.waits import Wait, waits
from simulation.clock import DAY, LONDON, local_time, moment_of, weekday
from simulation.hazards import Stage
from simulation.places import Places, Ward
from simulation.state import NOWHERE

DAYS_BACK: Final = 5
"""Days of rounds that are told of somebody who was there before anybody told of rounds."""
DAYS_BACK_OF_OTHERS: Final = 2
"""The same of those who still need hospital."""

_LONGEST: Final = 40  # days of rounds that the plan of a stay is followed through
_ALWAYS: Final = ("assessment", "critical_care")
_RED_OF: Final = {
    "hospital": ("therapy", "pharmacy", "senior-review", "no-plan"),
    "wellbeing": ("social-care", "no-plan"),
    "hub": ("social-care", "community-place"),
    "interface": ("social-care", "community-place"),
    "capacity": ("community-place", "social-care"),
}
_RED_OF_REASON: Final = {
    "therapy-review": "therapy",
    "medical-review": "senior-review",
    "formal-decision": "diagnostic-test",
    "medicines-and-letter": "pharmacy",
    "transport": "transport",
}
_RED_WHILE_ILL: Final = (
    ("diagnostic-test", 0.34), ("specialty-opinion", 0.18), ("senior-review", 0.14),
    ("procedure", 0.12), ("therapy", 0.12), ("no-plan", 0.10),
)  # fmt: skip
_EXCEPTIONS: Final = (
    "Senior decision: one more night of observation",
    "Senior decision: blood results trending the wrong way, review in the morning",
    "Senior decision: fluctuating confusion, not safe to move yet",
)
_NEXT_WHILE_ILL: Final = (
    "Repeat bloods and review", "Scan today, then decide", "Step down to oral antibiotics",
    "Wean oxygen", "Therapy to see on the ward", "Specialty opinion asked for",
    "Mobilise with therapy", "Review fluids and food chart", "Discuss plan with family",
)  # fmt: skip
_NEXT_WHEN_READY: Final = {
    "hospital": ("Chase the review", "Paperwork for the hub", "Letter and medicines today"),
    "wellbeing": ("Meeting with the family", "Check the home situation"),
    "hub": ("Hub to confirm needs", "Referral with the hub"),
    "interface": ("Provider to confirm the start date", "Assessment by the provider"),
    "capacity": ("Waiting for a place, review daily", "Look for another place"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One review: `at` in minutes since 1970, `round` shared by those of one round, "" outside
    rounds; `said` is what was found, in the fields of the API."""

    key: str
    at: int
    round: str
    said: Mapping[str, Any]


def findings(
    stay: Stay, places: Places, *, seed: int, now: int, expected: int = 0
) -> Iterator[Finding]:
    """What rounds found for the stay, the latest first. `expected`: its first expected discharge,
    for a stay whose hospital has given another one since."""
    # Should a round come at the very minute of a change, the round tells both.
    moments = dict(_of_changes(stay, seed, now)) | dict(_of_rounds(stay, places, seed, now))
    plans = _plans(stay, seed, sorted(moments), expected)
    there = waits(stay, seed=seed, now=now)
    back = DAYS_BACK if stay.ready is not None else DAYS_BACK_OF_OTHERS
    for at, key in sorted(moments.items(), reverse=True):
        if key and at < now - back * DAY:
            continue
        if places.wards[stay.place_at(at)[0]].kind == "virtual":
            said = _followed_at_home(stay, seed, at, plans[at])
        else:
            said = _found(stay, seed, at, plans[at], [w for w in there if _is_open(w, at)])
        yield Finding(f"nm-{seed}-{stay.visit}-{at}", at, key, said)


def _is_open(wait: Wait, at: int) -> bool:
    return wait.raised <= at and (wait.ended is None or wait.ended > at)


@lru_cache(maxsize=10_000)
def begins(ward: Ward, *, day: int, seed: int) -> int | None:
    """When the round of a ward begins on the local day of a minute; None: it is not held."""
    draw = chance(seed, ward.code, f"{moment_of(day).astimezone(LONDON):%Y-%m-%d}")
    held = 0.95 if weekday(day) < 5 or ward.kind in _ALWAYS else 0.5
    if draw.random() >= held:
        return None
    return local_time(day, days=0, hour=8, minutes=30) + draw.randrange(90)


def _of_rounds(stay: Stay, places: Places, seed: int, now: int) -> Iterator[tuple[int, str]]:
    """When rounds came to the patient, and the round: one a day at most."""
    for days in range(min(_LONGEST, (now - stay.admitted) // DAY + 1) + 1):
        noon = local_time(now, days=-days, hour=12)
        for number in dict.fromkeys(ward for _at, ward, _bed in stay.path):
            ward = places.wards[number]
            start = begins(ward, day=noon, seed=seed) if ward.kind in ROUNDS_ON else None
            if start is None or start > now:
                continue
            at = start + _turn(stay, ward, start, seed)
            if stay.admitted < at <= now and stay.place_at(at)[0] == number:
                day = f"{moment_of(noon).astimezone(LONDON):%Y-%m-%d}"
                yield at, str(uuid5(NAMESPACE_URL, f"northmoor/{seed}/{ward.code}/{day}"))
                break


def _turn(stay: Stay, ward: Ward, start: int, seed: int) -> int:
    """Minutes after its beginning at which a round comes to the patient's bed; to those who came
    to the ward meanwhile, and to those without one, at its end."""
    there, bed = stay.place_at(start)
    pace = chance(seed, ward.code, start).uniform(1.1, 2.2)
    lies_here = there == ward.number and bed != NOWHERE
    number = bed - ward.beds[0].number if lies_here else len(ward.beds)
    return round(max(0, number) * pace)


def _of_changes(stay: Stay, seed: int, now: int) -> Iterator[tuple[int, str]]:
    """Soon after somebody turned ready, and after the leaving was arranged."""
    for since, stage in stay.stages:
        if stage in (Stage.READY, Stage.ARRANGED):
            at = since + chance(seed, stay.visit, since).randrange(1, 12)
            if at <= now and stay.stage_at(at) >= Stage.READY:
                yield at, ""


def _plans(stay: Stay, seed: int, moments: list[int], expected: int) -> dict[int, int]:
    """The expected discharge that stands after each review, in order of time.

    A date that has passed slips; some do on the day itself, few before, and some are left as
    they are.
    """
    plan = expected or stay.expected or _usual_plan(stay, chance(seed, stay.visit, "plan"))
    plans = {}
    for at in moments:
        stage, draw = stay.stage_at(at), chance(seed, stay.visit, "plan", at)
        today = local_time(at, days=0, hour=0)
        if stage >= Stage.ARRANGED:
            plan = local_time(at, days=0, hour=17)
            if plan <= at:
                plan = local_time(at, days=0, hour=22)
        elif draw.random() < _chance_of_slip(plan, today):
            plan = local_time(max(plan, at), days=_slips(stay, stage, draw), hour=15)
        plans[at] = plan
    return plans


def _chance_of_slip(plan: int, today: int) -> float:
    if plan < today:
        return 0.85
    return 0.2 if plan < today + DAY else 0.015


def _usual_plan(stay: Stay, draw: Random) -> int:
    days = draw.randrange(6, 18) if stay.specialty in ("rehabilitation",) else draw.randrange(2, 8)
    if (ready := stay.ready) is not None:
        return local_time(ready, days=1, hour=15)
    return local_time(stay.admitted, days=days, hour=15)


def _slips(stay: Stay, stage: Stage, draw: Random) -> int:
    if stage is Stage.CRITICAL:
        return draw.randrange(3, 7)
    if stage is Stage.ACTIVE:
        return draw.randrange(2, 6)
    return draw.randrange(3, 8) if stay.pathway else 1


def _found(stay: Stay, seed: int, at: int, plan: int, open_now: list[Wait]) -> dict[str, Any]:
    draw = chance(seed, stay.visit, "found", at)
    stage = stay.stage_at(at)
    is_ready = stage >= Stage.READY
    said: dict[str, Any] = {
        "criteria": [] if is_ready else criteria_of(stay, stage, seed=seed, at=at),
        "expected_discharge_at": moment_of(plan).isoformat(),
        "senior_reviewed": draw.random() < (0.88 if weekday(at) < 5 else 0.62),
        **_day(stage, at, open_now, draw),
        **_of_the_person(stay, seed),
        **_going_home(stay, seed, at, plan, stage),
    }
    first_look = is_ready and (ready := stay.ready) is not None and at - ready < 12
    if first_look and chance(seed, stay.visit, "exception").random() < 0.04:
        said["exception"] = draw.choice(_EXCEPTIONS)
    else:
        said["exception"] = ""
    if is_ready:
        said["pathway"] = stay.pathway
    elif at - stay.admitted > DAY:
        said["pathway"] = 0 if chance(seed, stay.visit, "likely").random() < 0.7 else None
    steps: Sequence[str] = _NEXT_WHILE_ILL
    if is_ready:
        steps = ("Confirm the way out",) if stay.pathway else ("Home today",)
        steps = _NEXT_WHEN_READY[open_now[0].reason.family] if open_now else steps
    said["next_step"] = draw.choice(steps)
    return said


def _of_the_person(stay: Stay, seed: int) -> dict[str, Any]:
    """What lasts: how frail they were before, and where they live, where somebody asked."""
    found = {"frailty": frailty_of(stay, seed=seed), "residence": residence_of(stay, seed=seed)}
    return {name: value for name, value in found.items() if value}


def _day(stage: Stage, at: int, open_now: list[Wait], draw: Random) -> dict[str, Any]:
    """Red, with what is missing, or green."""
    chances = {Stage.CRITICAL: 0.15, Stage.ACTIVE: 0.42, Stage.READY: 0.68, Stage.WAITING: 0.85}
    red = chances.get(stage, 0.25) + (0.12 if weekday(at) >= 5 else 0.0)
    if draw.random() >= red:
        return {"day": "green", "red_reason": None}
    if open_now:
        wait = open_now[0].reason
        reason = _RED_OF_REASON.get(wait.slug) or draw.choice(_RED_OF[wait.family])
    elif stage >= Stage.READY:
        reason = draw.choice(("pharmacy", "transport", "no-plan"))
    else:
        names, weights = zip(*_RED_WHILE_ILL, strict=True)
        reason = draw.choices(names, weights)[0]
    return {"day": "red", "red_reason": reason}


def _going_home(stay: Stay, seed: int, at: int, plan: int, stage: Stage) -> dict[str, str]:
    """Medicines to take home and the way there: sought when the day is near."""
    of_the_patient = chance(seed, stay.visit, "going home")
    none_needed, driven = of_the_patient.random() < 0.08, of_the_patient.random() < 0.4
    draw = chance(seed, stay.visit, "going home", at)
    if plan - at > 2 * DAY and stage < Stage.READY:
        return {"medicines": "", "transport": ""}
    if stage < Stage.READY:
        medicines, transport = "to_prescribe", "to_book"
    elif stage < Stage.ARRANGED:
        medicines = "with_pharmacy" if draw.random() < 0.5 else "to_prescribe"
        transport = "to_book"
    else:
        medicines = "ready" if draw.random() < 0.6 else "with_pharmacy"
        transport = "booked"
    return {
        "medicines": "not_needed" if none_needed else medicines,
        "transport": transport if driven or stay.pathway > 1 else "not_needed",
    }


def _followed_at_home(stay: Stay, seed: int, at: int, plan: int) -> dict[str, Any]:
    """A virtual ward looks after people at home: criteria to reside do not apply."""
    draw = chance(seed, stay.visit, "found", at)
    steps = ("Readings stable, carry on", "Visit tomorrow", "Call this afternoon", "Step down soon")
    return {
        **_of_the_person(stay, seed),
        "expected_discharge_at": moment_of(plan).isoformat(),
        "senior_reviewed": draw.random() < 0.8,
        "day": "green",
        "next_step": draw.choice(steps),
    }
