"""Asking for a bed by hand or by REST: for whom, where, how urgently, and by when.

A request is a pending movement like one that a feed tells; what the feed has no words for is
kept beside it (`RequestTerms`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts.refusals import Refused
from live.doorbell import ring
from patients.keys import PersonKey, VisitKey
from patients.models import Episode
from wards import held_beds
from wards.barriers import Said
from wards.by_hand import lock_and_date, transacted
from wards.facts import Moved, MovementKind
from wards.held_beds import MOVES, open_request_of
from wards.marks import mark_of
from wards.models import BedRequest, Movement, Occupancy, RequestTerms, Ward
from wards.recording import keep

_UNDO: Final = {
    BedRequest.Kind.ADMIT: MovementKind.CANCELLED_PENDING_ADMIT,
    BedRequest.Kind.TRANSFER: MovementKind.CANCELLED_PENDING_TRANSFER,
    BedRequest.Kind.DISCHARGE: MovementKind.CANCELLED_PENDING_DISCHARGE,
    BedRequest.Kind.EXPECTED: MovementKind.CANCELLED_EXPECTED,
}
_KINDS: Final = {
    BedRequest.Kind.ADMIT: MovementKind.PENDING_ADMIT,
    BedRequest.Kind.TRANSFER: MovementKind.PENDING_TRANSFER,
    BedRequest.Kind.EXPECTED: MovementKind.EXPECTED,
}

FURTHEST: Final = timedelta(days=400)
"""How far from now a bed can be wanted, or somebody be announced; beyond it, a slip of the pen."""
FAR: Final = "The bed would be wanted more than 400 days from now. Check the year."


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a bed is asked for; see `wards.models.RequestTerms`."""

    priority: int = RequestTerms.Priority.SOON
    specialty: str = ""
    asked_by: str = ""
    note: str = ""
    due_at: datetime | None = None


def ask(
    *, episode: Episode, ward: Ward | None, terms: Terms, said: Said, key: str = ""
) -> BedRequest:
    """Ask for a bed for somebody who is in hospital, on `ward` or wherever one is found.

    From an emergency department it is the decision to admit; from elsewhere a transfer, on their
    own ward too (another bed). Saying the same `key` again returns what it had made. Raises
    Refused where they are not in hospital, or a bed is asked for already.
    """
    check_terms(terms, at=said.at)

    def deed() -> BedRequest:
        when = lock_and_date([episode.patient_id], said.occurred_at, said.at)
        if key and (known := _made_by(key, said.source)):
            return known
        stay = Episode.objects.select_related("visit", "patient").get(pk=episode.pk)
        if stay.status_at(when.sent_at) not in Episode.PRESENT:
            raise Refused("This patient is not in hospital now. Look at the board again.")
        if open_request_of(stay, at=when.occurred_at) is not None:
            raise Refused("A bed is asked for already. Change that request instead.")
        kind = _kind(stay, when.occurred_at)
        name = key or uuid4().hex
        fact = Moved(
            key=name,
            sent_at=when.sent_at,
            person=PersonKey(stay.patient.authority, stay.patient.identifier),
            kind=_KINDS[kind],
            occurred_at=when.occurred_at,
            visit=_visit(stay),
            wanted_ward=ward.pk if ward is not None else None,
        )
        keep([fact], source=said.source, by=said.by)
        made = BedRequest.objects.filter(key=name, episode__visit=stay.visit).first()
        if made is None:
            raise Refused("Something recorded later contradicts this. Look at their movements.")
        write_terms(made, terms, said)
        return made

    return transacted(deed)


def change(
    *, request: BedRequest, terms: Terms, said: Said, ward: Ward | None = None, seen: str = ""
) -> BedRequest:
    """Ask for it otherwise. Another `ward` makes another request, which takes over what was held
    for the former; without one the ward stays. `seen`: the mark of what the caller saw
    (`wards.marks`: of the ward's key and the `Terms`). Raises Refused where by now it is asked for
    otherwise, and where it is over."""
    check_terms(terms, at=said.at)

    def deed() -> BedRequest:
        held = _locked(request, said)
        if seen and seen != mark_of(held.ward_id, terms_of(held)):
            raise Refused(
                "Somebody asked for it otherwise meanwhile. It stands above; what you typed is "
                "below, and sending it again replaces it."
            )
        if ward is None or ward.pk == held.ward_id:
            write_terms(held, terms, said)
            return held
        when = lock_and_date([held.episode.patient_id], said.occurred_at, said.at)
        stay = held.episode
        fact = Moved(
            key=uuid4().hex,
            sent_at=when.sent_at,
            person=PersonKey(stay.patient.authority, stay.patient.identifier),
            kind=_KINDS[BedRequest.Kind(held.kind)],
            occurred_at=when.occurred_at,
            visit=_visit(stay),
            wanted_ward=ward.pk,
        )
        keep([fact], source=said.source, by=said.by)
        fresh = BedRequest.objects.select_related("episode").get(
            key=fact.key, episode__visit=stay.visit_id
        )
        write_terms(fresh, terms, said)
        return fresh

    return transacted(deed)


def withdraw(*, request: BedRequest, said: Said, reason: str) -> None:
    """The bed is not wanted any more; what was held for it is free again. `reason` is kept with
    the movement. Raises Refused where it is over already."""
    if not reason.strip():
        raise Refused("Say why the bed is not wanted any more.")

    def deed() -> None:
        held = _locked(request, said)
        when = lock_and_date([held.episode.patient_id], said.occurred_at, said.at)
        stay = held.episode
        movement = Movement.objects.filter(key=held.key, visit__in=_visits(stay)).first()
        fact = Moved(
            key=uuid4().hex,
            sent_at=when.sent_at,
            person=PersonKey(stay.patient.authority, stay.patient.identifier),
            kind=_UNDO[BedRequest.Kind(held.kind)],
            occurred_at=when.occurred_at,
            visit=_visit(stay),
            cancels=movement.pk if movement else None,
            reference=reason.strip()[:100],
        )
        keep([fact], source=said.source, by=said.by)
        held_beds.settle(at=when.occurred_at, episodes=[stay.pk], by=said.by)

    transacted(deed)


def restore(*, request: BedRequest, said: Said) -> BedRequest:
    """Take back that a bed is not wanted any more: it is asked for as before, since as long as
    before, and the bed that was given back by it is held again where it can be.

    Raises Refused where somebody else than a person here called it off, that has been taken back,
    another bed is asked for since, or they have been moved or have left.
    """

    def deed() -> BedRequest:
        when = lock_and_date([request.episode.patient_id], said.occurred_at, said.at)
        stay = Episode.objects.select_related("visit", "patient").get(pk=request.episode_id)
        off = _withdrawals(_visits(stay)).filter(cancels__key=request.key).last()
        if off is None:
            raise Refused("This request was not called off here, or that has been taken back.")
        if open_request_of(stay, at=when.occurred_at) is not None:
            raise Refused("A bed is asked for again already. Look at the list.")
        fact = Moved(
            key=uuid4().hex,
            sent_at=when.sent_at,
            person=PersonKey(stay.patient.authority, stay.patient.identifier),
            kind=MovementKind(off.kind),
            occurred_at=when.occurred_at,
            visit=_visit(stay),
            cancels=off.pk,
        )
        keep([fact], source=said.source, by=said.by)
        again = BedRequest.objects.filter(
            pk=request.pk, kind__in=MOVES, period__contains=when.occurred_at
        ).first()
        if again is None:
            raise Refused("They have been moved or have left since. Ask for a bed anew.")
        held_beds.keep_held(stay, since=off.occurred_at, at=when.occurred_at, by=said.by)
        transaction.on_commit(lambda: ring(["desk"]))
        return again

    return transacted(deed)


def _withdrawals(visits: Collection[int]) -> QuerySet[Movement]:
    """The words by which people here called requests of these visits off that nobody has taken
    back; the oldest first."""
    rows = Movement.objects.filter(
        visit__in=visits,
        by__isnull=False,
        kind__in=list(_UNDO.values()),
        cancels__kind__in=list(_KINDS.values()),
    ).exclude(Exists(Movement.objects.filter(cancels=OuterRef("pk"))))
    return rows.order_by("occurred_at", "pk")


def terms_of(request: BedRequest) -> Terms:
    """What was said of it; the usual where nobody said anything."""
    row = RequestTerms.objects.filter(episode=request.episode_id, key=request.key).first()
    if row is None:
        return Terms()
    return Terms(
        priority=row.priority,
        specialty=row.specialty,
        asked_by=row.asked_by,
        note=row.note,
        due_at=row.due_at,
    )


def _kind(stay: Episode, at: datetime) -> BedRequest.Kind:
    here = Occupancy.objects.filter(person=stay.patient.person_id, period__contains=at)
    kinds = set(here.values_list("ward__kind", flat=True))
    urgent = Ward.Kind.EMERGENCY in kinds
    return BedRequest.Kind.ADMIT if urgent else BedRequest.Kind.TRANSFER


def _made_by(key: str, source: str) -> BedRequest | None:
    told = Movement.objects.filter(source=source, key=key).exists()
    return BedRequest.objects.filter(key=key).first() if told else None


def _locked(request: BedRequest, said: Said) -> BedRequest:
    """The open request as it stands, its person locked. Raises Refused where it is over."""
    lock_and_date([request.episode.patient_id], said.occurred_at, said.at)
    held = (
        BedRequest.objects.select_related("episode__visit", "episode__patient")
        .filter(pk=request.pk, kind__in=MOVES, period__contains=said.when)
        .first()
    )
    if held is None:
        raise Refused("This request is over already. Look at the list again.")
    return held


def write_terms(request: BedRequest, terms: Terms, said: Said) -> None:
    """Keep what was said of a request beside it."""
    RequestTerms.objects.update_or_create(
        episode_id=request.episode_id,
        key=request.key,
        defaults={
            "priority": terms.priority,
            "specialty": terms.specialty.strip(),
            "asked_by": terms.asked_by.strip(),
            "note": terms.note.strip(),
            "due_at": terms.due_at,
            "by": said.by,
        },
    )
    transaction.on_commit(lambda: ring(["desk"]))


def check_terms(terms: Terms, *, at: datetime) -> None:
    """Raise Refused for a priority that there is not, a text that is too long, or a time that
    cannot be meant."""
    if terms.due_at is not None and abs(terms.due_at - at) > FURTHEST:
        raise Refused(FAR)
    if terms.priority not in RequestTerms.Priority.values:
        raise Refused("The priority is 1 (immediate), 2 (urgent), 3 (soon) or 4 (routine).")
    for name, text, longest in (
        ("specialty", terms.specialty, 60),
        ("asked_by", terms.asked_by, 100),
        ("note", terms.note, 500),
    ):
        if len(text.strip()) > longest:
            raise Refused(f"{name} has {len(text.strip())} characters; shorten it to {longest}.")


def _visit(stay: Episode) -> VisitKey | None:
    return VisitKey(stay.visit.authority, stay.visit.number) if stay.visit.number else None


def _visits(stay: Episode) -> list[int]:
    merged = stay.visit.__class__.objects.filter(merged_into=stay.visit_id)
    return [stay.visit_id, *merged.values_list("pk", flat=True)]
