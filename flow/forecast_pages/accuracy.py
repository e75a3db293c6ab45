"""The accuracy page of a site's forecasts: the score table, its pictures, and which model spoke."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from flow.asking import Asked as Moment
from flow.asking import tidy
from flow.board_types import Sight
from flow.forecast_pages.asking import (
    BY_WORDS,
    PERIODS,
    UNTIL_WORDS,
    WHAT_WORDS,
    Wish,
    wish,
)
from flow.forecast_pages.judging import (
    SIGNS,
    SPEAKERS,
    bias_said,
    coverage_said,
    days_said,
    is_beaten,
    level_said,
    reliability_said,
    verdicts,
)
from flow.forecast_pages.score_charts import (
    Day,
    coverage_figure,
    is_weekly,
    over_time,
    reliability_figure,
    time_figure,
)
from flow.forecasts.accuracy import By, Row, Scores, accuracy_board
from flow.forecasts.happened import yesterday_morning
from flow.forecasts.models_board import models_board
from flow.forecasts.recorded import STANDARD_HOURS, Part, Speaker
from flow.models import ForecastModel, ForecastScore
from flow.showing import Show, answer
from flow.site_naming import site_named
from wards.models import Site, Ward
from wards.scope import Scope


@dataclass(frozen=True, slots=True)
class Line:
    """A speaker in the score table. name: in words; look: of its line in the pictures."""

    name: str
    look: str
    is_own: bool
    scores: Scores


@dataclass(frozen=True, slots=True)
class Apart:
    """A row of the table that tells wards, specialties, hours or horizons apart. address: of the
    page about it alone, empty where there is none. best: the other with the least CRPS; beaten:
    whether that is less than the forecast's."""

    name: str
    address: str
    own: Scores
    best: Scores | None
    best_name: str
    beaten: bool


@dataclass(frozen=True, slots=True)
class Point:
    """A day of the pictures over time, with the CRPS of each speaker in their order and the bias of
    the forecast."""

    day: date
    forecasts: int
    crps: Sequence[float | None]
    bias: float | None


@require_safe
def accuracy(request: HttpRequest, code: str) -> HttpResponse:
    """How right the forecasts of a site have been, and which model spoke."""
    scope, site = site_named(request, code)
    if any(not value for value in request.GET.values()) and "fragment" not in request.GET:
        return redirect(tidy(request.path, request.GET))
    wanted = wish(request.GET, today=timezone.localdate())
    return answer(request, scope, _show(site, scope, wanted))


def _show(site: Site, scope: Scope, wanted: Wish) -> Show:
    sight = Sight.of(scope)
    here = reverse("forecast:accuracy", args=[site.code])

    def context(_asked: Moment, now: datetime) -> dict[str, Any]:
        return _context(site, sight, wanted, now) | {
            "site": site,
            "here": here,
            "wish": wanted,
            "yesterday": yesterday_morning(now).isoformat(),
        }

    return Show(
        f"forecast:{site.pk}",
        _("How right forecasts have been"),
        "flow/_accuracy.html",
        context,
        apart="accuracy",
        subtitle=site.name,
        up=[
            (_("System"), reverse("flow:system")),
            (site.name, reverse("flow:site", args=[site.code])),
            (_("Forecast"), reverse("forecast:site", args=[site.code])),
        ],
        chart=True,
        kept=wanted.chosen,
        page="flow/accuracy.html",
        beside={"site": site},
        wrong=bool(wanted.errors),
    )


def _context(site: Site, sight: Sight, wanted: Wish, now: datetime) -> dict[str, Any]:
    asked = wanted.asked
    board = accuracy_board([site], asked, now=now, sight=sight)
    found = next((row for row in board.rows if row.key == wanted.key), None)
    apart = asked
    others: Sequence[Row] = board.rows
    if wanted.part is Part.SITE or wanted.by not in (By.WARD, By.SPECIALTY):
        apart = wanted.telling_apart(wanted.by)
        others = accuracy_board([site], apart, now=now, sight=sight).rows
    days = over_time(site.pk, asked, wanted.key) if found else []
    wards = _wards(site, sight)
    return {
        "lines": _lines(found.speakers if found else ()),
        "own": _own(found),
        "whole": not board.hidden,
        "verdicts": verdicts(found.speakers) if found else [],
        "drift": [SIGNS[sign] for one in board.drifts for sign in one.signs],
        "level": " ".join(
            level_said(one.level, one.level_low, one.level_high) for one in board.drifts
        ),
        "pictures": _pictures(found, days) if found else None,
        "days": _points(days),
        "weekly": is_weekly(asked),
        "apart": [row for one in others if (row := _apart(one, wanted, wards)) is not None],
        "by": [(one.value, label, one is wanted.by) for one, label in BY_WORDS.items()],
        "spoke": board.models,
        "replayed": sum(one.replayed for one in board.models),
        "models": models_board(site),
        "choices": _choices(wanted, wards, site, whole=not board.hidden),
        "verdict_words": dict(ForecastModel.Verdict.choices),
        "kinds": dict(ForecastModel.Kind.choices),
        "periods": [(days, wanted.of_days(days)) for days in PERIODS],
        "speakers": [SPEAKERS[speaker] for speaker in Speaker],
    }


def _own(row: Row | None) -> Scores | None:
    if row is None:
        return None
    return next((one for one in row.speakers if one.speaker is Speaker.FORECAST), None)


def _lines(speakers: Sequence[Scores]) -> list[Line]:
    return [
        Line(
            name=str(SPEAKERS[one.speaker]),
            look=one.speaker.name.lower(),
            is_own=one.speaker is Speaker.FORECAST,
            scores=one,
        )
        for one in speakers
    ]


def _pictures(row: Row, days: Sequence[Day]) -> dict[str, Any] | None:
    own = _own(row)
    if own is None:
        return None
    return {
        "reliability": reliability_figure(row.speakers) if own.tenths else "",
        "reliability_said": reliability_said(own),
        "coverage": coverage_figure(row.speakers),
        "coverage_said": coverage_said(own),
        "crps": time_figure(days) if len({day.day for day in days}) > 1 else "",
        "bias": time_figure(days, of_bias=True) if len({day.day for day in days}) > 1 else "",
        "bias_said": bias_said(own),
        "crps_said": days_said(days),
        "looks": [(one.speaker.name.lower(), SPEAKERS[one.speaker]) for one in row.speakers],
    }


def _points(days: Sequence[Day]) -> list[Point]:
    """The days, the latest first."""
    found = []
    for day in sorted({one.day for one in days}, reverse=True):
        mine = {one.speaker: one for one in days if one.day == day}
        own = mine.get(Speaker.FORECAST)
        found.append(
            Point(
                day=day,
                forecasts=own.forecasts if own else 0,
                crps=[mine[who].crps if who in mine else None for who in Speaker],
                bias=own.bias if own else None,
            )
        )
    return found


def _wards(site: Site, sight: Sight) -> dict[str, str]:
    """The wards in sight, by key."""
    wards = Ward.objects.filter(site=site, same_as=None).order_by("position", "name")
    return {str(pk): name for pk, name in wards.values_list("pk", "name") if sight.sees(pk)}


def _apart(row: Row, wanted: Wish, wards: dict[str, str]) -> Apart | None:
    own = _own(row)
    if own is None:
        return None
    others = [
        one for one in row.speakers if one.speaker is not Speaker.FORECAST and one.crps is not None
    ]
    best = min(others, key=lambda one: one.crps or 0.0, default=None)
    return Apart(
        name=_name(row, wanted, wards),
        address=_address(row, wanted),
        own=own,
        best=best,
        best_name=str(SPEAKERS[best.speaker]) if best else "",
        beaten=best is not None and is_beaten(own, best),
    )


def _name(row: Row, wanted: Wish, wards: dict[str, str]) -> str:
    if wanted.by is By.WARD:
        return wards.get(row.key, row.label)
    if wanted.by is By.HOUR:
        return f"{int(row.key):02}:00"
    if wanted.by is By.UNTIL:
        return str(next((words for one, words in UNTIL_WORDS.items() if one == row.key), row.key))
    return row.key.replace("_", " ").capitalize() if row.key.islower() else row.key


def _address(row: Row, wanted: Wish) -> str:
    """Of a ward or specialty the page about it; of an hour or horizon the page narrowed to it."""
    names = {By.HOUR: "hour", By.UNTIL: "until"}
    if wanted.by in names:
        return wanted.with_(names[wanted.by], row.key)
    return wanted.with_("of", f"{wanted.by.value}:{row.key}")


def _choices(wanted: Wish, wards: dict[str, str], site: Site, *, whole: bool) -> dict[str, Any]:
    """What each field of the form offers."""
    specialties: list[str] = []
    if whole:
        told = ForecastScore.objects.filter(
            site=site,
            part=Part.SPECIALTY,
            what=wanted.what,
            day__range=(wanted.first, wanted.last),
        )
        specialties = sorted(set(told.order_by().values_list("key", flat=True).distinct()))
    if wanted.part is Part.SPECIALTY and wanted.key not in specialties:
        specialties.append(wanted.key)
    return {
        "wards": [(f"ward:{key}", name) for key, name in wards.items()],
        "specialties": [
            (f"specialty:{code}", code.replace("_", " ").capitalize() if code.islower() else code)
            for code in specialties
        ],
        "what": [(one.value, words, one is wanted.what) for one, words in WHAT_WORDS.items()],
        "until": [(one.value, words, one is wanted.until) for one, words in UNTIL_WORDS.items()],
        "hours": [(str(hour), f"{hour:02}:00", hour == wanted.hour) for hour in STANDARD_HOURS],
    }
