"""The board of the whole care system."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from flow.board_types import Sight, SystemBoard, WardLine
from flow.checks import checks_of
from flow.flow_map import flow_map
from flow.lines import View, by_kind, lines_of, site_line
from flow.totals import head_wards, sums
from flow.trends import last_day
from wards.models import Site, Ward


def system_board(
    *,
    now: datetime,
    sight: Sight,
    at: datetime | None = None,
    known_at: datetime | None = None,
) -> SystemBoard:
    """All sites as far as the viewer may see them, now or at `at`; seven queries.

    `known_at`: only what had been recorded by then counts. While there is somebody whose ward
    nobody told, two queries more find whose they are.
    """
    view = View.of(now=now, at=at, known_at=known_at, sight=sight)
    moment = view.moment
    found = lines_of(Ward.objects.all(), view)
    by_site: dict[Site, list[WardLine]] = defaultdict(list)
    for ward, line in zip(found.wards, found.lines, strict=True):
        if line.in_use:
            by_site[ward.site].append(line)
    heads = [ward for lines in by_site.values() for ward in head_wards(lines)]
    trends = last_day([site.pk for site in by_site], wards=heads, moment=moment)
    sites = tuple(
        site_line(site, lines, trend=trends[site.pk], feed=found.feeds.get(site.pk), at=moment.at)
        for site, lines in by_site.items()
        if site.kind != Site.Kind.UNRECOGNISED or any(line.recognised for line in lines)
    )
    return SystemBoard(
        moment=moment.at,
        live=view.live,
        known_at=known_at,
        sites=sites,
        sums=sums([line for line in found.lines if line.in_use], at=moment.at),
        unrecognised=tuple(line for line in found.lines if line.in_use and not line.recognised),
        checks=checks_of(moment, sight=sight),
        flow=flow_map(
            wards=[line.place.id for line in found.lines],
            figures=by_kind(found.lines, at=moment.at),
            moment=moment,
        ),
    )
