"""Reading what a caller asked for, and refusing what nobody understands."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.http import QueryDict
from django.utils.dateparse import parse_datetime

from flow.api.problems import invalid
from flow.beginning import records
from flow.counts import LONDON

UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
"""What no text in the database can hold: null characters, and halves of surrogate pairs, which
JSON can write (`\\ud800`) though they are no characters."""
AHEAD: Final = timedelta(minutes=5)
"""How far the caller's clock may be ahead of ours."""

ALWAYS: Final = frozenset({"format"})
_TIME: Final = (
    "is not a time. Give date, time and offset as in 2026-11-21T08:00:00+00:00 (in an address "
    "the plus sign is written %2B) or 2026-11-21T08:00:00Z; without an offset it is local "
    "time in England."
)


@dataclass(slots=True)
class Params:
    """The parameters of one request, read one by one; what is wrong is gathered.

    `canonical` is equal for two requests that ask for the same.
    """

    given: Mapping[str, list[str]]
    now: datetime
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, query: QueryDict, *, known: Collection[str], now: datetime) -> Params:
        """Raises a 400 problem for a parameter that is not among `known`."""
        given = {name: values for name, values in query.lists() if name not in ALWAYS}
        unknown = sorted(set(given) - set(known))
        if unknown:
            names = ", ".join(sorted({*known, *ALWAYS}))
            raise invalid(
                dict.fromkeys(unknown, f"There is no parameter of this name; known are {names}."),
                kind="unknown-parameter",
            )
        return cls(given, now)

    @property
    def canonical(self) -> str:
        """The parameters in one order, whatever order they came in."""
        return json.dumps(sorted((name, sorted(values)) for name, values in self.given.items()))

    def texts(self, name: str) -> list[str]:
        """All values of a parameter that may be repeated; empty when it was not given."""
        values = self.given.get(name, [])
        if any(map(UNSTORABLE.search, values)):
            self.errors[name] = (
                "A value may not hold a null character nor half of a surrogate pair; send it "
                "without."
            )
            return []
        return values

    def text(self, name: str) -> str | None:
        """The one value of a parameter; None when it was not given."""
        values = self.texts(name)
        if len(values) > 1:
            self.errors[name] = "Give this parameter once."
        return values[0] if values else None

    def choices(self, name: str, among: Collection[str]) -> list[str]:
        """All values of a parameter, each one of `among`."""
        values = self.texts(name)
        wrong = sorted(set(values) - set(among))
        if wrong:
            self.errors[name] = f"“{wrong[0]}” is not one of {', '.join(sorted(among))}."
        return values

    def number(self, name: str, *, default: int, most: int) -> int:
        """A whole number from 1 to `most`."""
        text = self.text(name)
        if text is None:
            return default
        if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= most:
            self.errors[name] = f"Give a whole number from 1 to {most}."
            return default
        return int(text)

    def moment(self, name: str) -> datetime | None:
        """A moment of the past; without an offset, local time in England."""
        text = self.text(name)
        if text is None:
            return None
        moment = _parse(text)
        if moment is None:
            self.errors[name] = f"“{text[:40]}” {_TIME}"
        elif moment > self.now + AHEAD:
            self.errors[name] = "That is still to come; ask for a moment of the past."
        else:
            unknown = _unknown_by(moment) if name == "known_at" else _unknown(moment)
            if not unknown:
                return moment
            self.errors.setdefault(name, unknown)
        return None

    def check_known_by(self, moment: datetime, *, name: str) -> None:
        """Refuse a moment at which nothing had been recorded yet, where what was known then is
        asked for."""
        if unknown := _unknown_by(moment):
            self.errors.setdefault(
                name, f"{unknown} With known_at, what was recorded later counts as well."
            )

    def cursor(self, name: str = "cursor") -> list[Any] | None:
        """What an earlier answer's `next` carried."""
        text = self.text(name)
        if text is None:
            return None
        try:
            place = json.loads(base64.urlsafe_b64decode(text.encode() + b"=="))
        except (ValueError, binascii.Error, UnicodeError, RecursionError):
            place = None
        if not isinstance(place, list):
            self.errors[name] = "Follow `next` of an earlier answer as it is; do not make one up."
            return None
        return place

    def place(self) -> tuple[datetime, int] | None:
        """The moment and the key at which the page before ended; None, and an error where that is
        unclear."""
        match self.cursor():
            case [str(text), int(key)]:
                try:
                    moment = parse_datetime(text)
                except ValueError:
                    moment = None
                if moment is not None and moment.tzinfo is not None:
                    return moment, key
                self.errors["cursor"] = "This cursor is damaged; start again without it."
            case None:
                pass
            case _:
                self.errors["cursor"] = "This cursor is not of this list; start again without it."
        return None

    def check(self) -> None:
        """Raises a 400 problem that says everything that is wrong."""
        if self.errors:
            raise invalid(self.errors)


def cursor_of(place: list[Any]) -> str:
    """The cursor that `Params.cursor` reads back."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _unknown(moment: datetime) -> str:
    """Why nothing is known of the moment; empty where something is."""
    told = records(at=moment)
    if told.tells_of(moment):
        return ""
    if told.begin is None:
        return "Nothing has been recorded yet, so nothing is known of the past."
    begin = told.begin.astimezone(UTC).isoformat()
    return f"Nothing is known of that time; the records begin at {begin}. Ask for a later moment."


def _unknown_by(known_at: datetime) -> str:
    """Why nothing had been recorded by then; empty where something had."""
    told = records(known_at=known_at)
    if told.known_by(known_at):
        return ""
    if told.recorded is None:
        return "Nothing has been recorded yet, so nothing was known then."
    first = told.recorded.astimezone(UTC).isoformat()
    return f"Nothing had been recorded by then; the first record was made at {first}."


def _parse(text: str) -> datetime | None:
    # A plus sign that nobody encoded arrives as a space.
    text = re.sub(r" (?=\d\d:?\d\d$)", "+", text.strip()) if "T" in text else text.strip()
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=LONDON)
    return moment
