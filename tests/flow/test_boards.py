"""The boards: what they show agrees with the census, with the past, and with what may be seen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flow import census, feeds
from flow.boards import FeedState, Sight, SystemBoard, site_board, system_board, ward_board
from flow.counts import count
from flow.figure_types import Figures
from flow.moment import Moment
from flow.trends import last_day
from tests.flow import worlds
from tests.flow.places import (
    HOUR,
    START,
    Hospital,
    ask,
    beds_of,
    make_site,
    make_ward,
    put,
    span,
)
from wards.models import Bed, Occupancy, Site, Ward

pytestmark = pytest.mark.django_db

ALL = Sight(patients=None)
NOBODY = Sight()


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds.worlds(), st.integers(0, worlds.LAST))
def test_a_ward_board_shows_what_the_census_counts(world: worlds.World, at: int) -> None:
    with worlds.written(world) as rows:
        moment, states = worlds.hour(at), worlds.slow_states(world, at)
        counts = {c.ward: c for c in count(Moment(moment))}
        for number, ward in enumerate(rows.wards):
            board = ward_board(ward, now=moment, at=moment, sight=ALL)
            assert board.ward.figures == counts[ward.pk].figures
            assert board.ward.longest_wait == counts[ward.pk].longest_wait
            tiles = {tile.id: tile for bay in board.bays for tile in bay.beds}
            for place, bed in enumerate(world.beds):
                if bed.ward != number:
                    continue
                tile = tiles.pop(rows.beds[place].pk, None)
                assert (tile.state if tile else states[place]) == states[place]
                assert tile or states[place] in ("", "unlisted")
            assert not tiles
            shown = [t.occupant for bay in board.bays for t in bay.beds if t.occupant]
            here = [s for s in world.stays if s.ward == number and s.span.holds(at)]
            everybody = [o.episode for o in (*shown, *board.bedless)]
            assert sorted(everybody) == sorted(rows.episodes[s.person].pk for s in here)
            assert all(o.face is not None for o in (*shown, *board.bedless))


def in_use(world: worlds.World, ward: int, at: int, figures: Figures) -> bool:
    """Whether lists show it: it has a bed in use, never had one, or somebody is concerned."""
    beds = [b for b in world.beds if b.ward == ward and b.recognised and b.alias_of is None]
    now = [b for b in beds if b.in_use is None or b.in_use.holds(at)]
    people = figures.patients + figures.waiting + figures.waiting_out + figures.pending_discharges
    return not beds or bool(now) or people > 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds.worlds(), st.integers(0, worlds.LAST))
def test_the_sites_of_the_system_add_up(world: worlds.World, at: int) -> None:
    with worlds.written(world) as rows:
        moment = worlds.hour(at)
        board = system_board(now=moment, at=moment, sight=NOBODY)
        site = site_board(rows.wards[0].site, now=moment, at=moment, sight=NOBODY)
        counts = {c.ward: c.figures for c in count(Moment(moment))}
        used = [n for n in range(worlds.WARDS) if in_use(world, n, at, counts[rows.wards[n].pk])]
        assert [line.figures for line in site.wards] == [counts[rows.wards[n].pk] for n in used]
        assert [one for one in board.sites if one.id == site.site.id] == [site.site][: len(used)]
        line = site.site
        everything = line.sums.everything.figures
        assert everything.patients == sum(counts[w.pk].patients for w in rows.wards)
        assert everything.waiting == len(site.waiting)
        assert board.sums.head.figures.beds_open == sum(
            one.figures.beds_open for one in board.sites
        )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds.worlds(), st.integers(0, 60))
def test_the_trend_of_the_last_day_is_the_count_of_each_quarter(
    world: worlds.World, minutes: int
) -> None:
    with worlds.written(world) as rows:
        moment = START + timedelta(minutes=minutes)
        wards, site = [w.pk for w in rows.wards], rows.wards[0].site
        trend = last_day([site.pk], wards=wards, moment=Moment(moment))[site.pk]
        full = START + timedelta(minutes=minutes - minutes % 15)
        assert trend.start == full - timedelta(hours=24)
        assert len(trend.occupied) == 97
        for number, occupied in enumerate(trend.occupied):
            at = Moment(trend.start + number * trend.step)
            assert occupied == sum(c.figures.beds_occupied for c in count(at, wards=wards))


def test_a_withdrawn_ward_is_listed_while_it_has_beds_or_patients() -> None:
    hospital = Hospital()
    new = make_ward(hospital.site)  # described, and without beds so far
    community = Bed.objects.filter(ward=hospital.community)
    withdrawn = Bed.objects.filter(ward=hospital.ward) | community
    withdrawn.update(in_use=span(START - 90 * HOUR, START))

    def listed(at: datetime) -> tuple[set[int], set[str]]:
        board = site_board(hospital.site, now=START + 9 * HOUR, at=at, sight=ALL)
        system = system_board(now=START + 9 * HOUR, at=at, sight=ALL)
        return {line.place.id for line in board.wards}, {site.code for site in system.sites}

    everything = {hospital.ward.pk, hospital.other.pk, hospital.emergency.pk, new.pk}
    both = {hospital.site.code, hospital.community_site.code}
    assert listed(START - HOUR) == (everything, both)
    assert listed(START) == (everything - {hospital.ward.pk}, {hospital.site.code})
    put(hospital.ward, start=START + HOUR, end=START + 3 * HOUR)
    assert hospital.ward.pk in listed(START + 2 * HOUR)[0]
    assert hospital.ward.pk not in listed(START + 3 * HOUR)[0]
    # Somebody who is to come there must be seen to wait.
    ask(put(hospital.other, start=START).episode, target=hospital.ward, since=START + 4 * HOUR)
    assert hospital.ward.pk in listed(START + 5 * HOUR)[0]


@pytest.fixture
def _no_watch() -> Iterator[None]:
    kept = list(feeds._watches)
    feeds._watches.clear()
    yield
    feeds._watches[:] = kept


def large_site(beds: int) -> tuple[Site, Ward]:
    site = make_site()
    ward, other = make_ward(site, beds=beds), make_ward(site, kind="emergency")
    for bed in beds_of(ward):
        put(ward, bed)
        going = put(other).episode
        ask(going, origin=other, target=ward)
    return site, ward


@pytest.mark.usefixtures("_no_watch")
@pytest.mark.parametrize("live", [True, False])
def test_no_board_asks_more_queries_for_more_beds(live: bool) -> None:
    numbers = []
    for beds in (6, 60):
        site, ward = large_site(beds)
        site = Site.objects.select_related("organisation").get(pk=site.pk)
        ward = Ward.objects.select_related("site").get(pk=ward.pk)
        now = timezone.now()
        at = None if live else START
        counted = []
        for board in (
            partial(system_board, now=now, at=at, sight=ALL),
            partial(site_board, site, now=now, at=at, sight=ALL),
            partial(ward_board, ward, now=now, at=at, sight=ALL),
        ):
            with CaptureQueriesContext(connection) as queries:
                board()
            counted.append(len(queries))
        numbers.append(counted)
    assert numbers[0] == numbers[1]
    assert all(a <= b for a, b in zip(numbers[0], (7, 9, 6), strict=True))


def test_a_past_board_is_the_board_of_that_time() -> None:
    hospital = Hospital()
    first, second = beds_of(hospital.ward)[:2]
    put(hospital.ward, first, start=START, end=START + 2 * HOUR)
    put(hospital.ward, second, start=START + HOUR)
    now = START + 5 * HOUR
    board = ward_board(hospital.ward, now=now, at=START + HOUR, sight=ALL)
    assert not board.live
    assert board.moment == START + HOUR
    assert board.ward.figures.beds_occupied == 2
    assert not board.ward.figures.stale
    live = ward_board(hospital.ward, now=now, sight=ALL)
    assert live.live
    assert live.ward.figures.beds_occupied == 1


@pytest.mark.django_db(transaction=True)
def test_a_board_as_known_then_does_not_know_what_came_later() -> None:
    hospital = Hospital()
    bed, other = beds_of(hospital.ward)[:2]
    occupancy = put(hospital.ward, bed)
    knew = timezone.now()
    Occupancy.objects.filter(pk=occupancy.pk).update(bed=other, wanted_bed=other)
    put(hospital.ward)  # somebody who was there, but was told of late
    moved = timezone.now()
    Occupancy.objects.filter(pk=occupancy.pk).delete()

    def taken(known_at: datetime | None) -> tuple[list[int], int]:
        board = ward_board(
            hospital.ward, now=timezone.now(), at=START, known_at=known_at, sight=ALL
        )
        beds = [t.id for bay in board.bays for t in bay.beds if t.occupant]
        assert board.ward.figures.patients == len(beds) + len(board.bedless)
        system = system_board(now=timezone.now(), at=START, known_at=known_at, sight=ALL)
        assert system.sums.everything.figures.patients == board.ward.figures.patients
        return beds, board.ward.figures.patients

    assert taken(knew) == ([bed.pk], 1)
    assert taken(moved) == ([other.pk], 2)
    assert taken(None) == ([], 1)
    assert taken(knew - timedelta(hours=1)) == ([], 0)


def test_patients_are_shown_only_where_the_viewer_may_see_them() -> None:
    hospital = Hospital()
    put(hospital.ward, beds_of(hospital.ward)[0])
    put(hospital.ward)
    coming = put(hospital.emergency).episode
    ask(coming, origin=hospital.emergency, target=hospital.ward)
    now = timezone.now()

    def faces_seen(sight: Sight) -> list[bool]:
        board = ward_board(hospital.ward, now=now, sight=sight)
        tile = next(t for bay in board.bays for t in bay.beds if t.occupant)
        assert tile.occupant is not None
        site = site_board(hospital.site, now=now, sight=sight)
        faces = [tile.occupant.face, board.bedless[0].face]
        faces += [board.incoming[0].face, site.waiting[0].face]
        return [face is not None for face in faces]

    assert faces_seen(NOBODY) == [False] * 4
    assert faces_seen(ALL) == [True] * 4
    assert faces_seen(Sight(patients=frozenset({hospital.ward.pk}))) == [True] * 4
    assert faces_seen(Sight(patients=frozenset({hospital.emergency.pk}))) == [
        False,
        False,
        True,
        True,
    ]


def test_wards_out_of_sight_are_in_no_figure() -> None:
    hospital = Hospital()
    for ward in (hospital.ward, hospital.other, hospital.community):
        put(ward, beds_of(ward)[0])
    now = timezone.now()
    sight = Sight(counts=frozenset({hospital.ward.pk}))
    board = system_board(now=now, sight=sight)
    assert [site.id for site in board.sites] == [hospital.site.pk]
    assert board.sums.head.figures.beds_occupied == 1
    assert [node.patients for node in board.flow.nodes if node.node == "wards"] == [1]
    site = site_board(hospital.site, now=now, sight=sight)
    assert [line.place.id for line in site.wards] == [hospital.ward.pk]
    assert site.site.trend.occupied[-1] == 1


def test_beds_of_emergency_departments_are_not_among_the_beds_of_a_site() -> None:
    hospital = Hospital()
    put(hospital.emergency, beds_of(hospital.emergency)[0])
    waiting = put(hospital.emergency).episode
    ask(waiting, origin=hospital.emergency)
    line = site_board(hospital.site, now=timezone.now(), sight=NOBODY).site
    assert (line.figures.beds_open, line.figures.beds_occupied) == (12, 0)
    assert line.emergency is not None
    assert (line.emergency.beds_open, line.emergency.patients) == (4, 2)
    assert line.sums.everything.figures.beds_open == 16
    assert line.sums.everything.figures.waiting == 1
    assert line.sums.everything.longest_wait == START


def test_wards_only_a_feed_knows_are_shown_apart() -> None:
    hospital = Hospital()
    unknown = make_ward(hospital.site, kind="unrecognised")
    known_now = make_ward(hospital.site, kind="unrecognised")
    Ward.objects.filter(pk=known_now.pk).update(same_as=hospital.ward)
    put(unknown)
    now = timezone.now()
    for board in (
        system_board(now=now, sight=NOBODY),
        site_board(hospital.site, now=now, sight=NOBODY),
    ):
        assert [line.place.id for line in board.unrecognised] == [unknown.pk]
        assert board.unrecognised[0].figures.patients == 1
        sums = board.sums if isinstance(board, SystemBoard) else board.site.sums
        assert sums.everything.figures.patients == 0


@pytest.mark.usefixtures("_no_watch")
def test_figures_are_stale_while_the_feeds_of_the_site_are_silent() -> None:
    hospital, now = Hospital(), timezone.now()
    heard = now - timedelta(hours=1)
    feeds.register(lambda _: {hospital.site.pk: FeedState(heard, silent=True)})
    board = system_board(now=now, sight=NOBODY)
    lines = {line.id: line for line in board.sites}
    assert lines[hospital.site.pk].figures.stale
    assert lines[hospital.site.pk].feed == FeedState(heard, silent=True)
    assert not lines[hospital.community_site.pk].figures.stale
    assert board.sums.head.figures.stale
    assert ward_board(hospital.ward, now=now, sight=NOBODY).ward.figures.stale
    past = ward_board(hospital.ward, now=now, at=heard, sight=NOBODY)
    assert (past.ward.figures.stale, past.feed) == (False, None)


def test_old_figures_are_stale() -> None:
    hospital, now = Hospital(), timezone.now()
    figures = count(Moment(now - timedelta(seconds=181)), wards=[hospital.ward.pk])[0].figures
    assert census.aged(figures, now=now, silent=False).stale
    assert not census.aged(figures, now=now - timedelta(seconds=1), silent=False).stale
