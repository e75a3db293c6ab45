"""Holds forecasts against the true chances of invented worlds, which no real hospital knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import yaml

from bench.witness import Truth, Witness
from flow.forecasts.backtesting import FORECAST, KAPLAN_MEIER, Replayed, replay, score
from flow.forecasts.clock import DAY, HOUR
from flow.forecasts.hazards import Effort
from flow.forecasts.history import Stays
from flow.forecasts.numbers import crps, poisson_binomial
from flow.forecasts.sampling import told_from
from flow.forecasts.scores import log_score
from flow.forecasts.training import train
from simulation import system
from simulation.clock import minute_of
from simulation.places import NORTHMOOR, Places, load
from simulation.worlds import ORDINARY, Shift, World, longer_stays, weekend_slump

START: Final = minute_of(datetime(2026, 1, 5, tzinfo=UTC))
_KINDS: Final = frozenset({"assessment", "inpatient", "critical_care", "discharge_lounge"})
_SLOWER: Final = 0.67
Say = Callable[[str], None]


@dataclass(frozen=True)
class Verdict:
    """How near the forecasts of one world came to the truth.

    closed: share of the gap in log score between Kaplan-Meier by specialty and weekday and the
    truth. crps: of the day's departures, by speaker, and `truth`. coverage: of the central
    intervals of 50, 80 and 90 %.
    """

    world: str
    mornings: int
    patients: int
    closed: float
    crps: Mapping[str, float]
    coverage: Mapping[str, float]


def worlds(days: int) -> dict[str, World]:
    """An ordinary world, and three that differ from it: longer stays, hardly anybody leaving at
    weekends, and all discharges slowed by a third after half the time."""
    base = replace(ORDINARY, places_limit_discharge=False)
    shift = Shift(since=START + days * DAY // 2, recovery=_SLOWER, leaving=_SLOWER)
    return {
        "ordinary": base,
        "longer stays": longer_stays(base, factor=1.3),
        "weekend slump": weekend_slump(base, depth=0.4),
        "level shift": replace(base, name="shift", shifts=(shift,)),
    }


def hospital(wards: Sequence[str]) -> Places:
    """The invented system with these wards alone."""
    said = yaml.safe_load(NORTHMOOR.read_text())
    for site in said["sites"]:
        site["wards"] = [ward for ward in site["wards"] if ward["code"] in wards]
    said["sites"] = [site for site in said["sites"] if site["wards"]]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "places.yaml"
        file.write_text(yaml.safe_dump(said, allow_unicode=True))
        return load(file)


def live(places: Places, world: World, *, days: int, seed: int, say: Say) -> Witness:
    """Let a world run for so many days, watched; `say` is told how far it is."""
    engine = system.lived_in(places, world, seed=seed, until=START + 8 * HOUR)
    acute = set(places.acute_sites)
    seen = Witness(
        places,
        {n for n, w in enumerate(places.wards) if w.site in acute and w.kind in _KINDS},
    )
    seen.watch(engine, start=START, days=days, say=lambda day: say(f"day {day} of {days}"))
    return seen


def judge(name: str, seen: Witness, *, learnt_days: int, effort: Effort, say: Say) -> Verdict:
    """Learn from the first days of what was seen, forecast the mornings after, and compare."""
    history, mornings = seen.history()
    until = START + learnt_days * DAY + 8 * HOUR
    known = history.known_by(until)
    since = told_from(known, until=until)
    trained = train(known, since=since, until=until, effort=effort, say=say)
    later = [m for m in mornings if m.at >= until and m.at + DAY <= mornings[-1].at]
    said = list(replay(trained, history, [m.at for m in later], span=DAY))
    end = mornings[-1].at
    table = score(said, history, known=end)
    return Verdict(
        world=name,
        mornings=len(later),
        patients=table["patients"],
        closed=_closed(said, later, history, end),
        crps=_crps(said, later, history, end, table),
        coverage=table["speakers"][FORECAST]["coverage"],
    )


def _paired(
    said: Sequence[Replayed], truths: Sequence[Truth], history: Stays, known: int
) -> list[tuple[np.ndarray[Any, Any], ...]]:
    """Of each morning, of those of whom the truth is known: the truth, what was said by the
    model and by Kaplan-Meier, and who left."""
    pairs = []
    for one, truth in zip(said, truths, strict=True):
        both, mine, theirs = np.intersect1d(one.stays, truth.stays, return_indices=True)
        left = history.ended(both, np.full(both.size, known)) <= one.at + one.span
        chances = (one.chances[name][mine] for name in (FORECAST, KAPLAN_MEIER))
        pairs.append((truth.chances[theirs], *chances, left))
    return pairs


def _closed(said: Sequence[Replayed], truths: Sequence[Truth], history: Stays, known: int) -> float:
    truth, model, floor, left = (
        np.concatenate(parts) for parts in zip(*_paired(said, truths, history, known), strict=True)
    )
    best, mine, theirs = (log_score(chances, left) for chances in (truth, model, floor))
    return (theirs - mine) / (theirs - best)


def _crps(
    said: Sequence[Replayed],
    truths: Sequence[Truth],
    history: Stays,
    known: int,
    table: Mapping[str, Any],
) -> dict[str, float]:
    found = {name: speaker["crps"] for name, speaker in table["speakers"].items()}
    true = [
        crps(poisson_binomial(truth), int(left.sum()))
        for truth, _, _, left in _paired(said, truths, history, known)
    ]
    return {"truth": float(np.mean(true)), **found}
