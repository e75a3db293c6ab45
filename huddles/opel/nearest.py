"""What would change a level: how far each parameter is from its next cuts. Pure: no Django."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from huddles.opel.rule_set import Parameter, Worse
from huddles.opel.scoring import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A parameter at another score. value: where that begins, or where the present score ends.
    points: by how much the score changes. levels: between which the whole would lie if nothing else
    changed; None where it stays as it is. reached: whether the score begins at `value`; else it
    ends there, and anything better will do."""

    parameter: Parameter
    value: float
    points: int
    levels: tuple[int, int] | None
    reached: bool

    @property
    def is_worse(self) -> bool:
        """Whether the score would rise."""
        return self.points > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """The level above or below. points: how many more, or where `is_above` is not set fewer, make
    it possible; certain: how many make it certain, whatever the missing values are; None where what
    is known cannot change by so much, so that the missing values decide."""

    level: int
    is_above: bool
    points: int
    certain: int | None

    @property
    def is_exact(self) -> bool:
        """Whether nothing is missing, so that what makes it possible makes it certain."""
        return self.points == self.certain


def steps(result: Result) -> Sequence[Step]:
    """Every single step up or down of a fresh parameter that alone would change the computed
    level, or make it uncertain; the smallest change of a score first. Empty where no level is
    certain."""
    if result.level is None:
        return ()
    found = []
    for one in result.parameters:
        if one.told is None or one.stale or one.score is None:
            continue
        for step in _of(one.parameter, one.score):
            lowest = result.rule_set.level(result.lowest + step.points)
            highest = result.rule_set.level(result.highest + step.points)
            if (lowest, highest) != (result.level, result.level):
                found.append(replace(step, levels=(lowest, highest)))
    found.sort(key=lambda step: (abs(step.points), step.parameter.code))
    return _first_of_each(found)


def to_levels(result: Result) -> Sequence[Away]:
    """How far the level above and the one below are, of those there are. Empty where no level is
    certain.

    The score lies between `lowest` and `highest`. Going up, the highest gets into the next band
    first, and it is certain once the lowest has; going down it is the other way round.
    """
    rules, level = result.rule_set, result.level
    if level is None:
        return ()
    lowest, highest = int(result.lowest), int(result.highest)
    sure = [one for one in result.parameters if one.score is not None and not one.stale]
    found = []
    if level + 1 in rules.bands:
        begins = rules.bands[level + 1]
        room = sum(one.parameter.most for one in sure) - lowest
        found.append(_away(level + 1, True, begins - highest, begins - lowest, room))
    if level > 1:
        ends = rules.bands[level] - 1
        found.append(_away(level - 1, False, lowest - ends, highest - ends, lowest))
    return tuple(found)


def _away(level: int, is_above: bool, points: int, certain: int, room: int) -> Away:
    return Away(
        level=level,
        is_above=is_above,
        points=points,
        certain=certain if certain <= room else None,
    )


def near_cuts(result: Result, *, most: int = 5) -> Sequence[Step]:
    """The next cut up or down of each fresh parameter, the nearest first: near in proportion to
    how far its cuts lie apart."""
    found = []
    for one in result.parameters:
        if one.told is None or one.stale or one.score is None:
            continue
        cuts = one.parameter.cuts
        across = abs(cuts[-1].value - cuts[0].value) or 1.0
        for step in _first_of_each(
            sorted(_of(one.parameter, one.score), key=lambda step: abs(step.points))
        ):
            far = abs(step.value - one.told.value) / across
            found.append((far, step))
    return [step for _far, step in sorted(found, key=lambda pair: pair[0])[:most]]


def _of(parameter: Parameter, score: int) -> list[Step]:
    """Its possible steps, to each score it can have."""
    found = []
    cuts = parameter.cuts
    for number, cut in enumerate(cuts):
        if cut.score > score:
            found.append(_step(parameter, cut.value, cut.score - score, reached=True))
        else:
            # Better than this cut, it scores what the cut before gives.
            below = cuts[number - 1].score if number else 0
            found.append(_step(parameter, cut.value, below - score, reached=False))
    return found


def _step(parameter: Parameter, value: float, points: int, *, reached: bool) -> Step:
    return Step(parameter=parameter, value=value, points=points, levels=None, reached=reached)


def _first_of_each(steps: Sequence[Step]) -> Sequence[Step]:
    """The smallest step of each parameter in each direction."""
    seen = set()
    found = []
    for step in steps:
        if (key := (step.parameter.code, step.is_worse)) not in seen:
            seen.add(key)
            found.append(step)
    return tuple(found)


def words(step: Step) -> str:
    """The values that would do it, as a sign and a number: `≥ 95`, `< 88`."""
    falls = step.parameter.worse is Worse.LOWER
    if step.reached:
        return f"{'≤' if falls else '≥'} {step.value:g}"
    return f"{'>' if falls else '<'} {step.value:g}"
