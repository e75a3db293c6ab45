"""What the staff find, wait for and ask: plausible, coded rightly, and the same whenever asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from simulation.care import placing
from simulation.care.criteria import criteria_of
from simulation.care.placing import asked
from simulation.care.reasons import national_shares, reasons
from simulation.care.rounds import Finding, begins, findings
from simulation.care.stays import Stay, stays
from simulation.care.waits import Wait, waits
from simulation.clock import DAY, HOUR, LONDON, local_hour, moment_of, weekday
from simulation.hazards import Stage
from simulation.places import NORTHMOOR, Places, load
from simulation.session import Session
from simulation.worlds import CARE_HOME, HOME, REHABILITATION, SUPPORT, VIRTUAL

pytestmark = pytest.mark.xdist_group("seed 11")  # what is simulated once serves all of them

SEED: Final = 5
CODE_SETS: Final = Path(__file__).resolve().parents[2] / "patients" / "code_sets"
Begin = Callable[..., Session]


@dataclass
class Look:
    """Everybody at one moment, with what is known of them by then."""

    now: int
    stays: dict[str, Stay]
    waits: dict[str, list[Wait]]
    found: dict[str, list[Finding]]


@pytest.fixture(scope="module")
def looks(begin: Begin, quarter: Places) -> list[Look]:
    """A system of a quarter of Northmoor, every six hours for three weeks."""
    session = begin(seed=11)
    seen = []
    first: dict[str, int] = {}
    for _ in range(4 * 21):
        session.engine.run_until(session.engine.now + 6 * HOUR)
        while session.feed.due(10**12) is not None:
            session.feed.done()
        now = session.engine.now
        there = {stay.visit: stay for stay in stays(session.engine.state, quarter)}
        for stay in there.values():
            first[stay.visit] = first.get(stay.visit) or stay.expected
        seen.append(
            Look(
                now,
                there,
                {v: waits(s, seed=SEED, now=now) for v, s in there.items()},
                {
                    v: list(findings(s, quarter, seed=SEED, now=now, expected=first[v]))
                    for v, s in there.items()
                },
            )
        )
    return seen


def code_set(name: str) -> dict[str, dict[str, Any]]:
    content = yaml.safe_load((CODE_SETS / f"{name}.yaml").read_text())
    return {code["slug"]: code for code in content["codes"]}


def test_every_reason_is_a_national_one_with_its_family_and_pathways() -> None:
    national = code_set("delay_reasons_2024")
    assert {r.slug for r in reasons()} == set(national)
    for reason in reasons():
        published = national[reason.slug]
        assert published["family"].lower().replace("care transfer ", "").startswith(reason.family)
        allowed = set(published.get("pathways", (0, 1, 2, 3)))
        assert set(reason.pathways) <= allowed, reason.slug


def test_every_team_named_is_one_of_northmoor() -> None:
    teams = load(NORTHMOOR).teams
    assert {r.team for r in reasons() if r.team} <= teams
    assert placing.ELSEWHERE in {team.split("/")[0] for team in teams}


def test_all_that_is_coded_is_in_the_lists(looks: list[Look], quarter: Places) -> None:
    criteria, red = code_set("criteria_to_reside"), code_set("red_day_reasons")
    declined = code_set("decline_reasons")
    seen = [f.said for look in looks[::4] for found in look.found.values() for f in found]
    assert {c for said in seen for c in said.get("criteria", ())} <= set(criteria)
    assert {said["red_reason"] for said in seen if said.get("red_reason")} <= set(red)
    given = {
        answer.reason
        for look in looks
        for stay in look.stays.values()
        for one in asked(stay, quarter, seed=SEED, now=look.now)
        for answer in one.answers
        if answer.deed == "decline"
    }
    assert given
    assert given <= set(declined)


def test_only_who_needs_hospital_meets_criteria(looks: list[Look], quarter: Places) -> None:
    counted: Counter[int] = Counter()
    for look in looks[::4]:
        for visit, found in look.found.items():
            stay = look.stays[visit]
            for finding in found:
                if "criteria" not in finding.said:
                    assert quarter.wards[stay.place_at(finding.at)[0]].kind == "virtual"
                    continue
                stage, met = stay.stage_at(finding.at), finding.said["criteria"]
                assert (met == []) == (stage >= Stage.READY)
                assert stage is not Stage.CRITICAL or "critical-care" in met
                counted[len(met)] += 1
    assert max(counted) == 3
    assert counted[1] > counted[3] > 0


def test_criteria_stay_much_the_same_from_day_to_day() -> None:
    stay = some_stay(HOME, (0, Stage.ACTIVE))
    days = [set(criteria_of(stay, Stage.ACTIVE, seed=SEED, at=n * DAY)) for n in range(1, 9)]
    assert all(one & other for one, other in pairwise(days))


def some_stay(way: str, *stages: tuple[int, Stage], visit: str = "V1") -> Stay:
    return Stay(
        visit=visit, person=1, specialty="respiratory", patient_class="I", age=80.0, admitted=0,
        path=((0, 1, 1),), stages=stages, way=way, expected=0, onward="NVW-1",
    )  # fmt: skip


def test_days_are_red_about_as_often_as_green_and_say_why(looks: list[Look]) -> None:
    said = [f.said for f in all_findings(looks) if "criteria" in f.said]
    red = [one for one in said if one["day"] == "red"]
    assert 0.38 < len(red) / len(said) < 0.62
    assert all(one["red_reason"] for one in red)
    assert not any(one["red_reason"] for one in said if one["day"] == "green")


def all_findings(looks: list[Look]) -> list[Finding]:
    """Each once."""
    return list(
        {f.key: f for look in looks for found in look.found.values() for f in found}.values()
    )


def test_no_next_step_names_anybody(looks: list[Look]) -> None:
    steps = {f.said["next_step"] for f in all_findings(looks)}
    assert 15 < len(steps) < 40
    assert max(map(len, steps)) < 60


def test_about_a_third_of_plans_slip_mostly_once(looks: list[Look]) -> None:
    plans: dict[str, list[str]] = {}
    for finding in sorted(all_findings(looks), key=lambda f: f.at):
        visit = finding.key.split("-")[2]
        plans.setdefault(visit, []).append(finding.said["expected_discharge_at"][:10])
    slipped = [sum(a < b for a, b in pairwise(p)) for p in plans.values()]
    some = [n for n in slipped if n]
    assert 0.2 < len(some) / len(slipped) < 0.5
    assert some.count(1) > len(some) / 2


def test_rounds_are_of_the_morning_and_fewer_at_weekends(
    looks: list[Look], quarter: Places
) -> None:
    of_rounds = [f for f in all_findings(looks) if f.round]
    assert all(8 <= local_hour(f.at) < 12 for f in of_rounds)
    wards = [w for w in quarter.wards if w.kind in ("inpatient", "community")]
    days = range(looks[0].now, looks[-1].now, DAY)
    held = Counter(
        (weekday(day) < 5, begins(ward, day=day, seed=SEED) is not None)
        for day in days
        for ward in wards
    )
    assert 0.9 < held[True, True] / (held[True, True] + held[True, False]) < 1.0
    assert 0.3 < held[False, True] / (held[False, True] + held[False, False]) < 0.7


def test_a_round_comes_to_each_patient_once_a_day(looks: list[Look]) -> None:
    local = [
        (f.key.split("-")[2], moment_of(f.at).astimezone(LONDON).date())
        for f in all_findings(looks)
        if f.round
    ]
    assert len(local) == len(set(local))


def test_what_was_told_stays_told(looks: list[Look]) -> None:
    """A later look finds again what an earlier one found, whatever has happened since."""
    checked = 0
    for before, after in pairwise(looks):
        for visit in before.stays.keys() & after.stays.keys():
            was, stay = before.stays[visit], after.stays[visit]
            later = {f.key: f for f in after.found[visit]}
            for finding in before.found[visit]:
                if finding.key in later and was.way == stay.way:
                    assert later[finding.key].at == finding.at
            same = (was.way, was.stages, was.expected) == (stay.way, stay.stages, stay.expected)
            if same:
                for finding in before.found[visit]:
                    assert later.get(finding.key, finding).said == finding.said
                known = {w.slot: w for w in after.waits[visit]}
                for wait in before.waits[visit]:
                    again = known[wait.slot]
                    assert (again.reason, again.raised) == (wait.reason, wait.raised)
                    assert again.chased[: len(wait.chased)] == wait.chased
                    checked += 1
    assert checked > 500


def test_a_reason_is_open_once_for_a_patient(looks: list[Look]) -> None:
    for look in looks:
        for there in look.waits.values():
            reasons_open = [w.reason.slug for w in there if w.ended is None]
            assert len(reasons_open) == len(set(reasons_open))


def test_waits_begin_with_being_ready_and_fit_the_pathway(looks: list[Look]) -> None:
    for look in looks:
        for visit, there in look.waits.items():
            ready, pathway = look.stays[visit].ready, look.stays[visit].pathway
            for wait in there:
                assert ready is not None
                assert ready <= wait.raised <= look.now
                assert wait.ended is None or wait.raised <= wait.ended <= look.now
                assert pathway in wait.reason.pathways
                assert all(wait.raised < at <= look.now for at, _note in wait.chased)


@pytest.fixture(scope="module")
def delayed(looks: list[Look]) -> list[tuple[Stay, list[Wait]]]:
    """Who waits after a week or more in hospital, each time that somebody looks."""
    return [
        (look.stays[visit], [w for w in there if w.ended is None])
        for look in looks
        for visit, there in look.waits.items()
        if look.now - look.stays[visit].admitted > 7 * DAY
    ]


def test_families_are_shared_out_as_in_the_national_figures(
    delayed: list[tuple[Stay, list[Wait]]],
) -> None:
    first = Counter(there[0].reason.family for _stay, there in delayed if there)
    whole = sum(first.values())
    assert whole > 150
    for family, share in national_shares().items():
        assert abs(first[family] / whole - share) < 0.11, (family, share, whole, first)


def test_some_wait_for_several_things_and_few_for_nobodys(looks: list[Look]) -> None:
    there = [w for look in looks[::4] for w in look.waits.values() if w]
    several = [w for w in there if sum(one.ended is None for one in w) > 1]
    assert 0.05 < len(several) / len(there) < 0.4
    unnamed = [not one.names_team for w in there for one in w]
    assert 0.02 < sum(unnamed) / len(unnamed) < 0.15


def test_everything_is_over_once_it_is_arranged_but_medicines_and_the_lift() -> None:
    kinds = (SUPPORT, REHABILITATION, CARE_HOME, VIRTUAL, HOME)
    left: Counter[str] = Counter()
    for number in range(400):
        way = kinds[number % len(kinds)]
        stay = some_stay(
            way, (0, Stage.ACTIVE), (3000, Stage.READY), (9000, Stage.ARRANGED), visit=f"V{number}"
        )
        for wait in waits(stay, seed=SEED, now=9000 + 2 * HOUR):
            if wait.ended is None:
                left[wait.reason.slug] += 1
    assert set(left) == {"medicines-and-letter", "transport"}


def test_places_are_asked_of_the_kind_that_the_way_leads_to(
    looks: list[Look], quarter: Places
) -> None:
    kinds = {ward.code: ward.kind for ward in quarter.wards}
    answers: dict[tuple[str, str], str] = {}
    for look in looks:
        for stay in look.stays.values():
            for one in asked(stay, quarter, seed=SEED, now=look.now):
                assert stay.ready is not None
                assert stay.ready <= one.at <= look.now
                if one.kind == "repatriation":
                    assert one.organisation == placing.ELSEWHERE
                    continue
                assert kinds[one.ward] == one.kind
                times = [one.at, *(answer.at for answer in one.answers), look.now]
                assert times == sorted(times)
                if one.answers:
                    answers[stay.visit, one.slot] = one.answers[-1].deed
    said = Counter(answers.values())
    assert said["accept"] > said["decline"] > 0
    assert 0.05 < said["decline"] / sum(said.values()) < 0.45


def test_a_place_that_is_found_has_accepted(looks: list[Look], quarter: Places) -> None:
    arranged = [
        (stay, look.now)
        for look in looks
        for stay in look.stays.values()
        if stay.stage is Stage.ARRANGED and stay.needs_place and stay.patient_class == "I"
        and stay.stages[-1][0] < look.now - 10
    ]  # fmt: skip
    assert arranged
    for stay, now in arranged:
        last = asked(stay, quarter, seed=SEED, now=now)[-1]
        assert last.ward == stay.onward
        assert last.answers[-1].deed == "accept"
        assert last.answers[-1].starts_at > stay.stages[-1][0]


def test_another_seed_finds_other_things(looks: list[Look], quarter: Places) -> None:
    look = looks[-1]

    def told(seed: int) -> Iterator[dict[str, Any]]:
        for stay in look.stays.values():
            for f in findings(stay, quarter, seed=seed, now=look.now):
                yield {"at": f.at, **f.said}

    assert list(told(1)) == list(told(1))
    assert list(told(1)) != list(told(2))


def test_a_time_is_written_with_its_offset(looks: list[Look]) -> None:
    for finding in all_findings(looks)[:50]:
        assert datetime.fromisoformat(finding.said["expected_discharge_at"]).tzinfo is not None
