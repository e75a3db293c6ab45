"""Stays read from the database as they became known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flow.forecasts.clock import minute_of
from flow.forecasts.history import NOT_YET, Stays
from flow.forecasts.reading import read, read_present
from patients.keys import Details, PersonKey, VisitKey
from patients.models import Episode
from tests.wards.hospital import START, Hospital, build, minutes
from wards.facts import Fact, Moved, Place, VisitJoined
from wards.facts import MovementKind as Kind
from wards.models import Movement, Site
from wards.movements import record

pytestmark = pytest.mark.django_db
_keys = count(1)
NOW = START + timedelta(days=90)


def said(
    visit: str, kind: Kind, minute: float, *, place: Place | None = None, sent: float | None = None,
    **stay: str,
) -> Moved:  # fmt: skip
    return Moved(
        key=f"said {next(_keys)}",
        sent_at=minutes(minute if sent is None else sent),
        person=PersonKey("RXX", f"P{visit}"),
        visit=VisitKey("RXX", visit),
        kind=kind,
        occurred_at=minutes(minute),
        place=place,
        stay=stay,
    )


def learn(*facts: Fact) -> None:
    """Each counts as learnt when it was sent."""
    for fact in facts:
        record([fact], source="feed", known_when_sent=True)


def site() -> Site:
    return Site.objects.get(code="TST")


def all_of() -> Stays:
    return read(site(), since=START - timedelta(days=400), at=NOW)


def at(minute: float) -> np.ndarray:
    return np.array([minute_of(minutes(minute))])


def test_a_stay_is_read_as_it_went_on() -> None:
    hospital = build()
    learn(
        said("1", Kind.ADMITTED, 0, place=hospital.ward(0), specialty="300", admission_method="21"),
        said("1", Kind.TRANSFERRED, 100, place=hospital.ward(1), specialty="430"),
        said("1", Kind.DISCHARGED, 500),
    )
    stays, one = all_of(), np.array([0])
    assert list(stays.keys) == [Episode.objects.get().pk]
    assert stays.names == ("1",)
    wards = [stays.wards[stays.code("ward", one, at(m))[0]].key for m in (-1, 0, 99, 100, 600)]
    assert wards == [0, *[hospital.wards[0]] * 2, *[hospital.wards[1]] * 2]
    specialties = [
        stays.codes["specialty"][stays.code("specialty", one, at(m))[0]] for m in (50, 150)
    ]
    assert specialties == ["300", "430"]
    assert stays.admitted(one, at(0)) == at(0)
    assert [stays.ended(one, at(m))[0] for m in (499, 500)] == [NOT_YET, at(500)[0]]
    assert [stays.present(int(at(m)[0])).size for m in (-1, 0, 499, 500)] == [0, 1, 1, 0]


def test_what_was_told_late_is_known_late() -> None:
    hospital = build()
    learn(
        said("1", Kind.ADMITTED, 0, place=hospital.ward(0)),
        said("1", Kind.DISCHARGED, 500, sent=700.5),
        said("1", Kind.CANCELLED_DISCHARGE, 500, sent=900),
    )
    stays = all_of()
    ends = [stays.ended(np.array([0]), at(m))[0] for m in (699, 700, 701, 899, 900)]
    assert ends == [NOT_YET, NOT_YET, at(500)[0], at(500)[0], NOT_YET]


def test_a_cancelled_admission_was_believed_until_it_was_cancelled() -> None:
    hospital = build()
    learn(
        said("1", Kind.ADMITTED, 0, place=hospital.ward(0)),
        said("1", Kind.CANCELLED_ADMIT, 60),
    )
    stays = all_of()
    assert [stays.present(int(at(m)[0])).size for m in (0, 59, 60)] == [1, 1, 0]


def test_a_stay_that_turns_out_to_be_part_of_another_leaves_it_alone() -> None:
    hospital = build()
    learn(
        said("1", Kind.ADMITTED, 0, place=hospital.ward(0)),
        said("2", Kind.ADMITTED, 10, place=hospital.ward(1)),
        VisitJoined(
            key="joined", sent_at=minutes(60), person=PersonKey("RXX", "P1"),
            visit=VisitKey("RXX", "1"), other=VisitKey("RXX", "2"),
        ),
    )  # fmt: skip
    stays = all_of()
    assert [stays.present(int(at(m)[0])).size for m in (5, 59, 60)] == [1, 2, 1]


def test_only_what_touches_the_site_is_read() -> None:
    hospital = build()
    other = Site.objects.create(code="OTH", name="Other", organisation=site().organisation)
    ward = other.wards.create(code="X", name="X")
    learn(
        said("1", Kind.ADMITTED, 0, place=hospital.ward(0)),
        said("2", Kind.ADMITTED, 0, place=Place(ward.pk)),
        said("1", Kind.TRANSFERRED, 30, place=Place(ward.pk)),
    )
    stays = all_of()
    assert len(stays) == 1
    assert stays.ended(np.array([0]), at(30)) == at(30)
    assert len(read(other, since=START, at=NOW)) == 2


def test_the_age_said_with_an_admission_counts_where_no_birth_is_known() -> None:
    hospital = build()
    record(
        [
            Moved(
                key="born", sent_at=START,
                person=PersonKey("RXX", "P1"), visit=VisitKey("RXX", "1"),
                kind=Kind.ADMITTED, occurred_at=START, place=hospital.ward(0),
                details=Details({"date_of_birth": "1950-03-02", "sex": "female"}),
            ),
            said("2", Kind.ADMITTED, 0, place=hospital.ward(0), age="71"),
            said("3", Kind.ADMITTED, 0, place=hospital.ward(0)),
        ],
        source="feed", known_when_sent=True,
    )  # fmt: skip
    stays = all_of()
    ages = dict(zip(stays.names, stays.ages, strict=True))
    assert ages["1"] == pytest.approx(76, abs=0.01)
    assert ages["2"] == 71
    assert np.isnan(ages["3"])
    assert dict(zip(stays.names, stays.sexes, strict=True))["1"] == 0


def test_nothing_recorded_later_changes_what_is_read_of_the_past() -> None:
    """Whatever is learnt after a moment, the stays as known at it are the same to the last bit."""
    hospital = build()
    rng = Random(4)
    _random_past(hospital, rng, visits=range(12), since=0)
    moment = START + timedelta(minutes=3000)
    before = read(site(), since=START, at=moment)
    _random_past(hospital, rng, visits=range(18), since=3001)
    assert Movement.objects.filter(recorded_at__gt=moment, occurred_at__lt=moment).exists()
    after = read(site(), since=START, at=moment)
    known = read(site(), since=START, at=NOW).known_by(minute_of(moment))
    assert set(before.logs) == set(after.logs)
    for name, log in before.logs.items():
        for one, other in zip(log.entries(), after.logs[name].entries(), strict=True):
            assert np.array_equal(one, other, equal_nan=True), name
    for minute in range(0, 3000, 171):
        when = int(at(minute)[0])
        mine = sorted(before.names[n] for n in before.present(when))
        assert mine == sorted(known.names[n] for n in known.present(when))


def _random_past(hospital: Hospital, rng: Random, *, visits: range, since: int) -> None:
    kinds = [Kind.ADMITTED, Kind.TRANSFERRED, Kind.DISCHARGED, Kind.CANCELLED_DISCHARGE,
             Kind.CANCELLED_ADMIT, Kind.OBSERVED]  # fmt: skip
    facts = []
    for visit in visits:
        for _ in range(rng.randrange(1, 6)):
            sent = since + rng.randrange(2900)
            happened = max(0, sent - rng.choice([0, 0, 0, 30, 2000]))
            place = hospital.ward(rng.randrange(2))
            facts.append(said(str(visit), rng.choice(kinds), happened, place=place, sent=sent))
    learn(*sorted(facts, key=lambda fact: fact.sent_at))


def test_those_present_are_read_alike_with_few_queries() -> None:
    hospital = build(beds=30)
    learn(*(said(str(n), Kind.ADMITTED, n, place=hospital.ward(n % 2)) for n in range(6)))
    learn(*(said(str(n), Kind.DISCHARGED, 60) for n in range(3)))
    with CaptureQueriesContext(
        connection,
    ) as few:
        present = read_present(site(), at=NOW)
    assert sorted(present.names) == ["3", "4", "5"]
    learn(*(said(str(n), Kind.ADMITTED, n, place=hospital.ward(n % 2)) for n in range(10, 60)))
    with CaptureQueriesContext(connection) as many:
        assert len(read_present(site(), at=datetime.now(UTC))) == 53
    assert len(few) == len(many)
