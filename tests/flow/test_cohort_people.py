"""Who is on the way, and what is known of them: compared with a slow look at random histories."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flow.cohorts.people import Person, areas_known, people
from flow.cohorts.steps import Step
from flow.moment import Moment
from patients.cohorts import Phase
from patients.models import Episode, Patient, Review
from tests.flow.places import START, make_episode, make_site, make_ward, put

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
KINDS = ("emergency", "assessment", "inpatient", "community", "virtual")
IN_PLACE = {
    "emergency": Step.EMERGENCY,
    "assessment": Step.ASSESSMENT,
    "inpatient": Step.TREATMENT,
    "community": Step.TREATMENT,
    "virtual": Step.SERVICE,
}
LAST = 90


def day(number: float) -> datetime:
    return START + number * DAY


def at(moment: datetime) -> list[Person]:
    return people(Moment(moment), areas=areas_known())


@dataclass(frozen=True)
class OneStay:
    """Days `[lo, hi)` of person `who`, by ward kinds from which day; `hi` None: still there."""

    who: int
    lo: int
    hi: int | None
    moves: tuple[tuple[int, str], ...]
    method: str
    frailty: tuple[tuple[int, int | None], ...]
    died: bool

    def kind(self, number: int) -> str:
        return next(kind for since, kind in reversed(self.moves) if since <= number)

    def beyond(self, until: int) -> bool:
        """Whether it had gone beyond an emergency department by then."""
        return any(kind != "emergency" and since <= until for since, kind in self.moves)


@st.composite
def histories(draw: st.DrawFn) -> list[OneStay]:
    stays = []
    for who in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, 40))
        for _ in range(draw(st.integers(0, 3))):
            length = draw(st.integers(1, 25))
            end = begin + length
            kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=3))
            starts = sorted({begin, *draw(st.lists(st.integers(begin, end - 1), max_size=2))})
            looks = st.tuples(st.integers(begin, end - 1), st.none() | st.integers(1, 9))
            stays_on = draw(st.integers(0, 4)) == 0
            stays.append(
                OneStay(
                    who,
                    begin,
                    None if stays_on else end,
                    tuple(zip(starts, kinds, strict=False)),
                    draw(st.sampled_from(["21", "11", "2B", "E"])),
                    tuple(sorted(draw(st.lists(looks, max_size=2)), key=lambda look: look[0])),
                    not stays_on and draw(st.integers(0, 5)) == 0,
                )
            )
            if stays_on:
                break
            begin = end + draw(st.integers(0, 35))
    return stays


def write(stays: list[OneStay]) -> dict[int, int]:
    """The history as rows; the people by number."""
    site = make_site()
    wards = {kind: make_ward(site, kind=kind) for kind in KINDS}
    records: dict[int, Patient] = {}
    for stay in stays:
        episode = make_episode(
            admitted_at=day(stay.lo),
            discharged_at=None if stay.hi is None else day(stay.hi),
            patient=records.get(stay.who),
            admission_method=stay.method,
            discharge_destination="79" if stay.died else "19",
        )
        records.setdefault(stay.who, episode.patient)
        ends = [since for since, _kind in stay.moves[1:]] + [stay.hi]
        for (since, kind), until in zip(stay.moves, ends, strict=True):
            put(
                wards[kind],
                start=day(since),
                end=None if until is None else day(until),
                episode=episode,
            )
        for number, (when, score) in enumerate(stay.frailty):
            look(episode, day(when) + timedelta(minutes=number), frailty=score)
    return {number: record.person_id or 0 for number, record in records.items()}


def look(episode: Episode, when: datetime, **found: object) -> None:
    number = Review.objects.count()
    Review.objects.create(
        episode=episode, occurred_at=when, source="test", key=f"look {number}", **found
    )


@dataclass(frozen=True)
class Expected:
    """What the slow look says of somebody."""

    step: Step
    frailty: int | None
    gap: float | None
    unplanned: bool
    stays: int


def slow(stays: list[OneStay], number: float) -> dict[int, Expected]:
    whole = int(number)
    found = {}
    for who in {stay.who for stay in stays}:
        mine = [s for s in stays if s.who == who and s.lo <= whole]
        here = [s for s in mine if s.hi is None or whole < s.hi]
        gone = [s for s in mine if s.hi is not None and s.hi <= whole]
        if here:
            now, step = here[0], IN_PLACE[here[0].kind(whole)]
        else:
            # The question is asked half a day after the whole one.
            lately = [s for s in gone if whole - 30 < (s.hi or 0) and s.beyond(s.hi or 0)]
            lately = [s for s in lately if not s.died]
            if not lately:
                continue
            now, step = max(lately, key=lambda s: s.hi or 0), Step.HOME
        counted = [s for s in mine if s.beyond(whole)]
        before = [s.hi for s in counted if s is not now and s.hi is not None and s.hi <= now.lo]
        in_place_kind = now.kind(whole if step is not Step.HOME else (now.hi or 0) - 1)
        unplanned = now.method in ("21", "E") and in_place_kind != "emergency"
        scores = [
            (stay.lo, when, n, score)
            for stay in counted + ([now] if now not in counted else [])
            for n, (when, score) in enumerate(stay.frailty)
            if score is not None and when <= whole
        ]
        own = [score for lo, when, n, score in scores if lo == now.lo]
        found[who] = Expected(
            step=step,
            frailty=own[-1] if own else max(scores)[3] if scores else None,
            gap=now.lo - max(before) if before else None,
            unplanned=unplanned,
            stays=sum(s.method in ("21", "E") for s in counted if s is not now) + unplanned,
        )
    return found


@given(data=st.data())
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_people_are_where_their_movements_say(data: st.DataObject) -> None:
    stays = data.draw(histories())
    with transaction.atomic():
        numbers = write(stays)
        for number in data.draw(st.lists(st.integers(0, LAST), min_size=1, max_size=4)):
            seen = {person.person: person for person in at(day(number + 0.5))}
            expected = slow(stays, number)
            assert set(seen) == {numbers[who] for who in expected}
            for who, said in expected.items():
                person = seen[numbers[who]]
                assert told(person) == said
        transaction.set_rollback(True)


def told(person: Person) -> Expected:
    facts = person.facts
    gap = facts.days_since_leaving
    return Expected(
        person.step,
        facts.frailty,
        None if gap is None else round(gap),
        facts.unplanned,
        facts.stays_in_year,
    )


def test_somebody_announced_is_expected_until_a_day_after() -> None:
    episode = make_episode(admitted_at=None, expected_at=day(3))
    [person] = at(day(0))
    assert (person.step, person.facts.phase, person.due_at) == (
        Step.EXPECTED, Phase.BEFORE, episode.expected_at,
    )  # fmt: skip
    assert [p.step for p in at(day(3.9))] == [Step.EXPECTED]
    assert at(day(4.1)) == []


def test_who_is_expected_back_is_before_the_stay_again() -> None:
    first = make_episode(admitted_at=day(0), discharged_at=day(5))
    put(make_ward(make_site()), start=day(0), end=day(5), episode=first)
    make_episode(admitted_at=None, expected_at=day(12), patient=first.patient)
    [person] = at(day(8))
    assert person.step is Step.EXPECTED


def test_who_has_died_is_not_followed() -> None:
    episode = make_episode(admitted_at=day(0), discharged_at=day(5))
    put(make_ward(make_site()), start=day(0), end=day(5), episode=episode)
    assert [p.step for p in at(day(6))] == [Step.HOME]
    Patient.objects.filter(pk=episode.patient_id).update(died_at=day(5.5))
    assert at(day(6)) == []


def test_age_is_of_the_moment_and_of_the_details_that_count() -> None:
    ward = make_ward(make_site())
    old, new = make_episode(), make_episode()
    put(ward, episode=old)
    person = old.patient
    Patient.objects.filter(pk=person.pk).update(merged_into=new.patient, person=new.patient)
    Patient.objects.filter(pk=new.patient_id).update(date_of_birth=date(2000, 3, 4))
    found = {p.episode: p.facts.age for p in at(day(1))}
    assert found[old.pk] == 25  # the birthday is on day 2
    assert {p.facts.age for p in at(day(2))} == {26}


def test_of_one_person_in_two_records_there_is_one_line() -> None:
    ward = make_ward(make_site())
    first = make_episode(admitted_at=day(0), discharged_at=day(2))
    put(ward, start=day(0), end=day(2), episode=first)
    second = make_episode(admitted_at=day(5))
    Patient.objects.filter(pk=first.patient_id).update(person=second.patient)
    put(ward, start=day(5), episode=second)
    [person] = at(day(6))
    assert person.step is Step.TREATMENT
    assert person.facts.days_since_leaving == 3


def test_what_an_earlier_stay_found_holds_until_somebody_looks_again() -> None:
    ward = make_ward(make_site())
    first = make_episode(admitted_at=day(0), discharged_at=day(2))
    put(ward, start=day(0), end=day(2), episode=first)
    look(first, day(1), frailty=6, residence="care_home")
    second = make_episode(admitted_at=day(5), patient=first.patient)
    put(ward, start=day(5), episode=second)
    [before] = at(day(6))
    assert (before.facts.frailty, before.facts.residence) == (6, "care_home")
    look(second, day(7), frailty=7)
    [after] = at(day(8))
    assert (after.facts.frailty, after.facts.residence) == (7, "care_home")
