"""What would change a level: how far each parameter is from its next cuts. Pure: no Django."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from huddles.opel.rule_set import Parameter, Worse
from huddles.opel.scoring import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A parameter at another score. value: where that begins, or where the present score ends.
    points: by how much the score changes. level: of the whole if nothing else changed; None where
    it stays as it is. reached: whether the score begins at `value`; else it ends there, and
    anything better will do."""

    parameter: Parameter
    value: float
    points: int
    level: int | None
    reached: bool

    @property
    def is_worse(self) -> bool:
        """Whether the score would rise."""
        return self.points > 0


def steps(result: Result) -> Sequence[Step]:
    """Every single step up or down of a fresh parameter that alone would change the computed
    level; the smallest change of a score first. Empty where no level is certain."""
    if result.level is None:
        return ()
    found = []
    for one in result.parameters:
        if one.told is None or one.stale or one.score is None:
            continue
        for step in _of(one.parameter, one.score):
            level = result.rule_set.level(result.lowest + step.points)
            highest = result.rule_set.level(result.highest + step.points)
            if level == highest != result.level:
                found.append(
                    Step(
                        parameter=step.parameter,
                        value=step.value,
                        points=step.points,
                        level=level,
                        reached=step.reached,
                    )
                )
    found.sort(key=lambda step: (abs(step.points), step.parameter.code))
    return _first_of_each(found)


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
    return Step(parameter=parameter, value=value, points=points, level=None, reached=reached)


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
