"""Asking for places after hospital: whom, when, and what they answer.

Whoever needs a place is asked for soon after being ready. One in five is declined at first and
asked elsewhere, or again. Most places answer within a day or two from when on they can take the
patient, and put it off where none is free by then; the others say nothing until they have one,
which is when the world holds it for the patient.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from simulation.care.stays import Stay, chance, hours, in_working_hours
from simulation.clock import DAY, HOUR, local_time
from simulation.hazards import Stage
from simulation.places import Places
from simulation.worlds import HOME, ONWARD_KIND, SUPPORT

ELSEWHERE: Final = "REM"
"""A hospital of another system that some patients go back to."""
NOT_WANTED: Final = "Goes home with support instead"

_DECLINED: Final[Mapping[str, Sequence[tuple[str, int]]]] = {
    "virtual": (("criteria", 3), ("medical-needs", 3), ("information", 2), ("no-place", 1)),
    "reablement": (("no-place", 4), ("home-first", 1), ("staffing", 3), ("information", 2)),
    "community": (("no-place", 4), ("medical-needs", 2), ("therapy-needs", 3), ("infection", 1)),
    "care_home": (("nursing-needs", 4), ("no-place", 3), ("equipment", 1), ("information", 1)),
}
_NEEDS: Final = {
    "virtual": ("Oxygen checks twice a day", "Daily readings and a call", "Heart failure weights"),
    "reablement": ("Two visits a day", "Three visits a day, one person", "Morning visit, meals"),
    "community": (
        "Two to transfer, therapy daily",
        "One to walk with a frame",
        "Stairs and balance",
    ),
    "care_home": ("Nursing care, hoist", "Residential care, one to transfer", "Memory support"),
    "repatriation": ("Lives out of area, ready for their own hospital",),
}
_AT_FIRST_DECLINED: Final = 0.2
_SAY_FROM_WHEN: Final = 0.65
_BACK_TO_THEIRS: Final = 0.012


@dataclass(frozen=True, slots=True)
class Answer:
    """What those asked say, and when: `accept` with `starts_at`, or `decline` with a `reason`."""

    at: int
    deed: str
    starts_at: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One referral: `ward` the code of the place, or "" where the body `organisation` places
    people itself. Times in minutes since 1970. `answers` are in order: one that declines ends it,
    a second one that accepts gives another start."""

    slot: str
    kind: str
    at: int
    needs: str
    pathway: int
    ward: str = ""
    organisation: str = ""
    answers: tuple[Answer, ...] = ()


def asked(stay: Stay, places: Places, *, seed: int, now: int) -> list[Asked]:
    """Everybody who has been asked for the stay by now, in order of time."""
    ready = stay.ready
    if ready is None or stay.patient_class != "I":
        return []
    draw = chance(seed, stay.visit, "places", stay.way)
    if stay.way in (HOME, SUPPORT):
        found = _back_to_theirs(stay, ready, draw)
    elif stay.needs_place:
        found = _places(stay, places, ready, now, draw)
    else:
        return []
    return [_by_now(one, now) for one in found if one.at <= now]


def _by_now(one: Asked, now: int) -> Asked:
    return replace(one, answers=tuple(a for a in one.answers if a.at <= now))


def _places(stay: Stay, places: Places, ready: int, now: int, draw: Random) -> Iterator[Asked]:
    kind = ONWARD_KIND[stay.way]
    at = in_working_hours(ready + hours(draw, 4), draw)
    held = [at for at, stage in stay.stages if at >= ready and stage is Stage.ARRANGED]
    settled = min(held, default=None)
    if settled is not None:
        at = max(ready + 1, min(at, settled - 10))
    needs = draw.choice(_NEEDS[kind])
    others = [w.code for w in places.of_kind(kind) if w.code != stay.onward] or [stay.onward]
    first, declined = draw.choice(others), draw.random() < _AT_FIRST_DECLINED
    answered = in_working_hours(at + hours(draw, 7), draw)
    reasons = _DECLINED[kind]
    reason = draw.choices([slug for slug, _ in reasons], [weight for _, weight in reasons])[0]
    again = answered + draw.randrange(20, 150)
    if declined and (settled is None or again < settled - 5):
        answer = Answer(answered, "decline", reason=reason)
        yield Asked(f"{stay.way}-0", kind, at, needs, stay.pathway, first, answers=(answer,))
        at = again
    yield Asked(
        f"{stay.way}-1", kind, at, needs, stay.pathway, stay.onward,
        answers=tuple(_accepted(at, held, now, draw)),
    )  # fmt: skip


def _accepted(asked_at: int, held: list[int], now: int, draw: Random) -> Iterator[Answer]:
    """When the place takes them, as far as it can be known by now."""
    until = min(held, default=now)
    at = in_working_hours(asked_at + hours(draw, 14), draw)
    if draw.random() < _SAY_FROM_WHEN:
        while at < until:
            starts_at = local_time(at, days=draw.randrange(1, 4), hour=14)
            yield Answer(at, "accept", starts_at=starts_at)
            at = starts_at - draw.randrange(30, 5 * HOUR)  # there is none after all
    for found in held:
        # More than once where what was arranged fell through.
        yield Answer(max(asked_at + 5, found), "accept", starts_at=found + 2 * HOUR)


def _back_to_theirs(stay: Stay, ready: int, draw: Random) -> Iterator[Asked]:
    """Somebody from another area goes on to the hospital there, if it takes them."""
    if draw.random() >= _BACK_TO_THEIRS or stay.age < 16:
        return
    at = in_working_hours(ready + hours(draw, 3), draw)
    answered = in_working_hours(at + hours(draw, 20), draw)
    answer = Answer(answered, "accept", starts_at=answered + DAY)
    if draw.random() < 0.4:
        answer = Answer(answered, "decline", reason="no-place")
    yield Asked(
        f"back-{ready}", "repatriation", at, draw.choice(_NEEDS["repatriation"]), stay.pathway,
        organisation=ELSEWHERE, answers=(answer,),
    )  # fmt: skip
