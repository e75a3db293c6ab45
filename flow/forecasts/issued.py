"""Forecasts as they were issued, read back: the latest of a site, or the latest by some moment."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from flow.forecasts.clock import minute_of
from flow.forecasts.likelihood import Likely, likely
from flow.forecasts.stored import Issued, Patients, read
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
    """The row of the last forecast of a site that had been issued by a moment; one query."""
    return _rows().filter(site=site, at__lte=by, issued_at__lte=by).order_by("-at").first()


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
    """The last forecast of a site that had been issued by a moment; None where there is none. Two
    queries at most."""
    row = row_by(site, by=by)
    return None if row is None else read_row(row)


def speaking_from(site: int, *, at: datetime) -> Kept | None:
    """The last forecast of a site that speaks from this moment or an earlier one, whenever it was
    written down; None where there is none. Two queries at most."""
    row = _rows().filter(site=site, at__lte=at).order_by("-at").first()
    return None if row is None else read_row(row)
