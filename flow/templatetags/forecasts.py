"""What the templates of forecasts need to say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from flow.forecast_pages.asking import Wish
from flow.forecasts.boards import STALE
from flow.forecasts.prediction import Prediction
from flow.forecasts.wording import number_said
from flow.models import ForecastTraining

register = template.Library()


@register.filter
def beds_number(number: int) -> str:
    """A number of beds with a true minus sign."""
    return number_said(number)


@register.filter
def whole(number: float) -> str:
    """An expected number as a whole one."""
    return beds_number(round(number))


@register.filter
def tenth(number: float) -> str:
    """An expected number where few are expected: with a decimal, a dash for next to nothing."""
    rounded = round(number, 1)
    return f"{rounded:.1f}".replace("-", "−") if rounded else "–"


@register.filter
def tenth_or_none(number: float) -> str:
    """The same in a sentence, where many may be expected as well."""
    rounded = round(number, 1)
    return whole(number) if rounded >= 10 else f"{rounded:.1f}" if rounded else _("none")


@register.filter
def is_old(at: datetime, now: datetime) -> bool:
    """Whether a forecast of one moment speaks at another of a present that is over."""
    return now - at > STALE


@register.filter
def whole_signed(number: float) -> str:
    """A change, with its sign."""
    rounded = round(number)
    return f"+{rounded}" if rounded > 0 else beds_number(rounded)


@register.filter
def step_word(step: str) -> str:
    """What a training is at."""
    return str(ForecastTraining.Step(step).label).lower() if step else ""


@register.filter
def join_number(text: str, number: int) -> str:
    """A name with its number."""
    return f"{text}{number}"


@register.filter
def entry_of(table: Mapping[str, str], key: str) -> str:
    """What stands under the key; empty where nothing does."""
    return table.get(key, "")


@register.filter
def query_of(pairs: Sequence[tuple[str, str]]) -> str:
    """Names and values as the query of an address."""
    return urlencode(pairs)


@register.filter
def score(number: float | None, digits: int) -> str:
    """A score, a dash where there is none."""
    return "–" if number is None else f"{number:.{digits}f}".replace("-", "−")


@register.filter
def score_signed(number: float | None, digits: int) -> str:
    """The same with its sign."""
    return "–" if number is None else f"{number:+.{digits}f}".replace("-", "−")


@register.filter
def share(part: float | None) -> str:
    """A share in whole per cent."""
    return "–" if part is None else f"{round(100 * part)} %"


@register.filter
def share_exact(part: float) -> str:
    """The same with a decimal."""
    return f"{100 * part:.1f} %"


@register.filter
def training_word(state: str) -> str:
    """How a training ended."""
    return str(ForecastTraining.State(state).label)


@register.filter
def lower_first(text: str) -> str:
    """A sentence within another."""
    return text[:1].lower() + text[1:]


@register.simple_tag
def asking(wish: Wish, name: str, value: str) -> str:
    """The address of the accuracy page with another value of one name."""
    return wish.with_(name, value)


@register.filter
def chances_at(said: Prediction) -> list[tuple[str, int]]:
    """Chances in per cent to have left by midnight today and tomorrow, in a week and in two."""
    midnights = [one for one in said.hours if timezone.localtime(one.by).hour == 0]
    shown = [(_("by midnight"), midnights[0]), (_("by midnight tomorrow"), midnights[1])]
    shown += [(_("within 7 days"), said.days[6]), (_("within 14 days"), said.days[13])]
    return [(when, max(1, min(99, round(100 * one.chance)))) for when, one in shown]


@register.filter
def per_cent_said(share: int) -> str:
    """A chance in per cent; never none and never certainty."""
    if share <= 1:
        return _("under 2 %%") % ()
    return _("over 98 %%") % () if share >= 99 else f"{share} %"


@register.filter
def points(change: float) -> str:
    """By how much a fact raises or lowers a chance, in points of a hundred."""
    return _("%(points)s in 100") % {"points": f"{100 * change:+.0f}".replace("-", "−")}
