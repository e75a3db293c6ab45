"""Beds that are held: reading which, and ending what has been taken up, lost or run out.

A reservation ends by itself: its period says until when it holds. What is written afterwards is
only why it ended, so that it shows on the desk.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Min, Q, QuerySet

from accounts.models import User
from live.doorbell import ring
from patients.models import Episode
from wards.dirty import mark_dirty
from wards.models import BedRequest, Movement, Occupancy, Reservation

Status = Reservation.Status
_INSTANT: Final = timedelta(microseconds=1)
AGAIN: Final = timedelta(hours=4)
"""How long a bed is held again once the move into it has been taken back."""
MOVES: Final = (BedRequest.Kind.ADMIT, BedRequest.Kind.TRANSFER, BedRequest.Kind.EXPECTED)
"""The kinds of request that ask for a bed; the others ask to leave."""


@dataclass(frozen=True, slots=True)
class Held:
    """A bed that is held at a moment: for whose request, until when, whether it is decided."""

    reservation: int
    bed: int
    episode: int
    until: datetime
    decided: bool


def in_force(
    *, at: datetime, beds: Collection[int] | None = None, episodes: Collection[int] | None = None
) -> list[Held]:
    """The reservations in force at `at`, of these beds or episodes (of all, when None)."""
    rows = Reservation.objects.filter(period__contains=at, status=Status.HELD)
    if beds is not None:
        rows = rows.filter(bed__in=beds)
    if episodes is not None:
        rows = rows.filter(episode__in=episodes)
    return [
        Held(row.pk, row.bed_id, row.episode_id, row.period.upper, row.decided)
        for row in rows.order_by("bed_id")
    ]


def open_request_of(episode: Episode, *, at: datetime) -> BedRequest | None:
    """The open request for a bed of this stay; of several the last."""
    rows = BedRequest.objects.filter(episode=episode, kind__in=MOVES, period__contains=at)
    return rows.select_related("ward").order_by("-period").first()


def end(
    held: Reservation, status: Reservation.Status, *, at: datetime, by: User | None
) -> Reservation:
    """End it at `at` for the reason that `status` says. The caller has locked what it changes."""
    since = held.period.lower
    upper = min(max(at, since + _INSTANT), held.period.upper)
    held.period = DateTimeTZRange(since, upper)
    held.status = status
    held.ended_by = by
    held.save(update_fields=["period", "status", "ended_by"])
    tell([held])
    return held


def hold_again(movement: Movement, *, at: datetime, by: User | None) -> Reservation | None:
    """A movement that took up a held bed has been taken back: hold it for them once more, for
    `AGAIN`, where they still ask for one and nobody else has the bed. The caller has locked the
    person. None where there is nothing to hold."""
    return _once_more(
        Reservation.objects.filter(
            bed=movement.bed_id,
            episode__patient__person=movement.patient.person_id,
            status=Status.USED,
            period__endswith=movement.occurred_at,
        ),
        at=at,
        by=by,
    )


def keep_held(episode: Episode, *, since: datetime, at: datetime, by: User | None) -> None:
    """A request was called off by mistake at `since`: hold the bed once more that was given back
    by it. As `hold_again`."""
    _once_more(
        Reservation.objects.filter(
            episode=episode, status=Status.WITHDRAWN, period__endswith=since
        ),
        at=at,
        by=by,
    )


def _once_more(
    ended: QuerySet[Reservation], *, at: datetime, by: User | None
) -> Reservation | None:
    used = ended.select_related("bed", "episode").first()
    if used is None or open_request_of(used.episode, at=at) is None:
        return None
    if in_force(at=at, beds=[used.bed_id]) or in_force(at=at, episodes=[used.episode_id]):
        return None
    if Occupancy.objects.filter(bed=used.bed_id, period__contains=at).exists():
        return None
    row = Reservation.objects.create(
        episode=used.episode,
        key=used.key,
        bed=used.bed,
        period=DateTimeTZRange(at, at + AGAIN),
        decided=used.decided,
        note=used.note,
        by=by,
    )
    tell([row])
    return row


def settle(
    *,
    at: datetime,
    episodes: Collection[int] | None = None,
    beds: Collection[int] | None = None,
    by: User | None = None,
) -> int:
    """End what is over by `at` of the reservations of these episodes or beds (of all, when both
    are None): taken up, lost to somebody else, no longer needed, or run out; how many.

    Repeating it changes nothing. Rows are locked here; those that somebody else is just changing
    are left to them, and those begun after `at` (which may be of a message told late) to the clock.
    """
    rows = _open(episodes, beds).filter(period__startswith__lte=at)
    if not rows.exists():
        return 0
    if episodes is not None or beds is not None:
        # Whoever lay in a bed that is held has left it, perhaps: the desk says so.
        transaction.on_commit(lambda: ring(["desk"]))
    ended: list[Reservation] = []
    with transaction.atomic():
        locked = list(
            rows.select_related("episode__patient")
            .order_by("pk")
            .select_for_update(of=("self",), skip_locked=True)
        )
        facts = _Facts(locked, at)
        for held in locked:
            over = facts.why_over(held)
            if over is None:
                continue
            status, when = over
            since = held.period.lower
            held.period = DateTimeTZRange(
                since, min(max(when, since + _INSTANT), held.period.upper)
            )
            held.status = status
            held.ended_by = by
            ended.append(held)
        # One that was changed at this moment and now overlaps another cannot be: periods only
        # become shorter here.
        Reservation.objects.bulk_update(ended, ["period", "status", "ended_by"])
        tell(ended)
    return len(ended)


def _open(episodes: Collection[int] | None, beds: Collection[int] | None) -> QuerySet[Reservation]:
    rows = Reservation.objects.filter(status=Status.HELD)
    if episodes is not None or beds is not None:
        rows = rows.filter(Q(episode__in=episodes or ()) | Q(bed__in=beds or ()))
    return rows


class _Facts:
    """What decides whether reservations are over, read once for all of them."""

    def __init__(self, rows: Collection[Reservation], at: datetime) -> None:
        self.at = at
        people = {row.episode.patient.person_id for row in rows}
        here = Occupancy.objects.filter(period__contains=at)
        self.at_home = {
            (person, bed): period.lower
            for person, bed, period in here.filter(
                person__in=people, bed__isnull=False
            ).values_list("person_id", "bed_id", "period")
        }
        self.in_beds = {
            bed: (person, period.lower)
            for bed, person, period in here.filter(
                bed__in={row.bed_id for row in rows}
            ).values_list("bed_id", "person_id", "period")
        }
        # Somebody who is told of only now to lie there since before: the bed is lost as well.
        self.told_of = {
            (bed, person): told
            for bed, person, told in Movement.objects.filter(
                bed__in=list(self.in_beds),
                patient__person__in=[p for p, _ in self.in_beds.values()],
            )
            .values("bed_id", "patient__person_id")
            .annotate(told=Min("recorded_at"))
            .values_list("bed_id", "patient__person_id", "told")
        }
        self.asking = set(
            BedRequest.objects.filter(
                episode__in={row.episode_id for row in rows},
                kind__in=MOVES,
                period__contains=at,
            ).values_list("episode_id", flat=True)
        )

    def why_over(self, held: Reservation) -> tuple[Reservation.Status, datetime] | None:
        person = held.episode.patient.person_id
        came = self.at_home.get((person, held.bed_id)) if person is not None else None
        if came is not None:
            return Status.USED, came
        other = self.in_beds.get(held.bed_id)
        if other is not None and other[1] > held.period.lower:
            return Status.LOST, other[1]
        if other is not None and self.told_of.get((held.bed_id, other[0]), held.recorded_at) > (
            held.recorded_at
        ):
            return Status.LOST, self.at
        if held.period.upper <= self.at:
            return Status.LAPSED, held.period.upper
        if held.episode_id not in self.asking:
            return Status.WITHDRAWN, self.at
        return None


def tell(rows: Iterable[Reservation]) -> None:
    """Have the boards drawn again on which it shows."""
    wards = {row.bed.ward_id for row in rows}
    if not wards:
        return
    mark_dirty(wards)
    names = {"desk", "cleaning"} | {f"ward:{ward}" for ward in wards}
    transaction.on_commit(lambda: ring(names))
