"""Keeps what patients wait for in step with their stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Final

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Exists, OuterRef, Q

from patients.models import Barrier, CareNeeds, Episode, Readiness, Review
from patients.readiness import Looked, Ready, readiness
from wards.models import CorridorSignOff, Override, Referral, RequestTerms, Reservation

_RECORDED: Final = (
    Review, Barrier, CareNeeds, Referral, Override, CorridorSignOff, RequestTerms, Reservation,
)  # fmt: skip
"""What people record of an episode."""


def project_readiness(episode: int) -> None:
    """Make the stored periods of readiness equal to what the reviews add up to."""
    reviews = Review.objects.filter(episode=episode, criteria__isnull=False)
    wanted = readiness(
        Looked(r.occurred_at, r.pk, tuple(r.criteria or ()), exception=bool(r.exception))
        for r in reviews.only("occurred_at", "criteria", "exception")
    )
    stored = {
        Ready(row.period.lower, row.period.upper): row
        for row in Readiness.objects.filter(episode=episode)
    }
    kept = {ready.start: row for ready, row in stored.items() if ready not in wanted}
    fresh = [ready for ready in wanted if ready not in stored]
    # A period that only ends now keeps its row; first what shrinks or goes, then what grows.
    for ready in sorted(fresh, key=lambda r: (r.end is None, r.start)):
        row = kept.pop(ready.start, None)
        if row is not None:
            Readiness.objects.filter(pk=row.pk).update(
                period=DateTimeTZRange(ready.start, ready.end)
            )
            fresh = [other for other in fresh if other is not ready]
    Readiness.objects.filter(pk__in=[row.pk for row in kept.values()]).delete()
    Readiness.objects.bulk_create(
        Readiness(episode_id=episode, period=DateTimeTZRange(ready.start, ready.end))
        for ready in fresh
    )


def retire(surplus: Sequence[int], heirs: Mapping[int, Sequence[int]]) -> None:
    """Remove episodes of which nothing is left.

    What was recorded of one goes to the episode that took its place (`heirs`: surplus episode →
    episodes of the same visit, in order). Where there is none, the episode stays, as cancelled:
    nothing anybody recorded is deleted.
    """
    anything: Sequence[Q] = [
        Q(Exists(model._default_manager.filter(episode=OuterRef("pk")))) for model in _RECORDED
    ]
    with_waits = set(
        Episode.objects.filter(pk__in=surplus)
        .filter(reduce(or_, anything))
        .values_list("pk", flat=True)
    )
    kept = []
    for pk in sorted(with_waits):
        if not heirs.get(pk):
            kept.append(pk)
            continue
        heir = _heir(pk, heirs[pk])
        Readiness.objects.filter(episode=pk).delete()
        Review.objects.filter(episode=pk).update(episode=heir)
        reported = Barrier.objects.filter(episode=heir, outcome="", is_reportable=True).exists()
        if reported:
            Barrier.objects.filter(episode=pk, outcome="").update(is_reportable=False)
        for model in (Barrier, CareNeeds, Referral, Override, CorridorSignOff):
            model._default_manager.filter(episode=pk).update(episode=heir)
        _inherit_request(pk, heir)
        project_readiness(heir)
    Episode.objects.filter(pk__in=kept).exclude(status=Episode.Status.CANCELLED).update(
        status=Episode.Status.CANCELLED, discharged_at=None, flags=[]
    )
    Episode.objects.filter(pk__in=set(surplus) - set(kept)).delete()


def _inherit_request(surplus: int, heir: int) -> None:
    """Let what was asked for a bed, and the bed that is held, go with the patient. Where the
    heir has its own for the same, that counts, and the other stays with nobody."""
    known = RequestTerms.objects.filter(episode=heir).values("key")
    RequestTerms.objects.filter(episode=surplus).exclude(key__in=known).update(episode=heir)
    for held in Reservation.objects.filter(episode=surplus):
        if not Reservation.objects.filter(episode=heir, period__overlap=held.period).exists():
            Reservation.objects.filter(pk=held.pk).update(episode=heir)


def _heir(surplus: int, heirs: Sequence[int]) -> int:
    """Of several, the last that began no later than the one that goes; else the first."""
    began = Episode.objects.values_list("admitted_at", flat=True).get(pk=surplus)
    starts = dict(Episode.objects.filter(pk__in=heirs).values_list("pk", "admitted_at"))
    before = [
        pk for pk in heirs if began is not None and (at := starts[pk]) is not None and at <= began
    ]
    return before[-1] if before else heirs[0]
