"""The beds of a bay or a whole ward at once: how many there are, and opening escalation beds.

Closing a bay or a ward is one closure (`wards.bed_states.close`), and reopening it ends that one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import Refused
from wards import held_beds
from wards.bed_states import BedState, close_escalation, open_escalation, states_at
from wards.models import Bay, Bed, Closure, Occupancy, Opening, Ward


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The beds of a bay, or of the whole ward where `bay` is None, as they are at a moment.

    beds: open ones, and those not opened where somebody is in them. occupied: with a patient.
    held: held for somebody. shut: escalation beds that are not opened, opened: those that are.
    """

    bay: int | None
    name: str
    beds: int
    occupied: int
    held: int
    shut: int
    opened: int


def groups_of(ward: Ward, *, at: datetime) -> list[Group]:
    """The whole ward, then its bays that have a bed; five queries."""
    states = [one for one in states_at(at=at, wards=[ward.pk]) if one.in_use]
    keys = [one.bed for one in states]
    taken = set(
        Occupancy.objects.filter(bed__in=keys, period__contains=at).values_list("bed", flat=True)
    )
    held = {one.bed for one in held_beds.in_force(at=at, beds=keys)}
    escalation = set(
        Bed.objects.filter(pk__in=keys, funding=Bed.Funding.ESCALATION).values_list("pk", flat=True)
    )

    def group(bay: int | None, name: str, beds: Iterable[BedState]) -> Group:
        found = list(beds)
        return Group(
            bay=bay,
            name=name,
            beds=sum(one.opened or one.bed in taken for one in found),
            occupied=sum(one.bed in taken for one in found),
            held=sum(one.bed in held for one in found),
            shut=sum(not one.opened for one in found),
            opened=sum(one.opened and one.bed in escalation for one in found),
        )

    bays = Bay.objects.filter(ward=ward).order_by("position", "code")
    found = [group(None, "", states)]
    for bay in bays:
        inside = [one for one in states if one.bay == bay.pk]
        if inside:
            found.append(group(bay.pk, str(bay), inside))
    return found


def closures_of(ward: int, *, at: datetime) -> list[Closure]:
    """The closures in force of the ward and of its bays, the widest first; one query."""
    rows = Closure.objects.filter(ward=ward, bed=None, period__contains=at)
    found = list(rows.select_related("bay", "by").order_by("period", "pk"))
    return sorted(found, key=lambda one: one.bay_id is not None)


@transaction.atomic
def open_group(
    *, ward: int, bay: int | None, since: datetime, until: datetime | None = None, by: User | None
) -> list[Opening]:
    """Open all escalation beds of a bay, or of the ward, that are not open, from `since`.

    All or none. Raises Refused where there are none, or one was opened for part of that time.
    """
    shut = [one for one in _escalation(ward, bay, since) if not one.opened]
    if not shut:
        raise Refused("No escalation bed there is shut. Look at the board again.")
    return [open_escalation(bed=one.bed, since=since, until=until, by=by) for one in shut]


@transaction.atomic
def close_group(*, ward: int, bay: int | None, at: datetime, by: User | None) -> int:
    """Close all escalation beds of a bay, or of the ward, that are open at `at`; how many.

    All or none; patients in them stay. Raises Refused where there are none.
    """
    opened = [one for one in _escalation(ward, bay, at) if one.opened]
    if not opened:
        raise Refused("No escalation bed there is open. Look at the board again.")
    for one in opened:
        close_escalation(bed=one.bed, at=at, by=by)
    return len(opened)


def _escalation(ward: int, bay: int | None, at: datetime) -> list[BedState]:
    """The escalation beds in use there, with the ward locked as every such deed does. Raises
    Refused for a bay of another ward."""
    if not Ward.objects.select_for_update(no_key=True).filter(pk=ward).exists():
        raise Refused(f"There is no ward with the key {ward}.")
    if bay is not None and not Bay.objects.filter(pk=bay, ward=ward).exists():
        raise Refused("This bay is not on this ward. Look at the board again.")
    known = set(
        Bed.objects.filter(ward=ward, funding=Bed.Funding.ESCALATION).values_list("pk", flat=True)
    )
    return [
        one
        for one in states_at(at=at, wards=[ward])
        if one.bed in known and one.in_use and (bay is None or one.bay == bay)
    ]
