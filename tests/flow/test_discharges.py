"""Who could leave: every figure equals a direct count from movements, reviews and barriers."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission, Role
from flow.barriers import OPEN, waiting
from flow.discharges import BANDS, DAY, Asked, lost_within, ready_to_leave, summarise
from flow.hub.board import hub
from flow.hub.wishes import Wish
from flow.moment import Moment
from patients.keys import PersonKey, VisitKey
from patients.models import Barrier, BarrierStep, Episode, Review
from tests.wards.hospital import minutes
from tests.wards.waiting import System, admission, reason, system
from wards import barriers
from wards.barriers import Said
from wards.facts import Moved, MovementKind
from wards.models import Grant, Movement
from wards.movements import record
from wards.rounds import Found, review
from wards.scope import Scope, scope_of

pytestmark = pytest.mark.django_db

HOURS = 60
SEE = Permission.SEE_PATIENTS
SLUGS = ("therapy-review", "transport", "p3-capacity")


@pytest.fixture
def care() -> System:
    return system()


@pytest.fixture
def everywhere(care: System) -> Scope:
    user = User.objects.create(username="manager")
    Grant.objects.create(user=user, role=Role.SITE_MANAGER, everywhere=True)
    return scope_of(user)


def leave(number: int, at: float) -> None:
    record(
        [
            Moved(
                key=f"leave {number}",
                sent_at=minutes(at),
                person=PersonKey("T", f"P{number}"),
                kind=MovementKind.DISCHARGED,
                occurred_at=minutes(at),
                discharged_at=minutes(at),
                visit=VisitKey("T", f"V{number}"),
            )
        ],
        source="pas",
    )


events = st.lists(
    st.tuples(
        st.integers(0, 3),  # patient
        st.integers(1, 240).map(lambda h: h * HOURS),  # when
        st.sampled_from(["met", "none", "raise", "raise", "resolve", "mistake", "pathway"]),
        st.integers(0, 2),
    ),
    max_size=16,
)


@given(data=st.data())
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_hub_counts_what_happened(care: System, everywhere: Scope, data: st.DataObject) -> None:
    with transaction.atomic():
        record([admission(n, care.hospital.beds[n], n * HOURS) for n in range(4)], source="pas")
        for patient, at, what, which in sorted(data.draw(events), key=lambda e: e[1]):
            happens(care, patient, at, what, which)
        for patient in data.draw(st.sets(st.integers(0, 3))):
            leave(patient, data.draw(st.integers(4, 300)) * HOURS)
        told = Told.read()
        for number in data.draw(st.lists(st.integers(0, 310), min_size=1, max_size=6)):
            agrees_at(minutes(number * HOURS + 1), everywhere, told)
        transaction.set_rollback(True)


def happens(care: System, patient: int, at: float, what: str, which: int) -> None:
    """One thing recorded when it happened; what makes no sense then is refused, as in life."""
    episode = Episode.objects.get(visit__number=f"V{patient}")
    said = Said(minutes(at), care.nurse)
    mine = Barrier.objects.filter(episode=episode, outcome="", reason__slug=SLUGS[which])
    try:
        if what in ("met", "none"):
            criteria = ["oxygen"] if what == "met" else []
            review(episode=episode, found=Found(criteria=criteria), said=said)
        elif what == "pathway":
            review(episode=episode, found=Found(pathway=which), said=said)
        elif what == "raise":
            barriers.raise_barrier(episode=episode, reason=reason(SLUGS[which]), said=said)
        elif (barrier := mine.first()) is not None:
            deed = barriers.resolve if what == "resolve" else barriers.take_back
            deed(barrier=barrier, said=said)
    except Refused:
        return


@dataclass
class Told:
    """What was recorded, read once: movements, looks at criteria and steps of barriers."""

    stays: dict[int, tuple[datetime, datetime | None]]
    looks: dict[int, list[tuple[datetime, bool]]]
    steps: dict[int, list[tuple[datetime, str, int]]]
    mistakes: set[int]

    @classmethod
    def read(cls) -> Told:
        came, left = (
            {
                int(number[1:]): at
                for number, at in Movement.objects.filter(kind=kind).values_list(
                    "visit__number", "occurred_at"
                )
            }
            for kind in ("admitted", "discharged")
        )
        looks: dict[int, list[tuple[datetime, bool]]] = defaultdict(list)
        for number, at, criteria in (
            Review.objects.filter(criteria__isnull=False)
            .order_by("occurred_at", "pk")
            .values_list("episode__visit__number", "occurred_at", "criteria")
        ):
            looks[int(number[1:])].append((at, criteria == []))
        steps: dict[int, list[tuple[datetime, str, int]]] = defaultdict(list)
        for number, at, kind, barrier in BarrierStep.objects.order_by(
            "occurred_at", "pk"
        ).values_list("barrier__episode__visit__number", "occurred_at", "kind", "barrier"):
            steps[int(number[1:])].append((at, kind, barrier))
        mistakes = {b for told in steps.values() for _, kind, b in told if kind == "mistaken"}
        return cls({n: (at, left.get(n)) for n, at in came.items()}, looks, steps, mistakes)

    def present(self, patient: int, at: datetime) -> bool:
        came, left = self.stays[patient]
        return came <= at and (left is None or at < left)

    def ready_since(self, patient: int, at: datetime) -> datetime | None:
        """The start of the run of looks that found none met."""
        since = None
        for when, none_met in self.looks[patient]:
            if when <= at:
                since = (since or when) if none_met else None
        return since

    def standing(self, patient: int, at: datetime) -> set[int]:
        """Barriers raised and not over; what was a mistake never stood."""
        found = set()
        for when, kind, barrier in self.steps[patient]:
            if when <= at and kind == "raised":
                found.add(barrier)
            elif when <= at and kind in ("resolved", "replaced"):
                found.discard(barrier)
        return found - self.mistakes

    def owners(self) -> dict[int, int | None]:
        """Which organisation each barrier lies with; in this world it never changes."""
        return dict(Barrier.objects.values_list("pk", "organisation"))

    def lost(self, patient: int, at: datetime) -> timedelta:
        """Hour by hour: everything in this world happens on the hour, `at` a minute after."""
        lost, hour = timedelta(0), timedelta(hours=1)
        start, moment = at - timedelta(days=7), at.replace(minute=0)
        while moment + hour > start:
            lo, hi = max(moment, start), min(moment + hour, at)
            if self.present(patient, moment) and self.ready_since(patient, moment) is not None:
                lost += hi - lo
            moment -= hour
        return lost


def agrees_at(at: datetime, everywhere: Scope, told: Told) -> None:
    moment = Moment(at)
    rows = ready_to_leave(moment, scope=everywhere, permission=SEE)
    number = {e.pk: int(e.visit.number[1:]) for e in Episode.objects.select_related("visit")}
    expected = {
        n: since
        for n in told.stays
        if told.present(n, at) and (since := told.ready_since(n, at)) is not None
    }
    assert {number[row.episode]: row.ready_since for row in rows} == expected
    assert {number[row.episode]: row.barriers for row in rows} == {
        n: len(told.standing(n, at)) for n in expected
    }
    listed = waiting(moment, scope=everywhere, wanted=OPEN)
    assert {row.id for row in listed} == {
        pk for n in told.stays if told.present(n, at) for pk in told.standing(n, at)
    }
    week = lost_within(moment, scope=everywhere, permission=SEE)
    assert week == sum((told.lost(n, at) for n in told.stays), timedelta(0))
    summary = summarise(rows, moment=moment, last_week=week)
    assert summary.patients == len(expected)
    for groups in (
        summary.by_pathway, summary.by_reason, summary.by_organisation, summary.by_days,
    ):  # fmt: skip
        assert sum(group.patients for group in groups) == summary.patients
    found = hub(Wish(), moment=moment, scope=everywhere)
    assert {number[line.stay.episode]: line.stay.ready_since for line in found.lines} == expected
    assert found.lost == sum((at - since for since in expected.values()), timedelta(0))
    assert found.last_week == week
    by_days = [sum(one.by_days[band] for one in found.by_pathway) for band in range(len(BANDS))]
    assert by_days == [
        sum(1 for s in expected.values() if low * DAY <= at - s < (high or 10**4) * DAY)
        for low, high in BANDS
    ]
    owners = told.owners()
    alone = [
        n
        for n in expected
        if len({owners[pk] for pk in told.standing(n, at)}) == 1
        and owners[min(told.standing(n, at))]
    ]
    assert found.could_free == len(alone)


def test_a_list_is_filtered_and_keeps_to_the_scope(care: System, everywhere: Scope) -> None:
    for number, pathway in ((0, 1), (1, 2), (4, 2)):
        episode = care.admitted(number)
        found = Found(criteria=[], pathway=pathway)
        review(episode=episode, found=found, said=care.said(10 + number))
        barriers.raise_barrier(episode=episode, reason=reason(SLUGS[pathway]), said=care.said(20))
    moment = Moment(minutes(3 * 24 * HOURS))

    def count(scope: Scope = everywhere, **asked: object) -> int:
        wanted = Asked(**asked)  # type: ignore[arg-type]
        return len(ready_to_leave(moment, scope=scope, permission=SEE, asked=wanted))

    assert count() == 3
    assert count(pathways=[2]) == 2
    assert count(organisations=["CXX"]) == 2
    assert count(reasons=["transport"]) == 1
    assert count(wards=["W1"]) == 1
    assert count(sites=["none"]) == 0
    assert count(long_stay=7) == 0
    nurse = User.objects.create(username="one ward")
    Grant.objects.create(user=nurse, role=Role.WARD_NURSE, ward_id=care.hospital.wards[1])
    assert count(scope_of(nurse)) == 1
    told = summarise(
        ready_to_leave(moment, scope=everywhere, permission=SEE), moment=moment, last_week=None
    )
    assert [(g.key, g.patients) for g in told.by_pathway] == [("2", 2), ("1", 1)]
    assert told.overdue == 1
    assert told.bed_days == pytest.approx(9.0, abs=0.1)
