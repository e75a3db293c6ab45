"""Who tells the boards how long ago a site's feeds were heard.

The feeds lie above this package, so whoever knows registers a watch when the program starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from flow.board_types import FeedState

Watch = Callable[[datetime], Mapping[int, FeedState]]
"""Given now, the state of the feeds of each site, by its primary key; a site that no feed
tells of is not in it. Asks a fixed number of queries."""

_watches: list[Watch] = []


def register(watch: Watch) -> None:
    """Ask `watch` from now on, instead of any other; called while the program starts."""
    _watches[:] = [watch]


def feed_states(*, now: datetime) -> Mapping[int, FeedState]:
    """The state of each site's feeds; empty while nobody keeps watch."""
    return _watches[0](now) if _watches else {}
