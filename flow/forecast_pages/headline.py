"""The forecast of a site in a line, for boards that lead to it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from flow.board_types import Sight
from flow.forecast_pages.hours import headline_hour, short_said
from flow.forecasts.boards import STALE, sees
from flow.forecasts.horizon import Horizon
from flow.forecasts.issued import latest_of
from flow.forecasts.wording import beds_said


@dataclass(frozen=True, slots=True)
class Headline:
    """What is foretold of all beds of a site. words: in a sentence; short: in few words. stale: a
    newer forecast should be there."""

    words: str
    short: str
    at: datetime
    stale: bool


def headlines(sites: Collection[str], *, sight: Sight, now: datetime) -> dict[str, Headline]:
    """By code, of the sites all of whose beds the viewer may see; two queries at most."""
    found = {}
    for code, kept in latest_of(sites, by=now).items():
        outlook = kept.issued.outlook
        if outlook is None or not outlook.site.has_beds or not sees(sight, outlook.site.pool):
            continue
        ahead = Horizon(outlook.at)
        place = headline_hour(ahead)
        found[code] = Headline(
            words=beds_said(outlook.site, place, ahead),
            short=short_said(outlook.site, place, ahead),
            at=kept.row.at,
            stale=now - kept.row.at > STALE,
        )
    return found
