"""Who may read an action, and who may say what becomes of it."""

from __future__ import annotations

from accounts.models import User
from accounts.roles import Permission
from huddles.models import Action
from wards.models import Ward
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


def only_ward(scope: Scope, site: int) -> int | None:
    """The ward that somebody speaks of who names none: the only one of the site for which they may
    agree actions. None where they may for the whole site, or for several."""
    if may_agree(scope, site):
        return None
    held: set[int] = set()
    for one in _WRITERS:
        wards = scope.wards(one)
        assert wards != ALL, "whoever may everywhere may at the site"
        held |= set(wards)
    found = list(Ward.objects.filter(site=site, pk__in=held, same_as=None)[:2])
    return found[0].pk if len(found) == 1 else None


def is_theirs(action: Action, user: User, scope: Scope) -> bool:
    """Whether it is theirs to do: by name, or as one of its team."""
    if action.owner_id == user.pk:
        return True
    teams = scope.teams(Permission.OWN_STEPS)
    return action.team_id is not None and (teams == ALL or action.team_id in teams)


def sees_patients(scope: Scope, action: Action) -> bool:
    """Whether somebody sees the patients of the place that it is about, and so may read it."""
    if action.ward_id is not None:
        return scope.may(Permission.SEE_PATIENTS, action.ward_id)
    return scope.may_at_site(Permission.SEE_PATIENTS, action.site_id)


def sees_whom(scope: Scope, action: Action, lies_on: int | None) -> bool:
    """Whether somebody may read who it is about, and what was written as it was written.

    `lies_on`: the ward on which the patient of its stay is now, or was last. Whoever may see the
    place of an action may not see its patient who has been moved elsewhere since.
    """
    if not sees_patients(scope, action):
        return False
    if action.episode_id is None:
        return True
    if lies_on is None:
        return scope.wards(Permission.SEE_PATIENTS) == ALL
    return scope.may(Permission.SEE_PATIENTS, lies_on)


def may_read(action: Action, user: User, scope: Scope) -> bool:
    """Whether somebody may read it at all."""
    return sees_patients(scope, action) or is_theirs(action, user, scope)


def may_end(action: Action, user: User, scope: Scope) -> bool:
    """Whether somebody may say that it is done, or not needed: its owner, or who may agree one."""
    return is_theirs(action, user, scope) or may_agree(scope, action.site_id, action.ward_id)
