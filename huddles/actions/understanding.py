"""Whom and what the words of a line mean at a site: its people, teams, beds and who is in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import F, Q, Value
from django.db.models.functions import Concat, Lower
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Organisation, Team, User
from huddles.actions.one_line import Line, read
from wards.models import Bed, Occupancy, Site, Ward


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


@dataclass(frozen=True, slots=True)
class Draft:
    """What a line was understood to say.

    episode: key of the stay of whoever is in the bed named. doubts: what could not be told, in
    words for whoever typed it; what is in doubt is left out, never guessed.
    """

    text: str
    owner: Owner
    due_at: datetime | None
    ward: Ward | None = None
    bed: Bed | None = None
    episode: int | None = None
    doubts: tuple[str, ...] = ()


def understood(line: str, *, site: Site, at: datetime, ward: Ward | None = None) -> Draft:
    """What `line` says at a site; `ward`: the one that is spoken of, whose beds are meant where no
    other is named. At most six queries."""
    said = read(line, now=timezone.localtime(at))
    owner, doubts = _owner(said, site)
    named = _ward_named(said, site) or ward
    beds = _beds(said.bed, site, named) if said.bed else []
    bed = beds[0] if len(beds) == 1 else None
    if said.bed and bed is None:
        doubts += (_no_bed(said.bed, beds),)
    episode = None
    if bed is not None:
        inside = Occupancy.objects.filter(bed=bed, period__contains=at)
        episode = inside.values_list("episode_id", flat=True).first()
    where = bed.ward if bed is not None else named
    return Draft(said.text, owner, said.due_at, where, bed, episode, doubts)


def owner_named(words: str, site: Site) -> tuple[Owner, tuple[str, ...]]:
    """Who is meant by a name or the name of a team; as said where nobody of that name is known."""
    plain = " ".join(words.split())
    if not plain:
        return Owner(), ()
    teams = _teams(plain, site)
    if len(teams) == 1:
        return Owner(team=teams[0]), ()
    people = _people(plain, site)
    if len(people) == 1:
        return Owner(user=people[0]), ()
    doubts: tuple[str, ...] = ()
    if len(people) > 1:
        told = _("More than one person here is called %(name)s; it stays a name.")
        doubts = (told % {"name": plain},)
    return Owner(name=plain[:100]), doubts


def _owner(said: Line, site: Site) -> tuple[Owner, tuple[str, ...]]:
    """Who was named at the end, with the team of "therapy to …"; alone, the latter does it."""
    named, doubts = owner_named(said.owner, site)
    if said.doer:
        by_sentence, _doubts = owner_named(said.doer, site)
        if named and named.team is None:
            named = replace(named, team=by_sentence.team)
        elif (not named and not by_sentence.name) or (not named and _is_a_name(said.doer)):
            named = by_sentence
    return named, doubts


def _is_a_name(words: str) -> bool:
    """Whether "Sam to …" begins with somebody's name and not with what is to be done."""
    parts = words.split()
    return len(parts) <= 2 and all(re.fullmatch(r"[A-Z][\w'.-]*", part) for part in parts)


def _teams(words: str, site: Site) -> Sequence[Team]:
    """The teams of that name, kind or code: the site's own, else any of the care system."""
    fits = Q(name__iexact=words) | Q(code__iexact=words) | Q(kind__iexact=words.replace(" ", "_"))
    found = list(Team.objects.filter(fits).select_related("organisation")[:20])
    if not found:
        begins = Team.objects.filter(name__istartswith=words).select_related("organisation")
        found = list(begins[:20]) if len(words) > 2 else []
    own = [team for team in found if team.organisation_id == site.organisation_id]
    return own or found


def _people(words: str, site: Site) -> Sequence[User]:
    """Those of that name, first name or sign-in name who have a role that reaches the site."""
    name = words.lower()
    whole = Lower(Concat(F("first_name"), Value(" "), F("last_name")))
    fits = Q(whole=name) | Q(first_name__iexact=words) | Q(username__iexact=words)
    reaches = (
        Q(grants__everywhere=True)
        | Q(grants__site=site)
        | Q(grants__ward__site=site)
        | Q(grants__organisation__in=_above(site.organisation))
        | Q(grants__team__organisation__in=_above(site.organisation))
    )
    found = User.objects.annotate(whole=whole).filter(fits, is_active=True).filter(reaches)
    return list(found.distinct().order_by("pk")[:3])


def _above(organisation: Organisation) -> Iterable[int]:
    """The organisation and all above it; the tree is small and read as a whole."""
    parents = dict(Organisation.objects.values_list("pk", "parent_id"))
    found: list[int] = []
    here: int | None = organisation.pk
    while here is not None and here not in found:
        found.append(here)
        here = parents.get(here)
    return found


def _ward_named(said: Line, site: Site) -> Ward | None:
    if not said.ward:
        return None
    wards = Ward.objects.filter(site=site, same_as=None)
    word = said.ward
    exact = wards.filter(
        Q(code__iexact=word)
        | Q(code__iendswith=f"-{word}")
        | Q(code__iendswith=f"-W{word}")
        | Q(name__iexact=f"ward {word}")
        | Q(name__iexact=word)
    )
    found = list(exact[:2])
    return found[0] if len(found) == 1 else None


def _beds(label: str, site: Site, ward: Ward | None) -> list[Bed]:
    """The beds of that label on the ward spoken of or, where none is, at the site."""
    short = re.sub(r"\D", "", label)
    fits = Q(label__iexact=label)
    if short == label:
        # "bed 12" is the bed that people call so, be its label 12, B12 or W7-12.
        fits |= Q(label__iregex=rf"^[A-Za-z]*\d*[-/ ]?0*{short}$")
    rows = Bed.objects.filter(fits, ward__site=site, same_as=None, ward__same_as=None)
    if ward is not None:
        rows = rows.filter(ward=ward)
    found = list(rows.select_related("ward", "bay").order_by("ward__position", "position")[:9])
    exact = [bed for bed in found if bed.label.lower() == label.lower()]
    return exact or found


def _no_bed(label: str, beds: Sequence[Bed]) -> str:
    if not beds:
        return _("No bed %(label)s was found.") % {"label": label}
    wards = ", ".join(dict.fromkeys(bed.ward.name for bed in beds))
    said = _("Bed %(label)s is on more than one ward (%(wards)s); name the ward.")
    return said % {"label": label, "wards": wards}
