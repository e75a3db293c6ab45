"""How long ago each feed was heard, and each site through its feeds; and whose feeds they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce

from flow.board_types import FeedState
from interop.models import Feed, LocationCode, Message
from wards.placeless import Source


def sources() -> Mapping[str, Source]:
    """Every feed by the source of its movements; one query."""
    rows = Feed.objects.values_list("code", "name", "organisation_id", "default_site_id")
    return {code: Source(name, body, site) for code, name, body, site in rows.order_by()}


def heard_at() -> dict[int, datetime | None]:
    """When the latest message of each feed came in: one index lookup a feed, in one query."""
    latest = (
        Message.objects.filter(feed=OuterRef("pk"))
        .order_by("-received_at")
        .values("received_at")[:1]
    )
    return dict(Feed.objects.annotate(latest=Subquery(latest)).values_list("pk", "latest"))


def is_quiet(latest: datetime | None, quiet_after: int | None, now: datetime) -> bool:
    """Whether nothing was heard for longer than the feed usually pauses (minutes)."""
    if latest is None or quiet_after is None:
        return False
    return now - latest > timedelta(minutes=quiet_after)


def feed_states(now: datetime) -> Mapping[int, FeedState]:
    """For each site that some feed has named a place of: when its feeds were last heard.

    A site is silent when every one of its feeds is. Three queries.
    """
    latest = heard_at()
    quiet = {
        pk: is_quiet(latest.get(pk), quiet_after, now)
        for pk, quiet_after in Feed.objects.values_list("pk", "quiet_after")
    }
    told_of: dict[int, set[int]] = defaultdict(set)
    rows = LocationCode.objects.values_list(
        "feed", Coalesce("ward__same_as__site", "ward__site")
    ).distinct()
    for feed, site in rows.order_by():
        told_of[site].add(feed)
    states: dict[int, FeedState] = {}
    for site, names in told_of.items():
        times = [at for feed in names if (at := latest.get(feed)) is not None]
        states[site] = FeedState(
            heard_at=max(times, default=None), silent=all(quiet.get(feed) for feed in names)
        )
    return states
