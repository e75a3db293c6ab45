"""Which columns of a table hold what: a file is recognised by its columns. Pure: no Django."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from flow.reference.measures import Kind, Measure, Part, by_heading, part_of
from flow.reference.wording import Reason, Reasons, key

EXPECTED: Final[Mapping[Kind, str]] = {
    Kind.NCTR: "a code, a date, and “do not meet criteria to reside” (or patients remaining, or "
    "discharged)",
    Kind.DELAY_REASONS: "a code or name, a date, a delay reason and a count; or one column for "
    "each reason",
    Kind.SITREP: "a code or name, a date, and any of G&A beds open, G&A beds occupied, occupancy "
    "rate, critical care beds, beds occupied by long-stay patients, beds closed",
    Kind.DISCHARGE_METRICS: "Period, Org Code, Org Name, Metric, Metric Group and Value",
}
"""What each kind of file must hold."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of columns, counted from nought.

    measures, reasons: columns that hold figures, in a table of one row for a body and day.
    reason, count, group: in a table of one row for each figure. unknown: headings that mean
    nothing to us.
    """

    kind: Kind
    headings: tuple[str, ...]
    date: int
    code: int | None = None
    name: int | None = None
    reason: int | None = None
    count: int | None = None
    group: int | None = None
    measures: Mapping[int, Measure] = field(default_factory=dict)
    reasons: Mapping[int, Reason] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()

    @property
    def is_long(self) -> bool:
        """Whether each row holds one figure."""
        return self.reason is not None


def layout(headings: Sequence[str], reasons: Reasons) -> Layout | None:
    """The layout of a table with these headings; None where they are of no known kind."""
    parts: dict[Part, tuple[int, int]] = {}
    measures: dict[int, Measure] = {}
    columns: dict[int, Reason] = {}
    unknown: list[str] = []
    repeated: list[str] = []
    for place, heading in enumerate(headings):
        words = key(heading)
        found = part_of(words)
        measure = by_heading(words)
        if found is not None:
            part, rank = found
            if part not in parts or rank < parts[part][0]:
                parts[part] = (rank, place)
        elif measure is not None:
            if measure.slug in {one.slug for one in measures.values()}:
                repeated.append(heading.strip())
            else:
                measures[place] = measure
        elif words and (reason := reasons.named(heading)) is not None:
            columns[place] = reason
        elif words:
            unknown.append(" ".join(heading.split()))
    at = {part: place for part, (_rank, place) in parts.items()}
    kind = _kind(at, measures, columns)
    if kind is None:
        return None
    long = kind is Kind.DISCHARGE_METRICS or Part.REASON in at
    return Layout(
        kind=kind,
        headings=tuple(headings),
        date=at[Part.DATE],
        code=at.get(Part.CODE),
        name=at.get(Part.NAME),
        reason=at.get(Part.REASON) if long else None,
        count=at.get(Part.COUNT) if long else None,
        group=at.get(Part.GROUP) if long else None,
        measures={} if long else measures,
        reasons={} if long else columns,
        unknown=tuple(unknown),
        repeated=tuple(repeated),
    )


def _kind(
    at: Mapping[Part, int], measures: Mapping[int, Measure], reasons: Mapping[int, Reason]
) -> Kind | None:
    if Part.DATE not in at or not {Part.CODE, Part.NAME} & set(at):
        return None
    if {Part.REASON, Part.COUNT} <= set(at):
        return Kind.DISCHARGE_METRICS if Part.GROUP in at else Kind.DELAY_REASONS
    if Part.REASON in at:
        return None
    if any(measure.kind is Kind.NCTR for measure in measures.values()):
        return Kind.NCTR
    if measures:
        return Kind.SITREP
    return Kind.DELAY_REASONS if len(reasons) > 1 else None
