"""Finding a place after hospital: asking, the answer, and getting there.

Every deed locks the person, then the episode, then the referral, writes a step that is never
edited, and leaves the referral as its steps say. They do what was asked or raise `Refused` and
change nothing. An accepted place of ours is a pending transfer as well, so that the patient shows
among those whom that ward awaits, unless a feed has said so already.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.models import Organisation
from accounts.refusals import Refused
from live.doorbell import ring
from patients import identity
from patients.keys import PersonKey, VisitKey
from patients.models import Code, CodeSet, Episode, Review
from wards.barriers import Said, check_present
from wards.by_hand import check_done, check_free, check_place, lock_and_date
from wards.dirty import mark_dirty, mark_wards_of
from wards.facts import Moved, MovementKind, Place
from wards.models import BedRequest, Movement, Occupancy, Referral, ReferralStep, Ward
from wards.movements import transfer
from wards.provenance import name_the_source
from wards.recording import keep

Status = Referral.Status
Step = ReferralStep.Kind

ANSWER_WITHIN: Final = timedelta(hours=24)
"""Until when an answer is wanted unless somebody says otherwise; a trust's agreement may differ."""
PLACES: Final = {
    Referral.Kind.COMMUNITY: Ward.Kind.COMMUNITY,
    Referral.Kind.VIRTUAL: Ward.Kind.VIRTUAL,
    Referral.Kind.REABLEMENT: Ward.Kind.REABLEMENT,
    Referral.Kind.CARE_HOME: Ward.Kind.CARE_HOME,
}
"""Which kind of ward a kind of referral goes to; the others go to a body, wherever it places."""
NO_LIST: Final = "There is no list of reasons to decline. Run `manage.py load_codes`."
_FARTHEST: Final = timedelta(days=366)
"""How far ahead a place can be promised: what lies farther is a slip of the pen."""


def refer(
    *,
    episode: Episode,
    kind: str,
    said: Said,
    ward: Ward | None = None,
    organisation: Organisation | None = None,
    pathway: int | None = None,
    needs: str = "",
    due_at: datetime | None = None,
    note: str = "",
    key: str = "",
) -> Referral:
    """Ask a place (`ward`), or a body that places people itself (`organisation`), for a patient.

    Without `pathway` that of the last review counts. Saying the same `key` again returns what it
    had made.
    """
    when = said.when
    asked = _asked(kind, ward, organisation)
    with transaction.atomic():
        locked = _locked(episode)
        if key and (known := Referral.objects.filter(source=said.source, key=key).first()):
            return known
        check_present(locked, when)
        if ward is not None and _is_there(locked, ward, when):
            raise Refused(f"They are on {ward.name} already.")
        name_the_source(said.source, said.by)
        referral = _kept(
            Referral(
                episode=locked,
                kind=kind,
                organisation=asked,
                ward=ward,
                pathway=_pathway(locked, when) if pathway is None else pathway,
                needs=needs.strip(),
                period=DateTimeTZRange(when, None),
                due_at=due_at or when + ANSWER_WITHIN,
                source=said.source,
                key=key or uuid4().hex,
            )
        )
        _step(referral, Step.ASKED, said, note=note)
        _tell(referral)
    return referral


def accept(*, referral: Referral, starts_at: datetime, said: Said, note: str = "") -> Referral:
    """They take the patient from `starts_at` on. Said again it changes the start."""
    with transaction.atomic():
        held = _held(referral, said)
        if starts_at < said.when - timedelta(days=1):
            raise Refused("The start lies in the past. Give the time from which they can come.")
        if starts_at > said.when + _FARTHEST:
            raise Refused("The start lies more than a year ahead. Give the time they can come.")
        step = Step.RESCHEDULED if held.status == Status.ACCEPTED else Step.ACCEPTED
        if held.status == Status.ACCEPTED and held.starts_at == starts_at:
            raise Refused("They have accepted for that time already.")
        held.starts_at = starts_at
        if step is Step.ACCEPTED:
            held.status = Status.ACCEPTED
            held.movement = _await(held, said)
        _kept(held)
        _step(held, step, said, note=note)
        _tell(held)
    return held


def decline(*, referral: Referral, reason: Code, said: Said, note: str = "") -> Referral:
    """They cannot take the patient, and why."""
    if reason.code_set.kind != CodeSet.Kind.DECLINE:
        raise Refused(f"“{reason.label}” is no reason to decline. Choose one from the list.")
    return _end(referral, Status.DECLINED, said, note=note, reason=reason)


def withdraw(*, referral: Referral, said: Said, note: str) -> Referral:
    """The place is not wanted any more."""
    if not note.strip():
        raise Refused("Say why the place is not wanted any more.")
    return _end(referral, Status.WITHDRAWN, said, note=note.strip())


def place(*, referral: Referral, bed: int | None, said: Said, note: str = "") -> Episode:
    """The patient is there: move them to the place that accepted them, into `bed` if given.

    Under the same provider their stay goes on. Under another it ends with a discharge, and one
    with that provider begins (an NHS spell is one continuous stay with one provider). The stay
    they are in then.
    """
    assert said.by is not None, "a deed by hand"
    with transaction.atomic():
        held = _held(referral, said)
        if held.status != Status.ACCEPTED or held.ward is None:
            raise Refused("Only a place that has accepted them can be taken up.")
        site = held.ward.site
        target = _place_of(held.ward, bed)
        if held.episode.provider_id == site.organisation_id:
            transfer(
                episode=held.episode, place=target, at=said.at, by=said.by,
                occurred_at=said.occurred_at,
            )  # fmt: skip
            stay = held.episode
        else:
            stay = _move_on(held, target, said)
        held.status, held.period = Status.PLACED, _ended(held, said.when)
        _kept(held)
        _step(held, Step.PLACED, said, note=note)
        _tell(held)
    return stay


def settle(*, at: datetime) -> int:
    """Close the open referrals of people who have got there by another way, or have left; how
    many. Repeating it changes nothing."""
    said = Said(at, None, source="clock")
    there = 0
    for referral in Referral.objects.filter(status__in=Referral.OPEN).select_related(
        "episode__patient", "ward"
    ):
        arrived = referral.ward is not None and _is_there(referral.episode, referral.ward, at)
        if not arrived and Episode.objects.present(at=at).filter(pk=referral.episode_id).exists():
            continue
        try:
            if arrived:
                _end(referral, Status.PLACED, said, note="Moved by a feed or by hand")
            else:
                _end(referral, Status.WITHDRAWN, said, note="Left hospital another way")
        except Refused:  # somebody was quicker
            continue
        there += 1
    return there


def _asked(kind: str, ward: Ward | None, organisation: Organisation | None) -> Organisation:
    """The body that is asked. Raises Refused where the place does not fit the kind."""
    if kind not in Referral.Kind.values:
        raise Refused(f"The kind is one of: {', '.join(Referral.Kind.values)}.")
    if ward is not None:
        wanted = PLACES.get(Referral.Kind(kind))
        if wanted is not None and ward.kind != wanted:
            raise Refused(f"{ward.name} is no place of this kind. Choose another place.")
        return ward.site.organisation
    if organisation is None:
        raise Refused("Choose the place, or the organisation, that is asked.")
    return organisation


def _place_of(ward: Ward, bed: int | None) -> Place:
    if bed is None:
        return Place(ward.pk)
    found = ward.beds.filter(pk=bed).values_list("bay_id", flat=True).first()
    if found is None and not ward.beds.filter(pk=bed).exists():
        raise Refused(f"That bed is not on {ward.name}. Choose one of its beds.")
    return Place(ward.pk, found, bed)


def _move_on(referral: Referral, target: Place, said: Said) -> Episode:
    """End the stay and begin one with the other provider, at the same moment."""
    episode, ward = referral.episode, referral.ward
    assert ward is not None
    when = lock_and_date([episode.patient_id], said.occurred_at, said.at)
    check_present(episode, when.occurred_at)
    check_place(target, when.occurred_at)
    if target.bed is not None:
        check_free(target.bed, when.occurred_at, at=when.sent_at)
    visit, patient = episode.visit, episode.patient
    person = PersonKey(patient.authority, patient.identifier)
    leaves = Moved(
        key=uuid4().hex,
        sent_at=when.sent_at,
        person=person,
        kind=MovementKind.DISCHARGED,
        occurred_at=when.occurred_at,
        visit=VisitKey(visit.authority, visit.number) if visit.number else None,
        discharged_at=when.occurred_at,
        stay={"discharge_destination": ward.name[:100]},
    )
    arrives = Moved(
        key=uuid4().hex,
        sent_at=when.sent_at,
        person=person,
        kind=MovementKind.ADMITTED,
        occurred_at=when.occurred_at,
        admitted_at=when.occurred_at,
        visit=VisitKey("flowboard", f"FB-{uuid4().hex[:10]}"),
        place=target,
        stay={"specialty": episode.specialty} if episode.specialty else {},
    )
    done = keep([leaves, arrives], source=said.source, by=said.by)
    check_done(done, {arrives.key: target}, when.occurred_at)
    return Episode.objects.get(pk=done.change.episodes[done.visits[arrives.key]][-1])


def _await(referral: Referral, said: Said) -> Movement | None:
    """A pending transfer to the ward that accepted, so that both wards see it. None where that
    ward awaits the patient already, for its own system has told so: nobody is awaited twice."""
    if referral.ward is None:
        return None
    awaited = BedRequest.objects.filter(
        episode__patient__person=referral.episode.patient.person_id,
        ward=referral.ward,
        period__contains=said.at,
    )
    if awaited.exists():
        return None
    return _pending(referral, MovementKind.PENDING_TRANSFER, said)


def _pending(
    referral: Referral, kind: MovementKind, said: Said, cancels: int | None = None
) -> Movement:
    visit, patient = referral.episode.visit, referral.episode.patient
    when = lock_and_date([patient.pk], said.when, said.at)
    fact = Moved(
        key=uuid4().hex,
        sent_at=when.sent_at,
        person=PersonKey(patient.authority, patient.identifier),
        kind=kind,
        occurred_at=when.occurred_at,
        visit=VisitKey(visit.authority, visit.number) if visit.number else None,
        wanted_ward=None if cancels else referral.ward_id,
        cancels=cancels,
    )
    done = keep([fact], source=said.source, by=said.by)
    return Movement.objects.get(pk=done.movements[fact.key])


def _end(
    referral: Referral,
    status: Referral.Status,
    said: Said,
    *,
    note: str,
    reason: Code | None = None,
) -> Referral:
    with transaction.atomic():
        held = _held(referral, said)
        if held.movement_id is not None and status is not Status.PLACED:
            _pending(held, MovementKind.CANCELLED_PENDING_TRANSFER, said, held.movement_id)
        held.status, held.reason, held.period = status, reason, _ended(held, said.when)
        _kept(held)
        _step(held, Step(status.value), said, note=note)
        _tell(held)
    return held


def _ended(referral: Referral, when: datetime) -> DateTimeTZRange:
    # A referral that lasted no time at all would have an empty period.
    since = referral.period.lower
    return DateTimeTZRange(since, max(when, since + timedelta(microseconds=1)))


def _kept(referral: Referral) -> Referral:
    """Save it; what the database refuses is said in its words."""
    try:
        with transaction.atomic():
            referral.save()
    except IntegrityError as error:
        for constraint in Referral._meta.constraints:
            if constraint.name in str(error):
                raise Refused(str(constraint.violation_error_message)) from None
        raise
    return referral


def _locked(episode: Episode) -> Episode:
    identity.lock_people([episode.patient_id])
    return (
        Episode.objects.select_for_update(of=("self",), no_key=True)
        .select_related("provider", "visit", "patient")
        .get(pk=episode.pk)
    )


def _held(referral: Referral, said: Said) -> Referral:
    """The open referral, locked after its person and episode. Refused when it is over."""
    locked = _locked(referral.episode)
    held = (
        Referral.objects.select_for_update(of=("self",))
        .select_related("ward__site", "organisation")
        .get(pk=referral.pk)
    )
    held.episode = locked
    if held.status not in Referral.OPEN:
        raise Refused(f"This is over already: {held.get_status_display().lower()}.")
    if said.when < held.period.lower:
        raise Refused("That is before they were asked. Give a later time.")
    name_the_source(said.source, said.by)
    return held


def _pathway(episode: Episode, when: datetime) -> int | None:
    seen = Review.objects.filter(episode=episode, occurred_at__lte=when)
    return seen.order_by("-occurred_at", "-pk").values_list("pathway", flat=True).first()


def _is_there(episode: Episode, ward: Ward, at: datetime) -> bool:
    person = episode.patient.person_id
    return Occupancy.objects.filter(person=person, ward=ward, period__contains=at).exists()


def _step(referral: Referral, kind: ReferralStep.Kind, said: Said, **values: Any) -> None:
    ReferralStep.objects.create(
        referral=referral,
        kind=kind,
        occurred_at=said.when,
        by=said.by,
        starts_at=referral.starts_at,
        reason=referral.reason,
        **values,
    )


def _tell(referral: Referral) -> None:
    """Have both wards counted again and the boards rung on which it shows."""
    mark_wards_of(referral.episode_id)
    if referral.ward_id is not None:
        mark_dirty([referral.ward_id])
    transaction.on_commit(lambda: ring(["hub"]))
