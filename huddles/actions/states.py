"""Whether an action is open, over due, or over: what people said, and what was done meanwhile.

Nothing is written when the thing that an action is about is done elsewhere: its state is read from
where that is recorded. So it is over at the very moment of the deed, whatever system told of it and
however late, and open again when the deed is taken back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db.models import (
    Case,
    DateTimeField,
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
from wards.models import BedStatus, Occupancy, Opening

Ending = Action.Ending
_TIME: Final = DateTimeField()


def _upper(name: str) -> Func:
    return Func(F(name), function="upper", output_field=_TIME)


def _lower(name: str) -> Func:
    return Func(F(name), function="lower", output_field=_TIME)


def _since_agreed(start: str) -> Q:
    return Q(**{f"{start}__gte": OuterRef("agreed_at")})


def _first(rows: QuerySet[Any]) -> Subquery:
    return Subquery(rows.order_by("began").values("began")[:1], output_field=_TIME)


def with_states(actions: QuerySet[Action], *, at: datetime) -> QuerySet[Any]:
    """The actions with `done_by_deed_at`: when the deed that it is about was done, None where it
    was not by `at`; and `ended_at`: when somebody said that it was over, or else that."""
    moved = (
        Occupancy.objects.annotate(began=_lower("period"))
        .filter(_since_agreed("began"), episode=OuterRef("episode"))
        .exclude(ward=OuterRef("ward"))
    )
    ready = BedStatus.objects.annotate(began=F("occurred_at")).filter(
        _since_agreed("began"), bed=OuterRef("bed"), status=BedStatus.Status.UNOCCUPIED
    )
    opened = Opening.objects.annotate(began=_lower("period")).filter(
        _since_agreed("began"), bed=OuterRef("bed")
    )
    by_deed = Case(
        When(ending=Ending.DISCHARGED, then=F("episode__discharged_at")),
        When(ending=Ending.BARRIER, then=_upper("barrier__period")),
        When(ending=Ending.REOPENED, then=_upper("closure__period")),
        When(ending=Ending.MOVED, then=_first(moved)),
        When(ending=Ending.BED_READY, then=_first(ready)),
        When(ending=Ending.BED_OPENED, then=_first(opened)),
        default=Value(None),
        output_field=_TIME,
    )
    told = actions.annotate(_by_deed=by_deed)
    # A closure that is to end tonight is open until then.
    happened = Case(When(_by_deed__lte=at, then=F("_by_deed")), output_field=_TIME)
    return told.annotate(
        done_by_deed_at=happened, ended_at=Coalesce(F("over_at"), happened, output_field=_TIME)
    )


def open_at(actions: QuerySet[Action], *, at: datetime) -> QuerySet[Any]:
    """Those that nobody has done by then."""
    return with_states(actions, at=at).filter(ended_at__isnull=True)
