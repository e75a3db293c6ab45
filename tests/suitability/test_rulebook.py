"""What a rule book may say, and that the example says what the places know."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.suitability.hospital import Building
from tests.suitability.named import Named, with_rule
from wards.models.places import Bed as BedRow
from wards.models.places import Ward as WardRow
from wards.suitability.defaults import EXAMPLE
from wards.suitability.facts import CORRIDOR, REQUIRABLE, Bed, Needs, Ward
from wards.suitability.judging import best, judge
from wards.suitability.rulebook import BadRuleBook, OutlierLine, RuleBook, RuleLine, book_of
from wards.suitability.shapes import SHAPES

LINE: dict[str, Any] = {
    "code": "oxygen", "title": "No oxygen", "text": "Bed {bed} has none.", "source": "Local",
    "hard": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"code": "oxigen"}, "no rule 'oxigen'"),
        ({"title": " "}, "the title is empty"),
        ({"source": ""}, "the source is empty"),
        ({"weight": -1}, "a weight is 0 or more"),
        ({"weight": float("nan")}, "a weight is 0 or more"),
        ({"breach": "boarding"}, "no kind of breach"),
        ({"text": "{person}"}, r"names \{person\}; it may name bed, ward"),
        ({"text": "{bed.ward}"}, r"names \{bed.ward\}"),
        ({"text": "{bed"}, "a brace too many or too few"),
        ({"text": "{}"}, r"names \{\}"),
        ({"params": {"litres": 2}}, "no parameter 'litres'"),
        ({"code": "closed", "may_override": True}, "this is a fact"),
        ({"code": "reserved", "hard": False}, "this is a fact"),
        ({"code": "chance"}, "it cannot refuse"),
        ({"code": "children", "params": {"under": 70}}, "under is a number from 1 to 25"),
        ({"code": "children", "params": {"under": ("16",)}}, "under is a number"),
        ({"code": "children", "params": {"specialties": "paediatrics"}}, "a list of words"),
    ],
)
def test_a_line_that_cannot_be_used_says_why(said: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadRuleBook, match=complaint):
        RuleLine(**{**LINE, **said})


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"verdict": "perhaps"}, "none of takes, outlier, never"),
        ({"specialty": ""}, "names no specialty"),
        ({"cost": -1}, "0 or more"),
        ({"verdict": "takes", "cost": 5}, "only an outlier has a cost"),
    ],
)
def test_a_line_of_the_outlier_table_that_cannot_be_used_says_why(
    said: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(BadRuleBook, match=complaint):
        OutlierLine(**{"specialty": "cardiology", "verdict": "outlier", **said})


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"version": ""}, "a name and a version"),
        ({"unplaced": -1.0}, "0 or more"),
        ({"urgency": (1.0, 2.0, 1.0, 0.5)}, "Urgency falls"),
        ({"lines": {}}, "no line for closed"),
        ({"lines": {**EXAMPLE.lines, "oxygen": EXAMPLE.lines["telemetry"]}}, "stands under oxygen"),
        ({"outliers": (OutlierLine(specialty="*", verdict="takes"),) * 2}, "two lines for"),
    ],
)
def test_a_book_that_cannot_be_used_says_why(said: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadRuleBook, match=complaint):
        replace(EXAMPLE, **said)


def test_two_lines_for_one_rule() -> None:
    lines = (*EXAMPLE.lines.values(), RuleLine(**LINE))
    with pytest.raises(BadRuleBook, match="two lines for oxygen"):
        book_of(version="1", name="Twice", lines=lines)


def test_the_example_has_every_rule_and_speaks_of_itself_as_an_example() -> None:
    assert set(EXAMPLE.lines) == set(SHAPES)
    assert "example" in EXAMPLE.version
    assert all(line.source for line in EXAMPLE.lines.values())


def test_words_are_those_of_the_places() -> None:
    kinds = set(WardRow.Kind.values)
    named = {kind for line in EXAMPLE.lines.values() for kind in line.except_kinds}
    place = EXAMPLE.lines["place_kind"]
    named |= {kind for need in place.params for kind in place.names(need)}
    named |= set(EXAMPLE.lines["not_a_bed"].names("kinds"))
    assert named <= kinds
    assert set(BedRow.Feature.values) - {CORRIDOR} == REQUIRABLE | {
        "side_room",
        "negative_pressure",
    }
    assert set(EXAMPLE.lines["feature_wasted"].names("scarce")) <= set(BedRow.Feature.values)


def test_the_line_that_is_about_most_decides() -> None:
    ward = Ward(key=1, site=1, code="W1", specialty="cardiology", kind="inpatient")
    other = replace(ward, code="W2")
    me = Needs(key=1, specialty="renal")

    def verdict(ward: Ward, *lines: OutlierLine) -> tuple[str, float]:
        return replace(EXAMPLE, outliers=lines).verdict(me, ward)

    any_kind = OutlierLine(specialty="*", ward_kind="inpatient", verdict="outlier", cost=7)
    renal = OutlierLine(specialty="renal", ward_kind="inpatient", verdict="outlier", cost=5)
    mine = OutlierLine(specialty="renal", ward_specialty="cardiology", verdict="never")
    here = OutlierLine(specialty="*", ward_code="W1", verdict="takes")
    assert verdict(ward) == ("outlier", EXAMPLE.lines["outlier"].weight)
    assert verdict(ward, any_kind) == ("outlier", 7)
    assert verdict(ward, any_kind, renal) == ("outlier", 5)
    assert verdict(ward, any_kind, renal, mine) == ("never", 0.0)
    assert verdict(ward, any_kind, renal, mine, here) == ("takes", 0.0)
    assert verdict(other, any_kind, renal, mine, here) == ("never", 0.0)


def test_a_rule_without_a_line_does_not_hold() -> None:
    there = Named()
    less = {code: line for code, line in EXAMPLE.lines.items() if code != "oxygen"}
    book = replace(EXAMPLE, lines=less)
    me = there.me(requires=frozenset({"oxygen"}))
    assert not judge(me, there.bed("empty"), there.setting, EXAMPLE).suitable
    assert judge(me, there.bed("empty"), there.setting, book).suitable


def test_a_trust_softens_a_rule_and_says_it_in_its_own_words() -> None:
    there = Named()
    book = with_rule(EXAMPLE, "oxygen", hard=False, weight=33.0, may_override=False,
                     text="Bring a cylinder to {bed} on {ward}.")  # fmt: skip
    found = judge(there.me(requires=frozenset({"oxygen"})), there.bed("empty"), there.setting, book)
    [finding] = [finding for finding in found.against if finding.code == "oxygen"]
    assert found.suitable
    assert (finding.cost, finding.text) == (33.0, "Bring a cylinder to empty on resp.")


def test_which_sexes_share_is_data() -> None:
    there = Named()
    me = there.me(sex="X")
    params = {"groups": ("F,X", "M")}
    book = with_rule(EXAMPLE, "bay_sex", params=params)
    assert judge(me, there.bed("women"), there.setting, book).suitable
    refused = judge(me, there.bed("men"), there.setting, book)
    assert [finding.code for finding in refused.refusals] == ["bay_sex"]
    assert not {finding.code for finding in refused.against} & {"sex_unknown"}


def overridden(book: RuleBook, **said: Any) -> Any:
    there = Named()
    return judge(there.me(**said), there.bed("men"), there.setting, book, overriding={"bay_sex"})


def test_an_override_opens_the_bed_and_still_counts_as_the_breach() -> None:
    found = overridden(EXAMPLE)
    assert found.suitable
    assert [finding.code for finding in found.set_aside] == ["bay_sex"]
    assert found.breaches == {"mixed_sex"}


def test_what_the_book_lets_nobody_override_stays_refused() -> None:
    found = overridden(with_rule(EXAMPLE, "bay_sex", may_override=False))
    assert not found.suitable
    assert not found.overridable


def test_best_beds_first_then_those_an_override_opens_then_the_rest() -> None:
    there = Named()
    found = best(there.me(), there.setting, EXAMPLE)
    ranks = [0 if one.suitable else 1 if one.overridable else 2 for one in found]
    assert ranks == sorted(ranks)
    suitable = [one.cost for one in found if one.suitable]
    assert suitable == sorted(suitable)
    assert found[0].score > found[len(suitable) - 1].score > 0
    assert found[-1].score == 0
    assert best(there.me(), there.setting, EXAMPLE, 3) == found[:3]
    assert {one.version for one in found} == {EXAMPLE.version}


def test_reasons_for_a_bed_are_told() -> None:
    there = Named()
    me = there.me(wanted_ward=1, requires=frozenset({"oxygen"}))
    codes = {one.code for one in judge(me, there.bed("oxygen"), there.setting, EXAMPLE).for_it}
    assert codes == {"asked_for", "specialty", "equipment", "ready"}
    codes = {one.code for one in judge(me, there.bed("women"), there.setting, EXAMPLE).for_it}
    assert "same_sex" in codes
    codes = {one.code for one in judge(me, there.bed("mine"), there.setting, EXAMPLE).for_it}
    assert "held" in codes


@pytest.mark.parametrize(
    "said",
    [{"priority": 0}, {"acuity": 4}, {"requires": frozenset({"side_room"})}],
)
def test_needs_that_make_no_sense(said: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Needs(**{"key": 1, **said})


def test_settings_that_make_no_sense() -> None:
    building = Building()
    ward = building.ward()
    bed, other = building.bed(ward), building.bed(ward)
    who = building.lies(bed)
    building.patients[other.key] = who
    with pytest.raises(ValueError, match="two beds"):
        building.setting()
    building.patients = {99: who}
    with pytest.raises(ValueError, match="not there"):
        building.setting()
    building.patients = {}
    building.beds[77] = Bed(key=77, ward=5)
    with pytest.raises(ValueError, match="ward 5"):
        building.setting()
