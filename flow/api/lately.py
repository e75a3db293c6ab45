"""What was looked up a moment ago need not be looked up again.

Who a token belongs to and which version of a board stands are asked of Redis for every request.
A program that asks a thousand times a second is answered from the same look for `MOMENT`, which
is less than a request takes to travel.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any, Final, Generic, TypeVar

from rest_framework.request import Request

from accounts.api_auth import BearerAuthentication
from accounts.models import ApiToken, User

MOMENT: Final = 0.01
"""Seconds for which a look holds: so late can a revoked token or a change be noticed."""

ROOM: Final = 1000
"""Looks that one process remembers."""

T = TypeVar("T")


class Lately(Generic[T]):
    """Values by key, each good for `MOMENT`. Threads may look twice; neither is wrong."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[float, T]] = {}

    def get(self, key: Hashable, look: Callable[[], T]) -> T:
        """The value found a moment ago, or what `look` finds now; its errors are not kept."""
        found = self._known.get(key)
        started = time.monotonic()
        if found is not None and started < found[0]:
            return found[1]
        value = look()
        if len(self._known) >= ROOM:
            self._known.clear()
        # From before the look, so that nothing is believed longer than promised.
        self._known[key] = (started + MOMENT, value)
        return value

    def forget(self) -> None:
        """Look anew."""
        self._known.clear()


class SteadyBearer(BearerAuthentication):
    """Tokens, recognised once in a moment."""

    _callers: Lately[tuple[User, ApiToken] | None] = Lately()

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """As `BearerAuthentication` does."""
        header = request._request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        look: Any = super().authenticate
        return self._callers.get(header, lambda: look(request))

    @classmethod
    def forget(cls) -> None:
        """Recognise every token anew."""
        cls._callers.forget()
