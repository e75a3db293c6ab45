"""How right forecasts have been, in words: whether they beat what can be said without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Final, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from flow.forecasts.accuracy import Scores
from flow.forecasts.drift import Sign
from flow.forecasts.recorded import Speaker

FEW: Final = 10
"""With fewer forecasts nothing is said of who was better."""
EVEN: Final = 0.02
"""Scores that differ by less of the larger one are called even."""

SPEAKERS: Final[Mapping[Speaker, str | Promise]] = {
    Speaker.FORECAST: lazy("The forecast"),
    Speaker.KAPLAN_MEIER: lazy("Kaplan–Meier by specialty and weekday"),
    Speaker.PLAN: lazy("The teams’ expected dates"),
    Speaker.WEEKDAY: lazy("Same weekday, mean of six weeks"),
    Speaker.YESTERDAY: lazy("The day before"),
}
SIGNS: Final[Mapping[Sign, str | Promise]] = {
    Sign.FASTER: lazy(
        "Patients leave faster these days than the model learnt. Forecasts follow it already; "
        "something at the hospital has changed."
    ),
    Sign.SLOWER: lazy(
        "Patients leave more slowly these days than the model learnt. Forecasts follow it already; "
        "something at the hospital has changed."
    ),
    Sign.INTERVALS: lazy(
        "In the last two weeks the 90 % intervals held fewer than two thirds of what came. Plan "
        "with more room than they leave."
    ),
    Sign.BEATEN: lazy(
        "In the last two weeks Kaplan–Meier or the teams’ own dates told better who leaves. Look "
        "at them as well."
    ),
}


class Day(Protocol):
    """How right one speaker was on a day."""

    @property
    def day(self) -> date: ...
    @property
    def speaker(self) -> Speaker: ...
    @property
    def crps(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """The forecast beside one of the others. is_better: None where they are even, or too little
    was scored to say. words: in a sentence."""

    speaker: Speaker
    is_better: bool | None
    words: str


def verdicts(speakers: Sequence[Scores]) -> list[Verdict]:
    """Whether the forecast beats each of the others; empty where it was not scored."""
    own = next((one for one in speakers if one.speaker is Speaker.FORECAST), None)
    if own is None:
        return []
    return [_verdict(own, one) for one in speakers if one.speaker is not Speaker.FORECAST]


def _verdict(own: Scores, other: Scores) -> Verdict:
    name = str(SPEAKERS[other.speaker])
    told = min(own.forecasts, other.forecasts)
    if own.crps is None or other.crps is None or told < FEW:
        said = ngettext(
            "%(name)s: %(number)d forecast scored beside it, too few to say who is better.",
            "%(name)s: %(number)d forecasts scored beside it, too few to say who is better.",
            told,
        )
        return Verdict(other.speaker, None, said % {"name": name, "number": told})
    better = _compared(own.crps, other.crps)
    values = {"name": name, "own": f"{own.crps:.2f}", "its": f"{other.crps:.2f}"}
    if better is None:
        words = _("Even with %(name)s: CRPS %(own)s against %(its)s.")
    elif better:
        values["less"] = f"{100 * (1 - own.crps / other.crps):.0f}"
        words = _("Beats %(name)s: CRPS %(own)s against %(its)s, %(less)s %% less.")
    else:
        words = _("Does not beat %(name)s: CRPS %(own)s against %(its)s.")
    said = words % values
    if own.log_score is not None and other.log_score is not None:
        by_patient = _compared(own.log_score, other.log_score)
        words = {
            True: _("Patient by patient it beats it too (log score %(own)s against %(its)s)."),
            False: _("Patient by patient it does not (log score %(own)s against %(its)s)."),
            None: _("Patient by patient they are even (log score %(own)s against %(its)s)."),
        }[by_patient]
        if better is False and by_patient is not False:
            words = _("Patient by patient: log score %(own)s against %(its)s.")
        said += " " + words % {
            "own": f"{own.log_score:.3f}", "its": f"{other.log_score:.3f}",
        }  # fmt: skip
    if other.forecasts < own.forecasts:
        said += " " + _("It could speak for %(its)d of %(all)d forecasts.") % {
            "its": other.forecasts, "all": own.forecasts,
        }  # fmt: skip
    return Verdict(other.speaker, better, said)


def _compared(own: float, other: float) -> bool | None:
    """Whether a loss is less than the other's; None where they are even."""
    if abs(own - other) <= EVEN * max(own, other):
        return None
    return own < other


def coverage_said(own: Scores) -> str:
    """How often the intervals held what came."""
    if own.within_90 is None or own.within_50 is None or own.within_80 is None:
        return ""
    return _(
        "The 50 %% intervals held %(half)s %% of what came, those of 80 %% held %(eight)s %%, "
        "those of 90 %% held %(nine)s %% (%(number)d forecasts)."
    ) % {
        "half": round(100 * own.within_50),
        "eight": round(100 * own.within_80),
        "nine": round(100 * own.within_90),
        "number": own.forecasts,
    }


def reliability_said(own: Scores) -> str:
    """The reliability diagram in a sentence."""
    if own.chance is None or own.came is None:
        return ""
    said = _(
        "Of %(patients)d chances of single patients the mean was %(chance).1f %%, and it came true "
        "for %(came).1f %%."
    ) % {"patients": own.patients, "chance": 100 * own.chance, "came": 100 * own.came}
    large = [one for one in own.tenths if one.patients >= 20]
    if large:
        worst = max(large, key=lambda one: abs(one.said - one.seen))
        said += " " + _(
            "Furthest apart are said and seen where about %(said).0f %% was said: there it came "
            "true for %(seen).0f %% of %(patients)d."
        ) % {"said": 100 * worst.said, "seen": 100 * worst.seen, "patients": worst.patients}
    return said


def level_said(level: float, low: float, high: float) -> str:
    """How fast patients leave these days beside what the model learnt, with its 90 % interval."""
    values = {"level": f"{level:.2f}", "low": f"{low:.2f}", "high": f"{high:.2f}"}
    if low <= 1 <= high:
        said = _(
            "Patients leave about as fast these days as the model learnt (%(level)s times; 90 %% "
            "interval %(low)s to %(high)s)."
        )
    else:
        said = _(
            "Patients leave %(level)s times as fast these days as the model learnt (90 %% interval "
            "%(low)s to %(high)s); forecasts follow that."
        )
    return said % values


def days_said(days: Sequence[Day]) -> str:
    """CRPS over time in a sentence; empty where fewer than two days were scored."""
    own = {one.day: one.crps for one in days if one.speaker is Speaker.FORECAST}
    if len(own) < 2:
        return ""
    best, worst = min(own, key=lambda day: own[day]), max(own, key=lambda day: own[day])
    said = _(
        "CRPS of the forecast lay between %(least)s (%(best)s) and %(most)s (%(worst)s), in the "
        "middle at %(middle)s."
    ) % {
        "least": f"{own[best]:.2f}",
        "best": f"{best:%-d %b}",
        "most": f"{own[worst]:.2f}",
        "worst": f"{worst:%-d %b}",
        "middle": f"{median(own.values()):.2f}",
    }
    others: dict[date, float] = {}
    for one in days:
        if one.speaker is not Speaker.FORECAST:
            others[one.day] = min(one.crps, others.get(one.day, one.crps))
    shared = own.keys() & others.keys()
    if not shared:
        return said
    first = sum(_compared(own[day], others[day]) is not False for day in shared)
    beside = ngettext(
        "It was as good as the best of the others, or better, on %(first)d of %(all)d day.",
        "It was as good as the best of the others, or better, on %(first)d of %(all)d days.",
        len(shared),
    )
    return f"{said} {beside % {'first': first, 'all': len(shared)}}"


def is_beaten(own: Scores, other: Scores) -> bool:
    """Whether the other had the lesser CRPS, by more than what is even."""
    if own.crps is None or other.crps is None:
        return False
    return _compared(own.crps, other.crps) is False


def bias_said(own: Scores) -> str:
    """Whether too many or too few were said."""
    if own.bias is None:
        return ""
    if abs(own.bias) < 0.05:
        return _("On average as many were said as came.")
    words = _("On average %(number)s too many were said.") if own.bias > 0 else _(
        "On average %(number)s too few were said."
    )  # fmt: skip
    return words % {"number": f"{abs(own.bias):.1f}"}
