"""How the API writes forecasts, scores and predictions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final

from flow.api.formats import Row
from flow.forecasts.accuracy import AccuracyBoard, By, Scores
from flow.forecasts.boards import ForecastBoard, ModelTold
from flow.forecasts.clock import moment_of
from flow.forecasts.outlook import QUANTILES, SAID, Fan, PoolKind, Spread, Waiting
from flow.forecasts.phrases import PURPOSE
from flow.forecasts.prediction import Prediction
from flow.forecasts.recorded import Part
from flow.forecasts.stored import Number
from flow.forecasts.wording import beds_said, pool_name

_DIGITS: Final = 4


def board_told(board: ForecastBoard) -> dict[str, Any]:
    """A forecast of a site."""
    return {
        "site": board.site.code,
        "site_name": board.site.name,
        "at": board.at,
        "issued_at": board.issued_at,
        "stale": board.stale,
        "model_version": board.model.number,
        "model": _model(board.model),
        "level": {"factor": _short(board.level), "low": _short(board.level_low),
                  "high": _short(board.level_high)},
        "complete": board.is_whole,
        "patients": board.patients,
        "days_known": None if board.days_known is None else round(board.days_known, 1),
        "free_now": None if board.fan is None else board.fan.free_now,
        "statements": [] if board.fan is None else _statements(board, board.fan),
        "hours": [] if board.fan is None else _hours(board, board.fan),
        "groups": [_group(board, fan) for fan in board.pools],
        "numbers": [_number(board, one) for one in board.numbers],
        "waiting": None if board.waiting is None else _waiting(board, board.waiting),
        "planned": [
            {
                "at": moment_of(mark.minute),
                "kind": mark.kind.value,
                "number": mark.number,
                "ward": _code(board, mark.ward),
                "reason": mark.reason or None,
            }
            for mark in board.marks
        ],
    }  # fmt: skip


def board_rows(board: ForecastBoard) -> Iterable[Row]:
    """One line for each group of beds and hour, the whole site first."""
    fans = [*([board.fan] if board.fan else ()), *board.pools]
    for fan in fans:
        head = _pool(board, fan)
        for hour in _hours(board, fan):
            at_least = {f"at_least_{round(one['chance'] * 100)}": one["beds"]
                        for one in hour.pop("at_least")}  # fmt: skip
            yield {**head, **hour, **at_least, "issued_at": board.issued_at,
                   "model_version": board.model.number}  # fmt: skip


def _model(model: ModelTold) -> dict[str, Any]:
    return {
        "version": model.number,
        "kind": model.kind,
        "trained_at": model.trained_at,
        "learnt_from": model.learnt_from,
        "learnt_until": model.learnt_until,
        "departures": model.departures,
        "live_from": model.live_from,
    }


def _pool(board: ForecastBoard, fan: Fan) -> dict[str, Any]:
    pool = fan.pool
    key: str | None = pool.key
    if pool.kind is PoolKind.WARD:
        key = _code(board, int(pool.key))
    return {"kind": pool.kind.value, "key": key or None, "name": pool_name(pool)}


def _group(board: ForecastBoard, fan: Fan) -> dict[str, Any]:
    return {
        **_pool(board, fan),
        "patients": fan.patients,
        "free_now": fan.free_now,
        "hours": _hours(board, fan),
    }


def _hours(board: ForecastBoard, fan: Fan) -> list[dict[str, Any]]:
    columns = (
        board.ahead.ends, fan.open, fan.means, fan.quantiles, fan.spreads.at_least(SAID), fan.full
    )  # fmt: skip
    return [
        {
            "at": moment_of(end),
            "open": beds,
            "mean": round(mean, 1),
            "quantiles": {f"{q:.2f}": n for q, n in zip(QUANTILES, row, strict=True)},
            "at_least": [
                {"chance": chance, "beds": n} for chance, n in zip(SAID, least, strict=True)
            ],
            "none_free_chance": _short(none),
        }
        for end, beds, mean, row, least, none in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]


def _statements(board: ForecastBoard, fan: Fan) -> list[str]:
    """In words, of midnight and 08:00."""
    return [beds_said(fan, hour, board.ahead) for hour in board.ahead.shown_always]


def _number(board: ForecastBoard, one: Number) -> dict[str, Any]:
    key: str | None = one.key or None
    if one.part is Part.WARD:
        key = _code(board, int(one.key))
    return {
        "what": one.what.value,
        "horizon": one.until.value,
        "until": moment_of(one.ends),
        "part": one.part.value,
        "key": key,
        **_spread(one.spread),
    }


def _spread(spread: Spread) -> dict[str, Any]:
    return {
        "mean": round(spread.mean, 1),
        "quantiles": {f"{q:.2f}": spread.quantile(q) for q in QUANTILES},
        "at_least": [{"chance": chance, "number": spread.at_least(chance)} for chance in SAID],
    }


def _waiting(board: ForecastBoard, waiting: Waiting) -> dict[str, Any]:
    return {
        "limit_hours": waiting.limit_hours,
        "now": waiting.now,
        "over_now": waiting.over_now,
        "hours": [
            {
                "at": moment_of(end),
                "mean": round(mean, 1),
                "over_mean": round(over, 1),
                "nobody_over_chance": _short(none),
            }
            for end, mean, over, none in zip(
                board.ahead.ends.tolist(), waiting.numbers.means.tolist(),
                waiting.over.means.tolist(), waiting.none_over.tolist(), strict=True,
            )
        ],
    }  # fmt: skip


def _code(board: ForecastBoard, ward: int | None) -> str | None:
    place = None if ward is None else board.places.get(ward)
    return None if place is None else place.code


def _short(value: float) -> float:
    return round(float(value), _DIGITS)


def accuracy_told(board: AccuracyBoard) -> dict[str, Any]:
    """The score table."""
    return {
        "from": board.asked.first,
        "to": board.asked.last,
        "what": board.asked.what.value,
        "horizon": None if board.asked.by is By.UNTIL else board.asked.until.value,
        "hours": list(board.asked.hours) or None,
        "by": None if board.asked.by is None else board.asked.by.value,
        "results": list(_scored(board, whole=True)),
        "models": [
            {"site": one.site.code, "version": one.number, "kind": one.kind,
             "forecasts": one.forecasts, "replayed": one.replayed}
            for one in board.models
        ],
        "drift": [
            {
                "site": one.site.code,
                "signs": [sign.value for sign in one.signs],
                "level": {"factor": _short(one.level), "low": _short(one.level_low),
                          "high": _short(one.level_high)},
            }
            for one in board.drifts
        ],
        "partly_hidden": [site.code for site in board.hidden],
    }  # fmt: skip


def accuracy_rows(board: AccuracyBoard) -> Iterable[Row]:
    """One line for each speaker, without the reliability."""
    return _scored(board, whole=False)


def _scored(board: AccuracyBoard, *, whole: bool) -> Iterable[dict[str, Any]]:
    by = board.asked.by
    for row in board.rows:
        # A ward goes by its code elsewhere, its key being nobody's business.
        key = row.code if by is By.WARD else row.key
        for scores in row.speakers:
            yield {
                "site": row.site.code,
                "key": key or None,
                "name": row.label or None,
                "speaker": scores.speaker.value,
                **_losses(scores),
                **({"reliability": [asdict(one) for one in scores.tenths]} if whole else {}),
            }


def _losses(scores: Scores) -> dict[str, Any]:
    return {
        "patients": scores.patients,
        "log_score": scores.log_score,
        "brier": scores.brier,
        "mean_chance": scores.chance,
        "came_true": scores.came,
        "forecasts": scores.forecasts,
        "mean_said": scores.said,
        "mean_seen": scores.seen,
        "crps": scores.crps,
        "mae": scores.mae,
        "bias": scores.bias,
        "within_50": scores.within_50,
        "within_80": scores.within_80,
        "within_90": scores.within_90,
    }


def prediction_told(found: Prediction, *, planned_now: Any) -> dict[str, Any]:
    """What is foretold of a patient."""
    return {
        "episode": found.episode,
        "site": found.site.code,
        "at": found.at,
        "issued_at": found.issued_at,
        "model_version": found.model.number,
        "model": _model(found.model),
        "words": found.words,
        "hours": [{"by": one.by, "chance": _short(one.chance)} for one in found.hours],
        "days": [{"by": one.by, "chance": _short(one.chance)} for one in found.days],
        "expected_discharge_at": found.expected_discharge_at,
        "expected_discharge_at_now": planned_now,
        "drivers": None
        if found.drivers is None
        else [
            {"fact": one.fact, "words": one.words, "change": _short(one.change)}
            for one in found.drivers
        ],
        "purpose": str(PURPOSE),
    }
