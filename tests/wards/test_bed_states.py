"""Cleaning, closures and escalation: what is recorded, refused and read back."""

from __future__ import annotations

import itertools
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import User
from accounts.refusals import Refused
from live.doorbell import version
from tests.wards.some_places import SomeWard, some_ward
from wards.bed_states import (
    BedState,
    StatusFact,
    close,
    close_escalation,
    open_escalation,
    record_status,
    record_statuses,
    reopen,
    states_at,
)
from wards.dirty import mark_dirty
from wards.models import Bed, BedStatus, Closure, DirtyWard, Opening

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def said(
    bed: Bed, status: str, at: datetime = NOON, *, key: str, sent: datetime | None = None
) -> bool:
    return record_status(
        bed=bed.pk, status=status, occurred_at=at, sent_at=sent or at, source="feed", key=key
    )


def state(bed: Bed, at: datetime) -> BedState:
    (found,) = [s for s in states_at(at=at, wards=[bed.ward_id]) if s.bed == bed.pk]
    return found


def dirty() -> set[int]:
    return set(DirtyWard.objects.values_list("ward", flat=True))


def test_a_repeated_status_is_recorded_once() -> None:
    here = some_ward()
    assert said(here.beds[0], "K", key="m1")
    assert not said(here.beds[0], "U", NOON + HOUR, key="m1")
    assert [s.status for s in BedStatus.objects.all()] == ["K"]


def test_a_repeat_within_one_batch_is_news_once() -> None:
    bed = some_ward().beds[0]
    fact = StatusFact(
        bed=bed.pk, status="H", occurred_at=NOON, sent_at=NOON, source="feed", key="m1"
    )
    assert record_statuses([fact, fact]) == [True, False]


def test_a_thousand_statuses_take_as_many_queries_as_one() -> None:
    bed = some_ward().beds[0]

    def facts(count: int, prefix: str) -> list[StatusFact]:
        return [
            StatusFact(
                bed=bed.pk,
                status="H",
                occurred_at=NOON,
                sent_at=NOON,
                source="f",
                key=f"{prefix}{n}",
            )
            for n in range(count)
        ]

    with CaptureQueriesContext(connection) as one:
        record_statuses(facts(1, "a"))
    with CaptureQueriesContext(connection) as many:
        assert all(record_statuses(facts(1000, "b")))
    assert len(one) == len(many)


def test_the_ward_is_marked_and_rung_only_for_news(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    here = some_ward()
    name = f"ward:{here.ward.pk}"
    before = version(name)
    with django_capture_on_commit_callbacks(execute=True):
        said(here.beds[0], "K", key="m1")
    after = version(name)
    assert dirty() == {here.ward.pk}
    assert after != before
    DirtyWard.objects.all().delete()
    with django_capture_on_commit_callbacks(execute=True):
        said(here.beds[0], "K", key="m1")
    assert dirty() == set()
    assert version(name) == after


@pytest.mark.django_db(transaction=True)
def test_a_ward_cannot_be_marked_outside_the_change() -> None:
    ward = some_ward().ward.pk
    with pytest.raises(transaction.TransactionManagementError):
        mark_dirty([ward])


@pytest.mark.parametrize("status", ["", "X", "u", "OO"])
def test_an_unknown_status_is_refused_with_the_allowed_ones(status: str) -> None:
    here = some_ward()
    with pytest.raises(Refused, match=r"H \(Being cleaned\)"):
        said(here.beds[0], status, key="m1")
    assert not BedStatus.objects.exists()


def test_a_status_of_an_unknown_bed_or_without_a_key_is_refused() -> None:
    here = some_ward()
    with pytest.raises(Refused, match="no bed"):
        record_status(
            bed=2**40, status="U", occurred_at=NOON, sent_at=NOON, source="feed", key="m1"
        )
    with pytest.raises(Refused, match="a source and a key"):
        said(here.beds[0], "U", key="")
    with pytest.raises(ValueError, match="zone"):
        said(here.beds[0], "U", NOON.replace(tzinfo=None), key="m2")


FACTS = [
    ("K", NOON, NOON, "m1"),
    ("H", NOON + HOUR, NOON + HOUR, "m2"),
    ("U", NOON + 2 * HOUR, NOON + 2 * HOUR, "m3"),
    ("C", NOON + 2 * HOUR, NOON + 3 * HOUR, "m4"),  # a correction of m3, sent later
    ("I", NOON + 2 * HOUR, NOON + 3 * HOUR, "m5"),  # sent in the same second
]


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(order=st.permutations(FACTS), repeats=st.lists(st.sampled_from(FACTS), max_size=3))
def test_the_order_of_arrival_makes_no_difference(
    order: list[tuple[str, datetime, datetime, str]],
    repeats: list[tuple[str, datetime, datetime, str]],
) -> None:
    with transaction.atomic():
        bed = some_ward().beds[0]
        for status, at, sent, key in [*order, *repeats]:
            said(bed, status, at, sent=sent, key=key)
        seen = [state(bed, NOON + n * HOUR).status for n in range(-1, 4)]
        transaction.set_rollback(True)
    assert seen == ["", "K", "H", "I", "I"]


def test_what_was_said_of_an_alias_counts_for_the_bed_it_is() -> None:
    here = some_ward()
    alias = Bed.objects.create(
        ward=some_ward(site=here.site).ward, label="9", is_recognised=False, same_as=here.beds[0]
    )
    said(here.beds[0], "U", NOON, key="m1")
    said(alias, "K", NOON + HOUR, key="m2")
    assert state(here.beds[0], NOON).status == "U"
    assert state(here.beds[0], NOON + HOUR).status == "K"
    assert dirty() == {here.ward.pk, alias.ward_id}
    assert alias.pk not in {s.bed for s in states_at(at=NOON)}


@pytest.mark.parametrize(
    ("status", "closed", "unready"),
    [("C", True, False), ("H", False, True), ("K", False, True), ("I", False, False),
     ("O", False, False), ("U", False, False)],
)  # fmt: skip
def test_a_status_closes_a_bed_or_makes_it_unready(
    status: str, closed: bool, unready: bool
) -> None:
    bed = some_ward().beds[0]
    said(bed, status, key="m1")
    now = state(bed, NOON)
    assert (now.is_closed, now.is_unready, now.status_since) == (closed, unready, NOON)
    assert not state(bed, NOON - HOUR).is_closed


def test_states_take_one_query_however_many_beds() -> None:
    wards = [some_ward().ward.pk for _ in range(10)]
    with CaptureQueriesContext(connection) as captured:
        assert len(states_at(at=NOON, wards=wards[:1])) == 6
    assert len(captured) == 1
    with CaptureQueriesContext(connection) as captured:
        assert len(states_at(at=NOON, wards=wards)) == 60
        assert len(states_at(at=NOON)) == 60
    assert len(captured) == 2


def closed_beds(here: SomeWard, at: datetime) -> set[str]:
    labels = {bed.pk: bed.label for bed in Bed.objects.filter(ward=here.ward)}
    return {labels[s.bed] for s in states_at(at=at, wards=[here.ward.pk]) if s.is_closed}


def test_a_closure_reaches_everything_below_its_place_for_its_period() -> None:
    here = some_ward()
    close(bed=here.beds[1].pk, reason="estates", since=NOON, until=NOON + HOUR, by=None)
    assert closed_beds(here, NOON - HOUR) == set()
    assert closed_beds(here, NOON) == {"2"}
    assert closed_beds(here, NOON + HOUR) == set()
    close(bay=here.bay.pk, reason="infection", since=NOON + HOUR, by=None)
    assert closed_beds(here, NOON + HOUR) == {"1", "2", "3", "4"}
    close(ward=here.ward.pk, reason="staffing", since=NOON + 2 * HOUR, by=None)
    assert closed_beds(here, NOON + 2 * HOUR) == {"1", "2", "3", "4", "5", "6"}
    widest = state(here.beds[1], NOON + 2 * HOUR)
    assert (widest.closure_reason, widest.closed_since) == ("staffing", NOON + 2 * HOUR)
    assert dirty() == {here.ward.pk}


@pytest.mark.parametrize("kind", ["ward", "bay", "bed"])
def test_the_same_place_is_not_closed_twice_at_a_time(kind: str) -> None:
    here = some_ward()
    keys = {"ward": here.ward.pk, "bay": here.bay.pk, "bed": here.beds[0].pk}
    place = {kind: keys[kind]}
    first = close(reason="infection", since=NOON, by=None, **place)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="Closed already since 21 Nov 2026 12:00"):
        close(reason="estates", since=NOON + HOUR, by=None, **place)  # type: ignore[arg-type]
    reopen(closure=first.pk, at=NOON + HOUR, by=None)
    close(reason="estates", since=NOON + HOUR, by=None, **place)  # type: ignore[arg-type]
    assert Closure.objects.count() == 2


def test_reopening_keeps_the_past_and_withdraws_what_never_began() -> None:
    here = some_ward()
    closure = close(ward=here.ward.pk, reason="infection", since=NOON, by=None)
    assert reopen(closure=closure.pk, at=NOON + HOUR, by=None) is not None
    assert len(closed_beds(here, NOON)) == 6
    assert closed_beds(here, NOON + HOUR) == set()
    with pytest.raises(Refused, match="opens again 21 Nov 2026 13:00 already"):
        reopen(closure=closure.pk, at=NOON + 2 * HOUR, by=None)
    planned = close(ward=here.ward.pk, reason="estates", since=NOON + 5 * HOUR, by=None)
    assert reopen(closure=planned.pk, at=NOON + 2 * HOUR, by=None) is None
    assert closed_beds(here, NOON + 6 * HOUR) == set()
    with pytest.raises(Refused, match="not there any more"):
        reopen(closure=planned.pk, at=NOON + 2 * HOUR, by=None)


def test_a_closure_that_makes_no_sense_is_refused_with_the_reason() -> None:
    here = some_ward()
    with pytest.raises(Refused, match="use one of infection, staffing"):
        close(ward=here.ward.pk, reason="holiday", since=NOON, by=None)
    with pytest.raises(Refused, match="end after it starts"):
        close(ward=here.ward.pk, reason="other", since=NOON, until=NOON, by=None)
    with pytest.raises(Refused, match="shorten it to 500"):
        close(ward=here.ward.pk, reason="other", since=NOON, note="x" * 501, by=None)
    for place in ("ward", "bay", "bed"):
        with pytest.raises(Refused, match=f"no {place} with the key"):
            close(reason="other", since=NOON, by=None, **{place: 2**40})  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        close(ward=here.ward.pk, bed=here.beds[0].pk, reason="other", since=NOON, by=None)
    assert not Closure.objects.exists()


def test_a_withdrawn_bed_and_an_alias_are_not_closed() -> None:
    here = some_ward()
    gone, alias, *_ = here.beds
    Bed.objects.filter(pk=gone.pk).update(in_use=(None, NOON))
    Bed.objects.filter(pk=alias.pk).update(same_as=here.loose)
    with pytest.raises(Refused, match="withdrawn 21 Nov 2026 12:00"):
        close(bed=gone.pk, reason="other", since=NOON, by=None)
    with pytest.raises(Refused, match="another name for bed 6"):
        close(bed=alias.pk, reason="other", since=NOON, by=None)
    assert not state(gone, NOON).in_use
    assert state(gone, NOON - HOUR).in_use


def audited(model: type[Model]) -> list[tuple[str, int]]:
    """What the history says of all rows of a model: what was done, and by whom."""
    events = model.pgh_event_models["insert"].objects.order_by("pgh_id")  # type: ignore[attr-defined]
    return [(e.pgh_label, e.pgh_context["user"]) for e in events]


def test_the_history_knows_who_closed_and_who_opened() -> None:
    here = some_ward()
    nurse, matron = (User.objects.create(username=name) for name in ("nurse", "matron"))
    closure = close(ward=here.ward.pk, reason="infection", since=NOON, by=nurse)
    reopen(closure=closure.pk, at=NOON + HOUR, by=matron)
    planned = close(ward=here.ward.pk, reason="estates", since=NOON + 5 * HOUR, by=nurse)
    reopen(closure=planned.pk, at=NOON + 2 * HOUR, by=matron)
    assert audited(Closure) == [
        ("insert", nurse.pk), ("update", matron.pk), ("insert", nurse.pk), ("delete", matron.pk),
    ]  # fmt: skip
    open_escalation(bed=here.escalation.pk, since=NOON, by=nurse)
    close_escalation(bed=here.escalation.pk, at=NOON + HOUR, by=matron)
    assert audited(Opening) == [("insert", nurse.pk), ("update", matron.pk)]


def test_an_escalation_bed_is_open_only_in_its_openings() -> None:
    here = some_ward()
    bed = here.escalation
    assert not state(bed, NOON).opened
    assert state(here.beds[0], NOON).opened
    open_escalation(bed=bed.pk, since=NOON, by=None)
    with pytest.raises(Refused, match="open already since 21 Nov 2026 12:00"):
        open_escalation(bed=bed.pk, since=NOON + HOUR, by=None)
    assert state(bed, NOON).opened
    close_escalation(bed=bed.pk, at=NOON + HOUR, by=None)
    assert [state(bed, NOON + n * HOUR).opened for n in (-1, 0, 1)] == [False, True, False]
    with pytest.raises(Refused, match="not open 21 Nov 2026 13:00"):
        close_escalation(bed=bed.pk, at=NOON + HOUR, by=None)
    with pytest.raises(Refused, match="core bed"):
        open_escalation(bed=here.beds[0].pk, since=NOON, by=None)
    assert dirty() == {here.ward.pk}


def test_an_opening_taken_back_at_once_leaves_nothing() -> None:
    bed = some_ward().escalation
    open_escalation(bed=bed.pk, since=NOON, by=None)
    assert close_escalation(bed=bed.pk, at=NOON, by=None) is None
    assert not Opening.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_twenty_who_close_a_bay_at_once_one_succeeds() -> None:
    here = some_ward()
    answers: list[str] = []
    start = threading.Barrier(20)
    reasons = itertools.cycle(r.value for r in Closure.Reason)

    def attempt(reason: str) -> None:
        start.wait()
        try:
            close(bay=here.bay.pk, reason=reason, since=NOON, by=None)
            answers.append("closed")
        except Refused as refused:
            answers.append(refused.reason)
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt, args=(next(reasons),)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count("closed") == 1
    assert sum(answer.startswith("Closed already since") for answer in answers) == 19
    assert Closure.objects.count() == 1
