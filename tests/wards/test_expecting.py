"""Somebody is announced by hand, held a bed, and comes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import pytest

from accounts.models import User
from accounts.roles import Role
from patients.keys import Details, PersonKey, VisitKey
from patients.models import Episode, Patient
from wards import movements, requests, reservations
from wards.barriers import Said
from wards.expecting import Coming
from wards.facts import Moved, MovementKind, Place
from wards.models import BedRequest, Grant, Movement, Occupancy, Override, Reservation, Ward
from wards.movements import AlreadyKnown, Refused, SameName
from wards.placing import Unsuitable
from wards.requests import Terms
from wards.rule_books import keep_book
from wards.suitability.defaults import EXAMPLE

from .hospital import START, Hospital, build, minutes

pytestmark = pytest.mark.django_db

Described = Mapping[str, str | date]
NHS = "9990000018"
BORN = date(1947, 3, 31)
WHO: Described = {
    "family_name": "Winter",
    "given_name": "Ada",
    "date_of_birth": BORN,
    "sex": "female",
}


@pytest.fixture
def hospital() -> Hospital:
    return build()


@pytest.fixture
def manager() -> User:
    return User.objects.create_superuser("manager", password="x")


def expected(
    hospital: Hospital,
    by: User,
    *,
    person: PersonKey | None = None,
    who: Described | None = None,
    ward: int = 0,
    key: str = "",
    confirmed: int | None = None,
    others: tuple[int, ...] = (),
    due: int = 120,
    at: datetime = START,
) -> BedRequest:
    return movements.expect(
        coming=Coming(
            person=person,
            details=Details(WHO if who is None else who),
            expected_at=minutes(due),
            method="22",
            specialty="general_medicine",
            confirmed=confirmed,
            others=others,
        ),
        ward=Ward.objects.get(pk=hospital.wards[ward]),
        terms=Terms(priority=2, asked_by="GP"),
        said=Said(at, by),
        key=key,
    )


def here(episode: Episode) -> Occupancy | None:
    return Occupancy.objects.filter(episode=episode, period__endswith__isnull=True).first()


def test_somebody_new_is_expected_and_comes_to_a_bed(hospital: Hospital, manager: User) -> None:
    made = expected(hospital, manager)
    assert (made.kind, made.ward_id) == ("expected", hospital.wards[0])
    stay = made.episode
    assert stay.status == Episode.Status.EXPECTED
    assert (stay.expected_at, stay.admission_method) == (minutes(120), "22")
    assert requests.terms_of(made) == Terms(priority=2, asked_by="GP", specialty="general_medicine")
    came = movements.come(episode=stay, place=hospital.beds[1], at=minutes(100), by=manager)
    assert came.kind == "admitted"
    stay.refresh_from_db()
    assert (stay.status, stay.admitted_at) == (Episode.Status.IN_HOSPITAL, minutes(100))
    place = here(stay)
    assert place is not None
    assert place.bed_id == hospital.beds[1].bed
    made.refresh_from_db()
    assert made.period.upper == minutes(100)


def test_the_bed_that_is_held_for_them_is_taken_up(hospital: Hospital, manager: User) -> None:
    made = expected(hospital, manager)
    bed = hospital.beds[0].bed
    assert bed is not None
    held = reservations.reserve(request=made, bed=bed, said=Said(minutes(1), manager))
    with pytest.raises(Refused, match="held for somebody else"):
        movements.admit(
            person=None,
            details=Details({"family_name": "Other"}),
            place=hospital.beds[0],
            at=minutes(2),
            by=manager,
        )
    movements.come(episode=made.episode, place=hospital.beds[0], at=minutes(60), by=manager)
    held.refresh_from_db()
    assert held.status == Reservation.Status.USED


def test_they_may_come_to_the_ward_without_a_bed(hospital: Hospital, manager: User) -> None:
    made = expected(hospital, manager)
    movements.come(episode=made.episode, place=Place(hospital.wards[0]), at=minutes(60), by=manager)
    place = here(made.episode)
    assert place is not None
    assert (place.ward_id, place.bed_id) == (hospital.wards[0], None)


def test_coming_is_undone_and_they_are_expected_again(hospital: Hospital, manager: User) -> None:
    made = expected(hospital, manager)
    came = movements.come(episode=made.episode, place=hospital.beds[0], at=minutes(60), by=manager)
    movements.cancel(movement=came, at=minutes(61), by=manager)
    made.episode.refresh_from_db()
    assert made.episode.status == Episode.Status.EXPECTED
    assert here(made.episode) is None
    made.refresh_from_db()
    assert made.period.upper is None


def test_nobody_comes_twice_or_after_it_was_taken_back(hospital: Hospital, manager: User) -> None:
    made = expected(hospital, manager)
    movements.come(episode=made.episode, place=hospital.beds[0], at=minutes(60), by=manager)
    with pytest.raises(Refused, match="not expected any more"):
        movements.come(episode=made.episode, place=hospital.beds[1], at=minutes(61), by=manager)
    other = expected(hospital, manager, who={**WHO, "family_name": "Frost"})
    requests.withdraw(request=other, said=Said(minutes(5), manager), reason="Cancelled")
    with pytest.raises(Refused, match="not expected any more"):
        movements.come(episode=other.episode, place=hospital.beds[1], at=minutes(62), by=manager)


def test_a_bed_that_is_taken_refuses_and_changes_nothing(hospital: Hospital, manager: User) -> None:
    made = expected(hospital, manager)
    movements.admit(
        person=None,
        details=Details({"family_name": "Other"}),
        place=hospital.beds[0],
        at=minutes(1),
        by=manager,
    )
    before = Movement.objects.count()
    with pytest.raises(Refused, match="is taken"):
        movements.come(episode=made.episode, place=hospital.beds[0], at=minutes(60), by=manager)
    assert Movement.objects.count() == before


def test_who_is_known_is_confirmed_and_not_described_anew(
    hospital: Hospital, manager: User
) -> None:
    stay = movements.admit(
        person=PersonKey("RXX", "P7"),
        details=Details({**WHO, "nhs_number": NHS}),
        place=hospital.beds[0],
        at=START,
        by=manager,
    )
    movements.discharge(episode=stay, at=minutes(1), by=manager)
    asked = {**WHO, "nhs_number": NHS, "given_name": "Eve"}
    with pytest.raises(AlreadyKnown) as known:
        expected(hospital, manager, who=asked, at=minutes(2))
    assert known.value.differs == ("given_name",)
    people = Patient.objects.count()
    made = expected(hospital, manager, who=asked, confirmed=known.value.record, at=minutes(2))
    assert made.episode.patient_id == stay.patient_id
    assert made.episode.pk != stay.pk
    assert Patient.objects.count() == people
    assert Patient.objects.get(pk=stay.patient_id).given_name == "Ada"
    with pytest.raises(Refused, match="are expected on"):
        expected(hospital, manager, who=asked, confirmed=known.value.record, at=minutes(2))


def test_who_is_here_is_moved_and_not_expected(hospital: Hospital, manager: User) -> None:
    movements.admit(
        person=PersonKey("RXX", "P7"),
        details=Details({**WHO, "nhs_number": NHS}),
        place=hospital.beds[0],
        at=START,
        by=manager,
    )
    with pytest.raises(Refused, match="is already on"):
        expected(hospital, manager, who={**WHO, "nhs_number": NHS}, ward=1)
    with pytest.raises(SameName) as same:
        expected(hospital, manager, ward=1)
    record = same.value.namesakes[0].record
    assert expected(hospital, manager, ward=1, others=(record,)).episode.patient_id != record


@pytest.mark.parametrize("by", ["hand", "feed", "decision"])
def test_who_is_expected_already_is_asked_about(hospital: Hospital, manager: User, by: str) -> None:
    if by == "hand":
        expected(hospital, manager)
    else:
        announce(hospital, MovementKind.EXPECTED if by == "feed" else MovementKind.PENDING_ADMIT)
    first = BedRequest.objects.get()
    with pytest.raises(SameName, match="is expected on Ward 0 at ") as same:
        expected(hospital, manager, who={**WHO, "given_name": "ADA"}, ward=1, at=minutes(1))
    assert "change that request instead" in same.value.reason
    assert BedRequest.objects.count() == 1
    [one] = same.value.namesakes
    assert (one.request, one.record) == (first.pk, first.episode.patient_id)
    made = expected(hospital, manager, ward=1, others=(one.record,), at=minutes(1))
    assert made.episode.patient.person_id != first.episode.patient.person_id


def announce(hospital: Hospital, kind: MovementKind, *, restricted: bool = False) -> None:
    """A feed announces somebody of the same name on the first ward."""
    fact = Moved(
        key="told",
        sent_at=START,
        person=PersonKey("RXX", "P7"),
        details=Details({**WHO, "nhs_number": NHS, "is_restricted": restricted}),
        kind=kind,
        occurred_at=START,
        visit=VisitKey("RXX", "V7"),
        wanted_ward=hospital.wards[0],
        stay={"expected_at": minutes(120).isoformat()},
    )
    movements.record([fact], source="feed")


@pytest.mark.parametrize("other", [{"given_name": "Eve"}, {"date_of_birth": date(1947, 3, 30)}])
def test_others_who_are_expected_are_no_question(
    hospital: Hospital, manager: User, other: Described
) -> None:
    expected(hospital, manager)
    assert expected(hospital, manager, who={**WHO, **other}).pk
    gone = BedRequest.objects.earliest("pk")
    requests.withdraw(request=gone, said=Said(minutes(5), manager), reason="Cancelled")
    assert expected(hospital, manager, at=minutes(6)).pk


@pytest.mark.parametrize("hidden", ["elsewhere", "restricted"])
def test_nothing_is_said_of_who_is_expected_out_of_sight(hospital: Hospital, hidden: str) -> None:
    announce(hospital, MovementKind.EXPECTED, restricted=hidden == "restricted")
    nurse = User.objects.create(username="nurse")
    mine = 1 if hidden == "elsewhere" else 0
    Grant.objects.create(user=nurse, role=Role.WARD_NURSE, ward_id=hospital.wards[mine])
    assert expected(hospital, nurse, ward=mine, at=minutes(1)).pk


def test_numbers_of_people_out_of_sight_tell_nothing(hospital: Hospital, manager: User) -> None:
    stay = movements.admit(
        person=PersonKey("RXX", "P7"),
        details=Details({**WHO, "nhs_number": NHS}),
        place=hospital.beds[3],
        at=START,
        by=manager,
    )
    movements.discharge(episode=stay, at=minutes(1), by=manager)
    nurse = User.objects.create(username="nurse")
    Grant.objects.create(user=nurse, role=Role.WARD_NURSE, ward_id=hospital.wards[0])
    with pytest.raises(Refused, match="do not belong together"):
        expected(hospital, nurse, who={"nhs_number": NHS})


def test_the_same_key_is_done_once(hospital: Hospital, manager: User) -> None:
    one = expected(hospital, manager, key="k1")
    assert expected(hospital, manager, key="k1").pk == one.pk
    first = movements.come(
        episode=one.episode, place=hospital.beds[0], at=minutes(60), by=manager, key="k2"
    )
    again = movements.come(
        episode=one.episode, place=hospital.beds[0], at=minutes(61), by=manager, key="k2"
    )
    assert again.pk == first.pk


@pytest.mark.parametrize(("due", "words"), [(-1500, "a day ago"), (700_000, "a year ahead")])
def test_a_slip_in_the_date_is_refused(
    hospital: Hospital, manager: User, due: int, words: str
) -> None:
    with pytest.raises(Refused, match=words):
        expected(hospital, manager, due=due)
    assert not Patient.objects.exists()


def test_rules_hold_for_those_who_come(hospital: Hospital, manager: User) -> None:
    keep_book(site=None, book=EXAMPLE, valid_from=START - timedelta(days=1), by=None)
    ward = Ward.objects.get(pk=hospital.wards[0])
    ward.bays.update(sex=Ward.Sex.MALE)
    made = expected(hospital, manager)
    with pytest.raises(Unsuitable) as refused:
        movements.come(episode=made.episode, place=hospital.beds[0], at=minutes(60), by=manager)
    assert "bay_sex" in {one.code for one in refused.value.findings}
    movements.come(
        episode=made.episode,
        place=hospital.beds[0],
        at=minutes(60),
        by=manager,
        reason="No other bed",
    )
    kept = Override.objects.get(rule="bay_sex")
    assert (kept.deed, kept.breach, kept.reason) == ("admit", "mixed_sex", "No other bed")
