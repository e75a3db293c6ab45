"""The names that must not stand where no name may be: of everybody who is or was lately in care."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from django.db.models import BigIntegerField, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from accounts.models import Team
from huddles.masking import Words, joined, words_of
from patients.models import Episode, Patient
from wards.models import Ward

LATELY: Final = timedelta(days=40)
"""For how long after somebody left, or was not to come after all, their name is hidden still: what
was agreed about them may be due a month later."""

ANEW: Final = timedelta(minutes=10)
"""After so long a process reads everybody's name again; until then whoever is new, or has changed.
"""

LOOK_BACK: Final = 200
"""So many entries of the history are read again: what is written first may be seen last."""


@dataclass(frozen=True, slots=True)
class _Known:
    """The words as of a moment, with the last entries of the history of people and of stays that
    had been written by then."""

    words: Words
    kept: tuple[str, ...]
    people: int
    stays: int
    at: datetime


class _Memory:
    """What this process knows. Never in Redis: these are names."""

    known: _Known | None = None


def forget() -> None:
    """Read everybody's name again when next asked."""
    _Memory.known = None


def words_to_hide(at: datetime) -> Words:
    """The words of the names and local numbers of everybody in hospital, expected, or gone or
    called off for less than `LATELY`, under every record of theirs; with the names of wards and
    teams, which may be read.

    Two queries, whose cost does not grow with the number of people but once in `ANEW`. Whoever
    came since is known at once; who has left is forgotten later.
    """
    known = _Memory.known
    if known is not None and abs(at - known.at) >= ANEW:
        known = None
    rows = list(_everybody(at) if known is None else _new_since(known))
    places = Ward.objects.values_list("name").union(Team.objects.values_list("name"))
    kept = tuple(sorted(name for (name,) in places if name))
    people, stays = rows[0][3:] if rows else (0, 0)
    words = frozenset().union(*(_words(*row[:3]) for row in rows))
    if known is None:
        _Memory.known = known = _Known(Words(words, kept=kept), kept, people, stays, at)
    elif not words <= known.words or kept != known.kept or rows:
        same = words <= known.words and kept == known.kept
        whole = known.words if same else Words(known.words | words, kept=kept)
        _Memory.known = known = _Known(
            whole, kept, max(people, known.people), max(stays, known.stays), known.at
        )
    return known.words


def _everybody(at: datetime) -> QuerySet[Any, Any]:
    left = Q(discharged_at__gte=at - LATELY)
    there = ~Q(status__in=(Episode.Status.CANCELLED, Episode.Status.DISCHARGED))
    # A stay that is called off keeps no time of it; its history does.
    lately = _history(Episode).filter(pgh_obj=OuterRef("pk"), pgh_created_at__gte=at - LATELY)
    off = Q(Exists(lately), status=Episode.Status.CANCELLED)
    stays = Episode.objects.filter(left | there | off)
    return _names(stays.values("patient__person"))


def _new_since(known: _Known) -> QuerySet[Any, Any]:
    """Whoever has come, or is called otherwise, or is known to be somebody else's record since."""
    people = _history(Patient).filter(pgh_id__gt=known.people - LOOK_BACK)
    stays = _history(Episode).filter(pgh_id__gt=known.stays - LOOK_BACK)
    changed = people.values("pgh_obj").union(stays.values("patient"))
    return _names(Patient.objects.filter(pk__in=changed).values("person"))


def _names(people: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
    found = Patient.objects.filter(person__in=people).annotate(
        people=_last(Patient), stays=_last(Episode)
    )
    return found.values_list("family_name", "given_name", "identifier", "people", "stays")


def _history(model: Any) -> QuerySet[Any]:
    found: QuerySet[Any] = model.pgh_event_model.objects.all()
    return found


def _last(model: Any) -> Coalesce:
    """The latest entry in the history of all records of a kind."""
    events = _history(model).order_by("-pgh_id").values("pgh_id")[:1]
    return Coalesce(Subquery(events), Value(0), output_field=BigIntegerField())


@lru_cache(maxsize=4096)
def _words(family: str, given: str, identifier: str) -> frozenset[str]:
    return words_of((family, given, identifier)) | joined(given, family)
