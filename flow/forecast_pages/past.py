"""What was said of each patient in an earlier forecast, beside what they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from flow.board_types import Face, Sight
from flow.faces import faces
from flow.forecast_pages.shown import UNTIL_WORDS
from flow.forecasts.happened import HappenedBoard, Patient
from flow.forecasts.likelihood import LIKELY, UNLIKELY
from flow.forecasts.phrases import tenths
from flow.forecasts.recorded import Part, What
from patients.models import Episode

SHOWN: Final = 250
"""How many patients are listed; of a whole hospital nobody reads on."""
SURPRISES: Final = 20
"""How many of those who did otherwise than was likely are listed first."""
_DAY: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Line:
    """A patient. chance: to leave within 24 hours, in words; share: the same in per cent. left_at:
    when they left, None while they are there; within: whether within the 24 hours, None while that
    is open. surprise: likely to leave and did not, or unlikely and did."""

    episode: int
    face: Face | None
    ward: str
    chance: str
    share: int
    left_at: datetime | None
    within: bool | None
    surprise: bool


@dataclass(frozen=True, slots=True)
class People:
    """The patients of a forecast whom the viewer may see, the likeliest to leave first. surprises:
    those who did otherwise than was likely, the least likely first; otherwise: how many these are.
    rest: how many more there are than are listed."""

    lines: Sequence[Line]
    surprises: Sequence[Line]
    otherwise: int
    rest: int


def patients_past(found: HappenedBoard, *, sight: Sight) -> People | None:
    """Two queries; None where the viewer may see nobody."""
    if sight.patients == frozenset():
        return None
    shown = found.patients
    ids = dict(
        Episode.objects.filter(pk__in=[one.episode for one in shown]).values_list(
            "pk", "patient_id"
        )
    )
    known = faces(set(ids.values()))
    lines = [_line(one, known.get(ids.get(one.episode, 0)), found) for one in shown]
    surprises = [line for line in lines if line.surprise]
    surprises.sort(key=lambda line: line.share if line.within else 100 - line.share)
    return People(
        lines=lines[:SHOWN],
        surprises=surprises[:SURPRISES],
        otherwise=len(surprises),
        rest=max(0, len(lines) - SHOWN),
    )


def _line(one: Patient, face: Face | None, found: HappenedBoard) -> Line:
    end = found.said.at + _DAY
    left = one.left_at is not None and one.left_at <= end
    within = left if left or found.now >= end else None
    place = found.said.places.get(one.ward)
    return Line(
        episode=one.episode,
        face=face,
        ward=place.name if place else "",
        chance=tenths(one.chance),
        share=round(one.chance * 100),
        left_at=one.left_at,
        within=within,
        surprise=(within is True and one.chance < UNLIKELY)
        or (within is False and one.chance >= LIKELY),
    )


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the site as said and as seen. why: what it is still waited for, where nothing is
    seen yet. held: whether 9 chances in 10 held it, None while that is open."""

    what: str
    until: str
    expected: float
    low: int
    high: int
    seen: int | None
    why: str
    held: bool | None


_WHAT: Final[Mapping[What, str | Promise]] = {
    What.DEPARTURES: lazy("Leave, of those who were there"),
    What.ADMISSIONS: lazy("Come to a bed"),
    What.FREE_BEDS: lazy("Free beds"),
}


def numbers_past(found: HappenedBoard) -> list[Number]:
    """The numbers of the whole site, for who sees all of it."""
    shown = []
    whats = list(_WHAT)
    for one in sorted(
        found.outcomes, key=lambda one: (whats.index(one.number.what), one.number.ends)
    ):
        number = one.number
        if number.part is not Part.SITE:
            continue
        low, high = number.spread.central(0.9)
        shown.append(
            Number(
                what=str(_WHAT[number.what]),
                until=str(UNTIL_WORDS[number.until]),
                expected=number.spread.mean,
                low=low,
                high=high,
                seen=one.seen,
                why=_("not counted yet") if one.is_over else _("not over yet"),
                held=one.held,
            )
        )
    return shown
