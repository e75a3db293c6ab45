"""What a forecast of beds says, in the words that managers asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from flow.forecasts import scenario as limits
from flow.forecasts.clock import moment_of
from flow.forecasts.horizon import Horizon
from flow.forecasts.outlook import SAID, Fan, Mark, MarkKind, Outlook, Pool, PoolKind, Waiting
from flow.forecasts.scenario import BadScenario, Fault, Scenario
from flow.site_groups import WARD_GROUPS
from wards.models import Closure

Names = Mapping[int, str]
"""The names of wards by primary key."""

_WEEKDAYS: Final = 6
"""Days ahead of which a weekday alone tells which is meant."""
ENOUGH_DAYS: Final = 28
"""With fewer days of history a page says that the forecast rests on little."""

_FOR_SEXES: Final[Mapping[str, str | Promise]] = {
    "female": lazy("Beds for women"),
    "male": lazy("Beds for men"),
    "any": lazy("Beds for either"),
}
_MARKS: Final[Mapping[MarkKind, str | Promise]] = {
    MarkKind.CLOSURE_BEGINS: lazy("closes"),
    MarkKind.CLOSURE_ENDS: lazy("opens again"),
    MarkKind.OPENING_BEGINS: lazy("escalation opens"),
    MarkKind.OPENING_ENDS: lazy("escalation shuts"),
    MarkKind.LISTED: lazy("expected by name"),
    MarkKind.DISCHARGE: lazy("discharge announced"),
}


def pool_name(pool: Pool) -> str:
    """What a pool of beds is called."""
    if pool.kind is PoolKind.SITE:
        return _("All beds")
    if pool.kind is PoolKind.GROUP:
        return str(next(one.label for one in WARD_GROUPS if one.key == pool.key))
    if pool.kind is PoolKind.SEX:
        return str(_FOR_SEXES[pool.key])
    return pool.name


def time_said(minute: int, *, at: int) -> str:
    """A local time of day, with the weekday where it is not the day of `at`, and with the date
    where a weekday would not tell which day is meant."""
    then, now = (timezone.localtime(moment_of(one)) for one in (minute, at))
    days = (then.date() - now.date()).days
    if days == 0:
        return formats.date_format(then, "H:i")
    if 0 < days <= _WEEKDAYS:
        return formats.date_format(then, "D H:i")
    return formats.date_format(then, "D j M H:i" if then.year == now.year else "D j M Y H:i")


def change_time_said(minute: int, *, at: int) -> str:
    """The time of a change that somebody supposes: the same, and of a past one that it is."""
    when = time_said(minute, at=at)
    return when if minute >= at else _("%(when)s, which is past") % {"when": when}


def chance_said(chance: float) -> str:
    """A chance in per cent; never none and never certainty."""
    if chance < 0.01:
        return _("less than 1 %%") % ()
    if chance > 0.99:
        return _("more than 99 %%") % ()
    return _("%(number)d %%") % {"number": round(chance * 100)}


def _how_sure(chance: float) -> str:
    return _("%(number)d in 10") % {"number": round(chance * 10)}


def beds_said(fan: Fan, hour: int, outlook: Outlook | Horizon) -> str:
    """Of the hour at this place: "At least 6 free beds at 18:00 (9 in 10), 11 (7 in 10)"."""
    when = time_said(int(outlook.ends[hour]), at=outlook.at)
    (sure, first), (likely, second) = fan.said(hour, SAID)
    values = {
        "when": when,
        "sure": _how_sure(sure),
        "likely": _how_sure(likely),
        "second": abs(second),
    }
    if first == 0 and fan.pool.kind is not PoolKind.SITE:
        values["chance"] = chance_said(1 - float(fan.full[hour]))
        if second == 0:
            return _("Chance of a free bed at %(when)s: %(chance)s") % values
        text = _("Chance of a free bed at %(when)s: %(chance)s; at least %(second)d (%(likely)s)")
        return text % values
    if first == second or (first == 0 and second < 1):
        return _once_said(first) % (values | {"first": abs(first)})
    if first > 0:
        text = ngettext(
            "At least %(first)d free bed at %(when)s (%(sure)s), %(second)d (%(likely)s)",
            "At least %(first)d free beds at %(when)s (%(sure)s), %(second)d (%(likely)s)",
            first,
        )
    elif first == 0:
        text = _(
            "A bed for everybody at %(when)s (%(sure)s), at least %(second)d free (%(likely)s)"
        )
    elif second > 0:
        text = ngettext(
            "At most %(first)d patient without a bed at %(when)s (%(sure)s), "
            "at least %(second)d free (%(likely)s)",
            "At most %(first)d patients without a bed at %(when)s (%(sure)s), "
            "at least %(second)d free (%(likely)s)",
            abs(first),
        )
    elif second == 0:
        text = ngettext(
            "At most %(first)d patient without a bed at %(when)s (%(sure)s), "
            "a bed for everybody (%(likely)s)",
            "At most %(first)d patients without a bed at %(when)s (%(sure)s), "
            "a bed for everybody (%(likely)s)",
            abs(first),
        )
    else:
        text = ngettext(
            "At most %(first)d patient without a bed at %(when)s (%(sure)s), "
            "%(second)d (%(likely)s)",
            "At most %(first)d patients without a bed at %(when)s (%(sure)s), "
            "%(second)d (%(likely)s)",
            abs(first),
        )
    return text % (values | {"first": abs(first)})


def _once_said(number: int) -> str:
    """The text where the second number adds nothing."""
    if number > 0:
        return ngettext(
            "At least %(first)d free bed at %(when)s (%(sure)s)",
            "At least %(first)d free beds at %(when)s (%(sure)s)",
            number,
        )
    if number == 0:
        return _("A bed for everybody at %(when)s (%(sure)s)")
    return ngettext(
        "At most %(first)d patient without a bed at %(when)s (%(sure)s)",
        "At most %(first)d patients without a bed at %(when)s (%(sure)s)",
        abs(number),
    )


def number_said(number: int) -> str:
    """A number with the sign that readers expect."""
    return str(number).replace("-", "−")


def fan_said(fan: Fan, outlook: Outlook | Horizon) -> str:
    """The chart in one sentence, for whoever does not see it: what is free now and at midnight and
    eight o'clock, in the middle, and at least and at most with 9 chances in 10 each."""
    parts = [
        _("%(when)s %(middle)s (at least %(low)s, at most %(high)s)")
        % {
            "when": time_said(int(outlook.ends[hour]), at=outlook.at),
            "middle": number_said(int(fan.quantiles[hour, 3])),
            "low": number_said(fan.spreads[hour].at_least(SAID[0])),
            "high": number_said(fan.spreads[hour].quantile(SAID[0])),
        }
        for hour in outlook.shown_always
    ]
    return _(
        "%(pool)s: %(now)s free now. The middle of what is likely and, with 9 chances in 10 each, "
        "how many at least and at most: %(parts)s. %(below)s"
    ) % {
        "pool": pool_name(fan.pool),
        "now": number_said(fan.free_now),
        "parts": "; ".join(parts),
        "below": _("Below 0 are patients without a bed.")
        if fan.pool.kind is PoolKind.SITE
        else _("Whoever finds no bed here goes elsewhere."),
    }


def waiting_said(waiting: Waiting, hour: int, outlook: Outlook | Horizon) -> str:
    """The chance that by this hour nobody comes to wait too long for a bed, beside those who do
    already, and how many do at that hour."""
    said = _("Chance that nobody waits over %(hours)d hours for a bed by %(when)s: %(chance)s")
    if waiting.over_now:
        said = ngettext(
            "%(now)d waits over %(hours)d hours for a bed already; chance that nobody joins them "
            "by %(when)s: %(chance)s",
            "%(now)d wait over %(hours)d hours for a bed already; chance that nobody joins them "
            "by %(when)s: %(chance)s",
            waiting.over_now,
        )
    over = waiting.over[hour]
    if most := over.quantile(0.9):
        said += "; " + _(
            "waiting so long at that time: %(middle)d (8 in 10: %(least)d to %(most)d)"
        )
    return said % {
        "now": waiting.over_now,
        "hours": waiting.limit_hours,
        "when": time_said(int(outlook.ends[hour]), at=outlook.at),
        "chance": chance_said(float(waiting.none_over[hour])),
        "least": over.quantile(0.1),
        "middle": over.quantile(0.5),
        "most": most,
    }


def days_said(days_known: float) -> str:
    """How little a forecast rests on; empty where that is enough."""
    if days_known >= ENOUGH_DAYS:
        return ""
    days = int(days_known)
    return ngettext(
        "This rests on %(days)d day of records, so that the numbers lie wide.",
        "This rests on %(days)d days of records, so that the numbers lie wide.",
        days,
    ) % {"days": days}


def mark_said(mark: Mark, names: Names, *, at: int) -> str:
    """Something planned: "18:00 Ward 7: 12 beds, opens again (Infection)"."""
    people = mark.kind in (MarkKind.LISTED, MarkKind.DISCHARGE)
    number = (
        ngettext("%(number)d patient", "%(number)d patients", mark.number)
        if people
        else ngettext("%(number)d bed", "%(number)d beds", mark.number)
    ) % {"number": mark.number}
    said = f"{time_said(mark.minute, at=at)} {names.get(mark.ward or 0, '')}".strip()
    said = f"{said}: {number}, {_MARKS[mark.kind]}"
    return f"{said} ({Closure.Reason(mark.reason).label})" if mark.reason else said


def scenario_said(scenario: Scenario, names: Names, *, at: int) -> list[str]:
    """Each change of a scenario in words."""
    return [*_beds_changed(scenario, names, at), *_patients_changed(scenario, at)]


def _from(minute: int | None, at: int) -> str:
    if minute is None or minute == at:
        return _("from now on")
    return _("from %(when)s") % {"when": change_time_said(minute, at=at)}


def _beds_changed(scenario: Scenario, names: Names, at: int) -> Iterable[str]:
    for more in scenario.opened:
        place = names.get(more.ward, "") if more.ward else _("the site")
        yield ngettext(
            "%(number)d bed more on %(place)s, %(since)s",
            "%(number)d beds more on %(place)s, %(since)s",
            more.beds,
        ) % {"number": more.beds, "place": place, "since": _from(more.since, at)}
    for shut in scenario.closed:
        yield ngettext(
            "%(place)s takes nobody in for %(hours)d hour, %(since)s; its patients leave as ever",
            "%(place)s takes nobody in for %(hours)d hours, %(since)s; its patients leave as ever",
            shut.hours,
        ) % {
            "place": names.get(shut.ward, ""), "hours": shut.hours, "since": _from(shut.since, at),
        }  # fmt: skip


def _patients_changed(scenario: Scenario, at: int) -> Iterable[str]:
    for gone in scenario.gone:
        number = len(gone.patients)
        yield ngettext(
            "%(number)d patient has left by %(when)s",
            "%(number)d patients have left by %(when)s",
            number,
        ) % {"number": number, "when": change_time_said(gone.by, at=at)}
    if scenario.arrivals != 1:
        change = (scenario.arrivals - 1) * 100
        text = _("%(change)s %% more arrivals") if change > 0 else _("%(change)s %% fewer arrivals")
        # Less than one per cent is not told as none.
        yield text % {"change": f"{abs(change):.0f}" if abs(change) >= 1 else f"{abs(change):.1g}"}
    for places in scenario.places:
        yield ngettext(
            "%(number)d place more for pathway %(pathway)d, taken in the daytime of the next "
            "%(hours)d hours by whoever has been ready for it longest",
            "%(number)d places more for pathway %(pathway)d, taken in the daytime of the next "
            "%(hours)d hours by those who have been ready for it longest",
            places.number,
        ) % {
            "number": places.number,
            "pathway": places.pathway,
            "hours": 24 * scenario.days,
        }


_FAULTS: Final[Mapping[Fault, str | Promise]] = {
    Fault.UNKNOWN: lazy(
        "“%(part)s” is no change that can be made. There are: open, close, leave, arrivals, "
        "places, days."
    ),
    Fault.SHAPE: lazy("“%(value)s” is not written as “%(part)s” has to be."),
    Fault.NUMBER: lazy("“%(value)s” is no whole number (in “%(part)s”)."),
    Fault.MOMENT: lazy(
        "“%(value)s” names no time (in “%(part)s”). Write it like 2026-03-02T18:00Z, in UTC."
    ),
    Fault.BEDS: lazy("%(value)s beds cannot be opened. Give a number from 0 to %(most)d."),
    Fault.HOURS: lazy("A ward cannot close for %(value)s hours. Give from 1 to %(most)d."),
    Fault.ARRIVALS: lazy(
        "%(value)s times as many arrivals cannot be. Give a factor from 0 to %(most)d; 1.2 is a "
        "fifth more."
    ),
    Fault.PATHWAY: lazy("There is no pathway %(value)s that has places. Give 1, 2 or 3."),
    Fault.PLACES: lazy("%(value)s places more cannot be. Give a number from 0 to %(most)d."),
    Fault.DAYS: lazy("Places cannot be taken up over %(value)s days. Give 1 to %(most)d."),
    Fault.WARD: lazy("This site has no ward with beds under the key %(value)s."),
    Fault.PATIENTS: lazy("%(value)s patients are too many at once. Name %(most)d at most."),
    Fault.PATIENT: lazy(
        "Stay %(value)s is not of somebody whom you see on a ward of this site now. They may have "
        "left."
    ),
    Fault.CHANGES: lazy("%(value)s changes are too many at once. Make %(most)d at most."),
}
_MOST: Final = {
    Fault.BEDS: limits.MOST_BEDS,
    Fault.HOURS: limits.MOST_HOURS,
    Fault.ARRIVALS: int(limits.MOST_ARRIVALS),
    Fault.PLACES: limits.MOST_BEDS,
    Fault.DAYS: limits.MOST_DAYS,
    Fault.PATIENTS: limits.MOST_PATIENTS,
    Fault.CHANGES: limits.MOST_CHANGES,
}


def fault_said(bad: BadScenario) -> str:
    """What is wrong with a scenario, and what to do."""
    return str(_FAULTS[bad.fault]) % {
        "part": bad.part, "value": bad.value, "most": _MOST.get(bad.fault, 0),
    }  # fmt: skip
