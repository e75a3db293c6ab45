"""What has been agreed, in one line of a wall, by zone: when, about which bed, and whose it is to
do; never what anybody typed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.roles import LABELS, Role
from huddles.actions.states import open_at
from huddles.models import Action
from huddles.screens.wall_types import Agreed, Label, Next, Zone
from patients.models import Episode
from wards.models import Grant, Occupancy, Site, Ward

_READ: Final = (
    "due_at", "ward__name", "bed__label", "team__name", "owner", "hidden",
)  # fmt: skip


def agreed(site: Site, *, zone: str, now: datetime, ward: Ward | None = None) -> Agreed | None:
    """What is open of what was agreed at the site (about the ward, where one is given); None where
    nothing is. One query; in a closed room at most one more.

    A closed room is told of the next that is due where it is, by the bed's label, and which team,
    or which role, sees to it. The text of an action and the name of an owner are not even read:
    anybody may have typed anything into them.
    """
    found = open_at(Action.objects.filter(site=site), at=now)
    if ward is not None:
        found = found.filter(ward=ward)
    is_closed = zone == Zone.CLOSED
    rows = _marked(found, now).values(*_READ) if is_closed else found.values("due_at")
    told = list(rows.order_by("due_at", "pk"))
    if not told:
        return None
    late = sum(row["due_at"] < now for row in told)
    if not is_closed:
        return Agreed(len(told), late)
    ahead = next((row for row in told if row["due_at"] >= now), None)
    if ahead is None:
        return Next(len(told), late)
    # Of a restricted record nothing is said but that a bed is taken, not even that much is to do.
    bed = "" if ahead["hidden"] else ahead["bed__label"] or ""
    return Next(
        open=len(told),
        late=late,
        due_at=ahead["due_at"],
        ward=Label(ahead["ward__name"] or "" if ward is None else ""),
        bed=Label(bed),
        whose=_whose(ahead),
    )


def _marked(found: QuerySet[Any], now: datetime) -> QuerySet[Any]:
    """With `hidden`: whether a record is restricted of whom it is about, or of who lies in its bed
    now; any record of theirs."""
    lying = Occupancy.objects.filter(
        _restricted("episode__patient"), bed=OuterRef("bed"), period__contains=now
    )
    about = Episode.objects.filter(_restricted("patient"), pk=OuterRef("episode"))
    marked: QuerySet[Any] = found.annotate(hidden=Exists(lying) | Exists(about))
    return marked


def _restricted(patient: str) -> Q:
    return Q(**{f"{patient}__is_restricted": True}) | Q(
        **{f"{patient}__person__records__is_restricted": True}
    )


def _whose(row: dict[str, Any]) -> Label:
    """The team that owns it; of a person who signs in their team, or else their role; of somebody
    whose name was typed, nothing."""
    if row["team__name"]:
        return Label(row["team__name"])
    if row["owner"] is None:
        return Label("")
    grants = Grant.objects.filter(user=row["owner"]).order_by("team__name", "pk")
    held = grants.values_list("team__name", "role").first()
    if held is None:
        return Label("")
    team, role = held
    return Label(team or str(LABELS[Role(role)]))
