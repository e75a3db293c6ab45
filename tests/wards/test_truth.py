"""A coherent source, told late, repeated, out of order and corrected, is reproduced exactly."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from patients.models import Episode, Patient
from tests.wards.hospital import Hospital, build, everything, minutes
from wards.facts import Fact, Moved, MovementKind, PersonKey, Place, VisitKey
from wards.models import Occupancy
from wards.movements import record, told_again

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Stay:
    """What really happened in one visit: steps (when, where or None for gone)."""

    number: int
    steps: list[tuple[datetime, Place | None]] = field(default_factory=list)
    cancelled: bool = False

    @property
    def place(self) -> Place | None:
        return self.steps[-1][1] if self.steps and not self.cancelled else None


class Source(RuleBasedStateMachine):
    """A patient administration system that is never wrong about itself, over a bad line."""

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.hospital: Hospital = build()
        self.now = minutes(0)
        self.stays: list[Stay] = []
        self.waiting: list[Fact] = []
        self.keys = 0

    @initialize()
    def opens(self) -> None:
        self.now = minutes(0)

    def teardown(self) -> None:
        try:
            record(self.waiting[::-1], source="pas")
            self.check()
        finally:
            transaction.set_rollback(True)
            self.block.__exit__(None, None, None)

    # -- what the source does ------------------------------------------------------------

    def free(self, since: datetime) -> list[Place]:
        """Beds that are empty in truth from `since` on."""
        taken = {
            place
            for stay in self.stays
            if not stay.cancelled
            for number, (_, place) in enumerate(stay.steps)
            if place is not None
            and (number + 1 == len(stay.steps) or stay.steps[number + 1][0] > since)
        }
        return [bed for bed in self.hospital.beds if bed not in taken]

    def present(self) -> list[Stay]:
        return [stay for stay in self.stays if stay.place is not None]

    def say(self, stay: Stay, kind: MovementKind, at: datetime, place: Place | None) -> None:
        self.keys += 1
        self.waiting.append(
            Moved(
                key=str(UUID(int=(self.keys * 2654435761) % 2**61)),
                sent_at=self.now,
                person=PersonKey("T", f"P{stay.number}"),
                kind=kind,
                occurred_at=at,
                visit=VisitKey("T", f"V{stay.number}"),
                place=place,
                admitted_at=stay.steps[0][0] if stay.steps else None,
                discharged_at=at if kind is MovementKind.DISCHARGED else None,
            )
        )

    @rule(step=st.integers(1, 90))
    def time_passes(self, step: int) -> None:
        self.now += timedelta(minutes=step)

    @rule(data=st.data())
    def admit(self, data: st.DataObject) -> None:
        self.now += timedelta(minutes=1)
        beds = self.free(self.now)
        if beds:
            stay = Stay(len(self.stays))
            stay.steps.append((self.now, data.draw(st.sampled_from(beds))))
            self.stays.append(stay)
            self.say(stay, MovementKind.ADMITTED, self.now, stay.place)

    @precondition(lambda self: self.present())
    @rule(data=st.data(), typed_late_by=st.integers(0, 60))
    def transfer(self, data: st.DataObject, typed_late_by: int) -> None:
        """Typed in late as often as not: it happened before it was said."""
        self.now += timedelta(minutes=1)
        stay = data.draw(st.sampled_from(self.present()))
        happened = max(
            self.now - timedelta(minutes=typed_late_by),
            stay.steps[-1][0] + timedelta(seconds=30),
        )
        beds = self.free(happened)
        if beds and happened <= self.now:
            bed = data.draw(st.sampled_from(beds))
            stay.steps.append((happened, bed))
            self.say(stay, MovementKind.TRANSFERRED, happened, bed)

    @precondition(lambda self: self.present())
    @rule(data=st.data())
    def update(self, data: st.DataObject) -> None:
        self.now += timedelta(minutes=1)
        stay = data.draw(st.sampled_from(self.present()))
        self.say(stay, MovementKind.OBSERVED, self.now, stay.place)

    @precondition(lambda self: self.present())
    @rule(data=st.data())
    def discharge(self, data: st.DataObject) -> None:
        self.now += timedelta(minutes=1)
        stay = data.draw(st.sampled_from(self.present()))
        stay.steps.append((self.now, None))
        self.say(stay, MovementKind.DISCHARGED, self.now, None)

    @precondition(lambda self: self.stays)
    @rule(data=st.data())
    def take_back_the_last_step(self, data: st.DataObject) -> None:
        """Cancels the admission, transfer or discharge, where the bed is still free."""
        self.now += timedelta(minutes=1)
        stay = data.draw(st.sampled_from(self.stays))
        if stay.cancelled:
            return
        since, last = stay.steps[-1]
        if len(stay.steps) == 1:
            self.say(stay, MovementKind.CANCELLED_ADMIT, self.now, None)
            stay.cancelled = True
            return
        back = stay.steps[-2][1]
        if back not in self.free(since):
            return
        stay.steps.pop()
        kind = MovementKind.CANCELLED_TRANSFER if last else MovementKind.CANCELLED_DISCHARGE
        self.say(stay, kind, self.now, None)

    @precondition(lambda self: len(self.present()) > 1)
    @rule(data=st.data())
    def swap(self, data: st.DataObject) -> None:
        self.now += timedelta(minutes=1)
        one, other = data.draw(st.permutations(self.present()))[:2]
        places = one.place, other.place
        for stay, place in zip((other, one), places, strict=True):
            stay.steps.append((self.now, place))
            self.say(stay, MovementKind.TRANSFERRED, self.now, place)

    # -- the line --------------------------------------------------------------------------

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def some_arrive(self, data: st.DataObject) -> None:
        """Any of the messages, in any order; some arrive and stay in the queue as well."""
        chosen = data.draw(st.lists(st.sampled_from(self.waiting), min_size=1, max_size=6))
        record(chosen, source="pas")
        lost = data.draw(st.sets(st.sampled_from([fact.key for fact in chosen])))
        self.waiting = [fact for fact in self.waiting if fact.key not in lost]

    # -- what must hold --------------------------------------------------------------------

    def check(self) -> None:
        told = {
            (visit, start): (ward, bed, end)
            for visit, ward, bed, start, end in (
                (row[0], row[1], row[2], row[3].lower, row[3].upper)
                for row in Occupancy.objects.values_list(
                    "episode__visit__number", "ward_id", "bed_id", "period"
                )
            )
        }
        assert told == self.truth()
        gone = {
            f"V{s.number}": s.steps[-1][0] if s.steps[-1][1] is None else None
            for s in self.stays
            if not s.cancelled
        }
        assert (
            dict(
                Episode.objects.exclude(status="cancelled").values_list(
                    "visit__number", "discharged_at"
                )
            )
            == gone
        )
        state = everything()
        told_again(Patient.objects.values_list("pk", flat=True))
        assert everything() == state

    def truth(self) -> dict[tuple[str, datetime], tuple[int, int | None, datetime | None]]:
        periods = {}
        for stay in self.stays:
            if stay.cancelled:
                continue
            for number, (start, place) in enumerate(stay.steps):
                end = stay.steps[number + 1][0] if number + 1 < len(stay.steps) else None
                if place is not None:
                    periods[f"V{stay.number}", start] = (place.ward, place.bed, end)
        return periods


def test_a_coherent_source_over_a_bad_line_is_reproduced() -> None:
    run_state_machine_as_test(
        Source,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
