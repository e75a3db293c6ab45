"""The walls of the whole system, a site, a discharge lounge and the beds to clean, by zone.

They are made of the same boards as the pages, and keep of them what the zone may see.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final

from django.utils.translation import gettext as _

from accounts.roles import Permission
from flow.board_types import FeedState, Sight, SiteLine, Wait, WardLine
from flow.boards import site_board, system_board
from flow.cleaning.board import Job as BedJob
from flow.cleaning.board import cleaning_board
from flow.feeds import feed_states
from flow.figure_types import Figures, Group
from flow.kinds import GROUP_OF
from flow.templatetags.boards import bed_parts, duration
from huddles.screens.agreed import agreed
from huddles.screens.wall_types import (
    Bar,
    Bars,
    Day,
    Figure,
    Job,
    Jobs,
    Picture,
    Stretch,
    Waiter,
    Wall,
    Zone,
    people,
    share,
    waited,
)
from wards.models import Site, Ward
from wards.scope import Held, Scope

NOBODY: Final = Sight(counts=None, patients=frozenset())
"""Every ward's figures, and no patient."""

MOST_BARS: Final = 30
BARS_BESIDE: Final = 24
"""How many places find room, and how many beside a list of who waits."""

MOST_JOBS: Final = 8
MOST_WAITERS: Final = 4


def system_wall(*, zone: str, now: datetime) -> Wall:
    """All sites: what is free, what waits, and how full each is."""
    board = system_board(now=now, sight=NOBODY)
    figures = board.sums.head.figures
    emergency = board.sums.of(Group.EMERGENCY)
    longest = board.sums.head.longest_wait
    return Wall(
        layout="system",
        zone=zone,
        title=_("Whole system"),
        subtitle="",
        moment=now,
        as_at=board.sums.everything.figures.as_at,
        stale=board.sums.everything.figures.stale,
        feed=most_silent(site.feed for site in board.sites),
        figures=_of_beds(figures, emergency, longest, zone=zone, now=now),
        picture=_bars(((site.name, site.figures) for site in board.sites), _("Beds free, by site")),
    )


def site_wall(site: Site, *, zone: str, now: datetime) -> Wall:
    """One site. Public: its totals and the day's course. Staff: how full each ward is. Closed
    room: who has waited longest, too, by initials. Give `site` with its organisation fetched."""
    board = site_board(site, now=now, sight=_sight(site, zone))
    figures = board.site.figures
    return Wall(
        layout="site",
        zone=zone,
        title=site.name,
        subtitle="",
        moment=now,
        as_at=figures.as_at,
        stale=figures.stale,
        feed=board.site.feed,
        figures=_of_beds(
            figures,
            board.site.emergency,
            board.site.sums.head.longest_wait,
            zone=zone,
            now=now,
        ),
        picture=_site_picture(board.site, board.wards, zone=zone),
        waiters=_waiters(board.waiting) if zone == Zone.CLOSED else (),
        agreed=agreed(site, zone=zone, now=now),
    )


def _sight(site: Site, zone: str) -> Sight:
    """What the wall is made from: in a closed room with the patients of the site's wards."""
    if zone != Zone.CLOSED:
        return NOBODY
    return Sight(
        counts=None, patients=frozenset(Ward.objects.filter(site=site).values_list("pk", flat=True))
    )


def most_silent(feeds: Iterable[FeedState | None]) -> FeedState | None:
    """Of several feeds the one that says least: a silent one, or else the longest unheard."""
    known = [feed for feed in feeds if feed is not None and feed.heard_at is not None]
    return min(known, key=lambda feed: (not feed.silent, feed.heard_at), default=None)


def _of_beds(
    figures: Figures,
    emergency: Figures | None,
    longest: datetime | None,
    *,
    zone: str,
    now: datetime,
) -> tuple[Figure, ...]:
    since = duration(now - longest) if longest and zone != Zone.PUBLIC else ""
    # In public a colour would tell what the small count beside it hides.
    short = zone != Zone.PUBLIC and figures.waiting > figures.beds_available
    shown = [
        Figure(
            str(figures.beds_available),
            _("free now"),
            _("of %(open)d beds") % {"open": figures.beds_open},
            "good" if figures.beds_available else "bad",
        ),
        share(_("occupied"), figures.occupancy),
        Figure(
            str(figures.beds_unready),
            _("to be cleaned"),
            _("%(closed)d closed") % {"closed": figures.beds_closed} if figures.beds_closed else "",
        ),
        Figure(
            people(figures.waiting, zone),
            _("wait for a bed"),
            _("longest %(time)s") % {"time": since} if since else "",
            "warn" if short else "",
        ),
        Figure(people(figures.pending_discharges, zone), _("about to leave")),
    ]
    if emergency is not None:
        shown.append(Figure(people(emergency.patients, zone), _("in emergency")))
    return tuple(shown)


def bar(name: str, figures: Figures) -> Bar:
    """A place with its beds."""
    counts = {
        "occupied": figures.beds_occupied,
        "unready": figures.beds_unready,
        "free": figures.beds_available,
        "closed": figures.beds_closed,
        "not_opened": figures.beds_not_opened,
    }
    return Bar(
        name=name,
        stretches=tuple(
            Stretch(part.kind, part.x, part.width, counts[part.kind]) for part in bed_parts(figures)
        ),
        number=str(figures.beds_available),
        stale=figures.stale,
    )


def _bars(places: Iterable[tuple[str, Figures]], heading: str, *, most: int = MOST_BARS) -> Bars:
    """As many as there is room for, in their order; where there is not, first those with a bed
    free."""
    found = [(name, figures) for name, figures in places if figures.beds_open]
    free_first = sorted(range(len(found)), key=lambda at: not found[at][1].beds_available)
    shown = [bar(*found[place]) for place in sorted(free_first[:most])]
    across = 1 if len(shown) <= 8 else 2 if len(shown) <= 16 else 3
    return Bars(tuple(shown), heading, len(found) - len(shown), across)


def _site_picture(site: SiteLine, wards: Collection[WardLine], *, zone: str) -> Picture:
    if zone == Zone.PUBLIC:
        return Day(site.trend, site.figures.beds_open)
    head = site.sums.head.group
    shown = [line for line in wards if GROUP_OF[line.place.kind] == head]
    return _bars(
        ((line.place.name, line.figures) for line in shown),
        _("Beds free, by ward"),
        most=BARS_BESIDE if zone == Zone.CLOSED else MOST_BARS,
    )


def _waiters(waits: Sequence[Wait]) -> tuple[Waiter, ...]:
    """The longest waits of those who may be shown by initials."""
    shown = [one for one in waits if one.face is not None and not one.face.restricted]
    return tuple(
        Waiter(
            initials=one.face.initials if one.face else "",
            origin=one.origin.name if one.origin else _("not here yet"),
            target=one.target.name if one.target else "",
            since=one.since,
        )
        for one in shown[:MOST_WAITERS]
    )


def cleaning_wall(site: Site, *, zone: str, now: datetime) -> Wall:
    """The beds of a site that wait to be cleaned. No patient is on it in any zone."""
    wards = frozenset(Ward.objects.filter(site=site, same_as=None).values_list("pk", flat=True))
    scope = Scope({Permission.CLEAN_BEDS: Held(wards=wards, touched=frozenset({site.pk}))})
    board = cleaning_board(now=now, scope=scope, viewer=0)
    jobs = [*board.waiting, *board.begun]
    feed = feed_states(now=now).get(site.pk)
    return Wall(
        layout="cleaning",
        zone=zone,
        title=_("Beds to clean"),
        subtitle=site.name,
        moment=now,
        as_at=now,
        stale=feed is not None and feed.silent,
        feed=feed,
        figures=_of_cleaning(board.waiting, board.begun, zone=zone, now=now),
        picture=_by_ward(jobs) if zone == Zone.PUBLIC else _jobs(jobs),
    )


def _of_cleaning(
    waiting: Sequence[BedJob], begun: Sequence[BedJob], *, zone: str, now: datetime
) -> tuple[Figure, ...]:
    jobs = [*waiting, *begun]
    longest = min((one.since for one in waiting), default=None)
    held = sum(one.held_until is not None for one in jobs)
    return (
        Figure(str(len(waiting)), _("to clean"), tone="warn" if waiting else "good"),
        Figure(str(len(begun)), _("being cleaned")),
        Figure(str(sum(one.is_terminal for one in jobs)), _("of these terminal")),
        Figure(people(held, zone), _("held for somebody"), tone="bad" if held else ""),
        waited(_("longest wait"), now - longest if longest else None),
    )


def _jobs(jobs: Sequence[BedJob]) -> Jobs:
    shown = [
        Job(
            ward=one.ward_name,
            bed=one.label,
            terminal=one.is_terminal,
            begun=one.is_begun,
            since=one.begun_at or one.since,
            held_until=one.held_until,
        )
        for one in jobs[:MOST_JOBS]
    ]
    return Jobs(tuple(shown), len(jobs) - len(shown))


def _by_ward(jobs: Sequence[BedJob]) -> Bars:
    """How many beds each ward has to be cleaned, the most first; no bed by its label."""
    counts = Counter(one.ward_name for one in jobs).most_common()
    most = counts[0][1] if counts else 1
    bars = tuple(
        Bar(name, (Stretch("unready", 0.0, round(100 * beds / most, 2), beds),), str(beds))
        for name, beds in counts[:MOST_JOBS]
    )
    return Bars(bars, _("Beds to clean, by ward"), len(counts) - len(bars), 1)
