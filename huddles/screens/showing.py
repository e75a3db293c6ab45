"""Draws a page of a screen, once for each version and zone, for all screens that show the same."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import cache
from typing import Final

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from huddles.models import Screen, ScreenPage
from huddles.screens.huddle import huddle_wall
from huddles.screens.listening import board_of
from huddles.screens.wall_types import Wall, Zone
from huddles.screens.walls import cleaning_wall, site_wall, system_wall
from huddles.screens.ward_walls import lounge_wall, ward_wall
from live.shared import Rendered, rendered

KEPT: Final = 20
"""Seconds for which what is drawn may be shown again: so late at most is what depends on the
clock alone."""

Layout = ScreenPage.Layout


def wall(page: ScreenPage, screen: Screen, *, now: datetime) -> Wall:
    """What the page says, as the screen's zone may see it."""
    zone = screen.zone
    if page.ward is not None:
        make = lounge_wall if page.layout == Layout.LOUNGE else ward_wall
        return make(page.ward, zone=zone, now=now)
    if page.layout == Layout.SYSTEM:
        return system_wall(zone=zone, now=now)
    if page.layout == Layout.CLEANING:
        return cleaning_wall(screen.site, zone=zone, now=now)
    if page.layout == Layout.HUDDLE:
        return huddle_wall(screen.site, zone=zone, now=now)
    return site_wall(screen.site, zone=zone, now=now)


def drawn(page: ScreenPage, screen: Screen) -> Rendered:
    """The page in HTML. Initials stay in the memory of the process, out of Redis."""

    def paint() -> bytes:
        shown = wall(page, screen, now=timezone.now())
        return render_to_string("huddles/screens/_wall.html", {"wall": shown}).encode()

    # Two screens share what they show alike: the system's page is the same at every site.
    place = "" if page.layout == Layout.SYSTEM else str(screen.site_id)
    return rendered(
        board_of(page, screen),
        f"wall {page.layout} {screen.zone} {place}",
        paint,
        KEPT,
        private=screen.zone == Zone.CLOSED,
    )


def edition(screen: Screen) -> str:
    """What a screen has to be loaded anew for: its own settings, or other scripts and styles."""
    return f"{screen.edition}-{_made_of()}"


@cache
def _made_of() -> str:
    """A digest of everything a screen loads."""
    digest = hashlib.blake2b(digest_size=8)
    static = settings.BASE_DIR / "static"
    files = [static / "js" / f"{name}.js" for name in ("wall", "wall-fit")]
    files += [static / "css" / f"{name}.css" for name in ("tokens", "dark", "wall")]
    files += sorted((settings.BASE_DIR / "templates" / "huddles" / "screens").glob("*.html"))
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def is_dark(screen: Screen, *, now: datetime) -> bool:
    """Whether it is dark at that time by London's hours."""
    if screen.theme != Screen.Theme.BY_HOUR:
        return screen.theme == Screen.Theme.DARK
    hour = timezone.localtime(now).hour
    start, end = screen.dark_from, screen.dark_until
    return start <= hour < end if start <= end else hour >= start or hour < end
