"""Cleaning beds: asked for, begun, done, taken back; and the beds that people have left.

A bed is cleaned between two patients. That it is to be cleaned may be said while somebody is still
in it, and counts once they have left; cleaning around somebody is no matter of this module.

A terminal clean (the full clean of an infected bed space before the next patient) is never ended
as a routine one. Source for the two: National Standards of Healthcare Cleanliness, NHS England.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.refusals import Refused
from wards.bed_states import CLEANING, StatusFact, record_statuses
from wards.by_hand import When, clock, refuse_ahead
from wards.care_needs import latest
from wards.models import Bed, BedStatus, Movement, Occupancy
from wards.provenance import BY_HAND

BY_API: Final = "api"
"""The source of what people say through programs of theirs."""
TAKEN_BACK_WITHIN: Final = timedelta(minutes=15)
"""How long what was said of a bed by hand can be taken back."""
TOLD_WITHIN: Final = timedelta(days=7)
"""A site of whose beds a feed has spoken in this time is one whose feed tells what is clean."""

_SAID_BY_PEOPLE: Final = (BY_HAND, BY_API)
_BACK: Final = "back:"
_LEFT: Final = "left:"
_STAYED: Final = "stayed:"
_INSTANT: Final = timedelta(microseconds=1)
_NEEDS_NONE: Final = (Bed.Kind.CHAIR, Bed.Kind.PLACE)
_Status = BedStatus.Status
_Level = BedStatus.Level


@transaction.atomic
def ask(
    *,
    bed: int,
    level: str,
    at: datetime,
    by: User,
    occurred_at: datetime | None = None,
    may_lower: bool = False,
    source: str = BY_HAND,
) -> BedStatus:
    """Say that a bed needs cleaning, `level` being routine or terminal.

    `may_lower`: a routine clean is said to be enough after all, where a terminal one was asked
    for. Raises Refused for an unknown bed or level, a bed that a feed says is closed, a bed of
    which the same was said already, or a terminal clean made routine without `may_lower`.
    """
    if level not in (_Level.ROUTINE, _Level.TERMINAL):
        raise Refused("Say whether it is a routine or a terminal clean.")
    place, last, when = _begin(bed, at, occurred_at)
    unclean = last is not None and last.status in CLEANING
    if last is not None and last.status == _Status.CONTAMINATED and last.level == level:
        raise Refused(f"{_named(place)} is to be cleaned already, since {clock(last.occurred_at)}.")
    if unclean and _lowers(last, level) and not may_lower:
        raise Refused(
            f"{_named(place)} needs a terminal clean. Those who look after the ward can say that "
            "a routine one is enough."
        )
    return _said(place, _Status.CONTAMINATED, level, when, by, source)


@transaction.atomic
def begin(
    *,
    bed: int,
    at: datetime,
    by: User,
    level: str | None = None,
    occurred_at: datetime | None = None,
    source: str = BY_HAND,
) -> BedStatus:
    """Somebody has begun to clean a bed that needs it.

    `level`: which clean was begun; None for the one asked for. Raises Refused where nobody has
    asked for it, where it has been begun already, where somebody is in the bed, or where a
    terminal clean was asked for and another begun.
    """
    place, last, when = _begin(bed, at, occurred_at)
    _check_empty(place, when, "Cleaning it can begin once they have left.")
    if last is not None and last.status == _Status.HOUSEKEEPING:
        since = clock(last.occurred_at)
        raise Refused(f"{_named(place)} is being cleaned already, since {since}.")
    if last is None or last.status != _Status.CONTAMINATED:
        raise Refused(f"{_named(place)} does not need cleaning. Ask for it to be cleaned first.")
    _check_level(place, last, level)
    return _said(place, _Status.HOUSEKEEPING, level or last.level, when, by, source)


@transaction.atomic
def done(
    *,
    bed: int,
    at: datetime,
    by: User,
    level: str | None = None,
    occurred_at: datetime | None = None,
    source: str = BY_HAND,
) -> BedStatus:
    """A bed is clean and ready for the next patient.

    `level`: which clean was done; None for the one asked for. Raises Refused where somebody is in
    the bed, where it is ready already, or where a terminal clean was asked for and another done.
    """
    place, last, when = _begin(bed, at, occurred_at)
    _check_empty(place, when, "It is ready once they have left and it has been cleaned.")
    if last is None or last.status == _Status.UNOCCUPIED:
        raise Refused(f"{_named(place)} is ready already.")
    _check_level(place, last, level)
    return _said(place, _Status.UNOCCUPIED, level or last.level, when, by, source)


def may_take_back(status: BedStatus, *, at: datetime) -> bool:
    """Whether it is the last thing said of its bed, by hand, not long ago, and no taking back."""
    if status.source not in _SAID_BY_PEOPLE or status.key.startswith((_BACK, _STAYED, _LEFT)):
        return False
    last = _facts(status.bed_id).order_by("-occurred_at", "-sent_at", "-key").first()
    return last == status and at - status.recorded_at <= TAKEN_BACK_WITHIN


@transaction.atomic
def take_back(*, status: int, at: datetime, by: User, source: str = BY_HAND) -> BedStatus:
    """Take back what was said last of a bed: it is as it was before, from the same time on.

    Nothing is rubbed out: what was so before is said again of the same moment. Raises Refused
    where something was said of the bed since, or where it was said too long ago.
    """
    found = BedStatus.objects.filter(pk=status).first()
    if found is None:
        raise Refused("There is nothing to take back.")
    place = _locked(found.bed_id)
    if not may_take_back(found, at=at):
        raise Refused(f"That cannot be undone any more. Look at {_name(place)} again.")
    before = _before(found)
    return _said(
        place,
        _Status(before.status) if before else _Status.UNOCCUPIED,
        before.level if before else "",
        When(found.occurred_at, max(at, found.sent_at + _INSTANT)),
        by,
        source,
        key=f"{_BACK}{found.pk}",
    )


def beds_of(episodes: Collection[int], *, at: datetime) -> dict[int, int]:
    """The bed each of these stays is in at a moment, by episode; one query."""
    rows = Occupancy.objects.filter(
        episode__in=episodes, period__contains=at, bed__isnull=False
    ).values_list("episode_id", "bed_id")
    return {episode: bed for episode, bed in rows if bed is not None}


def after_leaving(left: Mapping[int, tuple[int, Movement]], *, when: When, by: User) -> None:
    """Beds that deeds by hand have emptied need cleaning, in the caller's transaction.

    `left`: by bed, the stay that was in it and the movement that took it out. Holds on wards with
    a time for cleaning (`WardLimits.cleaned_after`), and where no feed tells which beds are clean:
    there its word counts. A terminal clean where the patient was isolated or infected, or had one
    asked for.
    """
    beds = _to_clean(left, at=when.occurred_at) if left else []
    if not beds:
        return
    needs = latest([left[bed.pk][0] for bed in beds], at=when.occurred_at)
    facts = []
    for bed in beds:
        episode, move = left[bed.pk]
        last = _last(bed.pk, by=when.occurred_at)
        if last is not None and last.status == _Status.CLOSED:
            continue
        said = needs.get(episode)
        infected = said is not None and bool(said.isolation or said.infections)
        asked = last is not None and (
            last.status == _Status.ISOLATED
            or (last.status in CLEANING and last.level == _Level.TERMINAL)
        )
        facts.append(
            StatusFact(
                bed=bed.pk,
                status=_Status.CONTAMINATED,
                level=_Level.TERMINAL if infected or asked else _Level.ROUTINE,
                occurred_at=when.occurred_at,
                sent_at=_after(last, when),
                source=BY_HAND,
                key=f"{_LEFT}{move.pk}",
                by=by.pk,
            )
        )
    record_statuses(facts)


def after_undoing(movement: Movement, *, when: When, by: User) -> None:
    """The movement did not happen, so the bed that it emptied was not to be cleaned for it."""
    found = BedStatus.objects.filter(source=BY_HAND, key=f"{_LEFT}{movement.pk}").first()
    if found is None:
        return
    before = _before(found)
    _said(
        Bed.objects.get(pk=found.bed_id),
        _Status(before.status) if before else _Status.OCCUPIED,
        before.level if before else "",
        When(found.occurred_at, max(when.sent_at, found.sent_at + _INSTANT)),
        by,
        BY_HAND,
        key=f"{_STAYED}{movement.pk}",
    )


def _to_clean(beds: Collection[int], *, at: datetime) -> list[Bed]:
    """Those of the beds that are empty now and are cleaned by whoever is told so here."""
    rows = Bed.objects.filter(pk__in=beds, ward__limits__cleaned_after__gt=0)
    rows = rows.exclude(kind__in=_NEEDS_NONE).select_related("ward").order_by("pk")
    found = [bed for bed in rows if not _taken(bed.pk, at)]
    return [bed for bed in found if not _feed_tells(bed.ward.site_id, at=at)]


def _feed_tells(site: int, *, at: datetime) -> bool:
    """Whether a feed says of the site's beds what state they are in."""
    said = BedStatus.objects.filter(
        bed__ward__site=site, occurred_at__gt=at - TOLD_WITHIN, occurred_at__lte=at
    )
    return said.exclude(source__in=_SAID_BY_PEOPLE).exists()


def _begin(
    bed: int, at: datetime, occurred_at: datetime | None
) -> tuple[Bed, BedStatus | None, When]:
    """Lock the bed; what was said of it last, and when this is said: after all else."""
    refuse_ahead(occurred_at, at)
    place = _locked(bed)
    last = _last(bed, by=max(at, occurred_at or at))
    if last is not None and occurred_at is not None and occurred_at < last.occurred_at:
        raise Refused(
            f"Something was said of {_name(place)} at {clock(last.occurred_at)}, after that time. "
            "Give a later time."
        )
    when = occurred_at or (max(at, last.occurred_at + _INSTANT) if last else at)
    used = place.in_use
    if not place.is_recognised or (used is not None and when not in used):
        raise Refused(f"{_named(place)} is not in use.")
    if last is not None and last.status == _Status.CLOSED:
        raise Refused(f"{_named(place)} is closed, as a feed says. It has to open it again first.")
    return place, last, When(when, _after(last, When(when, at)))


def _locked(bed: int) -> Bed:
    place = (
        Bed.objects.select_for_update(of=("self",), no_key=True)
        .select_related("ward", "same_as")
        .filter(pk=bed)
        .first()
    )
    if place is None:
        raise Refused("There is no such bed.")
    if place.same_as is not None:
        raise Refused(f"That bed is another name for bed {place.same_as.label}; use that.")
    return place


def _facts(bed: int) -> QuerySet[BedStatus]:
    """All that was said of a bed, under whatever name."""
    return BedStatus.objects.filter(Q(bed=bed) | Q(bed__same_as=bed))


def _last(bed: int, *, by: datetime) -> BedStatus | None:
    """What was said last of a bed, for a moment up to `by`."""
    rows = _facts(bed).filter(occurred_at__lte=by)
    return rows.order_by("-occurred_at", "-sent_at", "-key").first()


def _before(fact: BedStatus) -> BedStatus | None:
    """What held before this was said of its bed."""
    earlier = Q(occurred_at__lt=fact.occurred_at) | Q(
        occurred_at=fact.occurred_at, sent_at__lt=fact.sent_at
    )
    rows = _facts(fact.bed_id).filter(earlier)
    return rows.order_by("-occurred_at", "-sent_at", "-key").first()


def _after(last: BedStatus | None, when: When) -> datetime:
    """When it is said: later than what was said before of the same moment."""
    if last is None or last.occurred_at < when.occurred_at:
        return when.sent_at
    return max(when.sent_at, last.sent_at + _INSTANT)


def _said(
    place: Bed, status: BedStatus.Status, level: str, when: When, by: User, source: str,
    key: str = "",
) -> BedStatus:  # fmt: skip
    name = key or uuid4().hex
    news = record_statuses(
        [
            StatusFact(
                bed=place.pk,
                status=status.value,
                level=level,
                occurred_at=when.occurred_at,
                sent_at=when.sent_at,
                source=source,
                key=name,
                by=by.pk,
            )
        ]
    )
    if news != [True]:
        raise Refused("That has been undone already.")
    return BedStatus.objects.select_related("bed__ward").get(source=source, key=name)


def _lowers(last: BedStatus | None, level: str | None) -> bool:
    return last is not None and last.level == _Level.TERMINAL and level != _Level.TERMINAL


def _check_level(place: Bed, last: BedStatus, level: str | None) -> None:
    if level not in (None, *_Level.values):
        raise Refused("Say whether it was a routine or a terminal clean.")
    if level is not None and last.status in CLEANING and _lowers(last, level):
        raise Refused(
            f"{_named(place)} needs a terminal clean, asked for {clock(last.occurred_at)}. "
            "A routine one is not enough."
        )


def _check_empty(place: Bed, when: When, then: str) -> None:
    if _taken(place.pk, when.occurred_at):
        raise Refused(f"Somebody is in {_name(place)}. {then}")


def _taken(bed: int, at: datetime) -> bool:
    return Occupancy.objects.filter(bed=bed, period__contains=at).exists()


def _name(place: Bed) -> str:
    return f"bed {place.label} on {place.ward.name}"


def _named(place: Bed) -> str:
    return f"Bed {place.label} on {place.ward.name}"
