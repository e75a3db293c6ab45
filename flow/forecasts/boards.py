"""What pages and programs show of forecasts: frozen values, each from one function with a fixed
number of queries.

A viewer is shown a pool of beds if they may see the figures of every ward in it: what is foretold
of a site tells of all its wards. So are numbers of patients.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flow.board_types import Place, Sight
from flow.forecasts.horizon import Horizon
from flow.forecasts.issued import Kept, latest
from flow.forecasts.outlook import Fan, Mark, Pool, PoolKind, Waiting
from flow.forecasts.recorded import Part
from flow.forecasts.stored import Number
from flow.models import ForecastModel, ForecastTraining
from wards.models import Site, Ward

STALE: Final = timedelta(minutes=75)
"""A forecast is issued every hour; one older than that speaks of a present that is over."""


@dataclass(frozen=True, slots=True)
class ModelTold:
    """Which model spoke.

    number: its version at the site. kind: a `ForecastModel.Kind` value. learnt_from, learnt_until,
    departures: of the history that it was learnt from. live_from, live_until: when it spoke; None
    if it never did, and while it does. verdict: why (not), a `ForecastModel.Verdict` value.
    own_loss, live_loss: its log score and that of the model live then, over `compared` mornings;
    None where nothing was compared. floor_loss, boosted_loss: of the two kinds in its own trial.
    """

    number: int
    kind: str
    trained_at: datetime
    learnt_from: datetime
    learnt_until: datetime
    departures: int
    seconds: float
    live_from: datetime | None
    live_until: datetime | None
    verdict: str
    own_loss: float | None
    live_loss: float | None
    compared: int
    floor_loss: float | None
    boosted_loss: float | None

    @classmethod
    def of(cls, row: ForecastModel) -> ModelTold:
        """Of a row."""
        return cls(**{name: getattr(row, name) for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class TrainingTold:
    """A training: what it is at (`ForecastTraining.Step`), how far, in per cent, and how it ended
    (`ForecastTraining.State`). model: the version that it made; None where it made none."""

    key: int
    state: str
    step: str
    percent: int
    started_at: datetime
    heard_at: datetime
    finished_at: datetime | None
    stop_asked: bool
    model: int | None

    @classmethod
    def of(cls, row: ForecastTraining) -> TrainingTold:
        """Of a row with its model."""
        return cls(
            key=row.pk,
            state=row.state,
            step=row.step,
            percent=round(100 * row.done / row.steps),
            started_at=row.started_at,
            heard_at=row.heard_at,
            finished_at=row.finished_at,
            stop_asked=row.stop_asked,
            model=None if row.model is None else row.model.number,
        )


@dataclass(frozen=True)
class ForecastBoard:
    """What was foretold of a site, as far as the viewer may see.

    key: of the forecast. at: the moment it speaks from; issued_at: when it was written down.
    live: whether it is the last one, asked for now; stale: too old for that. level to level_high:
    how fast patients leave these days beside what the model learnt, with its 90 % interval.
    ahead: the moments that fans speak of, and which of them are always shown.
    fan: all beds of the site; None where the viewer does not see all of its wards, beds were not
    foretold, or nobody has listed any. pools: of wards, groups, specialties and sexes. waiting,
    patients, numbers of the site and of specialties: for who sees all wards. marks: what is
    planned, at wards in sight. days_known: length of the history of beds; None where they were not
    foretold.
    is_whole: whether the viewer sees all wards. places: wards in sight, by primary key.
    """

    site: Site
    key: int
    at: datetime
    issued_at: datetime
    live: bool
    stale: bool
    is_standard: bool
    model: ModelTold
    level: float
    level_low: float
    level_high: float
    ahead: Horizon
    fan: Fan | None
    pools: tuple[Fan, ...]
    waiting: Waiting | None
    marks: tuple[Mark, ...]
    days_known: float | None
    numbers: tuple[Number, ...]
    patients: int | None
    is_whole: bool
    places: Mapping[int, Place]


def forecast_board(
    site: Site, *, now: datetime, sight: Sight, at: datetime | None = None
) -> ForecastBoard | None:
    """The last forecast of a site that speaks from `at` or before, or from now; None where there is
    none. Three queries at most."""
    kept = latest(site.pk, by=at or now)
    return None if kept is None else told(site, kept, now=now, sight=sight, live=at is None)


def told(site: Site, kept: Kept, *, now: datetime, sight: Sight, live: bool) -> ForecastBoard:
    """A forecast as far as the viewer may see it; one query."""
    wards = Ward.objects.filter(site=site, same_as=None).order_by("position", "name", "pk")
    seen = {
        ward.pk: Place(ward.pk, ward.code, ward.name, site.code, ward.kind)
        for ward in wards
        if sight.sees(ward.pk)
    }
    whole = len(seen) == len(wards)
    row, outlook = kept.row, kept.issued.outlook
    fans = () if outlook is None else (outlook.site, *outlook.pools)
    shown = [fan for fan in fans if fan.has_beds and sees(sight, fan.pool)]
    return ForecastBoard(
        site=site,
        key=row.pk,
        at=row.at,
        issued_at=row.issued_at,
        live=live,
        stale=live and now - row.at > STALE,
        is_standard=row.is_standard,
        model=ModelTold.of(row.model),
        level=row.level,
        level_low=row.level_low,
        level_high=row.level_high,
        ahead=Horizon(kept.issued.at),
        fan=next((fan for fan in shown if fan.pool.kind is PoolKind.SITE), None),
        pools=tuple(fan for fan in shown if fan.pool.kind is not PoolKind.SITE),
        waiting=outlook.waiting if outlook is not None and whole else None,
        marks=tuple(
            mark
            for mark in (() if outlook is None else outlook.marks)
            if whole or (mark.ward is not None and mark.ward in seen)
        ),
        days_known=None if outlook is None else outlook.days_known,
        numbers=tuple(one for one in kept.issued.numbers if sees_number(one, seen, whole=whole)),
        patients=row.patients if whole else None,
        is_whole=whole,
        places=seen,
    )


def sees(sight: Sight, pool: Pool) -> bool:
    """Whether a pool of beds may be shown: every ward in it may be."""
    return all(sight.sees(ward) for ward in pool.wards)


def sees_number(number: Number, wards: Collection[int], *, whole: bool) -> bool:
    """Whether a number may be shown to somebody who sees these wards."""
    return whole or (number.part is Part.WARD and int(number.key) in wards)
