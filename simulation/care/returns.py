"""Who signs the daily returns: those of past days once, then each morning the one that is due.

One in a dozen is left unsigned, as happens: the days it hits follow from the date alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from simulation.care.rest import Reply, Rest

LONDON: Final = ZoneInfo("Europe/London")
KINDS: Final = ("sitrep", "discharge")
SIGNED_FROM: Final = time(9)
"""When the returns of the morning are signed, by the clock in London."""
DAYS: Final = 14
"""How far back a return can be signed."""
_LEFT: Final = 12
_SETTLED: Final = frozenset({201, 409})
"""Signed, or refused for good: somebody was quicker, or the day is closed."""

Return = tuple[str, str, date]
"""Kind, organisation and day."""


@dataclass
class Signer:
    """Somebody who signs the returns of `organisations`. `say` hears why one was refused."""

    rest: Rest
    organisations: tuple[str, ...]
    say: Callable[[str], None]
    _settled: set[Return] = field(default_factory=set)
    _away: set[str] = field(default_factory=set)

    def sign(self, now: datetime) -> int:
        """Sign what is due by `now`; how many were signed."""
        signed = 0
        for one in due(now, self.organisations):
            kind, organisation, day = one
            if one in self._settled or organisation in self._away:
                continue
            reply = self.rest.post(f"returns/{kind}/{organisation}/{day.isoformat()}/sign/", {})
            signed += reply.is_done
            if reply.status in _SETTLED:
                self._settled.add(one)
            elif not reply.is_done:
                self._leave(organisation, reply)
        return signed

    def _leave(self, organisation: str, reply: Reply) -> None:
        self._away.add(organisation)
        self.say(f"returns of {organisation} are not signed: {reply.reason}")


def due(now: datetime, organisations: tuple[str, ...]) -> Iterator[Return]:
    """The returns to be signed by an aware moment, the oldest first."""
    local = now.astimezone(LONDON)
    last = local.date() if local.time() >= SIGNED_FROM else local.date() - timedelta(days=1)
    for back in reversed(range(DAYS)):
        day = last - timedelta(days=back)
        for organisation in organisations:
            for kind in KINDS:
                if not is_left(kind, organisation, day):
                    yield kind, organisation, day


def is_left(kind: str, organisation: str, day: date) -> bool:
    """Whether nobody gets round to signing this one."""
    return zlib.crc32(f"{kind}/{organisation}/{day.isoformat()}".encode()) % _LEFT == 0
