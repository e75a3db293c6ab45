"""Admitting somebody by hand who is known already: nothing known is written over, nothing is told
of people whom the user may not see, and nobody is in two places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import Misfit, User
from accounts.roles import Role
from patients.comparing import comparable
from patients.keys import Details, PersonKey
from patients.models import Episode, Patient
from tests.wards.hospital import Hospital, build, minutes
from tests.wards.test_movements import told
from wards.facts import MovementKind, Place
from wards.models import Grant, Movement, Occupancy
from wards.movements import Refused, admit, discharge, merge, record
from wards.newcomers import ANOTHER_NUMBER, DO_NOT_FIT, ELSEWHERE, AlreadyKnown, SameName
from wards.scope import scope_of

pytestmark = pytest.mark.django_db

NHS = "9990000018"
OTHER_NHS = "9990000026"
BORN = date(1947, 3, 31)
Said = Mapping[str, str | date]
WHO: Said = {
    "nhs_number": NHS,
    "family_name": "Müller-O’Brien",
    "given_name": "Ivy",
    "date_of_birth": BORN,
    "sex": "female",
}
PROOF: Said = {"family_name": "muller obrien", "date_of_birth": BORN}


@pytest.fixture
def hospital() -> Hospital:
    return build()


@pytest.fixture
def nurse(hospital: Hospital) -> User:
    """Sees and moves the patients of ward 0."""
    made = User.objects.create(username="nurse")
    Grant.objects.create(user=made, role=Role.WARD_NURSE, ward_id=hospital.wards[0])
    return made


@pytest.fixture
def manager() -> User:
    made = User.objects.create(username="manager")
    Grant.objects.create(user=made, role=Role.SITE_MANAGER, everywhere=True)
    return made


def known(
    hospital: Hospital, *, ward: int, left: bool = True, number: int = 7, **who: str | date | bool
) -> None:
    """The feed told of a stay on the ward, and of its end."""
    place = hospital.beds[3 * ward]
    details = Details({**WHO, **who})
    facts = [told(number, MovementKind.ADMITTED, 0, place, person=key(number), details=details)]
    if left:
        facts.append(told(number, MovementKind.DISCHARGED, 9, None, person=key(number)))
    record(facts, source="feed")


def key(number: int = 7) -> PersonKey:
    return PersonKey("RXX", f"P{number}")


def try_to_admit(
    hospital: Hospital,
    by: User,
    person: PersonKey | None = None,
    said: Said | None = None,
    *,
    confirmed: int | None = None,
    others: Sequence[int] = (),
) -> Episode:
    return admit(
        person=person,
        place=hospital.beds[1],
        at=minutes(30),
        by=by,
        details=Details(said or {}),
        confirmed=confirmed,
        others=others,
    )


def people() -> list[dict[str, object]]:
    return [dict(row) for row in Patient.objects.order_by("pk").values()]


# --- nothing known is written over --------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"family_name": "Somebody"}, "family name is known"),
        ({"date_of_birth": date(1947, 3, 30)}, "date of birth is known"),
        ({"nhs_number": OTHER_NHS}, "NHS number is known"),
        ({**PROOF, "family_name": "X", "nhs_number": OTHER_NHS}, "NHS number and family name are"),
    ],
)
def test_a_number_mistyped_for_another_patients_changes_nobody(
    hospital: Hospital, nurse: User, said: Said, named: str
) -> None:
    known(hospital, ward=0)
    before = people()
    with pytest.raises(Refused, match=named) as refusal:
        try_to_admit(hospital, nurse, key(), said)
    assert "Check the number" in refusal.value.reason
    assert "at their source" in refusal.value.reason
    assert people() == before
    assert Movement.objects.count() == 2


def test_a_known_patient_is_admitted_once_confirmed_and_stays_as_known(
    hospital: Hospital, nurse: User
) -> None:
    known(hospital, ward=0)
    before = people()
    typed: Said = {**PROOF, "given_name": "Iffy", "sex": "male"}
    with pytest.raises(AlreadyKnown) as ask:
        try_to_admit(hospital, nurse, key(), typed)
    assert ask.value.seen
    assert ask.value.differs == ("given_name", "sex")
    with pytest.raises(AlreadyKnown):
        try_to_admit(hospital, nurse, key(), typed, confirmed=ask.value.record + 1)
    episode = try_to_admit(hospital, nurse, key(), typed, confirmed=ask.value.record)
    assert episode.patient.identifier == "P7"
    assert people() == before


def test_what_was_not_known_yet_is_added(hospital: Hospital, nurse: User) -> None:
    record([told(7, MovementKind.ADMITTED, 0, hospital.beds[0], person=key())], source="feed")
    record([told(7, MovementKind.DISCHARGED, 9, None, person=key())], source="feed")
    pk = Patient.objects.get().pk
    try_to_admit(hospital, nurse, key(), WHO, confirmed=pk)
    patient = Patient.objects.get()
    assert (patient.family_name, patient.nhs_number) == ("Müller-O’Brien", NHS)


def test_a_number_in_small_letters_is_the_same_number(hospital: Hospital, nurse: User) -> None:
    known(hospital, ward=0)
    with pytest.raises(AlreadyKnown):
        try_to_admit(hospital, nurse, PersonKey("RXX", "p7"))
    assert Patient.objects.count() == 1


def test_somebody_new_is_admitted_at_once(hospital: Hospital, nurse: User) -> None:
    episode = try_to_admit(hospital, nurse, key(8), WHO)
    assert episode.patient.family_name == "Müller-O’Brien"
    assert try_to_admit_elsewhere(hospital, nurse).patient.authority == "flowboard"


def try_to_admit_elsewhere(hospital: Hospital, by: User) -> Episode:
    """Somebody of whom nothing but a name is known."""
    details = Details({"family_name": "Nameonly"})
    return admit(person=None, place=hospital.beds[2], at=minutes(31), by=by, details=details)


# --- nothing is told of people out of sight -----------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"family_name": "Muller Obrien"},
        {"date_of_birth": BORN},
        {"nhs_number": NHS},
        {**PROOF, "date_of_birth": date(1950, 1, 1)},
        {**PROOF, "family_name": "Miller"},
        {**PROOF, "nhs_number": OTHER_NHS},
    ],
)
@pytest.mark.parametrize("left", [True, False])
def test_of_somebody_out_of_sight_there_is_one_answer(
    hospital: Hospital, nurse: User, said: Said, left: bool
) -> None:
    """Whatever does not fit, whoever they are, and whether they are in hospital or not."""
    known(hospital, ward=1, left=left)
    with pytest.raises(Refused) as refusal:
        try_to_admit(hospital, nurse, key(), said)
    assert type(refusal.value) is Refused
    assert refusal.value.reason == DO_NOT_FIT


def test_dates_of_birth_cannot_be_found_by_trying(
    hospital: Hospital, nurse: User, settings: Settings
) -> None:
    settings.MISFITS_AN_HOUR = 3
    known(hospital, ward=1)

    def guess(by: User, minute: int, **said: date) -> str:
        details = Details({**PROOF, **said})
        with pytest.raises(Refused) as refusal:
            admit(person=key(), place=hospital.beds[1], at=minutes(minute), by=by, details=details)
        return refusal.value.reason

    for number in range(3):
        assert guess(nurse, 30 + number, date_of_birth=date(1950, 1, 1 + number)) == DO_NOT_FIT
    # From then on rightness is not told either, for an hour from the first of them.
    for day in (BORN, date(1950, 1, 9)):
        answer = guess(nurse, 40, date_of_birth=day)
        assert "3 times within an hour" in answer
        assert "for 50 min" in answer
    other = User.objects.create(username="other")
    Grant.objects.create(user=other, role=Role.WARD_NURSE, ward_id=hospital.wards[0])
    assert guess(other, 41, date_of_birth=date(1950, 1, 1)) == DO_NOT_FIT
    assert "belongs to somebody who is known" in guess(nurse, 90)
    # What fits is not counted, nor is what tells of nobody.
    assert Misfit.objects.filter(user=nurse).count() == 2
    admit(person=None, place=hospital.beds[1], at=minutes(91), by=nurse,
          details=Details({"family_name": "Nobody"}))  # fmt: skip


def test_what_fits_is_never_counted(hospital: Hospital, nurse: User, settings: Settings) -> None:
    settings.MISFITS_AN_HOUR = 1
    known(hospital, ward=0)
    for _ in range(5):
        with pytest.raises(AlreadyKnown):
            try_to_admit(hospital, nurse, key())
        with pytest.raises(Refused, match="is taken"):
            admit(person=key(), place=hospital.beds[0], at=minutes(1), by=nurse)
    assert not Misfit.objects.exists()


def test_by_nhs_number_alone_the_answer_is_the_same(hospital: Hospital, nurse: User) -> None:
    known(hospital, ward=1)
    for person in (None, key(8)):
        with pytest.raises(Refused) as refusal:
            try_to_admit(hospital, nurse, person, {"nhs_number": NHS, "family_name": "Somebody"})
        assert refusal.value.reason == DO_NOT_FIT
    assert Patient.objects.count() == 1


def test_trying_nhs_numbers_on_a_patient_in_sight_tells_nothing(
    hospital: Hospital, nurse: User
) -> None:
    """Whether a number is anybody's is answered alike until the admission would be recorded."""
    known(hospital, ward=1)
    known(hospital, ward=0, number=8, nhs_number="", family_name="Plain")
    for number in (NHS, OTHER_NHS):
        with pytest.raises(AlreadyKnown):
            try_to_admit(hospital, nurse, key(8), {"nhs_number": number})
    pk = Patient.objects.get(identifier="P8").pk
    with pytest.raises(Refused) as refusal:
        try_to_admit(hospital, nurse, key(8), {"nhs_number": NHS}, confirmed=pk)
    assert refusal.value.reason == DO_NOT_FIT


def test_a_taken_bed_or_a_wrong_time_is_said_before_anything_of_a_person(
    hospital: Hospital, nurse: User
) -> None:
    known(hospital, ward=1)
    known(hospital, ward=0, left=False, number=8, nhs_number="")
    for person in (key(), key(9)):
        with pytest.raises(Refused, match="is taken, since 08:00"):
            admit(person=person, place=hospital.beds[0], at=minutes(30), by=nurse)
        with pytest.raises(Refused, match="has not come yet"):
            admit(
                person=person,
                place=hospital.beds[1],
                occurred_at=minutes(90),
                at=minutes(30),
                by=nurse,
            )
    assert Patient.objects.count() == 2


def test_a_readmission_by_name_and_birth_date_is_easy(hospital: Hospital, nurse: User) -> None:
    known(hospital, ward=1)
    with pytest.raises(AlreadyKnown) as ask:
        try_to_admit(hospital, nurse, key(), PROOF)
    assert not ask.value.seen
    episode = try_to_admit(hospital, nurse, key(), PROOF, confirmed=ask.value.record)
    assert episode.patient.identifier == "P7"


def test_a_restricted_record_is_known_to_who_knows_it(hospital: Hospital, nurse: User) -> None:
    known(hospital, ward=0, is_restricted=True)
    with pytest.raises(Refused) as refusal:
        try_to_admit(hospital, nurse, key())
    assert refusal.value.reason == DO_NOT_FIT
    with pytest.raises(AlreadyKnown) as ask:
        try_to_admit(hospital, nurse, key(), PROOF)
    assert not ask.value.seen


def test_a_name_of_signs_alone_proves_nothing(hospital: Hospital, nurse: User) -> None:
    known(hospital, ward=1, family_name="?")
    with pytest.raises(Refused) as refusal:
        try_to_admit(hospital, nurse, key(), {"family_name": "-", "date_of_birth": BORN})
    assert refusal.value.reason == DO_NOT_FIT


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("MÜLLER", "muller"),
        ("O’Brien", "O'BRIEN"),
        ("Smith-Jones", "smith jones"),
        ("Sørensen", "sorensen"),
        ("Łukasz", "lukasz"),
        ("Groß", "GROSS"),
    ],
)
def test_names_are_compared_as_people_say_them(one: str, other: str) -> None:
    assert comparable(one) == comparable(other)
    assert comparable(one) != comparable(other + "x")


# --- one person, one place ----------------------------------------------------------------------


def test_where_somebody_is_hears_only_who_may_see_it(
    hospital: Hospital, nurse: User, manager: User
) -> None:
    known(hospital, ward=1, left=False)
    with pytest.raises(Refused) as refusal:
        try_to_admit(hospital, nurse, key(), PROOF)
    assert refusal.value.reason == ELSEWHERE
    assert "Ward" not in ELSEWHERE
    assert "site manager" in ELSEWHERE
    with pytest.raises(Refused, match="already on Ward 1"):
        try_to_admit(hospital, manager, key())


def test_an_nhs_number_of_somebody_in_a_bed_admits_nobody_else(
    hospital: Hospital, nurse: User, manager: User
) -> None:
    known(hospital, ward=1, left=False)
    for by in (nurse, manager):
        wrong: list[Said] = [{"family_name": "Somebody"}, {"date_of_birth": date(2000, 1, 1)}]
        for said in wrong:
            with pytest.raises(Refused):
                try_to_admit(hospital, by, PersonKey("RYY", "Q1"), {**said, "nhs_number": NHS})
        with pytest.raises(Refused, match=r"already|elsewhere"):
            try_to_admit(hospital, by, PersonKey("RYY", "Q1"), {**PROOF, "nhs_number": NHS})
    assert Patient.objects.count() == 1
    assert Occupancy.objects.filter(period__contains=minutes(30)).count() == 1


def test_an_equal_nhs_number_on_two_records_is_in_one_bed(
    hospital: Hospital, manager: User
) -> None:
    """The feed has two dates of birth, so they count as two people; by hand they are not
    brought into two beds."""
    known(hospital, ward=1, left=False)
    known(hospital, ward=0, number=8, date_of_birth=date(1974, 3, 31))
    pk = Patient.objects.get(identifier="P8").pk
    with pytest.raises(Refused, match="already on Ward 1"):
        try_to_admit(hospital, manager, key(8), confirmed=pk)


def test_joined_records_are_one_person(hospital: Hospital, manager: User) -> None:
    known(hospital, ward=1, left=False)
    known(hospital, ward=0, number=8, nhs_number="")
    old, survivor = Patient.objects.get(identifier="P8"), Patient.objects.get(identifier="P7")
    merge(old=old, survivor=survivor, at=minutes(20), by=manager)
    with pytest.raises(Refused, match="already on Ward 1"):
        try_to_admit(hospital, manager, key(8))


def test_a_known_person_with_another_number_here_is_asked_about(
    hospital: Hospital, nurse: User, manager: User
) -> None:
    known(hospital, ward=1)
    said = {**PROOF, "nhs_number": NHS}
    with pytest.raises(Refused) as refusal:
        try_to_admit(hospital, manager, key(8), said)
    assert refusal.value.reason == ANOTHER_NUMBER
    with pytest.raises(Refused) as refusal:
        try_to_admit(hospital, nurse, key(8), said)
    assert refusal.value.reason == DO_NOT_FIT


def test_a_person_known_elsewhere_gets_a_record_here_that_says_who_it_is(
    hospital: Hospital, manager: User
) -> None:
    known(hospital, ward=1)
    with pytest.raises(AlreadyKnown) as ask:
        try_to_admit(hospital, manager, PersonKey("RYY", "Q1"), {"nhs_number": NHS})
    episode = try_to_admit(
        hospital, manager, PersonKey("RYY", "Q1"), {"nhs_number": NHS}, confirmed=ask.value.record
    )
    patient = episode.patient
    assert (patient.authority, patient.identifier) == ("RYY", "Q1")
    assert patient.person_id == ask.value.record
    assert (patient.family_name, patient.date_of_birth) == (WHO["family_name"], BORN)


def test_an_nhs_number_alone_admits_under_the_number_known_here(
    hospital: Hospital, manager: User
) -> None:
    known(hospital, ward=1)
    pk = Patient.objects.get().pk
    episode = try_to_admit(hospital, manager, None, {"nhs_number": NHS}, confirmed=pk)
    assert episode.patient_id == pk
    discharge(episode=episode, at=minutes(40), by=manager)
    assert Patient.objects.count() == 1


def test_a_refused_admission_leaves_no_record_behind(hospital: Hospital, nurse: User) -> None:
    known(hospital, ward=0, left=False)
    with pytest.raises(Refused, match="is taken"):
        admit(person=key(9), place=hospital.beds[0], at=minutes(30), by=nurse)
    assert not Patient.objects.filter(identifier="P9").exists()


def test_recognising_costs_the_same_however_many_are_known(
    hospital: Hospital, manager: User
) -> None:
    def cost(number: int, bed: Place) -> int:
        with CaptureQueriesContext(connection) as asked:
            admit(
                person=key(number),
                place=bed,
                at=minutes(40),
                by=manager,
                details=Details({"nhs_number": f"99900{number:05}"}),
            )
        return len(asked)

    scope_of(manager)  # read once, and kept
    cost(99, hospital.beds[0])  # beside whom the bed is judged; on an empty ward there is nobody
    few = cost(100, hospital.beds[1])
    for number in range(60):
        record(
            [told(number, MovementKind.ADMITTED, 0, hospital.ward(1), person=key(number))],
            source="feed",
        )
    assert cost(200, hospital.beds[2]) == few


# --- somebody of the same name and date of birth is here ----------------------------------------

SAME: Said = {"family_name": "Müller O'Brien", "given_name": "ivy", "date_of_birth": BORN}


def asked(hospital: Hospital, by: User, said: Said, person: PersonKey | None = None) -> SameName:
    with pytest.raises(SameName) as ask:
        try_to_admit(hospital, by, person, said)
    assert not Movement.objects.filter(source="web").exists()
    return ask.value


@pytest.mark.parametrize(
    "said",
    [SAME, PROOF, {**PROOF, "nhs_number": NHS}, {**SAME, "sex": "male"}],
    ids=["all", "no given name", "a number of nobody's", "another sex"],
)
def test_who_seems_to_be_in_a_bed_already_is_asked_about_and_admitted_as_another(
    hospital: Hospital, nurse: User, said: Said
) -> None:
    known(hospital, ward=0, left=False, nhs_number="")
    ask = asked(hospital, nurse, said)
    [namesake] = ask.namesakes
    assert str(namesake) == "on Ward 0, bed 1"
    assert "is on Ward 0, bed 1 now" in ask.reason
    record_ = Patient.objects.get(identifier="P7")
    assert namesake.record == record_.pk
    assert namesake.episode == Episode.objects.get(patient=record_).pk
    with pytest.raises(SameName):
        try_to_admit(hospital, nurse, None, said, others=[record_.pk + 1])
    episode = try_to_admit(hospital, nurse, None, said, others=[record_.pk])
    assert episode.patient.person_id != record_.person_id
    assert Occupancy.objects.filter(period__contains=minutes(40)).count() == 2


def test_a_new_hospital_number_does_not_keep_from_asking(hospital: Hospital, nurse: User) -> None:
    known(hospital, ward=0, left=False)
    asked(hospital, nurse, SAME, key(8))


@pytest.mark.parametrize(
    "said",
    [
        {**SAME, "given_name": "Ann"},
        {**SAME, "date_of_birth": date(1947, 3, 30)},
        {**SAME, "family_name": "Miller"},
        {**SAME, "nhs_number": OTHER_NHS},
        {"family_name": "Müller O'Brien", "given_name": "Ivy"},
        {"date_of_birth": BORN, "family_name": ""},
    ],
    ids=["given name", "birth date", "family name", "NHS number", "no birth date", "no name"],
)
def test_who_differs_is_admitted_without_a_question(
    hospital: Hospital, nurse: User, said: Said
) -> None:
    known(hospital, ward=0, left=False)
    assert try_to_admit(hospital, nurse, None, said).status == "in_hospital"


def test_who_has_left_is_no_question(hospital: Hospital, nurse: User) -> None:
    known(hospital, ward=0)
    assert try_to_admit(hospital, nurse, None, SAME).status == "in_hospital"


@pytest.mark.parametrize("hidden", ["elsewhere", "restricted"])
def test_nothing_is_said_of_a_namesake_out_of_sight(
    hospital: Hospital, nurse: User, hidden: str
) -> None:
    if hidden == "elsewhere":
        known(hospital, ward=1, left=False)
    else:
        known(hospital, ward=0, left=False, is_restricted=True)
    assert try_to_admit(hospital, nurse, None, SAME).status == "in_hospital"


def test_twins_without_given_names_are_asked_about_together(
    hospital: Hospital, manager: User
) -> None:
    known(hospital, ward=0, left=False, given_name="Ivy", nhs_number="")
    known(hospital, ward=1, left=False, number=8, given_name="Ann", nhs_number="")
    ask = asked(hospital, manager, PROOF)
    assert "People of this name" in ask.reason
    records = [one.record for one in ask.namesakes]
    assert len(records) == 2
    with pytest.raises(SameName) as again:
        try_to_admit(hospital, manager, None, PROOF, others=records[:1])
    assert [one.record for one in again.value.namesakes] == records[1:]
    try_to_admit(hospital, manager, None, PROOF, others=records)


def test_who_was_moved_on_is_in_hospital_without_saying_where(
    hospital: Hospital, nurse: User
) -> None:
    known(hospital, ward=0, left=False)
    moved = told(7, MovementKind.TRANSFERRED, 5, hospital.beds[3], person=key())
    record([moved], source="feed")
    ask = asked(hospital, nurse, SAME)
    assert str(ask.namesakes[0]) == "in hospital"
    assert "Ward 1" not in ask.reason


def test_a_namesake_in_hospital_without_a_place_is_asked_about(
    hospital: Hospital, manager: User, nurse: User
) -> None:
    fact = told(7, MovementKind.ADMITTED, 0, None, person=key(), details=Details(dict(WHO)))
    record([fact], source="feed")
    assert str(asked(hospital, manager, SAME).namesakes[0]) == "in hospital"
    assert try_to_admit(hospital, nurse, None, SAME).status == "in_hospital"
