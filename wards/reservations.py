"""Holding a bed for one request until a time, giving it to them, and giving it back.

Every deed locks the person, then the beds in key order, as movements do; what the database
refuses is said in its words. Whether the bed suits is `wards.placing`'s question.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.refusals import Refused
from wards import held_beds
from wards.barriers import Said
from wards.by_hand import (
    AHEAD,
    check_not_held,
    check_place,
    clock,
    lock_and_date,
    lock_wards,
    transacted,
)
from wards.facts import Place
from wards.held_beds import MOVES
from wards.matching import Soon, setting_at
from wards.models import Bed, BedRequest, Occupancy, Override, Reservation
from wards.placing import check_suits, keep_overrides
from wards.suitability import facts

Status = Reservation.Status

USUAL: Final = timedelta(hours=4)
"""How long a bed is kept back unless somebody says otherwise; a trust's agreement may differ."""
DECIDED: Final = timedelta(hours=12)
"""How long a bed that was given to somebody waits for them unless somebody says otherwise."""
ANY: Final = -1
"""Whatever is held for them by now may be given back."""
LONGEST: Final = timedelta(hours=48)
"""For how long a bed can be held at all."""


def reserve(
    *,
    request: BedRequest,
    bed: int,
    said: Said,
    until: datetime | None = None,
    note: str = "",
    reason: str = "",
    decided: bool = False,
    seen: int | None = ANY,
    soon: Mapping[int, Soon] | None = None,
) -> Reservation:
    """Hold the bed for the request until `until`; another bed held for it is given back.

    Without `until`, for `USUAL` or, where it is decided, `DECIDED` from when the bed is ready, as
    far as `soon`, announced discharges and cleaning tell.
    `seen`: key of the reservation that whoever asks saw held for it, None for none; Refused where
    by now it is another. `decided`: the bed is theirs (allocated), not only kept back. `reason`:
    why it is right against the rules that may be overridden. A bed in which somebody still lies
    can be held for whoever comes next, where they leave soon enough: by an announced discharge, or
    by `soon` (as in `wards.matching.setting_at`). Raises Refused where the request is over, the
    bed is out of use or held for somebody else, or a rule forbids it (`wards.placing.Unsuitable`).
    """

    def deed() -> Reservation:
        held, place, when = _prepare(request, bed, said)
        setting = setting_at(at=when, wards=[place.ward], soon=soon)
        end = until or _usual_end(setting.beds.get(bed), when, decided)
        _check_end(end, when)
        mine = _current(held, when)
        _check_seen(mine, seen)
        if mine is not None and mine.bed_id == bed:
            if mine.decided and not decided:
                end = max(end, mine.period.upper)  # what was given is not taken back by holding
            mine.decided = mine.decided or decided
            return _prolonged(mine, end, note)
        weighed = check_suits(
            episode=held.episode,
            place=place,
            at=when,
            by=said.by,
            reason=reason,
            request=held,
            setting=setting,
        )
        if mine is not None:
            held_beds.end(mine, Status.RELEASED, at=when, by=said.by)
            when = max(when, mine.period.upper)
        row = _kept(
            Reservation(
                episode=held.episode,
                key=held.key,
                bed_id=bed,
                period=DateTimeTZRange(when, end),
                decided=decided,
                note=note.strip()[:500],
                by=said.by,
            )
        )
        deed_kind = Override.Deed.ALLOCATE if decided else Override.Deed.RESERVE
        keep_overrides(weighed, deed=deed_kind, at=when, reservation=row)
        held_beds.tell([row])
        return row

    return transacted(deed)


def allocate(
    *,
    request: BedRequest,
    bed: int,
    said: Said,
    until: datetime | None = None,
    note: str = "",
    reason: str = "",
    seen: int | None = ANY,
    soon: Mapping[int, Soon] | None = None,
) -> Reservation:
    """Give the bed to the request: it is theirs until they come or `until`. As `reserve`."""
    return reserve(
        request=request,
        bed=bed,
        said=said,
        until=until,
        note=note,
        reason=reason,
        decided=True,
        seen=seen,
        soon=soon,
    )


def extend(*, reservation: Reservation, until: datetime, said: Said) -> Reservation:
    """Hold the bed until another time. Raises Refused where it is not held any more."""

    def deed() -> Reservation:
        row = _locked(reservation, said)
        _check_end(until, said.when)
        return _prolonged(row, until, "")

    return transacted(deed)


def release(*, reservation: Reservation, said: Said) -> Reservation:
    """Give the bed back. Raises Refused where it is not held any more."""

    def deed() -> Reservation:
        row = _locked(reservation, said)
        return held_beds.end(row, Status.RELEASED, at=said.when, by=said.by)

    return transacted(deed)


def _prepare(request: BedRequest, bed: int, said: Said) -> tuple[BedRequest, Place, datetime]:
    """Lock the person and the bed, end what has run out, and check what hangs on no rule."""
    when = lock_and_date([request.episode.patient_id], said.occurred_at, said.at).occurred_at
    if when > said.at + AHEAD:  # a movement dated ahead is no reason to hold a bed later
        when = said.at
    held = (
        BedRequest.objects.select_related("episode__patient", "episode__visit")
        .filter(pk=request.pk, kind__in=MOVES, period__contains=when)
        .first()
    )
    if held is None:
        raise Refused("This request is over already. Look at the list again.")
    lock_wards(Bed.objects.filter(pk=bed).values_list("ward_id", flat=True))
    row = (
        Bed.objects.select_related("ward")
        .filter(pk=bed)
        .select_for_update(of=("self",), no_key=True)
        .first()
    )
    if row is None:
        raise Refused(f"There is no bed with the key {bed}.")
    held_beds.settle(at=when, beds=[bed], episodes=[held.episode_id])
    place = Place(row.ward_id, row.bay_id, row.pk)
    check_place(place, when, lain_in=False)
    check_not_held(bed, person=held.episode.patient.person_id, at=when)
    person = held.episode.patient.person_id
    if Occupancy.objects.filter(bed=bed, person=person, period__contains=when).exists():
        raise Refused(f"They are in bed {row.label} already. Choose another one.")
    return held, place, when


def _usual_end(bed: facts.Bed | None, when: datetime, decided: bool) -> datetime:
    """Until when a bed is held where nobody says it: counted from when it can be used."""
    ready = bed.ready_at if bed is not None and bed.ready_at is not None else when
    return min(max(when, ready) + (DECIDED if decided else USUAL), when + LONGEST)


def _check_seen(mine: Reservation | None, seen: int | None) -> None:
    if seen == ANY or seen == (mine.pk if mine is not None else None):
        return
    if mine is None:
        raise Refused(
            "The bed that was held for them is not held any more. Look again, then decide."
        )
    raise Refused(
        f"Meanwhile bed {mine.bed.label} on {mine.bed.ward.name} was held for them. Look again, "
        "then decide."
    )


def _current(request: BedRequest, at: datetime) -> Reservation | None:
    return (
        Reservation.objects.select_for_update(of=("self",))
        .select_related("bed__ward")
        .filter(episode=request.episode_id, status=Status.HELD, period__contains=at)
        .first()
    )


def _prolonged(row: Reservation, until: datetime, note: str) -> Reservation:
    row.period = DateTimeTZRange(row.period.lower, until)
    row.note = note.strip()[:500] or row.note
    _kept(row)
    held_beds.tell([row])
    return row


def _locked(reservation: Reservation, said: Said) -> Reservation:
    lock_and_date([reservation.episode.patient_id], said.occurred_at, said.at)
    row = (
        Reservation.objects.select_for_update(of=("self",))
        .select_related("bed", "episode__patient")
        .get(pk=reservation.pk)
    )
    if row.status != Status.HELD or said.when >= row.period.upper:
        word = row.get_status_display() if row.status != Status.HELD else Status.LAPSED.label
        raise Refused(f"This bed is not held any more ({str(word).lower()}).")
    return row


def _check_end(until: datetime, when: datetime) -> None:
    if until <= when:
        raise Refused("The time until which the bed is held lies in the past. Give a later one.")
    if until > when + LONGEST:
        hours = int(LONGEST.total_seconds() // 3600)
        raise Refused(
            f"A bed can be held for {hours} hours at most, until {clock(when + LONGEST)}."
        )


def _kept(row: Reservation) -> Reservation:
    """Save it; what the database refuses is said in its words."""
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        for constraint in Reservation._meta.constraints:
            if constraint.name in str(error):
                raise Refused(str(constraint.violation_error_message)) from None
        raise
    return row
