"""Scoring escalation: the published bands, the roll-up, what is stale, and files."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from huddles.opel.files import named, names, rule_set_of, score_file
from huddles.opel.rule_set import BadRuleSet, Cut, Parameter, Rounding, RuleSet, Worse
from huddles.opel.scoring import BadValues, Result, RolledUp, Told, rolled_up, scored

AT = datetime(2026, 1, 12, 8, 15, tzinfo=UTC)
EXAMPLE = named("example")
CODES = [one.code for one in EXAMPLE.parameters]
WORST = {"four_hour_performance": 0.0}
BEST = {"four_hour_performance": 100.0, "attendance_variation": -50.0}


def fresh(values: dict[str, float], rule_set: RuleSet = EXAMPLE) -> Result:
    return scored({code: Told(value, AT) for code, value in values.items()}, rule_set, at=AT)


def all_best() -> dict[str, float]:
    return {code: BEST.get(code, 0.0) for code in CODES}


def all_worst() -> dict[str, float]:
    return {one.code: WORST.get(one.code, one.bounds[1]) for one in EXAMPLE.parameters}


# --- the published table ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("score", "level"),
    [(0, 1), (5, 1), (11, 1), (12, 2), (17, 2), (22, 2), (23, 3), (28, 3), (33, 3), (34, 4),
     (44, 4)],
)  # fmt: skip
def test_the_bands_of_2023_24(score: int, level: int) -> None:
    assert named("acute-2023-24").level(score) == level
    assert EXAMPLE.level(score) == level


def test_the_worst_is_44_and_the_best_is_nothing() -> None:
    assert EXAMPLE.most == 44
    assert (fresh(all_worst()).score, fresh(all_worst()).level) == (44, 4)
    assert (fresh(all_best()).score, fresh(all_best()).level) == (0, 1)


def test_a_weighted_roll_up_is_the_mean_of_scores_not_of_levels() -> None:
    """Three trusts with published weights: 0.516, 0.306 and 0.178."""
    three = {"BRI": (0.516, 40), "NBT": (0.306, 10), "Weston": (0.178, 12)}
    by_score = {}
    for name, (weight, score) in three.items():
        result = replace(fresh(all_best()), score=score, lowest=score, highest=score)
        by_score[name] = (weight, result)
    system = rolled_up(by_score, EXAMPLE)
    assert system.score == pytest.approx(0.516 * 40 + 0.306 * 10 + 0.178 * 12)  # 25.836
    assert system.level == 3
    # The mean of the levels 4, 1 and 2 would have been 2.7; that of the unweighted scores 20.7.
    doubled = rolled_up({n: (2 * w, r) for n, (w, r) in by_score.items()}, EXAMPLE)
    assert doubled.score == pytest.approx(system.score)


@pytest.mark.parametrize(
    ("rounding", "level"), [(Rounding.HALF_UP, 2), (Rounding.UP, 2), (Rounding.DOWN, 1)]
)
def test_what_lies_between_two_bands_is_rounded_as_the_rule_set_says(
    rounding: Rounding, level: int
) -> None:
    book = replace(EXAMPLE, rounding=rounding)
    assert book.level(11.5) == level
    assert book.level(11.0000000001) == 1, "a hair's breadth of floating point is none"
    assert book.level(12.0) == 2


def test_below_the_half_is_the_band_below() -> None:
    assert EXAMPLE.level(11.49) == 1
    assert replace(EXAMPLE, rounding=Rounding.UP).level(11.49) == 2


# --- values -------------------------------------------------------------------------------------


def test_a_cut_is_met_at_its_value() -> None:
    def score(code: str, value: float) -> int:
        return next(one for one in EXAMPLE.parameters if one.code == code).score(value)

    assert [score("ambulance_handover", value) for value in (14.9, 15, 19.9, 20, 60, 500)] == [
        0, 1, 1, 2, 5, 5,
    ]  # fmt: skip
    assert [score("four_hour_performance", v) for v in (100, 95.1, 95, 85, 60, 0)] == [
        0, 0, 1, 2, 5, 5,
    ]  # fmt: skip


@given(st.sampled_from(EXAMPLE.parameters), st.floats(-50, 2000), st.floats(0, 500))
def test_a_worse_value_never_scores_less(one: Parameter, value: float, more: float) -> None:
    worse = value - more if one.worse is Worse.LOWER else value + more
    assert one.score(worse) >= one.score(value)


@given(
    st.dictionaries(st.sampled_from(CODES), st.tuples(st.floats(0, 300), st.integers(0, 3000))),
    st.sampled_from(CODES),
    st.floats(0, 300),
)
def test_neither_score_nor_level_falls_when_a_worse_value_comes_in(
    values: dict[str, tuple[float, int]], code: str, more: float
) -> None:
    """Whatever else is fresh, stale or missing; the new value is as old as the one it replaces."""
    one = next(p for p in EXAMPLE.parameters if p.code == code)
    told = {c: Told(v, AT - timedelta(minutes=age)) for c, (v, age) in values.items()}
    before = scored(told, EXAMPLE, at=AT)
    if code not in told:
        return
    was = told[code]
    worse = was.value - more if one.worse is Worse.LOWER else was.value + more
    after = scored(told | {code: replace(was, value=worse)}, EXAMPLE, at=AT)
    assert after.score >= before.score
    assert after.lowest >= before.lowest
    assert after.highest >= before.highest
    assert after.levels is not None
    assert before.levels is not None
    assert all(a >= b for a, b in zip(after.levels, before.levels, strict=True))
    assert before.lowest <= before.score <= before.highest


# --- stale and missing --------------------------------------------------------------------------


def test_what_is_missing_leaves_a_range_and_no_level_unless_it_is_certain() -> None:
    values = all_best()
    del values["ambulance_handover"]
    found = fresh(values)
    assert (found.lowest, found.highest, found.level) == (0, 5, 1), "five more would change nothing"
    for code in ("ga_occupancy", "over_twelve_hours"):
        del values[code]
    found = fresh(values)
    assert (found.lowest, found.highest) == (0, 15)
    assert (found.level, found.levels) == (None, (1, 2))


def test_what_is_stale_keeps_its_score_and_moves_no_level() -> None:
    told = {code: Told(value, AT) for code, value in all_best().items()}
    old = AT - timedelta(hours=3)
    for code in ("ambulance_handover", "majors_resus_occupancy", "over_twelve_hours"):
        told[code] = Told(1000, old, "by hand")
    found = scored(told, EXAMPLE, at=AT)
    assert (found.score, found.lowest, found.highest) == (15, 0, 15)
    assert found.level is None, "nobody knows whether it is 1 or 2"
    one = next(p for p in found.parameters if p.parameter.code == "ambulance_handover")
    assert (one.stale, one.score, one.age) == (True, 5, timedelta(hours=3))


def test_a_value_is_fresh_until_its_time_is_over() -> None:
    limit = EXAMPLE.parameters[0].stale_after
    for age, stale in ((limit, False), (limit + timedelta(seconds=1), True)):
        found = scored({"ambulance_handover": Told(30, AT - age)}, EXAMPLE, at=AT)
        assert found.parameters[0].stale is stale


@pytest.mark.parametrize("name", ["acute-2023-24", "acute-2024-26"])
def test_a_set_that_nobody_has_filled_in_gives_no_level(name: str) -> None:
    book = named(name)
    assert not book.is_ready
    assert not book.example
    assert len(book.parameters) == 9
    found = fresh({"ga_occupancy": 99.0}, book)
    assert (found.level, found.levels, found.parameters[0].score) == (None, None, None)
    with pytest.raises(BadRuleSet, match="filled in"):
        book.parameters[0].score(1)


@pytest.mark.parametrize(
    ("told", "match"),
    [
        ({"ga_ocupancy": Told(1, AT)}, "ga_ocupancy is no parameter of example; those are ambu"),
        ({"ga_occupancy": Told(1, AT + timedelta(seconds=1))}, "has not come yet"),
        ({"ga_occupancy": Told(float("nan"), AT)}, "is no number"),
    ],
)
def test_values_that_cannot_be_scored_say_why(told: dict[str, Told], match: str) -> None:
    with pytest.raises(BadValues, match=match):
        scored(told, EXAMPLE, at=AT)


@pytest.mark.parametrize(
    ("providers", "match"),
    [
        ({}, "at least one provider"),
        ({"A": (0.0, fresh(all_best()))}, "weight of A is more than 0"),
        ({"A": (1.0, fresh({}, named("acute-2023-24")))}, "scored by another rule set"),
    ],
)
def test_what_cannot_be_rolled_up_says_why(
    providers: dict[str, tuple[float, Result]], match: str
) -> None:
    with pytest.raises(BadValues, match=match):
        rolled_up(providers, EXAMPLE)


def test_a_system_is_as_uncertain_as_its_providers() -> None:
    sure, unsure = fresh(all_worst()), fresh({})
    system = rolled_up({"A": (3.0, sure), "B": (1.0, unsure)}, EXAMPLE)
    assert (system.lowest, system.score, system.highest) == (33, 33, 44)
    assert (system.level, system.levels) == (None, (3, 4))


# --- rule sets ----------------------------------------------------------------------------------


def content(**changed: Any) -> dict[str, Any]:
    one = {
        "code": "wait", "name": "Wait", "unit": "minutes", "worse": "higher",
        "stale_after_minutes": 60, "scores": {10: 1, 20: 3},
    }  # fmt: skip
    return {
        "code": "mine", "name": "Mine", "version": 3, "valid_from": "2026-04-01",
        "bands": {1: 0, 2: 1, 3: 2, 4: 3}, "parameters": [one | changed.pop("parameter", {})],
    } | changed  # fmt: skip


def test_a_rule_set_is_dated_versioned_and_says_whether_it_is_an_example() -> None:
    mine = rule_set_of(content(example=True, rounding="down"))
    assert (mine.version, mine.valid_from, mine.valid_until) == ("3", date(2026, 4, 1), None)
    assert (mine.example, mine.rounding, mine.parameters[0].cuts) == (
        True, Rounding.DOWN, (Cut(10, 1), Cut(20, 3)),
    )  # fmt: skip
    assert names() == ["acute-2023-24", "acute-2024-26", "example"]
    assert EXAMPLE.example


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"bands": {1: 0, 2: 5, 3: 4, 4: 9}}, "Bands rise from 0"),
        ({"bands": {1: 1, 2: 2, 3: 3, 4: 4}}, "Bands rise from 0"),
        ({"bands": {1: 0, 2: 1}}, "levels 1, 2, 3 and 4"),
        ({"bands": {1: 0, 2: 1, 3: 2, 4: 9}}, "nobody can score over 3"),
        ({"parameters": []}, "A rule set has parameters"),
        ({"parameter": {"scores": {20: 1, 10: 3}}}, "higher is worse, so its cuts rise"),
        ({"parameter": {"scores": {10: 3, 20: 1}}}, "the scores of its cuts rise"),
        ({"parameter": {"worse": "lower"}}, "lower is worse, so its cuts fall"),
        ({"parameter": {"worse": "odd"}}, "cannot be read"),
        ({"parameter": {"stale_after_minutes": 0}}, "fresh for some time"),
        ({"parameter": {"stale_after_minutes": 1e300}}, "wait: a number in it is too large"),
        ({"parameter": {"stale_after_minutes": float("inf")}}, "wait: a number in it is too large"),
        ({"parameter": {"stale_after_minutes": 1e6}}, "31 days at most"),
        ({"parameter": {"scores": {10: 1.9}}}, "wait: a score is a whole number: 1.9"),
        ({"parameter": {"scores": {10: float("inf")}}}, "wait: a score is a whole number: inf"),
        ({"parameter": {"scores": {10: True}}}, "wait: a score is a whole number: True"),
        ({"parameter": {"scores": {10: 10**9}}}, "it scores 1000 at most"),
        ({"parameter": {"scores": {"nan": 1}}}, "its cuts and bounds are numbers"),
        ({"parameter": {"scores": {"inf": 1}}}, "its cuts and bounds are numbers"),
        ({"parameter": {"scores": {10**400: 1}}}, "wait: a number in it is too large"),
        ({"parameter": {"bounds": [5, 5]}}, "its bounds are the least and the most"),
        ({"parameter": {"bounds": 5}}, "bounds are two numbers"),
        ({"bands": {1: 0, 2: 1.5, 3: 2, 4: 3}}, "a band is a whole number: 1.5"),
        ({"valid_until": "2026-04-01"}, "ends before it begins"),
        ({"valid_from": "soon"}, "cannot be read"),
    ],
)
def test_a_rule_set_that_cannot_be_used_says_why(changed: dict[str, Any], match: str) -> None:
    with pytest.raises(BadRuleSet, match=match):
        rule_set_of(content(**changed))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("exmaple: true\nparameters: []", "the file: exmaple is not known; known are bands, code"),
        ("parameters: [{code: wait, score: {10: 1}}]", "wait: score is not known"),
        ("a: " + "[" * 10_000 + "]" * 10_000, "nested too deeply"),
    ],
)
def test_a_file_of_a_rule_set_with_what_nothing_reads_is_refused(
    tmp_path: Path, text: str, match: str
) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(BadRuleSet, match=match):
        named(str(tmp_path / "mine.yaml"))


def test_a_set_says_what_of_it_was_published_and_what_a_value_can_be() -> None:
    def inferred(name: str) -> set[str]:
        return {one.code for one in named(name).parameters if not one.confirmed}

    of_2023 = {"ambulance_handover", "time_to_treatment", "ga_occupancy"}
    assert inferred("acute-2023-24") == inferred("example") == of_2023
    assert inferred("acute-2024-26") == {"ga_occupancy", "escalation_beds", "no_criteria_to_reside"}
    for name in names():
        assert not named(name).dates_confirmed
        for one in named(name).parameters:
            low, high = one.bounds
            assert one.can_be(low) == one.can_be(high) == (not one.can_be(high + 1))
            may_exceed = {"attendance_variation", "majors_resus_occupancy", "ga_occupancy"}
            if one.unit == "percent" and one.code not in may_exceed:
                assert one.bounds == (0, 100)
    plain = rule_set_of(content(parameter={"unit": "percent"})).parameters[0]
    assert (plain.bounds, plain.confirmed) == ((0, 100), False), "nobody has said so"
    assert rule_set_of(content(parameter={"bounds": [2, 9]})).parameters[0].bounds == (2, 9)


@pytest.mark.parametrize("gone", ["code", "version", "parameters"])
def test_what_a_rule_set_lacks_is_named(gone: str) -> None:
    said = content()
    del said[gone]
    with pytest.raises(BadRuleSet, match=f"{gone} is missing"):
        rule_set_of(said)


# --- files --------------------------------------------------------------------------------------


def printed(path: Path, said: Any, *options: str) -> dict[str, Any]:
    path.write_text(said if isinstance(said, str) else json.dumps(said))
    out = StringIO()
    call_command("score_opel", str(path), *options, stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def test_a_file_of_one_provider_is_scored(tmp_path: Path) -> None:
    values: dict[str, Any] = all_worst()
    values["ga_occupancy"] = {"value": 95.2, "as_at": "2026-01-12T08:00:00+00:00", "source": "web"}
    said = {"rule_set": "example", "at": "2026-01-12T08:15:00Z", "values": values}
    answer = printed(tmp_path / "values.json", said)
    assert (answer["score"], answer["level"], answer["version"]) == (42, 4, "1")
    assert answer["example"] is True
    one = next(p for p in answer["parameters"] if p["code"] == "ga_occupancy")
    assert (one["value"], one["score"], one["age_minutes"], one["source"]) == (95.2, 3, 15, "web")


def test_a_file_of_a_system_is_rolled_up(tmp_path: Path) -> None:
    said = {
        "at": "2026-01-12T08:15:00Z",
        "providers": {
            "A": {"weight": 0.75, "values": all_worst()},
            "B": {"weight": 0.25, "values": all_best() | {"ga_occupancy": None}},
        },
    }
    answer = printed(tmp_path / "values.json", said, "--rule-set", "example")
    assert (answer["score"], answer["lowest"], answer["highest"]) == (33, 33, 34.25)
    assert (answer["level"], answer["level_lowest"], answer["level_highest"]) == (None, 3, 4)
    assert answer["providers"]["B"]["score"] == 0
    assert answer["providers"]["A"]["level"] == 4


def value(said: Any, code: str = "ga_occupancy", **more: Any) -> dict[str, Any]:
    return {"rule_set": "example", "values": {code: said}} | more


@pytest.mark.parametrize(
    ("said", "options", "match"),
    [
        ("{", [], "values.json"),
        ({"values": {}}, [], "Name a rule set with --rule-set: acute-2023-24"),
        ({"values": {}}, ["--rule-set", "mine"], "There is no rule set 'mine'; there are acute"),
        ({"values": {}}, ["--rule-set", "/nowhere.yaml"], "nowhere.yaml"),
        ({"rule_set": "example"}, [], "either values of one provider, or providers"),
        ({"rule_set": "example", "value": {}}, [], "value is not known"),
        ({"rule_set": "example", "values": []}, [], "values is a table"),
        ({"rule_set": "example", "values": {"ga_occupancy": "high"}}, [], "is no number: 'high'"),
        ({"rule_set": "example", "at": "now", "values": {}}, [], "at: 'now' is no time"),
        ({"rule_set": "example", "at": "2026-01-12T08:15", "values": {}}, [], "needs its zone"),
        ({"rule_set": "example", "providers": {"A": {"values": {}}}}, [], "A has a weight"),
        (["example"], ["--rule-set", "example"], "holds a table"),
        (value(10**400), [], "ga_occupancy is too large a number"),
        (value(-5), [], "ga_occupancy is from 0 to 200 percent: -5"),
        (value(0.0, code="ga_occupancy", at="0001-01-01T00:00+14:00"), [], "before or after all"),
        (value(0.0, code="ga_occupancy", at="9999-12-31T23:59-14:00"), [], "before or after all"),
        (value(500, code="four_hour_performance"), [], "is from 0 to 100 percent: 500"),
        (value({"valu": 95}), [], "ga_occupancy: valu is not known; known are as_at, source, val"),
        (value({"source": "web"}), [], "ga_occupancy: value is missing"),
        ("[" * 100_000 + "]" * 100_000, ["--rule-set", "example"], "nested too deeply"),
        (
            '{"rule_set": "example", "values": {"ga_occupancy": 1, "ga_occupancy": 99}}',
            [],
            "ga_occupancy stands there twice",
        ),
        (
            {"rule_set": "example", "providers": {"A": {"weight": 1e308, "values": {}}}},
            [],
            "weight of A is from 0.000001 to 1000000",
        ),
        (
            {"rule_set": "example", "providers": {"A": {"weight": 1, "values": {}, "wieght": 2}}},
            [],
            "A: wieght is not known",
        ),
    ],
)
def test_a_file_that_cannot_be_scored_says_why(
    tmp_path: Path, said: Any, options: list[str], match: str
) -> None:
    with pytest.raises(CommandError, match=match):
        printed(tmp_path / "values.json", said, *options)


def test_scoring_the_content_gives_what_the_values_give() -> None:
    found = score_file({"values": all_worst()}, EXAMPLE, now=AT)
    assert isinstance(found, Result)
    assert found.score == fresh(all_worst()).score
    system = score_file({"providers": {"A": {"weight": 1, "values": all_worst()}}}, EXAMPLE, now=AT)
    assert isinstance(system, RolledUp)
    assert system.level == 4
