"""The census of the present: nothing is lost, nothing is counted twice, no worker is needed."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import close_old_connections, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, DjangoDbBlocker

from flow import census, tasks
from flow.counts import count
from flow.models import WardCensus
from flow.moment import Moment
from live.doorbell import version
from tests.flow.places import Hospital, beds_of, make_site, make_ward, put
from wards.models import DirtyWard, Ward

pytestmark = pytest.mark.django_db


def note(*wards: Ward) -> None:
    DirtyWard.objects.bulk_create(DirtyWard(ward=ward) for ward in wards)


def test_only_wards_with_notes_are_counted_and_their_notes_go() -> None:
    hospital, now = Hospital(), timezone.now()
    put(hospital.ward, beds_of(hospital.ward)[0])
    note(hospital.ward, hospital.ward)
    assert census.refresh(at=now) == {hospital.ward.pk}
    row = WardCensus.objects.get()
    assert (row.ward_id, row.beds_occupied, row.as_at) == (hospital.ward.pk, 1, now)
    assert not DirtyWard.objects.exists()
    assert census.refresh(at=now) == set()


def test_a_second_count_overwrites_the_first() -> None:
    hospital = Hospital()
    note(hospital.ward)
    census.refresh()
    put(hospital.ward, beds_of(hospital.ward)[0])
    note(hospital.ward)
    census.refresh()
    assert WardCensus.objects.get().beds_occupied == 1


def test_a_note_written_while_counting_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    hospital = Hospital()
    note(hospital.ward)

    def count_and_be_overtaken(moment: Moment, *, wards: set[int]) -> object:
        counted = count(moment, wards=wards)
        note(hospital.ward)
        return counted

    monkeypatch.setattr(census, "count", count_and_be_overtaken)
    census.refresh()
    assert DirtyWard.objects.count() == 1


def test_the_clock_is_read_after_the_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    hospital, before = Hospital(), timezone.now()
    put(hospital.ward, start=before)
    note(hospital.ward)
    assert census.refresh() == {hospital.ward.pk}
    assert WardCensus.objects.get().patients == 1


def test_boards_are_rung_when_the_census_is_committed(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    hospital = Hospital()
    names = [f"ward:{hospital.ward.pk}", f"site:{hospital.site.pk}", "system"]
    quiet = [f"ward:{hospital.other.pk}", f"site:{hospital.community_site.pk}"]
    before = {name: version(name) for name in names + quiet}
    assert all(before.values())
    note(hospital.ward)
    with django_capture_on_commit_callbacks(execute=True):
        census.refresh()
    assert all(version(name) != before[name] for name in names)
    assert all(version(name) == before[name] for name in quiet)


def test_confirming_moves_every_ward_on() -> None:
    hospital, now = Hospital(), timezone.now()
    wards = set(Ward.objects.values_list("pk", flat=True))
    census.confirm_all(at=now - timedelta(minutes=2))
    assert census.confirm_all(at=now) == wards
    assert set(WardCensus.objects.values_list("as_at", flat=True)) == {now}
    assert hospital.ward.pk in wards


def test_the_present_needs_no_worker() -> None:
    hospital, now = Hospital(), timezone.now()
    put(hospital.ward, beds_of(hospital.ward)[0])
    assert census.present([hospital.ward.pk], now=now)[hospital.ward.pk].figures.patients == 1


@pytest.mark.parametrize(
    ("dirty", "age", "patients"), [(False, 10, 5), (True, 10, 1), (False, 181, 1)]
)
def test_a_confirmed_row_answers_only_while_it_is_clean_and_recent(
    dirty: bool, age: int, patients: int
) -> None:
    hospital, now = Hospital(), timezone.now()
    put(hospital.ward)
    census.confirm_all(at=now - timedelta(seconds=age))
    WardCensus.objects.filter(ward=hospital.ward).update(patients=5)
    if dirty:
        note(hospital.ward)
    present = census.present([hospital.ward.pk], now=now)[hospital.ward.pk].figures
    assert present.patients == patients
    assert present.as_at == (now if patients == 1 else now - timedelta(seconds=age))


def test_the_present_asks_the_same_number_of_queries_for_any_number_of_beds() -> None:
    small = make_ward(make_site(), beds=6)
    large = make_ward(make_site(), beds=60)
    for bed in beds_of(large):
        put(large, bed)
    counts = []
    for ward in (small, large):
        with CaptureQueriesContext(connection) as queries:
            census.present([ward.pk], now=timezone.now())
        counts.append(len(queries))
    assert counts == [2, 2]


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_leave_the_true_count(django_db_blocker: DjangoDbBlocker) -> None:
    hospital = Hospital()
    beds = beds_of(hospital.ward)
    done = threading.Event()
    errors: list[Exception] = []

    def work() -> None:
        try:
            while not done.is_set():
                tasks.refresh_census()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    try:
        for _ in range(8):
            for bed in beds:
                occupancy = put(hospital.ward, bed)
                note(hospital.ward)
                if bed.position % 2:
                    occupancy.delete()
                    note(hospital.ward)
            hospital.ward.occupancies.all().delete()
            note(hospital.ward)
        put(hospital.ward, beds[0])
        note(hospital.ward)
    finally:
        done.set()
        for worker in workers:
            worker.join()
    close_old_connections()
    assert not errors
    tasks.refresh_census()
    assert not DirtyWard.objects.exists()
    row = WardCensus.objects.get(ward=hospital.ward)
    assert (row.patients, row.beds_occupied) == (1, 1)


def test_the_tasks_are_known_by_the_names_the_doorbell_calls() -> None:
    assert tasks.refresh_census.name == "flow.tasks.refresh_census"
    assert tasks.confirm_all.name == "flow.tasks.confirm_all"
    tasks.confirm_all()
    assert WardCensus.objects.count() == Ward.objects.count()
