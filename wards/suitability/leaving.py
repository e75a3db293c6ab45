"""When an occupied or uncleaned bed can be used. Pure: no Django. Times are aware UTC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from wards.suitability.facts import Bed, BedState


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaning:
    """How long a bed takes to be ready after somebody left it: an ordinary clean, and a terminal
    one after an infection. How long that is, and when it is due, is local."""

    ordinary: timedelta = timedelta(minutes=45)
    terminal: timedelta = timedelta(minutes=120)

    def lasts(self, *, infected: bool) -> timedelta:
        return self.terminal if infected else self.ordinary


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """What is known of the leaving of whoever lies in a bed.

    definite_at: when they will go, if that is settled. chances: pairs of a moment and the chance
    that they have gone by then, in the order of time and never falling. infected: the bed needs a
    terminal clean.
    """

    definite_at: datetime | None = None
    chances: Sequence[tuple[datetime, float]] = ()
    infected: bool = False

    def __post_init__(self) -> None:
        for (earlier, less), (later, more) in zip(self.chances, self.chances[1:], strict=False):
            if later <= earlier or more < less:
                raise ValueError("Chances of having gone are in the order of time and never fall.")
        if any(not 0 <= chance <= 1 for _, chance in self.chances):
            raise ValueError("A chance is 0 to 1.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """When a bed can be used, and the chance that it can by then."""

    ready_at: datetime
    chance: float


def expected_free(
    leaving: Leaving,
    *,
    at: datetime,
    cleaning: Cleaning,
    least_chance: float = 0.5,
    definite_chance: float = 0.95,
) -> Expected | None:
    """When the bed can be used by the next patient, cleaned; None when nobody can say.

    A settled time counts with `definite_chance`, since some who are to go do not; one that has
    passed counts as now. Else it is the first moment by which they have gone with at least
    `least_chance`.
    """
    clean = cleaning.lasts(infected=leaving.infected)
    if leaving.definite_at is not None:
        gone = max(leaving.definite_at, at)
        by_then = [chance for moment, chance in leaving.chances if moment <= gone]
        return Expected(ready_at=gone + clean, chance=max([definite_chance, *by_then[-1:]]))
    for moment, chance in leaving.chances:
        if moment >= at and chance >= least_chance:
            return Expected(ready_at=moment + clean, chance=chance)
    return None


def expected_clean(
    bed: Bed, *, since: datetime, at: datetime, infected: bool, cleaning: Cleaning
) -> datetime:
    """When a bed that needs cleaning, or has been cleaned since `since`, can be used. Cleaning not
    begun begins at `at`; one that is overdue ends at `at`."""
    began = since if bed.state == BedState.BEING_CLEANED else at
    return max(at, began + cleaning.lasts(infected=infected))


def told(bed: Bed, expected: Expected | None) -> Bed:
    """The bed with when it can be used."""
    if expected is None:
        return replace(bed, ready_at=None, chance=1.0)
    return replace(bed, ready_at=expected.ready_at, chance=expected.chance)
