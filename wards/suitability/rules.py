"""All rules, in the order in which their findings are told. Pure: no Django."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from wards.suitability import rules_of_beds, rules_of_care, rules_of_people, rules_of_rooms
from wards.suitability.facts import Ward
from wards.suitability.rulebook import RuleBook
from wards.suitability.ruling import Rule
from wards.suitability.shapes import SHAPES

_ALL: Final = {
    rule.code: rule
    for module in (rules_of_beds, rules_of_people, rules_of_rooms, rules_of_care)
    for rule in module.RULES
}
RULES: Final[Mapping[str, Rule]] = {code: _ALL[code] for code in SHAPES}


def holding(book: RuleBook) -> list[Rule]:
    """The rules that have a line in the book."""
    return [rule for code, rule in RULES.items() if code in book.lines]


def holds_on(rule: Rule, ward: Ward, book: RuleBook) -> bool:
    """Whether a rule of the book is meant for this kind of ward."""
    return ward.kind not in book.lines[rule.code].except_kinds
