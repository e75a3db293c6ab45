"""Whom a name means: a person with a role at the site, a team, or nobody who is known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Concat, Lower
from django.utils.translation import gettext as _

from accounts.models import Organisation, Team, User
from huddles.letters import plain as plain_words
from wards.models import Site

_TITLE: Final = re.compile(
    r"^(?:dr|mr|mrs|ms|miss|mx|prof|professor|sister|nurse)\.?\s+(?=\S)", re.I
)
_ARTICLE: Final = re.compile(r"^(?:the|our)(?:\s+|$)", re.I)
_TEAM: Final = re.compile(r"\s+teams?$", re.I)
_APART: Final = re.compile(r"\s*(?:,|&|\+|/|\band\b)\s*", re.I)
_FEWEST: Final = 4
"""Letters of a part of a team's name that can stand for it."""
_MOST_NAMES: Final = 5000
"""Names among which a misspelt one is looked for."""
_LIKE: Final = 0.75


@dataclass(frozen=True, slots=True)
class Owner:
    """Who does it: a person who signs in, a team, or a name as it was said; at least one."""

    user: User | None = None
    team: Team | None = None
    name: str = ""

    def __bool__(self) -> bool:
        return bool(self.user or self.team or self.name)

    def __str__(self) -> str:
        said = [str(self.user) if self.user else self.name, str(self.team) if self.team else ""]
        return ", ".join(filter(None, said))

    @property
    def is_known(self) -> bool:
        """Whether it is on somebody's own list."""
        return self.user is not None or self.team is not None


def owner_named(words: str, site: Site) -> tuple[Owner, tuple[str, ...]]:
    """Who is meant by a name, the name of a team, or both ("Sam Okafor, Therapies"); as said where
    nobody of that name is known, and what could not be told in words for whoever said it."""
    plain = plain_words(words).strip(" ,;")
    if not plain:
        return Owner(), ()
    owner, several = known(plain, site)
    if owner:
        return owner, ()
    parts = [part for part in _APART.split(plain) if part]
    if len(parts) == 2:
        both = [known(part, site)[0] for part in parts]
        user = next((one.user for one in both if one.user), None)
        team = next((one.team for one in both if one.team), None)
        if user and team:
            return Owner(user, team), ()
    name = plain[:100]
    if several:
        told = _("More than one person here is called %(name)s (%(who)s); it stays a name.")
        return Owner(name=name), (told % {"name": name, "who": ", ".join(several)},)
    doubt = _("Nobody here is called “%(name)s”: it stays a name, on nobody's own list.") % {
        "name": name
    }
    near = _near(plain, site)
    if near:
        doubt += " " + _("Did you mean %(near)s?") % {"near": _(" or ").join(near)}
    return Owner(name=name), (doubt,)


def known(words: str, site: Site, *, whole: bool = False) -> tuple[Owner, Sequence[str]]:
    """The one person or team that the words mean, and where they mean several people these.
    `whole`: only by a name as it is, not by a part of one."""
    plain = _ARTICLE.sub("", words).strip(" .")
    plain = _TITLE.sub("", plain).strip(" .")
    if not plain:
        return Owner(), ()
    teams = _teams(plain, site, whole=whole)
    if len(teams) == 1:
        return Owner(team=teams[0]), ()
    people = _people(plain, site)
    if len(people) == 1:
        return Owner(user=people[0]), ()
    return Owner(), [str(one) for one in people] or [str(one) for one in teams]


def _teams(words: str, site: Site, *, whole: bool) -> Sequence[Team]:
    """The teams of that name, kind or code; else those in whose name the words stand, or which
    begin so. The site's own before any of the care system."""
    rows = list(Team.objects.select_related("organisation").order_by("name")[:1000])
    says = {words.lower(), _TEAM.sub("", words).lower()}

    def exact(team: Team) -> bool:
        called = {team.name, team.code, team.kind.replace("_", " "), _TEAM.sub("", team.name)}
        return not says.isdisjoint(one.lower() for one in called if one)

    def holds(team: Team) -> bool:
        name, part = team.name.lower(), min(says, key=len)
        stands = re.search(rf"\b{re.escape(part)}\b", name) is not None
        return len(part) >= _FEWEST and (stands or name.startswith(part))

    for fits in (exact,) if whole else (exact, holds):
        found = [team for team in rows if fits(team)]
        if found:
            own = [team for team in found if team.organisation_id == site.organisation_id]
            return own or found
    return []


def _people(words: str, site: Site) -> Sequence[User]:
    """Those of that name, with first name or initial, surname alone, or sign-in name."""
    fits = Q(whole=words.lower()) | Q(username__iexact=words)
    fits |= Q(first_name__iexact=words) | Q(last_name__iexact=words)
    first, _space, last = words.partition(" ")
    initial = first.rstrip(".")
    if last and len(initial) == 1:
        fits |= Q(first_name__istartswith=initial, last_name__iexact=last)
    elif last and len(last.rstrip(".")) == 1:
        fits |= Q(first_name__iexact=first, last_name__istartswith=last.rstrip("."))
    return list(_reaching(site).filter(fits).order_by("pk")[:4])


def _reaching(site: Site) -> QuerySet[User]:
    """Those who have a role that reaches the site, with their `whole` name in small letters."""
    above = bodies_over(site.organisation)
    reaches = (
        Q(grants__everywhere=True)
        | Q(grants__site=site)
        | Q(grants__ward__site=site)
        | Q(grants__organisation__in=above)
        | Q(grants__team__organisation__in=above)
    )
    whole = Lower(Concat(F("first_name"), Value(" "), F("last_name")))
    return User.objects.annotate(whole=whole).filter(reaches, is_active=True).distinct()


def bodies_over(organisation: Organisation) -> list[int]:
    """The keys of the organisation and of all above it; the tree is small and read as a whole."""
    parents = dict(Organisation.objects.values_list("pk", "parent_id"))
    found: list[int] = []
    here: int | None = organisation.pk
    while here is not None and here not in found:
        found.append(here)
        here = parents.get(here)
    return found


def _near(words: str, site: Site) -> Sequence[str]:
    """At most three whose names are written much alike."""
    plain = _TITLE.sub("", words).lower()
    called: dict[str, str] = {}
    for first, last in _reaching(site).values_list("first_name", "last_name")[:_MOST_NAMES]:
        name = f"{first} {last}".strip()
        for one in (name, first, last):
            called.setdefault(one.lower(), name)
    for team in Team.objects.values_list("name", flat=True)[:1000]:
        called.setdefault(team.lower(), team)
    called.pop("", None)
    found = get_close_matches(plain, called, n=3, cutoff=_LIKE)
    return list(dict.fromkeys(called[one] for one in found))
