"""Who could leave: patients who meet no criteria to reside, what they wait for, and what it costs.

Every figure is counted from occupancies, readiness and barriers as they stood at a moment and as
they were known then. A bed day is 24 hours in a place; days since the discharge ready date are
counted exactly, so that figures of one moment can be added up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from accounts.roles import Permission
from flow.moment import Moment, held, said_by
from flow.reading import read, read_as
from wards.scope import ALL, Scope

DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)
LONG_STAYS: Final = (7, 14, 21)
"""Days in hospital from which stays are reviewed weekly (NHS England, daily situation report)."""
BANDS: Final = ((0, 1), (1, 3), (3, 7), (7, 14), (14, 21), (21, None))
"""Days since the discharge ready date, `[from, to)`."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A patient who meets no criteria to reside.

    ready_since: the discharge ready date. admitted_at: start of the stay. pathway: as last
    reviewed. reason to team: of the reportable barrier, empty where none is open or it has no
    owner. barriers: open ones. ward, site: where the patient is.
    """

    episode: int
    patient: int
    ready_since: datetime
    admitted_at: datetime | None
    expected_discharge_at: datetime | None
    reviewed_at: datetime | None
    pathway: int | None
    reason: str
    label: str
    family: str
    organisation: str
    organisation_name: str
    team: str
    team_name: str
    raised_at: datetime | None
    due_at: datetime | None
    level: int
    barriers: int
    ward: str
    ward_name: str
    ward_id: int
    site: str
    site_name: str
    bed: str

    def waited(self, at: datetime) -> timedelta:
        """Time lost so far."""
        return max(timedelta(0), at - self.ready_since)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which patients: empty means any. Codes, pathways, slugs of reasons. long_stay: at least so
    many days in hospital."""

    sites: Collection[str] = ()
    wards: Collection[str] = ()
    organisations: Collection[str] = ()
    reasons: Collection[str] = ()
    pathways: Collection[int] = ()
    long_stay: int = 0


def ready_to_leave(
    moment: Moment, *, scope: Scope, permission: Permission, asked: Asked | None = None
) -> list[Ready]:
    """Those who met no criteria at the moment, on the wards of the scope; the longest wait first.

    One query.
    """
    asked = asked or Asked()
    standing = "r.period @> %(at)s::timestamptz AND r.outcome <> 'mistaken'"
    sql = f"""
WITH open AS MATERIALIZED {held("patients_barrier", moment, standing)},
     here AS MATERIALIZED {held("wards_occupancy", moment)}
SELECT e.id AS episode, e.patient_id AS patient, lower(ready.period) AS ready_since,
       e.admitted_at, e.expected_discharge_at, said.occurred_at AS reviewed_at, said.pathway,
       coalesce(code.slug, '') AS reason, coalesce(code.label, '') AS label,
       coalesce(code.family, '') AS family,
       coalesce(org.code, '') AS organisation, coalesce(org.name, '') AS organisation_name,
       coalesce(team.code, '') AS team, coalesce(team.name, '') AS team_name,
       lower(main.period) AS raised_at, main.due_at, coalesce(main.level, 0) AS level,
       (SELECT count(*) FROM open WHERE open.episode_id = e.id) AS barriers,
       ward.code AS ward, ward.name AS ward_name, ward.id AS ward_id,
       site.code AS site, site.name AS site_name, coalesce(bed.label, '') AS bed
  FROM {held("patients_readiness", moment)} ready
  JOIN patients_episode e ON e.id = ready.episode_id
  JOIN here o ON o.episode_id = e.id
  JOIN wards_ward ward ON ward.id = o.ward_id
  JOIN wards_site site ON site.id = ward.site_id
  LEFT JOIN wards_bed bed ON bed.id = o.bed_id
  LEFT JOIN LATERAL (
       SELECT open.* FROM open WHERE open.episode_id = e.id
        ORDER BY open.is_reportable DESC, lower(open.period), open.id LIMIT 1) main ON true
  LEFT JOIN patients_code code ON code.id = main.reason_id
  LEFT JOIN accounts_organisation org ON org.id = main.organisation_id
  LEFT JOIN accounts_team team ON team.id = main.team_id
  LEFT JOIN LATERAL (
       SELECT review.pathway, review.occurred_at FROM patients_review review
        WHERE review.episode_id = e.id AND review.occurred_at <= %(at)s
          AND {said_by(moment, "review")}
        ORDER BY review.occurred_at DESC, review.id DESC LIMIT 1) said ON true
 WHERE (%(everywhere)s OR ward.id = ANY(%(seen)s))
   AND (cardinality(%(sites)s::text[]) = 0 OR site.code = ANY(%(sites)s))
   AND (cardinality(%(wards)s::text[]) = 0 OR ward.code = ANY(%(wards)s))
   AND (cardinality(%(organisations)s::text[]) = 0 OR org.code = ANY(%(organisations)s))
   AND (cardinality(%(reasons)s::text[]) = 0 OR code.slug = ANY(%(reasons)s))
   AND (cardinality(%(pathways)s::int[]) = 0 OR said.pathway = ANY(%(pathways)s))
   AND (%(long_stay)s = 0 OR e.admitted_at <= %(at)s::timestamptz - %(longest)s)
 ORDER BY lower(ready.period), e.id
"""  # noqa: S608 - tables and columns of ours; the values travel as parameters
    return read_as(Ready, sql, moment.params | _places(scope, permission) | _values(asked))


def lost_within(
    moment: Moment,
    *,
    scope: Scope,
    permission: Permission,
    asked: Asked | None = None,
    length: timedelta = WEEK,
) -> timedelta:
    """Time spent in a place by people who met no criteria, within `length` before the moment, by
    those who have left since as well; one query. Of `asked`, sites and wards count."""
    window = "r.period && tstzrange(%(since)s, %(at)s)"
    sql = f"""
SELECT coalesce(sum(upper(part) - lower(part)), interval '0') AS lost
  FROM (SELECT ready.period * o.period * tstzrange(%(since)s, %(at)s) AS part
          FROM {held("patients_readiness", moment, window)} ready
          JOIN {held("wards_occupancy", moment, window)} o ON o.episode_id = ready.episode_id
          JOIN wards_ward ward ON ward.id = o.ward_id
          JOIN wards_site site ON site.id = ward.site_id
         WHERE (%(everywhere)s OR ward.id = ANY(%(seen)s))
           AND (cardinality(%(sites)s::text[]) = 0 OR site.code = ANY(%(sites)s))
           AND (cardinality(%(wards)s::text[]) = 0 OR ward.code = ANY(%(wards)s))) parts
 WHERE NOT isempty(part)
"""  # noqa: S608 - tables and columns of ours; the values travel as parameters
    since = {"since": moment.at - length}
    places = {"sites": list(asked.sites), "wards": list(asked.wards)} if asked else _EVERY
    [(lost,)] = read(sql, moment.params | _places(scope, permission) | since | places)
    assert isinstance(lost, timedelta)
    return lost


_EVERY: Final[dict[str, object]] = {"sites": [], "wards": []}


def _places(scope: Scope, permission: Permission) -> dict[str, object]:
    wards = scope.wards(permission)
    return {"everywhere": wards == ALL, "seen": [] if wards == ALL else sorted(wards)}


def _values(asked: Asked) -> dict[str, object]:
    return {
        "sites": list(asked.sites),
        "wards": list(asked.wards),
        "organisations": list(asked.organisations),
        "reasons": list(asked.reasons),
        "pathways": list(asked.pathways),
        "long_stay": asked.long_stay,
        "longest": timedelta(days=asked.long_stay),
    }


@dataclass(frozen=True, slots=True)
class Group:
    """Patients who have something in common. key, name: what; empty for those without it.
    bed_days: lost so far, since their discharge ready dates."""

    key: str
    name: str
    patients: int
    bed_days: float


@dataclass(frozen=True, slots=True)
class Summary:
    """All who could leave, told in several ways; each way adds up to the whole."""

    as_at: datetime
    known_at: datetime | None
    patients: int
    bed_days: float
    bed_days_last_week: float | None
    without_owner: int
    overdue: int
    by_pathway: tuple[Group, ...]
    by_reason: tuple[Group, ...]
    by_family: tuple[Group, ...]
    by_organisation: tuple[Group, ...]
    by_site: tuple[Group, ...]
    by_days: tuple[Group, ...]
    long_stays: tuple[Group, ...]


def summarise(rows: Sequence[Ready], *, moment: Moment, last_week: timedelta | None) -> Summary:
    """The figures that these patients add up to; `last_week` None where it was not asked for."""
    at = moment.at

    def by(name: Callable[[Ready], tuple[str, str]]) -> tuple[Group, ...]:
        return _grouped(rows, at, name)

    return Summary(
        as_at=at,
        known_at=moment.known_at,
        patients=len(rows),
        bed_days=days(sum((row.waited(at) for row in rows), timedelta(0))),
        bed_days_last_week=None if last_week is None else days(last_week),
        without_owner=sum(1 for row in rows if not row.organisation),
        overdue=sum(1 for row in rows if row.due_at is not None and row.due_at < at),
        by_pathway=by(lambda r: _pathway(r.pathway)),
        by_reason=by(lambda r: (r.reason, r.label)),
        by_family=by(lambda r: (r.family, r.family)),
        by_organisation=by(lambda r: (r.organisation, r.organisation_name)),
        by_site=by(lambda r: (r.site, r.site_name)),
        by_days=tuple(_band(rows, at, low, high) for low, high in BANDS),
        long_stays=tuple(
            _group(f"{n}+", f"{n} days or more in hospital", _longer(rows, at, n), at)
            for n in LONG_STAYS
        ),
    )


def _pathway(number: int | None) -> tuple[str, str]:
    return ("", "") if number is None else (str(number), f"Pathway {number}")


def _longer(rows: Iterable[Ready], at: datetime, number: int) -> list[Ready]:
    return [r for r in rows if r.admitted_at is not None and at - r.admitted_at >= number * DAY]


def _band(rows: Iterable[Ready], at: datetime, low: int, high: int | None) -> Group:
    inside = [
        row
        for row in rows
        if row.waited(at) >= low * DAY and (high is None or row.waited(at) < high * DAY)
    ]
    name = f"{low} days or more" if high is None else f"{low} to {high} days"
    return _group(f"{low}+" if high is None else f"{low}-{high}", name, inside, at)


def _grouped(
    rows: Iterable[Ready], at: datetime, name: Callable[[Ready], tuple[str, str]]
) -> tuple[Group, ...]:
    """Groups, the most costly first, those without the thing last."""
    members: dict[tuple[str, str], list[Ready]] = defaultdict(list)
    for row in rows:
        members[name(row)].append(row)
    groups = [_group(key, title, inside, at) for (key, title), inside in members.items()]
    return tuple(sorted(groups, key=lambda g: (g.key == "", -g.bed_days, g.key)))


def _group(key: str, name: str, rows: Sequence[Ready], at: datetime) -> Group:
    lost = sum((row.waited(at) for row in rows), timedelta(0))
    return Group(key, name, len(rows), days(lost))


def days(length: timedelta) -> float:
    """Bed days, to a tenth."""
    return round(length / DAY, 1)
