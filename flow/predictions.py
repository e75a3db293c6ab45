"""What is foretold of patients in a list: a phrase and a chance for each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from flow.forecasts.boards import STALE
from flow.forecasts.issued import latest_of
from flow.forecasts.likelihood import Likely
from flow.forecasts.phrases import said


@dataclass(frozen=True, slots=True)
class Foretold:
    """Of one patient. words: "Likely today by 16:00". today: the chance to leave before midnight,
    in per cent. at: the moment of the forecast; stale: a newer one should be there. One of another
    day does not speak of this one: its words say so, and there is no chance."""

    words: str
    today: int | None
    at: datetime
    stale: bool


def foretold(patients: Iterable[tuple[int, str]], *, at: datetime) -> dict[int, Foretold]:
    """By episode, what the last forecasts that speak from `at` or before say of these patients,
    given as episode and code of the site; of whom nothing is said is not in it. Two queries at
    most.

    Whether the viewer may see the patients is for the caller to ask.
    """
    asked = list(patients)
    kept = latest_of({site for _episode, site in asked}, by=at)
    found = {}
    for episode, site in asked:
        what = kept[site].likely(episode) if site in kept else None
        if what is not None:
            found[episode] = _told(what, kept[site].row.at, at)
    return found


def _told(what: Likely, moment: datetime, at: datetime) -> Foretold:
    stale = at - moment > STALE
    then = timezone.localtime(moment)
    if then.date() != timezone.localtime(at).date():
        words = _("Not foretold since %(when)s") % {"when": formats.date_format(then, "D H:i")}
        return Foretold(words, None, moment, stale)
    return Foretold(said(what, at=moment), max(1, min(99, round(100 * what.today))), moment, stale)
