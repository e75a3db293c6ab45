"""How cohorts do over time: counted once a day, kept, and shown as a series.

The worker counts at 08:00 what was so at 08:00, and fills the days before as far as the records
go, the latest first, some at a time: it can be stopped and goes on where it was. One reading of
everybody serves all cohorts that lack the day. What is told late within a day of the counting
(a review, a movement) makes the day be counted again; after that it stays as it is.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import Max, Min
from django.utils import timezone

from flow.asking import SITREP
from flow.beginning import records
from flow.cohorts.board import Sight
from flow.cohorts.people import Person, areas_known, people
from flow.cohorts.steps import Step
from flow.discharges import DAY
from flow.models import CohortCount, CohortDay
from flow.moment import Moment
from flow.reading import read, read_as
from patients.cohorts import Phase, judge
from patients.models import Cohort
from wards.scope import ALL

BACK: Final = 90
"""Days that are followed."""
READMITTED: Final = 30
"""Days within which somebody who left has come back (NHS England Digital, I02040)."""
REST: Final = timedelta(minutes=5)
"""How long a day that was counted is left alone, whatever is told of it."""
_LOCK: Final = 0x636F686F
"""The advisory lock under which days are counted ("coho")."""


def digest_of(cohort: Cohort) -> str:
    """Equal for equal criteria."""
    return hashlib.sha256(json.dumps(cohort.who, sort_keys=True).encode()).hexdigest()[:32]


def clock_of(day: date) -> datetime:
    """When a day is counted."""
    return timezone.make_aware(datetime.combine(day, SITREP))


def days_to_count(*, now: datetime) -> list[date]:
    """The days whose figures can be known, the latest first."""
    whole = records(at=now).complete
    if whole is None:
        return []
    today = timezone.localtime(now).date()
    days = [today - timedelta(days=back) for back in range(BACK)]
    return [day for day in days if whole <= clock_of(day) <= now]


def count_missing(*, now: datetime, patience: float = 20.0) -> int:
    """Count days that some cohort lacks, for about `patience` seconds; how many were counted.

    Safe with any number of workers: one counts, the others leave it to that one.
    """
    cohorts = list(Cohort.objects.filter(is_withdrawn=False))
    wanted = {cohort.pk: digest_of(cohort) for cohort in cohorts}
    days, late = days_to_count(now=now), _told_late(now=now)
    # One look at all days: as a rule nothing is missing, and this is asked every minute.
    stand = _standing(days)
    begun, done = time.monotonic(), 0
    for day in days:
        if day not in late and stand[day].items() >= wanted.items():
            continue
        with transaction.atomic():
            if not _locked():
                return done
            # Another worker may have counted since.
            there = _standing([day])[day]
            lacking = [c for c in cohorts if day in late or there.get(c.pk) != wanted[c.pk]]
            if lacking:
                _count(lacking, day, now=now)
                done += 1
        if time.monotonic() - begun > patience:
            break
    return done


def _standing(days: Sequence[date]) -> dict[date, dict[int, str]]:
    """For each day the cohorts that were counted, with the digest of their criteria; one query."""
    found: dict[date, dict[int, str]] = {day: {} for day in days}
    rows = CohortDay.objects.filter(day__in=days).values_list("day", "cohort", "digest")
    for day, cohort, digest in rows:
        found[day][cohort] = digest
    return found


def _locked() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        [got] = cursor.fetchone() or (False,)
        return bool(got)


def _told_late(*, now: datetime) -> set[date]:
    """Days of which something was told after they were counted; each looked at for a day, and
    not more often than every `REST`, so that many late words are one count."""
    counted = (
        CohortDay.objects.filter(counted_at__gt=now - DAY, counted_at__lte=now)
        .order_by()
        .values_list("day")
        .annotate(first=Min("counted_at"), last=Max("counted_at"))
    )
    asked = [(day, first) for day, first, last in counted if last <= now - REST]
    if not asked:
        return set()
    told = "t.occurred_at > d.clock - interval '3 days' AND t.occurred_at <= d.clock"
    rows = read(
        f"""
SELECT d.day
  FROM unnest(%(days)s::date[], %(clocks)s::timestamptz[], %(counted)s::timestamptz[])
       AS d(day, clock, counted)
 WHERE EXISTS (SELECT 1 FROM patients_review t WHERE {told} AND t.recorded_at > d.counted)
    OR EXISTS (SELECT 1 FROM wards_movement t WHERE {told} AND t.recorded_at > d.counted)
""",  # noqa: S608 - tables of ours; the values travel as parameters
        {
            "days": [day for day, _ in asked],
            "clocks": [clock_of(day) for day, _ in asked],
            "counted": [first for _, first in asked],
        },
    )
    return {day for (day,) in rows}


def count_lately_anew(*, now: datetime) -> None:
    """Have the days counted again that were counted within the last day. Call after history was
    loaded: it counts as known at its time, so that nothing tells that it came late."""
    CohortDay.objects.filter(counted_at__gt=now - DAY).delete()


def _count(cohorts: Sequence[Cohort], day: date, *, now: datetime) -> None:
    at = clock_of(day)
    found = people(Moment(at), areas=areas_known(), past=True)
    CohortDay.objects.filter(day=day, cohort__in=cohorts).delete()
    for cohort in cohorts:
        kept = CohortDay.objects.create(
            cohort=cohort, day=day, digest=digest_of(cohort), counted_at=now
        )
        members = [person for person in found if judge(person.facts, cohort.who).holds]
        CohortCount.objects.bulk_create(_counts(kept, members, at))


def _counts(day: CohortDay, members: Iterable[Person], at: datetime) -> list[CohortCount]:
    groups: defaultdict[tuple[int | None, str], list[Person]] = defaultdict(list)
    for person in members:
        groups[person.ward_id, person.facts.area].append(person)
    return [_sum(day, ward, area, inside, at) for (ward, area), inside in groups.items()]


def _sum(
    day: CohortDay, ward: int | None, area: str, inside: Sequence[Person], at: datetime
) -> CohortCount:
    during = [p for p in inside if p.facts.phase is Phase.DURING]
    ready = [p for p in during if p.facts.ready_days is not None]
    return CohortCount(
        day=day,
        ward_id=ward,
        area=area,
        before=sum(p.facts.phase is Phase.BEFORE for p in inside),
        during=len(during),
        after=sum(p.facts.phase is Phase.AFTER for p in inside),
        ready=len(ready),
        ready_days=sum(p.facts.ready_days or 0 for p in ready),
        stay_days=sum(p.facts.days or 0 for p in during),
        left=sum(p.step is Step.HOME and _within(p.left_at, at) for p in inside),
        came_back=sum(_came_back(p, at) for p in during),
    )


def _within(moment: datetime | None, at: datetime) -> bool:
    return moment is not None and at - DAY < moment <= at


def _came_back(person: Person, at: datetime) -> bool:
    gap = person.facts.days_since_leaving
    is_new = _within(person.admitted_at, at)
    return is_new and person.facts.unplanned and gap is not None and gap < READMITTED


@dataclass(frozen=True, slots=True)
class Point:
    """A day of a series, as `CohortCount` has it, summed over what the viewer may see."""

    cohort: int
    day: date
    before: int
    during: int
    after: int
    ready: int
    ready_days: float
    stay_days: float
    left: int
    came_back: int

    @property
    def mean_stay(self) -> float | None:
        """Days in hospital so far, on average of those who are there."""
        return self.stay_days / self.during if self.during else None


def series(cohort: Cohort, *, sight: Sight, until: date, days: int = BACK) -> list[Point]:
    """The days that were counted by the cohort's present criteria, the first first; one query."""
    return all_series([cohort], sight=sight, until=until, days=days)[cohort.pk]


def all_series(
    cohorts: Iterable[Cohort], *, sight: Sight, until: date, days: int = BACK
) -> dict[int, list[Point]]:
    """The same of several cohorts, by primary key; one query."""
    digests = {cohort.pk: digest_of(cohort) for cohort in cohorts}
    sql = """
SELECT d.cohort_id AS cohort, d.day,
       coalesce(sum(c.before), 0)::int AS before, coalesce(sum(c.during), 0)::int AS during,
       coalesce(sum(c.after), 0)::int AS after, coalesce(sum(c.ready), 0)::int AS ready,
       coalesce(sum(c.ready_days), 0) AS ready_days, coalesce(sum(c.stay_days), 0) AS stay_days,
       coalesce(sum(c."left"), 0)::int AS "left", coalesce(sum(c.came_back), 0)::int AS came_back
  FROM unnest(%(cohorts)s::bigint[], %(digests)s::text[]) AS asked(cohort, digest)
  JOIN flow_cohortday d ON d.cohort_id = asked.cohort AND d.digest = asked.digest
  LEFT JOIN flow_cohortcount c ON c.day_id = d.id
        AND (%(everywhere)s OR c.ward_id = ANY(%(wards)s) OR c.area = ANY(%(areas)s))
 WHERE d.day <= %(until)s AND d.day > %(from)s
 GROUP BY d.cohort_id, d.day ORDER BY d.cohort_id, d.day
"""
    params = {
        "everywhere": sight.counts == ALL,
        "wards": [] if sight.counts == ALL else sorted(sight.counts),
        "areas": sorted(sight.areas),
        "cohorts": list(digests),
        "digests": list(digests.values()),
        "until": until,
        "from": until - timedelta(days=days),
    }
    found: dict[int, list[Point]] = {pk: [] for pk in digests}
    for point in read_as(Point, sql, params):
        found[point.cohort].append(point)
    return found
