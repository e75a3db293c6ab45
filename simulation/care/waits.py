"""What the discharge of a stay waits for, from being ready to the door.

Somebody who leaves with support is first held up by the hospital's own process, then by the care
transfer hub's, then by arranging, and at last by capacity, if at all: a chain of waits, one after
another, some beside them. Somebody who simply goes home waits for papers, medicines or a lift, if
for anything. When everything is arranged, only those are left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from simulation.care.reasons import Reason, drawn, reason_named
from simulation.care.stays import Stay, chance, hours, in_working_hours
from simulation.clock import HOUR
from simulation.hazards import Stage
from simulation.worlds import VIRTUAL

CHASED: Final = (
    "Rang the team: on their list, an answer is expected this afternoon",
    "Rang the team: more information asked for, sent at once",
    "Raised at the discharge meeting: they look at it today",
    "Left a message, will try again in the morning",
    "Spoke to the team: waiting for a reply from the provider",
    "E-mailed the team and the hub, no answer yet",
    "Spoke to the team: first on the list for tomorrow",
)
_QUICKER: Final = {VIRTUAL: 0.35}


@dataclass(frozen=True, slots=True)
class Wait:
    """One barrier. `slot` tells the waits of a stay apart; times in minutes since 1970, `ended`
    None while it lasts. `names_team`: whoever raises it says whose step it is. `chased` is when
    somebody asked about it and what came of it."""

    slot: str
    reason: Reason
    raised: int
    ended: int | None = None
    names_team: bool = True
    chased: tuple[tuple[int, str], ...] = ()


def waits(stay: Stay, *, seed: int, now: int) -> list[Wait]:
    """Everything that was raised for the stay by now, in order of time."""
    ready = stay.ready
    if ready is None:
        return []
    arranged = [at for at, stage in stay.stages if at >= ready and stage is Stage.ARRANGED]
    settled = arranged[-1] if arranged and stay.stage >= Stage.ARRANGED else None
    if arranged and settled is None:
        again = _again(stay, len(arranged), seed)
        return [_told(stay, again, seed, now)] if again.raised <= now else []
    planned = _supported(stay, ready, seed) if stay.pathway else _home(stay, ready, seed)
    found: dict[str, Wait] = {}
    for wait in (*_cut(planned, settled), *_last(stay, settled, seed)):
        if wait.raised <= now and wait.reason not in {w.reason for w in found.values()}:
            found[wait.slot] = wait
    return sorted((_told(stay, wait, seed, now) for wait in found.values()), key=lambda w: w.raised)


def _cut(planned: Iterable[Wait], settled: int | None) -> Iterator[Wait]:
    """What lasts no longer than until everything is arranged."""
    for wait in planned:
        if settled is None or (wait.ended is not None and wait.ended <= settled):
            yield wait
        elif wait.raised < settled:
            yield replace(wait, ended=settled)


def _told(stay: Stay, wait: Wait, seed: int, now: int) -> Wait:
    """The wait as far as it has come, with who was asked about it."""
    draw = chance(seed, stay.visit, "chased", wait.slot)
    ended = wait.ended if wait.ended is not None and wait.ended <= now else None
    until = min(now, ended or now)
    at = wait.raised
    asked: list[tuple[int, str]] = []
    if draw.random() < 0.7:
        while (at := in_working_hours(at + hours(draw, 16), draw)) < until and len(asked) < 6:
            asked.append((at, draw.choice(CHASED)))
    names_team = draw.random() >= wait.reason.unclear
    return replace(wait, ended=ended, names_team=names_team, chased=tuple(asked))


def _supported(stay: Stay, ready: int, seed: int) -> Iterator[Wait]:
    draw = chance(seed, stay.visit, "waits", stay.way)
    pace = _QUICKER.get(stay.way, 1.0)
    at = ready + draw.randrange(5, 50)
    used: set[str] = set()
    for slot, (family, often, median) in enumerate(_CHAIN):
        reason = drawn(draw, stay.pathway, family, without=used)
        length = hours(draw, median * pace)
        if draw.random() >= often or reason is None:
            continue
        used.add(reason.slug)
        ends = in_working_hours(at + length, draw)
        yield Wait(f"{stay.way}-{slot}", reason, at, ends)
        at = ends
    scarce = draw.random() < _SCARCE
    place = drawn(draw, stay.pathway, "capacity" if scarce else "interface", without=used)
    lack = drawn(draw, stay.pathway, "capacity", without=used)
    waiting = _first(stay, Stage.WAITING, since=ready)
    turns = waiting is not None and not scarce and draw.random() < 0.6
    if place is not None and not (turns and waiting is not None and waiting <= at):
        used.add(place.slug)
        yield Wait(f"{stay.way}-place", place, at, waiting if turns else None)
    if turns and waiting is not None and lack is not None:
        used.add(lack.slug)
        yield Wait(f"{stay.way}-lack", lack, max(at, waiting))
    yield from _beside(stay, ready, seed, used)


def _first(stay: Stay, wanted: Stage, *, since: int) -> int | None:
    return next((at for at, stage in stay.stages if at >= since and stage is wanted), None)


_CHAIN: Final = (
    ("hospital", 0.70, 16.0),
    ("wellbeing", 0.12, 40.0),
    ("hub", 0.80, 26.0),
    ("interface", 0.45, 26.0),
)
"""Steps before the last, each with how often it is met and its median hours."""
_SCARCE: Final = 0.34  # of those whose arranging comes to a lack of capacity at last


def _beside(stay: Stay, ready: int, seed: int, used: set[str]) -> Iterator[Wait]:
    """What holds some up besides."""
    draw = chance(seed, stay.visit, "beside")
    if draw.random() < 0.08 and (concern := drawn(draw, stay.pathway, "wellbeing", without=used)):
        at = in_working_hours(ready + hours(draw, 10), draw)
        yield Wait("concern", concern, at, in_working_hours(at + hours(draw, 40), draw))
    if draw.random() < 0.22:
        more = drawn(draw, stay.pathway, "interface", "capacity", "hub", without=used)
        if more is not None:
            at = in_working_hours(ready + hours(draw, 20), draw)
            yield Wait("more", more, at, in_working_hours(at + hours(draw, 45), draw))


def _home(stay: Stay, ready: int, seed: int) -> Iterator[Wait]:
    draw = chance(seed, stay.visit, "waits", stay.way)
    if draw.random() < 0.12:
        return
    at = ready + draw.randrange(5, 40)
    other = draw.random() < 0.16
    families = ("wellbeing", "interface", "capacity") if other else ("hospital",)
    first = drawn(draw, 0, *families)
    if first is None:
        return
    ends = None if other else in_working_hours(at + hours(draw, 5), draw)
    yield Wait("home-0", first, at, ends)
    if draw.random() < 0.35:
        second = drawn(draw, 0, "hospital", without=(first.slug,))
        if second is not None:
            begins = at + draw.randrange(20, 4 * HOUR)
            yield Wait("home-1", second, begins, in_working_hours(begins + hours(draw, 5), draw))


def _last(stay: Stay, settled: int | None, seed: int) -> Iterator[Wait]:
    """Papers, medicines and the lift, once the rest is arranged."""
    if settled is None:
        return
    draw = chance(seed, stay.visit, "last")
    for slug, often in _AT_LAST:
        at = settled + draw.randrange(5, 40)
        ends = at + hours(draw, 4)
        if draw.random() < often:
            yield Wait(f"last-{slug}-{settled}", reason_named(slug), at, ends)


_AT_LAST: Final = (("medicines-and-letter", 0.55), ("transport", 0.40))


def _again(stay: Stay, times: int, seed: int) -> Wait:
    """What was arranged has fallen through: somebody has to decide anew."""
    draw = chance(seed, stay.visit, "again", times)
    reason = drawn(draw, stay.pathway, "hospital") or reason_named("formal-decision")
    return Wait(f"again-{times}", reason, stay.stages[-1][0] + draw.randrange(5, 40))
