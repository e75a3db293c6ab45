"""Who is ready to leave, on the tiles of a ward: now, at a past moment, and as known then."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from flow.boards import Sight, ward_board
from patients.code_loading import built_in, load_codes
from patients.models import Episode
from tests.screens.hospital import Hospital, add_beds, build, signed_in, user
from wards.barriers import Said
from wards.models import Ward
from wards.rounds import Found, review

ALL = Sight(patients=None)
HOUR = timedelta(hours=1)

Told = tuple[datetime | None, int | None]


@pytest.fixture
def hospital(db: None) -> Hospital:
    load_codes(built_in())
    made = build(wards=1)
    made.fill(made.wards[0], 2)
    return made


@pytest.fixture
def nurse(hospital: Hospital) -> User:
    return user("nurse", Role.WARD_NURSE, ward=hospital.wards[0])


def stays(hospital: Hospital) -> list[Episode]:
    here = Episode.objects.filter(occupancies__ward=hospital.wards[0], status="in_hospital")
    return list(here.order_by("occupancies__bed__position"))


def told(
    hospital: Hospital,
    *,
    sight: Sight = ALL,
    at: datetime | None = None,
    known_at: datetime | None = None,
) -> list[Told]:
    ward = Ward.objects.select_related("site").get(pk=hospital.wards[0].pk)
    board = ward_board(ward, now=timezone.now(), sight=sight, at=at, known_at=known_at)
    people = [tile.occupant for bay in board.bays for tile in bay.beds if tile.occupant]
    return [(one.ready_since, one.pathway) for one in people]


def test_a_tile_says_since_when_and_by_which_pathway(hospital: Hospital, nurse: User) -> None:
    one, two = stays(hospital)
    first, second, third = (hospital.now - hours * HOUR for hours in (3, 2, 1))
    review(episode=one, found=Found(criteria=[], pathway=2), said=Said(first, nurse))
    review(episode=two, found=Found(criteria=["oxygen"], pathway=1), said=Said(first, nurse))
    assert told(hospital) == [(first, 2), (None, None)]
    assert told(hospital, sight=Sight()) == [(None, None)] * 2, "to who sees no patients"
    review(episode=one, found=Found(pathway=3), said=Said(second, nurse))
    assert told(hospital) == [(first, 3), (None, None)]
    review(episode=one, found=Found(criteria=["oxygen"]), said=Said(third, nurse))
    assert told(hospital) == [(None, None)] * 2
    assert told(hospital, at=third - HOUR / 2) == [(first, 3), (None, None)]
    assert told(hospital, at=second - HOUR / 2) == [(first, 2), (None, None)]
    assert told(hospital, at=first - HOUR / 2) == [(None, None)] * 2


@pytest.mark.django_db(transaction=True)
def test_as_known_then_a_tile_does_not_know_what_was_told_later(
    hospital: Hospital, nurse: User
) -> None:
    [one, _] = stays(hospital)
    began, later = hospital.now - 3 * HOUR, hospital.now - 2 * HOUR
    before = timezone.now()
    review(episode=one, found=Found(criteria=[], pathway=1), said=Said(began, nurse))
    after = timezone.now()
    review(episode=one, found=Found(pathway=2), said=Said(later, nurse))
    at = hospital.now - HOUR
    assert told(hospital, at=at, known_at=before) == [(None, None)] * 2
    assert told(hospital, at=at, known_at=after) == [(began, 1), (None, None)]
    assert told(hospital, at=at) == [(began, 2), (None, None)]


def test_the_ward_page_marks_it_in_words_for_who_sees_patients(
    hospital: Hospital, nurse: User
) -> None:
    one = stays(hospital)[0]
    said = Said(hospital.now - 3 * HOUR, nurse)
    review(episode=one, found=Found(criteria=[], pathway=2), said=said)
    page = signed_in(nurse).get("/wards/TGH-W1/").content.decode()
    assert page.count('class="ready"') == 1
    assert "by pathway </span>P2" in page
    assert "P0 to P3 for the pathway" in page, "and the list of keys explains it"
    observer = signed_in(user("counts", Role.OBSERVER, everywhere=True))
    assert 'class="ready"' not in observer.get("/wards/TGH-W1/").content.decode()


def test_the_board_asks_as_often_whoever_is_ready(hospital: Hospital, nurse: User) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            told(hospital)
        return len(asked)

    small = cost()
    ward = hospital.wards[0]
    add_beds(ward, 54, first=6)
    for bed in hospital.beds(ward)[2:]:
        hospital.admit(bed)
    for episode in stays(hospital)[::2]:
        review(episode=episode, found=Found(criteria=[]), said=Said(hospital.now, nurse))
    assert cost() == small
