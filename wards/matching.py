"""The hospital at a moment as the rules see it: beds, who is in them, for whom they are held."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from wards import held_beds
from wards.bed_states import BedState as Status
from wards.bed_states import states_at
from wards.models import Bay, Bed, BedRequest, BedStatus, Occupancy, Staffing, Ward
from wards.needing import needs_of
from wards.suitability import facts
from wards.suitability.facts import Needs
from wards.suitability.setting import Setting, setting_of

LATE: Final = timedelta(hours=4)
"""How long after its time an announced discharge still tells more than a forecast does; a start."""
USUAL_CLEANING: Final = timedelta(minutes=45)
"""From leaving until the bed is ready, on a ward that says nothing else; local, so only a start."""


@dataclass(frozen=True, slots=True)
class Soon:
    """Whoever lies in a bed leaves by `at` with this chance (1.0: it is definite)."""

    at: datetime
    chance: float


def setting_at(
    *, at: datetime, wards: Collection[int], soon: Mapping[int, Soon] | None = None
) -> Setting:
    """The setting of these wards at `at`; a fixed number of queries.

    `soon`: by bed, when whoever lies in it will probably leave. A discharge that has been announced
    counts instead, unless it is `LATE` by now.
    """
    places = list(
        Ward.objects.filter(pk__in=list(wards)).select_related("limits").order_by("position", "pk")
    )
    shown = [state for state in states_at(at=at, wards=wards) if state.in_use]
    rows = Bed.objects.in_bulk([state.bed for state in shown])
    inside = dict(
        Occupancy.objects.filter(
            bed__in=[state.bed for state in shown], period__contains=at
        ).values_list("bed_id", "episode_id")
    )
    held = {one.bed: one for one in held_beds.in_force(at=at, beds=[state.bed for state in shown])}
    people = needs_of({*inside.values(), *(one.episode for one in held.values())}, at=at)
    leaving = _leaving(inside, soon or {}, at)
    clean = {ward.pk: _cleaning(ward) for ward in places}
    coming = {
        bed: people[one.episode]
        for bed, one in held.items()
        if one.episode in people and inside.get(bed) != one.episode
    }
    return setting_of(
        at=at,
        wards=_wards(places, at),
        bays=[
            facts.Bay(key=bay.pk, ward=bay.ward_id, name=str(bay), sex=bay.sex)
            for bay in Bay.objects.filter(ward__in=list(wards))
        ],
        beds=[
            _bed(rows[state.bed], state, inside, leaving, clean[state.ward], coming, at)
            for state in shown
        ],
        patients={bed: people[episode] for bed, episode in inside.items() if episode in people},
        coming=coming,
    )


def ready_from(bed: Bed, *, at: datetime, soon: Mapping[int, Soon] | None = None) -> datetime:
    """From when the bed can be used, as far as is known; `at` where it is ready or nobody knows.
    `soon` as in `setting_at`."""
    found = setting_at(at=at, wards=[bed.ward_id], soon=soon).beds.get(bed.pk)
    return max(at, found.ready_at) if found is not None and found.ready_at is not None else at


def swapped(setting: Setting, one: int | None, other: int | None) -> Setting:
    """The setting with the patients of two beds in each other's; where one has no bed, as it is
    without the patient of the other."""
    beds = [bed for bed in (one, other) if bed is not None and bed in setting.patients]
    people = {bed: setting.patients[bed] for bed in beds}
    for bed in beds:
        setting = setting.vacated(bed, ready_at=setting.at)
    if len(beds) == 2:
        setting = setting.placed(people[beds[0]], beds[1]).placed(people[beds[1]], beds[0])
    return setting


def _wards(places: Collection[Ward], at: datetime) -> list[facts.Ward]:
    nurses = dict(
        Staffing.objects.filter(ward__in=places, period__contains=at).values_list(
            "ward_id", "actual"
        )
    )
    found = []
    for ward in places:
        limits = getattr(ward, "limits", None)
        actual = nurses.get(ward.pk)
        found.append(
            facts.Ward(
                key=ward.pk,
                site=ward.site_id,
                code=ward.code,
                name=ward.name,
                kind=ward.kind,
                specialty=ward.specialty,
                sex=ward.sex,
                most_patients=limits.most_patients if limits else None,
                most_acute=limits.most_acute if limits else None,
                nurses=float(actual) if actual is not None else None,
                patients_per_nurse=limits.patients_per_nurse if limits else None,
                youngest=limits.youngest if limits else None,
                oldest=limits.oldest if limits else None,
                ring_fenced=limits.ring_fenced if limits else False,
            )
        )
    return found


def _cleaning(ward: Ward) -> timedelta:
    limits = getattr(ward, "limits", None)
    minutes = limits.cleaned_after if limits else None
    return USUAL_CLEANING if minutes is None else timedelta(minutes=minutes)


def _leaving(inside: Mapping[int, int], soon: Mapping[int, Soon], at: datetime) -> dict[int, Soon]:
    """By bed, when whoever lies in it leaves: as announced, else as is likely."""
    bed_of = {episode: bed for bed, episode in inside.items()}
    rows = BedRequest.objects.filter(
        episode__in=list(bed_of), kind=BedRequest.Kind.DISCHARGE, period__contains=at
    ).values_list("episode_id", "episode__expected_discharge_at")
    found = dict(soon)
    for episode, due in rows:
        bed = bed_of[episode]
        if due is not None and (due > at - LATE or bed not in found):
            found[bed] = Soon(max(due, at), 1.0)
    return found


def _bed(
    row: Bed,
    state: Status,
    inside: Mapping[int, int],
    leaving: Mapping[int, Soon],
    clean: timedelta,
    coming: Mapping[int, Needs],
    at: datetime,
) -> facts.Bed:
    """One bed as the rules see it."""
    what, chance = facts.BedState.READY, 1.0
    ready_at: datetime | None = at
    if state.is_closed or not state.opened:  # whoever still lies there is the last for now
        what, ready_at = facts.BedState.CLOSED, None
    elif row.pk in inside:
        what = facts.BedState.OCCUPIED
        soon = leaving.get(row.pk)
        ready_at = soon.at + clean if soon else None
        chance = soon.chance if soon else 1.0
    elif state.is_unready:
        begun = state.status == BedStatus.Status.HOUSEKEEPING
        what = facts.BedState.BEING_CLEANED if begun else facts.BedState.NEEDS_CLEANING
        since = state.status_since if begun and state.status_since else at
        ready_at = max(at, since + clean)
    return facts.Bed(
        key=row.pk,
        ward=row.ward_id,
        bay=row.bay_id,
        label=row.label,
        kind=row.kind,
        funding=row.funding,
        features=frozenset(row.features),
        state=what,
        ready_at=ready_at,
        chance=chance,
        reserved_for=coming[row.pk].key if row.pk in coming else None,
        position=row.position,
    )
