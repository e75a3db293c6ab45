"""The same facts, shuffled, repeated and delivered in any portions, give the same stays."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patients.models import Patient
from tests.wards.hospital import Hospital, build, everything, minutes
from wards.facts import (
    Described,
    Details,
    Fact,
    Identifier,
    Joined,
    Moved,
    MovementKind,
    PersonKey,
    Place,
    VisitGiven,
    VisitJoined,
    VisitKey,
)
from wards.movements import record, told_again

pytestmark = pytest.mark.django_db

NAMES = [PersonKey("T", f"P{n}") for n in range(3)]
VISITS = [VisitKey("T", f"V{n}") for n in range(4)]
NHS_NUMBERS = ["9990000018", "9990000026"]

people = st.sampled_from(NAMES)
visits = st.sampled_from(VISITS)
moments = st.integers(0, 40).map(lambda n: minutes(15 * n))


@st.composite
def details(draw: st.DrawFn) -> Details:
    """Some of what can be said of a person."""
    said = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "family_name": st.sampled_from(["Ash", "Birch", None]),
                "date_of_birth": st.sampled_from([date(1940, 1, 1), date(1950, 2, 2), None]),
                "nhs_number": st.sampled_from([*NHS_NUMBERS, None]),
                "is_deleted": st.booleans(),
            },
        )
    )
    others = draw(st.lists(st.sampled_from(["x", "y"]), max_size=1))
    return Details(said, tuple(Identifier("T", value, "PI") for value in others))


@st.composite
def moved(draw: st.DrawFn, hospital: Hospital, key: str) -> Moved:
    """Any movement, coherent or not: feeds are not."""
    places = st.sampled_from([*hospital.beds, hospital.ward(0), None])
    stays = st.fixed_dictionaries({}, optional={"specialty": st.sampled_from(["300", "340", None])})
    kind = draw(
        st.sampled_from(
            [k for k in MovementKind if k not in (MovementKind.GIVEN, MovementKind.JOINED)]
            + [MovementKind.ADMITTED, MovementKind.TRANSFERRED, MovementKind.DISCHARGED] * 3
        )
    )
    occurred_at = draw(moments)
    return Moved(
        key=key,
        sent_at=draw(st.one_of(st.just(occurred_at), moments)),
        person=draw(people),
        details=draw(details()),
        kind=kind,
        occurred_at=occurred_at,
        visit=draw(st.one_of(visits, st.none())),
        alias=draw(st.one_of(st.none(), st.none(), visits)),
        place=draw(places),
        from_place=draw(st.one_of(st.none(), places)),
        wanted_ward=draw(st.sampled_from([*hospital.wards, None])),
        admitted_at=draw(st.one_of(st.none(), moments)),
        discharged_at=draw(st.one_of(st.none(), st.none(), moments)),
        stay=draw(stays),
    )


@st.composite
def any_fact(draw: st.DrawFn, hospital: Hospital, number: int) -> Fact:
    """A movement as a rule, else something about people or visits."""
    key = f"k{number:04}"
    which = draw(st.integers(0, 9))
    sent_at, person = draw(moments), draw(people)
    if which == 0:
        return Described(key=key, sent_at=sent_at, person=person, details=draw(details()))
    if which == 1:
        return Joined(
            key=key,
            sent_at=sent_at,
            person=person,
            other=draw(people),
            survivor=draw(st.booleans()),
            undone=draw(st.booleans()),
        )
    if which == 2:
        return VisitGiven(key=key, sent_at=sent_at, person=person, visit=draw(visits))
    if which == 3:
        return VisitJoined(
            key=key,
            sent_at=sent_at,
            person=person,
            visit=draw(visits),
            other=draw(visits),
            undone=draw(st.booleans()),
        )
    return draw(moved(hospital, key))


@pytest.fixture
def hospital() -> Hospital:
    return build()


def state_after(portions: list[list[Fact]]) -> dict[str, list[tuple[object, ...]]]:
    """What stands after recording the portions one by one; leaves no trace."""
    with transaction.atomic():
        for portion in portions:
            record(portion, source="test")
        state = everything()
        told_again(Patient.objects.values_list("pk", flat=True))
        assert everything() == state, "projecting everything anew must change nothing"
        transaction.set_rollback(True)
    return state


@given(data=st.data())
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_order_any_portions_any_repeats(hospital: Hospital, data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 14))
    agree_in_any_order([data.draw(any_fact(hospital, n)) for n in range(count)], data)


def agree_in_any_order(facts: list[Fact], data: st.DataObject) -> None:
    """One batch of the facts in order, against portions of them in any order, some twice."""
    shuffled = data.draw(st.permutations(facts))
    repeats = data.draw(st.lists(st.sampled_from(facts), max_size=4))
    delivered = [*shuffled, *repeats]
    cuts = sorted(data.draw(st.sets(st.integers(1, len(delivered)), max_size=6)))
    portions = [
        delivered[a:b] for a, b in zip([0, *cuts], [*cuts, len(delivered)], strict=True) if a < b
    ]
    assert state_after(portions) == state_after([facts])


@st.composite
def entangled(draw: st.DrawFn, hospital: Hospital, number: int) -> Fact:
    """Admissions, and visits joined, parted and given away among several people."""
    key, sent_at, person = f"k{number:04}", draw(moments), draw(people)
    which = draw(st.integers(0, 4))
    if which == 0:
        return VisitGiven(key=key, sent_at=sent_at, person=person, visit=draw(visits))
    if which <= 2:
        return VisitJoined(
            key=key,
            sent_at=sent_at,
            person=person,
            visit=draw(visits),
            other=draw(visits),
            undone=draw(st.booleans()),
        )
    return Moved(
        key=key,
        sent_at=sent_at,
        person=person,
        kind=draw(st.sampled_from([MovementKind.ADMITTED, MovementKind.DISCHARGED])),
        occurred_at=sent_at,
        visit=draw(visits),
        place=draw(st.sampled_from(hospital.beds)),
    )


@given(data=st.data())
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_visits_joined_and_given_away_across_people(
    hospital: Hospital, data: st.DataObject
) -> None:
    count = data.draw(st.integers(3, 9))
    agree_in_any_order([data.draw(entangled(hospital, n)) for n in range(count)], data)


@st.composite
def half_numbered(draw: st.DrawFn, hospital: Hospital, number: int) -> Fact:
    """One person's coming and going, with the visit number, the account's, both or neither."""
    account, other = VisitKey("T account", "A1"), VisitKey("T account", "A2")
    visit, alias = draw(
        st.sampled_from(
            [
                (None, None),
                (None, None),
                (VISITS[0], None),
                (VISITS[0], account),
                (VISITS[1], account),
                (VISITS[1], other),
                (account, None),
                (other, None),
            ]
        )
    )
    occurred_at = draw(moments)
    return Moved(
        key=f"k{number:04}",
        sent_at=draw(st.one_of(st.just(occurred_at), moments)),
        person=draw(st.sampled_from(NAMES[:2])),
        kind=draw(
            st.sampled_from(
                [
                    MovementKind.ADMITTED,
                    MovementKind.ADMITTED,
                    MovementKind.TRANSFERRED,
                    MovementKind.OBSERVED,
                    MovementKind.DISCHARGED,
                    MovementKind.CANCELLED_ADMIT,
                    MovementKind.CANCELLED_TRANSFER,
                    MovementKind.CANCELLED_DISCHARGE,
                    MovementKind.LEFT,
                ]
            )
        ),
        occurred_at=occurred_at,
        visit=visit,
        alias=alias,
        place=draw(st.sampled_from([*hospital.beds, None])),
        admitted_at=draw(st.one_of(st.none(), st.none(), moments)),
    )


@given(data=st.data())
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_what_is_said_without_a_number_finds_its_stay(
    hospital: Hospital, data: st.DataObject
) -> None:
    count = data.draw(st.integers(3, 10))
    facts = [data.draw(half_numbered(hospital, n)) for n in range(count)]
    if data.draw(st.booleans()):
        facts.append(
            Joined(key="join", sent_at=data.draw(moments), person=NAMES[0], other=NAMES[1])
        )
    agree_in_any_order(facts, data)


def test_a_place_is_kept_exactly(hospital: Hospital) -> None:
    bed = hospital.beds[0]
    fact = Moved(
        key="a",
        sent_at=minutes(1),
        person=NAMES[0],
        kind=MovementKind.ADMITTED,
        occurred_at=minutes(0),
        visit=VISITS[0],
        place=bed,
    )
    assert [o.status for o in record([fact], source="test")] == ["applied"]
    assert [o.status for o in record([fact], source="test")] == ["duplicate"]
    assert everything()["occupancies"] == [
        ("V0", "P0", bed.ward, bed.bed, bed.bed, minutes(0), None, False, False)
    ]
    assert isinstance(bed, Place)
