"""What the address of a cohort's page asks for: by what the list is narrowed, and what of it
makes no sense."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from django.db.models import Q
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from accounts.models import Organisation, Team
from accounts.roles import Permission
from flow.cohorts.board import NONE, Known, Wanted
from flow.cohorts.steps import PHASE_WORDS, STEP_WORDS
from patients.models import Cohort
from wards.models import Site, Ward
from wards.scope import ALL, Scope

FILTERS: Final[Mapping[str, str | Promise]] = {
    "phase": lazy("Phase"),
    "step": lazy("Step"),
    "owner": lazy("Accountable"),
    "band": lazy("Band"),
    "area": lazy("Neighbourhood"),
    "site": lazy("Site"),
}
WITHOUT: Final[Mapping[str, str | Promise]] = {
    "owner": lazy("Nobody accountable"),
    "area": lazy("No neighbourhood"),
    "site": lazy("No site told"),
}
"""What `none` means, of the filters that know it."""
ELSE: Final = ("at", "known", "fragment", "format")
"""What the address may hold besides."""

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of the list. chosen: name of a filter and a value; of several values of one
    filter any will do. names: chosen values in words. errors: what makes no sense, in words for
    its reader. when: the moment, as links must say it."""

    chosen: Pairs = ()
    names: Mapping[tuple[str, str], str] = field(default_factory=dict)
    errors: tuple[str, ...] = ()
    when: Pairs = ()

    def values(self, name: str) -> tuple[str, ...]:
        """The values chosen of a filter."""
        return tuple(value for key, value in self.chosen if key == name)

    @property
    def wanted(self) -> Wanted:
        """The same as the board takes it."""
        return Wanted(
            phases=self.values("phase"),
            steps=self.values("step"),
            owners=self.values("owner"),
            bands=self.values("band"),
            areas=self.values("area"),
            sites=self.values("site"),
        )

    @property
    def address(self) -> str:
        """Where this is, from the page's own address on."""
        said = [*self.chosen, *self.when]
        return "?" + urlencode(said) if said else "?"

    @property
    def everybody(self) -> str:
        """The address without any filter."""
        return replace(self, chosen=()).address

    def narrowed(self, *chosen: tuple[str, str]) -> Wish:
        """The same with one value of each of these filters."""
        names = {name for name, _value in chosen}
        kept = [pair for pair in self.chosen if pair[0] not in names]
        return replace(self, chosen=(*kept, *chosen))

    @property
    def chips(self) -> list[tuple[str, str, str]]:
        """What is chosen: filter and value in words, and the address without it."""
        return [
            (
                str(FILTERS[name]),
                self.names.get((name, value), value),
                replace(self, chosen=tuple(p for p in self.chosen if p != (name, value))).address,
            )
            for name, value in self.chosen
        ]


def wish(query: QueryDict, cohort: Cohort, *, scope: Scope, known: Known) -> Wish:
    """Read the address; filters that name what is kept in the database ask once each."""
    chosen = []
    for name in FILTERS:
        values = [value.strip().replace("\0", "")[:400] for value in query.getlist(name)]
        chosen += [(name, value) for value in dict.fromkeys(values) if value]
    errors = [
        _("“%s” is no filter here and was left out.") % name[:40]
        for name in query
        if name not in {*FILTERS, *ELSE}
    ]
    names = {}
    for name in dict.fromkeys(name for name, _value in chosen):
        values = [value for key, value in chosen if key == name]
        found = _named(name, values, cohort, scope, known)
        for value in values:
            if value in found:
                names[name, value] = found[value]
            else:
                errors.append(_unknown(name, value))
    return Wish(tuple(chosen), names, tuple(errors))


def _unknown(name: str, value: str) -> str:
    told = {"value": value[:60], "what": str(FILTERS[name]).lower()}
    if name == "site":
        # Also said of what exists where the reader may not look.
        return _("There is no %(what)s “%(value)s” that you may see, so nobody is listed.") % told
    return _("“%(value)s” is nothing known of: %(what)s. Nobody is listed.") % told


def _named(
    name: str, values: list[str], cohort: Cohort, scope: Scope, known: Known
) -> dict[str, str]:
    """Those of the values that mean something, in words."""
    found = {NONE: str(WITHOUT[name])} if name in WITHOUT else {}
    if name == "phase":
        return {phase.value: str(words) for phase, words in PHASE_WORDS.items()}
    if name == "step":
        return {step.value: str(words) for step, words in STEP_WORDS.items()}
    if name == "band":
        return {band.name: band.name for band in cohort.scale.bands}
    if name == "area":
        return found | {area.slug: area.name for area in known[1].values()}
    if name == "site":
        return found | sites_met(values, scope, known)
    return found | _owners(values)


def sites_met(values: Iterable[str], scope: Scope, known: Known) -> dict[str, str]:
    """Those of the codes that are of sites at which the scope may meet somebody, with their names:
    somebody who plays for a neighbourhood has people at any site."""
    held = scope.sites_in_part(Permission.SEE_COUNTS)
    teams = scope.teams(Permission.OWN_STEPS)
    roams = any(teams == ALL or area.team in teams for area in known[1].values())
    sites = Site.objects.filter(code__in=list(values))
    if held != ALL and not roams:
        sites = sites.filter(pk__in=held)
    return dict(sites.values_list("code", "name"))


def _owners(values: Iterable[str]) -> dict[str, str]:
    """Keys of owners, `code of the organisation/name`, of which there is a body, a team or a ward
    of that name. Whom a place was asked of has no code."""
    parted = [(value, *value.partition("/")[::2]) for value in values if "/" in value]
    called = {name for _value, _code, name in parted}
    codes = {code for _value, code, _name in parted}
    bodies = Organisation.objects.filter(Q(code__in=codes) | Q(name__in=called))
    known = list(bodies.values_list("code", "name"))
    names = {("", name) for _code, name in known} | {(code, "") for code, _name in known}
    names |= set(known)
    for code, name in (
        *Team.objects.filter(name__in=called).values_list("organisation__code", "name"),
        *Ward.objects.filter(name__in=called).values_list("site__organisation__code", "name"),
    ):
        names |= {("", name), (code, name)}
    titles = dict(known)
    return {
        value: _called(name, titles.get(code, ""))
        for value, code, name in parted
        if (code, name) in names
    }


def _called(name: str, body: str) -> str:
    return f"{name}, {body}" if name and body and body != name else name or body
