"""When a patient was ready to leave: the rule that turns reviews into periods. Pure: no Django.

A person who meets none of the criteria to reside is to be discharged as soon as possible, unless
a senior records an exception (Hospital Discharge Service policy and operating model, Annex A).
The discharge ready date is when they first met none, and since then met none at every review
(NHS England, Discharge Ready Date). So:

- a review that finds a criterion met, or an exception, ends readiness;
- a review that finds none met begins it, or lets it go on;
- a review in which nobody looked at the criteria says nothing.

What happened when counts, and at one moment what was recorded last.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Looked:
    """What one review said of the criteria. `order` tells apart reviews of one moment."""

    occurred_at: datetime
    order: int
    criteria: tuple[str, ...] | None
    exception: bool = False

    @property
    def is_ready(self) -> bool | None:
        """Whether none is met and nobody excepted; None where nobody looked."""
        if self.criteria is None:
            return None
        return not self.criteria and not self.exception


@dataclass(frozen=True, slots=True)
class Ready:
    """`[start, end)`; `end` None means until now."""

    start: datetime
    end: datetime | None


def readiness(reviews: Iterable[Looked]) -> list[Ready]:
    """The periods of readiness that the reviews of one stay add up to, in order."""
    periods: list[Ready] = []
    since: datetime | None = None
    said: dict[datetime, bool] = {}
    for looked in sorted(reviews, key=lambda r: (r.occurred_at, r.order)):
        if looked.is_ready is not None:
            said[looked.occurred_at] = looked.is_ready
    for at, is_ready in said.items():
        if is_ready and since is None:
            since = at
        elif not is_ready and since is not None:
            periods.append(Ready(since, at))
            since = None
    if since is not None:
        periods.append(Ready(since, None))
    return periods
