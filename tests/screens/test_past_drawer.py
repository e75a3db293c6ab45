"""The drawer of a past moment knows of nothing that came later."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from django.test import Client
from django.utils import timezone

from flow.bedside_reads import stay_of
from patients.models import Episode
from tests.screens.hospital import Hospital
from wards.facts import MovementKind, Place

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
