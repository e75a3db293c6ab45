"""Admitting somebody by hand, who may be known already (`wards.newcomers`)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import uuid4

from accounts.models import User
from patients.keys import Details, PersonKey, VisitKey
from patients.models import Episode
from wards.by_hand import (
    check_done,
    check_free,
    check_not_held,
    check_place,
    lock_and_date,
    lock_wards,
    said_before,
)
from wards.facts import Moved, MovementKind, Place
from wards.matching import setting_at
from wards.models import Movement, Override
from wards.newcomers import (
    Asked,
    counted,
    find,
    recognised,
    settle_who,
)
from wards.placing import check_suits, keep_overrides
from wards.provenance import BY_HAND
from wards.recording import keep
from wards.rule_books import book_for
from wards.scope import scope_of


def admit(
    *,
    person: PersonKey | None,
    place: Place,
    at: datetime,
    by: User,
    occurred_at: datetime | None = None,
    visit: VisitKey | None = None,
    details: Details | None = None,
    stay: dict[str, str | None] | None = None,
    confirmed: int | None = None,
    others: Collection[int] = (),
    reason: str = "",
    key: str = "",
) -> Episode:
    """Admit somebody to a ward and, where given, a bed.

    `person`: their hospital number; None where it was not said, then the record of whoever has
    the NHS number, else a new one. `confirmed`: the record that `AlreadyKnown` named. `others`:
    the records that `SameName` named, said to be of other people. `reason`: why the bed is right
    against rules that may be overridden (`wards.placing.Unsuitable`). `key`: said again, it does
    nothing and returns whom it had admitted.
    Refused if the bed is not free, if the numbers and details do not fit each other or what is
    known, too often within an hour (`accounts.misfits`), or if they are somewhere already.
    """
    visit = visit or VisitKey("flowboard", f"FB-{uuid4().hex[:10]}")
    said = details or Details()
    asked = Asked(person=person, details=said, ward=place.ward, confirmed=confirmed, others=others)

    def deed() -> Episode:
        if known := said_before(key):
            return Episode.objects.filter(visit=known.visit).latest("ordinal")
        found = find(person, said)
        locked = [r.pk for p in (*found.by_number, *found.by_nhs) for r in p.records]
        when = lock_and_date(locked, occurred_at, at)
        # What is the same whoever it is comes first, so that no answer here tells of a person.
        lock_wards([place.ward])
        check_place(place, when.occurred_at)
        if place.bed is not None:
            check_free(place.bed, when.occurred_at, at=when.sent_at)
        scope = scope_of(by)
        who = recognised(found, said, scope)
        if place.bed is not None:
            check_not_held(place.bed, person=who.root if who else None, at=when.sent_at)
        ruled = place.bed is not None and book_for(ward=place.ward, at=when.occurred_at)
        before = setting_at(at=when.occurred_at, wards=[place.ward]) if ruled else None
        moments = {when.occurred_at, at}
        arrival = settle_who(asked, found, who, at=at, moments=moments, scope=scope)
        fact = Moved(
            key=key or uuid4().hex,
            sent_at=when.sent_at,
            person=arrival.record,
            details=arrival.details,
            kind=MovementKind.ADMITTED,
            occurred_at=when.occurred_at,
            admitted_at=when.occurred_at,
            visit=visit,
            place=place,
            stay=stay or {},
        )
        done = keep([fact], source=BY_HAND, by=by)
        check_done(done, {fact.key: place}, when.occurred_at)
        episodes = Episode.objects.filter(pk__in=done.change.episodes[done.visits[fact.key]])
        admitted = episodes.filter(patient__person__records=arrival.pk).latest("ordinal")
        weighed = check_suits(
            episode=admitted, place=place, at=when.occurred_at, by=by, reason=reason, setting=before
        )
        move = Movement.objects.get(pk=done.movements[fact.key])
        keep_overrides(weighed, deed=Override.Deed.ADMIT, at=when.occurred_at, movement=move)
        return admitted

    return counted(deed, asked, by, at)
