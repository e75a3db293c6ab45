"""What would follow if a patient were moved into a bed, before it happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from patients.models import Episode
from wards import held_beds
from wards.by_hand import clock
from wards.matching import setting_at, swapped
from wards.models import Bed, Occupancy
from wards.needing import needs_of
from wards.placing import terms_by_episode
from wards.rule_books import FACTS, book_for
from wards.suitability.findings import Finding
from wards.suitability.judging import judge
from wards.swapping import uncleaned


@dataclass(frozen=True, slots=True)
class Preview:
    """What would follow.

    bed: where to. inside: the episode of whoever lies there now, with whom they would change
    places; None where nobody does. refusals, against, for_it: what the rules say of the patient in
    the bed; theirs: what speaks against the other one in theirs, where two change places. meets: a
    request for a bed would be met. uses: the bed is held for them. blocked: why nobody may be put
    there now, "" where somebody may.
    """

    bed: Bed
    inside: int | None
    refusals: Sequence[Finding]
    against: Sequence[Finding]
    for_it: Sequence[Finding]
    theirs: Sequence[Finding]
    meets: bool
    uses: bool
    blocked: str


def preview(episode: Episode, bed: Bed, *, at: datetime) -> Preview:
    """What would follow from moving this patient into this bed; a fixed number of queries."""
    inside = (
        Occupancy.objects.filter(bed=bed, period__contains=at)
        .exclude(episode=episode)
        .values_list("episode_id", flat=True)
        .first()
    )
    held = next(iter(held_beds.in_force(at=at, beds=[bed.pk])), None)
    request = held_beds.open_request_of(episode, at=at)
    blocked = ""
    if held is not None and held.episode != episode.pk:
        blocked = f"The bed is held for somebody else until {clock(held.until)}."
    refusals, against, for_it, theirs = _judged(episode, bed, inside, at)
    return Preview(
        bed=bed,
        inside=inside,
        refusals=refusals,
        against=against,
        for_it=for_it,
        theirs=theirs,
        meets=request is not None and request.ward_id in (None, bed.ward_id),
        uses=held is not None and held.episode == episode.pk,
        blocked=blocked,
    )


def _judged(
    episode: Episode, bed: Bed, inside: int | None, at: datetime
) -> tuple[list[Finding], list[Finding], list[Finding], list[Finding]]:
    here = Occupancy.objects.filter(episode=episode, period__contains=at).first()
    wards = {bed.ward_id} | ({here.ward_id} if here is not None and inside else set())
    setting = setting_at(at=at, wards=sorted(wards))
    stored = book_for(ward=bed.ward_id, at=at)
    book = stored.book if stored is not None else FACTS
    moves = [(episode.pk, bed.pk)]
    if inside is not None and here is not None:
        setting = swapped(setting, bed.pk, here.bed_id)
        if here.bed_id is not None:
            moves.append((inside, here.bed_id))
    request = held_beds.open_request_of(episode, at=at)
    people = needs_of(
        [episode.pk] if inside is None else [episode.pk, inside],
        at=at,
        requests={episode.pk: request} if request else None,
        terms=terms_by_episode([request]) if request else None,
    )
    judged = [
        judge(people[pk], setting.beds[to], setting, book) if to in setting.beds else None
        for pk, to in moves
    ]
    mine, other = judged[0], judged[1] if len(judged) > 1 else None
    unclean: list[Finding | None] = [None, None]
    if inside is not None and here is not None:
        me, them = people[episode.pk], people[inside]
        unclean = [
            uncleaned(bed.pk, leaving=them, coming=me),
            uncleaned(here.bed_id, leaving=me, coming=them),
        ]
    # Where two change places, the beds are judged as if both had left: that nobody is in the one,
    # or that it is held for them, is not so.
    return (
        [*_found(unclean[0]), *([one for one in mine.against if one.hard] if mine else [])],
        [one for one in mine.against if not one.hard] if mine else [],
        list(mine.for_it) if mine and inside is None else [],
        [*_found(unclean[1]), *(other.against if other else [])],
    )


def _found(one: Finding | None) -> list[Finding]:
    return [one] if one is not None else []
