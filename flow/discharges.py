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
from flow.kinds import INPATIENT
from flow.moment import Moment, held, said_by
from flow.reading import read, read_as
from flow.referrals.reading import status_then
from wards.scope import ALL, Scope

DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)
LONG_STAYS: Final = (7, 14, 21)
"""Days in hospital from which stays are reviewed weekly (NHS England, daily situation report)."""
BANDS: Final = ((0, 1), (1, 3), (3, 7), (7, 14), (14, 21), (21, None))
"""Days since the discharge ready date, `[from, to)`."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A patient in a place: one who meets no criteria to reside, or one who has been here long.

    ready_since: the discharge ready date; None for those who are not ready to leave. admitted_at:
    start of the stay. pathway, next_step: as last reviewed. criteria: slugs met when somebody
    last looked, None where nobody ever did; exception: why a senior keeps them all the same.
    reason to team: of the reportable barrier, empty where none is open or it has no owner.
    barriers: open ones; owners: codes of all organisations accountable for them, empty text for
    nobody. ward, site: where the patient is; inpatient: that ward is of a kind on which a stay
    can be a long one. referral: how the latest request for a place after
    hospital stands (a `Referral.Status` value), empty where none was made; referral_to: of whom;
    answer_due_at: by when an answer is wanted; starts_at: when the place takes them.
    """

    episode: int
    patient: int
    ready_since: datetime | None
    admitted_at: datetime | None
    expected_discharge_at: datetime | None
    reviewed_at: datetime | None
    pathway: int | None
    next_step: str
    criteria: Sequence[str] | None
    exception: str
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
    owners: Sequence[str]
    ward: str
    ward_name: str
    ward_id: int
    inpatient: bool
    site: str
    site_name: str
    bed: str
    referral: str
    referral_to: str
    answer_due_at: datetime | None
    starts_at: datetime | None

    def waited(self, at: datetime) -> timedelta:
        """Time lost so far."""
        if self.ready_since is None:
            return timedelta(0)
        return max(timedelta(0), at - self.ready_since)

    def stayed(self, at: datetime) -> timedelta | None:
        """Time in hospital so far; None where no admission was told."""
        return None if self.admitted_at is None else at - self.admitted_at

    def overdue(self, at: datetime) -> bool:
        """Whether what they are reported to wait for is past its target."""
        return self.due_at is not None and self.due_at < at


@dataclass(frozen=True, slots=True)
class Asked:
    """Which patients: empty means any. Codes, pathways, slugs of reasons. long_stay: at least so
    many days in hospital. others_from: also those who are not ready to leave and have been on
    inpatient wards for at least so many days; none of them where it is 0."""

    sites: Collection[str] = ()
    wards: Collection[str] = ()
    organisations: Collection[str] = ()
    reasons: Collection[str] = ()
    pathways: Collection[int] = ()
    long_stay: int = 0
    others_from: int = 0
    everybody: bool = False


def ready_to_leave(
    moment: Moment, *, scope: Scope, permission: Permission, asked: Asked | None = None
) -> list[Stay]:
    """Those who met no criteria at the moment, on the wards of the scope; the longest wait first,
    after them the others that were asked for. One query.
    """
    asked = asked or Asked()
    standing = "r.period @> %(at)s::timestamptz AND r.outcome <> 'mistaken'"
    begun = "r.episode_id = e.id AND lower(r.period) <= %(at)s"
    sql = f"""
WITH open AS MATERIALIZED {held("patients_barrier", moment, standing)},
     here AS MATERIALIZED {held("wards_occupancy", moment)}
SELECT e.id AS episode, e.patient_id AS patient, lower(ready.period) AS ready_since,
       e.admitted_at, e.expected_discharge_at, said.occurred_at AS reviewed_at, said.pathway,
       coalesce(said.next_step, '') AS next_step,
       looked.criteria, coalesce(looked.exception, '') AS exception,
       coalesce(code.slug, '') AS reason, coalesce(code.label, '') AS label,
       coalesce(code.family, '') AS family,
       coalesce(org.code, '') AS organisation, coalesce(org.name, '') AS organisation_name,
       coalesce(team.code, '') AS team, coalesce(team.name, '') AS team_name,
       lower(main.period) AS raised_at, main.due_at, coalesce(main.level, 0) AS level,
       coalesce(waits.barriers, 0) AS barriers, coalesce(waits.owners, '{{}}') AS owners,
       ward.code AS ward, ward.name AS ward_name, ward.id AS ward_id,
       ward.kind = ANY(%(inpatient)s) AS inpatient,
       site.code AS site, site.name AS site_name, coalesce(bed.label, '') AS bed,
       coalesce(place.status, '') AS referral, coalesce(place.name, '') AS referral_to,
       place.due_at AS answer_due_at, place.starts_at
  FROM here o
  JOIN LATERAL {held("patients_episode", moment, _own(moment))} e ON true
  JOIN wards_ward ward ON ward.id = o.ward_id
  JOIN wards_site site ON site.id = ward.site_id
  LEFT JOIN {held("patients_readiness", moment)} ready ON ready.episode_id = e.id
  LEFT JOIN wards_bed bed ON bed.id = o.bed_id
  LEFT JOIN LATERAL (
       SELECT open.* FROM open WHERE open.episode_id = e.id
        ORDER BY open.is_reportable DESC, lower(open.period), open.id LIMIT 1) main ON true
  LEFT JOIN (
       SELECT open.episode_id, count(*) AS barriers,
              array_agg(DISTINCT coalesce(body.code, '')) AS owners
         FROM open LEFT JOIN accounts_organisation body ON body.id = open.organisation_id
        GROUP BY open.episode_id) waits ON waits.episode_id = e.id
  LEFT JOIN patients_code code ON code.id = main.reason_id
  LEFT JOIN accounts_organisation org ON org.id = main.organisation_id
  LEFT JOIN accounts_team team ON team.id = main.team_id
  LEFT JOIN LATERAL {_review(moment, "true")} said ON true
  LEFT JOIN LATERAL {_review(moment, "review.criteria IS NOT NULL")} looked ON true
  LEFT JOIN LATERAL (
       SELECT {status_then(moment)} AS status, r.due_at, r.starts_at,
              coalesce(target.name, asked_of.name) AS name
         FROM {held("wards_referral", moment, begun)} r
         JOIN accounts_organisation asked_of ON asked_of.id = r.organisation_id
         LEFT JOIN wards_ward target ON target.id = r.ward_id
        ORDER BY (upper_inf(r.period) OR upper(r.period) > %(at)s) DESC, lower(r.period) DESC,
                 r.id DESC LIMIT 1) place ON true
 WHERE (ready.id IS NOT NULL OR %(everybody)s
        OR (%(others)s AND ward.kind = ANY(%(inpatient)s)
            AND e.admitted_at <= %(at)s::timestamptz - %(others_from)s))
   AND (%(everywhere)s OR ward.id = ANY(%(seen)s))
   AND (cardinality(%(sites)s::text[]) = 0 OR site.code = ANY(%(sites)s))
   AND (cardinality(%(wards)s::text[]) = 0 OR ward.code = ANY(%(wards)s))
   AND (cardinality(%(organisations)s::text[]) = 0 OR org.code = ANY(%(organisations)s))
   AND (cardinality(%(reasons)s::text[]) = 0 OR code.slug = ANY(%(reasons)s))
   AND (cardinality(%(pathways)s::int[]) = 0 OR said.pathway = ANY(%(pathways)s))
   AND (%(long_stay)s = 0 OR e.admitted_at <= %(at)s::timestamptz - %(longest)s)
 ORDER BY lower(ready.period) NULLS LAST, e.admitted_at, e.id
"""  # noqa: S608 - tables and columns of ours; the values travel as parameters
    return read_as(Stay, sql, moment.params | _places(scope, permission) | _values(asked))


def _own(moment: Moment) -> str:
    """The stay of the occupancy `o`; in its history found by the key that is indexed."""
    return "r.id = o.episode_id" if moment.known_at is None else "r.pgh_obj_id = o.episode_id"


def _review(moment: Moment, condition: str) -> str:
    """The latest review of the stay `e` for which the condition holds, as said by then."""
    return f"""(
       SELECT review.* FROM patients_review review
        WHERE review.episode_id = e.id AND review.occurred_at <= %(at)s
          AND {said_by(moment, "review")} AND {condition}
        ORDER BY review.occurred_at DESC, review.id DESC LIMIT 1)"""  # noqa: S608


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
        "others": asked.others_from > 0,
        "everybody": asked.everybody,
        "others_from": timedelta(days=asked.others_from),
        "inpatient": INPATIENT,
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


def summarise(rows: Sequence[Stay], *, moment: Moment, last_week: timedelta | None) -> Summary:
    """The figures that these patients add up to; `last_week` None where it was not asked for."""
    at = moment.at

    def by(name: Callable[[Stay], tuple[str, str]]) -> tuple[Group, ...]:
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


def _longer(rows: Iterable[Stay], at: datetime, number: int) -> list[Stay]:
    return [r for r in rows if r.admitted_at is not None and at - r.admitted_at >= number * DAY]


def _band(rows: Iterable[Stay], at: datetime, low: int, high: int | None) -> Group:
    inside = [
        row
        for row in rows
        if row.waited(at) >= low * DAY and (high is None or row.waited(at) < high * DAY)
    ]
    name = f"{low} days or more" if high is None else f"{low} to {high} days"
    return _group(f"{low}+" if high is None else f"{low}-{high}", name, inside, at)


def _grouped(
    rows: Iterable[Stay], at: datetime, name: Callable[[Stay], tuple[str, str]]
) -> tuple[Group, ...]:
    """Groups, the most costly first, those without the thing last."""
    members: dict[tuple[str, str], list[Stay]] = defaultdict(list)
    for row in rows:
        members[name(row)].append(row)
    groups = [_group(key, title, inside, at) for (key, title), inside in members.items()]
    return tuple(sorted(groups, key=lambda g: (g.key == "", -g.bed_days, g.key)))


def _group(key: str, name: str, rows: Sequence[Stay], at: datetime) -> Group:
    lost = sum((row.waited(at) for row in rows), timedelta(0))
    return Group(key, name, len(rows), days(lost))


def days(length: timedelta) -> float:
    """Bed days, to a tenth."""
    return round(length / DAY, 1)
