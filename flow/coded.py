"""The coded reasons in use on a day, as forms offer them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from patients.models import Code, CodeSet

Groups = Sequence[tuple[str, Sequence[Code]]]


@dataclass(frozen=True, slots=True)
class Codes:
    """Codes in the order in which they were published, delays and criteria by family."""

    criteria: Groups
    red_day: Sequence[Code]
    delays: Groups

    @property
    def every_criterion(self) -> Sequence[Code]:
        """The criteria one after another, as keys are given to them."""
        return [code for _, codes in self.criteria for code in codes]


def codes_in_use(organisation: int, *, at: datetime) -> Codes:
    """National codes and those of the organisation's own, of sets that hold at the moment; of
    criteria the newest set alone, as a review names one. One query."""
    day = timezone.localtime(at).date()
    holds = Q(code_set__valid_from__lte=day) & (
        Q(code_set__valid_until=None) | Q(code_set__valid_until__gt=day)
    )
    whose = Q(code_set__organisation=None) | Q(code_set__organisation=organisation)
    codes = (
        Code.objects.filter(holds, whose, is_withdrawn=False)
        .select_related("code_set")
        .order_by("-code_set__valid_from", "code_set", "position", "pk")
    )
    kinds: defaultdict[str, list[Code]] = defaultdict(list)
    for code in codes:
        kinds[code.code_set.kind].append(code)
    criteria = kinds[CodeSet.Kind.CRITERION]
    newest = [code for code in criteria if code.code_set_id == criteria[0].code_set_id]
    return Codes(
        criteria=_by_family(newest),
        red_day=kinds[CodeSet.Kind.RED_DAY],
        delays=_by_family(kinds[CodeSet.Kind.DELAY]),
    )


def _by_family(codes: Iterable[Code]) -> Groups:
    families: dict[str, list[Code]] = {}
    for code in codes:
        families.setdefault(code.family, []).append(code)
    return list(families.items())
