"""What patients need of a bed, as their nurses say it: some for the whole stay, some until they
are better. A function of the case, the seed and the clock alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

import yaml

from simulation.care.cases import Case, first_said
from simulation.care.people import frailty_of
from simulation.care.stays import chance, hours
from simulation.hazards import Stage

FILE: Final = Path(__file__).with_name("needs.yaml")
ALWAYS: Final = 2**40
"""A minute that does not come."""
_ACUTE: Final = 10
_LISTS: Final = ("infections", "requires", "corridor_groups")
_FLAGS: Final = ("not_alone", "falls_risk", "wanders", "immunosuppressed", "end_of_life")


@dataclass(frozen=True, slots=True)
class Needed:
    """One thing that is needed from one minute to another: `field` as the API has it, and what is
    true of it, the entry of a list or the value."""

    field: str
    value: Any
    begins: int
    ends: int = ALWAYS

    def holds(self, now: int) -> bool:
        """Whether it is needed at a minute."""
        return self.begins <= now < self.ends


@dataclass(frozen=True, slots=True)
class Saying:
    """All that is needed, and the minute from which it has been so."""

    at: int
    said: Mapping[str, Any]


def needs_of(case: Case, *, seed: int, now: int) -> Saying | None:
    """What stands at a minute; None where nobody can have said it yet."""
    first = first_said(case, seed=seed)
    if first > now:
        return None
    found = list(_needed(case, first, seed))
    changes = [at for one in found for at in (one.begins, one.ends) if at <= now]
    said: dict[str, Any] = {"isolation": "", "acuity": 0}
    said |= {name: [] for name in _LISTS} | dict.fromkeys(_FLAGS, False)
    for one in found:
        if not one.holds(now):
            continue
        if one.field in _LISTS:
            said[one.field] = sorted({*said[one.field], one.value})
        elif one.field == "acuity":
            said["acuity"] = max(said["acuity"], one.value)
        else:
            said[one.field] = one.value
    return Saying(max([first, *changes]), said)


def _needed(case: Case, first: int, seed: int) -> Iterator[Needed]:
    # Of the person and what they came with: the ward says what the emergency department said.
    draw = chance(seed, case.person, "needs", case.stream)
    better = case.entered if case.is_ready else ALWAYS
    yield from _features(case, first, better, draw)
    yield from _of_the_ill(case, first, better, draw)
    yield from _watched(case, first, seed, draw)
    yield from _apart(case, first)
    yield from _level(case, first, better, draw)
    yield from _never_in_a_corridor(case, first, seed, draw)


def _features(case: Case, first: int, better: int, draw: Random) -> Iterator[Needed]:
    for name, shares in _figures()["features"].items():
        median = shares.get("hours")
        ends = case.since + hours(draw, median) if median else ALWAYS
        if draw.random() < _share(shares, case.stream):
            yield Needed("requires", name, first, min(ends, better) if median else ALWAYS)


def _of_the_ill(case: Case, first: int, better: int, draw: Random) -> Iterator[Needed]:
    figures = _figures()
    if draw.random() < _share(figures["immunosuppressed"], case.stream):
        yield Needed("immunosuppressed", True, first)
    known = case.since + hours(draw, figures["end_of_life"]["hours"])
    if draw.random() < _share(figures["end_of_life"], case.stream) and better == ALWAYS:
        yield Needed("end_of_life", True, max(first, known))
        yield Needed("corridor_groups", "end_of_life", max(first, known))


def _watched(case: Case, first: int, seed: int, draw: Random) -> Iterator[Needed]:
    figures = _figures()
    frailty = frailty_of(case, seed=seed)
    if draw.random() < _by_frailty(figures["falls_risk"], frailty, case.age):
        yield Needed("falls_risk", True, first)
    wanders = draw.random() < _by_frailty(figures["wanders"], frailty, case.age)
    alone = figures["not_alone_of_wandering" if wanders else "not_alone_of_others"]
    watched, seen = draw.random() < alone, draw.random() < figures["watched_of_not_alone"]
    if wanders:
        yield Needed("wanders", True, first)
        yield Needed("corridor_groups", "delirium_dementia", first)
    if watched:
        # With an infection they would have to be alone: somebody sits with them.
        yield from [] if case.infection else [Needed("not_alone", True, first)]
        if seen:
            yield Needed("requires", "high_visibility", first)
    if frailty is not None and frailty >= 7:
        yield Needed("corridor_groups", "severe_frailty", first)


def _apart(case: Case, first: int) -> Iterator[Needed]:
    found = case.infection
    if found is None:
        return
    ends = case.since + found.minutes if found.minutes else ALWAYS
    how = "negative_pressure" if found.is_airborne else "side_room"
    yield Needed("isolation", how, first, max(first, ends))
    yield Needed("infections", found.name, first, max(first, ends))
    yield Needed("corridor_groups", "isolation", first, max(first, ends))
    if found.name in ("norovirus", "c_difficile"):
        yield Needed("requires", "ensuite", first, max(first, ends))


def _level(case: Case, first: int, better: int, draw: Random) -> Iterator[Needed]:
    """Levels of care (Intensive Care Society, Levels of adult critical care, 2021)."""
    figures = _figures()
    ends = min(better, case.since + hours(draw, figures["level_1"]["hours"]))
    highest = draw.random() < figures["level_3_in_critical_care"]
    if draw.random() < _share(figures["level_1"], case.stream):
        yield Needed("acuity", 1, first, ends)
    second = draw.random() < figures["level_2_of_resuscitation"]
    if case.place == "emergency" and case.is_severe and second:
        yield Needed("acuity", 2, first)
    if case.stage is Stage.CRITICAL:
        begins = max(first, case.entered + _ACUTE)
        yield Needed("acuity", 3 if highest else 2, begins)
        if highest:
            yield Needed("requires", "ventilator", begins)


def _never_in_a_corridor(case: Case, first: int, seed: int, draw: Random) -> Iterator[Needed]:
    figures = _figures()
    if case.age < 16:
        yield Needed("corridor_groups", "child", first)
    scores = figures["news2_over_5"]
    sort = "planned" if case.is_planned else "resuscitation" if case.is_severe else "others"
    ends = case.since + hours(draw, scores["hours"])
    if draw.random() < scores[sort] and ends > first:
        yield Needed("corridor_groups", "news2_over_5", first, ends)
    crisis = draw.random() < figures["mental_health_crisis"]
    if crisis and case.place == "emergency" and 16 <= case.age < 65:
        yield Needed("corridor_groups", "mental_health_crisis", first)


@cache
def _figures() -> Mapping[str, Any]:
    content: Mapping[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return content


def _share(shares: Mapping[str, Any], stream: str) -> float:
    return float((shares.get("streams") or {}).get(stream, shares["default"]))


def _by_frailty(shares: Mapping[Any, float], frailty: int | None, age: float) -> float:
    if frailty is None:
        return shares["unscored_from_75" if age >= 75 else "unscored"]
    return next(shares[score] for score in (7, 5, 1) if frailty >= score)
