"""What a source says without the visit number, or with times that cannot be, finds its stay."""

from __future__ import annotations

from itertools import count

import pytest

from accounts.models import User
from patients.models import Episode
from tests.wards.hospital import Hospital, build, minutes, whereabouts
from wards.facts import Fact, Moved, MovementKind, PersonKey, Place, VisitKey
from wards.models import Belonging
from wards.movements import Refused, admit, discharge, record, transfer

pytestmark = pytest.mark.django_db

PERSON = PersonKey("T", "P1")
V1, V2 = VisitKey("T", "V1"), VisitKey("T", "V2")
ACCOUNT = VisitKey("T account", "A1")
KEYS = count()


@pytest.fixture
def hospital() -> Hospital:
    return build()


def said(
    kind: str,
    at: float,
    visit: VisitKey | None = None,
    place: Place | None = None,
    *,
    sent: float | None = None,
    alias: VisitKey | None = None,
    admitted: float | None = None,
) -> Moved:
    return Moved(
        key=f"s{next(KEYS)}",
        sent_at=minutes(at if sent is None else sent),
        person=PERSON,
        kind=MovementKind(kind),
        occurred_at=minutes(at),
        visit=visit,
        alias=alias,
        place=place,
        admitted_at=None if admitted is None else minutes(admitted),
    )


def stays(*facts: Fact, source: str = "feed") -> list[tuple[object, ...]]:
    """Number of the visit, status, beginning and end of each stay, in time order."""
    record(facts, source=source)
    rows = Episode.objects.order_by("admitted_at", "pk").values_list(
        "visit__number", "status", "admitted_at", "discharged_at"
    )
    return list(rows)


def test_an_update_without_a_number_makes_no_second_stay(hospital: Hospital) -> None:
    bed = hospital.beds[0]
    found = stays(
        said("admitted", 0, V1, bed),
        said("observed", 60, None, bed),
        said("discharged", 120, V1),
    )
    assert found == [("V1", "discharged", minutes(0), minutes(120))]
    assert [row[6] for row in whereabouts()] == [minutes(120)]


def test_a_move_without_a_number_moves_the_numbered_stay(hospital: Hospital) -> None:
    one, other = hospital.beds[0], hospital.beds[4]
    stays(said("admitted", 0, V1, one), said("transferred", 60, None, other))
    assert [(row[0], row[3], row[5], row[6]) for row in whereabouts()] == [
        ("V1", one.bed, minutes(0), minutes(60)),
        ("V1", other.bed, minutes(60), None),
    ]


def test_a_discharge_without_a_number_ends_the_numbered_stay(hospital: Hospital) -> None:
    found = stays(said("admitted", 0, V1, hospital.beds[0]), said("discharged", 90))
    assert found == [("V1", "discharged", minutes(0), minutes(90))]


def test_a_discharge_taken_back_without_a_number_stands_no_more(hospital: Hospital) -> None:
    found = stays(
        said("admitted", 0, V1, hospital.beds[0]),
        said("discharged", 90, V1),
        said("cancelled_discharge", 95),
    )
    assert found == [("V1", "in_hospital", minutes(0), None)]


def test_what_came_before_the_number_joins_its_stay(hospital: Hospital) -> None:
    bed = hospital.beds[0]
    found = stays(
        said("admitted", 0, None, bed),
        said("observed", 30, None, bed),
        said("transferred", 60, V1, hospital.beds[1]),
    )
    assert found == [("V1", "in_hospital", minutes(0), None)]
    assert Belonging.objects.count() == 2


def test_the_same_admission_told_with_and_without_the_number_is_one(hospital: Hospital) -> None:
    bed = hospital.beds[0]
    found = stays(said("admitted", 0, None, bed), said("observed", 60, V1, bed, admitted=0))
    assert found == [("V1", "in_hospital", minutes(0), None)]


def test_an_admission_at_another_time_is_a_stay_of_its_own(hospital: Hospital) -> None:
    found = stays(
        said("admitted", 0, V1, hospital.beds[0]),
        said("discharged", 60, V1),
        said("admitted", 120, None, hospital.beds[1]),
        said("observed", 130, None, hospital.beds[1]),
    )
    assert found == [
        ("V1", "discharged", minutes(0), minutes(60)),
        ("", "in_hospital", minutes(120), None),
    ]


def test_a_stay_without_a_number_ends_when_a_numbered_one_begins(hospital: Hospital) -> None:
    found = stays(
        said("admitted", 0, None, hospital.beds[0]), said("admitted", 120, V1, hospital.beds[1])
    )
    assert found == [
        ("", "discharged", minutes(0), minutes(120)),
        ("V1", "in_hospital", minutes(120), None),
    ]
    assert Episode.objects.get(visit__number="").flags == ["discharge_inferred"]


def test_a_discharge_from_the_ward_left_is_not_of_the_stay_begun_elsewhere(
    hospital: Hospital,
) -> None:
    emergency, ward = Place(hospital.wards[0]), hospital.beds[3]
    found = stays(
        said("admitted", 0, V1, emergency),
        said("admitted", 120, V2, ward),
        said("discharged", 125, None, emergency),
    )
    assert found == [
        ("V1", "discharged", minutes(0), minutes(125)),
        ("V2", "in_hospital", minutes(120), None),
    ]


def test_an_account_number_is_another_name_of_the_visit(hospital: Hospital) -> None:
    bed = hospital.beds[0]
    found = stays(
        said("admitted", 0, V1, bed, alias=ACCOUNT),
        said("observed", 30, ACCOUNT, bed),
        said("discharged", 60, ACCOUNT),
    )
    assert found == [("V1", "discharged", minutes(0), minutes(60))]


def test_an_account_of_two_visits_means_the_one_that_was_open(hospital: Hospital) -> None:
    found = stays(
        said("admitted", 0, V1, hospital.beds[0], alias=ACCOUNT),
        said("discharged", 60, ACCOUNT),
        said("admitted", 120, V2, hospital.beds[1], alias=ACCOUNT),
        said("transferred", 130, ACCOUNT, hospital.beds[2]),
    )
    assert found == [
        ("V1", "discharged", minutes(0), minutes(60)),
        ("V2", "in_hospital", minutes(120), None),
    ]
    assert whereabouts()[-1][3] == hospital.beds[2].bed


def test_another_source_without_numbers_speaks_for_itself(hospital: Hospital) -> None:
    record([said("admitted", 0, V1, hospital.beds[0])], source="one feed")
    found = stays(said("observed", 60, None, hospital.beds[1]), source="another feed")
    assert [row[:2] for row in found] == [("V1", "in_hospital"), ("", "in_hospital")]


def test_after_a_cancelled_admission_a_sighting_puts_nobody_in_a_bed(hospital: Hospital) -> None:
    found = stays(
        said("admitted", 0, V1, hospital.beds[0]),
        said("cancelled_admit", 10, V1),
        said("observed", 20, None, hospital.beds[0], sent=5),
    )
    assert [row[:2] for row in found] == [("V1", "cancelled")]
    assert whereabouts() == []


def test_what_was_recorded_of_a_stay_goes_with_it_when_its_number_is_told(
    hospital: Hospital,
) -> None:
    bed = hospital.beds[0]
    record([said("admitted", 0, None, bed)], source="feed")
    before = Episode.objects.get()
    found = stays(said("transferred", 60, V1, hospital.beds[1]))
    assert found == [("V1", "in_hospital", minutes(0), None)]
    assert not Episode.objects.filter(pk=before.pk).exists()


def test_a_clock_that_runs_behind_does_not_keep_somebody_in_bed(hospital: Hospital) -> None:
    found = stays(
        said("admitted", 5, V1, hospital.beds[0], sent=5),
        said("discharged", 3, V1, hospital.beds[0], sent=60),
    )
    assert found == [("V1", "discharged", minutes(5), minutes(5))]
    assert Episode.objects.get().flags == ["discharge_before_admission"]
    assert whereabouts() == []


def test_a_late_discharge_of_an_earlier_stay_of_the_number_ends_only_that(
    hospital: Hospital,
) -> None:
    found = stays(
        said("admitted", 600, V1, hospital.beds[0], admitted=600),
        said("discharged", 300, V1, hospital.beds[1], sent=660, admitted=60),
    )
    assert [row[:2] for row in found] == [("V1", "discharged"), ("V1", "in_hospital")]


def test_a_move_after_the_discharge_is_shown_as_doubtful(hospital: Hospital) -> None:
    found = stays(
        said("admitted", 0, V1, hospital.beds[0]),
        said("discharged", 60, V1),
        said("transferred", 90, V1, hospital.beds[1]),
    )
    assert found == [("V1", "discharged", minutes(0), minutes(60))]
    assert Episode.objects.get().flags == ["moved_after_discharge"]


def test_a_move_typed_late_or_taken_back_raises_no_doubt(hospital: Hospital) -> None:
    one, other = hospital.beds[0], hospital.beds[1]
    stays(
        said("admitted", 0, V1, one),
        said("discharged", 60, V1),
        said("transferred", 30, V1, other, sent=90),
    )
    assert Episode.objects.get().flags == []


def test_a_move_before_the_admission_says_so(hospital: Hospital) -> None:
    stays(
        said("transferred", 0, V1, hospital.beds[0]),
        said("admitted", 10, V1, hospital.beds[1]),
    )
    assert Episode.objects.get().flags == ["moved_before_admission"]


def test_a_move_at_the_moment_of_the_admission_raises_no_doubt(hospital: Hospital) -> None:
    stays(
        said("admitted", 0, V1, hospital.beds[0]),
        said("transferred", 0, V1, hospital.beds[1]),
    )
    assert Episode.objects.get().flags == []


def test_a_discharge_dated_ahead_is_but_expected_until_then(hospital: Hospital) -> None:
    stays(said("admitted", 0, V1, hospital.beds[0]), said("discharged", 300, V1, sent=60))
    stay = Episode.objects.get()
    for at, status in ((100, "in_hospital"), (300, "discharged"), (-5, "expected")):
        assert stay.status_at(minutes(at)) == status
        assert {
            one.value
            for one in Episode.Status
            if Episode.objects.filter(Episode.of_status([one], at=minutes(at))).exists()
        } == {status}
    assert Episode.objects.present(at=minutes(299)).exists()
    assert not Episode.objects.present(at=minutes(300)).exists()


def test_somebody_who_is_to_leave_later_can_still_be_moved_and_leave_sooner(
    hospital: Hospital, django_user_model: type[User]
) -> None:
    nurse = django_user_model.objects.create(username="nurse")
    stays(said("admitted", 0, V1, hospital.beds[0]), said("discharged", 300, V1, sent=60))
    stay = Episode.objects.get()
    transfer(episode=stay, place=hospital.beds[1], at=minutes(100), by=nurse)
    assert whereabouts()[-1][3] == hospital.beds[1].bed
    discharge(episode=stay, at=minutes(200), by=nurse)
    stay.refresh_from_db()
    assert stay.discharged_at == minutes(200)
    with pytest.raises(Refused, match="not in hospital any more"):
        transfer(episode=stay, place=hospital.beds[2], at=minutes(210), by=nurse)


def test_a_discharge_taken_back_goes_with_its_amendments_but_not_an_earlier_stays(
    hospital: Hospital,
) -> None:
    bed = hospital.beds[0]
    found = stays(
        said("admitted", 0, V1, bed),
        said("discharged", 60, V1),
        said("admitted", 120, V1, bed),
        said("discharged", 180, V1),
        said("discharged", 175, V1, sent=190),
        said("cancelled_discharge", 200, V1),
    )
    assert [row[1:] for row in found] == [
        ("discharged", minutes(0), minutes(60)),
        ("in_hospital", minutes(120), None),
    ]


def test_a_discharge_that_another_source_takes_back_is_doubted(
    hospital: Hospital, django_user_model: type[User]
) -> None:
    nurse = django_user_model.objects.create(username="nurse")
    stays(said("admitted", 0, V1, hospital.beds[0]))
    discharge(episode=Episode.objects.get(), at=minutes(50), by=nurse)
    found = stays(said("discharged", 60, V1), said("cancelled_discharge", 70, V1))
    assert [row[1] for row in found] == ["discharged"]
    assert Episode.objects.get().flags == ["discharge_disputed"]


def test_whoever_is_announced_for_later_keeps_no_bed_from_somebody_who_is_here(
    hospital: Hospital, django_user_model: type[User]
) -> None:
    nurse = django_user_model.objects.create(username="nurse")
    bed = hospital.beds[0]
    stays(said("admitted", 100_000, V1, bed, sent=0))
    here = admit(person=PersonKey("T", "P9"), place=bed, at=minutes(10), by=nurse)
    there = here.occupancies.get()
    assert (there.bed_id, there.period.upper) == (bed.bed, None)


def test_an_alias_said_without_a_number_names_no_other_stay(hospital: Hospital) -> None:
    found = stays(
        said("expected", 0, ACCOUNT),
        said("expected", 0, None, alias=ACCOUNT),
        said("expected", 0, V2, alias=ACCOUNT),
    )
    assert sorted(str(row[0]) for row in found) == ["", "V2"]
