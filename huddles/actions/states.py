"""Whether an action is open, over due, or over: what people said, and what was done meanwhile.

Nothing is written when the thing that an action is about is done elsewhere: its state is read from
where that is recorded. So it is over at the very moment of the deed, whatever system told of it and
however late, and open again when the deed is taken back.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import (
    Case,
    DateTimeField,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from huddles.models import Action
from patients.models import Barrier
from wards.bed_states import CLEANING
from wards.models import BedStatus, Closure, Occupancy, Opening

Ending = Action.Ending
SAME_MATTER: Final = timedelta(hours=1)
"""A deed that its contrary follows so soon was a slip: it ends no action."""
_TIME: Final = DateTimeField()


def _upper(name: str) -> Func:
    return Func(F(name), function="upper", output_field=_TIME)


def _lower(name: str) -> Func:
    return Func(F(name), function="lower", output_field=_TIME)


def _since_agreed(start: str, at: datetime) -> Q:
    return Q(**{f"{start}__gte": OuterRef("agreed_at"), f"{start}__lte": at})


def _first(rows: QuerySet[Any]) -> Subquery:
    return Subquery(rows.order_by("began").values("began")[:1], output_field=_TIME)


def _closed_again(at: datetime) -> QuerySet[Any]:
    """Closures in force of the same place, begun within the hour after that of an action ended."""
    end = Func(OuterRef("closure__period"), function="upper", output_field=_TIME)
    return (
        Closure.objects.annotate(
            began=_lower("period"),
            of_bed=Coalesce("bed", 0),
            of_bay=Coalesce("bay", 0),
        )
        .filter(
            ward=OuterRef("closure__ward"),
            of_bed=Coalesce(OuterRef("closure__bed"), 0),
            of_bay=Coalesce(OuterRef("closure__bay"), 0),
        )
        .filter(began__gte=end, began__lte=end + Value(SAME_MATTER), period__contains=at)
    )


def _moves(at: datetime) -> QuerySet[Any]:
    """Where the patient came to from the ward that they were to leave, and stayed."""
    back = Occupancy.objects.annotate(began=_lower("period")).filter(
        episode=OuterRef("episode"),
        ward=OuterRef(OuterRef("ward")),
        began__gt=OuterRef("began"),
        began__lte=OuterRef("began") + Value(SAME_MATTER),
    )
    return (
        Occupancy.objects.annotate(began=_lower("period"))
        .filter(_since_agreed("began", at), ~Exists(back.filter(began__lte=at)))
        .filter(episode=OuterRef("episode"))
        .exclude(ward=OuterRef("ward"))
    )


def _readied(at: datetime) -> QuerySet[Any]:
    """When the bed was said to be ready, and not soon after to be dirty again."""
    again = BedStatus.objects.filter(
        bed=OuterRef("bed"),
        status__in=CLEANING,
        occurred_at__gt=OuterRef("occurred_at"),
        occurred_at__lte=OuterRef("occurred_at") + Value(SAME_MATTER),
    )
    return BedStatus.objects.annotate(began=F("occurred_at")).filter(
        _since_agreed("began", at),
        ~Exists(again.filter(occurred_at__lte=at)),
        bed=OuterRef("bed"),
        status=BedStatus.Status.UNOCCUPIED,
    )


def _openings(at: datetime) -> QuerySet[Any]:
    """When the bed was opened, and not soon closed again."""
    return (
        Opening.objects.annotate(began=_lower("period"), over=_upper("period"))
        .filter(_since_agreed("began", at), bed=OuterRef("bed"))
        .filter(
            Q(over__isnull=True) | Q(over__gt=at) | Q(over__gte=F("began") + Value(SAME_MATTER))
        )
    )


def with_states(actions: QuerySet[Action], *, at: datetime) -> QuerySet[Any]:
    """The actions with `done_by_deed_at`: when the deed that it is about was done, None where it
    was not by `at`; and, to ask by, the alias `ended_at`: as `ended_at()` says of one.

    Only what was done counts: a barrier taken back as a mistake, or turned into another, asks for
    as much as before; and what its contrary followed within an hour (closed again, dirty again,
    moved back) was a slip."""
    # Each tells of nothing after `at` by itself: a bound around all of them would write all of
    # them into the question twice. A closure that is to end tonight is open until then.
    by_deed = Case(
        When(
            ending=Ending.DISCHARGED,
            episode__discharged_at__lte=at,
            then=F("episode__discharged_at"),
        ),
        When(
            ending=Ending.BARRIER,
            barrier__outcome=Barrier.Outcome.RESOLVED,
            barrier__period__endswith__lte=at,
            then=_upper("barrier__period"),
        ),
        When(
            Q(ending=Ending.REOPENED, closure__period__endswith__lte=at)
            & ~Exists(_closed_again(at)),
            then=_upper("closure__period"),
        ),
        When(ending=Ending.MOVED, then=_first(_moves(at))),
        When(ending=Ending.BED_READY, then=_first(_readied(at))),
        When(ending=Ending.BED_OPENED, then=_first(_openings(at))),
        default=Value(None),
        output_field=_TIME,
    )
    return actions.annotate(done_by_deed_at=by_deed).alias(
        ended_at=Coalesce(F("over_at"), F("done_by_deed_at"), output_field=_TIME)
    )


def ended_at(action: Any) -> datetime | None:
    """When somebody said that it was over, or else when the deed was done; of an action that was
    read `with_states`."""
    ended: datetime | None = action.over_at or action.done_by_deed_at
    return ended


def open_at(actions: QuerySet[Action], *, at: datetime) -> QuerySet[Any]:
    """Those that nobody has done by then."""
    return with_states(actions, at=at).filter(ended_at__isnull=True)
