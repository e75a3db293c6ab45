"""The receiver's list of who needs a bed, as far as the staff have to know it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from simulation.care.rest import Rest

_READ_EVERY: Final = 20.0
"""Seconds between two looks at the list."""
_USUAL: Final = 3


@dataclass(frozen=True, slots=True)
class Open:
    """A request: its key, and whether somebody has said more about it than a feed can."""

    key: int
    is_told: bool


@dataclass
class Requests:
    """The list, read again only after a while."""

    rest: Rest
    clock: Callable[[], float]
    _read: float | None = None
    _open: Mapping[int, Open] = field(default_factory=dict)

    def read(self) -> None:
        """Look at it, unless that was a moment ago."""
        now = self.clock()
        if self._read is not None and now - self._read < _READ_EVERY:
            return
        self._read = now
        rows = self.rest.get("bed-requests/").body.get("results", ())
        self._open = {row["episode"]: _open(row) for row in rows if row.get("episode")}

    def of(self, episode: int) -> Open | None:
        """The request of an episode, None where there is none in the list."""
        return self._open.get(episode)


def _open(row: Mapping[str, Any]) -> Open:
    # Not when it is wanted: of an operation the feed says so.
    more = row["asked_by"] or row["note"] or row["priority"] != _USUAL
    return Open(int(row["id"]), bool(more))
