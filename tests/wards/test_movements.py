"""Deeds by hand: done as asked or refused with a reason, and everything they leave behind."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.roles import Role
from patients.keys import Details, PersonKey, VisitKey
from patients.models import Episode, Patient
from tests.wards.hospital import Hospital, build, minutes, whereabouts
from wards import bed_states
from wards.facts import Joined, Moved, MovementKind, Place, VisitJoined
from wards.models import DirtyWard, Grant, Movement, Occupancy
from wards.movements import (
    Refused,
    admit,
    cancel,
    discharge,
    leave,
    merge,
    record,
    return_,
    swap,
    transfer,
    unmerge,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def hospital() -> Hospital:
    return build()


@pytest.fixture
def nurse() -> User:
    made = User.objects.create(username="nurse")
    Grant.objects.create(user=made, role=Role.WARD_NURSE, everywhere=True)
    return made


def admitted(hospital: Hospital, nurse: User, number: int = 0, bed: int | None = None) -> Episode:
    place = hospital.beds[number if bed is None else bed]
    return admit(
        person=PersonKey("T", f"P{number}"),
        place=place,
        occurred_at=minutes(0),
        at=minutes(1),
        by=nurse,
        details=Details({"family_name": f"Person {number}"}),
    )


def spots(episode: Episode) -> list[tuple[int, int | None, object, object]]:
    rows = Occupancy.objects.filter(episode=episode).order_by("period")
    return [(r.ward_id, r.bed_id, r.period.lower, r.period.upper) for r in rows]


def told(number: int, kind: MovementKind, at: float, place: Place | None, **more: object) -> Moved:
    values: dict[str, object] = {
        "key": f"{number}-{kind}-{at}",
        "sent_at": minutes(at),
        "person": PersonKey("T", f"P{number}"),
        "kind": kind,
        "occurred_at": minutes(at),
        "visit": VisitKey("T", f"V{number}"),
        "place": place,
    }
    return Moved(**{**values, **more})  # type: ignore[arg-type]


def test_a_stay_from_admission_to_discharge(hospital: Hospital, nurse: User) -> None:
    a, b = hospital.beds[0], hospital.beds[4]
    episode = admitted(hospital, nurse)
    transfer(episode=episode, place=b, occurred_at=minutes(60), at=minutes(61), by=nurse)
    leave(episode=episode, occurred_at=minutes(70), at=minutes(70), by=nurse)
    return_(episode=episode, occurred_at=minutes(80), at=minutes(80), by=nurse)
    discharge(
        episode=episode, occurred_at=minutes(90), at=minutes(91), by=nurse, destination="home"
    )
    episode.refresh_from_db()
    assert spots(episode) == [
        (a.ward, a.bed, minutes(0), minutes(60)),
        (b.ward, b.bed, minutes(60), minutes(70)),
        (b.ward, b.bed, minutes(70), minutes(80)),
        (b.ward, b.bed, minutes(80), minutes(90)),
    ]
    assert episode.status == "discharged"
    assert episode.discharged_at == minutes(90)
    assert episode.discharge_destination == "home"
    assert episode.provider is not None
    assert Occupancy.objects.get(on_leave=True).period.lower == minutes(70)


def test_a_taken_bed_is_refused_and_nothing_is_left_behind(hospital: Hospital, nurse: User) -> None:
    admitted(hospital, nurse, 0)
    with pytest.raises(Refused, match=r"Bed 1 on Ward 0 is taken, since 08:00"):
        admit(
            person=PersonKey("T", "P1"),
            place=hospital.beds[0],
            occurred_at=minutes(5),
            at=minutes(5),
            by=nurse,
        )
    with pytest.raises(Refused, match=r"Bed 1 on Ward 0 is taken"):
        admitted(hospital, nurse, 1, bed=0)
    assert Patient.objects.count() == 1
    assert Movement.objects.count() == 1


def test_a_bed_somebody_was_in_later_is_refused(hospital: Hospital, nurse: User) -> None:
    """A back-dated move may not take the bed from whoever came after."""
    first = admitted(hospital, nurse, 0)
    second = admitted(hospital, nurse, 1)
    bed = hospital.beds[5]
    transfer(episode=second, place=bed, occurred_at=minutes(60), at=minutes(60), by=nurse)
    with pytest.raises(Refused, match="is taken for part of this time"):
        transfer(episode=first, place=bed, occurred_at=minutes(30), at=minutes(70), by=nurse)
    assert spots(second)[-1][1] == bed.bed


def test_refusals_say_why(hospital: Hospital, nurse: User) -> None:
    episode = admitted(hospital, nurse)
    with pytest.raises(Refused, match="has not come yet"):
        discharge(episode=episode, occurred_at=minutes(90), at=minutes(10), by=nurse)
    with pytest.raises(Refused, match="before the admission"):
        discharge(episode=episode, occurred_at=minutes(-90), at=minutes(10), by=nurse)
    with pytest.raises(Refused, match="already on Ward 0"):
        admitted(hospital, nurse, 0, bed=2)
    bed_states.close(bed=hospital.beds[1].bed, reason="estates", since=minutes(0), by=nurse)
    with pytest.raises(Refused, match="is closed"):
        transfer(
            episode=episode,
            place=hospital.beds[1],
            occurred_at=minutes(5),
            at=minutes(5),
            by=nurse,
        )
    discharge(episode=episode, occurred_at=minutes(9), at=minutes(10), by=nurse)
    with pytest.raises(Refused, match="not in hospital any more"):
        transfer(
            episode=episode,
            place=hospital.beds[2],
            occurred_at=minutes(20),
            at=minutes(20),
            by=nurse,
        )


def test_a_move_leads_somewhere_else(hospital: Hospital, nurse: User) -> None:
    episode = admitted(hospital, nurse)
    before = whereabouts()
    with pytest.raises(Refused, match="in this bed already"):
        transfer(episode=episode, place=hospital.beds[0], at=minutes(5), by=nurse)
    with pytest.raises(Refused, match="on this ward already"):
        transfer(episode=episode, place=hospital.ward(0), at=minutes(5), by=nurse)
    assert whereabouts() == before
    transfer(episode=episode, place=hospital.ward(1), at=minutes(5), by=nurse)
    transfer(episode=episode, place=hospital.beds[3], at=minutes(6), by=nurse)
    assert spots(episode)[-1][:2] == (hospital.wards[1], hospital.beds[3].bed)


def test_undo_puts_back_what_was(hospital: Hospital, nurse: User) -> None:
    episode = admitted(hospital, nurse)
    before = whereabouts()
    move = transfer(
        episode=episode, place=hospital.beds[1], occurred_at=minutes(5), at=minutes(5), by=nurse
    )
    cancel(movement=move, at=minutes(6), by=nurse)
    assert whereabouts() == before
    with pytest.raises(Refused, match="undone already"):
        cancel(movement=move, at=minutes(7), by=nurse)


def test_undo_is_refused_once_the_bed_is_somebody_elses(hospital: Hospital, nurse: User) -> None:
    episode = admitted(hospital, nurse, 0)
    gone = discharge(episode=episode, occurred_at=minutes(5), at=minutes(5), by=nurse)
    other = admitted(hospital, nurse, 1)
    transfer(episode=other, place=hospital.beds[0], occurred_at=minutes(6), at=minutes(6), by=nurse)
    with pytest.raises(Refused, match="is taken for part of this time"):
        cancel(movement=gone, at=minutes(7), by=nurse)
    episode.refresh_from_db()
    assert episode.status == "discharged"


def test_swap(hospital: Hospital, nurse: User) -> None:
    one, other = admitted(hospital, nurse, 0), admitted(hospital, nurse, 1)
    swap(one=one, other=other, occurred_at=minutes(30), at=minutes(30), by=nurse)
    assert spots(one)[-1][1] == hospital.beds[1].bed
    assert spots(other)[-1][1] == hospital.beds[0].bed


def test_merge_and_unmerge(hospital: Hospital, nurse: User) -> None:
    """While two records are one person, they are in one place; parted, in their own again."""
    admitted(hospital, nurse, 0)
    admitted(hospital, nurse, 1)
    apart = whereabouts()
    old = Patient.objects.get(identifier="P1")
    survivor = Patient.objects.get(identifier="P0")
    merge(old=old, survivor=survivor, at=minutes(10), by=nurse)
    old.refresh_from_db()
    assert old.merged_into == survivor
    assert old.person_id == survivor.person_id
    assert Occupancy.objects.filter(period__contains=minutes(5)).count() == 1
    unmerge(old=old, survivor=survivor, at=minutes(11), by=nurse)
    assert Patient.objects.get(pk=old.pk).merged_into is None
    assert whereabouts() == apart


def test_a_clash_from_a_feed_is_shown_and_heals(hospital: Hospital) -> None:
    bed = hospital.beds[0]
    record(
        [
            told(0, MovementKind.ADMITTED, 0, bed),
            told(1, MovementKind.ADMITTED, 30, bed),
        ],
        source="feed",
    )
    newcomer = Occupancy.objects.get(episode__visit__number="V1")
    assert newcomer.bed_id is None
    assert newcomer.wanted_bed_id == bed.bed
    assert newcomer.ward_id == bed.ward
    # The discharge of the first was only late: the newcomer had the bed all along.
    record([told(0, MovementKind.DISCHARGED, 25, None)], source="feed")
    newcomer = Occupancy.objects.get(episode__visit__number="V1")
    assert (newcomer.bed_id, newcomer.period.lower) == (bed.bed, minutes(30))


def test_a_clash_ends_when_the_first_leaves(hospital: Hospital) -> None:
    bed = hospital.beds[0]
    record(
        [
            told(1, MovementKind.ADMITTED, 30, bed),
            told(0, MovementKind.ADMITTED, 0, bed),
            told(0, MovementKind.DISCHARGED, 45, None),
        ],
        source="feed",
    )
    rows = Occupancy.objects.filter(episode__visit__number="V1").order_by("period")
    assert [(r.bed_id, r.period.lower, r.period.upper) for r in rows] == [
        (None, minutes(30), minutes(45)),
        (bed.bed, minutes(45), None),
    ]


def test_moving_out_of_a_clash_by_hand_gives_the_other_the_bed(
    hospital: Hospital, nurse: User
) -> None:
    bed = hospital.beds[0]
    record(
        [told(0, MovementKind.ADMITTED, 0, bed), told(1, MovementKind.ADMITTED, 30, bed)],
        source="feed",
    )
    holder = Episode.objects.get(visit__number="V0")
    transfer(
        episode=holder, place=hospital.beds[1], occurred_at=minutes(40), at=minutes(41), by=nurse
    )
    healed = Occupancy.objects.get(episode__visit__number="V1", period__upper_inf=True)
    assert healed.bed_id == bed.bed


def test_where_two_stays_of_a_person_overlap_the_later_says_where_they_are(
    hospital: Hospital,
) -> None:
    a, b = hospital.beds[0], hospital.beds[4]
    person = PersonKey("T", "P0")
    record(
        [
            told(0, MovementKind.ADMITTED, 0, a),
            told(1, MovementKind.ADMITTED, 30, b, person=person),
            told(1, MovementKind.DISCHARGED, 60, None, person=person),
        ],
        source="feed",
    )
    assert [(row[0], row[3], row[5], row[6]) for row in whereabouts()] == [
        ("V0", a.bed, minutes(0), minutes(30)),
        ("V0", a.bed, minutes(60), None),
        ("V1", b.bed, minutes(30), minutes(60)),
    ]


def test_an_equal_nhs_number_makes_one_person(hospital: Hospital) -> None:
    number = Details({"nhs_number": "9990000018"})
    record(
        [
            told(0, MovementKind.ADMITTED, 0, hospital.beds[0], details=number),
            told(1, MovementKind.ADMITTED, 30, hospital.beds[1], details=number),
        ],
        source="feed",
    )
    assert Patient.objects.values("person").distinct().count() == 1
    assert Occupancy.objects.filter(period__contains=minutes(40)).count() == 1


def test_the_same_number_with_another_birth_date_is_another_person(hospital: Hospital) -> None:
    facts = [
        told(
            n,
            MovementKind.ADMITTED,
            0,
            hospital.beds[n],
            details=Details({"nhs_number": "9990000018", "date_of_birth": f"195{n}-01-01"}),
        )
        for n in range(2)
    ]
    record(facts, source="feed")
    assert Patient.objects.values("person").distinct().count() == 2


def test_the_database_refuses_two_in_a_bed_and_one_in_two_places(
    hospital: Hospital, nurse: User
) -> None:
    one = Occupancy.objects.get(episode=admitted(hospital, nurse, 0))
    two = Occupancy.objects.get(episode=admitted(hospital, nurse, 1))
    with pytest.raises(IntegrityError, match="one_patient_per_bed"), transaction.atomic():
        Occupancy.objects.filter(pk=two.pk).update(bed=one.bed_id, wanted_bed=one.bed_id)
    two.pk, two.person_id, two.bed_id, two.wanted_bed_id = None, one.person_id, None, None
    with pytest.raises(IntegrityError, match="one_place_per_patient"), transaction.atomic():
        two.save()


def test_movements_cannot_be_edited_or_deleted(hospital: Hospital, nurse: User) -> None:
    admitted(hospital, nurse)
    with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
        Movement.objects.update(reference="changed")
    with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
        Movement.objects.all().delete()


def test_every_change_is_audited_with_who_and_from_where(hospital: Hospital, nurse: User) -> None:
    admitted(hospital, nurse)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pgh_label, pgh_context FROM wards_occupancyevent")
        [(label, context)] = cursor.fetchall()
    assert label == "insert"
    assert f'"user": {nurse.pk}' in context
    assert '"source": "web"' in context


def test_the_wards_touched_are_noted(hospital: Hospital, nurse: User) -> None:
    episode = admitted(hospital, nurse)
    DirtyWard.objects.all().delete()
    transfer(
        episode=episode, place=hospital.beds[4], occurred_at=minutes(5), at=minutes(5), by=nurse
    )
    assert set(DirtyWard.objects.values_list("ward_id", flat=True)) == set(hospital.wards)


def test_a_transfer_costs_the_same_number_of_queries_whoever_else_is_there(
    hospital: Hospital, nurse: User
) -> None:
    counts = []
    for round_ in range(2):
        fact = told(round_, MovementKind.ADMITTED, 0, hospital.beds[round_])
        record([fact], source="feed")
        with CaptureQueriesContext(connection) as captured:
            record(
                [told(round_, MovementKind.TRANSFERRED, 9, hospital.beds[round_ + 3])],
                source="feed",
            )
        counts.append(len(captured))
        record(
            [
                told(100 * (round_ + 1) + n, MovementKind.ADMITTED, 0, hospital.ward(0))
                for n in range(60)
            ],
            source="feed",
        )
    assert counts[0] == counts[1]
    assert counts[0] <= 21


def test_joined_records_need_two_names(hospital: Hospital) -> None:
    key = PersonKey("T", "P0")
    record(
        [
            Joined(key="j", sent_at=minutes(0), person=key, other=key),
            Joined(key="k", sent_at=minutes(0), person=key, other=PersonKey("T", "P1")),
            Joined(key="l", sent_at=minutes(1), person=PersonKey("T", "P1"), other=key),
        ],
        source="feed",
    )
    merged = dict(Patient.objects.values_list("identifier", "merged_into__identifier"))
    assert merged == {"P0": "P1", "P1": None}, "of a circle of merges the oldest falls"


@pytest.mark.parametrize(
    ("plan", "withdrawal"),
    [
        (MovementKind.EXPECTED, MovementKind.CANCELLED_EXPECTED),
        (MovementKind.EXPECTED, MovementKind.CANCELLED_PENDING_ADMIT),
        (MovementKind.PENDING_ADMIT, MovementKind.CANCELLED_PENDING_ADMIT),
    ],
)
def test_a_plan_called_off_is_a_cancelled_episode(
    hospital: Hospital, plan: MovementKind, withdrawal: MovementKind
) -> None:
    record([told(0, plan, 0, None), told(0, withdrawal, 5, None)], source="feed")
    assert Episode.objects.get().status == "cancelled"
    record([told(0, plan, 9, None)], source="feed")
    assert Episode.objects.get().status == "expected"
    record([told(0, MovementKind.ADMITTED, 20, hospital.beds[0])], source="feed")
    assert Episode.objects.get().status == "in_hospital"


def test_a_visit_number_corrected_onto_another_patient(hospital: Hospital) -> None:
    """A visit joins two people for a while: the stays of both count, one by one or together."""
    m3, m0 = PersonKey("T", "M3"), PersonKey("T", "M0")
    a, b, c, d = hospital.beds[:4]

    def joined(number: int, into: str, person: PersonKey) -> VisitJoined:
        return VisitJoined(
            key=f"j{number}",
            sent_at=minutes(number),
            person=person,
            visit=VisitKey("T", into),
            other=VisitKey("T", "V2"),
        )

    facts = [
        told(1, MovementKind.ADMITTED, 0, a, person=m3),
        told(5, MovementKind.ADMITTED, 2880, b, person=m3),
        joined(600, "V1", m3),
        joined(2040, "V4", m0),
        told(4, MovementKind.ADMITTED, 1440, c, person=m0),
        told(4, MovementKind.TRANSFERRED, 2160, d, person=m0),
        told(4, MovementKind.DISCHARGED, 3600, None, person=m0),
    ]
    with transaction.atomic():
        record(facts, source="feed")
        together = whereabouts()
        transaction.set_rollback(True)
    for fact in facts:
        record([fact], source="feed")
    assert whereabouts() == together
    assert [row[0] for row in together].count("V4") == 2


def test_a_date_does_not_replace_the_time_known_within_it(hospital: Hospital) -> None:
    midnight, tomorrow = minutes(-480), minutes(960)
    vague = {"admitted_until": tomorrow.isoformat(), "discharged_until": tomorrow.isoformat()}
    facts = [
        told(0, MovementKind.ADMITTED, 15, hospital.beds[0], admitted_at=minutes(15)),
        told(0, MovementKind.TRANSFERRED, 60, hospital.beds[1]),
        told(0, MovementKind.DISCHARGED, 390, None, discharged_at=minutes(390)),
        told(
            0,
            MovementKind.OBSERVED,
            1500,
            None,
            admitted_at=midnight,
            discharged_at=midnight,
            stay=vague,
        ),
    ]
    record(facts, source="feed")
    episode = Episode.objects.get()
    assert (episode.admitted_at, episode.discharged_at) == (minutes(15), minutes(390))
    assert [row[2:] for row in spots(episode)] == [
        (minutes(15), minutes(60)),
        (minutes(60), minutes(390)),
    ]


def test_a_bed_is_given_back_by_a_visit_of_which_nothing_is_left(hospital: Hospital) -> None:
    """Only a transfer was known of the visit, and it was a mistake."""
    bed = hospital.beds[0]
    record(
        [told(0, MovementKind.TRANSFERRED, 0, bed), told(1, MovementKind.ADMITTED, 5, bed)],
        source="feed",
    )
    assert Occupancy.objects.get(episode__visit__number="V1").bed_id is None
    DirtyWard.objects.all().delete()
    record([told(0, MovementKind.CANCELLED_TRANSFER, 9, None)], source="feed")
    assert not Episode.objects.filter(visit__number="V0").exists()
    assert Occupancy.objects.get(episode__visit__number="V1").bed_id == bed.bed
    assert DirtyWard.objects.filter(ward=bed.ward).exists()
