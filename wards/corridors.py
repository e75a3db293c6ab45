"""Signing off that somebody is cared for in a corridor, and what speaks against it.

NHS England, Principles for providing patient care in corridors (December 2025): corridor care is
care in any space that is no designated clinical one; some groups must never be cared for so. Who
answers for it, why, and when it is looked at again is written down each time. The full official
list of groups could not be confirmed; those said of the patient count, and children by their age.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Refused
from live.doorbell import ring
from patients.models import Episode
from wards.by_hand import clock
from wards.care_needs import latest
from wards.models import CorridorSignOff, Occupancy
from wards.suitability.facts import CORRIDOR

CHILD_BELOW: Final = 18
"""Years; who is younger is a child (Children Act 1989, section 105)."""
CHILD: Final = "child"
LONGEST: Final = timedelta(hours=12)
"""After which somebody has to look again at the latest."""


@dataclass(frozen=True, slots=True)
class Against:
    """Why somebody must never be in a corridor: groups in the words of `CareNeeds`. is_known:
    whether anybody has said what they need at all; else no group says nothing."""

    groups: tuple[str, ...]
    is_known: bool


def against(ages: Mapping[int, int | None], *, at: datetime) -> dict[int, Against]:
    """What is known at `at` of these episodes, by their ages in years; one query."""
    said = latest(list(ages), at=at)
    found = {}
    for episode, age in ages.items():
        row = said.get(episode)
        groups = set(row.corridor_groups) if row is not None else set()
        if age is not None and age < CHILD_BELOW:
            groups.add(CHILD)
        found[episode] = Against(tuple(sorted(groups)), row is not None)
    return found


def sign_off(
    *,
    episode: int,
    bed: int,
    accountable: str,
    reason: str,
    review_at: datetime,
    seen: int | None,
    at: datetime,
    by: User,
) -> CorridorSignOff:
    """Write down who answers for somebody being cared for in this space, why, and until when.

    `seen`: key of the last sign-off of them there that the caller saw, None for none. Raises
    Refused where the patient is not there, the space is no corridor, something is not said, the
    review is not within `LONGEST`, or somebody else has signed it off meanwhile.
    """
    if timezone.is_naive(at) or timezone.is_naive(review_at):
        raise ValueError("a time needs its zone")
    accountable, reason = accountable.strip(), reason.strip()
    if not accountable or not reason:
        raise Refused("Say who answers for it, by name or role, and why there is no other way.")
    if not at < review_at <= at + LONGEST:
        hours = int(LONGEST.total_seconds() // 3600)
        raise Refused(f"Look at it again within {hours} hours.")
    with transaction.atomic():
        stay = Episode.objects.select_for_update(no_key=True, of=("self",)).get(pk=episode)
        here = _here(episode, bed, at)
        last = last_of({episode: (bed, here.period.lower)}).get(episode)
        if (last.pk if last else None) != seen:
            raise Refused(_meanwhile(last))
        age = age_of(stay, at=at)
        found = against({episode: age}, at=at)[episode]
        row = CorridorSignOff.objects.create(
            episode=stay,
            bed_id=bed,
            accountable=accountable[:100],
            reason=reason[:500],
            review_at=review_at,
            groups=list(found.groups),
            groups_known=found.is_known,
            occurred_at=at,
            by=by,
        )
        transaction.on_commit(lambda: ring(["desk"]))
    return row


def last_of(places: Mapping[int, tuple[int, datetime]]) -> dict[int, CorridorSignOff]:
    """The last sign-off of each of these episodes, which are in a space since a time: not of
    another space, nor of an earlier time there; one query."""
    rows = CorridorSignOff.objects.filter(episode__in=list(places)).select_related("by")
    found: dict[int, CorridorSignOff] = {}
    for row in rows.order_by("occurred_at", "pk"):
        bed, since = places[row.episode_id]
        if row.bed_id == bed and row.occurred_at >= since:
            found[row.episode_id] = row
    return found


def age_of(episode: Episode, *, at: datetime) -> int | None:
    """Whole years; None where nobody knows the date of birth."""
    born = episode.patient.date_of_birth
    if born is None:
        return None
    today = timezone.localdate(at)
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _here(episode: int, bed: int, at: datetime) -> Occupancy:
    row = (
        Occupancy.objects.filter(episode=episode, bed=bed, period__contains=at)
        .select_related("bed")
        .first()
    )
    if row is None or row.bed is None:
        raise Refused("The patient is not in this space any more. Look at the list again.")
    if CORRIDOR not in row.bed.features:
        raise Refused(f"Bed {row.bed.label} is no corridor: nothing has to be signed off.")
    return row


def _meanwhile(last: CorridorSignOff | None) -> str:
    if last is None:
        return "They came here anew meanwhile: nobody has signed this off. Look again."
    return (
        f"Meanwhile signed off by {last.accountable} at {clock(last.occurred_at)}. Look again, "
        "then decide."
    )
