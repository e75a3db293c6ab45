"""What was known of one visit after each thing that was learnt of it. Pure: no Django.

The movements known at some moment are projected as `wards/projection.py` does it; so what a past
forecast reads is what the boards showed then, and nothing learnt later can reach it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Final

from wards.facts import MovementKind as Kind
from wards.projection import Claim, Request, Stay, project
from wards.said import Told

_PLAIN: Final = (Kind.ADMITTED, Kind.TRANSFERRED, Kind.DISCHARGED)


@dataclass(frozen=True, slots=True)
class Learnt:
    """A movement, and when we learnt of it."""

    told: Told
    at: datetime


@dataclass(frozen=True, slots=True)
class Unit:
    """One unbroken time at one site within a visit: which stay of it, and which time at the site
    in that stay."""

    stay: int
    run: int


@dataclass(frozen=True, slots=True)
class State:
    """What is believed of a unit. ward: the one it is on now, or was on last."""

    admitted: datetime
    ended: datetime | None
    ward: int
    details: Mapping[str, str]
    is_announced: bool
    """Whether its discharge is announced (HL7 A16)."""
    asked: datetime | None = None
    """Since when a bed on another ward is asked for."""


def unfold(
    movements: Sequence[Learnt], wards: Collection[int], *, nameless: bool
) -> Iterator[tuple[datetime, Mapping[Unit, State]]]:
    """For each moment at which something was learnt, all that was believed from then on of the
    visit's times on these wards."""
    ordered = sorted(movements, key=lambda m: m.at)
    if (plain := _plain(ordered)) is not None:
        yield from _in_steps(plain, wards)
        return
    known: list[Told] = []
    for at, learnt in groupby(ordered, key=lambda m: m.at):
        known.extend(m.told for m in learnt)
        states: dict[Unit, State] = {}
        for number, stay in enumerate(project(known, nameless=nameless)):
            for run, claims in enumerate(_runs(stay.claims, wards)):
                states[Unit(number, run)] = _state(stay, claims, at)
        yield at, states


def _runs(claims: Sequence[Claim], wards: Collection[int]) -> Iterator[list[Claim]]:
    for here, run in groupby(claims, key=lambda claim: claim.place.ward in wards):
        if here:
            yield list(run)


def _state(stay: Stay, claims: Sequence[Claim], at: datetime) -> State:
    begun = [claim for claim in claims if claim.start <= at] or claims[:1]
    return State(
        admitted=claims[0].start,
        ended=claims[-1].end,
        ward=begun[-1].place.ward,
        details=stay.details,
        is_announced=any(r.kind == "discharge" and r.until is None for r in stay.requests),
        asked=min((r.since for r in stay.requests if _is_open_move(r)), default=None),
    )


def _is_open_move(request: Request) -> bool:
    return request.kind in ("admit", "transfer") and request.until is None


def _plain(ordered: Sequence[Learnt]) -> Sequence[Learnt] | None:
    """The movements, where they are a plain admission, moves and discharge, each told once, with
    its place, in the order in which it happened: most are, and need no projection."""
    last = len(ordered) - 1
    before: Told | None = None
    for number, learnt in enumerate(ordered):
        told = learnt.told
        expected = _PLAIN[0] if number == 0 else _PLAIN[1]
        if told.kind is not expected and not (0 < number == last and told.kind is _PLAIN[2]):
            return None
        if told.place is None and told.kind is not _PLAIN[2]:
            return None
        if told.admitted_at not in (None, ordered[0].told.occurred_at):
            return None
        if told.discharged_at not in (None, told.occurred_at) or (
            told.discharged_at is not None and told.kind is not _PLAIN[2]
        ):
            return None
        if before is not None and not _follows(told, before, learnt.at, ordered[number - 1].at):
            return None
        before = told
    return ordered


def _follows(told: Told, before: Told, at: datetime, before_at: datetime) -> bool:
    return (
        told.occurred_at > before.occurred_at and told.sent_at > before.sent_at and at > before_at
    )


def _in_steps(
    plain: Sequence[Learnt], wards: Collection[int]
) -> Iterator[tuple[datetime, Mapping[Unit, State]]]:
    """As `unfold`, of what `_plain` let through."""
    closed: dict[Unit, State] = {}
    current: State | None = None
    details: dict[str, str] = {}
    for learnt in plain:
        told = learnt.told
        for name, value in told.stay.items():
            if value is None:
                details.pop(name, None)
            else:
                details[name] = value
        is_here = told.place is not None and told.place.ward in wards
        if told.kind is not Kind.DISCHARGED and is_here and told.place is not None:
            since = current.admitted if current else told.occurred_at
            current = State(since, None, told.place.ward, dict(details), False)
        elif current is not None:
            current = State(current.admitted, told.occurred_at, current.ward, dict(details), False)
        # What is said of a stay is said of all its times here.
        states = {unit: replace(state, details=dict(details)) for unit, state in closed.items()}
        if current is not None:
            unit = Unit(0, len(closed))
            states[unit] = current
            if current.ended is not None:
                closed[unit], current = current, None
        yield learnt.at, states
