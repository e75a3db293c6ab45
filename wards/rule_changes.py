"""What changed between two rule books, in words. Pure: no Django."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from wards.suitability.rulebook import ANY, OutlierLine, Param, RuleBook, RuleLine

COSTS: Final = {
    "unplaced": "cost of leaving a routine request without a bed",
    "urgency": "urgency by priority",
    "waiting_hour": "cost of each hour waited",
    "move": "cost of moving somebody who is settled",
    "cleaning_hours": "hours of cleaning",
}
"""What a book says beside its rules."""
BREACHES: Final = {
    "mixed_sex": "mixed-sex breach",
    "outlier": "outlier",
    "corridor": "corridor care",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A rule that is in both books, and what is different, each in a few words."""

    line: RuleLine
    how: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """added, removed: rules in one of the two. table: of outliers. other: name and costs."""

    added: tuple[RuleLine, ...] = ()
    removed: tuple[RuleLine, ...] = ()
    changed: tuple[Changed, ...] = ()
    table: tuple[str, ...] = ()
    other: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.table or self.other)


def changes(old: RuleBook, new: RuleBook) -> Changes:
    """What is different in the new book."""
    both = [line for code, line in new.lines.items() if code in old.lines]
    found = (Changed(line=one, how=tuple(_how(old.lines[one.code], one))) for one in both)
    return Changes(
        added=tuple(line for code, line in new.lines.items() if code not in old.lines),
        removed=tuple(line for code, line in old.lines.items() if code not in new.lines),
        changed=tuple(one for one in found if one.how),
        table=tuple(_table(old, new)),
        other=tuple(_other(old, new)),
    )


def shown(value: object) -> str:
    """A figure as one writes it: 25, 0.75, or words with commas between."""
    if isinstance(value, tuple):
        return ", ".join(map(shown, value)) or "none"
    return f"{value:,.10g}" if isinstance(value, int | float) else spelt(str(value))


def spelt(code: str) -> str:
    """A code as words: `critical_care` is critical care."""
    return code.replace("_", " ")


def _weighs(line: RuleLine) -> str:
    return "refuses" if line.hard else f"costs {shown(line.weight)}"


def _how(old: RuleLine, new: RuleLine) -> Iterator[str]:
    if _weighs(old) != _weighs(new):
        yield f"{_weighs(new)}, was: {_weighs(old)}"
    elif old.weight != new.weight:
        yield f"weight {shown(new.weight)}, was {shown(old.weight)}"
    if old.may_override != new.may_override:
        yield "may be overridden now" if new.may_override else "may not be overridden any more"
    if old.breach != new.breach:
        said = BREACHES.get(new.breach, "nothing")
        yield f"counts as {said}, was {BREACHES.get(old.breach, 'nothing')}"
    if held := sorted(old.except_kinds - new.except_kinds):
        yield f"holds now on: {shown(tuple(held))}"
    if free := sorted(new.except_kinds - old.except_kinds):
        yield f"does not hold any more on: {shown(tuple(free))}"
    for name in sorted({*old.params, *new.params}):
        if old.params.get(name) != new.params.get(name):
            yield f"{spelt(name)} {_given(new.params, name)}, was {_given(old.params, name)}"
    for name in ("title", "text", "source"):
        if getattr(old, name) != getattr(new, name):
            said = "words" if name == "text" else name
            yield f"{said} now “{getattr(new, name)}”, was “{getattr(old, name)}”"


def _given(params: Mapping[str, Param], name: str) -> str:
    value = params.get(name)
    return "not said" if value is None else shown(value)


def _verdict(line: OutlierLine | None) -> str:
    if line is None:
        return "not said"
    said = {"takes": "takes them", "outlier": "outliers", "never": "never"}[line.verdict]
    return said if line.cost is None else f"{said} at {shown(line.cost)}"


def _table(old: RuleBook, new: RuleBook) -> Iterator[str]:
    before = {line.about: line for line in old.outliers}
    after = {line.about: line for line in new.outliers}
    for about in {**before, **after}:
        was, now = before.get(about), after.get(about)
        if was != now:
            ward, ward_specialty, kind, specialty = about
            place = ward or " ".join(spelt(one) for one in (ward_specialty, kind) if one)
            who = "any other specialty" if specialty == ANY else spelt(specialty)
            yield f"{who} on {place or 'any ward'}: {_verdict(now)}, was {_verdict(was)}"


def _other(old: RuleBook, new: RuleBook) -> Iterator[str]:
    if old.name != new.name:
        yield f"called “{new.name}”, was “{old.name}”"
    for name, said in COSTS.items():
        if getattr(old, name) != getattr(new, name):
            yield f"{said} {shown(getattr(new, name))}, was {shown(getattr(old, name))}"
