"""What is foretold of one patient, with what moves it: for a drawer, and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from flow.forecasts import versions
from flow.forecasts.boards import ModelTold
from flow.forecasts.clock import DAY, minute_of, moment_of
from flow.forecasts.drivers import Driver, drivers
from flow.forecasts.horizon import Horizon
from flow.forecasts.issued import Kept, latest
from flow.forecasts.learnt import Unreadable
from flow.forecasts.likelihood import Likely, likely
from flow.forecasts.phrases import driver_said, said
from flow.forecasts.reading import read_visit
from patients.models import Episode
from wards.models import Occupancy, Site

_NOBODY: Final = -1


@dataclass(frozen=True, slots=True)
class Chance:
    """The chance to have left the site by a moment."""

    by: datetime
    chance: float


@dataclass(frozen=True, slots=True)
class DriverTold:
    """A fact in words, and by how much it raises or lowers the chance to leave within 24 hours."""

    fact: str
    words: str
    change: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """What was foretold of one patient.

    at, issued_at: of the forecast; model: which spoke. hours: by the end of each of the next 72
    full hours; days: of each of the next 14 spans of 24 hours. words: the same in a phrase; likely:
    what it rests on. expected_discharge_at: the team's plan as known then; None without one.
    drivers: the facts that move it most, the strongest first; None where the model that spoke is
    no longer kept.
    """

    episode: int
    site: Site
    at: datetime
    issued_at: datetime
    model: ModelTold
    hours: tuple[Chance, ...]
    days: tuple[Chance, ...]
    words: str
    likely: Likely
    expected_discharge_at: datetime | None
    drivers: tuple[DriverTold, ...] | None


def predicted(episode: Episode, *, now: datetime, at: datetime | None = None) -> Prediction | None:
    """What the last forecast that speaks from `at` or before (from now; of somebody who has left,
    from then) says of a patient; None where they are not in it. Eleven queries at most, however
    many beds there are.

    Whether the viewer may see the patient is for the caller to ask.
    """
    by = at or now
    place = _place(episode, by)
    if place is None:
        return None
    kept = latest(place.ward.site_id, by=min(by, place.period.upper or by))
    number = None if kept is None else kept.patients.place(episode.pk)
    if kept is None or number is None:
        return None
    minute, patients = kept.issued.at, kept.patients
    what = likely(minute, patients.hours[number], patients.days[number])
    found, planned = _moved_by(episode, place.ward.site, kept)
    days = [moment_of(minute + DAY * (n + 1)) for n in range(patients.days.shape[1])]
    return Prediction(
        episode=episode.pk,
        site=place.ward.site,
        at=kept.row.at,
        issued_at=kept.row.issued_at,
        model=ModelTold.of(kept.row.model),
        hours=_chances([moment_of(end) for end in Horizon(minute).ends], patients.hours[number]),
        days=_chances(days, patients.days[number]),
        words=said(what, at=kept.row.at),
        likely=what,
        expected_discharge_at=planned,
        drivers=found,
    )


def _place(episode: Episode, by: datetime) -> Occupancy | None:
    """Where the patient was last by then; one query."""
    rows = Occupancy.objects.filter(episode=episode, period__startswith__lte=by)
    return rows.select_related("ward__site").order_by("-period").first()


def _chances(moments: Sequence[datetime], chances: Sequence[float]) -> tuple[Chance, ...]:
    return tuple(Chance(by, float(chance)) for by, chance in zip(moments, chances, strict=True))


def _moved_by(
    episode: Episode, site: Site, kept: Kept
) -> tuple[tuple[DriverTold, ...] | None, datetime | None]:
    """The drivers, and the team's expected date, both as known at the moment of the forecast."""
    at, minute = kept.row.at, kept.issued.at
    raw = read_visit(site, episode.visit_id, at=at)
    now = np.full(len(raw), minute, dtype=np.int64)
    there = np.flatnonzero((raw.keys == episode.pk) & raw.in_hospital(np.arange(len(raw)), now))
    stay = int(there[0]) if there.size else _NOBODY
    if stay == _NOBODY:
        return None, episode.expected_discharge_at
    plan = float(raw.log("plan").last(there[:1], now[:1])[0])
    planned = None if np.isnan(plan) else moment_of(int(plan))
    try:
        learnt = versions.read(kept.row.model)
    except Unreadable:
        return None, planned
    voice, history = learnt.trained.voice, learnt.numbered(raw)
    found = drivers(voice, learnt.typical, history, stay, minute, level=kept.row.level)
    ward = raw.wards[int(raw.code("ward", there[:1], now[:1])[0])].name
    return tuple(_told(one, ward, at) for one in found), planned


def _told(driver: Driver, ward: str, at: datetime) -> DriverTold:
    return DriverTold(driver.fact, driver_said(driver, ward=ward, at=minute_of(at)), driver.change)
