"""What was looked up a moment ago need not be looked up again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

MOMENT: Final = 0.01
"""Seconds for which a look holds."""

GRACE: Final = 0.05
"""Seconds after which nobody believes an old look, even while another is under way."""

ROOM: Final = 1000
"""Looks that one process remembers."""

T = TypeVar("T")


@dataclass(slots=True)
class _Look(Generic[T]):
    value: T
    began: float
    under_way: threading.Lock = field(default_factory=threading.Lock)


class Lately(Generic[T]):
    """Values by key, each good for a moment; when it has passed, one of those who ask looks anew
    and the others go on with what they have.

    So a thousand who ask at once cost one look, and nobody's answer is older than `GRACE`.
    """

    def __init__(self) -> None:
        self._looks: dict[Hashable, _Look[T]] = {}

    def get(self, key: Hashable, look: Callable[[], T]) -> T:
        """The value found a moment ago, or what `look` finds now; its errors are not kept."""
        known = self._looks.get(key)
        began = time.monotonic()
        mine = False
        if known is not None:
            age = began - known.began
            if age < MOMENT:
                return known.value
            mine = age < GRACE and known.under_way.acquire(blocking=False)
            if age < GRACE and not mine:
                return known.value
        try:
            value = look()
            if len(self._looks) >= ROOM:
                self._looks.clear()
            # From before the look, so that nothing is believed longer than promised.
            self._looks[key] = _Look(value, began)
        finally:
            if known is not None and mine:
                known.under_way.release()
        return value

    def forget(self) -> None:
        """Look anew."""
        self._looks.clear()
