"""Which beds are to be cleaned, the most urgent first. No patient is on this board: of a bed that
is held it says until when, never for whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from accounts.roles import Permission
from flow.bed_sql import common
from flow.moment import Moment, held
from flow.reading import read_as
from wards.cleaning import may_take_back
from wards.models import BedStatus
from wards.scope import ALL, Scope

CLEAN: Final = Permission.CLEAN_BEDS


@dataclass(frozen=True, slots=True)
class Job:
    """A bed to clean.

    state: as on the boards; other than `unready` it is out of use for the moment. level: routine,
    terminal, or empty where nobody has said. since: from when on it has been unclean and empty.
    begun_at, begun_by: where somebody is at it, `begun_by` their key, None for a feed. held_until:
    where it is held for somebody.
    """

    id: int
    label: str
    kind: str
    bay: str
    features: Sequence[str]
    ward: str
    ward_name: str
    site: str
    site_name: str
    state: str
    reason: str
    status: str
    level: str
    since: datetime
    begun_at: datetime | None
    begun_by: int | None
    held_until: datetime | None

    @property
    def is_terminal(self) -> bool:
        """Whether nothing less than a terminal clean will do."""
        return self.level == BedStatus.Level.TERMINAL

    @property
    def is_begun(self) -> bool:
        """Whether somebody is at it."""
        return self.status == BedStatus.Status.HOUSEKEEPING

    @property
    def is_out_of_use(self) -> bool:
        """Whether nobody could be put into it when it is clean."""
        return self.state != "unready"


@dataclass(frozen=True, slots=True)
class Choice:
    """A site or ward to narrow the list to: code, name, how many beds to clean there."""

    code: str
    name: str
    beds: int


@dataclass(frozen=True, slots=True)
class CleaningBoard:
    """The beds to clean in sight, of the site and ward asked for.

    mine: begun by the viewer. waiting: nobody is at them, the most urgent first: those held for
    somebody by the time until which they are held, then the others by how long they have waited,
    those out of use last. begun: others are at them. sites, wards: what there is to narrow it to;
    wards of the site asked for, or of the only one. last: what the viewer said last and may take
    back.
    """

    moment: datetime
    site: str
    ward: str
    mine: tuple[Job, ...]
    waiting: tuple[Job, ...]
    begun: tuple[Job, ...]
    sites: tuple[Choice, ...]
    wards: tuple[Choice, ...]
    last: BedStatus | None

    @property
    def all_clean(self) -> bool:
        """Whether nothing is to be done."""
        return not (self.mine or self.waiting or self.begun)


def cleaning_board(
    *, now: datetime, scope: Scope, viewer: int, site: str = "", ward: str = ""
) -> CleaningBoard:
    """The beds to clean of the wards at which the scope may clean; three queries at most."""
    jobs = _jobs(Moment(now), scope)
    sites = _choices([(job.site, job.site_name) for job in jobs])
    of_site = [job for job in jobs if job.site == site] if site else jobs
    wards = _choices([(job.ward, job.ward_name) for job in of_site])
    shown = sorted((job for job in of_site if not ward or job.ward == ward), key=_urgency)
    return CleaningBoard(
        moment=now,
        site=site,
        ward=ward,
        mine=tuple(job for job in shown if job.is_begun and job.begun_by == viewer),
        waiting=tuple(job for job in shown if not job.is_begun),
        begun=tuple(job for job in shown if job.is_begun and job.begun_by != viewer),
        sites=sites,
        wards=wards if site or len(sites) < 2 else (),
        last=_last_of(viewer, now=now),
    )


def _urgency(job: Job) -> tuple[object, ...]:
    return (
        job.is_out_of_use,
        job.held_until is None,
        job.held_until or job.since,
        job.since,
        job.id,
    )


def _choices(found: Sequence[tuple[str, str]]) -> tuple[Choice, ...]:
    names = dict(found)
    beds = Counter(code for code, _name in found)
    return tuple(Choice(code, name, beds[code]) for code, name in names.items())


def _last_of(viewer: int, *, now: datetime) -> BedStatus | None:
    """What the viewer said last of a bed, if it may still be taken back."""
    last = BedStatus.objects.filter(by=viewer).select_related("bed__ward").order_by("-pk").first()
    return last if last is not None and may_take_back(last, at=now) else None


def _stands(fact: str) -> str:
    """SQL: of two things said of a bed for one moment, the one said last counts."""
    return f"""NOT EXISTS (
       SELECT 1 FROM wards_bedstatus later
        WHERE later.bed_id = b.id AND later.occurred_at = {fact}.occurred_at
          AND (later.sent_at, later.key) > ({fact}.sent_at, {fact}.key))"""  # noqa: S608 - our name


# A bed is unclean from the first time that was said since it was last said to be anything else,
# and being cleaned from the first time since it was last asked for.
_UNCLEAN: Final = f"""
  SELECT min(said.occurred_at) AS since,
         max(said.occurred_at) FILTER (WHERE said.status = 'K') AS asked,
         array_agg(said.occurred_at) FILTER (WHERE said.status = 'H') AS begun,
         (array_agg(said.by_id ORDER BY said.occurred_at DESC))[1] AS by
    FROM wards_bedstatus said
   WHERE said.bed_id = b.id AND said.occurred_at <= %(at)s AND said.status IN ('H', 'K')
     AND {_stands("said")}
     AND said.occurred_at > coalesce((
         SELECT other.occurred_at FROM wards_bedstatus other
          WHERE other.bed_id = b.id AND other.occurred_at <= %(at)s
            AND other.status NOT IN ('H', 'K') AND {_stands("other")}
          ORDER BY other.occurred_at DESC LIMIT 1), '-infinity')
"""  # noqa: S608 - no value from outside


def _jobs(moment: Moment, scope: Scope) -> list[Job]:
    wards = scope.wards(CLEAN)
    everywhere = wards == ALL
    sql = f"""
WITH {common(moment, everywhere=everywhere)}
SELECT b.id, b.label, b.kind, coalesce(nullif(bay.name, ''), bay.code, '') AS bay, b.features,
       ward.code AS ward, ward.name AS ward_name, site.code AS site, site.name AS site_name,
       b.state, coalesce(b.reason, '') AS reason, b.status, b.level,
       greatest(coalesce(unclean.since, b.status_since), emptied.at) AS since,
       CASE WHEN b.status = 'H' THEN coalesce(
            (SELECT min(time) FROM unnest(unclean.begun) time
              WHERE time > coalesce(unclean.asked, '-infinity')), b.status_since) END AS begun_at,
       CASE WHEN b.status = 'H' THEN unclean.by END AS begun_by,
       upper(kept.period) AS held_until
  FROM beds b
  JOIN wards_ward ward ON ward.id = b.ward_id
  JOIN wards_site site ON site.id = ward.site_id
  LEFT JOIN wards_bay bay ON bay.id = b.bay_id
  LEFT JOIN {held("wards_reservation", moment)} kept ON kept.bed_id = b.id
  LEFT JOIN LATERAL (SELECT max(upper(o.period)) AS at FROM wards_occupancy o
                      WHERE o.bed_id = b.id AND upper(o.period) <= %(at)s::timestamptz) emptied
         ON true
  LEFT JOIN LATERAL ({_UNCLEAN}) unclean ON true
 WHERE b.state IN ('unready', 'closed', 'not_opened') AND b.status IN ('H', 'K')
 ORDER BY site.position, site.name, ward.position, ward.name, b.position, b.id
"""  # noqa: S608 - the values travel as parameters
    params = dict(moment.params)
    if not everywhere:
        params["wards"] = sorted(wards)
    return read_as(Job, sql, params)
