"""The moment a board speaks of, and the SQL that finds what was true then.

Two times: *when it was so* (the periods of the rows) and *when we knew* (the history rows that
the audit triggers write). Asking with `known_at` answers from the history alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

TRACKED: Final = frozenset(
    {
        "wards_occupancy",
        "wards_bedrequest",
        "wards_closure",
        "wards_opening",
        "wards_referral",
        "wards_reservation",
        "patients_readiness",
        "patients_barrier",
        "patients_episode",
    }
)
"""Tables with a history, as `held` can read them; all but episodes have a `period`."""

AT_MOMENT: Final = "r.period @> %(at)s::timestamptz"
"""Condition for `held`: the row's period holds the moment."""


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant, and what was known of it when.

    at: the instant. known_at: only what had been recorded by then counts; None means now.
    Both are aware.
    """

    at: datetime
    known_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.at.tzinfo is None or (self.known_at and self.known_at.tzinfo is None):
            raise ValueError("a moment needs a time with its zone")

    @property
    def params(self) -> dict[str, object]:
        """The named parameters that the SQL of this module expects."""
        return {"at": self.at, "known_at": self.known_at}


def held(table: str, moment: Moment, condition: str = AT_MOMENT) -> str:
    """A subquery, in brackets, of the rows of `table` as known, for which `condition` holds.

    `condition` speaks of the row as `r`; give it in SQL with named parameters, never with
    values. For each row the latest history entry recorded by `known_at` counts, unless it says
    that the row was deleted. Raises ValueError for a table that keeps no history.
    """
    if table not in TRACKED:
        raise ValueError(f"{table} keeps no history; one of {', '.join(sorted(TRACKED))}")
    if moment.known_at is None:
        return f"(SELECT r.* FROM {table} r WHERE ({condition}))"  # noqa: S608 - a known table
    # The order of one row's history is that of its keys: its writers followed each other.
    return f"""(SELECT r.* FROM {table}event r
        WHERE ({condition}) AND r.pgh_created_at <= %(known_at)s AND r.pgh_label <> 'delete'
          AND NOT EXISTS (SELECT 1 FROM {table}event later
                           WHERE later.pgh_obj_id = r.pgh_obj_id AND later.pgh_id > r.pgh_id
                             AND later.pgh_created_at <= %(known_at)s))"""  # noqa: S608 - a known table


def said_by(moment: Moment, alias: str) -> str:
    """A condition on facts that are never edited: recorded by `known_at`."""
    return "true" if moment.known_at is None else f"{alias}.recorded_at <= %(known_at)s"
