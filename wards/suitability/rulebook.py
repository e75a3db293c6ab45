"""The trust's rules as data: their words, sources, weights and tables, with a version.

Pure: no Django. What a rule looks at is code (`wards.suitability.rules`); whether it holds, whether
it refuses or costs, how much, and what it says are lines of a book. Published guidance changes, so
a book has a version, and every judgement can be traced to the book that gave it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from string import Formatter
from types import MappingProxyType
from typing import Final

from wards.suitability.facts import Needs, Ward
from wards.suitability.findings import Finding
from wards.suitability.shapes import BREACHES, PLACE_WORDS, SHAPES, Names, Number

Param = float | tuple[str, ...]

TAKES: Final = "takes"
OUTLIER: Final = "outlier"
NEVER: Final = "never"
VERDICTS: Final = (TAKES, OUTLIER, NEVER)

ANY: Final = "*"


class BadRuleBook(ValueError):
    """A book that cannot be used; says which line and what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """One rule as the trust has it.

    code: which rule (`shapes.SHAPES`). text: what is said when it speaks, with words in braces.
    source: where it was published, or "Local". hard: it refuses; otherwise it costs `weight`.
    may_override: somebody entitled may set the refusal aside. breach: what using the bed then
    counts as. except_kinds: kinds of ward where it does not hold. params: see the shape.
    """

    code: str
    title: str
    text: str
    source: str
    hard: bool
    weight: float = 0.0
    may_override: bool = False
    breach: str = ""
    except_kinds: frozenset[str] = frozenset()
    params: Mapping[str, Param] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = SHAPES.get(self.code)
        if shape is None:
            raise BadRuleBook(f"There is no rule {self.code!r}.")
        for what in ("title", "text", "source"):
            if not getattr(self, what).strip():
                raise BadRuleBook(f"{self.code}: the {what} is empty.")
        if not 0 <= self.weight < 1e6:
            raise BadRuleBook(f"{self.code}: a weight is 0 or more.")
        if self.breach not in BREACHES:
            raise BadRuleBook(f"{self.code}: {self.breach!r} is no kind of breach.")
        if shape.fixed and (not self.hard or self.may_override):
            raise BadRuleBook(f"{self.code}: this is a fact; it refuses, without override.")
        if shape.soft and self.hard:
            raise BadRuleBook(f"{self.code}: this rule costs; it cannot refuse.")
        self._check_text(shape.words | PLACE_WORDS)
        self._check_params(shape.params)

    def _check_text(self, words: frozenset[str]) -> None:
        try:
            used = [name for _, name, spec, conversion in Formatter().parse(self.text)
                    if name is not None or spec or conversion]  # fmt: skip
        except ValueError as error:
            raise BadRuleBook(f"{self.code}: the text has a brace too many or too few.") from error
        for name in used:
            if name not in words:
                said = ", ".join(sorted(words))
                raise BadRuleBook(f"{self.code}: the text names {{{name}}}; it may name {said}.")

    def _check_params(self, known: Mapping[str, Number | Names]) -> None:
        for name, value in self.params.items():
            asked = known.get(name)
            if asked is None:
                raise BadRuleBook(f"{self.code}: there is no parameter {name!r}.")
            if isinstance(asked, Names):
                if not isinstance(value, tuple) or not all(isinstance(one, str) for one in value):
                    raise BadRuleBook(f"{self.code}: {name} is a list of words.")
            elif isinstance(value, tuple | bool) or not asked.low <= value <= asked.high:
                raise BadRuleBook(
                    f"{self.code}: {name} is a number from {asked.low:g} to {asked.high:g}."
                )

    def number(self, name: str) -> float:
        """A parameter that is a number."""
        asked = SHAPES[self.code].params[name]
        value = self.params.get(name, asked.default)
        assert isinstance(value, int | float)
        return value

    def names(self, name: str) -> tuple[str, ...]:
        """A parameter that is a list of words."""
        asked = SHAPES[self.code].params[name]
        value = self.params.get(name, asked.default)
        assert isinstance(value, tuple)
        return value

    def finding(
        self, words: Mapping[str, str], *, cost: float | None = None, **more: object
    ) -> Finding:
        """That this rule speaks against a bed: the words that every text may use and those of this
        rule; `cost` where it differs from the weight."""
        return Finding(
            code=self.code,
            title=self.title,
            text=self.text.format_map({**words, **more}),
            hard=self.hard,
            cost=0.0 if self.hard else self.weight if cost is None else cost,
            overridable=self.hard and self.may_override,
            breach=self.breach,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlierLine:
    """Which ward takes whom: one line of the trust's table.

    A line is about one ward (`ward_code`), or wards of a specialty, or of a kind, or of both;
    empty matches all. specialty: the patient's, or "*". verdict: takes, outlier or never. cost:
    of an outlier; None is the weight of the rule `outlier`.
    """

    specialty: str
    verdict: str
    ward_code: str = ""
    ward_specialty: str = ""
    ward_kind: str = ""
    cost: float | None = None

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise BadRuleBook(f"Outlier table: {self.verdict!r} is none of {', '.join(VERDICTS)}.")
        if not self.specialty:
            raise BadRuleBook("Outlier table: a line names no specialty; * is any.")
        if self.cost is not None and not 0 <= self.cost < 1e6:
            raise BadRuleBook("Outlier table: a cost is 0 or more.")
        if self.cost is not None and self.verdict != OUTLIER:
            raise BadRuleBook("Outlier table: only an outlier has a cost.")

    def matches(self, ward: Ward, specialty: str) -> bool:
        return (
            self.specialty in (specialty, ANY)
            and self.ward_code in ("", ward.code)
            and self.ward_specialty in ("", ward.specialty)
            and self.ward_kind in ("", ward.kind)
        )

    @property
    def rank(self) -> tuple[bool, bool, bool, bool]:
        """The greater, the more it is about."""
        return (bool(self.ward_code), bool(self.ward_specialty), bool(self.ward_kind),
                self.specialty != ANY)  # fmt: skip

    @property
    def about(self) -> tuple[str, str, str, str]:
        return (self.ward_code, self.ward_specialty, self.ward_kind, self.specialty)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBook:
    """All rules of a trust. A rule without a line does not hold, but facts always do.

    unplaced: what it costs to leave a routine request (priority 3) without a bed, in the units of
    the weights; times `urgency` by priority, plus `waiting_hour` for each hour waited, up to 48.
    move: what it costs to move somebody who is settled. cleaning_hours: after somebody left.
    """

    version: str
    name: str
    lines: Mapping[str, RuleLine]
    outliers: tuple[OutlierLine, ...] = ()
    unplaced: float = 500.0
    urgency: tuple[float, float, float, float] = (4.0, 2.0, 1.0, 0.5)
    waiting_hour: float = 5.0
    move: float = 25.0
    cleaning_hours: float = 0.75
    _of_specialty: Mapping[str, tuple[OutlierLine, ...]] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        if not self.version or not self.name:
            raise BadRuleBook("A rule book has a name and a version.")
        for code, line in self.lines.items():
            if code != line.code:
                raise BadRuleBook(f"The line of {line.code} stands under {code}.")
        for code, shape in SHAPES.items():
            if shape.needed and code not in self.lines:
                raise BadRuleBook(f"The book has no line for {code}, which is a fact.")
        seen = set()
        for entry in self.outliers:
            if entry.about in seen:
                raise BadRuleBook(
                    f"Outlier table: two lines for {entry.specialty} on "
                    f"{entry.ward_code or entry.ward_specialty or entry.ward_kind or 'any ward'}."
                )
            seen.add(entry.about)
        costs = (self.unplaced, self.waiting_hour, self.move, self.cleaning_hours)
        if not all(0 <= cost < 1e6 for cost in costs):
            raise BadRuleBook("Costs and hours of a rule book are 0 or more.")
        if list(self.urgency) != sorted(self.urgency, reverse=True) or self.urgency[-1] <= 0:
            raise BadRuleBook("Urgency falls from priority 1 to 4 and is above 0.")
        object.__setattr__(self, "lines", MappingProxyType(dict(self.lines)))
        by_specialty: dict[str, tuple[OutlierLine, ...]] = {}
        for entry in self.outliers:
            by_specialty[entry.specialty] = (*by_specialty.get(entry.specialty, ()), entry)
        object.__setattr__(self, "_of_specialty", by_specialty)

    def verdict(self, needs: Needs, ward: Ward) -> tuple[str, float]:
        """Whether the ward takes the specialty of this person, and what an outlier costs.

        The line that is about most decides: one naming the ward before one naming its specialty
        before one naming its kind, and then one naming the patient's specialty before "*". Where
        none matches, a ward takes its own specialty, a ward of no specialty takes all, and
        everybody else is an outlier.
        """
        line = self.lines.get("outlier")
        weight = line.weight if line else 0.0
        found = [
            entry
            for specialty in {needs.specialty, ANY}
            for entry in self._of_specialty.get(specialty, ())
            if entry.matches(ward, needs.specialty)
        ]
        if found:
            entry = max(found, key=lambda one: one.rank)
            if entry.verdict != OUTLIER:
                return entry.verdict, 0.0
            return OUTLIER, weight if entry.cost is None else entry.cost
        if not ward.specialty or ward.specialty == needs.specialty:
            return TAKES, 0.0
        return OUTLIER, weight


def book_of(
    *,
    version: str,
    name: str,
    lines: Iterable[RuleLine],
    outliers: tuple[OutlierLine, ...] = (),
) -> RuleBook:
    """A book of these lines. Raises `BadRuleBook`, also for two lines of one rule."""
    by_code: dict[str, RuleLine] = {}
    for line in lines:
        if line.code in by_code:
            raise BadRuleBook(f"There are two lines for {line.code}.")
        by_code[line.code] = line
    return RuleBook(version=version, name=name, lines=by_code, outliers=outliers)
