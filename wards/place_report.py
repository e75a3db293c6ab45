"""A plan in words: what loading a places file changes, for somebody at a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from wards.place_plan import Key, Level, Plan

MOST_LINES: Final = 40
"""Lines of one kind before the rest are only counted."""


def report(plan: Plan, *, in_full: bool = False) -> list[str]:
    """A table of numbers, then what is new, changed and missing, line by line.

    Beds are counted by ward, unless `in_full`, which tells everything.
    """
    lines = list(_table(plan))
    if plan.is_empty:
        lines += ["", "Nothing to change."]
    lines += _section("New", _new(plan, in_full), in_full)
    lines += _section("Changed", _changed(plan, in_full), in_full)
    dropped = [_at(plan.ladders.noun, key) for key in plan.dropped]
    lines += _section("Taken away", dropped, in_full)
    withdrawn = bool(plan.withdrawn)
    title = "Withdrawn" if withdrawn else "Not in the file, kept"
    lines += _section(title, _missing(plan, in_full), in_full)
    if plan.beds.missing and not withdrawn:
        lines += ["", "To take these beds out of use, load the file with --withdraw."]
    return lines


def _table(plan: Plan) -> Iterator[str]:
    yield f"{'':16}{'in file':>9}{'new':>9}{'changed':>9}{'same':>9}{'missing':>9}"
    for level in plan.levels():
        changed = len(level.changed.keys() & level.met)
        numbers = (len(level.met), len(level.new), changed, level.same, len(level.missing))
        yield f"{level.noun + 's':16}" + "".join(f"{number:>9,}" for number in numbers)


def _section(title: str, lines: list[str], in_full: bool) -> list[str]:
    if not lines:
        return []
    shown = lines if in_full else lines[:MOST_LINES]
    rest = len(lines) - len(shown)
    more = [f"  … and {rest} more; -v 2 shows all"] if rest else []
    return ["", f"{title}:", *(f"  {line}" for line in shown), *more]


def _new(plan: Plan, in_full: bool) -> list[str]:
    if in_full:
        return [
            _named(level, key, row) for level in plan.levels() for key, row in level.new.items()
        ]
    lines = [
        _named(level, key, row)
        for level in (plan.organisations, plan.sites)
        for key, row in level.new.items()
    ]
    beds = Counter(key[:2] for key in plan.beds.new)
    for key, ward in plan.wards.new.items():
        lines.append(f"{_named(plan.wards, key, ward)}: {_counted(beds.pop(key, 0), 'bed')}")
    lines += [f"{_at('ward', key)}: {_counted(number, 'bed')}" for key, number in beds.items()]
    for many in (plan.teams, plan.ladders):
        if many.new:
            lines.append(_counted(len(many.new), many.noun))
    return lines


def _changed(plan: Plan, in_full: bool) -> list[str]:
    """What changes; a change of mere order is told once for all."""
    lines = []
    moved: Counter[str] = Counter()
    for level in plan.levels():
        for key in level.changed:
            if key in plan.withdrawn:
                continue
            notes = level.notes[key]
            if notes == ["moved in order"] and not in_full:
                moved[level.noun] += 1
            else:
                lines.append(f"{_at(level.noun, key)}: {'; '.join(notes)}")
    return lines + [f"{_counted(n, noun)} moved in order" for noun, n in moved.items()]


def _missing(plan: Plan, in_full: bool) -> list[str]:
    lines = []
    for level in (plan.teams, plan.wards):
        lines += [_named(level, key, row) for key, row in level.missing.items()]
    if in_full:
        return lines + [_at("bed", key) for key in plan.beds.missing]
    beds = Counter(key[:2] for key in plan.beds.missing)
    return lines + [f"{_at('ward', key)}: {_counted(n, 'bed')}" for key, n in beds.items()]


def _at(noun: str, key: Key) -> str:
    """`bed NGH / W12 / A / 3`."""
    return f"{noun} {' / '.join(part for part in key if part)}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _named(level: Level[Any], key: Key, row: Any) -> str:
    name = getattr(row, "name", "")
    return _at(level.noun, key) + (f", {name}" if name and name != key[-1] else "")
