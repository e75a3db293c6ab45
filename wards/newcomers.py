"""Who somebody is that is admitted or expected by hand: known already, or new.

Who is known is never described anew: what was said of them must agree with what is known, and
whoever admits them says that it is them. Nobody learns here of people whom they may not see:
until family name and date of birth are both said rightly, a number that is known is answered
like one that does not fit. Who is new, but has the name and date of birth of somebody in hospital
whom the user may see, is admitted once the user says that it is another person; who is announced
is asked about as well where somebody of that name and date of birth is expected already.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar
from uuid import uuid4

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q, QuerySet

from accounts import misfits
from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from patients import identity, recognition
from patients.keys import Details, PersonKey
from patients.models import Episode, Patient
from patients.recognition import DECISIVE, Person
from wards.by_hand import AHEAD, clock, transacted
from wards.held_beds import MOVES
from wards.models import BedRequest, Occupancy, Ward
from wards.scope import Scope, visible_episodes, visible_patients

DO_NOT_FIT: Final = (
    "The numbers and the details do not belong together, or they belong to somebody known whom "
    "you may not see. Check the numbers, and give family name and date of birth as well. If they "
    "are right, ask the bed manager to admit them."
)
"""The one answer to everything that does not fit, unless the viewer sees whose number it is."""
ELSEWHERE: Final = (
    "This patient is an inpatient elsewhere in the system. Ask the site manager to arrange the "
    "transfer, or to have the other stay ended."
)
ANOTHER_NUMBER: Final = (
    "This NHS number is known here under another hospital number. Check the hospital number, or "
    "leave it empty to use the one that is known."
)
_WORDS: Final = {
    "nhs_number": "NHS number",
    "family_name": "family name",
    "date_of_birth": "date of birth",
}
_OPTIONAL: Final = ("given_name", "sex")
T = TypeVar("T")


class AlreadyKnown(Refused):
    """The number belongs to somebody who is known; whoever admits them must say that it is them.

    record: whose details count, to be given back as `confirmed`. seen: whether the user may see
    who it is. differs: details that were said otherwise than known, and stay as known.
    """

    def __init__(self, record: int, *, seen: bool, differs: tuple[str, ...]) -> None:
        super().__init__(
            "This number belongs to somebody who is known already. Confirm below that it is the "
            "patient in front of you."
        )
        self.record = record
        self.seen = seen
        self.differs = differs


@dataclass(frozen=True, slots=True)
class Namesake:
    """Somebody in hospital, or expected, under the name and date of birth that were said, whom
    the user may see.

    record: primary key. episode: their stay. ward, bed: where they are by it, or are to come to,
    as people call it; empty where nobody told, or the user may not see the ward. request: by which
    they are expected; None of who is in hospital. due_at: when they are expected.
    """

    record: int
    episode: int
    ward: str = ""
    bed: str = ""
    request: int | None = None
    due_at: datetime | None = None

    def __str__(self) -> str:
        """Where they are, or where and when they are expected, in words."""
        if self.request is not None:
            where = f" on {self.ward}" if self.ward else ""
            return f"expected{where}" + (f" at {clock(self.due_at)}" if self.due_at else "")
        if not self.ward:
            return "in hospital"
        return f"on {self.ward}, bed {self.bed}" if self.bed else f"on {self.ward}"


class SameName(Refused):
    """Somebody of this name and date of birth is in hospital, or expected; whoever admits or
    announces another person says that it is another. `namesakes`: who they are, their records to
    be given back as `others`."""

    def __init__(self, namesakes: Sequence[Namesake]) -> None:
        places = " and ".join(str(one) for one in namesakes)
        verb = "Somebody" if len(namesakes) == 1 else "People"
        is_are = "is" if len(namesakes) == 1 else "are"
        expected = [one for one in namesakes if one.request is not None]
        now = "" if expected else " now"
        instead = ["change that request"] if expected else []
        if len(expected) < len(namesakes):
            instead.insert(0, "move them from there")
        super().__init__(
            f"{verb} of this name and date of birth {is_are} {places}{now}. If it is the same "
            f"person, {' or '.join(instead)} instead. If it is another person, confirm that below."
        )
        self.namesakes = tuple(namesakes)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Under which record they come in, and what is to be kept of what was said of them."""

    record: PersonKey
    pk: int
    details: Details


def find(person: PersonKey | None, said: Details) -> recognition.Found:
    """Everybody whom the numbers may mean, locked."""
    number = said.values.get("nhs_number")
    by_nhs: set[int] = set()
    if isinstance(number, str) and number:
        recognition.wait_for(number)
        by_nhs = recognition.with_nhs_number(number)
    recognition.wait_for_namesakes(said)
    by_number: set[int] = set()
    if person is not None:
        by_number = recognition.named(person)
        by_number = by_number or set(identity.ensure_patients([person]).values())
    return recognition.people(by_number, by_nhs)


def recognised(found: recognition.Found, said: Details, scope: Scope) -> Person | None:
    """Who is meant; None for somebody new. Refused where something does not fit.

    Where a hospital number is known, it alone says who: whether the NHS number belongs to
    somebody else is looked at once the user has confirmed (`_check_nhs_number`), so that trying
    out NHS numbers tells nothing.
    """
    candidates = found.by_number or found.by_nhs
    if not candidates:
        return None
    fitting = [person for person in candidates if not person.differs(said, DECISIVE)]
    if len(fitting) != 1:
        whose = candidates[0] if len(candidates) == 1 else None
        raise Refused(_why_not(whose, said, scope))
    who = fitting[0]
    seen = sees(scope, who)
    if not seen and not who.is_proven_by(said):
        raise Refused(DO_NOT_FIT)
    if found.fresh is not None and any(r.authority == found.fresh.authority for r in who.records):
        raise Refused(ANOTHER_NUMBER if seen else DO_NOT_FIT)
    return who


def _why_not(whose: Person | None, said: Details, scope: Scope) -> str:
    """Why nobody fits, as far as the user may know."""
    if whose is None or not sees(scope, whose):
        return DO_NOT_FIT
    wrong = [_WORDS[name] for name in whose.differs(said, DECISIVE)]
    verb = "is" if len(wrong) == 1 else "are"
    return (
        f"This number belongs to somebody whose {' and '.join(wrong)} {verb} known to be "
        "different. Check the number. If it is right, correct the details at their source and "
        "leave them empty here."
    )


def sees(scope: Scope, person: Person) -> bool:
    """Whether the user may see who it is. What is restricted is shown to nobody."""
    records = Patient.objects.filter(pk__in=[record.pk for record in person.records])
    return not person.is_restricted and visible_patients(records, scope).exists()


def _check_namesakes(asked: Asked, at: datetime, scope: Scope) -> None:
    """Ask about those in hospital, and where somebody is announced about those expected, under
    the same name and date of birth. Of whom the user may not see nothing is said.

    Whom somebody else made while we waited for them (`find`) may be dated after our own `at`.
    """
    told: dict[int, Namesake] = {}
    now = DateTimeTZRange(at, at + AHEAD)
    if asked.announced:
        due = BedRequest.objects.filter(kind__in=MOVES, period__overlap=now)
        awaited = Episode.objects.filter(pk__in=due.values("episode"))
        seen = _namesakes(asked, awaited)
        stays = visible_episodes(awaited.filter(patient__person__in=seen), scope)
        rows = due.filter(episode__in=stays).select_related("episode__patient", "ward")
        for row in rows.order_by("period"):
            person = row.episode.patient.person_id or row.episode.patient_id
            told[person] = _expected(seen[person], row, scope)
    present = Episode.objects.present(at=at) | Episode.objects.present(at=at + AHEAD)
    seen = _namesakes(asked, present)
    stays = visible_episodes(present.filter(patient__person__in=seen), scope)
    for stay in stays.select_related("patient").order_by("admitted_at"):
        person = stay.patient.person_id or stay.patient_id
        told[person] = _namesake(seen[person], stay, now, scope)
    if told:
        raise SameName(list(told.values()))


def _namesakes(asked: Asked, among: QuerySet[Episode]) -> dict[int, int]:
    """The records of those who may be meant, by person; none that is kept from view."""
    found = recognition.namesakes(asked.details, among=among)
    return {
        one.root: one.main.pk
        for one in found
        if one.main.pk not in asked.others and not one.is_restricted
    }


def _expected(record: int, row: BedRequest, scope: Scope) -> Namesake:
    seen = row.ward is not None and scope.may(Permission.SEE_PATIENTS, row.ward.pk)
    ward = row.ward.name if row.ward is not None and seen else ""
    due_at = row.episode.expected_at
    return Namesake(record, row.episode_id, ward, request=row.pk, due_at=due_at)


def _namesake(record: int, stay: Episode, now: DateTimeTZRange, scope: Scope) -> Namesake:
    place = (
        Occupancy.objects.filter(episode=stay, period__overlap=now)
        .select_related("ward", "bed")
        .order_by("period")
        .first()
    )
    if place is None or not scope.may(Permission.SEE_PATIENTS, place.ward_id):
        return Namesake(record, stay.pk)
    return Namesake(record, stay.pk, place.ward.name, place.bed.label if place.bed else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was said of who comes to `ward`: their hospital number, details, whom they are
    confirmed to be (the record that `AlreadyKnown` named) and not to be (those of `SameName`).
    announced: they are to come, and are not here."""

    person: PersonKey | None
    details: Details
    ward: int
    confirmed: int | None = None
    others: Collection[int] = ()
    announced: bool = False


def counted(deed: Callable[[], T], asked: Asked, by: User, at: datetime) -> T:
    """Run it; where numbers were tried out, what did not fit is counted (`accounts.misfits`)."""
    if asked.person is None and not asked.details.values.get("nhs_number"):
        return transacted(deed)
    with misfits.counted(by, at, is_misfit=lambda refused: refused.reason == DO_NOT_FIT):
        return transacted(deed)


def settle_who(
    asked: Asked,
    found: recognition.Found,
    who: Person | None,
    *,
    at: datetime,
    moments: set[datetime],
    scope: Scope,
) -> Arrival:
    """Under which record they come, once nothing speaks against it and everything that has to be
    confirmed is. `who` as `recognised` found. `moments`: when they must be nowhere else."""
    said = asked.details
    if who is not None:
        check_elsewhere(Q(person=who.root), moments, scope)
        if asked.confirmed != who.main.pk:
            differs = who.differs(said, _OPTIONAL)
            raise AlreadyKnown(who.main.pk, seen=sees(scope, who), differs=differs)
    else:
        _check_namesakes(asked, at, scope)
    _check_nhs_number(found, who, said, moments, scope)
    return _arrival(asked.person, asked.ward, found, who, said)


def _arrival(
    person: PersonKey | None,
    ward: int,
    found: recognition.Found,
    who: Person | None,
    said: Details,
) -> Arrival:
    """A known person keeps the record that was named or that this organisation has of them."""
    if who is None or (who.named is None and person is not None):
        key = person or PersonKey("flowboard", f"FB-{uuid4().hex[:10]}")
        pk = found.fresh.pk if found.fresh else identity.ensure_patients([key])[key]
        details = recognition.carried_over(who, said) if who else said
        return Arrival(key, pk, details)
    record = who.named
    if record is None:
        here = Ward.objects.values_list("site__organisation__code", flat=True).get(pk=ward)
        record = next((r for r in who.records if r.authority == here), who.main)
    key = PersonKey(record.authority, record.identifier)
    return Arrival(key, record.pk, recognition.additions(who, said))


def _check_nhs_number(
    found: recognition.Found,
    who: Person | None,
    said: Details,
    moments: set[datetime],
    scope: Scope,
) -> None:
    """Refuse where the NHS number is somebody else's, or whoever has it too is in a bed."""
    if who is not None and found.by_nhs and who.root not in {p.root for p in found.by_nhs}:
        raise Refused(DO_NOT_FIT)
    numbers = set(who.nhs_numbers) if who else set()
    if number := said.values.get("nhs_number"):
        numbers.add(str(number))
    if numbers:
        check_elsewhere(Q(person__records__nhs_number__in=numbers), moments, scope)


def check_elsewhere(theirs: Q, moments: set[datetime], scope: Scope) -> None:
    """One person, one place; which, for those who may see it."""
    then = Q()
    for moment in moments:
        then |= Q(period__contains=moment)
    row = Occupancy.objects.filter(theirs).filter(then).select_related("ward").first()
    if row is None:
        return
    if not scope.may(Permission.SEE_PATIENTS, row.ward_id):
        raise Refused(ELSEWHERE)
    raise Refused(f"This patient is already on {row.ward.name}. Transfer them from there instead.")
