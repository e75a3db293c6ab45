"""Those who are to come: announcing somebody by hand or by REST, and taking them in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from django.db.models import Q

from accounts.models import User
from accounts.refusals import Refused
from patients.keys import Details, PersonKey, VisitKey
from patients.models import Episode
from patients.recognition import Person
from wards.barriers import Said
from wards.by_hand import (
    check_done,
    check_free,
    check_not_held,
    check_place,
    clock,
    lock_and_date,
    lock_wards,
    said_before,
    transacted,
)
from wards.facts import Moved, MovementKind, Place
from wards.held_beds import open_request_of
from wards.models import BedRequest, Movement, Override, Ward
from wards.newcomers import (
    Asked,
    check_elsewhere,
    counted,
    find,
    recognised,
    sees,
    settle_who,
)
from wards.placing import check_suits, keep_overrides
from wards.provenance import BY_HAND
from wards.recording import keep
from wards.requests import FURTHEST, Terms, check_terms, write_terms
from wards.scope import Scope, scope_of

LATEST: Final = timedelta(hours=24)
"""How long ago the time may lie: they are late, and still expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """Who is to come, when, and how they are admitted.

    person, details, confirmed, others: as in `wards.admission.admit`. `expected_at`: when they
    are to be here. `method`: NHS Data Dictionary, ADMISSION METHOD; "" where nobody said.
    """

    person: PersonKey | None
    details: Details
    expected_at: datetime
    method: str = ""
    specialty: str = ""
    confirmed: int | None = None
    others: Collection[int] = ()


def expect(*, coming: Coming, ward: Ward, terms: Terms, said: Said, key: str = "") -> BedRequest:
    """Announce somebody who is to come to `ward`; the request for their bed.

    `said.by` must be somebody. Saying the same `key` again returns what it had made. Refused as
    `wards.admission.admit` is; where they are here already, or expected on that ward already; and
    with SameName where somebody new has the name and date of birth of somebody expected.
    """
    check_terms(terms, at=said.at)
    assert said.by is not None, "a deed by hand"
    by = said.by
    asked = Asked(
        person=coming.person,
        details=coming.details,
        ward=ward.pk,
        confirmed=coming.confirmed,
        others=coming.others,
        announced=True,
    )

    def deed() -> BedRequest:
        if known := said_before(key):
            return BedRequest.objects.get(key=known.key, episode__visit=known.visit)
        found = find(asked.person, asked.details)
        locked = [r.pk for p in (*found.by_number, *found.by_nhs) for r in p.records]
        when = lock_and_date(locked, said.occurred_at, said.at)
        _check_time(coming.expected_at, when.occurred_at)
        scope = scope_of(by)
        who = recognised(found, asked.details, scope)
        moments = {when.occurred_at, said.at}
        arrival = settle_who(asked, found, who, at=said.at, moments=moments, scope=scope)
        if who is not None:
            _check_once(who, ward, when.occurred_at, scope)
        stay = {"expected_at": coming.expected_at.isoformat()}
        if coming.method:
            stay["admission_method"] = coming.method
        if coming.specialty:
            stay["specialty"] = coming.specialty
        fact = Moved(
            key=key or uuid4().hex,
            sent_at=when.sent_at,
            person=arrival.record,
            details=arrival.details,
            kind=MovementKind.EXPECTED,
            occurred_at=when.occurred_at,
            visit=VisitKey("flowboard", f"FB-{uuid4().hex[:10]}"),
            wanted_ward=ward.pk,
            stay=stay,
        )
        done = keep([fact], source=BY_HAND, by=by)
        made = BedRequest.objects.select_related("episode").get(
            key=fact.key, episode__visit=done.visits[fact.key]
        )
        write_terms(made, replace(terms, specialty=terms.specialty or coming.specialty), said)
        return made

    return counted(deed, asked, by, said.at)


def come(
    *,
    episode: Episode,
    place: Place,
    at: datetime,
    by: User,
    occurred_at: datetime | None = None,
    reason: str = "",
    key: str = "",
) -> Movement:
    """Whoever was announced has come, to a ward and, where given, a bed.

    `reason`: why the bed is right against rules that may be overridden. `key`: said again, it does
    nothing. Refused where they are not expected any more or are somewhere already, and where the
    bed is not free, held for somebody else or forbidden (`wards.placing.Unsuitable`).
    """

    def deed() -> Movement:
        if known := said_before(key):
            return known
        when = lock_and_date([episode.patient_id], occurred_at, at)
        stay = Episode.objects.select_related("visit", "patient").get(pk=episode.pk)
        request = open_request_of(stay, at=when.occurred_at)
        if stay.status_at(when.sent_at) != Episode.Status.EXPECTED or request is None:
            raise Refused("They are not expected any more. Look at the list again.")
        lock_wards([place.ward])
        check_place(place, when.occurred_at)
        person = stay.patient.person_id
        check_elsewhere(Q(person=person), {when.occurred_at, at}, scope_of(by))
        if place.bed is not None:
            check_not_held(place.bed, person=person, at=when.sent_at)
            check_free(place.bed, when.occurred_at, at=when.sent_at)
        weighed = check_suits(
            episode=stay, place=place, at=when.occurred_at, by=by, reason=reason, request=request
        )
        fact = Moved(
            key=key or uuid4().hex,
            sent_at=when.sent_at,
            person=PersonKey(stay.patient.authority, stay.patient.identifier),
            kind=MovementKind.ADMITTED,
            occurred_at=when.occurred_at,
            admitted_at=when.occurred_at,
            visit=VisitKey(stay.visit.authority, stay.visit.number) if stay.visit.number else None,
            place=place,
        )
        done = keep([fact], source=BY_HAND, by=by)
        check_done(done, {fact.key: place}, when.occurred_at)
        move = Movement.objects.get(pk=done.movements[fact.key])
        keep_overrides(weighed, deed=Override.Deed.ADMIT, at=when.occurred_at, movement=move)
        return move

    return transacted(deed)


def _check_time(expected_at: datetime, at: datetime) -> None:
    if expected_at < at - LATEST:
        raise Refused("That is more than a day ago. If they are here, admit them on the board.")
    if expected_at > at + FURTHEST:
        raise Refused("That is more than a year ahead. Check the date.")


def _check_once(who: Person, ward: Ward, at: datetime, scope: Scope) -> None:
    """One announcement of somebody for one ward; said only to those who may see who it is."""
    row = (
        BedRequest.objects.filter(
            episode__patient__person=who.root,
            kind=BedRequest.Kind.EXPECTED,
            ward=ward,
            period__contains=at,
        )
        .select_related("episode")
        .first()
    )
    if row is None or not sees(scope, who):
        return
    due = row.episode.expected_at
    when = f" at {clock(due)}" if due is not None else ""
    raise Refused(
        f"They are expected on {ward.name} already{when}. Change that request on the desk instead."
    )
