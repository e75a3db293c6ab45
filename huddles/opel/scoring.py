"""Scoring one provider's values by a rule set, and rolling providers up to a system.

A value that is stale or missing never moves a level silently: it leaves a range of scores that are
possible, and the level is told only where the whole range lies in one band. Pure: no Django.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Final

from huddles.opel.rule_set import Parameter, RuleSet

HEAVIEST: Final = 1_000_000.0
"""A weight is this at most, and no less than one over it: beyond, sums lose what is small."""


class BadValues(ValueError):
    """Values that cannot be scored; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Told:
    """A value that somebody or something told. as_at: when it was true; source: who told it."""

    value: float
    as_at: datetime
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One parameter. told: None where nothing was. score: of the last value, stale or not; None
    where there is none, or nobody has filled in what it scores. age: of the value."""

    parameter: Parameter
    told: Told | None
    score: int | None
    age: timedelta | None
    stale: bool

    @property
    def lowest(self) -> int:
        """The least it can score now, as far as anybody knows."""
        return self.score if self.score is not None and not self.stale else 0

    @property
    def highest(self) -> int:
        """The most it can score now, as far as anybody knows."""
        return self.score if self.score is not None and not self.stale else self.parameter.most


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What came of scoring. score: with the last value of what is stale, and nothing for what is
    missing. lowest, highest: between which it lies, whatever the stale and the missing are by
    now."""

    rule_set: RuleSet
    score: float
    lowest: float
    highest: float

    @property
    def levels(self) -> tuple[int, int] | None:
        """The lowest and the highest level that are possible; None where the rule set is not
        filled in."""
        if not self.rule_set.is_ready:
            return None
        return self.rule_set.level(self.lowest), self.rule_set.level(self.highest)

    @property
    def level(self) -> int | None:
        """The computed level; None where it is not certain."""
        low, high = self.levels or (0, 1)
        return low if low == high else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(Reached):
    """What a rule set makes of one provider's values at a moment."""

    at: datetime
    parameters: tuple[Scored, ...]


def scored(values: Mapping[str, Told], rule_set: RuleSet, *, at: datetime) -> Result:
    """Score a provider's values. Raises BadValues for a parameter that the rule set does not have,
    and for a value from after `at`."""
    if unknown := sorted(set(values) - {one.code for one in rule_set.parameters}):
        known = ", ".join(one.code for one in rule_set.parameters)
        raise BadValues(f"{unknown[0]} is no parameter of {rule_set.code}; those are {known}.")
    for code, told in values.items():
        if told.as_at > at:
            raise BadValues(f"{code} is from {told.as_at:%Y-%m-%d %H:%M}, which has not come yet.")
        if not isfinite(told.value):
            raise BadValues(f"{code} is no number.")
    found = tuple(_scored(one, values.get(one.code), at) for one in rule_set.parameters)
    return Result(
        rule_set=rule_set,
        at=at,
        parameters=found,
        score=sum(one.score or 0 for one in found),
        lowest=sum(one.lowest for one in found),
        highest=sum(one.highest for one in found),
    )


def _scored(parameter: Parameter, told: Told | None, at: datetime) -> Scored:
    if told is None:
        return Scored(parameter=parameter, told=None, score=None, age=None, stale=False)
    age = at - told.as_at
    return Scored(
        parameter=parameter,
        told=told,
        score=parameter.score(told.value) if parameter.is_filled_in else None,
        age=age,
        stale=age > parameter.stale_after,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledUp(Reached):
    """A system's score: the weighted mean of its providers' scores, not of their levels.
    providers: each with its weight."""

    providers: Mapping[str, tuple[float, Result]]


def wrong_weight(weight: float) -> str:
    """What a weight must be, where it is not that; else empty."""
    if not weight > 0:
        return "more than 0"
    return "" if 1 / HEAVIEST <= weight <= HEAVIEST else f"from 0.000001 to {HEAVIEST:.0f}"


def rolled_up(providers: Mapping[str, tuple[float, Result]], rule_set: RuleSet) -> RolledUp:
    """Roll providers up, each with its weight; weights count in proportion to their sum.

    As systems did in 2023/24: the weighted mean of the acute scores, by the same bands. Raises
    BadValues without a provider, for a weight of 0 or less or beyond all measure, and for scores by
    another rule set.
    """
    if not providers:
        raise BadValues("A system has at least one provider.")
    for name, (weight, result) in providers.items():
        if wrong := wrong_weight(weight):
            raise BadValues(f"The weight of {name} is {wrong}.")
        if result.rule_set != rule_set:
            raise BadValues(f"{name} was scored by another rule set.")
    total = sum(weight for weight, _ in providers.values())

    def mean(name: str) -> float:
        return sum(w * float(getattr(r, name)) for w, r in providers.values()) / total

    return RolledUp(
        rule_set=rule_set,
        providers=dict(providers),
        score=mean("score"),
        lowest=mean("lowest"),
        highest=mean("highest"),
    )
