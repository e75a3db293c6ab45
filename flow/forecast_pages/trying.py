"""The form of "what if": what stands in its fields, and the scenario that it comes to.

An address holds a scenario as `flow.forecasts.scenario` writes it. The form sends its fields by
names of its own, with `try`; what they come to is written back into the address, to be sent.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Final

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from flow.forecasts.clock import HOUR, minute_of, minute_said, minute_written, moment_of
from flow.forecasts.horizon import Horizon
from flow.forecasts.scenario import (
    MOST_ARRIVALS,
    MOST_BEDS,
    MOST_DAYS,
    MOST_HOURS,
    NOTHING,
    PATHWAYS,
    BadScenario,
    Closed,
    Gone,
    Opened,
    Places,
    Scenario,
    from_query,
)
from flow.forecasts.wording import change_time_said, fault_said

SAID: Final = ("open", "close", "leave", "arrivals", "places", "days")
"""Names by which an address holds a scenario."""
FIELDS: Final = (
    "try", "beds", "beds_on", "beds_from", "shut", "shut_hours", "shut_from", "who", "who_by",
    "more", "p1", "p2", "p3", "over",
)  # fmt: skip
"""Names that the form sends."""
_ROWS: Final = 8
_HOURLY: Final = 24
_NOON: Final = time(12)

Written = str


@dataclass(frozen=True, slots=True)
class Row:
    """Beds to open, or a ward to close, as it stands in the form. number: of beds, or hours."""

    number: str = ""
    ward: str = ""
    since: Written = ""


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form. leaving: episodes of patients who are to have left by `leaving_by`.
    more: arrivals more, in per cent. places: by pathway. errors: by the id of a field, what is
    wrong and what to do. scenario: what it comes to; nothing where something is wrong. strange: an
    error in the address that belongs to no field."""

    opened: tuple[Row, ...] = ()
    closed: tuple[Row, ...] = ()
    leaving: tuple[int, ...] = ()
    leaving_by: Written = ""
    more: str = "0"
    places: Mapping[int, str] = field(default_factory=dict)
    days: str = "1"
    errors: Mapping[str, str] = field(default_factory=dict)
    scenario: Scenario = NOTHING
    strange: str = ""

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.errors and not self.strange


def typed(query: QueryDict, *, wards: Collection[int], at: int, sees_patients: bool) -> Typed:
    """Read the address, whichever way it says it. at: the minute of the forecast. sees_patients:
    whether the viewer may see any, and so may name them."""
    found = _from_form(query, wards, at) if "try" in query else _from_address(query, at)
    if sees_patients or not names_patients(query):
        return found
    return replace(found, leaving=(), scenario=NOTHING, strange=nobody_named())


def names_patients(query: QueryDict) -> bool:
    """Whether the address says that somebody is to have left."""
    return any(query.getlist("leave")) or ("try" in query and any(query.getlist("who")))


def nobody_named() -> str:
    """Why patients may not be named: what would follow tells of them, whoever they are."""
    return _(
        "Only those who may see patients can say who is to have left. Ask without “leave” in the "
        "address."
    )


def noon_after(at: int) -> int:
    """The next local noon that is at least half an hour ahead."""
    local = timezone.localtime(moment_of(at + HOUR // 2))
    day = local.date() if local.time() <= _NOON else local.date() + timedelta(days=1)
    return minute_of(timezone.make_aware(datetime.combine(day, _NOON)))


# --- as the address says it -----------------------------------------------------------------------


def _from_address(query: QueryDict, at: int) -> Typed:
    given = {name: query.getlist(name) for name in SAID}
    try:
        return as_typed(from_query(given), at=at)
    except BadScenario as bad:
        return replace(as_typed(NOTHING, at=at), strange=fault_said(bad))


def as_typed(scenario: Scenario, *, at: int) -> Typed:
    """The form as it stands once a scenario has been chosen."""
    leaving = [patient for one in scenario.gone for patient in one.patients]
    by = scenario.gone[0].by if scenario.gone else noon_after(at)
    return Typed(
        opened=tuple(
            Row(str(one.beds), str(one.ward or ""), written(one.since)) for one in scenario.opened
        ),
        closed=tuple(
            Row(str(one.hours), str(one.ward), written(one.since)) for one in scenario.closed
        ),
        leaving=tuple(dict.fromkeys(leaving)),
        leaving_by=written(by),
        more=str(round((scenario.arrivals - 1) * 100)),
        places={one.pathway: str(one.number) for one in scenario.places},
        days=str(scenario.days),
        scenario=scenario,
    )


def written(minute: int | None) -> Written:
    """A moment as the fields say it; empty for at once."""
    return "" if minute is None else minute_written(minute)


# --- as the form sends it -------------------------------------------------------------------------


class _Errors(dict[str, str]):
    """By the id of a field."""

    def whole(self, said: str, field: str, most: int, *, least: int = 0, what: str) -> int:
        """A whole number between the two, the least of all where there is none."""
        text = said.strip().replace("−", "-")
        if not text:
            return least
        if re.fullmatch(r"[+-]?[0-9]{1,9}", text) and least <= int(text) <= most:
            return int(text)
        told = {"what": what, "least": least, "most": most}
        self[field] = _("%(what)s: give a whole number from %(least)d to %(most)d.") % told
        return max(0, least)

    def moment(self, said: str, field: str) -> int | None:
        """A moment as the fields say it."""
        if not said:
            return None
        minute = minute_said(said)
        if minute is None:
            self[field] = _("Choose a time from the list.")
        return minute


def _from_form(query: QueryDict, wards: Collection[int], at: int) -> Typed:
    errors = _Errors()
    opened = _rows(query, "beds", "beds_on", "beds_from")
    closed = [row for row in _rows(query, "shut_hours", "shut", "shut_from") if row.ward]
    who = [int(one) for one in query.getlist("who") if re.fullmatch(r"[0-9]{1,18}", one)]
    places = {pathway: query.get(f"p{pathway}", "") for pathway in PATHWAYS}
    changes = {
        "opened": tuple(_opened(opened, wards, errors)),
        "closed": tuple(_closed(closed, wards, errors)),
        "gone": _gone(who, query.get("who_by", ""), errors, at),
        "arrivals": _factor(query.get("more", ""), errors),
        "places": tuple(_places(places, errors)),
        "days": errors.whole(
            query.get("over", "1") or "1", "what-over", MOST_DAYS, least=1, what=_("Days")
        ),
    }
    scenario, strange = (NOTHING, "") if errors else _scenario(changes)
    return Typed(
        opened=tuple(row for row in opened if row.number.strip() not in ("", "0")),
        closed=tuple(closed),
        leaving=tuple(who),
        leaving_by=query.get("who_by", "") or written(noon_after(at)),
        more=query.get("more", "") or "0",
        places=places,
        days=query.get("over", "") or "1",
        errors=errors,
        scenario=scenario,
        strange=strange,
    )


def _scenario(changes: dict[str, object]) -> tuple[Scenario, str]:
    """What the fields come to, or why all of them together cannot be."""
    try:
        found = Scenario(**changes)  # type: ignore[arg-type]
    except BadScenario as bad:
        return NOTHING, fault_said(bad)
    # Over how many days places are taken up says nothing where there are none.
    return (found if found.places else replace(found, days=1)), ""


def _rows(query: QueryDict, number: str, ward: str, since: str) -> list[Row]:
    lists = [query.getlist(name) for name in (number, ward, since)]
    most = min(max(map(len, lists)), _ROWS)
    padded = [[*one, *[""] * most][:most] for one in lists]
    return [Row(n[:20], w[:20], s[:30]) for n, w, s in zip(*padded, strict=True)]


def _opened(rows: Iterable[Row], wards: Collection[int], errors: _Errors) -> Iterable[Opened]:
    for n, row in enumerate(rows):
        beds = errors.whole(row.number, f"what-beds-{n}", MOST_BEDS, what=_("Beds"))
        ward = _ward(row.ward, f"what-beds-on-{n}", wards, errors) if row.ward else None
        if beds:
            yield Opened(beds, ward, errors.moment(row.since, f"what-beds-from-{n}"))


def _closed(rows: Iterable[Row], wards: Collection[int], errors: _Errors) -> Iterable[Closed]:
    for n, row in enumerate(rows):
        ward = _ward(row.ward, f"what-shut-{n}", wards, errors)
        hours = errors.whole(
            row.number or "48", f"what-shut-hours-{n}", MOST_HOURS, least=1, what=_("Hours")
        )
        if ward is not None:
            yield Closed(ward, hours, errors.moment(row.since, f"what-shut-from-{n}"))


def _ward(said: str, field: str, wards: Collection[int], errors: _Errors) -> int | None:
    if re.fullmatch(r"[0-9]{1,18}", said) and int(said) in wards:
        return int(said)
    errors[field] = _("Choose a ward from the list.")
    return None


def _gone(who: Sequence[int], by: str, errors: _Errors, at: int) -> tuple[Gone, ...]:
    if not who:
        return ()
    moment = errors.moment(by, "what-who-by")
    return (Gone(tuple(dict.fromkeys(who)), noon_after(at) if moment is None else moment),)


def _factor(said: str, errors: _Errors) -> float:
    most = round((MOST_ARRIVALS - 1) * 100)
    more = errors.whole(said or "0", "what-more", most, least=-100, what=_("Arrivals more"))
    return round(1 + more / 100, 2)


def _places(said: Mapping[int, str], errors: _Errors) -> Iterable[Places]:
    for pathway, number in said.items():
        what = _("Places on pathway %(pathway)d") % {"pathway": pathway}
        if places := errors.whole(number, f"what-p{pathway}", MOST_BEDS, what=what):
            yield Places(pathway, places)


# --- beside the forecast --------------------------------------------------------------------------


def still_there(scenario: Scenario, patients: Collection[int]) -> tuple[Scenario, int]:
    """The scenario without patients who have left since it was made, and how many those are."""
    kept = [
        Gone(there, one.by)
        for one in scenario.gone
        if (there := tuple(patient for patient in one.patients if patient in patients))
    ]
    before = sum(len(one.patients) for one in scenario.gone)
    gone = before - sum(len(one.patients) for one in kept)
    return replace(scenario, gone=tuple(kept)), gone


def moments(at: int, chosen: Iterable[Written]) -> list[tuple[Written, str]]:
    """The hours to choose among: each of the next day, then every sixth; and what is chosen."""
    ends = Horizon(at).ends.tolist()
    offered = {*ends[:_HOURLY], *ends[_HOURLY + 5 :: 6], noon_after(at)}
    offered |= {minute for one in chosen if (minute := minute_said(one)) is not None}
    return [(written(minute), change_time_said(minute, at=at)) for minute in sorted(offered)]
