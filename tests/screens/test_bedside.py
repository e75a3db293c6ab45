from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.roles import Role
from patients.keys import Details, PersonKey
from patients.models import Episode, Patient
from tests.screens.hospital import FAMILY, Hospital, add_beds, nhs_number, signed_in, user
from wards.bed_states import close, record_status
from wards.facts import Moved, MovementKind, Place
from wards.models import Bed, Movement, Occupancy, Ward
from wards.movements import record


def held_by(bed: Bed) -> int | None:
    """The episode in the bed now."""
    return (
        Occupancy.objects.filter(bed=bed, period__contains=timezone.now())
        .values_list("episode_id", flat=True)
        .first()
    )


def episode_of(fact: Moved) -> Episode:
    return Episode.objects.get(visit__number=fact.visit.number if fact.visit else "")


def post(client: Client, address: str, **said: object) -> tuple[int, str]:
    response = client.post(f"{address}?fragment=1", said)
    return response.status_code, response.content.decode()


def bed_address(bed: Bed) -> str:
    return f"/beds/{bed.pk}/"


def beds(hospital: Hospital, ward: int = 0) -> list[Bed]:
    return hospital.beds(hospital.wards[ward])


# --- what it shows ------------------------------------------------------------------------------


def test_the_drawer_knows_the_person_the_stay_and_the_movements(
    hospital: Hospital, nurse: Client
) -> None:
    page = nurse.get(bed_address(beds(hospital)[0])).content.decode()
    for said in (FAMILY.upper(), "31 Mar 1947", "Hospital number", "Movements so far", "Admitted"):
        assert said in page


def test_a_visit_number_used_for_two_patients_is_to_be_checked_and_each_has_their_own_way(
    hospital: Hospital, nurse: Client
) -> None:
    first, free = beds(hospital)[4:]
    mine = hospital.admit(first)
    other = replace(
        mine,
        key="the same number again",
        person=PersonKey("RXX", "another"),
        details=Details(),
        place=Place(free.ward_id, free.bay_id, free.pk),
    )
    record([other], source="feed")
    board = nurse.get(f"/wards/{hospital.wards[0].code}/").content.decode()
    assert board.count("Check</span>") == 2
    page = nurse.get(bed_address(free)).content.decode()
    assert "another patient as well" in page
    assert page.count("<span>Admitted: ") == 1


def test_an_observer_sees_the_bed_and_nobody_in_it(hospital: Hospital, observer: Client) -> None:
    page = observer.get(bed_address(beds(hospital)[0])).content.decode()
    assert "not by whom" in page
    for hidden in (FAMILY.upper(), "MRN", "999", "1947", '<form method="post" action="/beds'):
        assert hidden not in page


def test_of_somebody_who_has_left_an_observer_sees_nothing(
    hospital: Hospital, observer: Client
) -> None:
    bed = beds(hospital)[5]
    gone = hospital.admit(bed)
    hospital.tell(gone, MovementKind.DISCHARGED)
    assert FAMILY.upper() not in observer.get(bed_address(bed)).content.decode()


def test_a_restricted_record_stays_closed_in_the_drawer(hospital: Hospital, nurse: Client) -> None:
    bed = beds(hospital)[5]
    hospital.admit(bed, family="Secretname", restricted=True)
    page = nurse.get(bed_address(bed)).content.decode()
    assert "Restricted record" in page
    for hidden in ("SECRETNAME", "1947", "NHS number"):
        assert hidden not in page


def test_a_past_drawer_tells_and_offers_no_deed(hospital: Hospital, nurse: Client) -> None:
    moment = (hospital.now - timedelta(hours=1)).isoformat()
    page = nurse.get(f"{bed_address(beds(hospital)[0])}?{urlencode({'at': moment})}")
    assert FAMILY.upper() in page.content.decode()
    assert b'name="deed"' not in page.content
    refused = nurse.post(
        f"{bed_address(beds(hospital)[0])}?{urlencode({'at': moment})}", {"deed": "discharge"}
    )
    assert refused.status_code == 403


def test_unknown_beds_and_stays_are_pages_that_say_so(hospital: Hospital, nurse: Client) -> None:
    assert nurse.get("/beds/999999/").status_code == 404
    assert nurse.get("/stays/999999/").status_code == 404


def test_the_drawer_asks_as_often_at_sixty_beds_as_at_six(
    hospital: Hospital, nurse: Client
) -> None:
    def cost(bed: Bed) -> int:
        nurse.get("/search/")
        with CaptureQueriesContext(connection) as asked:
            assert nurse.get(f"{bed_address(bed)}?fragment=1").status_code == 200
        return len(asked)

    one, free = beds(hospital)[0], beds(hospital)[5]
    small = (cost(one), cost(free))
    assert max(small) <= 16
    add_beds(hospital.wards[0], 54, first=6)
    hospital.fill(hospital.wards[1], 6)
    for bed in beds(hospital)[6:40]:
        hospital.admit(bed)
    assert (cost(one), cost(free)) == small


# --- deeds --------------------------------------------------------------------------------------


def test_admit_puts_a_new_patient_into_the_bed(hospital: Hospital, nurse: Client) -> None:
    bed = beds(hospital)[5]
    status, said = post(
        nurse,
        bed_address(bed),
        deed="admit",
        episode_seen="",
        hospital_number="MRN777777",
        nhs_number=nhs_number(777),
        family_name="Ramsbottom",
        given_name="Ivy",
        date_of_birth="1939-05-01",
        sex="female",
        occurred_at="",
    )
    assert (status, said) == (200, "Admitted to bed 6.")
    patient = Patient.objects.get(identifier="MRN777777")
    assert (patient.authority, patient.family_name) == ("RXX", "Ramsbottom")
    assert held_by(bed) == Episode.objects.get(patient=patient).pk
    assert Movement.objects.get(patient=patient).by is not None


def test_an_answer_and_its_message_name_nobody(hospital: Hospital, nurse: Client) -> None:
    bed = beds(hospital)[5]
    response = nurse.post(
        bed_address(bed), {"deed": "admit", "episode_seen": "", "family_name": "Ramsbottom"}
    )
    assert response.status_code == 302
    assert response["Location"] == "/wards/TGH-W1/?site=TGH"
    assert "Ramsbottom" not in str(response.headers) + str(response.cookies)
    page = nurse.get(response["Location"]).content.decode()
    assert "Admitted to bed 6." in page


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({}, "Give a hospital number, an NHS number or a family name."),
        ({"nhs_number": "999 123 4560"}, "This is no NHS number"),
        ({"family_name": "X", "date_of_birth": "2999-01-01"}, "still to come"),
        ({"family_name": "X", "date_of_birth": "no date"}, "such as 31/3/1947"),
        ({"family_name": "X", "occurred_at": "2999-01-01T00:00"}, "has not come yet"),
        ({"family_name": "X", "occurred_at": "noonish"}, "such as 21/11/2026 08:00"),
    ],
)
def test_a_refused_admission_keeps_what_was_typed_and_says_why(
    hospital: Hospital, nurse: Client, said: dict[str, str], complaint: str
) -> None:
    bed = beds(hospital)[5]
    typed = {"given_name": "Typed Alreadyname", **said}
    status, page = post(nurse, bed_address(bed), deed="admit", episode_seen="", **typed)
    assert status == 422
    assert "Nothing was recorded" in page
    assert complaint in page
    assert 'value="Typed Alreadyname"' in page
    assert held_by(bed) is None


def test_nobody_is_admitted_twice(hospital: Hospital, nurse: Client) -> None:
    here = hospital.admit(beds(hospital)[4])
    status, page = post(
        nurse,
        bed_address(beds(hospital)[5]),
        deed="admit",
        episode_seen="",
        hospital_number=here.person.value,
    )
    assert status == 422
    assert "already on Ward 1" in page


def test_a_move_within_the_ward_and_its_undoing(hospital: Hospital, nurse: Client) -> None:
    old, new = beds(hospital)[0], beds(hospital)[5]
    episode = held_by(old)
    said = {"deed": "move", "episode_seen": episode, "to": hospital.wards[0].pk, "bed": new.pk}
    assert post(nurse, bed_address(old), **said)[0] == 200
    assert (held_by(old), held_by(new)) == (None, episode)
    movement = Movement.objects.filter(kind=MovementKind.TRANSFERRED).get()
    undo = {"deed": "undo", "episode_seen": episode, "movement": movement.pk}
    assert post(nurse, bed_address(new), **undo) == (200, "Undone: moved.")
    assert (held_by(old), held_by(new)) == (episode, None)
    status, page = post(nurse, bed_address(old), **undo)
    assert status == 422
    assert "cannot be undone any more" in page


def test_a_manager_moves_to_another_ward(hospital: Hospital, manager: Client) -> None:
    old, new = beds(hospital)[0], beds(hospital, 1)[2]
    episode = held_by(old)
    page = manager.get(f"{bed_address(old)}?to={hospital.wards[1].pk}").content.decode()
    assert "Bay A, bed 3" in page
    said = {"deed": "move", "episode_seen": episode, "to": hospital.wards[1].pk, "bed": new.pk}
    assert post(manager, bed_address(old), **said)[0] == 200
    assert held_by(new) == episode


def test_a_nurse_sends_to_another_ward_which_gives_the_bed(
    hospital: Hospital, nurse: Client
) -> None:
    old, other = beds(hospital)[0], hospital.wards[1]
    episode = held_by(old)
    page = nurse.get(f"{bed_address(old)}?to={other.pk}").content.decode()
    assert "bed 3" not in page
    said = {"deed": "move", "episode_seen": episode, "to": other.pk}
    assert post(nurse, bed_address(old), **said, bed=beds(hospital, 1)[2].pk)[0] == 422
    assert post(nurse, bed_address(old), **said, bed="")[0] == 200
    there = Occupancy.objects.get(episode=episode, period__contains=timezone.now())
    assert (there.ward, there.bed) == (other, None)


def test_a_nurse_fetches_who_waits_for_the_ward_and_no_more(
    hospital: Hospital, nurse: Client
) -> None:
    waits = hospital.admit(hospital.emergency)
    hospital.tell(waits, MovementKind.PENDING_TRANSFER, wanted=hospital.wards[0])
    episode = episode_of(waits)
    page = nurse.get(f"/stays/{episode.pk}/").content.decode()
    assert FAMILY.upper() in page
    assert 'value="discharge"' not in page
    bed = beds(hospital)[5]
    said = {"deed": "move", "episode_seen": episode.pk, "to": hospital.wards[0].pk, "bed": bed.pk}
    assert post(nurse, f"/stays/{episode.pk}/", **said)[0] == 200
    assert held_by(bed) == episode.pk


def test_who_lies_on_a_ward_of_others_and_waits_for_nobody_here_is_not_shown(
    hospital: Hospital, nurse: Client
) -> None:
    stranger = hospital.admit(hospital.emergency)
    assert nurse.get(f"/stays/{episode_of(stranger).pk}/").status_code == 403
    elsewhere = hospital.admit(beds(hospital, 1)[0])
    assert nurse.get(f"/stays/{episode_of(elsewhere).pk}/").status_code == 403


def test_somebody_without_a_bed_is_brought_to_a_free_one(hospital: Hospital, nurse: Client) -> None:
    chair = hospital.admit(hospital.wards[0])
    bed = beds(hospital)[5]
    page = nurse.get(bed_address(bed)).content.decode()
    assert "on this ward without a bed" in page
    said = {"deed": "bring", "episode_seen": "", "episode": episode_of(chair).pk}
    assert post(nurse, bed_address(bed), **said) == (200, "Brought to bed 6.")
    assert held_by(bed) == episode_of(chair).pk


def test_discharge_frees_the_bed_and_can_be_undone_from_it(
    hospital: Hospital, nurse: Client
) -> None:
    bed = beds(hospital)[0]
    episode = held_by(bed)
    said = {"deed": "discharge", "episode_seen": episode, "destination": "19"}
    assert post(nurse, bed_address(bed), **said) == (200, "Discharged. The bed is free.")
    assert held_by(bed) is None
    assert episode is not None
    assert Episode.objects.get(pk=episode).discharge_destination == "19"
    page = nurse.get(bed_address(bed)).content.decode()
    assert "Here last" in page
    movement = Movement.objects.get(kind=MovementKind.DISCHARGED)
    undo = {"deed": "undo", "episode_seen": "", "movement": movement.pk}
    assert post(nurse, bed_address(bed), **undo)[0] == 200
    assert held_by(bed) == episode


def test_leave_keeps_the_bed_until_the_patient_is_back(hospital: Hospital, nurse: Client) -> None:
    bed = beds(hospital)[0]
    episode = held_by(bed)
    assert post(nurse, bed_address(bed), deed="leave", episode_seen=episode)[0] == 200
    assert Occupancy.objects.get(bed=bed, period__contains=timezone.now()).on_leave
    page = nurse.get(bed_address(bed)).content.decode()
    assert 'value="return"' in page
    assert 'value="leave"' not in page
    assert post(nurse, bed_address(bed), deed="return", episode_seen=episode)[0] == 200
    assert not Occupancy.objects.get(bed=bed, period__contains=timezone.now()).on_leave


def test_what_a_feed_said_is_not_undone_by_hand(hospital: Hospital, nurse: Client) -> None:
    bed = beds(hospital)[0]
    movement = Movement.objects.filter(bed=bed).get()
    assert b'value="undo"' not in nurse.get(bed_address(bed)).content
    undo = {"deed": "undo", "episode_seen": held_by(bed), "movement": movement.pk}
    assert post(nurse, bed_address(bed), **undo)[0] == 422
    assert held_by(bed) is not None


# --- refusals -----------------------------------------------------------------------------------


def test_who_sees_an_old_picture_moves_nobody(hospital: Hospital, nurse: Client) -> None:
    bed = beds(hospital)[0]
    episode = held_by(bed)
    status, page = post(nurse, bed_address(bed), deed="discharge", episode_seen=999999)
    assert status == 409
    assert "Look again, then decide" in page
    assert held_by(bed) == episode


def test_a_bed_that_was_taken_meanwhile_is_refused_by_name(
    hospital: Hospital, nurse: Client
) -> None:
    bed, target = beds(hospital)[0], beds(hospital)[5]
    episode = held_by(bed)
    hospital.admit(target, ago=timedelta(0))
    said = {"deed": "move", "episode_seen": episode, "to": hospital.wards[0].pk, "bed": target.pk}
    status, page = post(nurse, bed_address(bed), **said)
    assert status == 422
    assert "not free any more" in page
    assert held_by(bed) == episode


def test_a_closed_bed_takes_nobody_and_an_unready_one_says_so(
    hospital: Hospital, nurse: Client
) -> None:
    shut, dirty = beds(hospital)[4], beds(hospital)[5]
    close(bed=shut.pk, reason="infection", since=hospital.now - timedelta(hours=1), by=None)
    record_status(
        bed=dirty.pk,
        status="K",
        occurred_at=hospital.now,
        sent_at=hospital.now,
        source="feed",
        key="dirty",
    )
    page = nurse.get(bed_address(shut)).content.decode()
    assert 'value="admit"' not in page
    assert "Infection" in page
    status, said = post(nurse, bed_address(shut), deed="admit", episode_seen="", family_name="X")
    assert status == 422
    assert "cannot be done here now" in said
    moving = nurse.get(bed_address(beds(hospital)[0])).content.decode()
    assert "bed 6 (to be cleaned)" in moving
    assert "bed 5" not in moving.split('id="move-bed"')[1].split("</select>")[0]


@pytest.mark.parametrize("deed", ["move", "discharge", "leave", "admit", "undo", "nonsense"])
def test_who_may_not_move_patients_moves_none(
    hospital: Hospital, observer: Client, deed: str
) -> None:
    bed = beds(hospital)[0]
    episode = held_by(bed)
    count = Movement.objects.count()
    assert post(observer, bed_address(bed), deed=deed, episode_seen=episode)[0] == 403
    stranger = signed_in(user("stranger", Role.WARD_NURSE, ward=hospital.wards[1]))
    assert post(stranger, bed_address(bed), deed=deed, episode_seen=episode)[0] == 403
    assert Movement.objects.count() == count


def test_a_ward_out_of_reach_is_no_place_to_move_to(hospital: Hospital, nurse: Client) -> None:
    bed = beds(hospital)[0]
    episode = held_by(bed)
    far = Ward.objects.create(
        site=hospital.site, code="HID", name="Hidden", kind=Ward.Kind.UNRECOGNISED
    )
    said = {"deed": "move", "episode_seen": episode, "to": far.pk, "bed": ""}
    assert post(nurse, bed_address(bed), **said)[0] == 403
    assert Occupancy.objects.get(episode=episode).ward == hospital.wards[0]


def test_an_unknown_deed_is_refused_politely(hospital: Hospital, nurse: Client) -> None:
    bed = beds(hospital)[0]
    status, page = post(nurse, bed_address(bed), deed="levitate", episode_seen=held_by(bed))
    assert status == 422
    assert "cannot be done here now" in page


def test_a_forged_post_without_its_token_does_nothing(hospital: Hospital) -> None:
    person = user("careful", Role.SITE_MANAGER, everywhere=True)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    bed = beds(hospital)[0]
    answer = strict.post(bed_address(bed), {"deed": "discharge", "episode_seen": held_by(bed)})
    assert answer.status_code == 403
    assert held_by(bed) is not None
