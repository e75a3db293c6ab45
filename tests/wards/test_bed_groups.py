"""A bay or a whole ward closed at once, and its escalation beds opened together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts.refusals import Refused
from tests.wards.some_places import SomeWard, some_ward
from wards.bed_groups import close_group, closures_of, groups_of, open_group
from wards.bed_states import close, open_escalation, reopen, states_at
from wards.models import Bed, Opening

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def opened(here: SomeWard, at: datetime) -> set[str]:
    labels = {bed.pk: bed.label for bed in Bed.objects.filter(ward=here.ward)}
    return {labels[one.bed] for one in states_at(at=at, wards=[here.ward.pk]) if one.opened}


@pytest.fixture
def here() -> SomeWard:
    """With a second escalation bed in bay A."""
    made = some_ward()
    Bed.objects.create(
        ward=made.ward, bay=made.bay, label="9", position=9, funding=Bed.Funding.ESCALATION
    )
    return made


def test_the_ward_and_its_bays_are_counted(here: SomeWard) -> None:
    whole, bay, spare = groups_of(here.ward, at=NOON)
    assert (whole.bay, whole.beds, whole.shut, whole.opened) == (None, 5, 2, 0)
    assert (bay.bay, bay.name, bay.beds, bay.shut) == (here.bay.pk, "A", 4, 1)
    assert (spare.beds, spare.shut) == (0, 1)


def test_escalation_beds_are_opened_and_closed_together(here: SomeWard) -> None:
    made = open_group(ward=here.ward.pk, bay=None, since=NOON, until=NOON + 5 * HOUR, by=None)
    assert {one.bed.label for one in made} == {"5", "9"}
    core = {"1", "2", "3", "4", "6"}
    assert opened(here, NOON) == core | {"5", "9"}
    assert opened(here, NOON + 5 * HOUR) == core
    assert close_group(ward=here.ward.pk, bay=here.bay.pk, at=NOON + HOUR, by=None) == 1
    assert opened(here, NOON + HOUR) == core | {"5"}
    with pytest.raises(Refused, match="No escalation bed there is open"):
        close_group(ward=here.ward.pk, bay=here.bay.pk, at=NOON + HOUR, by=None)


def test_only_those_that_are_shut_are_opened(here: SomeWard) -> None:
    open_escalation(bed=here.escalation.pk, since=NOON, by=None)
    assert len(open_group(ward=here.ward.pk, bay=None, since=NOON + HOUR, by=None)) == 1
    with pytest.raises(Refused, match="No escalation bed there is shut"):
        open_group(ward=here.ward.pk, bay=None, since=NOON + HOUR, by=None)


def test_all_or_none_are_opened(here: SomeWard) -> None:
    later = NOON + 3 * HOUR
    open_escalation(bed=here.escalation.pk, since=later, by=None)
    with pytest.raises(Refused, match="is open already since"):
        open_group(ward=here.ward.pk, bay=None, since=NOON, by=None)
    assert Opening.objects.count() == 1


def test_a_bay_of_another_ward_is_refused(here: SomeWard) -> None:
    other = some_ward()
    with pytest.raises(Refused, match="not on this ward"):
        open_group(ward=here.ward.pk, bay=other.bay.pk, since=NOON, by=None)


def test_the_closures_of_bays_and_ward_are_told_the_widest_first(here: SomeWard) -> None:
    close(bed=here.loose.pk, reason="estates", since=NOON, by=None)
    bay = close(bay=here.bay.pk, reason="infection", since=NOON, by=None)
    whole = close(ward=here.ward.pk, reason="staffing", since=NOON + HOUR, by=None)
    assert closures_of(here.ward.pk, at=NOON) == [bay]
    assert closures_of(here.ward.pk, at=NOON + HOUR) == [whole, bay]
    reopen(closure=bay.pk, at=NOON + 2 * HOUR, by=None)
    assert closures_of(here.ward.pk, at=NOON + 2 * HOUR) == [whole]
