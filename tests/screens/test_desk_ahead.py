"""Those at the desk who are to come, and when a bed can be wanted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from patients.keys import VisitKey
from tests.screens.desk import in_emergency, request_of
from tests.screens.hospital import Hospital
from tests.screens.test_desk import page, send
from wards.facts import Moved, MovementKind
from wards.models import BedRequest, RequestTerms
from wards.movements import record

FAR = "The bed would be wanted more than 400 days from now. Check the year."


def announce(hospital: Hospital, about: Moved, *, days_ago: int, due: timedelta) -> None:
    """A pre-admission of the same person to the second ward, under a visit of its own."""
    at = hospital.now - timedelta(days=days_ago)
    assert about.visit is not None
    fact = Moved(
        key=f"announced {about.key}",
        sent_at=at,
        person=about.person,
        visit=VisitKey(about.visit.authority, f"E{about.visit.number}"),
        kind=MovementKind.EXPECTED,
        occurred_at=at,
        wanted_ward=hospital.wards[1].pk,
        stay={"expected_at": (hospital.now + due).isoformat(), "admission_method": "11"},
    )
    record([fact], source="feed")


@pytest.mark.parametrize("decided", [False, True])
def test_who_is_expected_has_no_clock_and_no_place_of_another_stay(
    hospital: Hospital, manager: Client, decided: bool
) -> None:
    """Announced nine days ago for tomorrow, and in the emergency department by another visit."""
    fact = hospital.admit(hospital.emergency, ago=timedelta(hours=2), family="Both")
    announce(hospital, fact, days_ago=9, due=timedelta(hours=20))
    if decided:
        hospital.tell(fact, MovementKind.PENDING_ADMIT, wanted=hospital.wards[1])
    shown = page(manager)
    row = shown.split(f'id="need-{BedRequest.objects.get(kind="expected").pk}"')[1]
    row = row.split("</tr>")[0]
    assert "12 h" not in row
    assert " over" not in row
    assert hospital.emergency.name not in row
    assert "Elective" in row
    assert '<div class="figure" data-fact="0"><dt>' in shown  # no clock has run out
    assert shown.count('id="need-') == 1 + decided


@pytest.mark.parametrize("due", ["0026-11-23T12:00", "9999-11-23T12:00", "9999-12-31T23:59"])
def test_a_year_that_cannot_be_meant_is_refused_at_its_field(
    hospital: Hospital, manager: Client, due: str
) -> None:
    request = request_of(in_emergency(hospital, family="Wanted"))
    status, said = send(manager, request, deed="change", priority="2", due_at=due)
    assert status == 422
    assert FAR in said
    assert not RequestTerms.objects.exists()
    soon = (hospital.now + timedelta(days=300)).strftime("%Y-%m-%dT%H:%M")
    assert send(manager, request, deed="change", priority="2", due_at=soon)[0] == 200
