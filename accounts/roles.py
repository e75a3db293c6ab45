"""What each role may do. Where it may do it is a grant (`wards.models.Grant`)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Permission(StrEnum):
    """One thing a person may be allowed to do somewhere."""

    SEE_COUNTS = "see_counts"
    SEE_PATIENTS = "see_patients"
    MOVE_PATIENTS = "move_patients"
    PLAN_DISCHARGE = "plan_discharge"
    OWN_STEPS = "own_steps"
    SIGN_RETURNS = "sign_returns"
    DEFINE_COHORTS = "define_cohorts"
    CLEAN_BEDS = "clean_beds"
    MANAGE_BEDS = "manage_beds"
    MANAGE_FEEDS = "manage_feeds"
    MANAGE_PEOPLE = "manage_people"
    RUN_HUDDLES = "run_huddles"
    DECLARE_LEVELS = "declare_levels"
    MANAGE_SCREENS = "manage_screens"


class Role(StrEnum):
    """The parts people play. A partner sees the steps their organisation or team owns, and of
    each patient the minimum these steps need; nothing else."""

    OBSERVER = "observer"
    READER = "reader"
    WARD_NURSE = "ward_nurse"
    DISCHARGE_COORDINATOR = "discharge_coordinator"
    PARTNER = "partner"
    CLEANER = "cleaner"
    BED_MANAGER = "bed_manager"
    SITE_MANAGER = "site_manager"
    FEED_MANAGER = "feed_manager"
    ADMINISTRATOR = "administrator"


LABELS: Final[dict[Role, str]] = {
    Role.OBSERVER: "Observer (counts only)",
    Role.READER: "Reader (patients too, changes nothing)",
    Role.WARD_NURSE: "Ward nurse",
    Role.DISCHARGE_COORDINATOR: "Discharge coordinator",
    Role.PARTNER: "Team or partner (own steps only)",
    Role.CLEANER: "Domestic staff (beds to clean only)",
    Role.BED_MANAGER: "Bed manager",
    Role.SITE_MANAGER: "Site manager",
    Role.FEED_MANAGER: "Feed manager",
    Role.ADMINISTRATOR: "Administrator",
}

_P = Permission
_WARD: Final = frozenset(
    {_P.SEE_COUNTS, _P.SEE_PATIENTS, _P.MOVE_PATIENTS, _P.PLAN_DISCHARGE, _P.CLEAN_BEDS}
)
PERMISSIONS: Final[dict[Role, frozenset[Permission]]] = {
    Role.OBSERVER: frozenset({_P.SEE_COUNTS}),
    Role.READER: frozenset({_P.SEE_COUNTS, _P.SEE_PATIENTS}),
    Role.WARD_NURSE: _WARD,
    Role.DISCHARGE_COORDINATOR: frozenset(
        {_P.SEE_COUNTS, _P.SEE_PATIENTS, _P.PLAN_DISCHARGE, _P.OWN_STEPS, _P.DEFINE_COHORTS}
    ),
    Role.PARTNER: frozenset({_P.OWN_STEPS}),
    Role.CLEANER: frozenset({_P.CLEAN_BEDS}),
    Role.BED_MANAGER: _WARD | {_P.MANAGE_BEDS, _P.RUN_HUDDLES},
    Role.SITE_MANAGER: _WARD
    | {
        _P.MANAGE_BEDS,
        _P.MANAGE_FEEDS,
        _P.OWN_STEPS,
        _P.SIGN_RETURNS,
        _P.DEFINE_COHORTS,
        _P.RUN_HUDDLES,
        _P.DECLARE_LEVELS,
        _P.MANAGE_SCREENS,
    },
    Role.FEED_MANAGER: frozenset({_P.SEE_COUNTS, _P.SEE_PATIENTS, _P.MANAGE_FEEDS}),
    Role.ADMINISTRATOR: frozenset(Permission),
}


def roles_with(permission: Permission) -> list[Role]:
    """The roles that carry `permission`."""
    return [role for role, held in PERMISSIONS.items() if permission in held]
