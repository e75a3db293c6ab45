"""A rule set: which parameters count, what each value scores, and which score is which level.

Pure: no Django.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from math import isfinite
from typing import Final

LEVELS = (1, 2, 3, 4)
HIGHEST_SCORE: Final = 1000
"""Of one parameter: far more than any framework gives, and little enough to add up."""
LONGEST: Final = timedelta(days=31)
"""For how long a value may count as fresh at most."""
Bounds = tuple[float, float]
_OF_UNIT: Final[Mapping[str, Bounds]] = {"percent": (0, 100), "minutes": (0, 7 * 24 * 60)}
_ELSE: Final[Bounds] = (0, 1_000_000)
_BEYOND: Final[Mapping[str, Bounds]] = {
    "attendance_variation": (-100, 1000),
    "majors_resus_occupancy": (0, 500),
    "ga_occupancy": (0, 200),
}
"""Where a rule set does not say: per cent of something that is no share of it. Less may come than
was expected, and more patients be there than places."""


def bounds_of(code: str, unit: str) -> Bounds:
    """Between which values a parameter can be where its rule set does not say."""
    return _BEYOND.get(code) or _OF_UNIT.get(unit, _ELSE)


class BadRuleSet(ValueError):
    """A rule set that cannot be used; the text says where and why."""


class Worse(StrEnum):
    """Which values of a parameter tell of more pressure."""

    HIGHER = "higher"
    LOWER = "lower"


class Rounding(StrEnum):
    """What becomes of a score between two whole numbers, as a weighted mean of sites gives one."""

    HALF_UP = "half_up"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Cut:
    """From this value on, towards the worse, this score."""

    value: float
    score: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One measured pressure.

    unit: of its values. cuts: from the best to the worst, scores rising; a value better than the
    first cut scores 0. Empty: nobody has filled them in, so that it scores nothing yet and its
    rule set gives no level. stale_after: how old a value may be before it counts as stale. bounds:
    what is beyond them cannot be, so that nobody may tell it. confirmed: whether it is known from
    what was published that the framework has this parameter in this place; else that is inferred.
    """

    code: str
    name: str
    unit: str
    worse: Worse
    cuts: tuple[Cut, ...]
    stale_after: timedelta
    bounds: Bounds = _ELSE
    confirmed: bool = False

    def __post_init__(self) -> None:
        scores = [cut.score for cut in self.cuts]
        if scores != sorted(set(scores)) or any(score < 1 for score in scores):
            raise BadRuleSet(f"{self.code}: the scores of its cuts rise from 1 on.")
        if self.most > HIGHEST_SCORE:
            raise BadRuleSet(f"{self.code}: it scores {HIGHEST_SCORE} at most.")
        values = [cut.value for cut in self.cuts]
        if not all(isfinite(value) for value in (*values, *self.bounds)):
            raise BadRuleSet(f"{self.code}: its cuts and bounds are numbers.")
        ordered = sorted(set(values), reverse=self.worse is Worse.LOWER)
        if values != ordered:
            towards = "fall" if self.worse is Worse.LOWER else "rise"
            raise BadRuleSet(f"{self.code}: {self.worse} is worse, so its cuts {towards}.")
        if not timedelta(0) < self.stale_after <= LONGEST:
            raise BadRuleSet(
                f"{self.code}: a value is fresh for some time, {LONGEST.days} days at most."
            )
        if self.bounds[0] >= self.bounds[1]:
            raise BadRuleSet(f"{self.code}: its bounds are the least and the most it can be.")

    @property
    def most(self) -> int:
        """The most it can score; 0 while nobody has said."""
        return self.cuts[-1].score if self.cuts else 0

    def can_be(self, value: float) -> bool:
        """Whether a value lies within the bounds."""
        return self.bounds[0] <= value <= self.bounds[1]

    @property
    def is_filled_in(self) -> bool:
        """Whether anybody has said what its values score."""
        return bool(self.cuts)

    def score(self, value: float) -> int:
        """What a value scores; never less for a worse one. Raises BadRuleSet without cuts."""
        if not self.cuts:
            raise BadRuleSet(f"{self.code}: nobody has filled in its cut-offs.")
        lower = self.worse is Worse.LOWER
        return max(
            (
                cut.score
                for cut in self.cuts
                if (value <= cut.value if lower else value >= cut.value)
            ),
            default=0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """Everything by which a level is computed, as one version of it said.

    example: cut-offs of it are invented, to be replaced. dates_confirmed: whether the days from
    which and until which it holds are those that were published. bands: by level the lowest score
    of it; the level is the highest one whose lowest score is reached. Empty while nobody could
    confirm them. rounding: of a score between two whole numbers, before the bands.
    """

    code: str
    name: str
    version: str
    valid_from: date
    valid_until: date | None
    example: bool
    source: str
    parameters: tuple[Parameter, ...]
    bands: Mapping[int, int]
    rounding: Rounding = Rounding.HALF_UP
    dates_confirmed: bool = False

    def __post_init__(self) -> None:
        codes = [one.code for one in self.parameters]
        if not codes or len(set(codes)) < len(codes):
            raise BadRuleSet("A rule set has parameters, each with a code of its own.")
        if self.bands:
            self._check_bands()
        if self.valid_until is not None and self.valid_until <= self.valid_from:
            raise BadRuleSet("It ends before it begins.")

    def _check_bands(self) -> None:
        if tuple(self.bands) != LEVELS:
            raise BadRuleSet("Bands name the lowest score of each of the levels 1, 2, 3 and 4.")
        lows = list(self.bands.values())
        if lows[0] != 0 or lows != sorted(set(lows)):
            raise BadRuleSet("Bands rise from 0 at level 1.")
        if self.is_ready and lows[-1] > self.most:
            raise BadRuleSet(f"Level 4 begins at {lows[-1]}; nobody can score over {self.most}.")

    @property
    def most(self) -> int:
        """The most anybody can score."""
        return sum(one.most for one in self.parameters)

    @property
    def not_filled_in(self) -> Sequence[str]:
        """Parameters of which nobody has said what their values score."""
        return [one.code for one in self.parameters if not one.is_filled_in]

    @property
    def is_ready(self) -> bool:
        """Whether it gives a level: its bands and every cut-off are there."""
        return bool(self.bands) and not self.not_filled_in

    def level(self, score: float) -> int:
        """The level of a score. Raises BadRuleSet without bands."""
        if not self.bands:
            raise BadRuleSet(f"{self.code}: nobody has filled in its bands.")
        whole = _rounded(score, self.rounding)
        return max(level for level, lowest in self.bands.items() if whole >= lowest)


def _rounded(score: float, how: Rounding) -> int:
    # A hair's breadth from floating point is none.
    near = round(score, 9)
    floor = int(near // 1)
    if how is Rounding.DOWN or near == floor:
        return floor
    if how is Rounding.UP:
        return floor + 1
    return floor + (near - floor >= 0.5)
