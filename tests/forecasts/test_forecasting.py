"""The forecast of a site from the database, and the words for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flow.forecasts import wording
from flow.forecasts.beds import site_fan
from flow.forecasts.clock import minute_of
from flow.forecasts.forecasting import inputs_of, learn_patterns, outlook_of
from flow.forecasts.leaving import DAYS, HOURS, Leaving
from flow.forecasts.outlook import (
    Fan,
    Mark,
    MarkKind,
    Outlook,
    Parts,
    Pool,
    PoolKind,
    Spreads,
    Waiting,
)
from flow.forecasts.reading import read_present
from flow.forecasts.scenario import (
    BadScenario,
    Closed,
    Fault,
    Gone,
    Opened,
    Places,
    Scenario,
)
from flow.forecasts.whatif import changed
from tests.forecasts.small import certain, small
from tests.forecasts.test_lists_reading import expect, site, tell
from tests.wards.hospital import START, Hospital, build, minutes
from wards.facts import MovementKind as Kind
from wards.facts import Place
from wards.models import Closure, Ward

NOW = 60 * 30
pytestmark = pytest.mark.django_db


def hospital_with_a_department(beds: int = 6) -> Hospital:
    """Ward 0 is the department, ward 1 and 2 have beds; two patients are there, one of them
    without a bed, one is in the department and waits for a bed, one elective is expected."""
    hospital = build(wards=3, beds=beds)
    Ward.objects.filter(pk=hospital.wards[0]).update(kind="emergency")
    in_bed = hospital.beds[beds]
    tell("1", Kind.ADMITTED, 0, place=in_bed, admission_method="21", specialty="300")
    tell("2", Kind.ADMITTED, 5, place=Place(hospital.wards[1]), admission_method="21")
    tell("3", Kind.ADMITTED, NOW - 90, place=hospital.ward(0))
    tell("3", Kind.PENDING_TRANSFER, NOW - 40, wanted=hospital.wards[1])
    expect("4", hospital.wards[2], listed=10, planned=NOW + 300)
    return hospital


def told(hospital: Hospital) -> Outlook:
    at = minutes(NOW)
    history = read_present(site(), at=at)
    there = history.present(minute_of(at))
    hours = np.tile(1 - 0.99 ** np.arange(1, HOURS + 1, dtype=np.float64), (there.size, 1))
    days = np.zeros((there.size, DAYS))
    leaving = Leaving(minute_of(at), there, hours, days, certain())
    patterns = learn_patterns(site(), history, since=START - timedelta(days=1), at=at)
    inputs = inputs_of(site(), history, leaving, patterns)
    assert inputs_of(site(), history, leaving, patterns, known_at=at).ahead.at == leaving.at
    both = Scenario(opened=(Opened(4),), gone=(Gone((int(inputs.residents.keys[0]),), 0),))
    assert site_fan(changed(inputs, both)).means[0] > outlook_of(inputs).site.means[0] + 4
    assert changed(inputs, Scenario()) is inputs
    return outlook_of(inputs)


def test_from_the_database_to_free_beds() -> None:
    hospital = hospital_with_a_department()
    Closure.objects.create(
        ward_id=hospital.wards[2], reason="infection", period=(minutes(0), minutes(NOW + 120))
    )
    found = told(hospital)
    assert (found.site.patients, found.site.free_now) == (2, 4)
    assert found.site.open[:3].tolist() == [6, 12, 12]
    keys = [(fan.pool.kind.value, fan.pool.key, fan.pool.name) for fan in found.pools]
    assert keys == [
        ("ward", str(hospital.wards[1]), "Ward 1"),
        ("ward", str(hospital.wards[2]), "Ward 2"),
        ("group", "wards", ""),
    ]
    assert found.waiting is not None
    assert (found.waiting.now, found.waiting.over_now) == (1, 0)
    assert found.site.parts.listed[10] > 0.5
    assert [(mark.kind.value, mark.number, mark.ward) for mark in found.marks] == [
        ("closure_ends", 6, hospital.wards[2]),
        ("listed", 1, hospital.wards[2]),
    ]


@pytest.mark.parametrize("beds", [6, 60])
def test_as_many_queries_whatever_the_number_of_beds(beds: int) -> None:
    hospital = hospital_with_a_department(beds)
    at = minutes(NOW)
    history = read_present(site(), at=at)
    there = history.present(minute_of(at))
    leaving = Leaving(
        minute_of(at), there, np.full((there.size, HOURS), 0.5), np.zeros((there.size, DAYS)),
        certain(),
    )  # fmt: skip
    patterns = learn_patterns(site(), history, since=START, at=at)
    here = site()
    with CaptureQueriesContext(connection) as queries:
        inputs_of(here, history, leaving, patterns)
    assert len(queries) == 7
    assert hospital.wards[1] in [ward.key for ward in inputs_of(
        here, history, leaving, patterns).wards]  # fmt: skip


AT = small(1).ahead.at
"""A Wednesday at 10:00, in London as in UTC."""


def outlook(*free: tuple[int, int]) -> Outlook:
    """Hours in turn: 9 in 10 at least the first number, 7 in 10 at least the second."""
    lowest = min(one for one, _ in free) - 1
    chances = np.zeros((HOURS, 100))
    for hour in range(HOURS):
        sure, likely = free[min(hour, len(free) - 1)]
        for number, chance in ((sure - 1, 0.05), (sure, 0.2), (likely, 0.75)):
            chances[hour, number - lowest] += chance
    zero = np.zeros(HOURS)
    fan = Fan(
        pool=Pool(PoolKind.SITE, "", "", (1,)),
        patients=4,
        free_now=3,
        open=np.full(HOURS, 7),
        spreads=Spreads(lowest, chances),
        parts=Parts(zero, zero, zero, zero, zero, zero),
    )
    ahead = small(1).ahead
    return Outlook(AT, ahead.ends, ahead.shown_always, fan, (), None, (), 3.4)


@pytest.mark.parametrize(
    ("free", "words"),
    [
        ((6, 11), "At least 6 free beds at 11:00 (9 in 10), 11 (7 in 10)"),
        ((1, 2), "At least 1 free bed at 11:00 (9 in 10), 2 (7 in 10)"),
        ((0, 3), "A bed for everybody at 11:00 (9 in 10), at least 3 free (7 in 10)"),
        (
            (-4, 2),
            "At most 4 patients without a bed at 11:00 (9 in 10), at least 2 free (7 in 10)",
        ),
        ((-5, -2), "At most 5 patients without a bed at 11:00 (9 in 10), 2 (7 in 10)"),
    ],
)
def test_at_least_so_many(free: tuple[int, int], words: str) -> None:
    found = outlook(free)
    assert wording.beds_said(found.site, 0, found) == words


def test_the_chart_in_a_sentence() -> None:
    found = outlook((2, 5))
    assert wording.fan_said(found.site, found).startswith(
        "All beds: 3 free now. The middle of what is likely and, with 9 chances in 10 each, how "
        "many at least and at most: Thu 00:00 5 (at least 2, at most 5); Thu 08:00 5 (at least 2, "
    )


def test_waits_and_chances() -> None:
    found = outlook((2, 5))
    numbers = Spreads(0, np.ones((HOURS, 1)))
    waiting = Waiting(4, 2, 0, numbers, numbers, np.linspace(1, 0, HOURS), 1000)
    assert wording.waiting_said(waiting, 46, found) == (
        "Chance that nobody waits over 4 hours for a bed by Fri 09:00: 35 %"
    )
    assert wording.waiting_said(replace(waiting, over_now=2), 46, found) == (
        "2 wait over 4 hours for a bed already; chance that nobody joins them by Fri 09:00: 35 %"
    )
    over = Spreads(0, np.tile([0.2, 0.1, 0.3, 0.4], (HOURS, 1)))
    assert wording.waiting_said(replace(waiting, over=over), 46, found).endswith(
        "by Fri 09:00: 35 %; waiting so long at that time: 2 (8 in 10: 0 to 3)"
    )
    assert wording.chance_said(0.001) == "less than 1 %"
    assert wording.chance_said(0.9999) == "more than 99 %"


def test_little_history_is_said() -> None:
    found = outlook((2, 5))
    assert wording.days_said(found.days_known) == (
        "This rests on 3 days of records, so that the numbers lie wide."
    )
    assert wording.days_said(60.0) == ""


def test_marks_and_pools() -> None:
    names = {7: "Ward 7"}
    closes = Mark(AT + 480, MarkKind.CLOSURE_ENDS, 12, 7, "infection")
    assert wording.mark_said(closes, names, at=AT) == (
        "18:00 Ward 7: 12 beds, opens again (Infection)"
    )
    expected = Mark(AT + 24 * 60, MarkKind.LISTED, 1, 7)
    assert wording.mark_said(expected, names, at=AT) == (
        "Thu 10:00 Ward 7: 1 patient, expected by name"
    )
    for kind, key, name in (
        (PoolKind.SITE, "", "All beds"), (PoolKind.GROUP, "wards", "Wards"),
        (PoolKind.SEX, "female", "Beds for women"), (PoolKind.SPECIALTY, "300", "300"),
    ):  # fmt: skip
        assert wording.pool_name(Pool(kind, key, key, ())) == name


def test_a_scenario_in_words() -> None:
    scenario = Scenario(
        opened=(Opened(6), Opened(1, 7, AT + 60)),
        closed=(Closed(7, 48, AT - 60),),
        gone=(Gone((1, 2, 3, 4), AT + 120),),
        arrivals=1.2,
        places=(Places(1, 3),),
    )
    assert wording.scenario_said(scenario, {7: "Ward 7"}, at=AT) == [
        "6 beds more on the site, from now on",
        "1 bed more on Ward 7, from 11:00",
        "Ward 7 takes nobody in for 48 hours, from 09:00, which is past; "
        "its patients leave as ever",
        "4 patients have left by 12:00",
        "20 % more arrivals",
        "3 places more for pathway 1, taken in the daytime of the next 24 hours by those who have "
        "been ready for it longest",
    ]
    assert wording.scenario_said(Scenario(arrivals=0.9), {}, at=AT) == ["10 % fewer arrivals"]


@pytest.mark.parametrize("fault", list(Fault))
def test_every_fault_says_what_to_do(fault: Fault) -> None:
    words = wording.fault_said(BadScenario(fault, "open", "x" * 200))
    assert len(words) > 20
    assert "%(" not in words
    assert "x" * 61 not in words
