"""The places that a file of stays names: found by their codes, and made where they are not known.

Unlike a ward that a feed names in passing, a ward with months of patients in it is a real one: it
is made as an inpatient ward, so that whoever is on it counts as in hospital.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import transaction

from accounts.access import access_changed
from accounts.models import Organisation
from accounts.refusals import Refused
from wards.dirty import mark_dirty
from wards.facts import Place
from wards.models import Site, Ward
from wards.provenance import name_the_source
from wards.stay_episodes import Spell
from wards.stay_facts import SOURCE, Meanings

NOBODY: Final = "IMPORTED"
"""Code of the organisation that new sites belong to unless somebody says whose they are."""
MOST_SITES: Final = 50
MOST_WARDS: Final = 500
"""More new places than these come from a wrong column rather than from a hospital."""
_FIRST: Final = 50
"""From so many of its first stays a new ward has its specialty: what comes later changes nothing
of what the past was known as."""
_LONGEST: Final = 100  # characters of an authority
_LAST: Final = 999  # position: after every place that somebody put in its order

Codes = tuple[str, str]
"""Site and ward, as a file writes them."""
Said = tuple[datetime, str]
"""A specialty that the row of a stay says, and when that began."""


@dataclass(slots=True)
class Places:
    """The places of a file: what its codes mean; the codes of those that are new, and of those
    that somebody has yet to recognise."""

    meanings: Meanings
    new_sites: list[str] = field(default_factory=list)
    new_wards: list[str] = field(default_factory=list)
    unrecognised: list[str] = field(default_factory=list)


@transaction.atomic
def places_of(
    spells: Iterable[Spell], *, organisation: str = "", authority: str = "", make: bool
) -> Places:
    """The places that these episodes name; with `make`, those not known are made.

    organisation: code of whose new sites are; empty for nobody in particular. authority: whose
    the numbers of episodes and patients are; empty for each site's own. Raises Refused for an
    organisation that is not known, and for more new places than a hospital has.
    """
    specialties: dict[Codes, list[Said]] = {}
    for spell in spells:
        for row in spell.rows:
            said = specialties.setdefault((row.site, row.ward), [])
            if row.specialty:
                said.append((row.start, row.specialty))
    if len(authority) > _LONGEST:
        raise Refused(f"The authority has more than {_LONGEST} characters. Give a shorter one.")
    owner = _owner(organisation)
    sites = _sites({site for site, _ in specialties})
    wards = _wards(specialties, sites)
    new_sites = {site.code: site for site in sites.values() if not site.pk}
    new_wards = {_name(ward): ward for ward in wards.values() if not ward.pk}
    _check_few(len(new_sites), len(new_wards))
    if make and (new_sites or new_wards):
        _make(owner, list(new_sites.values()), list(new_wards.values()))
    return Places(
        meanings=Meanings(
            wards={codes: Place(ward.same_as_id or ward.pk or 0) for codes, ward in wards.items()},
            authorities={
                written: authority or f"{SOURCE} {site.code}" for written, site in sites.items()
            },
        ),
        new_sites=sorted(new_sites),
        new_wards=sorted(new_wards),
        unrecognised=sorted(
            {_name(w) for w in wards.values() if not w.is_recognised and w.same_as_id is None}
        ),
    )


def _owner(code: str) -> Organisation:
    """Whose new sites are; not stored yet where it is the one made for them."""
    found = Organisation.objects.filter(code=code or NOBODY).first()
    if found is None and code:
        raise Refused(f"There is no organisation {code}. Load the places first, or leave it out.")
    return found or Organisation(code=NOBODY, name="Imported stays")


def _sites(written: Iterable[str]) -> dict[str, Site]:
    """The site of each code as written, whatever its case; a new one has no key yet."""
    stored = list(Site.objects.order_by("pk"))
    known = {site.code.casefold(): site for site in stored} | {site.code: site for site in stored}
    found: dict[str, Site] = {}
    for code in sorted(written):
        site = known.get(code) or known.get(code.casefold())
        if site is None:
            site = Site(code=code, name=code, kind=Site.Kind.ACUTE, position=_LAST)
            known[code.casefold()] = site
        found[code] = site
    return found


def _wards(
    specialties: Mapping[Codes, Sequence[Said]], sites: Mapping[str, Site]
) -> dict[Codes, Ward]:
    """The ward of each pair of codes as written, whatever its case and with or without the code
    of the site in front, as feeds are understood; a new one has no key yet."""
    stored = list(
        Ward.objects.filter(site__in=[site.pk for site in sites.values() if site.pk])
        .select_related("site")
        .order_by("pk")
    )
    known: dict[Codes, Ward] = {}
    for ward in stored:
        site, code = ward.site.code, ward.code.casefold()
        known[site, code.removeprefix(f"{site.casefold()}-")] = ward
    known |= {(ward.site.code, ward.code.casefold()): ward for ward in stored}
    known |= {(ward.site.code, ward.code): ward for ward in stored}
    found: dict[Codes, Ward] = {}
    said: dict[str, list[Said]] = defaultdict(list)
    for written in sorted(specialties):
        lies_at, code = sites[written[0]], written[1]
        one = known.get((lies_at.code, code)) or known.get((lies_at.code, code.casefold()))
        if one is None:
            one = Ward(site=lies_at, code=code, name=code, position=_LAST)
            known[lies_at.code, code.casefold()] = one
        found[written] = one
        if not one.pk:
            said[_name(one)] += specialties[written]
            one.specialty = _commonest(said[_name(one)])
    return found


def _commonest(said: Iterable[Said]) -> str:
    """The specialty of most of the first stays of which any is said."""
    votes = Counter(specialty for _, specialty in heapq.nsmallest(_FIRST, said))
    return max(votes, key=lambda one: (votes[one], one), default="")


def _name(ward: Ward) -> str:
    return f"{ward.site.code} {ward.code}"


def _check_few(sites: int, wards: int) -> None:
    """Refuse to make what no hospital has."""
    if sites > MOST_SITES or wards > MOST_WARDS:
        raise Refused(
            f"The file names {sites} sites and {wards} wards that are not known; no more than "
            f"{MOST_SITES} and {MOST_WARDS} are made. Look whether other things stand in the "
            "columns site and ward; if they are right, load them with load_places first."
        )


def _make(owner: Organisation, sites: Sequence[Site], wards: Sequence[Ward]) -> None:
    name_the_source(SOURCE, None)
    if sites and not owner.pk:
        owner.save()
    for site in sites:
        site.organisation = owner
    Site.objects.bulk_create(sites)
    for ward in wards:
        ward.site_id = ward.site.pk
    Ward.objects.bulk_create(wards)
    mark_dirty(ward.pk for ward in wards)
    access_changed()
