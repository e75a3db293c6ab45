"""The stays that somebody should look at: those of whom nobody has told where they are, and
those of which something told contradicts something else.

They would be on no board otherwise, or lost among the others. Nothing is dismissed here: a stay
goes from the list when the facts are put right, or two days after it has ended.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flow.board_types import Face, Place, Sight
from flow.faces import faces
from flow.figure_types import Checks
from flow.lines import View
from flow.moment import Moment, held, said_by
from flow.reading import read_as
from flow.words import TO_CHECK
from wards.placeless import Home, Homes, homes
from wards.provenance import BY_HAND

LATELY: Final = timedelta(hours=48)
"""For how long after its end a stay can still be on the list."""


@dataclass(frozen=True, slots=True)
class Check:
    """One stay that somebody should look at.

    episode: primary key. flags: what is in doubt (those of `TO_CHECK`); may be empty
    for somebody without a place. noted_at: since when it has been so noted. ward: where they are
    or were last; None where nobody has told. bed: its label, may be empty. part: name of the site
    or organisation. here: whether they are there at the moment. admitted_at, left_at: of the
    stay; `left_at` None while it lasts. source: who told of them, where `ward` is None.
    visit: its number; empty where none is known or the viewer may not see the patient.
    face: None where the viewer may not see the patient.
    """

    episode: int
    flags: tuple[str, ...]
    noted_at: datetime | None
    ward: Place | None
    bed: str
    part: str
    here: bool
    admitted_at: datetime
    left_at: datetime | None
    source: str
    visit: str
    face: Face | None


@dataclass(frozen=True, slots=True)
class ChecksBoard:
    """The stays that somebody should look at, of the whole system or of one site.

    moment, live, known_at: as on the system board. placeless: people in hospital of whom nobody
    has told where, the longest there first. to_check: other stays of which something told
    contradicts something else, in hospital or ended lately, the latest noted first.
    """

    moment: datetime
    live: bool
    known_at: datetime | None
    placeless: tuple[Check, ...]
    to_check: tuple[Check, ...]

    @property
    def counts(self) -> Checks:
        """How many they are."""
        return Checks(len(self.placeless), len(self.to_check))


@dataclass(frozen=True, slots=True)
class _Row:
    """A stay to look at, and its last place; see `Check`. provider to source: see
    `wards.placeless.Homes.of`."""

    episode: int
    patient: int
    person: int
    visit: str
    flags: list[str]
    admitted_at: datetime
    left_at: datetime | None
    placeless: bool
    noted_at: datetime | None
    provider: int | None
    authority: str
    source: str
    ward: int | None
    code: str
    name: str
    kind: str
    site: int | None
    site_code: str
    site_name: str
    bed: str
    here: bool


@dataclass(frozen=True, slots=True)
class _Found:
    """The rows within a viewer's sight, with the homes of those without a ward."""

    rows: list[_Row]
    homes: Homes

    def home(self, row: _Row) -> Home | None:
        """Where a stay belongs of which no ward says so."""
        if row.ward is not None and not row.placeless:
            return None
        return self.homes.of(provider=row.provider, source=row.source, authority=row.authority)


def checks_of(moment: Moment, *, sight: Sight, site: int | None = None) -> Checks:
    """How many stays the viewer should look at, of all or of one site; one query, and two more
    while there is somebody of no ward."""
    rows = _found(moment, sight, site).rows
    placeless = sum(row.placeless for row in rows)
    return Checks(placeless, len(rows) - placeless)


def checks_board(
    *,
    now: datetime,
    sight: Sight,
    site: int | None = None,
    at: datetime | None = None,
    known_at: datetime | None = None,
) -> ChecksBoard:
    """The stays to look at within the viewer's sight, of all or of one site; two queries, and two
    more while there is somebody of no ward.

    `at`, `known_at`: as for the system board; what is in doubt is as known now or at `known_at`.
    """
    view = View.of(now=now, at=at, known_at=known_at, sight=sight)
    found = _found(view.moment, sight, site)
    known = faces({row.patient for row in found.rows if _sees(row, found.home(row), sight)})
    placeless = sorted(
        (row for row in found.rows if row.placeless), key=lambda r: (r.admitted_at, r.episode)
    )
    doubtful = sorted(
        (row for row in found.rows if not row.placeless),
        key=lambda r: (r.noted_at or r.admitted_at, r.episode),
        reverse=True,
    )
    return ChecksBoard(
        moment=view.moment.at,
        live=view.live,
        known_at=known_at,
        placeless=tuple(_check(row, found, known.get(row.patient)) for row in placeless),
        to_check=tuple(_check(row, found, known.get(row.patient)) for row in doubtful),
    )


def _check(row: _Row, found: _Found, face: Face | None) -> Check:
    home = found.home(row)
    ward = None
    if row.ward is not None and home is None:
        ward = Place(row.ward, row.code, row.name, row.site_code, row.kind)
    return Check(
        episode=row.episode,
        flags=tuple(flag for flag in row.flags if flag in TO_CHECK),
        noted_at=row.noted_at,
        ward=ward,
        bed=row.bed if ward else "",
        part=row.site_name if home is None else found.homes.words(home),
        here=row.here,
        admitted_at=row.admitted_at,
        left_at=row.left_at,
        source="" if home is None else found.homes.name_of(row.source),
        visit=row.visit if face else "",
        face=face,
    )


def _found(moment: Moment, sight: Sight, site: int | None) -> _Found:
    """The rows whose count the viewer may see; of each person without a place the latest stay."""
    rows = _rows(moment)
    found = _Found(
        rows, homes() if any(row.ward is None or row.placeless for row in rows) else Homes()
    )
    shown = [row for row in rows if _counts(row, found.home(row), sight, site)]
    return _Found(list(_one_each(shown)), found.homes)


def _counts(row: _Row, home: Home | None, sight: Sight, site: int | None) -> bool:
    where = row.site if home is None else home.site
    if site is not None and where != site:
        return False
    return sight.sees(row.ward or 0) if home is None else sight.counts_at(home)


def _sees(row: _Row, home: Home | None, sight: Sight) -> bool:
    return sight.sees_patients(row.ward) if home is None else sight.sees_patients_at(home)


def _one_each(rows: Iterable[_Row]) -> Iterable[_Row]:
    """Once each person without a place: the stay that began last says that they are here."""
    latest: dict[int, _Row] = {}
    for row in rows:
        if not row.placeless:
            yield row
        elif row.person not in latest or latest[row.person].admitted_at < row.admitted_at:
            latest[row.person] = row
    yield from latest.values()


def _rows(moment: Moment) -> list[_Row]:
    """The stays without a place at the moment, and those in doubt that lasted or had ended within
    `LATELY`; one query."""
    sql = f"""
WITH occupied AS MATERIALIZED {held("wards_occupancy", moment)},
stays AS MATERIALIZED (
    SELECT e.id, e.visit_id, e.patient_id, coalesce(p.person_id, p.id) AS person_id, e.flags,
           e.admitted_at, e.provider_id, p.authority,
           CASE WHEN e.discharged_at <= %(at)s THEN e.discharged_at END AS left_at,
           e.flags && %(doubts)s::varchar[] AS doubtful
      FROM {held("patients_episode", moment, _LISTED)} e
      JOIN patients_patient p ON p.id = e.patient_id),
listed AS MATERIALIZED (
    SELECT s.*, s.left_at IS NULL AND NOT EXISTS (
               SELECT 1 FROM occupied o WHERE o.person_id = s.person_id) AS placeless
      FROM stays s)
SELECT l.id AS episode, l.patient_id AS patient, l.person_id AS person, v.number AS visit,
       l.flags, l.admitted_at, l.left_at, l.placeless,
       CASE WHEN l.doubtful THEN ({_noted(moment)}) END AS noted_at,
       l.provider_id AS provider, l.authority, coalesce(told.source, '') AS source,
       ward.id AS ward, coalesce(ward.code, '') AS code, coalesce(ward.name, '') AS name,
       coalesce(ward.kind, '') AS kind, site.id AS site, coalesce(site.code, '') AS site_code,
       coalesce(site.name, '') AS site_name, coalesce(bed.label, '') AS bed,
       coalesce(place.period @> %(at)s::timestamptz, false) AS here
  FROM listed l
  JOIN patients_visit v ON v.id = l.visit_id
  LEFT JOIN LATERAL (
       SELECT o.ward_id, o.bed_id, o.period
         FROM {held("wards_occupancy", moment, _PLACES)} o
        ORDER BY lower(o.period) DESC LIMIT 1) place ON true
  LEFT JOIN wards_ward ward ON ward.id = place.ward_id
  LEFT JOIN wards_site site ON site.id = ward.site_id
  LEFT JOIN wards_bed bed ON bed.id = place.bed_id
  LEFT JOIN LATERAL (
       SELECT m.source FROM wards_movement m
        WHERE m.visit_id = l.visit_id AND m.source <> %(by_hand)s AND {said_by(moment, "m")}
        ORDER BY m.occurred_at DESC, m.sent_at DESC, m.id DESC LIMIT 1) told ON true
 WHERE l.placeless OR l.doubtful
 ORDER BY l.id
"""  # noqa: S608 - the values travel as parameters
    params = {
        "doubts": sorted(TO_CHECK),
        "since": moment.at - LATELY,
        "by_hand": BY_HAND,
    }
    return read_as(_Row, sql, moment.params | params)


_LISTED: Final = """r.admitted_at <= %(at)s
           AND (r.status IN ('in_hospital', 'on_leave')
                OR r.status = 'discharged' AND r.discharged_at > %(since)s)"""
_PLACES: Final = "r.episode_id = l.id AND lower(r.period) <= %(at)s"


def _noted(moment: Moment) -> str:
    """SQL: since when the stay has been recorded as doubtful without a break."""
    known = "true" if moment.known_at is None else "{}.pgh_created_at <= %(known_at)s"
    return f"""
           SELECT min(noted.pgh_created_at) FROM patients_episodeevent noted
            WHERE noted.pgh_obj_id = l.id AND noted.flags && %(doubts)s::varchar[]
              AND {known.format("noted")}
              AND NOT EXISTS (
                  SELECT 1 FROM patients_episodeevent plain
                   WHERE plain.pgh_obj_id = l.id AND plain.pgh_id > noted.pgh_id
                     AND NOT plain.flags && %(doubts)s::varchar[]
                     AND {known.format("plain")})"""  # noqa: S608 - the values travel as parameters
