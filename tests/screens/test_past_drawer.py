"""The drawer of a past moment knows of nothing that came later."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

from django.test import Client
from django.utils import timezone

from flow.bedside_reads import stay_of
from patients.keys import Details, PersonKey, VisitKey
from patients.models import Episode
from tests.screens.hospital import Hospital
from wards.facts import MovementKind, Place
from wards.models import Movement
from wards.movements import record

HOUR = timedelta(hours=1)


def test_movements_so_far_end_with_the_moment(hospital: Hospital, nurse: Client) -> None:
    bed, later = hospital.beds(hospital.wards[0])[4:6]
    stay = hospital.admit(bed, ago=5 * HOUR)
    place = Place(later.ward_id, later.bay_id, later.pk)
    hospital.tell(stay, MovementKind.TRANSFERRED, ago=2 * HOUR, place=place)
    past = "?" + urlencode({"at": (hospital.now - 3 * HOUR).isoformat()})
    page = nurse.get(f"/beds/{bed.pk}/{past}").content.decode()
    assert "Movements so far" in page
    assert "Admitted: Ward 1" in page
    assert "Moved: Ward 1" not in page
    assert "Moved: Ward 1" in nurse.get(f"/beds/{later.pk}/").content.decode()


def test_movements_as_known_then_are_those_that_had_been_recorded(hospital: Hospital) -> None:
    stay = hospital.admit(hospital.beds(hospital.wards[0])[4])
    assert stay.visit is not None
    episode = Episode.objects.get(visit__number=stay.visit.number)
    knew = timezone.now()
    hospital.tell(stay, MovementKind.PENDING_DISCHARGE)
    known, then = (
        stay_of(episode.pk, at=hospital.now, known_at=known_at) for known_at in (None, knew)
    )
    assert known is not None
    assert then is not None
    assert [line.what for line in known.lines] == ["Discharge announced", "Admitted"]
    assert [line.what for line in then.lines] == ["Admitted"]


def test_the_drawer_of_a_board_as_known_then_is_as_known_then(
    hospital: Hospital, nurse: Client
) -> None:
    bed = hospital.beds(hospital.wards[0])[0]
    moment = timezone.now().isoformat()
    episode = Episode.objects.get(occupancies__bed=bed)
    about = Movement.objects.select_related("visit").get(visit=episode.visit_id)
    later = replace(
        hospital.admit(hospital.emergency),
        key="later",
        visit=VisitKey("RXX", about.visit.number),
        person=PersonKey(about.patient.authority, about.patient.identifier),
        details=Details({}),
        kind=MovementKind.PENDING_DISCHARGE,
        place=None,
    )
    record([later], source="feed")
    for known, told in (("", True), ("&known=then", False)):
        page = nurse.get(f"/beds/{bed.pk}/?{urlencode({'at': moment})}{known}").content.decode()
        assert "Admitted: Ward 1" in page
        assert ("Discharge announced" in page) is told
