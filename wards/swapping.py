"""Two patients who change places: whether each may have the other's bed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from accounts.models import User
from patients.models import Episode
from wards.by_hand import When, check_not_held, check_place, lock_wards
from wards.facts import Place
from wards.held_beds import open_request_of
from wards.matching import setting_at, swapped
from wards.models import Bed
from wards.needing import needs_of
from wards.placing import Unsuitable, Weighed, check_suits, may_override
from wards.suitability.facts import Needs, leaves_infection
from wards.suitability.findings import Finding

UNCLEANED: Final = "terminal_clean"
"""The code under which it is kept that two changed places without a terminal clean between."""


def weigh_swap(
    moves: Sequence[tuple[Episode, Place]], *, when: When, by: User, reason: str
) -> list[Weighed]:
    """Weigh each of the two beds with the other patient gone and in the bed left behind.

    `moves`: each patient with where they go. Raises Refused where a bed is closed, not in use,
    held for somebody else or waits for a terminal clean, and Unsuitable where a rule refuses, or
    somebody would lie where an infected patient has just lain (`uncleaned`).
    """
    (one, _), (other, _) = moves
    places = [place for _, place in moves]
    lock_wards({place.ward for place in places})
    for episode, place in moves:
        check_place(place, when.occurred_at)
        if place.bed is not None:
            check_not_held(place.bed, person=episode.patient.person_id, at=when.sent_at)
    setting = setting_at(at=when.occurred_at, wards=sorted({place.ward for place in places}))
    needs = needs_of([one.pk, other.pk], at=when.occurred_at)
    found = []
    for (episode, place), leaving in zip(moves, (other, one), strict=True):
        weighed = check_suits(
            episode=episode,
            place=place,
            at=when.occurred_at,
            by=by,
            reason=reason,
            request=open_request_of(episode, at=when.occurred_at),
            setting=swapped(setting, *(spot.bed for spot in places)),
        )
        finding = uncleaned(place.bed, leaving=needs[leaving.pk], coming=needs[episode.pk])
        if finding is not None:
            may = weighed.stored is not None and may_override(by, place.ward)
            if not (may and reason.strip()):
                raise Unsuitable([finding], may_override=may)
            weighed = replace(weighed, against=(*weighed.against, finding))
        found.append(weighed)
    return found


def uncleaned(bed: int | None, *, leaving: Needs, coming: Needs) -> Finding | None:
    """Whether `coming` would lie where somebody infected has just lain, without a terminal clean
    between; who has the same infections may (NHS England, National infection prevention and
    control manual, 2.3)."""
    if bed is None or not leaves_infection(leaving, coming):
        return None
    row = Bed.objects.select_related("ward").get(pk=bed)
    return Finding(
        code=UNCLEANED,
        title="Terminal clean between",
        text=f"Bed {row.label} on {row.ward.name} needs a terminal clean before anybody else lies "
        "in it: move them one after the other.",
        hard=True,
        overridable=True,
    )
