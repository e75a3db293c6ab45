"""The walls of one ward and of a discharge lounge, by zone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from flow.board_types import BayBox, BedState, BedTile, Occupant, Sight, WardBoard
from flow.boards import ward_board
from flow.counts import total
from flow.figure_types import Figures, Group
from flow.kinds import GROUP_OF
from flow.lines import View, lines_of
from flow.templatetags.boards import walk
from flow.words import BED_STATES, STATE_ICONS
from huddles.screens.agreed import agreed
from huddles.screens.wall_types import (
    Box,
    Boxes,
    ClosedTile,
    Figure,
    Picture,
    Tile,
    Wall,
    Zone,
    people,
    share,
    waited,
)
from huddles.screens.walls import NOBODY, bar
from wards.models import BedStatus, Closure, Ward

SIZES: Final = ((18, "l"), (36, "m"))
"""Up to how many tiles they are large, or of middle size."""

MOST_TILES: Final = 80
"""More than these nobody could read from afar; what is shown then is how many are what."""


def ward_wall(ward: Ward, *, zone: str, now: datetime) -> Wall:
    """One ward. Public: how many beds are what. Staff: its beds in place, each with its state.
    Closed room: initials too. Give `ward` with its site fetched."""
    board = _board(ward, zone=zone, now=now)
    figures = board.ward.figures
    return Wall(
        layout="ward",
        zone=zone,
        title=ward.name,
        subtitle=board.site_name,
        moment=now,
        as_at=figures.as_at,
        stale=figures.stale,
        feed=board.feed,
        figures=_of_ward(board, zone=zone),
        picture=_picture(board, zone=zone),
        agreed=agreed(ward.site, zone=zone, now=now, ward=ward),
    )


def lounge_wall(ward: Ward, *, zone: str, now: datetime) -> Wall:
    """A discharge lounge: who is there, what is free, and how many are about to come."""
    board = _board(ward, zone=zone, now=now)
    figures, leaving = board.ward.figures, _leaving(ward, now=now)
    here = [one for one in _occupants(board) if not _is_hidden(one)]
    longest = min((one.since for one in here), default=None)
    # In public a small count must not be told by what is left of the places.
    hides = people(figures.patients, zone) != str(figures.patients)
    shown = [
        Figure(people(figures.patients, zone), _("here now")),
        Figure(
            str(figures.beds_available),
            _("places free"),
            _("of %(open)d") % {"open": figures.beds_open},
            "good" if figures.beds_available else "bad",
        ),
        Figure(people(figures.waiting, zone), _("on their way here")),
        Figure(people(leaving, zone), _("about to leave wards")),
    ]
    if hides:
        del shown[1]
    if zone != Zone.PUBLIC:
        shown.append(waited(_("longest here"), now - longest if longest else None))
    return Wall(
        layout="lounge",
        zone=zone,
        title=ward.name,
        subtitle=board.site_name,
        moment=now,
        as_at=figures.as_at,
        stale=figures.stale,
        feed=board.feed,
        figures=tuple(shown),
        picture=None if hides else _picture(board, zone=zone),
    )


def _board(ward: Ward, *, zone: str, now: datetime) -> WardBoard:
    """The ward's board; with its patients where beds are shown, for who must not be shown at all
    can be told only by who knows them."""
    if zone == Zone.PUBLIC:
        return ward_board(ward, now=now, sight=NOBODY)
    return ward_board(ward, now=now, sight=Sight(counts=None, patients=frozenset({ward.pk})))


def _leaving(lounge: Ward, *, now: datetime) -> int:
    """Patients of the site's wards of whom it has been announced that they leave."""
    view = View.of(now=now, at=None, known_at=None, sight=NOBODY)
    found = lines_of(Ward.objects.filter(site=lounge.site_id), view)
    counted: Iterable[Figures] = (
        line.figures for line in found.lines if GROUP_OF[line.place.kind] == Group.INPATIENT
    )
    return total(counted, empty_at=now).pending_discharges


def _occupants(board: WardBoard) -> list[Occupant]:
    in_beds = [tile.occupant for bay in board.bays for tile in bay.beds if tile.occupant]
    return [*in_beds, *board.bedless]


def _is_hidden(occupant: Occupant) -> bool:
    """Whether the patient's record is restricted: of them a wall says no more than that a bed is
    taken."""
    return occupant.face is not None and occupant.face.restricted


def _of_ward(board: WardBoard, *, zone: str) -> tuple[Figure, ...]:
    figures = board.ward.figures
    last = Figure(str(figures.beds_closed), _("closed"))
    if zone != Zone.PUBLIC:
        ready = sum(one.ready_since is not None for one in _occupants(board))
        last = Figure(str(ready), _("ready to leave"))
    return (
        Figure(
            str(figures.beds_available),
            _("free now"),
            _("of %(open)d beds") % {"open": figures.beds_open},
            "good" if figures.beds_available else "bad",
        ),
        share(_("occupied"), figures.occupancy),
        Figure(str(figures.beds_unready), _("to be cleaned")),
        Figure(people(figures.waiting, zone), _("wait to come")),
        Figure(people(figures.pending_discharges, zone), _("about to leave")),
        last,
    )


def _picture(board: WardBoard, *, zone: str) -> Picture:
    if zone == Zone.PUBLIC:
        return bar("", board.ward.figures)
    boxes = [
        Box(
            name=box.name,
            tiles=tuple(
                _tile(tile, bay, rooms=box.rooms, zone=zone, now=board.moment)
                for bay in box.bays
                for tile in bay.beds
            ),
            across=box.across,
        )
        for box in walk(board.bays)
    ]
    tiles = sum(len(box.tiles) for box in boxes)
    if tiles > MOST_TILES:
        return bar("", board.ward.figures)
    size = next((size for most, size in SIZES if tiles <= most), "s")
    return Boxes(tuple(boxes), len(board.bedless), size)


def _tile(tile: BedTile, bay: BayBox, *, rooms: bool, zone: str, now: datetime) -> Tile:
    sign = _sign(tile, now=now)
    label = tile.label or bay.code if rooms else tile.label
    if zone != Zone.CLOSED:
        return Tile(label, tile.state, sign.word, sign.tone, sign.icon)
    face = tile.occupant.face if tile.occupant else None
    initials = "" if face is None or face.restricted else face.initials
    return ClosedTile(label, tile.state, sign.word, sign.tone, sign.icon, initials)


@dataclass(frozen=True, slots=True)
class _Sign:
    word: str = ""
    tone: str = ""
    icon: str = ""


def _sign(tile: BedTile, *, now: datetime) -> _Sign:
    """What is to be said of a bed in a word: of whoever is in it, what comes next."""
    occupant = tile.occupant
    if occupant is None:
        return _of_empty(tile)
    if _is_hidden(occupant):
        return _Sign()
    if tile.clash:
        return _Sign(_("two sent"), "bad", "clash")
    if occupant.pending_discharge is not None:
        return _Sign(_("leaving"), "next", "leaving")
    if occupant.pending_transfer is not None:
        return _Sign(_("moving"), "next", "transfer")
    if occupant.on_leave:
        return _Sign(_("on leave"), "", "leave")
    if occupant.ready_since is not None:
        return _Sign(_("ready"), "next", "up")
    return _Sign()


def _of_empty(tile: BedTile) -> _Sign:
    if tile.state == BedState.CLOSED:
        reasons = dict(Closure.Reason.choices)
        return _Sign(str(reasons.get(tile.closed_reason, _("closed"))), "shut", "closed")
    if tile.state == BedState.UNREADY:
        if tile.level == BedStatus.Level.TERMINAL:
            return _Sign(_("terminal"), "clean", "terminal")
        return _Sign(_("clean"), "clean", "unready")
    if tile.held_until is not None:
        until = f"{timezone.localtime(tile.held_until):%H:%M}"
        return _Sign(_("held %(until)s") % {"until": until}, "next", "arriving")
    tone = "free" if tile.state == BedState.AVAILABLE else "shut"
    return _Sign(str(BED_STATES[tile.state]).lower(), tone, STATE_ICONS[tile.state])
