"""Reading a file of rules: a rule book and the limits of wards, in YAML (docs/rules.md).

Reading never stops at the first mistake: all are gathered, each with its line and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from wards import place_values as values
from wards.place_entries import FileMistaken, Mistake
from wards.place_files import text_of
from wards.place_nodes import Fields, line_of, named
from wards.rule_changes import COSTS
from wards.suitability.rulebook import (
    ANY,
    BadRuleBook,
    OutlierLine,
    Param,
    RuleBook,
    RuleLine,
)
from wards.suitability.shapes import BREACHES, SHAPES, Names, Number
from wards.yaml_trees import compose

T = TypeVar("T")

ENDINGS: Final = (".yaml", ".yml")
ANY_WORD: Final = "any"
"""How a file writes "any other specialty"."""

VERDICTS: Final = {"takes": "takes", "outliers": "outlier", "never": "never"}
WHOLE_LIMITS: Final = {
    "most_patients": 500,
    "most_acute": 500,
    "side_rooms_kept": 50,
    "cleaned_after": 1440,
    "youngest": 130,
    "oldest": 130,
}
"""Limits of a ward that are whole numbers, and the most that is no slip of the finger."""

_NUMBER: Final = re.compile(r"\d{1,7}(\.\d{1,6})?")
_WORDS: Final = {"yes": True, "true": True, "no": False, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a ward can safely hold, as `wards.models.WardLimits` says; None: no limit is known."""

    most_patients: int | None = None
    most_acute: int | None = None
    patients_per_nurse: float | None = None
    side_rooms_kept: int | None = None
    cleaned_after: int | None = None
    youngest: int | None = None
    oldest: int | None = None
    ring_fenced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFile:
    """What a file says. limits: by code of the ward, all limits of each ward that is named.
    valid_from: None is from the moment of loading. lines: where each ward is named first."""

    book: RuleBook
    limits: Mapping[str, Limits] = field(default_factory=dict)
    valid_from: datetime | None = None
    note: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)


def read_rules(path: Path) -> RuleFile:
    """What a file says. Raises FileMistaken with every mistake in it."""
    return read_rules_text(text_of(path, ENDINGS))


def read_rules_text(text: str) -> RuleFile:
    """What a text says. Raises FileMistaken with every mistake in it."""
    notes = _Notes()
    root = compose(text, notes, empty="is empty; it needs a name and rules.")
    found = None if root is None else _Reader(notes).file(root)
    if notes.mistakes or found is None:
        raise FileMistaken(notes.mistakes)
    return found


@dataclass(slots=True)
class _Notes:
    mistakes: list[Mistake] = field(default_factory=list)

    def wrong(self, line: int, path: str, message: str) -> None:
        self.mistakes.append(Mistake(line, path, message))


def _whether(text: str) -> bool:
    answer = _WORDS.get(text.strip().lower())
    if answer is None:
        raise ValueError(f"“{values.shown(text)}” is neither yes nor no.")
    return answer


def _number(low: float, high: float, *, whole: bool = False) -> Callable[[str], float]:
    """A parser of numbers within these bounds."""

    def parse(text: str) -> float:
        text = text.strip()
        number = float(text) if _NUMBER.fullmatch(text) else -1.0
        if not low <= number <= high or (whole and not number.is_integer()):
            kind = "whole number" if whole else "number"
            raise ValueError(
                f"“{values.shown(text)}” is not a {kind} from {low:g} to {high:,.10g}."
            )
        return number

    return parse


_COST: Final = _number(0, 999_999)


def _moment(text: str) -> datetime:
    said = text.strip()
    try:
        found = parse_datetime(said)
        if found is None and (day := parse_date(said)) is not None:
            found = datetime(day.year, day.month, day.day)  # noqa: DTZ001 (made aware below)
    except ValueError:
        found = None
    if found is None:
        raise ValueError(
            f"“{values.shown(said)}” is no time; write it like 2026-12-01 or 2026-12-01T08:00."
        )
    return timezone.make_aware(found) if timezone.is_naive(found) else found


class _Reader:
    """Walks the file from the top down."""

    def __init__(self, notes: _Notes) -> None:
        self.notes = notes
        self.lines: dict[str, int] = {}

    def file(self, root: Node) -> RuleFile | None:
        known = ("name", "valid_from", "note", "costs", "rules", "outliers", "limits")
        fields = Fields(self.notes, root, "", known)
        name = fields.needed("name", "name")
        moment = fields.parsed("valid_from", _moment)
        note = fields.text("note", "note")
        rules = self.rules(fields)
        outliers = self.outliers(fields)
        limits = self.limits(fields)
        costs = self.costs(fields)
        if self.notes.mistakes:
            return None
        try:
            book = RuleBook(
                version="file",
                name=name or "",
                lines=rules,
                outliers=tuple(outliers),
                **costs,  # type: ignore[arg-type]
            )
        except BadRuleBook as error:
            place = fields.nodes.get("costs" if "rgency" in str(error) else "rules", root)
            self.notes.wrong(line_of(place), "", str(error))
            return None
        return RuleFile(
            book=book, limits=limits, valid_from=moment, note=note or "", lines=self.lines
        )

    def costs(self, above: Fields) -> dict[str, float | tuple[float, ...]]:
        node = above.nodes.get("costs")
        if node is None:
            return {}
        fields = Fields(self.notes, node, "costs", COSTS)
        found: dict[str, float | tuple[float, ...]] = {}
        for name in COSTS:
            if name != "urgency" and (cost := fields.parsed(name, _COST)) is not None:
                found[name] = cost
        if "urgency" in fields.nodes:
            said = self.listed(fields, "urgency", _COST)
            if len(said) != 4:
                fields.wrong(fields.nodes["urgency"], "urgency needs 4 numbers, priority 1 to 4.")
            found["urgency"] = tuple(said)
        return found

    def rules(self, above: Fields) -> dict[str, RuleLine]:
        found: dict[str, RuleLine] = {}
        first: dict[str, int] = {}
        if above.are_fields and "rules" not in above.nodes:
            self.notes.wrong(above.line, "", "rules is missing; see manage.py write_rules.")
        for node in above.items("rules"):
            rule = self.rule(node)
            if rule is None:
                continue
            if rule.code in first:
                self.notes.wrong(
                    line_of(node),
                    f"rule {rule.code}",
                    f"is there twice, first in line {first[rule.code]}; keep one.",
                )
            first.setdefault(rule.code, line_of(node))
            found.setdefault(rule.code, rule)
        return found

    def rule(self, node: Node) -> RuleLine | None:
        known = (
            "code", "title", "text", "source", "refuses", "costs", "may_override", "counts_as",
            "not_on", "figures",
        )  # fmt: skip
        before = len(self.notes.mistakes)
        path = named("rule", node)
        fields = Fields(self.notes, node, path, known)
        code = fields.choice("code", tuple(SHAPES))
        if fields.are_fields and "code" not in fields.nodes:
            self.notes.wrong(fields.line, path, "code is missing; every one needs one.")
        title = fields.needed("title", "rule title")
        text = fields.needed("text", "rule text")
        source = fields.needed("source", "source")
        hard = fields.parsed("refuses", _whether) or False
        weight = fields.parsed("costs", _COST)
        if fields.are_fields and not hard and weight is None and "costs" not in fields.nodes:
            self.notes.wrong(fields.line, path, "says neither “refuses: yes” nor what it costs.")
        may = fields.parsed("may_override", _whether) or False
        breach = fields.choice("counts_as", tuple(sorted(BREACHES - {""})))
        kinds = fields.words("not_on", values.WARD_KINDS)
        params = self.figures(fields, code) if code else {}
        if len(self.notes.mistakes) > before or not code:
            return None
        try:
            return RuleLine(
                code=code, title=title or "", text=text or "", source=source or "", hard=hard,
                weight=weight or 0.0, may_override=may, breach=breach or "",
                except_kinds=frozenset(kinds or ()), params=params,
            )  # fmt: skip
        except BadRuleBook as error:
            said = str(error).removeprefix(f"{code}: ")
            blamed = next((n for n in ("text", "title", "source") if f"the {n}" in said), "code")
            fields.wrong(fields.nodes.get(blamed, node), said)
            return None

    def figures(self, above: Fields, code: str) -> dict[str, Param]:
        """The parameters of a rule."""
        node = above.nodes.get("figures")
        if node is None:
            return {}
        known = SHAPES[code].params
        if not known:
            above.wrong(node, "this rule has no figures; remove them.")
            return {}
        fields = Fields(self.notes, node, f"{above.path}, figures", tuple(known))
        found: dict[str, Param] = {}
        for name in fields.nodes:
            asked = known[name]
            if isinstance(asked, Number):
                number = fields.parsed(name, _number(asked.low, asked.high))
                found[name] = asked.default if number is None else number
            elif isinstance(asked, Names):
                found[name] = tuple(self.listed(fields, name, _specialty))
        return found

    def listed(self, fields: Fields, name: str, parse: Callable[[str], T]) -> list[T]:
        """A list of single values, or one by itself; in order, and none when it is not there."""
        node = fields.nodes.get(name)
        items = node.value if isinstance(node, SequenceNode) else [] if node is None else [node]
        found: list[T] = []
        for item in items:
            if not isinstance(item, ScalarNode):
                fields.wrong(item, f"{name} needs plain words or numbers.")
                continue
            try:
                found.append(parse(item.value))
            except ValueError as error:
                fields.wrong(item, f"{name} {error}")
        return found

    def outliers(self, above: Fields) -> list[OutlierLine]:
        found: list[OutlierLine] = []
        first: dict[tuple[str, str, str, str], int] = {}
        for node in above.items("outliers"):
            for line in self.outlier_lines(node):
                if line.about in first:
                    self.notes.wrong(
                        line_of(node),
                        f"outliers of {_wards_of(line)}",
                        f"say {_said(line.specialty)} twice, first in line {first[line.about]}; "
                        "keep one.",
                    )
                first.setdefault(line.about, line_of(node))
                found.append(line)
        return found

    def outlier_lines(self, node: Node) -> list[OutlierLine]:
        known = ("ward", "specialty", "kind", *VERDICTS, "cost")
        fields = Fields(self.notes, node, "outliers", known)
        ward = fields.text("ward", "ward code") or ""
        specialty = fields.text("specialty", "specialty") or ""
        kind = fields.choice("kind", values.WARD_KINDS) or ""
        cost = fields.parsed("cost", _COST)
        if ward and (specialty or kind):
            fields.wrong(node, "names a ward and a specialty or kind of ward; give one of them.")
        if ward:
            self.lines.setdefault(ward, line_of(fields.nodes["ward"]))
        if fields.are_fields and not set(VERDICTS) & set(fields.nodes):
            fields.wrong(node, "says nothing; give takes, outliers or never.")
        if "cost" in fields.nodes and "outliers" not in fields.nodes:
            fields.wrong(fields.nodes["cost"], "only outliers have a cost; remove it.")
        return [
            OutlierLine(
                specialty=ANY if one == ANY_WORD else one,
                verdict=verdict,
                ward_code=ward,
                ward_specialty=specialty,
                ward_kind=kind,
                cost=cost if verdict == "outlier" else None,
            )
            for key, verdict in VERDICTS.items()
            for one in self.listed(fields, key, _specialty)
        ]

    def limits(self, above: Fields) -> dict[str, Limits]:
        found: dict[str, Limits] = {}
        first: dict[str, int] = {}
        for node in above.items("limits"):
            code, limits = self.limits_of(node)
            if not code:
                continue
            if code in first:
                said = f"is there twice, first in line {first[code]}; keep one."
                self.notes.wrong(line_of(node), f"limits of ward {code}", said)
            first.setdefault(code, line_of(node))
            self.lines.setdefault(code, line_of(node))
            found[code] = limits
        return found

    def limits_of(self, node: Node) -> tuple[str, Limits]:
        fields = Fields(
            self.notes, node, _limits_path(node),
            ("ward", *WHOLE_LIMITS, "patients_per_nurse", "ring_fenced"),
        )  # fmt: skip
        code = fields.needed("ward", "ward code") or ""
        numbers: dict[str, int | None] = {}
        for name, most in WHOLE_LIMITS.items():
            number = fields.parsed(name, _number(0, most, whole=True))
            numbers[name] = None if number is None else int(number)
        ratio = fields.parsed("patients_per_nurse", _number(0.1, 100))
        fenced = fields.parsed("ring_fenced", _whether) or False
        youngest, oldest = numbers["youngest"], numbers["oldest"]
        if youngest is not None and oldest is not None and youngest > oldest:
            fields.wrong(node, "youngest is above oldest; nobody could be taken.")
        return code, Limits(patients_per_nurse=ratio, ring_fenced=fenced, **numbers)


def _specialty(text: str) -> str:
    """Raises ValueError for an empty word, as for one too long to be kept."""
    found = values.clean(text, "specialty")
    if not found:
        raise ValueError("holds an empty word; remove it.")
    return found


def _said(specialty: str) -> str:
    return ANY_WORD if specialty == ANY else specialty


def _wards_of(line: OutlierLine) -> str:
    return line.ward_code or " ".join(filter(None, (line.ward_specialty, line.ward_kind))) or "all"


def _limits_path(node: Node) -> str:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == "ward" and isinstance(value, ScalarNode):
                return f"limits of ward {values.shown(value.value)}"
    return "limits"
