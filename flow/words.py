"""What boards call things, in the words of the field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from flow.board_types import BedState
from flow.figure_types import Group
from flow.flow_map_types import Node
from wards.projection import (
    DISPUTED_END,
    EARLY_MOVE,
    MISDATED_END,
    MOVED_AFTER,
    RESUMED,
    SHARED_NUMBER,
)

Words = Mapping[str, str | Promise]

NODES: Final[Words] = {
    Node.EMERGENCY_ARRIVAL: _("Emergency"),
    Node.GP: _("GP and clinic"),
    Node.ELECTIVE: _("Elective"),
    Node.TRANSFER_IN: _("Transfers in"),
    Node.OTHER_ARRIVAL: _("Other arrivals"),
    Node.EMERGENCY: _("Emergency dept"),
    Node.ASSESSMENT: _("Assessment"),
    Node.CRITICAL_CARE: _("Critical care"),
    Node.WARDS: _("Wards"),
    Node.OTHER_UNIT: _("Other units"),
    Node.UNRECOGNISED: _("Not recognised"),
    Node.COMMUNITY: _("Community beds"),
    Node.VIRTUAL: _("Virtual ward"),
    Node.REABLEMENT: _("Reablement"),
    Node.CARE_HOME: _("Care home"),
    Node.HOME: _("Home"),
    Node.DIED: _("Died"),
    Node.OTHER_PLACE: _("Elsewhere"),
}

GROUPS: Final[Words] = {
    Group.INPATIENT: _("inpatient beds"),
    Group.HOME: _("places at home and in care homes"),
    Group.EMERGENCY: _("emergency places"),
    Group.DAY: _("day unit places"),
    Group.LOUNGE: _("lounge places"),
    Group.UNRECOGNISED: _("places not recognised"),
}
"""What a total counts."""

GROUPS_SHORT: Final[Words] = {
    Group.INPATIENT: _("beds"),
    Group.HOME: _("at home"),
    Group.EMERGENCY: _("emergency"),
    Group.DAY: _("day units"),
    Group.LOUNGE: _("lounge"),
    Group.UNRECOGNISED: _("unknown"),
}

BED_STATES: Final[Words] = {
    BedState.OCCUPIED: _("Occupied"),
    BedState.AVAILABLE: _("Free"),
    BedState.UNREADY: _("Not ready"),
    BedState.CLOSED: _("Closed"),
    BedState.NOT_OPENED: _("Not opened"),
    BedState.UNLISTED: _("Off the list"),
}

STATE_ICONS: Final[Mapping[str, str]] = {
    BedState.OCCUPIED: "occupied",
    BedState.AVAILABLE: "free",
    BedState.UNREADY: "unready",
    BedState.CLOSED: "closed",
    BedState.NOT_OPENED: "not_opened",
    BedState.UNLISTED: "unlisted",
}

PLACES: Final = frozenset({"virtual", "reablement", "care_home"})
"""Kinds of ward that have places, not beds."""

WAITS: Final[Words] = {
    "admit": _("to be admitted"),
    "transfer": _("to be moved"),
    "discharge": _("to leave"),
    "expected": _("to come"),
}

DOUBTS: Final[Words] = {
    RESUMED: _(
        "A later stay of theirs has ended and nobody told of the end of this one. "
        "Are they still here?"
    ),
    SHARED_NUMBER: _(
        "The feed uses their visit number for another patient as well. Check who is in which bed."
    ),
    MOVED_AFTER: _(
        "The feed moved them after it had told of their discharge. Are they still here?"
    ),
    DISPUTED_END: _(
        "The feed took back a discharge, and another one stands that it had not told of. "
        "Are they still here?"
    ),
    MISDATED_END: _(
        "Their discharge was dated before their admission. Check that they have left, and when."
    ),
    EARLY_MOVE: _("Their first move was dated before their admission."),
    "admission_inferred": _("No admission was told; the stay is known from what came after."),
    "discharge_inferred": _("No discharge was told; the stay ended when the next began."),
}
"""What a flag of a stay says to those who look after it."""

TO_CHECK: Final = frozenset({RESUMED, SHARED_NUMBER, MOVED_AFTER, DISPUTED_END, MISDATED_END})
"""The flags for which somebody should go and look."""
