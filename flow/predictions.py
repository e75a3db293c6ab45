"""What is foretold of patients in a list: a phrase and a chance for each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flow.forecasts.issued import latest_of
from flow.forecasts.phrases import said


@dataclass(frozen=True, slots=True)
class Foretold:
    """Of one patient. words: "Likely today by 16:00". today: the chance to leave before midnight,
    in per cent. at: the moment of the forecast."""

    words: str
    today: int
    at: datetime


def foretold(patients: Iterable[tuple[int, str]], *, at: datetime) -> dict[int, Foretold]:
    """By episode, what the last forecasts issued by `at` say of these patients, given as episode
    and code of the site; of whom nothing is said is not in it. Two queries at most.

    Whether the viewer may see the patients is for the caller to ask.
    """
    asked = list(patients)
    kept = latest_of({site for _episode, site in asked}, by=at)
    found = {}
    for episode, site in asked:
        what = kept[site].likely(episode) if site in kept else None
        if what is not None:
            moment = kept[site].row.at
            words = said(what, at=moment)
            found[episode] = Foretold(words, max(1, min(99, round(100 * what.today))), moment)
    return found
