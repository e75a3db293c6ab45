"""The board of one site."""

from __future__ import annotations

from datetime import datetime

from flow.board_types import Sight, SiteBoard
from flow.checks import checks_of
from flow.flow_map import flow_map
from flow.lines import View, by_kind, lines_of, site_line
from flow.totals import head_wards
from flow.trends import last_day
from flow.waits import asked, with_faces
from wards.models import BedRequest, Site, Ward


def site_board(
    site: Site,
    *,
    now: datetime,
    sight: Sight,
    at: datetime | None = None,
    known_at: datetime | None = None,
) -> SiteBoard:
    """The wards of `site` that the viewer may see, and who waits for them; nine queries.

    `at`, `known_at`: as for the system board, with two queries more when that has. Give `site`
    with its organisation fetched.
    """
    view = View.of(now=now, at=at, known_at=known_at, sight=sight)
    moment = view.moment
    found = lines_of(Ward.objects.filter(site=site), view)
    wards = [line.place.id for line in found.lines]
    used = [line for line in found.lines if line.in_use]
    recognised = [line for line in used if line.recognised]
    trend = last_day([site.pk], wards=head_wards(recognised), moment=moment)[site.pk]
    counted = {line.place.id for line in recognised}
    requests = [
        one
        for one in asked(moment, wards=wards)
        if one.kind != BedRequest.Kind.DISCHARGE and one.counts_on in counted
    ]
    return SiteBoard(
        moment=moment.at,
        live=view.live,
        known_at=known_at,
        site=site_line(site, used, trend=trend, feed=found.feeds.get(site.pk), at=moment.at),
        wards=tuple(recognised),
        unrecognised=tuple(line for line in used if not line.recognised),
        waiting=with_faces(requests, sight=sight),
        checks=checks_of(moment, sight=sight, site=site.pk),
        flow=flow_map(wards=wards, figures=by_kind(found.lines, at=moment.at), moment=moment),
    )
