"""Who may read an action, and who may say what becomes of it."""

from __future__ import annotations

from accounts.models import User
from accounts.roles import Permission
from huddles.models import Action
from wards.scope import ALL, Scope

_WRITERS = (Permission.MOVE_PATIENTS, Permission.PLAN_DISCHARGE)


def may_agree(scope: Scope, site: int, ward: int | None = None) -> bool:
    """Whether somebody may agree an action there: they run the huddles of the site, or move
    patients or plan discharges on the ward (of the whole site where no ward is meant)."""
    if scope.may_at_site(Permission.RUN_HUDDLES, site):
        return True
    if ward is None:
        return any(scope.may_at_site(one, site) for one in _WRITERS)
    return any(scope.may(one, ward) for one in _WRITERS)


def is_theirs(action: Action, user: User, scope: Scope) -> bool:
    """Whether it is theirs to do: by name, or as one of its team."""
    if action.owner_id == user.pk:
        return True
    teams = scope.teams(Permission.OWN_STEPS)
    return action.team_id is not None and (teams == ALL or action.team_id in teams)


def sees_patients(scope: Scope, action: Action) -> bool:
    """Whether somebody may read who it is about, and what was written as it was written."""
    if action.ward_id is not None:
        return scope.may(Permission.SEE_PATIENTS, action.ward_id)
    return scope.may_at_site(Permission.SEE_PATIENTS, action.site_id)


def may_read(action: Action, user: User, scope: Scope) -> bool:
    """Whether somebody may read it at all."""
    return sees_patients(scope, action) or is_theirs(action, user, scope)


def may_end(action: Action, user: User, scope: Scope) -> bool:
    """Whether somebody may say that it is done, or not needed: its owner, or who may agree one."""
    return is_theirs(action, user, scope) or may_agree(scope, action.site_id, action.ward_id)
