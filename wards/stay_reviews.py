"""What a file of stays says of criteria to reside and pathways, kept as reviews.

Told as a board round would have (`wards.rounds.review`), but for many episodes at once, and known
when it happened.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from live.doorbell import ring
from patients.code_loading import BUILT_IN, load_codes
from patients.keys import VisitKey
from patients.models import CodeSet, Readiness, Review
from patients.readiness import Looked, readiness
from patients.rows import insert
from wards.dirty import mark_dirty
from wards.models import Occupancy
from wards.stay_facts import SOURCE, Reviewed
from wards.waits import project_readiness

MET: Final = "met-not-said-which"
"""The criterion of a patient of whom a file says that some were met."""
_SET: Final = "criteria-imported"
_EPISODES: Final = """
    SELECT v.authority, v.number, e.id
      FROM unnest(%s::text[], %s::text[], %s::timestamptz[]) AS asked(authority, number, admitted)
      JOIN patients_visit v USING (authority, number)
      JOIN patients_episode e ON e.visit_id = v.id
     ORDER BY e.admitted_at IS NOT DISTINCT FROM asked.admitted, e.ordinal
"""


def keep_reviews(
    found: Mapping[VisitKey, Sequence[Reviewed]], admitted: Mapping[VisitKey, datetime]
) -> None:
    """Store what was found in each episode, and when its patient was ready to leave.

    Call in the transaction that made the episodes, with their people locked. `admitted` tells
    which episode is meant where a number has several.
    """
    episodes = _episodes(found, admitted)
    if not episodes:
        return
    reviewed_before = set(
        Review.objects.filter(episode__in=episodes.values()).values_list("episode", flat=True)
    )
    has_looked = any(r.criteria_met is not None for rs in found.values() for r in rs)
    words = _words() if has_looked else None
    made = [
        Review(
            episode_id=episodes[visit],
            occurred_at=one.occurred_at,
            recorded_at=one.occurred_at,
            source=SOURCE,
            key=one.key,
            criteria_set=None if one.criteria_met is None else words,
            criteria=_criteria(one),
            pathway=one.pathway,
            expected_discharge_at=one.expected_discharge_at,
        )
        for visit, reviews in found.items()
        for one in reviews
    ]
    insert(made, [str(f.column) for f in Review._meta.concrete_fields if not f.primary_key])
    ready = [
        Readiness(episode_id=episodes[visit], period=DateTimeTZRange(period.start, period.end))
        for visit, reviews in found.items()
        if episodes[visit] not in reviewed_before
        for period in readiness(map(_looked, reviews))
    ]
    insert(ready, ["episode_id", "period"])
    for episode in sorted(reviewed_before):
        project_readiness(episode)
    _tell(episodes.values())


def _episodes(
    found: Mapping[VisitKey, Sequence[Reviewed]], admitted: Mapping[VisitKey, datetime]
) -> dict[VisitKey, int]:
    asked = [visit for visit, reviews in found.items() if reviews]
    with connection.cursor() as cursor:
        cursor.execute(
            _EPISODES,
            [
                [visit.authority for visit in asked],
                [visit.number for visit in asked],
                [admitted[visit] for visit in asked],
            ],
        )
        # The one with the very time of admission comes last and counts.
        return {VisitKey(*row[:2]): row[2] for row in cursor.fetchall()}


def _words() -> CodeSet:
    """The list of the one criterion; made when it is first needed."""
    found = CodeSet.objects.filter(slug=_SET).first()
    if found is None:
        load_codes([BUILT_IN / "criteria_imported.yaml"])
        found = CodeSet.objects.get(slug=_SET)
    return found


def _criteria(one: Reviewed) -> list[str] | None:
    if one.criteria_met is None:
        return None
    return [MET] if one.criteria_met else []


def _looked(one: Reviewed) -> Looked:
    criteria = _criteria(one)
    return Looked(one.occurred_at, 0, None if criteria is None else tuple(criteria))


def _tell(episodes: Collection[int]) -> None:
    """Have what shows these patients counted and drawn again."""
    mark_dirty(
        Occupancy.objects.filter(episode__in=episodes, period__upper_inf=True).values_list(
            "ward", flat=True
        )
    )
    transaction.on_commit(lambda: ring(["hub"]))
