"""The beds for one request, best first, each with what speaks for and against it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from flow.board_types import Place
from flow.desk.types import Need
from flow.forecasts.clock import moment_of
from flow.forecasts.horizon import Horizon
from flow.forecasts.issued import latest
from wards.matching import Soon, setting_at
from wards.models import Bay, Bed, BedRequest, Occupancy, Site, Ward
from wards.needing import needs_of
from wards.placing import terms_by_episode
from wards.rule_books import FACTS, Stored, book_of_site
from wards.suitability.facts import BedState
from wards.suitability.facts import Needs as Facts
from wards.suitability.judging import Judgement, best
from wards.suitability.rulebook import RuleBook
from wards.suitability.setting import Setting

SOON: Final = timedelta(hours=12)
"""How far ahead a bed that will come free is offered."""
LIKELY: Final = 0.5
"""The chance to have left from which a bed counts as one that comes free."""
_NO_BEDS: Final = (Ward.Kind.UNRECOGNISED, Ward.Kind.THEATRE, Ward.Kind.CLINIC)


@dataclass(frozen=True, slots=True)
class Match:
    """One bed. bay: as people call it, "" where it is in none. state: a `BedState`. ready_at: when
    it can be used, as far as known; chance: that it is free by then."""

    bed: int
    label: str
    ward: Place
    bay: str
    state: BedState
    ready_at: datetime | None
    chance: float
    judged: Judgement


@dataclass(frozen=True, slots=True)
class Matches:
    """The beds of a site for one request. stored: the rules they were judged by; None where the
    site has none yet, so that facts alone count."""

    moment: datetime
    suitable: Sequence[Match]
    refused: Sequence[Match]
    stored: Stored | None
    book: RuleBook


def matches(
    need: Need, *, at: datetime, site: Site, wards: Collection[int] | None = None
) -> Matches:
    """Every bed of the site for this request, best first; a fixed number of queries.

    `wards`: those whose beds the viewer may see; None for all.
    """
    scene = scene_of(site, at=at, wards=wards)
    request = BedRequest.objects.select_related("ward").get(pk=need.id)
    person = needs_of(
        [need.episode],
        at=at,
        requests={need.episode: request},
        terms=terms_by_episode([request]),
    )[need.episode]
    return scene.matches(person)


@dataclass(frozen=True, slots=True)
class Scene:
    """The beds of a site at a moment, and the rules in force there."""

    setting: Setting
    stored: Stored | None
    book: RuleBook
    places: Mapping[int, Place]
    bays: Mapping[int, str]

    def matches(self, person: Facts) -> Matches:
        """Every bed for this person, best first."""
        # A bed in which they lie, or that is held for them, is no news.
        found = [self.as_match(one) for one in best(person, self.setting, self.book)]
        found = [one for one in found if not self._is_theirs(one.bed, person)]
        return Matches(
            moment=self.setting.at,
            suitable=[one for one in found if one.judged.suitable],
            refused=[one for one in found if not one.judged.suitable],
            stored=self.stored,
            book=self.book,
        )

    def as_match(self, judged: Judgement) -> Match:
        """A judgement with the names of the bed."""
        bed = self.setting.beds[judged.bed]
        return Match(
            bed=bed.key,
            label=bed.label,
            ward=self.places[bed.ward],
            bay=self.bays.get(bed.bay, "") if bed.bay is not None else "",
            state=BedState(bed.state),
            ready_at=bed.ready_at,
            chance=bed.chance,
            judged=judged,
        )

    def _is_theirs(self, bed: int, person: Facts) -> bool:
        inside = self.setting.patients.get(bed)
        return inside is not None and inside.key == person.key


def scene_of(site: Site, *, at: datetime, wards: Collection[int] | None = None) -> Scene:
    """The beds of a site, with when those in them are likely to leave."""
    rows = Ward.objects.filter(site=site, same_as=None).exclude(kind__in=_NO_BEDS)
    if wards is not None:
        rows = rows.filter(pk__in=wards)
    places = {ward.pk: Place(ward.pk, ward.code, ward.name, site.code, ward.kind) for ward in rows}
    stored = book_of_site(site.pk, at=at)
    return Scene(
        setting=setting_at(at=at, wards=list(places), soon=leaving_soon(site, at=at)),
        stored=stored,
        book=stored.book if stored is not None else FACTS,
        places=places,
        bays={bay.pk: str(bay) for bay in Bay.objects.filter(ward__in=list(places))},
    )


def leaving_soon_from(bed: Bed, *, at: datetime) -> dict[int, Soon]:
    """The same of the site of one bed; nothing where nobody lies in that."""
    if not Occupancy.objects.filter(bed=bed, period__contains=at).exists():
        return {}
    return leaving_soon(bed.ward.site, at=at)


def leaving_soon(site: Site, *, at: datetime) -> dict[int, Soon]:
    """By bed, when whoever is in it has probably left: the first full hour of the last forecast at
    which that is at least as likely as not; three queries at most."""
    kept = latest(site.pk, by=at)
    if kept is None:
        return {}
    ends = [moment_of(end) for end in Horizon(kept.issued.at).ends]
    inside = Occupancy.objects.filter(
        ward__site=site, bed__isnull=False, period__contains=at
    ).values_list("bed_id", "episode_id")
    found = {}
    for bed, episode in inside:
        number = kept.patients.place(episode)
        if number is None:
            continue
        chances = np.asarray(kept.patients.hours[number])
        reached = np.flatnonzero(chances >= LIKELY)
        if not reached.size:
            continue
        hour = int(reached[0])
        if ends[hour] <= at + SOON:
            found[bed] = Soon(max(ends[hour], at), float(chances[hour]))
    return found
