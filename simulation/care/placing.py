"""Asking for places after hospital: whom, when, and what they answer.

Whoever needs a place is asked for soon after being ready. One in five is declined at first and
asked elsewhere, or again. The place that takes the patient says so when one is free, which is
when the world holds it for them; some say days before from when on there will be one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    "community": ("Two to transfer, therapy daily", "One to walk with a frame", "Stroke therapy"),
    "care_home": ("Nursing care, hoist", "Residential care, one to transfer", "Memory support"),
    "repatriation": ("Lives out of area, ready for their own hospital",),
}
_AT_FIRST_DECLINED: Final = 0.2
_PROMISED_AHEAD: Final = 0.3
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
    people itself. Times in minutes since 1970. `answer` None while there is none."""

    slot: str
    kind: str
    at: int
    needs: str
    pathway: int
    ward: str = ""
    organisation: str = ""
    answer: Answer | None = None


def asked(stay: Stay, places: Places, *, seed: int, now: int) -> list[Asked]:
    """Everybody who has been asked for the stay by now, in order of time."""
    ready = stay.ready
    if ready is None or stay.patient_class != "I":
        return []
    draw = chance(seed, stay.visit, "places", stay.way)
    if stay.way in (HOME, SUPPORT):
        found = _back_to_theirs(stay, ready, draw)
    elif stay.needs_place:
        found = _places(stay, places, ready, draw)
    else:
        return []
    return [_by_now(one, now) for one in found if one.at <= now]


def _by_now(one: Asked, now: int) -> Asked:
    if one.answer is None or one.answer.at <= now:
        return one
    return Asked(one.slot, one.kind, one.at, one.needs, one.pathway, one.ward, one.organisation)


def _places(stay: Stay, places: Places, ready: int, draw: Random) -> Iterator[Asked]:
    kind = ONWARD_KIND[stay.way]
    at = in_working_hours(ready + hours(draw, 4), draw)
    settled = _settled(stay, ready)
    if settled is not None:
        at = min(at, settled - 10)
    needs = draw.choice(_NEEDS[kind])
    others = [w.code for w in places.of_kind(kind) if w.code != stay.onward] or [stay.onward]
    first, declined = draw.choice(others), draw.random() < _AT_FIRST_DECLINED
    answered = in_working_hours(at + hours(draw, 7), draw)
    reasons = _DECLINED[kind]
    reason = draw.choices([slug for slug, _ in reasons], [weight for _, weight in reasons])[0]
    again = answered + draw.randrange(20, 150)
    if declined and (settled is None or again < settled - 5):
        answer = Answer(answered, "decline", reason=reason)
        yield Asked(f"{stay.way}-0", kind, at, needs, stay.pathway, first, answer=answer)
        at = again
    yield Asked(
        f"{stay.way}-1", kind, at, needs, stay.pathway, stay.onward,
        answer=_accepted(stay, at, settled, draw),
    )  # fmt: skip


def _settled(stay: Stay, ready: int) -> int | None:
    return next((at for at, s in stay.stages if at >= ready and s is Stage.ARRANGED), None)


def _accepted(stay: Stay, asked_at: int, settled: int | None, draw: Random) -> Answer | None:
    """When the place takes them, as far as it can be known yet."""
    ahead = draw.random() < _PROMISED_AHEAD
    waiting = next((at for at, s in stay.stages if s is Stage.WAITING and at >= asked_at), None)
    after, days = hours(draw, 12), draw.randrange(1, 4)
    if ahead and waiting is not None:
        at = in_working_hours(waiting + after, draw)
        if settled is None or at < settled:
            return Answer(at, "accept", starts_at=local_time(at, days=days, hour=14))
    if settled is None:
        return None
    at = max(asked_at + 5, settled - 3)
    return Answer(at, "accept", starts_at=at + 2 * HOUR)


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
        organisation=ELSEWHERE, answer=answer,
    )  # fmt: skip
