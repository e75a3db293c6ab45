"""The desk's words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from flow.desk.clocks import ClockKind
from patients.models import CareNeeds
from wards.care_needs import Needed
from wards.suitability.facts import BedState, NeedKind

Words = Mapping[str, str | Promise]

KINDS: Final[Words] = {
    NeedKind.ED_ADMISSION: lazy("Emergency admission"),
    NeedKind.ASSESSMENT_MOVE: lazy("From assessment"),
    NeedKind.ELECTIVE: lazy("Elective"),
    NeedKind.STEP_DOWN: lazy("Critical care step-down"),
    NeedKind.REPATRIATION: lazy("Repatriation"),
    NeedKind.TRANSFER_IN: lazy("From another site"),
    NeedKind.COMMUNITY: lazy("To a community place"),
    NeedKind.WARD_MOVE: lazy("Ward move"),
    NeedKind.EXPECTED: lazy("Expected"),
}
PRIORITIES: Final = (
    (1, lazy("1 Immediate")),
    (2, lazy("2 Urgent")),
    (3, lazy("3 Soon")),
    (4, lazy("4 Routine")),
)
CLOCKS: Final[Words] = {
    ClockKind.FOUR_FROM_ARRIVAL: lazy("4 h from arrival"),
    ClockKind.TWELVE_FROM_DECISION: lazy("12 h from decision"),
    ClockKind.TWELVE_FROM_ARRIVAL: lazy("12 h from arrival"),
    ClockKind.CORRIDOR: lazy("45 min in a corridor"),
}
STATES: Final[Words] = {
    BedState.READY: lazy("ready now"),
    BedState.NEEDS_CLEANING: lazy("needs cleaning"),
    BedState.BEING_CLEANED: lazy("being cleaned"),
    BedState.OCCUPIED: lazy("occupied"),
    BedState.RESERVED: lazy("held"),
    BedState.CLOSED: lazy("closed"),
}
WAITS_FOR: Final = (
    ("bed", lazy("No bed yet")),
    ("ready", lazy("Bed not ready")),
    ("move", lazy("To be moved")),
)
FLAGS: Final[Words] = {
    "not_alone": lazy("must not be alone"),
    "falls_risk": lazy("falls risk"),
    "wanders": lazy("may wander"),
    "immunosuppressed": lazy("immunosuppressed"),
    "end_of_life": lazy("last days of life"),
}


def needed_words(needed: Needed | None, *, level_from: int = 0) -> list[str]:
    """What somebody needs of a bed, each in a few words; a level of care from `level_from` on."""
    if needed is None:
        return []
    found = []
    if needed.isolation:
        found.append(str(CareNeeds.Isolation(needed.isolation).label).lower())
    found += list(needed.infections)
    found += [str(CareNeeds.Require(one).label).lower() for one in needed.requires]
    found += [str(word) for name, word in FLAGS.items() if getattr(needed, name)]
    if needed.acuity is not None and needed.acuity >= level_from:
        found.append(_("level %(level)s") % {"level": needed.acuity})
    if needed.corridor_groups:
        found.append(_("never in a corridor"))
    return found


def short(length: timedelta) -> str:
    """A length of time in hours and minutes: `3 h 05`, `45 min`."""
    minutes = int(abs(length).total_seconds() // 60)
    if minutes < 60:
        return ngettext("%(n)s min", "%(n)s min", minutes) % {"n": minutes}
    return _("%(h)s h %(m)02d") % {"h": minutes // 60, "m": minutes % 60}
