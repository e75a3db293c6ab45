"""Does this bed suit this person, and which suit best? Pure: no Django.

All rules of the book are asked of the pair. Any hard finding refuses the bed; soft findings add
up to its cost. `best` orders by that, so equal facts and an equal book give an equal order.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Final

from wards.suitability.facts import Bed, Needs
from wards.suitability.findings import Finding
from wards.suitability.reasons import reasons_for
from wards.suitability.rulebook import RuleBook
from wards.suitability.rules import holding, holds_on
from wards.suitability.setting import Setting

HALF: Final = 50.0
"""The cost at which a bed scores 50."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One bed for one person by one book.

    bed, request: keys. against: findings that refuse, then those that cost; what was set aside by
    an override is in neither. for_it: reasons for the bed. cost: sum of what the findings cost, in
    the units of the book. set_aside: refusals that an override removed. version: of the book.
    """

    request: int
    bed: int
    against: tuple[Finding, ...]
    for_it: tuple[Finding, ...]
    cost: float
    version: str
    set_aside: tuple[Finding, ...] = ()

    @property
    def refusals(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.against if finding.hard)

    @property
    def suitable(self) -> bool:
        """No rule refuses it."""
        return not self.refusals

    @property
    def overridable(self) -> bool:
        """Rules refuse it, and somebody entitled may set each of these aside."""
        refusals = self.refusals
        return bool(refusals) and all(finding.overridable for finding in refusals)

    @property
    def score(self) -> int:
        """0 to 100, higher is better: 100 for a bed that costs nothing, 50 at a cost of 50, 0 for
        one that is refused."""
        return max(1, round(100 * HALF / (HALF + self.cost))) if self.suitable else 0

    @property
    def breaches(self) -> frozenset[str]:
        """What using the bed counts as: "mixed_sex", "outlier", "corridor"."""
        found = (*self.against, *self.set_aside)
        return frozenset(finding.breach for finding in found if finding.breach)


def judge(
    needs: Needs,
    bed: Bed,
    setting: Setting,
    book: RuleBook,
    *,
    overriding: Set[str] = frozenset(),
) -> Judgement:
    """What speaks for and against a bed.

    overriding: codes of rules that somebody entitled sets aside. One that the book does not let
    anybody override refuses all the same; one set aside still counts as its breach.
    """
    ward = setting.ward_of(bed)
    hard, soft, aside = [], [], []
    for rule in holding(book):
        if not holds_on(rule, ward, book):
            continue
        finding = rule.judge(needs, bed, setting, book)
        if finding is None:
            continue
        if not finding.hard:
            soft.append(finding)
        elif finding.overridable and finding.code in overriding:
            aside.append(finding)
        else:
            hard.append(finding)
    soft.sort(key=lambda finding: -finding.cost)
    return Judgement(
        request=needs.key,
        bed=bed.key,
        against=(*hard, *soft),
        for_it=tuple(reasons_for(needs, bed, setting, book)),
        cost=sum(finding.cost for finding in soft),
        version=book.version,
        set_aside=tuple(aside),
    )


def suits(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> bool:
    """Whether `judge` would find no refusal, without asking what the bed costs."""
    ward = setting.ward_of(bed)
    for rule in holding(book):
        if book.lines[rule.code].hard and holds_on(rule, ward, book):
            finding = rule.judge(needs, bed, setting, book)
            if finding is not None and finding.hard:
                return False
    return True


def best(
    needs: Needs, setting: Setting, book: RuleBook, limit: int | None = None
) -> list[Judgement]:
    """All beds, best first: those that suit by cost, then those that an override would open, then
    the rest, each with fewer refusals first; beds alike in the order of their keys."""
    found = [judge(needs, bed, setting, book) for bed in setting.beds.values()]
    found.sort(key=lambda one: (*_order(one), setting.beds[one.bed].position, one.bed))
    return found if limit is None else found[:limit]


def _order(one: Judgement) -> tuple[int, int, float]:
    rank = 0 if one.suitable else 1 if one.overridable else 2
    return rank, len(one.refusals), one.cost
