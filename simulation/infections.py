"""Who comes with an infection that others are kept from, by season: invented, as data.

It is a function of the person, of what they come with and of the month, so that the emergency
department, the ward and a restarted world all come to the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

import yaml

from simulation.clock import DAY, LONDON, moment_of
from simulation.people import Person

FILE: Final = Path(__file__).with_name("infections.yaml")


@dataclass(frozen=True, slots=True)
class Infection:
    """A kind of infection: `months` the chance of it, January first; `streams` times as many in
    a stream; `minutes` of isolation, 0 for as long as they stay."""

    name: str
    months: tuple[float, ...]
    streams: Mapping[str, float]
    minutes: int
    is_airborne: bool

    def lasts(self, since: int, now: int) -> bool:
        """Whether somebody who came with it is still kept apart."""
        return not self.minutes or now < since + self.minutes


@cache
def _file() -> tuple[Sequence[Infection], float]:
    content = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    kinds = [
        Infection(
            name=entry["name"],
            months=tuple(n / 1000 for n in entry["months"]),
            streams={name: float(times) for name, times in (entry.get("streams") or {}).items()},
            minutes=int(entry.get("days", 0)) * DAY,
            is_airborne=bool(entry.get("airborne", False)),
        )
        for entry in content["infections"]
    ]
    return kinds, float(content["planned"])


def infection_of(
    person: Person, stream: str, *, at: int, is_planned: bool = False
) -> Infection | None:
    """The infection with which a person comes at a minute, None for nearly everybody."""
    month = moment_of(at).astimezone(LONDON).month
    return _drawn(f"{person.family}/{person.given}/{person.born}", stream, month, is_planned)


@cache
def _chances(stream: str, month: int, is_planned: bool) -> Sequence[tuple[float, Infection]]:
    """Each kind with the chance of it or of one before it."""
    kinds, planned = _file()
    below, found = 0.0, []
    for kind in kinds:
        share = kind.months[month - 1] * kind.streams.get(stream, 1.0)
        below += share * (planned if is_planned else 1)
        found.append((below, kind))
    return found


def _drawn(who: str, stream: str, month: int, is_planned: bool) -> Infection | None:
    # Of the person, not of their number: records that are merged are one person.
    drawn = Random(f"infection/{who}/{stream}").random()
    return next((k for below, k in _chances(stream, month, is_planned) if drawn < below), None)
