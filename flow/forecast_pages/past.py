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
from flow.forecasts.outlook import SAID
from flow.forecasts.phrases import tenths
from flow.forecasts.recorded import Part, What
from patients.models import Episode

SHOWN: Final = 250
"""How many patients are listed; of a whole hospital nobody reads on."""
SURPRISES: Final = 20
"""How many of the surprises are listed first."""
RARE: Final = 0.1
"""Who leaves with a chance of no more than this is a surprise; so is who stays against one of as
little."""
_DAY: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Line:
    """A patient. chance: to leave within 24 hours, in words; share: the same in per cent. left_at:
    when they left, None while they are there; within: whether within the 24 hours, None while that
    is open. surprise: see `RARE`."""

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
    """The patients of a forecast whom the viewer may see, the likeliest to leave first. expected,
    left: how many were to leave within 24 hours, and did; is_over: whether these are over.
    surprises: the least likely first; surprised: how many there are; usual: how many there are
    with chances that are right. rest: how many more patients there are than are listed."""

    lines: Sequence[Line]
    expected: float
    left: int
    is_over: bool
    surprises: Sequence[Line]
    surprised: int
    usual: float
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
    chances = [one.chance for one in shown]
    surprises = [
        (chance if line.within else 1 - chance, line)
        for chance, line in zip(chances, lines, strict=True)
        if line.surprise
    ]
    surprises.sort(key=lambda one: one[0])
    return People(
        lines=lines[:SHOWN],
        expected=sum(chances),
        left=sum(line.within is True for line in lines),
        is_over=found.now >= found.said.at + _DAY,
        surprises=[line for _chance, line in surprises[:SURPRISES]],
        surprised=len(surprises),
        usual=sum(rare for one in chances if (rare := min(one, 1 - one)) <= RARE),
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
        surprise=(within is True and one.chance <= RARE)
        or (within is False and 1 - one.chance <= RARE),
    )


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the site as said and as seen. least, most: with 9 chances in 10 each. why: what
    it is still waited for, where nothing is seen yet. held: whether it was between the two, as 8
    in 10 should be; None while that is open."""

    what: str
    until: str
    expected: float
    least: int
    most: int
    seen: int | None
    why: str
    held: bool | None


_WHAT: Final[Mapping[What, str | Promise]] = {
    What.DEPARTURES: lazy("Leave, of those who were there"),
    What.ADMISSIONS: lazy("Come to a bed"),
    What.FREE_BEDS: lazy("Free beds"),
    What.WAITS: lazy("Wait over 4 hours for a bed"),
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
        least, most = number.spread.at_least(SAID[0]), number.spread.quantile(SAID[0])
        shown.append(
            Number(
                what=str(_WHAT[number.what]),
                until=str(UNTIL_WORDS[number.until]),
                expected=number.spread.mean,
                least=least,
                most=most,
                seen=one.seen,
                why=_("not counted yet") if one.is_over else _("not over yet"),
                held=None if one.seen is None else least <= one.seen <= most,
            )
        )
    return shown
