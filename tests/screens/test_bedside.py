from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.roles import Role
from patients.keys import Details, PersonKey
from patients.models import Episode, Patient
from tests.pages import of_persons, steady
from tests.screens.hospital import FAMILY, Hospital, add_beds, nhs_number, signed_in, user
from wards.bed_states import close, record_status
from wards.facts import Moved, MovementKind, Place
from wards.models import Bed, Movement, Occupancy, Ward
from wards.movements import record

TODAY = timezone.localdate()
TOMORROW = f"{TODAY + timedelta(days=1)}"
TOO_OLD = f"{(TODAY - timedelta(days=1)).replace(year=TODAY.year - 131, day=1)}"


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
    told = of_persons(page)
    assert "31 Mar 1947" in told
    assert any(said.startswith("999 ") for said in told)


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
    page = steady(observer.get(bed_address(beds(hospital)[0])).content.decode())
    assert "not by whom" in page
    for hidden in (FAMILY.upper(), "MRN", '<form method="post" action="/beds'):
        assert hidden not in page
    assert of_persons(page) == []


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
    page = steady(nurse.get(bed_address(bed)).content.decode())
    assert "Restricted record" in page
    for hidden in ("SECRETNAME", "NHS number"):
        assert hidden not in page
    assert of_persons(page) == []


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
    assert max(small) <= 24
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
        ({"family_name": "X", "date_of_birth": TOMORROW}, "still to come"),
        ({"family_name": "X", "date_of_birth": "1850-06-01"}, "more than 130 years ago"),
        ({"family_name": "X", "date_of_birth": TOO_OLD}, "more than 130 years ago"),
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


# --- admitting somebody known -------------------------------------------------------------------


def known(hospital: Hospital, ward: Ward, family: str = "Pemberton", *, left: bool = True) -> Moved:
    """A patient who lies, or lay until an hour ago, in the fifth bed of the ward."""
    told = hospital.admit(hospital.beds(ward)[4], family=family)
    if left:
        hospital.tell(told, MovementKind.DISCHARGED)
    return told


def admit_by_number(
    client: Client, hospital: Hospital, told: Moved, **said: object
) -> tuple[int, str]:
    number = {"hospital_number": told.person.value, **said}
    address = bed_address(beds(hospital)[5])
    return post(client, address, deed="admit", episode_seen="", **number)


def test_a_number_typed_by_mistake_changes_nobody_and_keeps_what_was_typed(
    hospital: Hospital, nurse: Client
) -> None:
    told = known(hospital, hospital.wards[0])
    before = Patient.objects.values().get(identifier=told.person.value)
    status, page = admit_by_number(
        nurse, hospital, told, family_name="Ramsbottom", date_of_birth="1950-01-01"
    )
    assert status == 422
    assert "Nothing was recorded" in page
    assert "family name and date of birth are known to be different" in page
    assert "Check the number" in page
    assert 'value="Ramsbottom"' in page
    assert 'value="1950-01-01"' in page
    assert Patient.objects.values().get(identifier=told.person.value) == before
    assert held_by(beds(hospital)[5]) is None


def test_somebody_known_is_shown_and_confirmed_before_they_are_admitted(
    hospital: Hospital, nurse: Client
) -> None:
    told = known(hospital, hospital.wards[0])
    record_ = Patient.objects.get(identifier=told.person.value)
    status, page = admit_by_number(nurse, hospital, told, given_name="Otherwise")
    assert status == 422
    assert "This number belongs to" in page
    assert "PEMBERTON" in page.split('id="known"')[1].split("</fieldset>")[0]
    assert "another given name" in page
    assert f'name="confirmed" value="{record_.pk}"' in page
    assert held_by(beds(hospital)[5]) is None
    status, said = admit_by_number(nurse, hospital, told, confirmed=record_.pk)
    assert (status, said) == (200, "Admitted to bed 6.")
    episode = Episode.objects.filter(patient=record_).latest("admitted_at")
    assert held_by(beds(hospital)[5]) == episode.pk
    assert Patient.objects.get(pk=record_.pk).given_name == record_.given_name


def test_a_confirmation_counts_for_the_one_who_was_shown(hospital: Hospital, nurse: Client) -> None:
    one = known(hospital, hospital.wards[0])
    other = known(hospital, hospital.wards[0], "Quigley")
    shown = Patient.objects.get(identifier=one.person.value).pk
    status, page = admit_by_number(nurse, hospital, other, confirmed=shown)
    assert status == 422
    assert "QUIGLEY" in page.split('id="known"')[1]
    assert held_by(beds(hospital)[5]) is None


def test_after_many_misfits_the_page_says_for_how_long_and_keeps_what_was_typed(
    hospital: Hospital, nurse: Client, settings: Settings
) -> None:
    settings.MISFITS_AN_HOUR = 2
    told = known(hospital, hospital.wards[1], left=False)
    for _ in range(2):
        assert "do not belong together" in admit_by_number(nurse, hospital, told)[1]
    status, page = admit_by_number(nurse, hospital, told, given_name="Typedname")
    assert status == 422
    assert "nobody can be admitted by number for 60 min" in page
    assert "Typedname" in page


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("said", [{}, {"family_name": "Wrong", "date_of_birth": "1947-03-31"}])
def test_a_number_tells_a_nurse_nothing_of_patients_of_others(
    hospital: Hospital, nurse: Client, left: bool, said: dict[str, str]
) -> None:
    told = known(hospital, hospital.wards[1], left=left)
    status, page = admit_by_number(nurse, hospital, told, **said)
    assert status == 422
    assert "do not belong together, or they belong to somebody" in page
    errors = page.split('role="alert"')[1].split("</div>")[0]
    for hidden in ("PEMBERTON", "Given", "Ward 2"):
        assert hidden not in errors
    assert of_persons(errors) == []
    assert "PEMBERTON" not in page
    assert 'name="confirmed"' not in page


def test_who_says_name_and_birth_date_rightly_admits_and_then_sees(
    hospital: Hospital, nurse: Client
) -> None:
    told = known(hospital, hospital.wards[1])
    proof = {"family_name": "pémberton", "date_of_birth": "1947-03-31"}
    status, page = admit_by_number(nurse, hospital, told, **proof)
    assert status == 422
    box = page.split('id="known"')[1].split("</fieldset>")[0]
    assert "somebody who is known already" in box
    for hidden in ("PEMBERTON", "Given"):
        assert hidden not in box
    assert of_persons(box) == []
    pk = Patient.objects.get(identifier=told.person.value).pk
    assert admit_by_number(nurse, hospital, told, **proof, confirmed=pk)[0] == 200
    page = nurse.get(bed_address(beds(hospital)[5])).content.decode()
    assert "PEMBERTON, Given" in page


def test_where_an_inpatient_is_hears_who_may_see_it(
    hospital: Hospital, nurse: Client, manager: Client
) -> None:
    told = known(hospital, hospital.wards[1], left=False)
    proof = {"family_name": "Pemberton", "date_of_birth": "1947-03-31"}
    status, page = admit_by_number(nurse, hospital, told, **proof)
    assert status == 422
    assert "an inpatient elsewhere in the system" in page
    assert "Ward 2" not in page
    assert "already on Ward 2" in admit_by_number(manager, hospital, told)[1]


def test_an_nhs_number_in_use_under_another_name_makes_no_second_record(
    hospital: Hospital, nurse: Client, manager: Client
) -> None:
    told = known(hospital, hospital.wards[1], left=False)
    count = Patient.objects.count()
    for client in (nurse, manager):
        status, page = post(
            client,
            bed_address(beds(hospital)[5]),
            deed="admit",
            episode_seen="",
            hospital_number="MRN777777",
            nhs_number=told.details.values["nhs_number"],
            family_name="Ramsbottom",
        )
        assert status == 422
        assert "Check the number" in page
    assert Patient.objects.count() == count
    assert held_by(beds(hospital)[5]) is None


def test_the_second_to_admit_to_a_bed_keeps_what_was_typed_and_chooses_another(
    hospital: Hospital, nurse: Client
) -> None:
    taken, free = beds(hospital)[4:]
    hospital.admit(taken, ago=timedelta(0), family="Faster")
    typed = {"family_name": "Ramsbottom", "given_name": "Ivy", "date_of_birth": "1939-05-01"}
    status, page = post(nurse, bed_address(taken), deed="admit", episode_seen="", **typed)
    assert status == 409
    assert "Somebody else has been put into this bed" in page
    for value in typed.values():
        assert f'value="{value}"' in page
    choice = page.split('id="admit-bed"')[1].split("</select>")[0]
    assert f'value="{free.pk}"' in choice
    assert f'value="{taken.pk}"' not in choice
    seen = held_by(taken)
    status, page = post(nurse, bed_address(taken), deed="admit", episode_seen=seen, **typed)
    assert status == 422
    assert 'value="Ramsbottom"' in page
    status, said = post(
        nurse, bed_address(taken), deed="admit", episode_seen=seen, **typed, bed=free.pk
    )
    assert (status, said) == (200, "Admitted to bed 6.")
    assert held_by(taken) == seen
    assert held_by(free) == Episode.objects.get(patient__family_name="Ramsbottom").pk


# --- moving, leaving, leave ---------------------------------------------------------------------


def test_a_move_has_no_bed_chosen_beforehand(hospital: Hospital, manager: Client) -> None:
    bed = beds(hospital)[0]
    episode = held_by(bed)
    for there, later in ((hospital.wards[0], False), (hospital.wards[1], True)):
        page = manager.get(f"{bed_address(bed)}?to={there.pk}").content.decode()
        choice = page.split('id="move-bed"')[1].split("</select>")[0]
        assert choice.index('<option value="" selected>Choose a bed') < choice.index("bed 6")
        assert ('value="later"' in choice) == later
        said = {"deed": "move", "episode_seen": episode, "to": there.pk}
        status, page = post(manager, bed_address(bed), **said, bed="")
        assert status == 422
        assert "Choose a bed." in page
    said["to"] = hospital.wards[0].pk
    for nowhere in ("later", bed.pk):
        assert post(manager, bed_address(bed), **said, bed=nowhere)[0] == 422
    assert held_by(bed) == episode


def test_who_left_without_a_bed_is_found_and_brought_back(
    hospital: Hospital, nurse: Client, observer: Client
) -> None:
    chair = hospital.admit(hospital.wards[0], family="Bedless")
    episode = episode_of(chair)
    address = f"/stays/{episode.pk}/"
    assert post(nurse, address, deed="discharge", episode_seen=episode.pk)[0] == 200
    found = nurse.post("/search/", {"q": "Bedless"}, follow=True).content.decode()
    assert f'href="{address}"' in found
    assert "left Ward 1" in found
    page = nurse.get(address).content.decode()
    assert "BEDLESS" in page
    assert "Was here" in page
    assert 'value="discharge"' not in page
    assert observer.get(address).status_code == 403
    stranger = signed_in(user("stranger", Role.WARD_NURSE, ward=hospital.wards[1]))
    assert stranger.get(address).status_code == 403
    assert address not in stranger.post("/search/", {"q": "Bedless"}, follow=True).content.decode()
    movement = Movement.objects.get(kind=MovementKind.DISCHARGED, by__isnull=False)
    undo = {"deed": "undo", "episode_seen": "", "movement": movement.pk}
    assert post(stranger, address, **undo)[0] == 403
    assert f'name="movement" value="{movement.pk}"' in page
    assert post(nurse, address, **undo) == (200, "Undone: discharged.")
    assert 'value="discharge"' in nurse.get(address).content.decode()


def test_who_left_long_ago_is_looked_up_and_not_brought_back(
    hospital: Hospital, nurse: Client
) -> None:
    gone = hospital.admit(hospital.wards[0], ago=timedelta(days=30), family="Bedless")
    hospital.tell(gone, MovementKind.DISCHARGED, ago=timedelta(days=8))
    address = f"/stays/{episode_of(gone).pk}/"
    assert "Was here" in nurse.get(address).content.decode()
    assert address not in nurse.post("/search/", {"q": "Bedless"}, follow=True).content.decode()


def test_leave_does_not_begin_the_stay_in_the_bed_anew(hospital: Hospital, nurse: Client) -> None:
    bed = beds(hospital)[0]
    episode = held_by(bed)
    since = Occupancy.objects.get(bed=bed).period.lower
    left = timezone.localtime(hospital.now - timedelta(hours=1)).replace(second=0, microsecond=0)
    went = {"deed": "leave", "episode_seen": episode, "occurred_at": f"{left:%Y-%m-%dT%H:%M}"}

    def shown() -> str:
        page = nurse.get(bed_address(bed)).content.decode()
        return page.split("In this bed since")[1].split("</dd>")[0]

    def tile() -> str:
        board = nurse.get("/wards/TGH-W1/").content.decode()
        return board.split(f'id="bed-{bed.pk}"')[1].split("here for")[1].split("</time>")[0]

    before = shown(), tile()
    assert f"{since:%Y-%m-%dT%H:%M:%SZ}" in before[0]
    assert post(nurse, bed_address(bed), **went)[0] == 200
    assert (shown(), tile()) == before
    page = nurse.get(bed_address(bed)).content.decode()
    assert f"{left:%H:%M}" in page.split("<dt>On leave</dt>")[1].split("</dd>")[0]
    assert post(nurse, bed_address(bed), deed="return", episode_seen=episode)[0] == 200
    assert (shown(), tile()) == before


def test_an_escalation_bed_in_use_is_not_said_to_be_closed(
    hospital: Hospital, nurse: Client
) -> None:
    used, spare = beds(hospital)[0], beds(hospital)[5]
    Bed.objects.filter(pk__in=[used.pk, spare.pk]).update(funding=Bed.Funding.ESCALATION)
    page = nurse.get(bed_address(used)).content.decode()
    assert "it counts as open while somebody is in it" in page
    assert "Not opened" not in page
    assert "Not opened" in nurse.get(bed_address(spare)).content.decode()


def test_sightings_that_repeat_what_was_told_are_not_listed(
    hospital: Hospital, nurse: Client
) -> None:
    bed = beds(hospital)[4]
    told = hospital.admit(bed)
    here = Place(bed.ward_id, bed.bay_id, bed.pk)
    for place in (here, Place(bed.ward_id), None):
        hospital.tell(told, MovementKind.OBSERVED, place=place)
    page = nurse.get(bed_address(bed)).content.decode()
    assert "Admitted: Ward 1, bed 5" in page
    assert "Seen here" not in page
    other = beds(hospital)[5]
    hospital.tell(
        told,
        MovementKind.OBSERVED,
        ago=timedelta(0),
        place=Place(other.ward_id, other.bay_id, other.pk),
    )
    assert "Seen here: Ward 1, bed 6" in nurse.get(bed_address(other)).content.decode()


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
    assert post(nurse, bed_address(old), **said, bed="")[0] == 422
    assert post(nurse, bed_address(old), **said, bed="later")[0] == 200
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
    movement = Movement.objects.get(kind=MovementKind.DISCHARGED, by__isnull=False)
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


# --- somebody of the same name and date of birth is here ----------------------------------------


def admit_new(client: Client, hospital: Hospital, **said: object) -> tuple[int, str]:
    typed = {"deed": "admit", "episode_seen": "", "family_name": "pemberton"}
    born = {"date_of_birth": "1947-03-31"}
    return post(client, bed_address(beds(hospital)[5]), **typed, **born, **said)


def test_a_namesake_in_a_bed_is_asked_about_and_what_was_typed_stays(
    hospital: Hospital, nurse: Client
) -> None:
    here = hospital.admit(beds(hospital)[4], family="Pemberton")
    status, page = admit_new(nurse, hospital, sex="female")
    assert status == 422
    assert "Nothing was recorded yet" in page
    box = page.split('id="namesakes"')[1].split("</fieldset>")[0]
    assert "of this name and date of birth is on Ward 1, bed 5 now" in box
    assert "Is this another person?" in box
    assert f'href="/stays/{episode_of(here).pk}/"' in box
    assert 'value="pemberton"' in page
    assert 'value="1947-03-31"' in page
    assert '<option value="female" selected>' in page
    assert held_by(beds(hospital)[5]) is None
    record_ = Patient.objects.get(identifier=here.person.value)
    assert admit_new(nurse, hospital, others=f"{record_.pk} ")[0] == 200
    assert held_by(beds(hospital)[5]) not in (None, episode_of(here).pk)


@pytest.mark.parametrize("others", ["", "x", "999999999999999999999999", "7 \0"])
def test_an_answer_that_is_none_does_not_count(
    hospital: Hospital, nurse: Client, others: str
) -> None:
    hospital.admit(beds(hospital)[4], family="Pemberton")
    assert admit_new(nurse, hospital, others=others)[0] == 422
    assert held_by(beds(hospital)[5]) is None


def test_a_namesake_on_a_ward_out_of_sight_is_not_told_of(
    hospital: Hospital, nurse: Client
) -> None:
    hospital.admit(beds(hospital, 1)[0], family="Pemberton")
    assert admit_new(nurse, hospital)[0] == 200


@pytest.mark.parametrize("number", ["\u200b\u200b", "---", "\u200b."])
def test_a_hospital_number_that_nobody_can_read_is_refused(
    manager: Client, hospital: Hospital, number: str
) -> None:
    status, page = admit_new(manager, hospital, hospital_number=number)
    assert status == 422
    assert "it has no letter or digit" in page
