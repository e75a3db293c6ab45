"""From the codes of a feed to places: by mapping, by name, or newly made as not recognised.

The result depends on the feed and the codes alone, never on what was said before.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection
from django.db.models import Q

from accounts.models import Organisation
from interop.feeds import Known
from interop.hl7v2.places import Location
from interop.models import LocationCode
from wards.facts import Place
from wards.models import Bed, Site, Ward
from wards.unrecognised import Named, places_for, site_for

_FRESH: Final = 30.0  # seconds for which a place is remembered
_LONGEST: Final = 100  # characters of a code that a ward, bay or bed can hold
_LONGEST_SITE: Final = 40
NO_WARD: Final = "unknown"
"""Code of the ward of those whose place names neither ward nor facility."""


class Places:
    """What each feed's codes stand for, remembered by this process.

    What a transaction found counts only once it is committed: call `keep` then, `drop` when it
    was rolled back.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, Location], Place] = {}
        self._found: dict[tuple[int, Location], Place] = {}
        self._seen: Counter[tuple[int, Location]] = Counter()
        self._seen_kept: Counter[tuple[int, Location]] = Counter()
        self._read_at = time.monotonic()

    def forget(self) -> None:
        """Ask the database again for everything."""
        self._known.clear()
        self._found.clear()
        self._seen.clear()

    def keep(self) -> None:
        """The transaction is committed."""
        self._known.update(self._found)
        self._seen_kept.update(self._seen)
        self._found.clear()
        self._seen.clear()

    def drop(self) -> None:
        """The transaction was rolled back: what it found may not exist."""
        self._found.clear()
        self._seen.clear()

    def of(self, feed: Known, said: Iterable[Location]) -> dict[Location, Place]:
        """The place of each location, made where nothing is known of it. Inside a transaction."""
        if time.monotonic() - self._read_at > _FRESH:
            self._known.clear()
            self._read_at = time.monotonic()
        counted = Counter(said)
        places: dict[Location, Place] = {}
        for location, times in counted.items():
            self._seen[(feed.id, location)] += times
            known = self._known.get((feed.id, location)) or self._found.get((feed.id, location))
            if known is not None:
                places[location] = known
        missing = sorted(counted.keys() - places.keys())
        if missing:
            found = _resolve(feed, missing)
            self._found.update({(feed.id, location): place for location, place in found.items()})
            places.update(found)
        return places

    def note_seen(self, *, at: datetime) -> None:
        """Write how often each code was seen since the last time; in key order, no deadlock."""
        seen, self._seen_kept = self._seen_kept, Counter()
        if not seen:
            return
        rows = sorted(seen.items())
        columns = (
            [feed for (feed, _), _ in rows],
            *(
                [getattr(_fitting(where), part) for (_, where), _ in rows]
                for part in ("facility", "point_of_care", "room", "bed")
            ),
            [times for _, times in rows],
        )
        with connection.cursor() as cursor:
            cursor.execute(_SEEN, [*columns, at])


_SEEN: Final = """
    WITH seen AS (
        SELECT code.id, news.times
          FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::int[])
               AS news(feed_id, facility, point_of_care, room, bed_code, times)
          JOIN interop_locationcode code USING (feed_id, facility, point_of_care, room, bed_code)
         ORDER BY code.id FOR NO KEY UPDATE OF code)
    UPDATE interop_locationcode code
       SET seen = code.seen + seen.times, last_seen_at = %s
      FROM seen WHERE seen.id = code.id
"""


def _resolve(feed: Known, said: Collection[Location]) -> dict[Location, Place]:
    """Look up the mapping; match or make what is not in it, and add it there."""
    kept = {location: _fitting(location) for location in said}
    mapped = _mapped(feed, set(kept.values()))
    missing = sorted(set(kept.values()) - mapped.keys())
    if missing:
        names = _Matcher(feed, missing).named()
        made = places_for({n for n in names.values() if isinstance(n, Named)}, source=feed.code)
        fresh = {w: made[n] if isinstance(n, Named) else n for w, n in names.items()}
        LocationCode.objects.bulk_create(
            [
                LocationCode(
                    feed_id=feed.id,
                    facility=where.facility,
                    point_of_care=where.point_of_care,
                    room=where.room,
                    bed_code=where.bed,
                    ward_id=place.ward,
                    bay_id=place.bay,
                    bed_id=place.bed,
                )
                for where, place in sorted(fresh.items(), key=lambda item: item[0])
            ],
            ignore_conflicts=True,
        )
        mapped.update(fresh)
    return {location: mapped[fitted] for location, fitted in kept.items()}


def _mapped(feed: Known, said: Collection[Location]) -> dict[Location, Place]:
    rows = LocationCode.objects.filter(
        feed=feed.id,
        point_of_care__in={where.point_of_care for where in said},
        facility__in={where.facility for where in said},
    ).values_list("facility", "point_of_care", "room", "bed_code", "ward", "bay", "bed")
    return {Location(*row[:4]): Place(*row[4:]) for row in rows}


def _fitting(where: Location) -> Location:
    """The location with codes that the columns can hold; longer ones end in a stamp."""
    parts = (where.facility, where.point_of_care, where.room, where.bed)
    if all(len(part) <= _LONGEST for part in parts):
        return where
    return Location(*(_short(part, _LONGEST) for part in parts))


def _short(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    return f"{text[: longest - 9]}~{hashlib.sha256(text.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class _Bed:
    id: int
    bay: int | None
    bay_code: str
    label: str


class _Matcher:
    """Finds recognised places by the codes of the feed, and says what to make of the rest."""

    def __init__(self, feed: Known, said: Collection[Location]) -> None:
        self.feed = feed
        self.said = said
        self._sites = self._sites_in_reach()
        self._by_facility = {f: self._site_of(f) for f in {w.facility for w in said}}
        self._wards = self._wards_in_reach()
        self._aliases = self._aliases_in_reach()
        found = {where: self._ward(where) for where in said}
        self._found = {where: ward for where, ward in found.items() if ward is not None}
        self._beds = self._beds_of(set(self._found.values()))

    def named(self) -> dict[Location, Named | Place]:
        """A place for what is known; a name to make one from for what is not."""
        return {where: self._place(where) for where in self.said}

    def _place(self, where: Location) -> Named | Place:
        ward = self._found.get(where)
        if ward is None:
            return Named(
                site=self._site_for(where), code=_ward_code(where), bay=where.room, bed=where.bed
            )
        beds = self._beds[ward]
        room, label = where.room.casefold(), where.bed.casefold()
        in_bay = [bed for bed in beds if room and bed.bay_code.casefold() == room]
        if not label:
            return Place(ward, in_bay[0].bay if in_bay else None)
        alike = [bed for bed in in_bay if bed.label.casefold() == label]
        if not alike and not in_bay:  # the room is not known; the label may be enough
            alike = [bed for bed in beds if bed.label.casefold() == label]
        if len(alike) == 1:
            return Place(ward, alike[0].bay, alike[0].id)
        bay = in_bay[0].bay_code if in_bay else where.room
        return Named(ward=ward, bay=bay, bed=where.bed)

    def _sites_in_reach(self) -> dict[int, tuple[str, str]]:
        """The sites of the feed's provider and all below it, with codes and names."""
        reach = Q(pk=self.feed.default_site) if self.feed.default_site else Q(pk__in=[])
        if self.feed.organisation is not None:
            reach |= Q(organisation__in=_below(self.feed.organisation))
        elif not self.feed.default_site:
            # Nobody said whose feed this is: only a site that the message names itself counts.
            facilities = {where.facility for where in self.said if where.facility}
            reach = Q()
            for facility in facilities:
                reach |= Q(code__iexact=facility) | Q(name__iexact=facility)
            reach = reach or Q(pk__in=[])
        rows = Site.objects.filter(reach).exclude(kind=Site.Kind.UNRECOGNISED)
        return {pk: (code, name) for pk, code, name in rows.values_list("pk", "code", "name")}

    def _site_of(self, facility: str) -> int | None:
        said = facility.casefold()
        named = [
            pk
            for pk, (code, name) in sorted(self._sites.items())
            if said and said in (code.casefold(), name.casefold())
        ]
        return named[0] if named else None

    def _wards_in_reach(self) -> dict[tuple[int, str], int]:
        """Recognised wards by site and lower-case code, with and without the site's own code.

        A ward that was recognised as another name gives the ward it stands for.
        """
        found: dict[tuple[int, str], int] = {}
        rows = Ward.objects.filter(
            Q(site__in=list(self._sites)) & (~Q(kind=Ward.Kind.UNRECOGNISED))
            | Q(site__in=list(self._sites), same_as__isnull=False)
        )
        for pk, site, code, same_as in rows.values_list("pk", "site", "code", "same_as"):
            found[(site, code.casefold())] = same_as or pk
        self._whole = frozenset(found)
        for (site, code), pk in list(found.items()):
            prefix = self._sites[site][0].casefold() + "-"
            found.setdefault((site, code.removeprefix(prefix)), pk)
        return found

    def _aliases_in_reach(self) -> dict[tuple[str, str], int]:
        """Wards of this feed's own sites that were recognised as another name of a ward."""
        rows = Ward.objects.filter(
            same_as__isnull=False,
            site__code__in={self._site_code(where) for where in self.said},
            code__in={_ward_code(where) for where in self.said},
        )
        return {
            (site, code): same_as
            for site, code, same_as in rows.values_list("site__code", "code", "same_as")
            if same_as is not None
        }

    def _ward(self, where: Location) -> int | None:
        alias = self._aliases.get((self._site_code(where), _ward_code(where)))
        if alias is not None:
            return alias
        code = where.point_of_care.casefold()
        site = self._by_facility[where.facility]
        if site is not None or not code:
            return self._wards.get((site or 0, code)) if code else None
        # A facility that is not known may be another hospital with wards of its own: then only
        # a whole code counts, not one to which the site's code was added.
        keys = [(s, code) for s in self._sites if not where.facility or (s, code) in self._whole]
        found = {key[0]: self._wards[key] for key in keys if key in self._wards}
        if self.feed.default_site in found:
            return found[self.feed.default_site]
        return next(iter(found.values())) if len(found) == 1 else None

    def _beds_of(self, wards: set[int]) -> Mapping[int, list[_Bed]]:
        beds: dict[int, list[_Bed]] = defaultdict(list)
        rows = Bed.objects.filter(ward__in=wards, same_as=None).order_by("position", "pk")
        for pk, ward, bay, bay_code, label in rows.values_list(
            "pk", "ward", "bay", "bay__code", "label"
        ):
            beds[ward].append(_Bed(pk, bay, bay_code or "", label))
        return beds

    def _site_for(self, where: Location) -> int:
        """Where a ward that is not known lies: at the site named, else at one of its own."""
        site = self._by_facility[where.facility]
        if site is not None:
            return site
        if not where.facility and self.feed.default_site is not None:
            return self.feed.default_site
        return site_for(
            code=self._site_code(where),
            name=where.facility or self.feed.name,
            organisation=self.feed.organisation,
            source=self.feed.code,
        )

    def _site_code(self, where: Location) -> str:
        """The code of the feed's own site for a facility; without marks that end an address."""
        code = f"{self.feed.code}:{where.facility}" if where.facility else self.feed.code
        plain = re.sub(r"[^\w .:&'()-]+", "-", code)
        if plain == code and len(code) <= _LONGEST_SITE:
            return code
        stamp = hashlib.sha256(code.encode()).hexdigest()[:8]
        return f"{plain[: _LONGEST_SITE - 9]}~{stamp}"


def _ward_code(where: Location) -> str:
    """The code of a ward that only the feed knows; no part of it may lead an address elsewhere."""
    code = where.point_of_care or where.facility or NO_WARD
    return "/".join(
        part.replace(".", "·") if part in (".", "..") else part for part in code.split("/")
    )


def _below(organisation: int) -> set[int]:
    """The organisation and all below it in the tree."""
    children: dict[int | None, list[int]] = defaultdict(list)
    for pk, parent in Organisation.objects.values_list("pk", "parent"):
        children[parent].append(pk)
    found, waiting = {organisation}, [organisation]
    while waiting:
        fresh = [child for child in children[waiting.pop()] if child not in found]
        found.update(fresh)
        waiting.extend(fresh)
    return found
