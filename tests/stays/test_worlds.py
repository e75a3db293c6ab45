"""Random small worlds: what is in hospital afterwards is exactly what the file says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patients.models import Episode
from tests.stays.files import at, load, row, text
from wards.models import Occupancy
from wards.stay_values import LONDON

pytestmark = pytest.mark.django_db
Period = tuple[str, datetime, datetime | None]


@dataclass(frozen=True)
class Stay:
    """One row as it was meant."""

    ward: str
    start: datetime
    end: datetime | None
    last: bool


@dataclass(frozen=True)
class Story:
    """One episode as it was meant."""

    number: str
    patient: str
    stays: Sequence[Stay]
    specialty: str

    @property
    def ended(self) -> datetime | None:
        return self.stays[-1].end if self.stays[-1].last else None

    @property
    def periods(self) -> list[Period]:
        """Where the patient was, gaps counted to the ward before."""
        steps: list[tuple[datetime, str]] = []
        for stay in self.stays:
            if steps and steps[-1][0] == stay.start:
                steps.pop()
            if not steps or steps[-1][1] != stay.ward:
                steps.append((stay.start, stay.ward))
        ends = [*(start for start, _ in steps[1:]), self.ended]
        found = [(w, start, end) for (start, w), end in zip(steps, ends, strict=True)]
        return [p for p in found if p[2] is None or p[2] > p[1]]


def steps(most: int) -> st.SearchStrategy[timedelta]:
    return st.integers(0, most).map(lambda n: timedelta(minutes=30 * n))


@st.composite
def stories(draw: st.DrawFn) -> list[Story]:
    """Episodes of two patients, one after the other; only the last of each may go on."""
    told = []
    for patient in ("P0", "P1"):
        now = at(28, 20) + draw(steps(40))  # over the night in which the clocks change
        for number in range(2):
            may_go_on = number == 1 and draw(st.booleans())
            stays: list[Stay] = []
            for left in reversed(range(draw(st.integers(1, 4)))):
                start, now = now, now + draw(steps(60))
                is_last = left == 0 and not may_go_on
                is_open = left == 0 and may_go_on and draw(st.booleans())
                ward = draw(st.sampled_from(["W1", "W2", "W3"]))
                stays.append(Stay(ward, start, None if is_open else now, is_last))
                now += draw(st.one_of(st.just(timedelta()), steps(4)))
            specialty = draw(st.sampled_from(["300", "340", ""]))
            told.append(Story(f"{patient}-{number}", patient, stays, specialty))
    return told


def as_written(moment: datetime | None, style: int) -> str:
    if moment is None:
        return ""
    local = moment.astimezone(LONDON)
    return (moment.isoformat(), local.isoformat(" "), f"{moment:%Y-%m-%d %H:%MZ}")[style]


@st.composite
def files(draw: st.DrawFn) -> tuple[list[Story], str]:
    """Some stories, and a file that tells them."""
    told = draw(stories())
    rows = [
        row(
            episode=story.number,
            patient=story.patient,
            ward=stay.ward,
            specialty=story.specialty,
            start=as_written(stay.start, style := draw(st.integers(0, 2))),
            end=as_written(stay.end, style),
            last=int(stay.last),
        )
        for story in told
        for stay in story.stays
    ]
    return told, text(*draw(st.permutations(rows)), separator=draw(st.sampled_from(",;\t")))


def found() -> dict[str, tuple[object, ...]]:
    """Every episode as it stands, by its number."""
    periods: dict[int, list[Period]] = {}
    for one in Occupancy.objects.select_related("ward"):
        periods.setdefault(one.episode_id, []).append(
            (one.ward.code, one.period.lower, one.period.upper)
        )
    return {
        one.visit.number: (
            one.patient.identifier,
            one.admitted_at,
            one.discharged_at,
            one.specialty,
            tuple(one.flags),
            sorted(periods.get(one.pk, []), key=lambda p: p[1]),
        )
        for one in Episode.objects.select_related("visit", "patient")
    }


def meant(told: Iterable[Story]) -> dict[str, tuple[object, ...]]:
    return {
        story.number: (
            story.patient,
            story.stays[0].start,
            story.ended,
            story.specialty,
            (),
            story.periods,
        )
        for story in told
    }


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worlds") / "stays.csv"


@given(world=files())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_in_hospital_is_what_the_file_says(
    db: None, path: Path, world: tuple[list[Story], str]
) -> None:
    told, content = world
    with transaction.atomic():
        path.write_text(content, encoding="utf-8")
        answer = load(path)
        assert answer.episodes == {"new": len(told)}
        assert found() == meant(told)
        assert load(path).episodes == {"known_already": len(told)}
        transaction.set_rollback(True)


@given(worlds=st.lists(files(), min_size=2, max_size=4))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_corrected_file_leaves_what_it_would_have_left_alone(
    db: None, path: Path, worlds: list[tuple[list[Story], str]]
) -> None:
    with transaction.atomic():
        for told, content in worlds:
            path.write_text(content, encoding="utf-8")
            assert not load(path, "--replace").document["refused"]
            assert found() == meant(told)
            assert load(path, "--replace").episodes == {"known_already": len(told)}
        transaction.set_rollback(True)


@given(world=files(), share=st.floats(0, 1))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_present_known_bit_by_bit_is_the_present_known_at_once(
    db: None, path: Path, world: tuple[list[Story], str], share: float
) -> None:
    """A file written in the middle of it all, then the whole: nothing contradicts."""
    told, content = world
    moments = sorted(stay.start for story in told for stay in story.stays)
    now = moments[int(share * (len(moments) - 1))]
    with transaction.atomic():
        early = [_as_of(story, now) for story in told if story.stays[0].start <= now]
        rows = [
            row(
                episode=story.number,
                patient=story.patient,
                ward=stay.ward,
                specialty=story.specialty,
                start=stay.start.isoformat(),
                end=as_written(stay.end, 0),
                last=int(stay.last),
            )
            for story in early
            for stay in story.stays
        ]
        path.write_text(text(*rows), encoding="utf-8")
        load(path)
        assert found() == meant(early)
        path.write_text(content, encoding="utf-8")
        answer = load(path)
        assert not answer.document["refused"]
        assert found() == meant(told)
        transaction.set_rollback(True)


def _as_of(story: Story, now: datetime) -> Story:
    """The episode as it was known then."""
    begun = [stay for stay in story.stays if stay.start <= now]
    known = [*begun[:-1]]
    final = begun[-1]
    if final.end is None or final.end > now or len(begun) < len(story.stays):
        final = Stay(final.ward, final.start, None, False)
    return Story(story.number, story.patient, [*known, final], story.specialty)


def test_the_worlds_hold_what_is_hard() -> None:
    """Stays without length, on one ward twice, and with gaps are told apart."""
    story = Story(
        "E", "P",
        [Stay("W1", at(1), at(1), False), Stay("W2", at(1), at(2), False),
         Stay("W2", at(3), at(4), True)],
        "",
    )  # fmt: skip
    assert story.periods == [("W2", at(1), at(4))]
    assert all(a[2] == b[1] for a, b in pairwise(story.periods))
