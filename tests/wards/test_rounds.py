"""What a board round finds, and what follows from it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import pytest
from django.db import DatabaseError, transaction

from accounts.refusals import Refused
from patients.keys import PersonKey, VisitKey
from patients.models import Episode, Readiness, Review
from tests.wards.hospital import minutes
from tests.wards.waiting import System, reason, system
from wards.facts import Moved, MovementKind
from wards.models import Movement, Occupancy
from wards.movements import record
from wards.rounds import Found, Overtaken, Seen, review

pytestmark = pytest.mark.django_db

DAY = 24 * 60


@pytest.fixture
def care() -> System:
    return system()


@pytest.fixture
def episode(care: System) -> Episode:
    return care.admitted()


def ready(episode: Episode) -> list[tuple[datetime, datetime | None]]:
    rows = Readiness.objects.filter(episode=episode).order_by("period")
    return [(row.period.lower, row.period.upper) for row in rows]


def found(care: System, episode: Episode, at: float, key: str = "", **what: Any) -> Review:
    return review(episode=episode, found=cast(Found, what), said=care.said(at), key=key)


def test_none_met_sets_the_discharge_ready_date_and_one_met_ends_it(
    care: System, episode: Episode
) -> None:
    found(care, episode, 10, criteria=["oxygen"])
    assert ready(episode) == []
    found(care, episode, 20, criteria=[])
    found(care, episode, 30, criteria=[], pathway=2)
    assert ready(episode) == [(minutes(20), None)]
    row = Readiness.objects.get().pk
    found(care, episode, 40, criteria=["oxygen", "oxygen"])
    assert ready(episode) == [(minutes(20), minutes(40))]
    assert Readiness.objects.get().pk == row


def test_a_review_told_late_moves_the_date(care: System, episode: Episode) -> None:
    found(care, episode, 60, criteria=[])
    review(
        episode=episode,
        found=Found(criteria=[]),
        said=care.said(70, occurred_at=minutes(30)),
    )
    assert ready(episode) == [(minutes(30), None)]
    review(
        episode=episode,
        found=Found(criteria=["oxygen"]),
        said=care.said(80, occurred_at=minutes(45)),
    )
    assert ready(episode) == [(minutes(30), minutes(45)), (minutes(60), None)]


def test_a_senior_excepts_somebody_who_meets_none(care: System, episode: Episode) -> None:
    found(care, episode, 10, criteria=[], exception="Unstable carer at home, Dr Ash")
    assert ready(episode) == []
    later = found(care, episode, 20, criteria=["oxygen"])
    assert later.exception == ""
    with pytest.raises(Refused, match="meets no criteria"):
        found(care, episode, 30, criteria=["oxygen"], exception="why")


def test_what_is_left_unsaid_goes_on_but_a_day_begins_red_and_unseen(
    care: System, episode: Episode
) -> None:
    first = found(
        care, episode, 10, criteria=[], pathway=1, day="green", senior_reviewed=True,
        medicines="to_prescribe", transport="to_book", next_step="Stairs with therapy",
    )  # fmt: skip
    assert first.by == care.nurse
    second = found(care, episode, 20 + DAY, medicines="ready")
    assert (second.criteria, second.pathway, second.medicines, second.transport) == (
        [], 1, "ready", "to_book",
    )  # fmt: skip
    assert second.next_step == "Stairs with therapy"
    assert (second.day, second.senior_reviewed) == ("", None)


def test_within_a_day_red_and_its_reason_and_the_senior_go_on(
    care: System, episode: Episode
) -> None:
    why = reason("therapy", "red-day-reasons")
    found(care, episode, 10, day="red", red_reason=why, senior_reviewed=True)
    second = found(care, episode, 20, medicines="ready")
    assert (second.day, second.red_reason, second.senior_reviewed) == ("red", why, True)
    third = found(care, episode, 30, day="green")
    assert (third.day, third.red_reason, third.senior_reviewed) == ("green", None, True)


def test_who_speaks_of_what_no_longer_stands_is_refused(care: System, episode: Episode) -> None:
    first = review(
        episode=episode, found=Found(pathway=1), said=care.said(10), seen=Seen(None, None)
    )
    other = review(
        episode=episode, found=Found(pathway=2), said=care.said(20), seen=Seen(first.pk, None)
    )
    with pytest.raises(Overtaken, match="since you opened it"):
        review(
            episode=episode, found=Found(pathway=3), said=care.said(30), seen=Seen(first.pk, None)
        )
    told(episode, 40, minutes(4000))
    with pytest.raises(Overtaken):
        review(
            episode=episode, found=Found(pathway=3), said=care.said(50), seen=Seen(other.pk, None)
        )
    review(
        episode=episode,
        found=Found(pathway=3),
        said=care.said(50),
        seen=Seen(other.pk, minutes(4000)),
    )
    assert [r.pathway for r in Review.objects.order_by("pk")] == [1, 2, 3]


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ({"criteria": ["breathing"]}, "Not in the list of criteria: breathing"),
        ({"pathway": 4}, "0, 1, 2 or 3"),
        ({"day": "amber"}, "red, green"),
        ({"medicines": "soon"}, "with_pharmacy"),
        ({"day": "green", "red_reason": True}, "belongs to a red day"),
    ],
)
def test_what_makes_no_sense_is_refused(
    care: System, episode: Episode, what: dict[str, Any], says: str
) -> None:
    if "red_reason" in what:
        what = {**what, "red_reason": reason("no-plan", "red-day-reasons")}
    with pytest.raises(Refused, match=says):
        found(care, episode, 10, **what)
    assert not Review.objects.exists()


def test_an_expected_date_takes_its_turn_with_what_the_feed_says(
    care: System, episode: Episode
) -> None:
    found(care, episode, 10, expected_discharge_at=minutes(3000))
    episode.refresh_from_db()
    assert episode.expected_discharge_at == minutes(3000)
    told(episode, 20, minutes(4000))
    episode.refresh_from_db()
    assert episode.expected_discharge_at == minutes(4000)
    found(care, episode, 30, expected_discharge_at=minutes(5000))
    episode.refresh_from_db()
    assert episode.expected_discharge_at == minutes(5000)
    slips = Movement.objects.filter(stay__has_key="expected_discharge_at").order_by("sent_at")
    assert [m.source for m in slips] == ["web", "pas", "web"]
    assert Occupancy.objects.get().period.lower == minutes(0), "it moved nobody"


def test_a_plan_told_late_takes_its_turn_by_when_it_was_made(
    care: System, episode: Episode
) -> None:
    told(episode, 20, minutes(4000))
    found(care, episode, 30, expected_discharge_at=minutes(5000))
    review(
        episode=episode,
        found=Found(expected_discharge_at=minutes(3000)),
        said=care.said(40, occurred_at=minutes(10)),
    )
    episode.refresh_from_db()
    assert episode.expected_discharge_at == minutes(5000)
    slips = Movement.objects.filter(stay__has_key="expected_discharge_at").order_by("sent_at")
    assert [m.stay["expected_discharge_at"] for m in slips] == [
        minutes(at).isoformat() for at in (3000, 4000, 5000)
    ]
    assert [m.sent_at for m in slips] == [minutes(at) for at in (10, 20, 30)]


def told(episode: Episode, at: float, expected: datetime) -> None:
    patient, visit = episode.patient, episode.visit
    fact = Moved(
        key=f"plan {at}",
        sent_at=minutes(at),
        person=PersonKey(patient.authority, patient.identifier),
        kind=MovementKind.OBSERVED,
        occurred_at=minutes(at),
        visit=VisitKey(visit.authority, visit.number),
        stay={"expected_discharge_at": expected.isoformat()},
    )
    record([fact], source="pas")


def test_the_same_statement_is_kept_once(care: System, episode: Episode) -> None:
    first = found(care, episode, 10, key="k", criteria=[])
    assert found(care, episode, 11, key="k", criteria=["oxygen"]) == first
    assert Review.objects.count() == 1


def test_a_review_is_a_fact(care: System, episode: Episode) -> None:
    found(care, episode, 10, criteria=[])
    for change in ({"criteria": ["oxygen"]}, {"next_step": "x"}):
        with pytest.raises(DatabaseError, match="reviews_are_facts"), transaction.atomic():
            Review.objects.update(**change)


def test_nobody_is_reviewed_before_they_came_or_after_they_left(
    care: System, episode: Episode
) -> None:
    with pytest.raises(Refused, match="before the admission"):
        review(
            episode=episode,
            found=Found(criteria=[]),
            said=care.said(10, occurred_at=minutes(-1)),
        )
