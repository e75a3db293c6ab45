"""Outliers go back to a ward of their own specialty when it has a bed that nobody waits for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from simulation import beds
from simulation.clock import HOUR, local_hour
from simulation.engine import Engine
from simulation.hazards import Stage
from simulation.outlying import Taken, taken
from simulation.places import Bed, Ward
from simulation.state import NOWHERE, Visit

_HOURS: Final = range(8, 21)
_SETTLED: Final = 12 * HOUR
"""Nobody is moved twice within this time."""


def move_outliers_back(e: Engine, site: str) -> None:
    """Find beds for the outliers of a hospital, at most one on each ward in an hour; those who
    have been away longest first."""
    if local_hour(e.now) not in _HOURS:
        return
    used: set[int] = set()
    for visit in sorted(_outliers(e, site), key=lambda one: one.path[-1][0]):
        bed = _bed_for(e, visit, used)
        if bed is None:
            continue
        used.add(bed.ward)
        request = beds.ask(e, visit, "ward", e.stream(visit.stream), site=site)
        request.ward, request.told = bed.ward, True
        e.tell("A15", visit, wanted=bed.ward)
        beds.promise(e, request, bed)


def _outliers(e: Engine, site: str) -> Iterator[Visit]:
    for visit in e.state.visits.values():
        if (
            visit.is_here
            and visit.site == site
            and visit.bed != NOWHERE
            and not e.beds[visit.bed].is_side_room  # they may have to be kept apart
            and not visit.request
            and visit.stage == Stage.ACTIVE
            and visit.path[-1][0] + _SETTLED <= e.now
            and _is_outlier(visit, e.wards[visit.ward])
        ):
            yield visit


def _is_outlier(visit: Visit, ward: Ward) -> bool:
    if ward.kind != "inpatient":
        return False
    return taken(ward.code, ward.specialty, ward.kind, visit.specialty) is not Taken.TAKES


def _bed_for(e: Engine, visit: Visit, used: set[int]) -> Bed | None:
    """A free bed of their own specialty, no side room, on a ward that has not had one back."""
    sex = e.person_of(visit).sex_word
    for ward in e.places.of_site(visit.site, "inpatient"):
        if ward.specialty != visit.specialty or ward.number in used or ward.sex not in ("any", sex):
            continue
        for bed in beds.free_beds(e, ward):
            if bed.takes(sex) and not bed.is_side_room and not bed.is_escalation:
                return bed
    return None
