"""What a round finds out about a person rather than about the day: frailty and where they live.

The shares are invented to look like those of a general hospital; they are no statistic. What is
drawn belongs to the person, so that it is the same in their next stay.
"""

from __future__ import annotations

from typing import Final, Protocol

from simulation.care.stays import Stay, chance

_SCORED_FROM: Final = 65
"""Age from which frailty is scored: the scale is not validated for the young."""
_SCORED: Final = 0.86
_ASKED: Final = 0.92

# Clinical Frailty Scale, 1 to 9, by age from which.
_FRAILTY: Final = (
    (85, (1, 3, 8, 15, 22, 26, 18, 5, 2)),
    (75, (3, 8, 17, 20, 20, 18, 10, 3, 1)),
    (65, (8, 17, 26, 18, 13, 10, 5, 2, 1)),
)


class Somebody(Protocol):
    """Of whom a person's lasting facts are asked: their number, and their age in years."""

    @property
    def person(self) -> int:
        """What tells apart people."""

    @property
    def age(self) -> float:
        """At the admission."""


def frailty_of(stay: Somebody, *, seed: int) -> int | None:
    """The score, 1 to 9; None for who is too young for it, or was not scored."""
    draw = chance(seed, stay.person, "frailty")
    if draw.random() >= _SCORED:
        return None
    for age, weights in _FRAILTY:
        if stay.age >= age:
            return draw.choices(range(1, 10), weights)[0]
    return None


def residence_of(stay: Stay, *, seed: int) -> str:
    """Where they usually live, in the words of the API; "" where nobody asked."""
    draw = chance(seed, stay.person, "residence")
    if draw.random() >= _ASKED:
        return ""
    frailty = frailty_of(stay, seed=seed) or 0
    in_home = 0.0
    if stay.age >= _SCORED_FROM:
        in_home = 0.38 if frailty >= 7 else 0.10 if frailty == 6 else 0.02
    drawn = draw.random()
    if drawn < in_home:
        return "care_home"
    if drawn > 0.995 or (18 <= stay.age < _SCORED_FROM and drawn > 0.972):
        return "no_fixed_abode"
    return "supported" if drawn > 0.93 and stay.age >= _SCORED_FROM else "own_home"
