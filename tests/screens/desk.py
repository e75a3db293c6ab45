"""People who need a bed, and rules by which beds are given."""

from __future__ import annotations

from datetime import timedelta

from tests.screens.hospital import Hospital
from wards.facts import Moved, MovementKind
from wards.models import BedRequest, Ward
from wards.rule_books import keep_book
from wards.suitability.defaults import EXAMPLE


def in_emergency(hospital: Hospital, *, family: str, hours: float = 3, asked: float = 1) -> Moved:
    """Somebody in the emergency department for whom a bed on the second ward is asked."""
    with hospital.together():
        fact = hospital.admit(hospital.emergency, ago=timedelta(hours=hours), family=family)
        hospital.tell(
            fact,
            MovementKind.PENDING_ADMIT,
            ago=timedelta(hours=asked),
            wanted=hospital.wards[1],
        )
    return fact


def request_of(fact: Moved) -> BedRequest:
    """Their open request."""
    assert fact.visit is not None
    return BedRequest.objects.get(
        episode__visit__number=fact.visit.number, period__endswith__isnull=True
    )


def load_example(hospital: Hospital) -> None:
    """The example's rules hold everywhere, from yesterday on."""
    keep_book(site=None, book=EXAMPLE, valid_from=hospital.now - timedelta(days=1), by=None)


def make_male(ward: Ward) -> None:
    """All its bays are for men."""
    ward.bays.update(sex=Ward.Sex.MALE)
