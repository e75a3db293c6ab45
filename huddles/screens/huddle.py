"""What a wall shows of the huddle of a site."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from flow.feeds import feed_states
from huddles.screens.agreed import agreed
from huddles.screens.wall_types import Wall
from wards.models import Site


def huddle_wall(site: Site, *, zone: str, now: datetime) -> Wall:
    """The huddle that runs at the site, or that none does."""
    feed = feed_states(now=now).get(site.pk)
    return Wall(
        layout="huddle",
        zone=zone,
        title=_("Huddle"),
        subtitle=site.name,
        moment=now,
        as_at=now,
        stale=False,
        feed=feed,
        figures=(),
        picture=None,
        agreed=agreed(site, zone=zone, now=now),
        said=_("No huddle is running"),
    )
