"""Which boards a wall screen may hear of; everybody else is asked as ever
(`settings.LIVE_AUTHORISER`)."""

from __future__ import annotations

from flow.listening import may_hear as people_may_hear
from huddles.models import Screen, ScreenPage
from huddles.screens.recognising import COOKIE, Known, recognised
from live.stream import Caller

Layout = ScreenPage.Layout


def may_hear(caller: Caller, boards: frozenset[str]) -> frozenset[str] | None:
    """Of a stream that says `screen=1`, those of `boards` that the screen shows, and its own:
    whoever else is signed in in that browser. None where no screen is paired."""
    if "screen" not in caller.query:
        return people_may_hear(caller, boards)
    known = recognised(caller.cookies.get(COOKIE, ""))
    return None if known is None else boards & boards_of(known)


def boards_of(known: Known) -> frozenset[str]:
    """What rings for the screen: the boards of its pages, and its own."""
    shown = (board_of(page, known.screen) for page in known.pages)
    return frozenset({known.screen.board, *shown})


def board_of(page: ScreenPage, screen: Screen) -> str:
    """The doorbell that rings when what the page shows has changed."""
    if page.ward_id is not None:
        return f"ward:{page.ward_id}"
    if page.layout in (Layout.SITE, Layout.HUDDLE):
        return f"{page.layout}:{screen.site_id}"
    return page.layout
