"""Who is accountable for a barrier when nobody has said: the team its reason asks for.

A reason names the side of the system that argues for the delay (`Code.owner`) and the kind of
team that takes the step. For the hospital's own side it is looked for where the patient stays,
otherwise, and where the hospital has none, in the whole system, that is under the same top
organisation. Where there are several such teams nobody is guessed: what the hospital itself argues
for then stays with the hospital, and any other barrier without an owner is shown as one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.models import Organisation, Team
from patients.models import Code, Episode


@dataclass(frozen=True, slots=True)
class Owner:
    """Primary keys of the accountable organisation and team; None where nobody can be named."""

    organisation: int | None = None
    team: int | None = None


def owner_of(reason: Code, episode: Episode) -> Owner:
    """The accountable organisation and team of a barrier with this reason."""
    home = episode.provider_id
    if home is None:
        return Owner()
    own = reason.owner == Code.Owner.TRUST
    teams = _teams(reason.team_kind, {home}) if own else []
    teams = teams or _teams(reason.team_kind, _system(home))
    if len(teams) == 1:
        return Owner(teams[0].organisation_id, teams[0].pk)
    return Owner(home) if own else Owner()


def _teams(kind: str, organisations: set[int]) -> list[Team]:
    return list(Team.objects.filter(kind=kind, organisation__in=organisations)) if kind else []


def _system(organisation: int) -> set[int]:
    """The organisations of the same care system: all under the topmost one."""
    parents = dict(Organisation.objects.values_list("pk", "parent_id"))
    return {pk for pk in parents if _top(pk, parents) == _top(organisation, parents)}


def _top(pk: int, parents: Mapping[int, int | None]) -> int:
    seen = set()
    while (parent := parents.get(pk)) is not None and parent not in seen:
        seen.add(pk)
        pk = parent
    return pk
