"""What is foretold, of sites and of single patients, and how right it has been."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Final

from django.http import HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_date
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request

from accounts.roles import Permission
from accounts.tokens import TokenScope
from flow.api import describing_forecasts as describing
from flow.api.episodes import in_sight
from flow.api.forecasts_written import (
    accuracy_rows,
    accuracy_told,
    board_rows,
    board_told,
    prediction_told,
)
from flow.api.params import Params
from flow.api.problems import missing
from flow.api.reading import Reader, answered, filters_of, form_of, now, scope, sight, written
from flow.api.sharing import Shared, SharedReader
from flow.forecasts.accuracy import DAYS, MOST_DAYS, Asked, By, accuracy_board
from flow.forecasts.boards import forecast_board
from flow.forecasts.clock import is_meant
from flow.forecasts.prediction import predicted
from flow.forecasts.recorded import STANDARD_HOURS, Until, What
from wards.models import Site
from wards.scope import ALL

CALM: Final = 20
"""Seconds for which one answer serves everybody: a new forecast makes a new one at once."""


@extend_schema_view(get=extend_schema(**describing.FORECAST))
class Forecasts(SharedReader):
    """What was foretold of a site, by the last forecast that speaks from `at` or before."""

    needs = TokenScope.OCCUPANCY_READ
    known: ClassVar = frozenset({"site", "at"})

    def share(self, request: Request, **_: Any) -> Shared:
        """One site, with its groups of beds."""
        params = self.params(request, now=now())
        codes = filters_of(request, params).sites()
        if len(codes) != 1:
            params.errors.setdefault("site", "Name one site; /api/v1/sites/ lists them.")
        at = params.moment("at")
        params.check()
        site = Site.objects.get(code=codes[0])
        seen, form = sight(request), form_of(request)

        def make(asked_at: datetime) -> bytes:
            board = forecast_board(site, now=asked_at, sight=seen, at=at)
            if board is None:
                raise missing("forecast of this site that speaks from then or before")
            return written(form, board_told(board), rows=lambda: board_rows(board))

        variant = ("forecast", scope(request).key, params.canonical)
        name = f"forecast:{site.pk}"
        return Shared(name, variant, ttl=CALM, private=False, form=form, make=make)


class Accuracy(Reader):
    """How right forecasts have been, beside what they have to beat."""

    needs = TokenScope.OCCUPANCY_READ
    known: ClassVar = frozenset({"site", "from", "to", "hour", "horizon", "what", "by"})

    @extend_schema(**describing.ACCURACY)
    def get(self, request: Request) -> HttpResponse:
        """Seven queries at most."""
        at = now()
        params = self.params(request, now=at)
        codes = filters_of(request, params).sites()
        asked = _asked(params, at)
        params.check()
        board = accuracy_board(_sites(request, codes), asked, now=at, sight=sight(request))
        told = accuracy_told(board)
        return answered(request, written(form_of(request), told, rows=lambda: accuracy_rows(board)))


def _sites(request: Request, codes: list[str]) -> list[Site]:
    """Those chosen, or all of which the caller may see a ward."""
    rows = Site.objects.order_by("position", "name", "pk")
    held = scope(request).sites_in_part(Permission.SEE_COUNTS)
    if held != ALL:
        rows = rows.filter(pk__in=held)
    return list(rows.filter(code__in=codes) if codes else rows)


def _asked(params: Params, at: datetime) -> Asked:
    last = _day(params, "to") or timezone.localtime(at).date()
    first = _day(params, "from") or last - timedelta(days=DAYS - 1)
    if first > last:
        params.errors.setdefault("from", "This day lies after the last one.")
    elif (last - first).days >= MOST_DAYS:
        params.errors.setdefault("from", f"Ask for {MOST_DAYS} days at most.")
    hours = params.choices("hour", [str(hour) for hour in STANDARD_HOURS])
    return Asked(
        first=first,
        last=last,
        what=What(_one(params, "what", What, What.DEPARTURES)),
        until=Until(_one(params, "horizon", Until, Until.DAY)),
        hours=tuple(int(hour) for hour in hours if hour.isdecimal()),
        by=By(by) if (by := _one(params, "by", By, "")) else None,
    )


def _one(params: Params, name: str, among: Iterable[str], default: str) -> str:
    words = [str(word) for word in among]
    text = params.text(name)
    if text is None:
        return default
    if text not in words:
        params.errors[name] = f"“{text[:40]}” is not one of {', '.join(words)}."
        return default
    return text


def _day(params: Params, name: str) -> date | None:
    text = params.text(name)
    if text is None:
        return None
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if found is None or not is_meant(found):
        params.errors[name] = "Give a day such as 2026-11-21."
        return None
    return found


class OnePrediction(Reader):
    """What is foretold of one patient."""

    needs = TokenScope.EPISODES_READ
    known: ClassVar = frozenset({"at"})

    @extend_schema(**describing.PREDICTION)
    def get(self, request: Request, key: int) -> HttpResponse:
        """By the last forecast that speaks from `at` or before; thirteen queries at most."""
        asked_at = now()
        params = self.params(request, now=asked_at)
        at = params.moment("at")
        params.check()
        episode = in_sight(request).filter(pk=key).first()
        if episode is None:
            raise missing("episode of this key")
        found = predicted(episode, now=asked_at, at=at)
        if found is None:
            raise missing("forecast that speaks from then or before in which this patient is")
        told = prediction_told(found, planned_now=episode.expected_discharge_at)
        return answered(request, written(form_of(request), told, rows=lambda: told["hours"]))
