"""Forecasts as they were issued, read back: the latest of a site, or the latest by some moment.

Latest by the moment it speaks from (`at`): a forecast holds nothing recorded after that, whenever
it was written down. `issued_at` tells of those that were replayed.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from flow.forecasts.clock import minute_of
from flow.forecasts.likelihood import Likely, likely
from flow.forecasts.stored import Issued, Patients, UnknownFormat, read
from flow.models import Forecast

_ROOM: Final = 8
"""Forecasts that one process remembers as read."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A forecast: its row with the model's, both without bytes, and what was said."""

    row: Forecast
    issued: Issued

    @property
    def patients(self) -> Patients:
        """Who was in hospital, with their chances."""
        return self.issued.patients

    def likely(self, episode: int) -> Likely | None:
        """What may be said of one patient; None where they are not in it."""
        place = self.patients.place(episode)
        if place is None:
            return None
        return likely(self.issued.at, self.patients.hours[place], self.patients.days[place])


class _Memory:
    """What was read lately: a forecast never changes."""

    def __init__(self) -> None:
        self._found: OrderedDict[int, Issued] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: int) -> Issued | None:
        with self._lock:
            return self._found.get(key)

    def put(self, key: int, issued: Issued) -> Issued:
        with self._lock:
            self._found[key] = issued
            self._found.move_to_end(key)
            while len(self._found) > _ROOM:
                self._found.popitem(last=False)
        return issued

    def forget(self) -> None:
        with self._lock:
            self._found.clear()


_memory: Final = _Memory()


def forget() -> None:
    """Read everything anew when next asked."""
    _memory.forget()


def row_by(site: int, *, by: datetime) -> Forecast | None:
    """The row of the last forecast of a site that speaks from a moment or before; one query."""
    return _rows().filter(site=site, at__lte=by).order_by("-at").first()


def _rows() -> QuerySet[Forecast]:
    return Forecast.objects.select_related("model").defer("said", "arrays", "model__blob")


def read_row(row: Forecast) -> Kept:
    """What was said in it; one query where this process has not read it lately.

    Raises `UnknownFormat` where a later version of Flowboard wrote it.
    """
    found = _memory.get(row.pk)
    if found is None:
        [(said, arrays)] = Forecast.objects.filter(pk=row.pk).values_list("said", "arrays")
        issued = read(said, bytes(arrays), at=minute_of(row.at), format=row.format)
        found = _memory.put(row.pk, issued)
    return Kept(row, found)


def latest(site: int, *, by: datetime) -> Kept | None:
    """The last forecast of a site that speaks from a moment or before; None where there is none.
    Two queries at most."""
    row = row_by(site, by=by)
    return None if row is None else read_row(row)


def latest_of(sites: Collection[str], *, by: datetime) -> dict[str, Kept]:
    """The last forecast of each of these sites, by code, that speaks from a moment or before; two
    queries at most. One that a later version of Flowboard wrote is left out."""
    last = _rows().filter(site__code__in=list(sites), at__lte=by)
    ordered = last.order_by("site_id", "-at").distinct("site_id").select_related("site", "model")
    rows = {row.pk: row for row in ordered} if sites else {}
    found = {pk: issued for pk in rows if (issued := _memory.get(pk)) is not None}
    unread = Forecast.objects.filter(pk__in=set(rows) - set(found))
    if len(found) < len(rows):
        for pk, said, arrays in unread.values_list("pk", "said", "arrays"):
            at, number = minute_of(rows[pk].at), rows[pk].format
            try:
                found[pk] = _memory.put(pk, read(said, bytes(arrays), at=at, format=number))
            except UnknownFormat:
                continue
    return {rows[pk].site.code: Kept(rows[pk], issued) for pk, issued in found.items()}
