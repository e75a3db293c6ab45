"""What somebody may change to see what would follow, and how it is written down.

Pure: no Django. A scenario is written as plain JSON, to be kept, and as the values of an address,
to be sent. Both ways nothing is lost: what is read back is equal. Moments are minutes since 1970
in UTC; written down they are like "2026-03-02T18:00Z". What lies before the forecast holds from
its beginning on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeVar

from flow.forecasts.clock import minute_said, minute_written

MOST_BEDS: Final = 500
"""Beds, and places, of all changes together."""
MOST_CHANGES: Final = 60
MOST_PATIENTS: Final = 500
MOST_HOURS: Final = 14 * 24
MOST_ARRIVALS: Final = 5.0
MOST_DAYS: Final = 3
PATHWAYS: Final = (1, 2, 3)

T = TypeVar("T")


class Fault(StrEnum):
    """What may be wrong with a scenario; `flow.forecasts.wording` has the words."""

    UNKNOWN = "unknown"
    SHAPE = "shape"
    NUMBER = "number"
    MOMENT = "moment"
    BEDS = "beds"
    HOURS = "hours"
    ARRIVALS = "arrivals"
    PATHWAY = "pathway"
    PLACES = "places"
    DAYS = "days"
    WARD = "ward"
    PATIENTS = "patients"
    PATIENT = "patient"
    CHANGES = "changes"


class BadScenario(ValueError):
    """A scenario that cannot be. part: which change; value: what was given for it, shortened."""

    def __init__(self, fault: Fault, part: str, value: object) -> None:
        self.fault, self.part, self.value = fault, part, str(value)[:60]
        super().__init__(f"{fault}: {part}={self.value}")


def _check(holds: bool, fault: Fault, part: str, value: object) -> None:
    if not holds:
        raise BadScenario(fault, part, value)


@dataclass(frozen=True, slots=True)
class Opened:
    """Beds more, from a moment on (None: at once), on a ward (None: anywhere on the site)."""

    beds: int
    ward: int | None = None
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """A ward that takes nobody in for so many hours, from a moment on (None: from now). Its
    patients leave as ever; a bed that one of them leaves stays empty until then."""

    ward: int
    hours: int
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """Patients, by the key of their episode, who have left by a moment."""

    patients: tuple[int, ...]
    by: int


@dataclass(frozen=True, slots=True)
class Places:
    """So many places more of pathway 1, 2 or 3, beside those that come free as ever."""

    pathway: int
    number: int


@dataclass(frozen=True, slots=True)
class Scenario:
    """Changes to a forecast; without any it is the forecast itself.

    arrivals: how many come of whom nothing is known yet, as a factor. days: over how many days
    the places are taken up.
    """

    opened: tuple[Opened, ...] = ()
    closed: tuple[Closed, ...] = ()
    gone: tuple[Gone, ...] = ()
    arrivals: float = 1.0
    places: tuple[Places, ...] = ()
    days: int = 1

    def __post_init__(self) -> None:
        changes = len(self.opened) + len(self.closed) + len(self.gone) + len(self.places)
        _check(changes <= MOST_CHANGES, Fault.CHANGES, "", changes)
        for one in self.opened:
            _check(0 <= one.beds <= MOST_BEDS, Fault.BEDS, "open", one.beds)
        beds = sum(one.beds for one in self.opened)
        _check(beds <= MOST_BEDS, Fault.BEDS, "open", beds)
        for shut in self.closed:
            _check(1 <= shut.hours <= MOST_HOURS, Fault.HOURS, "close", shut.hours)
        patients = sum(len(one.patients) for one in self.gone)
        _check(patients <= MOST_PATIENTS, Fault.PATIENTS, "leave", patients)
        _check(0 <= self.arrivals <= MOST_ARRIVALS, Fault.ARRIVALS, "arrivals", self.arrivals)
        for more in self.places:
            _check(more.pathway in PATHWAYS, Fault.PATHWAY, "places", more.pathway)
            _check(0 <= more.number <= MOST_BEDS, Fault.PLACES, "places", more.number)
        places = sum(more.number for more in self.places)
        _check(places <= MOST_BEDS, Fault.PLACES, "places", places)
        _check(1 <= self.days <= MOST_DAYS, Fault.DAYS, "days", self.days)

    def __bool__(self) -> bool:
        """Whether it changes anything."""
        return self != NOTHING

    def check_places(self, *, wards: Collection[int], patients: Collection[int]) -> None:
        """Raise `BadScenario` for a ward that is not of the site (`wards`), or a patient who is
        not in hospital there (`patients`, by episode)."""
        for more in self.opened:
            _check(more.ward is None or more.ward in wards, Fault.WARD, "open", more.ward)
        for shut in self.closed:
            _check(shut.ward in wards, Fault.WARD, "close", shut.ward)
        for gone in self.gone:
            for patient in gone.patients:
                _check(patient in patients, Fault.PATIENT, "leave", patient)


NOTHING: Final = Scenario()


def to_json(scenario: Scenario) -> dict[str, Any]:
    """As plain values; only what differs from no change."""
    found: dict[str, Any] = {}
    if scenario.opened:
        found["open"] = [
            {"beds": one.beds, "ward": one.ward, "from": _written(one.since)}
            for one in scenario.opened
        ]
    if scenario.closed:
        found["close"] = [
            {"ward": one.ward, "hours": one.hours, "from": _written(one.since)}
            for one in scenario.closed
        ]
    if scenario.gone:
        found["leave"] = [
            {"patients": list(one.patients), "by": _written(one.by)} for one in scenario.gone
        ]
    if scenario.arrivals != 1:
        found["arrivals"] = scenario.arrivals
    if scenario.places:
        found["places"] = [
            {"pathway": one.pathway, "number": one.number} for one in scenario.places
        ]
    if scenario.days != 1:
        found["days"] = scenario.days
    return found


def from_json(said: object) -> Scenario:
    """The scenario that `to_json` wrote. Raises `BadScenario` for anything else."""
    if not isinstance(said, Mapping):
        raise BadScenario(Fault.SHAPE, "", said)
    for key in said:
        _check(key in ("open", "close", "leave", "arrivals", "places", "days"), Fault.UNKNOWN,
               str(key), said[key])  # fmt: skip
    return Scenario(
        opened=tuple(
            Opened(one.whole("beds"), one.key("ward"), one.moment("from"))
            for one in _listed(said, "open", {"beds", "ward", "from"})
        ),
        closed=tuple(
            Closed(one.whole("ward"), one.whole("hours"), one.moment("from"))
            for one in _listed(said, "close", {"ward", "hours", "from"})
        ),
        gone=tuple(
            Gone(one.keys("patients"), one.due("by"))
            for one in _listed(said, "leave", {"patients", "by"})
        ),
        arrivals=_factor(said.get("arrivals", 1.0)),
        places=tuple(
            Places(one.whole("pathway"), one.whole("number"))
            for one in _listed(said, "places", {"pathway", "number"})
        ),
        days=_whole("days", said.get("days", 1)),
    )


@dataclass(frozen=True, slots=True)
class _Said:
    """One change as given; `part` names its sort."""

    part: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def whole(self, name: str) -> int:
        return _whole(self.part, self.values.get(name))

    def key(self, name: str) -> int | None:
        return None if self.values.get(name) is None else self.whole(name)

    def keys(self, name: str) -> tuple[int, ...]:
        found = self.values.get(name)
        if not isinstance(found, Sequence) or isinstance(found, str):
            raise BadScenario(Fault.SHAPE, self.part, found)
        return tuple(_whole(self.part, one) for one in found)

    def moment(self, name: str) -> int | None:
        found = self.values.get(name)
        return None if found is None else _read(self.part, found)

    def due(self, name: str) -> int:
        return _read(self.part, self.values.get(name))


def _listed(said: Mapping[str, Any], part: str, names: Collection[str]) -> Iterable[_Said]:
    found = said.get(part, [])
    if not isinstance(found, Sequence) or isinstance(found, str):
        raise BadScenario(Fault.SHAPE, part, found)
    for one in found:
        if not isinstance(one, Mapping) or set(one) - set(names):
            raise BadScenario(Fault.SHAPE, part, one)
        yield _Said(part, one)


def _whole(part: str, said: object) -> int:
    if isinstance(said, str) and re.fullmatch(r"-?[0-9]{1,18}", said):
        return int(said)
    if isinstance(said, int) and not isinstance(said, bool) and abs(said) < 10**18:
        return said
    raise BadScenario(Fault.NUMBER, part, said)


def _factor(said: object) -> float:
    try:
        if isinstance(said, (int, float, str)) and not isinstance(said, bool):
            found = float(said)
            # What is no number is not between two either.
            _check(0 <= found <= MOST_ARRIVALS, Fault.ARRIVALS, "arrivals", said)
            return found
    except (ValueError, OverflowError) as error:
        if isinstance(error, BadScenario):
            raise
    raise BadScenario(Fault.NUMBER, "arrivals", said)


def _written(minute: int | None) -> str | None:
    return None if minute is None else minute_written(minute)


def _read(part: str, said: object) -> int:
    found = minute_said(str(said))
    if found is None:
        raise BadScenario(Fault.MOMENT, part, said)
    return found


def to_query(scenario: Scenario) -> list[tuple[str, str]]:
    """As names and values of an address, to be encoded by whoever builds it.

    `open=6`, `open=6:12@2026-03-02T18:00Z` (on ward 12, from then on), `close=7:48@…` (ward 7 for
    48 hours), `leave=123.124@…`, `arrivals=1.2`, `places=1:3` (three of pathway 1), `days=2`.
    """
    pairs = [("open", _joined(one.beds, one.ward) + _from(one.since)) for one in scenario.opened]
    pairs += [("close", _joined(one.ward, one.hours) + _from(one.since)) for one in scenario.closed]
    pairs += [("leave", ".".join(map(str, one.patients)) + _from(one.by)) for one in scenario.gone]
    if scenario.arrivals != 1:
        pairs.append(("arrivals", repr(scenario.arrivals)))
    pairs += [("places", _joined(one.pathway, one.number)) for one in scenario.places]
    if scenario.days != 1:
        pairs.append(("days", str(scenario.days)))
    return pairs


def _joined(first: int, second: int | None) -> str:
    return str(first) if second is None else f"{first}:{second}"


def _from(minute: int | None) -> str:
    return "" if minute is None else f"@{_written(minute)}"


def from_query(given: Mapping[str, Sequence[str]]) -> Scenario:
    """The scenario that `to_query` wrote; names that are none of its are left alone, and empty
    values change nothing. Raises `BadScenario`."""

    def each(name: str, made: Callable[[str], T]) -> tuple[T, ...]:
        return tuple(made(said) for said in given.get(name, ()) if said)

    def last(name: str, default: str) -> str:
        return next((said for said in reversed(given.get(name, ())) if said), default)

    return Scenario(
        opened=each("open", _opened),
        closed=each("close", _closed),
        gone=each("leave", _gone),
        arrivals=_factor(last("arrivals", "1")),
        places=each("places", _places),
        days=_whole("days", last("days", "1")),
    )


def _opened(said: str) -> Opened:
    what, since = _cut("open", said)
    beds, _, ward = what.partition(":")
    return Opened(_whole("open", beds), _whole("open", ward) if ward else None, since)


def _closed(said: str) -> Closed:
    what, since = _cut("close", said)
    ward, _, hours = what.partition(":")
    return Closed(_whole("close", ward), _whole("close", hours), since)


def _gone(said: str) -> Gone:
    what, by = _cut("leave", said)
    if by is None:
        raise BadScenario(Fault.MOMENT, "leave", said)
    return Gone(tuple(_whole("leave", one) for one in what.split(".")), by)


def _places(said: str) -> Places:
    pathway, _, number = said.partition(":")
    return Places(_whole("places", pathway), _whole("places", number))


def _cut(part: str, said: str) -> tuple[str, int | None]:
    what, mark, when = said.partition("@")
    return what, _read(part, when) if mark else None
