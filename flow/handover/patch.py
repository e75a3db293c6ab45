"""Which wards a handover is about: the reader's patch, one ward, or all that they may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.roles import Permission
from accounts.row_keys import row_key
from wards.models import Site, Ward
from wards.scope import Scope

WHOLE = "all"


@dataclass(frozen=True, slots=True)
class Choice:
    """One patch that can be chosen: `value` is what the address says, "" for the reader's own."""

    label: str
    value: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Patch:
    """The wards asked for, as primary keys. whole: all wards of the site, so that what belongs to
    no ward counts too. words: what is asked for. names: of every ward that may be chosen."""

    wards: frozenset[int]
    whole: bool
    words: str
    value: str
    choices: Sequence[Choice]
    names: dict[int, str]

    def holds(self, *wards: int | None) -> bool:
        """Whether one of these wards is in it, or, for the whole site, none is known."""
        known = [ward for ward in wards if ward is not None]
        return any(ward in self.wards for ward in known) or (self.whole and not known)


def patch_of(site: Site, scope: Scope, asked: str) -> Patch:
    """The patch that the address asks for; one query.

    Somebody's own are the wards at which they move patients, else all of which they see figures:
    for a site manager the whole site. What they may not see cannot be asked for.
    """
    rows = Ward.objects.filter(site=site, same_as=None).exclude(kind=Ward.Kind.UNRECOGNISED)
    every = {row.pk: row.name for row in rows.only("pk", "name", "position")}
    seen = {pk: name for pk, name in every.items() if scope.may(Permission.SEE_COUNTS, pk)}
    own = frozenset(pk for pk in seen if scope.may(Permission.MOVE_PATIENTS, pk)) or frozenset(seen)
    key = row_key(asked)
    if key in seen:
        wards, value = frozenset({key}), str(key)
    elif asked == WHOLE and own != frozenset(seen):
        wards, value = frozenset(seen), WHOLE
    else:
        wards, value = own, ""
    whole = len(wards) == len(every)
    words = _("the whole site") if whole else _words(wards, seen)
    return Patch(wards, whole, words, value, _choices(seen, own, len(every), value), seen)


def _words(wards: frozenset[int], names: dict[int, str]) -> str:
    if len(wards) == 1:
        return next(names[ward] for ward in wards)
    return ngettext("%(n)s ward", "%(n)s wards", len(wards)) % {"n": len(wards)}


def _choices(seen: dict[int, str], own: frozenset[int], every: int, value: str) -> Sequence[Choice]:
    """My patch, all that I see where that is more, and each ward."""
    all_words = _("Whole site") if len(seen) == every else _("All that I may see")
    found = []
    if own == frozenset(seen):
        found.append(Choice(all_words, "", value == ""))
    else:
        found.append(Choice(_("My wards"), "", value == ""))
        found.append(Choice(all_words, WHOLE, value == WHOLE))
    if len(seen) > 1:
        found += [Choice(name, str(pk), value == str(pk)) for pk, name in seen.items()]
    return found
