"""Which model speaks for a site, with what it learnt read from the database."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from django.db import transaction
from django.db.models import Max

from flow.forecasts import learnt
from flow.forecasts.learnt import Learnt, Unreadable, packed, unpacked
from flow.forecasts.level import Levels
from flow.forecasts.patterns import Patterns
from flow.models import ForecastLevels, ForecastModel, ForecastPatterns
from wards.models import Site

KEPT: Final = timedelta(weeks=6)
"""How long what was learnt is kept once it no longer speaks; its row stays."""
LEVELS_KEPT: Final = timedelta(weeks=6)
_ROOM: Final = 16
"""Models, and as many patterns, that one process remembers."""

T = TypeVar("T")


class _Lately(Generic[T]):
    """What was read lately, by primary key: it never changes once it is written."""

    def __init__(self) -> None:
        self._found: OrderedDict[int, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: int) -> T | None:
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)

    def put(self, key: int, value: T) -> T:
        with self._lock:
            self._found[key] = value
            while len(self._found) > _ROOM:
                self._found.popitem(last=False)
        return value

    def forget(self) -> None:
        with self._lock:
            self._found.clear()


_models: Final[_Lately[Learnt]] = _Lately()
_patterns: Final[_Lately[Patterns]] = _Lately()


def forget() -> None:
    """Read everything anew when next asked."""
    _models.forget()
    _patterns.forget()


@dataclass(frozen=True, slots=True)
class Live:
    """The model that speaks for a site: its row, without the bytes, and what it learnt."""

    row: ForecastModel
    learnt: Learnt


@dataclass(frozen=True, slots=True)
class New:
    """A model about to be kept; the fields are those of `ForecastModel`. learnt: None where it
    was not worth learning in full."""

    learnt: Learnt | None
    kind: str
    verdict: str
    learnt_from: datetime
    learnt_until: datetime
    departures: int
    movement: int
    seconds: float
    floor_loss: float | None = None
    boosted_loss: float | None = None
    own_loss: float | None = None
    live_loss: float | None = None
    compared: int = 0


def live_row(site: int) -> ForecastModel | None:
    """The row of the model that speaks for a site; one query."""
    rows = ForecastModel.objects.defer("blob")
    return rows.filter(site=site, live_from__isnull=False, live_until__isnull=True).first()


def live(site: int) -> Live | None:
    """The model that speaks for a site; None where there is none that this version can read.

    One query, and another one where this process has not read the model yet.
    """
    row = live_row(site)
    if row is None:
        return None
    try:
        return Live(row, read(row))
    except Unreadable:
        return None


def read(row: ForecastModel) -> Learnt:
    """What a model learnt. Raises `Unreadable` where it is no longer kept, or another version
    wrote it."""
    found = _models.get(row.pk)
    if found is not None:
        return found
    blob = ForecastModel.objects.values_list("blob", flat=True).get(pk=row.pk)
    if blob is None:
        raise Unreadable("what was learnt is no longer kept")
    kept = unpacked(Learnt, bytes(blob), format=row.format, libraries=row.libraries)
    return _models.put(row.pk, kept)


@transaction.atomic
def keep(site: Site, new: New, *, at: datetime) -> ForecastModel:
    """Keep a model under the next number; unless it lost, it speaks from `at` on."""
    Site.objects.select_for_update().get(pk=site.pk)
    rows = ForecastModel.objects.filter(site=site)
    speaks = new.verdict != ForecastModel.Verdict.LOST
    if speaks:
        rows.filter(live_from__isnull=False, live_until__isnull=True).update(live_until=at)
    last = rows.aggregate(last=Max("number"))["last"] or 0
    return ForecastModel.objects.create(
        site=site,
        number=last + 1,
        kind=new.kind,
        verdict=new.verdict,
        trained_at=at,
        learnt_from=new.learnt_from,
        learnt_until=new.learnt_until,
        departures=new.departures,
        movement=new.movement,
        seconds=new.seconds,
        floor_loss=new.floor_loss,
        boosted_loss=new.boosted_loss,
        own_loss=new.own_loss,
        live_loss=new.live_loss,
        compared=new.compared,
        format=learnt.FORMAT,
        libraries=learnt.LIBRARIES,
        blob=None if new.learnt is None else packed(new.learnt),
        live_from=at if speaks else None,
    )


def keep_levels(model: ForecastModel, levels: Levels, *, at: datetime) -> None:
    """Keep the levels of a model as followed until `at`."""
    ForecastLevels.objects.get_or_create(model=model, at=at, defaults={"blob": packed(levels)})


def levels(row: ForecastModel, *, at: datetime) -> tuple[datetime, Levels] | None:
    """The levels of a model as last followed by `at`, and until when; one query."""
    found = ForecastLevels.objects.filter(model=row, at__lte=at).order_by("-at").first()
    if found is None:
        return None
    kept = unpacked(Levels, bytes(found.blob), format=row.format, libraries=row.libraries)
    return found.at, kept


def keep_patterns(site: Site, patterns: Patterns, *, at: datetime) -> None:
    """Keep how patients come and go, as learnt at `at`."""
    ForecastPatterns.objects.create(
        site=site,
        at=at,
        format=learnt.FORMAT,
        libraries=learnt.LIBRARIES,
        blob=packed(patterns),
    )


def patterns(site: int, *, at: datetime) -> Patterns | None:
    """How patients come and go, as last learnt by `at`; None where nothing is kept that this
    version can read. One query, and another one where this process has not read it yet."""
    rows = ForecastPatterns.objects.defer("blob").filter(site=site, at__lte=at)
    row = rows.order_by("-at").first()
    if row is None:
        return None
    if (known := _patterns.get(row.pk)) is not None:
        return known
    try:
        found = unpacked(Patterns, bytes(row.blob), format=row.format, libraries=row.libraries)
    except Unreadable:
        return None
    return _patterns.put(row.pk, found)


def drop_old(*, at: datetime) -> int:
    """Drop what was learnt by models that have not spoken for `KEPT`, old levels and patterns;
    how many models were dropped."""
    long_ago = at - KEPT
    silent = ForecastModel.objects.filter(blob__isnull=False).exclude(
        live_from__isnull=False, live_until__isnull=True
    )
    dropped = silent.filter(trained_at__lt=long_ago).exclude(live_until__gte=long_ago)
    number = dropped.update(blob=None)
    ForecastLevels.objects.filter(at__lt=at - LEVELS_KEPT).exclude(pk__in=_latest_levels()).delete()
    ForecastPatterns.objects.filter(at__lt=at - LEVELS_KEPT).exclude(
        pk__in=_latest_patterns()
    ).delete()
    return number


def _latest_levels() -> list[int]:
    rows = ForecastLevels.objects.order_by("model_id", "-at").distinct("model_id")
    return list(rows.values_list("pk", flat=True))


def _latest_patterns() -> list[int]:
    rows = ForecastPatterns.objects.order_by("site_id", "-at").distinct("site_id")
    return list(rows.values_list("pk", flat=True))
