"""What the staff are to do next, in order: what everybody waits for first."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import blake2b
from typing import Any, Final

from simulation.care.cases import Case
from simulation.care.memory import Kept
from simulation.care.needs import needs_of
from simulation.care.placing import NOT_WANTED, Asked, asked
from simulation.care.rounds import Finding, findings
from simulation.care.stays import Stay
from simulation.care.terms import terms_of
from simulation.care.waits import Wait, waits
from simulation.clock import moment_of
from simulation.places import Places


class Turn(IntEnum):
    """Which deeds come first. Of a system that nobody had told of, what those need who wait for a
    bed is told first, then who is ready and what they wait for, then what those need who lie in
    beds, how everybody stands, what was done about it, and the past."""

    QUEUE = 0
    READY = 1
    LIES = 2
    STANDS = 3
    ASKED = 4
    DONE = 5
    PAST = 6


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing to tell of a stay. `kind` is needed, urged, found, raised, chased, resolved, asked,
    answered or withdrawn; `slot` and `number` say of which wait or referral, and which time; of
    which request of the world a bed is urged."""

    turn: Turn
    at: int
    kind: str
    visit: str
    slot: str = ""
    number: int = 0
    word: str = ""
    said: dict[str, Any] = field(default_factory=dict)

    @property
    def order(self) -> tuple[int, int]:
        """By turn, then by time."""
        return self.turn, self.at


OVER: Final = 1


def deeds(stay: Stay, kept: Kept, places: Places, *, seed: int, now: int) -> Iterator[Deed]:
    """What is true of a stay by now and has not been told."""
    found = findings(stay, places, seed=seed, now=now, expected=kept.expected)
    yield from _found(stay, kept, list(found))
    yield from _waits(stay, kept, waits(stay, seed=seed, now=now), places, seed=seed, now=now)
    yield from _asked(stay, kept, asked(stay, places, seed=seed, now=now), seed=seed, now=now)


def deeds_of_case(case: Case, kept: Kept, *, seed: int, now: int) -> Iterator[Deed]:
    """What is true by now of what somebody needs of a bed, and of how one is asked for."""
    asking = case.asking
    saying = needs_of(case, seed=seed, now=now)
    if saying is not None and (mark := mark_of(saying.said)) != kept.needs:
        said: dict[str, Any] = {"key": f"nm-{seed}-{case.visit}-{saying.at or mark}"}
        if saying.at:
            said["occurred_at"] = _time(saying.at)
        turn = Turn.QUEUE if asking is not None or not case.place else Turn.LIES
        said |= saying.said
        yield Deed(turn, saying.at, "needed", case.visit, word=mark, said=said)
    if asking is not None and asking.key not in kept.urged:
        terms = terms_of(case, asking, seed=seed)
        if terms is not None:
            told = dict(terms)
            at, key = asking.since, asking.key
            yield Deed(Turn.QUEUE, at, "urged", case.visit, number=key, said=told)


def mark_of(said: Mapping[str, Any]) -> str:
    """What tells one saying from another, short enough to be kept for every patient."""
    text = json.dumps(said, sort_keys=True)
    return blake2b(text.encode(), digest_size=6).hexdigest()


def _found(stay: Stay, kept: Kept, found: list[Finding]) -> Iterator[Deed]:
    ready = stay.ready
    first = min((f.at for f in found if ready is not None and f.at >= ready), default=None)
    for number, finding in enumerate(found):
        if finding.at in kept.found:
            continue
        turn = Turn.STANDS if number == 0 else Turn.PAST
        if ready is not None and (number == 0 or finding.at == first):
            turn = Turn.READY
        said = {"key": finding.key, "occurred_at": _time(finding.at), **finding.said}
        if finding.round:
            said["round"] = finding.round
        yield Deed(turn, finding.at, "found", stay.visit, said=said)


def _waits(
    stay: Stay, kept: Kept, there: list[Wait], places: Places, *, seed: int, now: int
) -> Iterator[Deed]:
    for wait in there:
        known = kept.waits.get(wait.slot)
        lasts = wait.ended is None
        if known is None:
            yield Deed(
                Turn.READY if lasts else Turn.PAST, wait.raised, "raised", stay.visit, wait.slot,
                said=_raising(stay, wait, places, seed),
            )  # fmt: skip
            # What comes after it can be told once the barrier has its key.
            continue
        key, over, chased = known
        if not key or over:
            continue
        for number, (at, note) in enumerate(wait.chased[chased:], start=chased + 1):
            said = {"note": note, "occurred_at": _time(at)}
            yield Deed(Turn.DONE, at, "chased", stay.visit, wait.slot, number, said=said)
        if wait.ended is not None:
            said = {"occurred_at": _time(wait.ended)}
            yield Deed(Turn.DONE, wait.ended, "resolved", stay.visit, wait.slot, said=said)
    wanted = {wait.slot for wait in there}
    for slot, (key, over, _chased) in kept.waits.items():
        if key and not over and slot not in wanted:
            yield Deed(Turn.DONE, now, "resolved", stay.visit, slot, said={})


def _raising(stay: Stay, wait: Wait, places: Places, seed: int) -> dict[str, Any]:
    said = {
        "key": f"nm-{seed}-{stay.visit}-{wait.slot}",
        "reason": wait.reason.slug,
        "occurred_at": _time(wait.raised),
    }
    if wait.reason.team in places.teams and wait.names_team:
        said["organisation"], said["team"] = wait.reason.team.split("/")
    return said


def _asked(stay: Stay, kept: Kept, there: list[Asked], *, seed: int, now: int) -> Iterator[Deed]:
    for one in there:
        known = kept.asked.get(one.slot)
        if known is None:
            said = {
                "key": f"nm-{seed}-{stay.visit}-{one.slot}",
                "kind": one.kind,
                "needs": one.needs,
                "pathway": one.pathway,
                "occurred_at": _time(one.at),
                **({"ward": one.ward} if one.ward else {"organisation": one.organisation}),
            }
            yield Deed(Turn.ASKED, one.at, "asked", stay.visit, one.slot, said=said)
            return  # one after the other: who is asked next depends on the answer
        key, told, over = known
        if key and not over and told < len(one.answers):
            answer = one.answers[told]
            said = {"occurred_at": _time(answer.at)}
            if answer.deed == "accept":
                said["starts_at"] = _time(answer.starts_at)
            else:
                said["reason"] = answer.reason
            yield Deed(
                Turn.ASKED, answer.at, "answered", stay.visit, one.slot,
                number=told + 1, word=answer.deed, said=said,
            )  # fmt: skip
            return
    wanted = {one.slot for one in there}
    for slot, (key, _told, over) in kept.asked.items():
        if key and not over and slot not in wanted:
            said = {"note": NOT_WANTED}
            yield Deed(Turn.ASKED, now, "withdrawn", stay.visit, slot, word="withdraw", said=said)


def _time(minute: int) -> str:
    return moment_of(minute).isoformat()
