"""Writing a rule book and the limits of wards as a file to edit (docs/rules.md)."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Final

import yaml

from wards.rule_changes import COSTS
from wards.rule_files import ANY_WORD, VERDICTS, Limits, RuleFile
from wards.suitability.rulebook import ANY, OUTLIER, OutlierLine, RuleBook, RuleLine
from wards.suitability.rules import RULES
from wards.suitability.shapes import PLACE_WORDS, SHAPES

_HEAD: Final = """\
# The rules by which beds are given. docs/rules.md says what may be written here.
#
# A rule refuses (refuses: yes) or costs (costs: 40), or is not here and does not hold. Above each
# stands what it looks at; what is backticked there are its figures. Try the file with
# manage.py load_rules FILE --dry-run, then load it: it is kept as the next version.
"""
_OUTLIERS: Final = """\
# Which ward takes patients of which specialty. Wards are named by a ward's code, by specialty, by
# kind, or by both; `any` is every specialty not named beside it. The most exact line counts: a
# ward before a specialty before a kind. Without a line a ward takes its own specialty, and all
# others are outliers. `cost`: of such an outlier, where it is not that of the rule outlier.
"""
_LIMITS: Final = """\
# What a ward can safely hold, as its matron sets it. What is not said is no limit. A ward that is
# not here keeps what it has; to take its limits away, name it and say nothing else.
"""


def written(file: RuleFile) -> str:
    """The file as text; reading it gives the same rules and limits."""
    parts = [_HEAD, f"name: {_scalar(file.book.name)}\n", "\n".join(_costs(file.book)), "rules:"]
    parts += ["\n".join(_rule(line)) for line in file.book.lines.values()]
    text = "\n".join(parts) + "\n"
    if absent := [code for code in SHAPES if code not in file.book.lines]:
        said = f"Rules that do not hold, since they are not here: {', '.join(absent)}."
        text += "\n" + textwrap.indent(textwrap.fill(said, 94), "  # ") + "\n"
    if file.book.outliers:
        lines = "\n".join(_outliers(file.book.outliers))
        text += f"\n{_OUTLIERS}outliers:\n{lines}\n"
    if limits := "\n".join(_limits(file.limits)):
        text += f"\n{_LIMITS}limits:\n{limits}\n"
    return text


def number(value: float) -> str:
    """A number as one writes it: 25, 0.75."""
    return f"{value:.0f}" if float(value).is_integer() else repr(float(value))


def _scalar(text: str) -> str:
    """A text on one line, quoted where YAML asks for it."""
    said = yaml.safe_dump(text, allow_unicode=True, width=10**6)
    return str(said).removesuffix("\n").removesuffix("\n...")


def _words(words: Sequence[str]) -> str:
    said = yaml.safe_dump(list(words), allow_unicode=True, default_flow_style=True, width=10**6)
    return str(said).removesuffix("\n")


def _costs(book: RuleBook) -> Iterator[str]:
    yield "# In the units of the rules' costs: what it costs to leave a routine request without a"
    yield "# bed, times urgency by priority (1 to 4), more for each hour waited; and to move"
    yield "# somebody who is settled."
    yield "costs:"
    for name in COSTS:
        value = getattr(book, name)
        if isinstance(value, tuple):
            yield f"  {name}: [{', '.join(map(number, value))}]"
        else:
            yield f"  {name}: {number(value)}"
    yield ""


def _rule(line: RuleLine) -> Iterator[str]:
    about = " ".join((inspect.getdoc(RULES[line.code].judge) or "").split())
    words = sorted(SHAPES[line.code].words | PLACE_WORDS)
    yield ""
    said = f"{about} Its text may name {', '.join(f'{{{word}}}' for word in words)}.".strip()
    yield from textwrap.wrap(said, 96, initial_indent="  # ", subsequent_indent="  # ")
    yield f"  - code: {line.code}"
    yield f"    title: {_scalar(line.title)}"
    yield f"    text: {_scalar(line.text)}"
    yield f"    source: {_scalar(line.source)}"
    if line.hard:
        yield "    refuses: yes"
    if line.weight or not line.hard:
        yield f"    costs: {number(line.weight)}"
    if line.may_override:
        yield "    may_override: yes"
    if line.breach:
        yield f"    counts_as: {line.breach}"
    if line.except_kinds:
        yield f"    not_on: {_words(sorted(line.except_kinds))}"
    if line.params:
        yield "    figures:"
        for name in SHAPES[line.code].params:
            value = line.params.get(name)
            if value is None:
                continue
            said = _words(value) if isinstance(value, tuple) else number(value)
            yield f"      {name}: {said}"


def _outliers(lines: Sequence[OutlierLine]) -> Iterator[str]:
    """The lines about the same wards as one entry; one more for each further cost."""
    entries: dict[tuple[str, str, str], dict[str, list[str]]] = {}
    costly: dict[tuple[str, str, str], dict[float | None, list[str]]] = {}
    for line in lines:
        about = (line.ward_code, line.ward_specialty, line.ward_kind)
        said = entries.setdefault(about, {})
        word = ANY_WORD if line.specialty == ANY else line.specialty
        if line.verdict == OUTLIER:
            costly.setdefault(about, {}).setdefault(line.cost, []).append(word)
        else:
            said.setdefault(line.verdict, []).append(word)
    for about, said in entries.items():
        for cost, words in costly.get(about, {}).items() or [(None, [])]:
            yield from _entry(about, {**said, OUTLIER: words}, cost)
            said = {}


def _entry(
    about: tuple[str, str, str], verdicts: Mapping[str, Sequence[str]], cost: float | None
) -> Iterator[str]:
    named = zip(("ward", "specialty", "kind"), about, strict=True)
    parts = [f"{key}: {_scalar(value)}" for key, value in named if value]
    for key, verdict in VERDICTS.items():
        if words := verdicts.get(verdict):
            parts.append(f"{key}: {_words(words)}")
    if cost is not None:
        parts.append(f"cost: {number(cost)}")
    for count, one in enumerate(parts):
        yield f"    {one}" if count else f"  - {one}"


def _limits(limits: Mapping[str, Limits]) -> Iterator[str]:
    for code, one in limits.items():
        if one == Limits():
            continue
        said = [f"ward: {_words([code])[1:-1]}"]
        for field in fields(Limits):
            value = getattr(one, field.name)
            if value is True:
                said.append(f"{field.name}: yes")
            elif value is not None and value is not False:
                said.append(f"{field.name}: {number(value)}")
        yield f"  - {{{', '.join(said)}}}"
