"""What is done about what a discharge waits for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from accounts.models import Team
from accounts.refusals import Refused
from patients.keys import PersonKey, VisitKey
from patients.models import Barrier, BarrierStep, EscalationStep
from tests.wards.hospital import minutes
from tests.wards.waiting import System, reason, system
from wards import barriers
from wards.barriers import Said
from wards.escalation import escalate_overdue
from wards.facts import Moved, MovementKind
from wards.models import DirtyWard
from wards.movements import record

pytestmark = pytest.mark.django_db

DAY = 24 * 60


@pytest.fixture
def care() -> System:
    return system()


def raised(care: System, slug: str = "therapy-review", number: int = 0, at: float = 10) -> Barrier:
    return barriers.raise_barrier(
        episode=care.admitted(number), reason=reason(slug), said=care.said(at)
    )


def test_a_barrier_goes_to_the_team_its_reason_asks_for_with_a_clock(care: System) -> None:
    mine = raised(care)
    assert (mine.organisation, mine.team) == (care.trust, care.therapy)
    assert mine.due_at == minutes(10) + timedelta(hours=24)
    assert mine.is_reportable
    theirs = barriers.raise_barrier(
        episode=mine.episode, reason=reason("p3-capacity"), said=care.said(20)
    )
    assert (theirs.organisation, theirs.team) == (care.council, care.social_work)
    assert not theirs.is_reportable
    assert DirtyWard.objects.filter(ward=care.hospital.wards[0]).exists()


def test_where_several_could_be_meant_nobody_is_guessed(care: System) -> None:
    Team.objects.create(organisation=care.council, code="S2", name="Other", kind="social_work")
    assert raised(care, "p3-capacity").organisation is None
    assert raised(care, "transport", 1).organisation == care.trust


@pytest.mark.parametrize(
    ("slug", "code_set", "says"),
    [
        ("v-medicines", "delay-reasons-2021", "not in use"),
        ("oxygen", "criteria-to-reside", "no reason for a delay"),
    ],
)
def test_only_reasons_in_use_can_be_given(
    care: System, slug: str, code_set: str, says: str
) -> None:
    with pytest.raises(Refused, match=says):
        barriers.raise_barrier(
            episode=care.admitted(), reason=reason(slug, code_set), said=care.said(10)
        )


def test_the_same_reason_is_open_once_and_the_same_statement_is_done_once(care: System) -> None:
    episode = care.admitted()
    first = barriers.raise_barrier(
        episode=episode, reason=reason("transport"), said=care.said(10), key="k"
    )
    again = barriers.raise_barrier(
        episode=episode, reason=reason("transport"), said=care.said(11), key="k"
    )
    assert first == again
    with pytest.raises(Refused, match="open already"):
        barriers.raise_barrier(episode=episode, reason=reason("transport"), said=care.said(12))


def test_nothing_is_raised_before_admission_after_discharge_or_ahead_of_time(
    care: System,
) -> None:
    episode = care.admitted()
    for occurred_at, says in ((-5, "before the admission"), (30, "not come yet")):
        with pytest.raises(Refused, match=says):
            barriers.raise_barrier(
                episode=episode,
                reason=reason("transport"),
                said=care.said(10, occurred_at=minutes(occurred_at)),
            )
    leave(20)
    with pytest.raises(Refused, match="has left"):
        barriers.raise_barrier(episode=episode, reason=reason("transport"), said=care.said(40))


def leave(at: float, number: int = 0) -> None:
    left = Moved(
        key=f"leave {number}",
        sent_at=minutes(at),
        person=PersonKey("T", f"P{number}"),
        kind=MovementKind.DISCHARGED,
        occurred_at=minutes(at),
        visit=VisitKey("T", f"V{number}"),
    )
    record([left], source="pas")


def test_a_barrier_from_raising_to_resolving(care: System) -> None:
    barrier = raised(care)
    barriers.contact(barrier=barrier, note="Rang; they come at 14:00", said=care.said(30))
    barriers.reassign(barrier=barrier, team=care.social_work, said=care.said(40))
    barriers.escalate(barrier=barrier, said=care.said(50))
    barriers.resolve(barrier=barrier, said=care.said(60), note="Seen")
    barrier.refresh_from_db()
    assert (barrier.outcome, barrier.level) == ("resolved", 1)
    assert (barrier.period.lower, barrier.period.upper) == (minutes(10), minutes(60))
    assert [(s.kind, s.team, s.level, s.note) for s in barrier.steps.order_by("occurred_at")] == [
        ("raised", care.therapy, 0, ""),
        ("contacted", care.therapy, 0, "Rang; they come at 14:00"),
        ("reassigned", care.social_work, 0, ""),
        ("escalated", care.social_work, 1, ""),
        ("resolved", care.social_work, 1, "Seen"),
    ]
    for deed in (barriers.resolve, barriers.escalate, barriers.make_reportable):
        with pytest.raises(Refused, match="over already"):
            deed(barrier=barrier, said=care.said(70))


def test_the_next_oldest_is_reported_when_the_reported_one_ends(care: System) -> None:
    first = raised(care)
    others = [
        barriers.raise_barrier(episode=first.episode, reason=reason(slug), said=care.said(at))
        for slug, at in (("transport", 20), ("equipment", 15))
    ]
    barriers.resolve(barrier=first, said=care.said(60))
    assert [b.is_reportable for b in Barrier.objects.order_by("pk")] == [False, False, True]
    barriers.make_reportable(barrier=others[0], said=care.said(70))
    assert [b.is_reportable for b in Barrier.objects.order_by("pk")] == [False, True, False]


def test_one_wait_turns_into_another(care: System) -> None:
    first = raised(care)
    second = barriers.replace(barrier=first, reason=reason("transport"), said=care.said(30))
    first.refresh_from_db()
    assert (first.outcome, first.became) == ("replaced", second)
    assert second.is_reportable
    assert second.period.lower == minutes(30)
    with pytest.raises(Refused, match="Change that one"):
        barriers.reopen(barrier=first, said=care.said(40))


def test_an_ended_barrier_opens_again_with_its_clock(care: System) -> None:
    barrier = raised(care)
    barriers.resolve(barrier=barrier, said=care.said(30))
    barriers.reopen(barrier=barrier, said=care.said(40))
    barrier.refresh_from_db()
    assert (barrier.outcome, barrier.period.lower, barrier.period.upper) == (
        "", minutes(10), None,
    )  # fmt: skip
    assert barrier.is_reportable
    with pytest.raises(Refused, match="It is open"):
        barriers.reopen(barrier=barrier, said=care.said(50))


def test_a_new_target_needs_its_reason(care: System) -> None:
    barrier = raised(care)
    with pytest.raises(Refused, match="why"):
        barriers.change_due(barrier=barrier, due_at=minutes(90), said=care.said(20), note=" ")
    with pytest.raises(Refused, match="before the barrier"):
        barriers.change_due(barrier=barrier, due_at=minutes(5), said=care.said(20), note="x")
    barriers.change_due(barrier=barrier, due_at=minutes(90), said=care.said(20), note="Agreed")
    barrier.refresh_from_db()
    assert barrier.due_at == minutes(90)


def test_time_takes_a_barrier_up_its_ladder_once_a_rung(care: System) -> None:
    barrier = raised(care)  # due a day later
    for at, level in ((DAY, 0), (DAY + 11, 1), (DAY + 12, 1), (3 * DAY + 11, 3), (9 * DAY, 3)):
        risen = escalate_overdue(at=minutes(at))
        barrier.refresh_from_db()
        assert barrier.level == level
        assert risen == (at in (DAY + 11, 3 * DAY + 11))
    assert [
        s.level for s in BarrierStep.objects.filter(kind="escalated").order_by("occurred_at")
    ] == [1, 3]
    with pytest.raises(Refused, match="no step above"):
        barriers.escalate(barrier=barrier, said=care.said(9 * DAY))


def test_those_who_have_left_are_not_escalated(care: System) -> None:
    raised(care)
    leave(60)
    assert escalate_overdue(at=minutes(9 * DAY)) == 0


def test_without_a_ladder_nobody_can_be_called(care: System) -> None:
    EscalationStep.objects.all().delete()
    with pytest.raises(Refused, match="no escalation ladder"):
        barriers.escalate(barrier=raised(care), said=care.said(20))


def test_the_database_itself_holds_to_the_rules(care: System) -> None:
    barrier = raised(care)
    with pytest.raises(IntegrityError, match="one_reportable"), transaction.atomic():
        Barrier.objects.create(
            episode=barrier.episode,
            reason=reason("transport"),
            period=barrier.period,
            is_reportable=True,
            source="x",
            key="x",
        )
    with pytest.raises(IntegrityError, match="ends_with_an_outcome"), transaction.atomic():
        Barrier.objects.filter(pk=barrier.pk).update(outcome="resolved")
    with pytest.raises(DatabaseError, match="barrier_steps_are_facts"), transaction.atomic():
        BarrierStep.objects.update(note="other")
    with pytest.raises(DatabaseError, match="barrier_steps_are_facts"), transaction.atomic():
        BarrierStep.objects.all().delete()


def test_a_deed_at_the_moment_of_raising_leaves_a_period(care: System) -> None:
    barrier = raised(care)
    barriers.take_back(barrier=barrier, said=care.said(10))
    barrier.refresh_from_db()
    assert barrier.period.upper - barrier.period.lower == timedelta(microseconds=1)
    with pytest.raises(Refused, match="over already"):
        barriers.contact(barrier=barrier, note="x", said=Said(minutes(11), None))
