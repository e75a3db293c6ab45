"""Who may do what at the desk."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from accounts.roles import Permission
from flow.board_types import Sight
from flow.desk.types import Need
from patients.models import Episode
from wards.held_beds import MOVES
from wards.models import BedRequest, Occupancy
from wards.placeless import home_of
from wards.scope import ALL, Scope


def is_in_sight(need: Need, sight: Sight) -> bool:
    """Whether a need may be listed: of whoever is named, or where the figures of the ward that
    they are on or are to come to may be shown."""
    places = [place.id for place in (need.origin, need.target) if place is not None]
    return need.may_see or is_in_sight_at(places, sight)


def is_in_sight_at(wards: Iterable[int], sight: Sight) -> bool:
    """Whether what is about these wards may be listed: the figures of one of them may be shown."""
    return sight.counts is None or any(sight.sees(ward) for ward in wards)


def may_ask(scope: Scope, episode: Episode, *, at: datetime) -> bool:
    """Whether somebody may ask for a bed for a patient, or say what they need of one: their role
    moves patients on the ward where the patient is, or on one that waits for them. Of a patient
    whom no ward was ever told of, where it holds for the whole place that told."""
    if scope.wards(Permission.MOVE_PATIENTS) == ALL:
        return True
    here = _here([episode.pk], at)
    if moves_on_any(scope, here) or moves_on_any(scope, awaiting(episode.pk, at=at)):
        return True
    return not here and scope.held(Permission.MOVE_PATIENTS).covers(home_of(episode)[0])


def may_move(scope: Scope, episode: Episode, *, at: datetime) -> bool:
    """Whether somebody may say of a patient what is said at their bedside: that they leave, are
    back, or go anywhere else."""
    here = _here([episode.pk], at)
    if here or scope.wards(Permission.MOVE_PATIENTS) == ALL:
        return all(scope.may(Permission.MOVE_PATIENTS, ward) for ward in here)
    return scope.held(Permission.MOVE_PATIENTS).covers(home_of(episode)[0])


def may_hold(scope: Scope, ward: int) -> bool:
    """Whether somebody may hold the beds of a ward for those who wait, and give them back."""
    kinds = (Permission.MOVE_PATIENTS, Permission.MANAGE_BEDS)
    return any(scope.may(permission, ward) for permission in kinds)


def moves_on_any(scope: Scope, wards: Iterable[int]) -> bool:
    """Whether somebody moves patients on one of these wards."""
    return any(scope.may(Permission.MOVE_PATIENTS, ward) for ward in wards)


def awaiting(episode: int, *, at: datetime) -> frozenset[int]:
    """The wards that are asked for a bed for a patient."""
    asked = BedRequest.objects.filter(
        episode=episode, kind__in=MOVES, period__contains=at, ward__isnull=False
    )
    return frozenset(ward for ward in asked.values_list("ward_id", flat=True) if ward)


def _here(episodes: Collection[int], at: datetime) -> set[int]:
    rows = Occupancy.objects.filter(episode__in=episodes, period__contains=at)
    return set(rows.values_list("ward_id", flat=True))
