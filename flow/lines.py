"""Wards and sites with their figures, as the boards list them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.db.models import Exists, OuterRef, QuerySet

from flow.board_types import FeedState, Place, Sight, SiteLine, Trend, WardLine
from flow.census import aged, figures_at
from flow.counts import total
from flow.feeds import feed_states
from flow.figure_types import Figures
from flow.moment import Moment
from flow.totals import sums
from wards.models import Bed, Site, Ward


@dataclass(frozen=True, slots=True)
class View:
    """What a board was asked for.

    moment: what it speaks of. live: whether that is the present. sight: of the viewer.
    """

    moment: Moment
    live: bool
    sight: Sight

    @classmethod
    def of(
        cls, *, now: datetime, at: datetime | None, known_at: datetime | None, sight: Sight
    ) -> View:
        """Of the present without `at` and `known_at`."""
        live = at is None and known_at is None
        return cls(Moment(at or now, known_at), live, sight)


@dataclass(frozen=True, slots=True)
class Lines:
    """Ward lines in their order, and the rows they were made from."""

    wards: Sequence[Ward]
    lines: Sequence[WardLine]
    feeds: Mapping[int, FeedState]


_BEDS: Final = Bed.objects.filter(ward=OuterRef("pk"), is_recognised=True, same_as=None)


def visible(wards: QuerySet[Ward], sight: Sight) -> QuerySet[Ward]:
    """The wards that may be shown, but for those that turned out to be another ward."""
    shown = wards.filter(same_as=None).select_related("site__organisation")
    if sight.counts is not None:
        shown = shown.filter(pk__in=sight.counts)
    return shown.order_by("site__position", "site__name", "position", "name", "pk")


def lines_of(wards: QuerySet[Ward], view: View) -> Lines:
    """The lines of the visible ones of `wards`; three queries, and those of the feeds' watch."""
    rows = list(visible(wards, view.sight).annotate(has_beds=Exists(_BEDS)))
    counts = figures_at([ward.pk for ward in rows], moment=view.moment, live=view.live)
    feeds = feed_states(now=view.moment.at) if view.live else {}
    lines = []
    for ward in rows:
        counted = counts[ward.pk]
        figures = counted.figures
        if view.live:
            feed = feeds.get(ward.site_id)
            silent = feed is not None and feed.silent
            figures = aged(figures, now=view.moment.at, silent=silent)
        line = ward_line(ward, figures, counted.longest_wait)
        lines.append(replace(line, in_use=not ward.has_beds or _is_used(figures)))
    return Lines(rows, lines, feeds)


def _is_used(figures: Figures) -> bool:
    """Whether it has beds, or concerns anybody, at the moment."""
    listed = figures.beds_open + figures.beds_closed + figures.beds_not_opened
    concerned = figures.waiting + figures.waiting_out + figures.pending_discharges
    return listed + figures.patients + concerned > 0


def ward_line(ward: Ward, figures: Figures, longest_wait: datetime | None) -> WardLine:
    """The line of a ward with these figures."""
    return WardLine(
        place=Place(ward.pk, ward.code, ward.name, ward.site.code, ward.kind),
        specialty=ward.specialty,
        sex=ward.sex,
        recognised=ward.is_recognised,
        figures=figures,
        longest_wait=longest_wait,
    )


def by_kind(lines: Iterable[WardLine], *, at: datetime) -> dict[str, Figures]:
    """The sum over the lines of each kind of ward."""
    kinds: dict[str, list[Figures]] = defaultdict(list)
    for line in lines:
        kinds[line.place.kind].append(line.figures)
    return {kind: total(figures, empty_at=at) for kind, figures in kinds.items()}


def site_line(
    site: Site,
    lines: Collection[WardLine],
    *,
    trend: Trend,
    feed: FeedState | None,
    at: datetime,
) -> SiteLine:
    """The line of a site whose (visible) wards are `lines`."""
    return SiteLine(
        id=site.pk,
        code=site.code,
        name=site.name,
        kind=site.kind,
        organisation=site.organisation.code,
        sums=sums(lines, at=at),
        trend=trend,
        feed=feed,
    )
