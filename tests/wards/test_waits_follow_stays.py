"""Nothing that was recorded of a patient is lost when their visits are merged or taken out."""

from __future__ import annotations

import pytest

from patients.keys import PersonKey, VisitKey
from patients.models import Barrier, Episode, Readiness, Review
from tests.wards.hospital import minutes
from tests.wards.waiting import System, admission, reason, system
from wards import barriers
from wards.facts import Moved, MovementKind, VisitJoined
from wards.movements import record
from wards.rounds import Found, review

pytestmark = pytest.mark.django_db


@pytest.fixture
def care() -> System:
    return system()


def joined(at: float, *, undone: bool = False) -> VisitJoined:
    return VisitJoined(
        key=f"join {at}",
        sent_at=minutes(at),
        person=PersonKey("T", "P0"),
        visit=VisitKey("T", "V0"),
        other=VisitKey("T", "V1"),
        undone=undone,
    )


def test_merged_visits_keep_the_reviews_and_barriers_of_both(care: System) -> None:
    one, other = care.admitted(0), care.admitted(1)
    for episode, at in ((one, 10), (other, 20)):
        review(episode=episode, found=Found(criteria=[]), said=care.said(at))
        barriers.raise_barrier(
            episode=episode, reason=reason("transport"), said=care.said(at), note=str(at)
        )
    record([joined(30)], source="pas")
    left = Episode.objects.get()
    assert left == one
    assert Review.objects.filter(episode=left).count() == 2
    assert [(r.period.lower, r.period.upper) for r in Readiness.objects.all()] == [
        (minutes(10), None)
    ]
    open_ones = Barrier.objects.filter(episode=left, outcome="")
    assert sorted((b.note, b.is_reportable) for b in open_ones) == [("10", True), ("20", False)]
    record([joined(40, undone=True)], source="pas")
    assert Episode.objects.count() == 2
    assert Barrier.objects.count() == 2


def test_what_was_recorded_of_a_stay_that_never_was_is_kept(care: System) -> None:
    episode = care.admitted(0)
    review(episode=episode, found=Found(criteria=[]), said=care.said(10))
    cancel = Moved(
        key="cancel",
        sent_at=minutes(20),
        person=PersonKey("T", "P0"),
        kind=MovementKind.CANCELLED_ADMIT,
        occurred_at=minutes(20),
        visit=VisitKey("T", "V0"),
    )
    record([cancel], source="pas")
    assert Review.objects.get().episode.status == "cancelled"
    record([admission(0, care.hospital.beds[0], 30)], source="pas")
    assert Review.objects.get().episode.status == "in_hospital"
