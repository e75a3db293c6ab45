"""Words of the pages of escalation."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from huddles.escalation.rule_sets import Label
from huddles.escalation.rule_words import cut_words
from huddles.escalation.standing import Line, Share, Standing
from huddles.models import NoticeRule
from huddles.opel.nearest import Away, Step, words
from huddles.opel.rule_set import Parameter
from huddles.opel.scoring import Reached

register = template.Library()

_UNTOLD = {
    "four_hour_performance": lazy("nobody has left since midnight"),
    "attendance_variation": lazy("too few weeks on record to compare with"),
    "majors_resus_occupancy": lazy("no bay here is known as majors or resuscitation"),
    "over_twelve_hours": lazy("no emergency department here"),
    "ga_occupancy": lazy("no open general and acute bed here"),
    "escalation_beds": lazy("no open general and acute bed here"),
    "no_criteria_to_reside": lazy("too few patients have been reviewed"),
}
_UNITS = {"percent": "%", "minutes": "min"}


@register.filter
def valued(value: float, unit: str) -> str:
    """A value with its unit: `93.2 %`, `31 min`."""
    return f"{value:g} {_UNITS.get(unit, unit)}"


@register.filter
def unit_word(unit: str) -> str:
    """A unit in short."""
    return _UNITS.get(unit, unit)


@register.filter
def points(score: float) -> str:
    """A score: whole, or a mean of sites to a tenth."""
    near = round(score, 1)
    return f"{near:.0f}" if near == int(near) else f"{near:.1f}"


@register.filter
def share_words(share: float) -> str:
    """A share in per cent."""
    return f"{100 * share:.0f} %"


@register.filter
def source_words(line: Line) -> str:
    """Where the value that counts comes from."""
    if line.source == "hand":
        return _("by hand, %(who)s") % {"who": line.by}
    if line.source == "api":
        return _("told by %(who)s") % {"who": line.by}
    return _("counted by Flowboard") if line.source else ""


@register.filter
def lacks(line: Line) -> str:
    """Why a value counts for nothing certain; empty where it counts."""
    if line.told is None:
        return str(_UNTOLD.get(line.parameter.code, _("nobody has told it")))
    if line.scored.stale:
        return _("too old to count")
    return "" if line.counts else _("its cut-offs are not filled in")


@register.filter
def cuts(parameter: Parameter) -> list[str]:
    """The cut-offs as they are read."""
    return cut_words(parameter)


@register.filter
def step_words(step: Step) -> str:
    """What would have to be so."""
    unit = step.parameter.unit
    return f"{words(step)} {_UNITS.get(unit, unit)}"


@register.filter
def away_words(away: Away) -> str:
    """How far a level is: what makes it possible, and what certain, where these differ."""

    def much(points: int) -> str:
        if away.is_above:
            words = ngettext("%(number)d point more", "%(number)d points more", points)
        else:
            words = ngettext("%(number)d point fewer", "%(number)d points fewer", points)
        return words % {"number": points}

    about = {"level": away.level, "points": much(away.points)}
    if away.is_exact:
        return _("OPEL %(level)d: %(points)s.") % about
    if away.certain is None:
        said = _(
            "OPEL %(level)d: possible with %(points)s, certain only with the values now missing."
        )
        return said % about
    said = _("OPEL %(level)d: possible with %(points)s, certain with %(certain)s.")
    return said % (about | {"certain": much(away.certain)})


@register.filter
def label_words(label: Label) -> str:
    """Where cut-offs come from."""
    said = {
        "published": _("as published"),
        "filled_in": _("filled in by the trust"),
        "example": _("example: invented"),
        "not_set": _("not filled in"),
        "not_confirmed": _("not confirmed"),
    }[label.kind]
    if label.by:
        return _("%(said)s: %(who)s, %(day)s") % {"said": said, "who": label.by, "day": label.on}
    return said


@register.filter
def levels_words(standing: Standing) -> str:
    """The computed level, or between which it lies."""
    return _between(standing.levels)


@register.filter
def reached_words(reached: Reached) -> str:
    """The level that was reached, or between which it lies."""
    return _between(reached.levels)


def _between(levels: tuple[int, int] | None) -> str:
    if levels is None:
        return _("none")
    low, high = levels
    return str(low) if low == high else _("%(low)d to %(high)d") % {"low": low, "high": high}


@register.filter
def share_range(share: Share) -> str:
    """Between which scores a site lies."""
    result = share.result
    if result.lowest == result.highest:
        return points(result.score)
    return _("%(low)s to %(high)s") % {
        "low": points(result.lowest),
        "high": points(result.highest),
    }


@register.simple_tag
def rule_told(rule: NoticeRule, names: dict[str, str]) -> str:
    """What somebody is told of."""
    place = rule.site.name if rule.site else _("The whole system")
    if rule.about == NoticeRule.About.VALUE:
        return _("%(place)s: %(name)s worse than %(limit)s") % {
            "place": place,
            "name": names.get(rule.parameter, rule.parameter),
            "limit": f"{rule.threshold:g}",
        }
    what = _("declared") if rule.about == NoticeRule.About.DECLARED else _("computed")
    return _("%(place)s: OPEL %(level)d or more %(what)s") % {
        "place": place,
        "level": rule.level,
        "what": what,
    }
