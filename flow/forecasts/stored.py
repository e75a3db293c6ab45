"""A forecast as it is kept: what was said, in numbers that other programs can read as well.

Pure: no Django. Written are plain values (`said`, to be kept as JSON) and arrays (a `.npz` file as
numpy writes it, without pickles). Everything shown of a forecast later, by pages and REST and in
the record, is read from these two. Format 1:

| array | type, shape | |
|---|---|---|
| `episodes`, `wards` | int64, n | primary keys; the ward on which each patient was |
| `specialties` | uint16, n | place in `said["specialties"]` |
| `hours` | uint16, n × 72 | chance to have left by each full hour after the moment (`_unsure`) |
| `days` | uint16, n × 14 | the same by 24, 48, … hours after the moment |
| `lowest`, `widths` | int32, pools | of each pool's distributions: lowest number, how many |
| `spreads` | uint16 | hours by numbers, pool after pool, as chances times 65535 |
| `open` | int16, pools × 72 | beds open |
| `parts` | int32, pools × 6 × 72 | hundredths of patients, in the order of `Parts` |
| `none_over` | uint16, 72 | chance that nobody waits too long; only with `said["waiting"]` |

Chances of patients are kept from 1 / 65535 to 65534 / 65535, each hour as the difference from the
one before (modulo 65536), which packs well: an error of less than 0.00001.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.history import Floats, Indices
from flow.forecasts.horizon import Horizon
from flow.forecasts.outlook import (
    Fan,
    Mark,
    MarkKind,
    Outlook,
    Parts,
    Pool,
    PoolKind,
    Spread,
    Spreads,
    Waiting,
)
from flow.forecasts.recorded import Part, Until, What

FORMAT: Final = 1
_ONE: Final = 65535
_PARTS: Final = ("left", "moved_out", "moved_in", "emergency", "listed", "to_come")
_DIGITS: Final = 9
"""Decimals of chances in `said`."""

Arrays = Mapping[str, NDArray[Any]]


class UnknownFormat(Exception):
    """A forecast was kept by a later version."""


@dataclass(frozen=True)
class Patients:
    """Who was in hospital, side by side: episode and ward by primary key, code of the specialty,
    and the chances to have left by the end of each hour (`Horizon.ends`) and of each span of 24
    hours."""

    episodes: Indices
    wards: Indices
    specialties: Sequence[str]
    hours: Floats
    days: Floats

    def __len__(self) -> int:
        return self.episodes.size

    def of(self, part: Part, key: str) -> NDArray[np.bool_]:
        """Who belongs to a part: the site, a ward by primary key, or a specialty by code."""
        if part is Part.WARD:
            return np.asarray(self.wards == int(key))
        if part is Part.SPECIALTY:
            return np.array([one == key for one in self.specialties], dtype=bool)
        return np.ones(len(self), dtype=bool)

    def place(self, episode: int) -> int | None:
        """Where the patient of an episode stands; None where they are not among these."""
        found = np.flatnonzero(self.episodes == episode)
        return int(found[0]) if found.size else None


@dataclass(frozen=True)
class Number:
    """How many, until when (the word, and the minute), of which patients or beds."""

    what: What
    until: Until
    ends: int
    part: Part
    key: str
    spread: Spread


@dataclass(frozen=True)
class Issued:
    """All that was said at the minute `at`. outlook: None where beds were not told."""

    at: int
    patients: Patients
    numbers: tuple[Number, ...]
    outlook: Outlook | None

    def number(self, what: What, until: Until, part: Part = Part.SITE, key: str = "") -> Spread:
        """One of the numbers. Raises KeyError where it was not told."""
        for one in self.numbers:
            if (one.what, one.until, one.part, one.key) == (what, until, part, key):
                return one.spread
        raise KeyError((what, until, part, key))


def written(issued: Issued) -> tuple[dict[str, Any], bytes]:
    """`said` and the file of arrays."""
    specialties = sorted(set(issued.patients.specialties))
    said: dict[str, Any] = {
        "specialties": specialties,
        "numbers": [_number(one) for one in issued.numbers],
    }
    arrays = _patients(issued.patients, specialties)
    if issued.outlook is not None:
        said["beds"] = _beds(issued.outlook)
        arrays |= _fans([issued.outlook.site, *issued.outlook.pools])
        if issued.outlook.waiting is not None:
            arrays["none_over"] = _chances(issued.outlook.waiting.none_over)
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return said, file.getvalue()


def read(said: Mapping[str, Any], arrays: bytes, *, at: int, format: int) -> Issued:
    """What `written` wrote. Raises `UnknownFormat` for a format that this version does not know."""
    if format != FORMAT:
        raise UnknownFormat(f"this forecast is kept in format {format}")
    with np.load(io.BytesIO(arrays), allow_pickle=False) as file:
        found = dict(file.items())
    patients = _read_patients(found, said["specialties"])
    numbers = tuple(_read_number(one) for one in said["numbers"])
    outlook = _read_outlook(said["beds"], found, at) if "beds" in said else None
    return Issued(at, patients, numbers, outlook)


def _unsure(chances: Floats) -> NDArray[np.uint16]:
    """Of patients: no chance is 0 and none is 1."""
    return np.clip(np.rint(chances * _ONE), 1, _ONE - 1).astype(np.uint16)


def _chances(chances: Floats) -> NDArray[np.uint16]:
    return np.rint(np.clip(chances, 0, 1) * _ONE).astype(np.uint16)


def _differences(values: NDArray[np.uint16]) -> NDArray[np.uint16]:
    return np.diff(values, axis=1, prepend=np.uint16(0))


def _patients(patients: Patients, specialties: Sequence[str]) -> dict[str, NDArray[Any]]:
    place = {code: n for n, code in enumerate(specialties)}
    return {
        "episodes": patients.episodes.astype(np.int64),
        "wards": patients.wards.astype(np.int64),
        "specialties": np.array([place[one] for one in patients.specialties], dtype=np.uint16),
        "hours": _differences(_unsure(patients.hours)),
        "days": _differences(_unsure(patients.days)),
    }


def _read_patients(arrays: Arrays, specialties: Sequence[str]) -> Patients:
    def whole(differences: NDArray[Any]) -> Floats:
        return np.asarray(np.cumsum(differences, axis=1, dtype=np.uint16) / _ONE)

    return Patients(
        episodes=arrays["episodes"],
        wards=arrays["wards"],
        specialties=[specialties[n] for n in arrays["specialties"]],
        hours=whole(arrays["hours"]),
        days=whole(arrays["days"]),
    )


def _number(one: Number) -> dict[str, Any]:
    return {
        "what": one.what.value,
        "until": one.until.value,
        "ends": one.ends,
        "part": one.part.value,
        "key": one.key,
        **_spread(one.spread),
    }


def _spread(spread: Spread) -> dict[str, Any]:
    """Without what is as good as impossible at either end."""
    chances = np.round(spread.chances, _DIGITS)
    there = np.flatnonzero(chances > 0)
    first, last = int(there[0]), int(there[-1])
    return {
        "lowest": int(spread.lowest + first),
        "chances": [float(chance) for chance in chances[first : last + 1]],
    }


def _each(spreads: Spreads) -> list[dict[str, Any]]:
    return [_spread(spreads[hour]) for hour in range(len(spreads))]


def _read_number(said: Mapping[str, Any]) -> Number:
    return Number(
        what=What(said["what"]),
        until=Until(said["until"]),
        ends=said["ends"],
        part=Part(said["part"]),
        key=said["key"],
        spread=_read_spread(said),
    )


def _read_spread(said: Mapping[str, Any]) -> Spread:
    chances = np.array(said["chances"], dtype=np.float64)
    return Spread(said["lowest"], chances / chances.sum())


def _beds(outlook: Outlook) -> dict[str, Any]:
    fans = [outlook.site, *outlook.pools]
    waiting = outlook.waiting
    return {
        "pools": [
            {
                "kind": fan.pool.kind.value,
                "key": fan.pool.key,
                "name": fan.pool.name,
                "wards": list(fan.pool.wards),
                "patients": fan.patients,
                "free_now": fan.free_now,
            }
            for fan in fans
        ],
        "waiting": None
        if waiting is None
        else {
            "limit_hours": waiting.limit_hours,
            "now": waiting.now,
            "over_now": waiting.over_now,
            "numbers": _each(waiting.numbers),
            "over": _each(waiting.over),
            "paths": waiting.paths,
        },
        "marks": [
            [mark.minute, mark.kind.value, mark.number, mark.ward, mark.reason]
            for mark in outlook.marks
        ],
        "days_known": outlook.days_known,
    }


def _fans(fans: Sequence[Fan]) -> dict[str, NDArray[Any]]:
    spreads = [_chances(fan.spreads.chances) for fan in fans]
    return {
        "lowest": np.array([fan.spreads.lowest for fan in fans], dtype=np.int32),
        "widths": np.array([one.shape[1] for one in spreads], dtype=np.int32),
        "spreads": np.concatenate([one.ravel() for one in spreads]),
        "open": np.stack([fan.open for fan in fans]).astype(np.int16),
        "parts": np.stack(
            [np.stack([np.rint(getattr(fan.parts, n) * 100) for n in _PARTS]) for fan in fans]
        ).astype(np.int32),
    }


def _read_outlook(said: Mapping[str, Any], arrays: Arrays, at: int) -> Outlook:
    ahead = Horizon(at)
    fans = list(_read_fans(said["pools"], arrays, ahead.ends.size))
    return Outlook(
        at=at,
        ends=ahead.ends,
        shown_always=ahead.shown_always,
        site=fans[0],
        pools=tuple(fans[1:]),
        waiting=_read_waiting(said["waiting"], arrays) if said["waiting"] else None,
        marks=tuple(
            Mark(minute, MarkKind(kind), number, ward, reason)
            for minute, kind, number, ward, reason in said["marks"]
        ),
        days_known=said["days_known"],
    )


def _read_fans(pools: Sequence[Mapping[str, Any]], arrays: Arrays, hours: int) -> Sequence[Fan]:
    widths = arrays["widths"].astype(np.int64)
    begins = np.concatenate([[0], np.cumsum(widths * hours)])
    found = []
    for n, pool in enumerate(pools):
        chances = arrays["spreads"][begins[n] : begins[n + 1]].reshape(hours, -1) / _ONE
        found.append(
            Fan(
                pool=Pool(PoolKind(pool["kind"]), pool["key"], pool["name"], tuple(pool["wards"])),
                patients=pool["patients"],
                free_now=pool["free_now"],
                open=arrays["open"][n].astype(np.int64),
                spreads=Spreads(int(arrays["lowest"][n]), chances / chances.sum(1, keepdims=True)),
                parts=Parts(*(arrays["parts"][n] / 100)),
            )
        )
    return found


def _read_waiting(said: Mapping[str, Any], arrays: Arrays) -> Waiting:
    return Waiting(
        limit_hours=said["limit_hours"],
        now=said["now"],
        over_now=said["over_now"],
        numbers=_together([_read_spread(one) for one in said["numbers"]]),
        over=_together([_read_spread(one) for one in said["over"]]),
        none_over=arrays["none_over"] / _ONE,
        paths=said["paths"],
    )


def _together(spreads: Sequence[Spread]) -> Spreads:
    lowest = min(one.lowest for one in spreads)
    highest = max(one.lowest + one.chances.size for one in spreads)
    chances = np.zeros((len(spreads), highest - lowest))
    for row, one in zip(chances, spreads, strict=True):
        row[one.lowest - lowest : one.lowest - lowest + one.chances.size] = one.chances
    return Spreads(lowest, chances)
