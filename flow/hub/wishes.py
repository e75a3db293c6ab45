"""What the address of the hub asks for: filters, order, groups; and what of it makes no sense."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from accounts.models import Organisation, Team
from accounts.roles import Permission
from flow.discharges import LONG_STAYS, Stay
from flow.hub.filters import FILTERS, NONE, SEVERAL
from patients.models import Code
from wards.models import Site, Ward
from wards.scope import ALL, Scope

SORTS: Final[Mapping[str, str | Promise]] = {
    "ready": lazy("Ready since"),
    "nights": lazy("Nights"),
    "name": lazy("Patient"),
    "ward": lazy("Ward"),
    "pathway": lazy("Pathway"),
    "reason": lazy("Waits for"),
    "organisation": lazy("Accountable"),
    "due": lazy("Target"),
    "expected": lazy("Expected"),
    "reviewed": lazy("Last review"),
    "referral": lazy("Place after hospital"),
}
GROUPS: Final = ("site", "ward", "pathway", "family", "reason", "organisation", "team", "days")
ELSE: Final = ("at", "known", "fragment", "format")
"""What the address may hold besides."""

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of the hub.

    chosen: name of a filter and a value; of several values of one filter any will do. long: 0
    for who is ready to leave, else everybody so many days in hospital. sort: a key of `SORTS`,
    empty for the usual order; backwards: turned round. group: a name of `GROUPS`, or empty.
    errors: what of it makes no sense, in words for its reader. names: chosen values in words.
    when: the moment, as links must say it.
    """

    chosen: Pairs = ()
    long: int = 0
    sort: str = ""
    backwards: bool = False
    group: str = ""
    errors: tuple[str, ...] = ()
    names: Mapping[tuple[str, str], str] | None = None
    when: Pairs = ()

    def values(self, name: str) -> list[str]:
        """The values chosen of a filter."""
        return [value for key, value in self.chosen if key == name]

    def takes(self, stay: Stay, at: datetime, *, but: str = "") -> bool:
        """Whether a stay is asked for, the filter `but` left aside."""
        wanted: dict[str, list[str]] = {}
        for name, value in self.chosen:
            if name != but:
                wanted.setdefault(name, []).append(value)
        return all(FILTERS[name].key(stay, at) in values for name, values in wanted.items())

    @property
    def only_places(self) -> bool:
        """Whether nothing but sites and wards is chosen."""
        return all(name in ("site", "ward") for name, _value in self.chosen)

    @property
    def pairs(self) -> Pairs:
        """The address without the moment."""
        said = list(self.chosen)
        if self.long:
            said.append(("long", str(self.long)))
        if self.sort:
            said.append(("sort", f"-{self.sort}" if self.backwards else self.sort))
        if self.group:
            said.append(("group", self.group))
        return tuple(said)

    @property
    def address(self) -> str:
        """Where this is, from the hub's own address on."""
        said = [*self.pairs, *self.when]
        return "?" + urlencode(said) if said else "?"

    def narrowed(self, *chosen: tuple[str, str]) -> Wish:
        """The same with one value of each of these filters."""
        names = {name for name, _value in chosen}
        kept = [pair for pair in self.chosen if pair[0] not in names]
        return replace(self, chosen=(*kept, *chosen))

    def without(self, name: str, value: str = "") -> Wish:
        """The same without a filter, or without one of its values."""
        kept = [p for p in self.chosen if p[0] != name or (value and p[1] != value)]
        return replace(self, chosen=tuple(kept))

    def of_stays(self, days: int) -> Wish:
        """The same filters for another view; what only one of the two knows is left out."""
        gone = {"days"} if days else {"criteria"}
        kept = tuple(pair for pair in self.chosen if pair[0] not in gone)
        return replace(self, long=days, chosen=kept, sort="", backwards=False)

    def sorted_by(self, sort: str) -> Wish:
        """In that order; in the opposite one if it is so already."""
        turned = self.sort == sort and not self.backwards
        return replace(self, sort=sort, backwards=turned)

    @property
    def chips(self) -> list[tuple[str, str, str]]:
        """What is chosen: filter and value in words, and the address without it."""
        names = self.names or {}
        return [
            (str(FILTERS[name].label), names.get((name, value), value),
             self.without(name, value).address)
            for name, value in self.chosen
        ]  # fmt: skip


def wish(query: QueryDict, scope: Scope) -> Wish:
    """Read the address. Each filter that names what is kept in the database asks once."""
    chosen = []
    for name in FILTERS:
        values = [value.strip().replace("\0", "") for value in query.getlist(name)]
        chosen += [(name, value[:100]) for value in dict.fromkeys(values) if value]
    errors = [
        _("“%s” is no filter here and was left out.") % name[:40]
        for name in query
        if name not in {*FILTERS, "long", "sort", "group", *ELSE}
    ]
    names = {}
    for name in dict.fromkeys(name for name, _value in chosen):
        known = _known(name, [value for key, value in chosen if key == name], scope)
        for key, value in chosen:
            if key != name:
                continue
            if value in known:
                names[key, value] = known[value]
            else:
                errors.append(_unknown(name, value))
    sort = _one(query, "sort", {**SORTS, **{f"-{key}": "" for key in SORTS}}, errors)
    long = _one(query, "long", [str(days) for days in LONG_STAYS], errors)
    return Wish(
        chosen=tuple(chosen),
        long=int(long or 0),
        sort=sort.lstrip("-"),
        backwards=sort.startswith("-"),
        group=_one(query, "group", GROUPS, errors),
        errors=tuple(errors),
        names=names,
    )


def _one(query: QueryDict, name: str, known: Iterable[str], errors: list[str]) -> str:
    value = query.get(name, "").strip()
    if value and value not in set(known):
        told = {
            "name": name,
            "value": value[:40],
            "known": ", ".join(k for k in known if k[0] != "-"),
        }
        errors.append(_("“%(name)s=%(value)s” was left out; choose one of %(known)s.") % told)
        return ""
    return value


def _unknown(name: str, value: str) -> str:
    told = {"value": value[:40], "what": str(FILTERS[name].label).lower()}
    if name in ("site", "ward"):
        # Also said of what exists where the reader may not look.
        return _("There is no %(what)s “%(value)s” that you may see, so nobody is shown.") % told
    return _("“%(value)s” is nothing known of: %(what)s. Nobody is shown.") % told


def _known(name: str, values: list[str], scope: Scope) -> dict[str, str]:
    """Those of the values that mean something, in words."""
    one = FILTERS[name]
    if one.fixed is not None:
        return {value: str(label) for value, label in one.fixed.items()}
    found = {NONE: str(one.without)} if one.without else {}
    return found | _STORED[name](values, scope)


def _sites(values: list[str], scope: Scope) -> dict[str, str]:
    held = scope.sites_in_part(Permission.SEE_COUNTS)
    sites = Site.objects.filter(code__in=values)
    return dict((sites if held == ALL else sites.filter(pk__in=held)).values_list("code", "name"))


def _wards(values: list[str], scope: Scope) -> dict[str, str]:
    held = scope.wards(Permission.SEE_COUNTS)
    wards = Ward.objects.filter(code__in=values)
    return dict((wards if held == ALL else wards.filter(pk__in=held)).values_list("code", "name"))


def _organisations(values: list[str], _scope: Scope) -> dict[str, str]:
    return dict(Organisation.objects.filter(code__in=values).values_list("code", "name"))


def _owners(values: list[str], scope: Scope) -> dict[str, str]:
    return {SEVERAL: _("several together")} | _organisations(values, scope)


def _teams(values: list[str], _scope: Scope) -> dict[str, str]:
    return dict(Team.objects.filter(code__in=values).values_list("code", "name"))


def _reasons(values: list[str], _scope: Scope) -> dict[str, str]:
    return dict(Code.objects.filter(slug__in=values).values_list("slug", "label"))


def _families(_values: list[str], _scope: Scope) -> dict[str, str]:
    families = Code.objects.order_by().values_list("family", flat=True).distinct()
    return {slugify(family): family for family in families if family}


_STORED: Final[Mapping[str, Callable[[list[str], Scope], dict[str, str]]]] = {
    "site": _sites,
    "ward": _wards,
    "organisation": _organisations,
    "freed_by": _owners,
    "team": _teams,
    "reason": _reasons,
    "family": _families,
}
