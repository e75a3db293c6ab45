"""How often one caller may ask."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle

from accounts.models import ApiToken
from live.connection import REDIS_ERRORS, client, outage

SHARE_EVERY: Final = 0.2
"""Seconds after which a process tells the others how often it was asked."""

PARTS: Final = 50
"""A process tells the others after this part of the limit, however short the time."""

ROOM: Final = 10_000
"""Callers that one process counts at once."""

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(slots=True)
class _Tally:
    """One caller in one period: asked everywhere as far as known, here since the last sharing."""

    period: int
    everywhere: int = 0
    here: int = 0
    shared_at: float = 0.0


class CallerThrottle(BaseThrottle):
    """So many requests in a period for one token, or for one person signed in.

    Processes count for themselves and share their counts through Redis now and then, which
    costs a request nothing; a caller may pass the limit by a few hundredths meanwhile. Without
    Redis each process keeps the limit by itself.
    """

    _tallies: dict[str, _Tally] = {}
    _lock = threading.Lock()

    def __init__(self) -> None:
        self._wait: float | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        """Whether this request is still within the limit; counts it."""
        return self.admits(*_caller(request))

    def admits(self, scope: str, caller: str) -> bool:
        """The same by the name of the limit and that of the caller."""
        rate = api_settings.DEFAULT_THROTTLE_RATES.get(scope)
        if rate is None:
            return True
        limit, seconds = parse_rate(str(rate))
        now = time.time()
        period = int(now // seconds)
        tally, due = self._count(caller, period, limit, now)
        if due:
            self._share(caller, tally, due, seconds)
        if tally.everywhere + tally.here <= limit:
            return True
        self._wait = (period + 1) * seconds - now
        return False

    def _count(self, caller: str, period: int, limit: int, now: float) -> tuple[_Tally, int]:
        """The caller's tally with this request in it, and how many to tell the others of now."""
        with self._lock:
            tally = self._tallies.get(caller)
            if tally is None or tally.period != period:
                if len(self._tallies) > ROOM:
                    self._tallies.clear()
                tally = self._tallies[caller] = _Tally(period)
            tally.here += 1
            if tally.here * PARTS < limit and now - tally.shared_at < SHARE_EVERY:
                return tally, 0
            tally.shared_at = now
            return tally, tally.here

    def _share(self, caller: str, tally: _Tally, number: int, seconds: int) -> None:
        """Tell the other processes of `number` requests, and hear of theirs."""
        key = f"flowboard:asked:{caller}:{tally.period}"
        try:
            with client().pipeline(transaction=False) as pipe:
                pipe.incrby(key, number)
                pipe.expire(key, 2 * seconds)
                everywhere = pipe.execute()[0]
        except REDIS_ERRORS as error:
            outage.noticed(error)
            return
        with self._lock:
            tally.everywhere = everywhere
            tally.here -= number

    @classmethod
    def forget(cls) -> None:
        """Let this process count anew."""
        with cls._lock:
            cls._tallies.clear()

    def wait(self) -> float | None:
        """Seconds until the next period begins."""
        return self._wait


def _caller(request: Request) -> tuple[str, str]:
    if isinstance(request.auth, ApiToken):
        return "token", f"token:{request.auth.pk}"
    return "user", f"user:{request.user.pk}"


@cache
def parse_rate(rate: str) -> tuple[int, int]:
    """`"1200/min"` as a number and seconds. Raises ValueError for anything else."""
    number, _, unit = rate.partition("/")
    if unit[:1] not in _UNITS:
        raise ValueError(f"{rate!r} is not a rate such as 1200/min")
    return int(number), _UNITS[unit[0]]
