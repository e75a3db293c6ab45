"""One visit number named for two patients: nobody loses their stay to the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from accounts.models import User
from patients.keys import Details, PersonKey, VisitKey
from patients.models import Episode, Patient
from tests.wards.hospital import Hospital, build, everything, minutes
from wards.facts import Fact, Joined, Moved, MovementKind, Place, VisitGiven, VisitJoined
from wards.models import Occupancy
from wards.movements import (
    admit,
    discharge,
    leave,
    record,
    return_,
    still_here,
    told_again,
)

pytestmark = pytest.mark.django_db

VISIT = VisitKey("T", "V1")


@pytest.fixture
def hospital() -> Hospital:
    return build()


def said(
    patient: str,
    kind: MovementKind,
    at: float,
    place: Place | None = None,
    visit: VisitKey = VISIT,
) -> Moved:
    return Moved(
        key=f"{patient} {kind} {at} {visit.number}",
        sent_at=minutes(at),
        person=PersonKey("T", patient),
        kind=kind,
        occurred_at=minutes(at),
        visit=visit,
        place=place,
    )


def given(patient: str, at: float, visit: VisitKey = VISIT) -> VisitGiven:
    return VisitGiven(
        key=f"given {patient} {at}",
        sent_at=minutes(at),
        person=PersonKey("T", patient),
        visit=visit,
    )


def tell(*facts: Fact) -> None:
    record(list(facts), source="pas")


def stays() -> dict[str, str]:
    return {e.patient.identifier: e.status for e in Episode.objects.select_related("patient").all()}


def beds() -> dict[str, tuple[int | None, int | None]]:
    """Who is in which bed now, and which one they were sent to."""
    rows = Occupancy.objects.filter(period__upper_inf=True)
    return {
        patient: (bed, wanted)
        for patient, bed, wanted in rows.values_list(
            "episode__patient__identifier", "bed_id", "wanted_bed_id"
        )
    }


def test_a_second_admission_takes_nobodys_bed(hospital: Hospital) -> None:
    a, b = hospital.beds[0], hospital.beds[1]
    tell(said("ASH", MovementKind.ADMITTED, 0, a), said("BIRCH", MovementKind.ADMITTED, 10, b))
    assert beds() == {"ASH": (a.bed, a.bed), "BIRCH": (b.bed, b.bed)}
    assert all(e.flags == ["visit_number_shared"] for e in Episode.objects.all())
    tell(said("ASH", MovementKind.TRANSFERRED, 20, hospital.beds[2]))
    tell(said("BIRCH", MovementKind.DISCHARGED, 30))
    assert beds() == {"ASH": (hospital.beds[2].bed, hospital.beds[2].bed)}
    assert stays() == {"ASH": "in_hospital", "BIRCH": "discharged"}


def test_the_same_bed_too_is_a_clash_and_no_exchange(hospital: Hospital) -> None:
    a = hospital.beds[0]
    tell(said("ASH", MovementKind.ADMITTED, 0, a), said("BIRCH", MovementKind.ADMITTED, 10, a))
    assert beds() == {"ASH": (a.bed, a.bed), "BIRCH": (None, a.bed)}


def test_each_keeps_their_own_row(hospital: Hospital) -> None:
    tell(said("ASH", MovementKind.ADMITTED, 20, hospital.beds[0]))
    row = Episode.objects.get().pk
    tell(said("BIRCH", MovementKind.ADMITTED, 10, hospital.beds[1]))
    assert Episode.objects.get(pk=row).patient.identifier == "ASH"


def test_a_taken_back_admission_leaves_the_other(hospital: Hospital) -> None:
    a, b = hospital.beds[0], hospital.beds[1]
    tell(
        said("ASH", MovementKind.ADMITTED, 0, a),
        said("ASH", MovementKind.CANCELLED_ADMIT, 5),
        said("BIRCH", MovementKind.ADMITTED, 10, b),
    )
    assert stays() == {"ASH": "cancelled", "BIRCH": "in_hospital"}
    assert beds() == {"BIRCH": (b.bed, b.bed)}
    assert not any(e.flags for e in Episode.objects.all())


def test_anything_else_said_of_another_corrects_whose_it_is(hospital: Hospital) -> None:
    a, b = hospital.beds[0], hospital.beds[1]
    tell(said("ASH", MovementKind.ADMITTED, 0, a), said("BIRCH", MovementKind.TRANSFERRED, 10, b))
    assert stays() == {"BIRCH": "in_hospital"}
    assert beds() == {"BIRCH": (b.bed, b.bed)}
    tell(said("BIRCH", MovementKind.ADMITTED, 20, b))
    assert stays() == {"BIRCH": "in_hospital"}


def test_a_correction_meets_the_stay_last_spoken_of(hospital: Hospital) -> None:
    a, b = hospital.beds[0], hospital.beds[1]
    tell(
        said("ASH", MovementKind.ADMITTED, 0, a),
        said("BIRCH", MovementKind.ADMITTED, 10, b),
        said("CEDAR", MovementKind.OBSERVED, 20),
    )
    assert beds() == {"ASH": (a.bed, a.bed), "CEDAR": (b.bed, b.bed)}


def test_a_visit_given_away_is_given_with_its_past_but_not_its_future(hospital: Hospital) -> None:
    a, b = hospital.beds[0], hospital.beds[1]
    tell(
        said("ASH", MovementKind.ADMITTED, 0, a),
        said("BIRCH", MovementKind.ADMITTED, 5, b),
        given("CEDAR", 10),
    )
    assert stays() == {"CEDAR": "in_hospital"}
    assert beds() == {"CEDAR": (b.bed, b.bed)}
    tell(said("ASH", MovementKind.ADMITTED, 15, a))
    assert beds() == {"CEDAR": (b.bed, b.bed), "ASH": (a.bed, a.bed)}


def test_a_visit_merged_into_anothers_is_theirs(hospital: Hospital) -> None:
    a, b = hospital.beds[0], hospital.beds[1]
    other = VisitKey("T", "V2")
    tell(
        said("ASH", MovementKind.ADMITTED, 0, a),
        said("BIRCH", MovementKind.ADMITTED, 5, b, other),
        VisitJoined(
            key="join", sent_at=minutes(10), person=PersonKey("T", "BIRCH"), visit=other,
            other=VISIT,
        ),
    )  # fmt: skip
    assert stays() == {"BIRCH": "in_hospital"}
    assert beds() == {"BIRCH": (b.bed, b.bed)}


def test_two_records_that_turn_out_to_be_one_person_have_one_stay(hospital: Hospital) -> None:
    a, b = hospital.beds[0], hospital.beds[1]
    tell(said("ASH", MovementKind.ADMITTED, 0, a), said("BIRCH", MovementKind.ADMITTED, 10, b))
    before = everything()
    ash, birch = PersonKey("T", "ASH"), PersonKey("T", "BIRCH")
    tell(Joined(key="join", sent_at=minutes(20), person=ash, other=birch))
    assert list(stays().values()) == ["in_hospital"]
    assert list(beds().values()) == [(b.bed, b.bed)]
    tell(Joined(key="part", sent_at=minutes(30), person=ash, other=birch, undone=True))
    after = everything()
    assert (after["occupancies"], after["episodes"]) == (before["occupancies"], before["episodes"])


def test_deeds_by_hand_meet_the_stay_they_are_meant_for(hospital: Hospital) -> None:
    nurse = User.objects.create(username="nurse")
    a, b = hospital.beds[0], hospital.beds[1]
    tell(said("ASH", MovementKind.ADMITTED, 0, a))
    birch = admit(person=PersonKey("T", "BIRCH"), place=b, visit=VISIT, at=minutes(10), by=nurse)
    tell(said("BIRCH", MovementKind.TRANSFERRED, 12, b))
    assert birch.patient.identifier == "BIRCH"
    ash = Episode.objects.get(patient__identifier="ASH")
    discharge(episode=ash, at=minutes(20), by=nurse)
    assert beds() == {"BIRCH": (b.bed, b.bed)}


def test_an_earlier_stay_that_resumes_says_so(hospital: Hospital) -> None:
    a, b = hospital.beds[0], hospital.beds[1]
    later = VisitKey("T", "V2")
    tell(
        said("ASH", MovementKind.ADMITTED, 0, a),
        said("ASH", MovementKind.ADMITTED, 10, b, later),
        said("ASH", MovementKind.DISCHARGED, 20, None, later),
    )
    flags = dict(Episode.objects.values_list("visit__number", "flags"))
    assert flags == {"V1": ["resumed"], "V2": []}
    assert beds() == {"ASH": (a.bed, a.bed)}
    tell(said("ASH", MovementKind.DISCHARGED, 10))
    assert not any(e.flags for e in Episode.objects.all())
    assert beds() == {}


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_stay_that_resumes_is_doubted_until_somebody_has_looked(
    hospital: Hospital, by_hand: bool
) -> None:
    a, b = hospital.beds[0], hospital.beds[1]
    later = VisitKey("T", "V2")
    tell(
        said("ASH", MovementKind.ADMITTED, 0, a),
        said("ASH", MovementKind.ADMITTED, 10, b, later),
        said("ASH", MovementKind.DISCHARGED, 20, None, later),
    )
    stay = Episode.objects.get(visit__number="V1")
    if by_hand:
        still_here(episode=stay, at=minutes(30), by=User.objects.create(username="nurse"))
    else:
        tell(said("ASH", MovementKind.OBSERVED, 25, a))
    stay.refresh_from_db()
    assert (stay.status, stay.flags) == ("in_hospital", [])
    assert beds() == {"ASH": (a.bed, a.bed)}


def test_an_equal_nhs_number_with_another_name_takes_nobodys_bed(hospital: Hospital) -> None:
    a, b = hospital.beds[0], hospital.beds[1]
    number = {"nhs_number": "9990000018"}

    def admitted(patient: str, at: float, place: Place, **more: str | date) -> Moved:
        fact = said(patient, MovementKind.ADMITTED, at, place, VisitKey("T", patient))
        return replace(fact, details=Details({**number, **more}))

    tell(admitted("ASH", 0, a, family_name="Ash", date_of_birth=date(1950, 1, 1)))
    tell(admitted("BIRCH", 10, b, family_name="Birch"))
    assert beds() == {"ASH": (a.bed, a.bed), "BIRCH": (b.bed, b.bed)}
    tell(admitted("OTHER", 20, hospital.beds[2], family_name="ÁSH"))
    assert set(beds()) == {"BIRCH", "OTHER"}, "the same name: the same person, elsewhere now"


@pytest.mark.parametrize("returns", [False, True])
@pytest.mark.parametrize("sent_first", [True, False])
def test_the_bed_of_somebody_on_leave_stays_theirs(
    hospital: Hospital, returns: bool, sent_first: bool
) -> None:
    bed = hospital.beds[0]
    birch = said("BIRCH", MovementKind.ADMITTED, 10 if sent_first else 20, bed, VisitKey("T", "V2"))
    tell(said("ASH", MovementKind.ADMITTED, 0, bed), birch)
    tell(said("ASH", MovementKind.LEFT, 15))
    if returns:
        tell(said("ASH", MovementKind.RETURNED, 30))
    assert beds() == {"ASH": (bed.bed, bed.bed), "BIRCH": (None, bed.bed)}
    told_again(Patient.objects.values_list("pk", flat=True))
    assert beds() == {"ASH": (bed.bed, bed.bed), "BIRCH": (None, bed.bed)}
    tell(said("ASH", MovementKind.DISCHARGED, 40))
    assert beds() == {"BIRCH": (bed.bed, bed.bed)}


def test_leave_and_return_are_recorded_although_somebody_was_sent_to_the_bed(
    hospital: Hospital,
) -> None:
    nurse = User.objects.create(username="nurse")
    bed = hospital.beds[0]
    tell(
        said("ASH", MovementKind.ADMITTED, 0, bed),
        said("BIRCH", MovementKind.ADMITTED, 10, bed, VisitKey("T", "V2")),
    )
    ash = Episode.objects.get(patient__identifier="ASH")
    leave(episode=ash, at=minutes(20), by=nurse)
    return_(episode=ash, at=minutes(30), by=nurse)
    assert beds() == {"ASH": (bed.bed, bed.bed), "BIRCH": (None, bed.bed)}


def test_whoever_was_elsewhere_in_between_comes_back_behind_those_who_came_meanwhile(
    hospital: Hospital,
) -> None:
    a, b = hospital.beds[0], hospital.beds[1]
    tell(
        said("ASH", MovementKind.ADMITTED, 0, a),
        said("ASH", MovementKind.TRANSFERRED, 10, b),
        said("BIRCH", MovementKind.ADMITTED, 15, a, VisitKey("T", "V2")),
        said("ASH", MovementKind.TRANSFERRED, 20, a),
    )
    assert beds() == {"ASH": (None, a.bed), "BIRCH": (a.bed, a.bed)}
