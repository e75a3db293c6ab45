"""The bed board of a ward: tiles, people without a bed, those who are to come and to go."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.utils import timezone

from flow.boards import Sight, ward_board
from patients.models import Patient
from tests.flow.places import HOUR, START, Hospital, ask, beds_of, make_episode, put, span
from wards.models import Bed, BedStatus, Closure, Movement, Opening, Ward

pytestmark = pytest.mark.django_db

ALL = Sight(patients=None)
NOBODY = Sight()


def test_a_clash_shows_on_the_bed_and_on_the_newcomer() -> None:
    hospital = Hospital()
    bed = beds_of(hospital.ward)[0]
    put(hospital.ward, bed)
    put(hospital.ward, start=START)
    put(hospital.ward, wanted=bed, start=START + HOUR)
    board = ward_board(hospital.ward, now=timezone.now(), sight=NOBODY)
    tiles = [t for bay in board.bays for t in bay.beds]
    assert [t.id for t in tiles if t.clash] == [bed.pk]
    assert [o.wanted_bed for o in board.bedless] == [bed.label, ""]
    assert board.ward.figures.clashes == 1


def test_a_tile_says_since_when_and_why() -> None:
    hospital = Hospital()
    left, closed, dirty, spare, taken, told = beds_of(hospital.ward)
    put(hospital.ward, left, start=START, end=START + 2 * HOUR)
    put(hospital.ward, taken, start=START + HOUR)
    Closure.objects.create(
        ward=hospital.ward, bed=closed, reason="estates", note="Tap", period=span(START + HOUR)
    )
    Bed.objects.filter(pk=spare.pk).update(funding="escalation")
    for bed, letter in ((dirty, "K"), (told, "C")):
        BedStatus.objects.create(
            bed=bed,
            status=letter,
            occurred_at=START + 3 * HOUR,
            sent_at=START + 3 * HOUR,
            source="test",
            key=letter,
        )
    board = ward_board(hospital.ward, now=timezone.now(), sight=NOBODY)
    tiles = {t.id: t for bay in board.bays for t in bay.beds}
    assert {key: (t.state, t.since) for key, t in tiles.items()} == {
        left.pk: ("available", START + 2 * HOUR),
        closed.pk: ("closed", START + HOUR),
        dirty.pk: ("unready", START + 3 * HOUR),
        spare.pk: ("not_opened", None),
        taken.pk: ("occupied", START + HOUR),
        told.pk: ("closed", START + 3 * HOUR),
    }
    assert (tiles[closed.pk].closed_reason, tiles[closed.pk].closed_note) == ("estates", "Tap")
    Opening.objects.create(bed=spare, period=span(START + 4 * HOUR))
    again = ward_board(hospital.ward, now=timezone.now(), sight=NOBODY)
    opened = next(t for bay in again.bays for t in bay.beds if t.id == spare.pk)
    assert (opened.state, opened.since) == ("available", START + 4 * HOUR)
    assert again.ward.figures.beds_escalation == 1


def test_what_is_announced_of_a_patient_stands_on_the_tile() -> None:
    hospital = Hospital()
    bed = beds_of(hospital.ward)[0]
    episode = put(hospital.ward, bed).episode
    ask(episode, "discharge", origin=hospital.ward, since=START + HOUR)
    # A bed elsewhere is asked for under another visit of the same person.
    onward = make_episode(patient=episode.patient, admitted_at=None)
    ask(onward, "admit", target=hospital.community, since=START + 2 * HOUR)
    board = ward_board(hospital.ward, now=timezone.now(), sight=NOBODY)
    occupant = next(t.occupant for bay in board.bays for t in bay.beds if t.occupant)
    assert occupant.pending_discharge == START + HOUR
    assert occupant.pending_transfer == START + 2 * HOUR
    assert occupant.transfer_to is not None
    assert occupant.transfer_to.code == hospital.community.code
    assert board.incoming == ()
    other = ward_board(hospital.community, now=timezone.now(), sight=NOBODY)
    assert other.incoming[0].origin is not None
    assert other.incoming[0].origin.id == hospital.ward.pk


def expect(ward: Ward, *, at: datetime, kind: str = "expected", hours: float = 0) -> Movement:
    episode = make_episode(admitted_at=None, expected_at=at)
    return tell(episode_visit=episode.visit_id, ward=ward, kind=kind, at=START + hours * HOUR)


def tell(*, episode_visit: int, ward: Ward | None, kind: str, at: datetime) -> Movement:
    patient = Patient.objects.get(visits=episode_visit)
    return Movement.objects.create(
        visit_id=episode_visit,
        patient=patient,
        kind=kind,
        occurred_at=at,
        sent_at=at,
        source="test",
        key=f"{kind}{episode_visit}",
        ward=ward,
    )


def test_announced_arrivals_are_shown_until_they_come_or_are_called_off() -> None:
    hospital = Hospital()
    late = expect(hospital.ward, at=START + 5 * HOUR)
    soon = expect(hospital.ward, at=START + 2 * HOUR)
    expect(hospital.ward, at=START + 100 * HOUR)  # too far ahead
    expect(hospital.ward, at=START - 30 * HOUR)  # too long overdue
    expect(hospital.other, at=START + 2 * HOUR)
    tell(
        episode_visit=late.visit_id,
        ward=None,
        kind="cancelled_expected",
        at=START + 3 * HOUR,
    )
    late.visit.episodes.update(status="cancelled")

    def expected(hours: float) -> list[int]:
        board = ward_board(
            hospital.ward, now=START + 9 * HOUR, at=START + hours * HOUR, sight=NOBODY
        )
        return [one.episode for one in board.expected]

    [first], [second] = (list(m.visit.episodes.values_list("pk", flat=True)) for m in (soon, late))
    assert expected(1) == [first, second]
    assert expected(4) == [first]
    soon.visit.episodes.update(status="in_hospital", admitted_at=START + 2 * HOUR)
    assert expected(1) == [first, second]
    assert expected(2) == [second]
    live = ward_board(hospital.ward, now=START + 1 * HOUR, sight=NOBODY)
    assert live.expected == ()


def test_a_restricted_record_shows_nothing_but_that() -> None:
    hospital = Hospital()
    episode = put(hospital.ward).episode
    Patient.objects.filter(pk=episode.patient_id).update(is_restricted=True)
    board = ward_board(hospital.ward, now=timezone.now(), sight=ALL)
    face = board.bedless[0].face
    assert face is not None
    assert (face.restricted, face.name, face.nhs_number, face.identifier) == (True, "", "", "")


def test_a_merged_record_shows_the_details_that_count() -> None:
    hospital = Hospital()
    old, new = put(hospital.ward).episode.patient, make_episode().patient
    Patient.objects.filter(pk=old.pk).update(merged_into=new, person=new)
    board = ward_board(hospital.ward, now=timezone.now(), sight=ALL)
    face = board.bedless[0].face
    assert face is not None
    assert (face.patient, face.identifier) == (new.pk, new.identifier)
