"""Stays of which no ward has been told: to which part of the system they belong.

A feed may say that somebody is in hospital and not where. They are on no ward's board, so
whoever looks after the site or the organisation that tells of them has to see them.

The feeds lie above this package, so whoever knows them registers when the program starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from patients.models import Episode
from wards.models import Movement, Occupancy, Site
from wards.provenance import BY_HAND


@dataclass(frozen=True, slots=True)
class Source:
    """Who tells us of movements. name: as people call it. organisation, site: of which, as
    primary keys; None where that is not known."""

    name: str
    organisation: int | None = None
    site: int | None = None


@dataclass(frozen=True, slots=True)
class Home:
    """The part of the system to which a stay without a ward belongs, as primary keys.

    site: where that is known, then `organisation` runs it. organisation: None where it is not
    known, then the stay belongs to the whole system.
    """

    organisation: int | None = None
    site: int | None = None


UNKNOWN = Home()
Teller = Callable[[], Mapping[str, Source]]
"""Gives every source by its code; one query."""

_tellers: list[Teller] = []


def register(teller: Teller) -> None:
    """Ask `teller` from now on, instead of any other; called while the program starts."""
    _tellers[:] = [teller]


@dataclass(frozen=True, slots=True)
class Homes:
    """Where stays without a ward belong: by the organisation that runs the stay, else by the
    source that told of it, else by the authority that numbered the patient."""

    sources: Mapping[str, Source] = field(default_factory=dict)
    by_organisation: Mapping[int, Home] = field(default_factory=dict)
    by_source: Mapping[str, Home] = field(default_factory=dict)
    by_authority: Mapping[str, Home] = field(default_factory=dict)
    site_names: Mapping[int, str] = field(default_factory=dict)
    organisation_names: Mapping[int, str] = field(default_factory=dict)

    def of(self, *, provider: int | None, source: str, authority: str) -> Home:
        """The home of one stay. provider: as `Episode.provider`. source: of its last movement
        that was not made by hand. authority: of the patient's record."""
        if provider is not None:
            return self.by_organisation.get(provider, Home(provider))
        return self.by_source.get(source) or self.by_authority.get(authority, UNKNOWN)

    def words(self, home: Home) -> str:
        """The name of the site or organisation; empty for the whole system."""
        if home.site is not None:
            return self.site_names.get(home.site, "")
        return self.organisation_names.get(home.organisation or 0, "")

    def name_of(self, source: str) -> str:
        """What people call a source."""
        known = self.sources.get(source)
        return known.name if known else source


def homes() -> Homes:
    """Where stays without a ward belong, as things are set up now; two queries.

    An organisation with one site is that site; of one with several, only the source can say.
    """
    sources = _tellers[0]() if _tellers else {}
    rows = list(
        Site.objects.exclude(kind=Site.Kind.UNRECOGNISED)
        .select_related("organisation")
        .order_by("pk")
    )
    owner = {site.pk: site.organisation_id for site in rows}
    sites: dict[int, list[int]] = {}
    for site in rows:
        sites.setdefault(site.organisation_id, []).append(site.pk)
    by_organisation = {
        body: Home(body, theirs[0] if len(theirs) == 1 else None) for body, theirs in sites.items()
    }
    by_source = {}
    for code, source in sources.items():
        if source.site is not None and source.site in owner:
            by_source[code] = Home(owner[source.site], source.site)
        elif source.organisation is not None:
            by_source[code] = by_organisation.get(source.organisation, Home(source.organisation))
    return Homes(
        sources=sources,
        by_organisation=by_organisation,
        by_source=by_source,
        by_authority={
            site.organisation.code: by_organisation[site.organisation_id] for site in rows
        },
        site_names={site.pk: site.name for site in rows},
        organisation_names={site.organisation_id: site.organisation.name for site in rows},
    )


def _told(visit: int | OuterRef) -> QuerySet[Movement]:
    """What was said of a visit and not by hand, the latest first."""
    told = Movement.objects.filter(visit=visit).exclude(source=BY_HAND)
    return told.order_by("-occurred_at", "-sent_at", "-pk")


def with_source(episodes: QuerySet[Episode]) -> QuerySet[Episode]:
    """The episodes with `told_by`: the source of the last movement that was not made by hand, ""
    where there is none."""
    told = Subquery(_told(OuterRef("visit")).values("source")[:1])
    return episodes.alias(told_by=Coalesce(told, Value("")))


def of_no_ward(seen: Callable[[Home], bool]) -> Q:
    """Episodes without any occupancy whose home is one of those `seen`; two queries now, none
    later. The query set must come from `with_source`."""
    known = homes()
    bodies = [body for body, home in known.by_organisation.items() if seen(home)]
    sources = [source for source, home in known.by_source.items() if seen(home)]
    authorities = [code for code, home in known.by_authority.items() if seen(home)]
    by_number = Q(patient__authority__in=authorities) & ~Q(told_by__in=list(known.by_source))
    theirs = Q(provider__in=bodies) | Q(provider=None) & (Q(told_by__in=sources) | by_number)
    return ~Exists(Occupancy.objects.filter(episode=OuterRef("pk"))) & theirs


def home_of(episode: Episode) -> tuple[Home, str]:
    """The home of one stay, and what people call the source that told of it; three queries."""
    known = homes()
    source = _told(episode.visit_id).values_list("source", flat=True).first() or ""
    home = known.of(
        provider=episode.provider_id, source=source, authority=episode.patient.authority
    )
    return home, known.name_of(source)
