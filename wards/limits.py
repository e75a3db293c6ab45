"""Setting what a ward can safely hold, by hand, and who has set it when."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Final

import pghistory
from django.apps import apps
from django.db import transaction

from accounts.audit import deed
from accounts.models import User
from accounts.refusals import Refused
from live.doorbell import ring
from wards.models import Ward, WardLimits
from wards.rule_files import Limits
from wards.rule_loading import limits_changed, limits_in

WIDEST: Final = {
    "most_patients": 999,
    "most_acute": 999,
    "patients_per_nurse": 99.0,
    "side_rooms_kept": 99,
    "cleaned_after": 1440,
    "youngest": 120,
    "oldest": 120,
}
"""The highest value of each limit; more is a slip."""


@dataclass(frozen=True, slots=True)
class Change:
    """That somebody set the limits of a ward. by: "" where a file was loaded or nobody is known."""

    at: datetime
    by: str
    how: tuple[str, ...]


def limits_of(ward: int) -> Limits:
    """The limits of a ward as they stand."""
    row = WardLimits.objects.filter(pk=ward).first()
    return limits_in(row) if row is not None else Limits()


@transaction.atomic
def set_limits(
    *, ward: int, limits: Limits, seen: Limits | None = None, by: User | None
) -> tuple[str, ...]:
    """Set all limits of a ward; what is different from before, in words.

    `seen`: what the caller saw; where others hold by now, nothing is done. Raises Refused then,
    for an unknown ward, and for limits that contradict themselves.
    """
    _check(limits)
    place = Ward.objects.select_for_update(no_key=True).filter(pk=ward).first()
    if place is None:
        raise Refused(f"There is no ward with the key {ward}.")
    known = limits_of(ward)
    if seen is not None and seen != known:
        how = "; ".join(limits_changed(seen, known))
        raise Refused(f"Meanwhile somebody has set these limits: {how}. Look again, then decide.")
    changed = limits_changed(known, limits)
    if changed:
        with pghistory.context(**deed("set_limits", by)):
            WardLimits.objects.update_or_create(ward=place, defaults=asdict(limits))
        # What is cleaned and which bed suits hang on them.
        transaction.on_commit(lambda: ring(["cleaning", "desk", f"site:{place.site_id}"]))
    return changed


def history(ward: int, *, most: int = 20) -> list[Change]:
    """Who set the limits of a ward, the latest first; two queries."""
    model = apps.get_model("wards", "WardLimitsEvent")
    rows = list(model._default_manager.filter(pgh_obj_id=ward).order_by("-pgh_id")[: most + 1])
    said = [row.pgh_context or {} for row in rows]
    keys = {one["user"] for one in said if one.get("user") is not None}
    people = {user.pk: str(user) for user in User.objects.filter(pk__in=keys)}
    found = []
    for number, (row, told) in enumerate(zip(rows, said, strict=True)):
        before = limits_in(rows[number + 1]) if number + 1 < len(rows) else Limits()
        how = limits_changed(before, limits_in(row))
        if how and number < most:
            found.append(Change(row.pgh_created_at, people.get(told.get("user", 0), ""), how))
    return found


def _check(limits: Limits) -> None:
    for field in fields(Limits):
        value = getattr(limits, field.name)
        if value is None or field.name not in WIDEST:
            continue
        if not 0 <= value <= WIDEST[field.name]:
            raise Refused(f"A limit lies between 0 and {WIDEST[field.name]:g}, not at {value:g}.")
    if limits.patients_per_nurse is not None and limits.patients_per_nurse <= 0:
        raise Refused("Patients for each nurse are more than 0; leave it empty for no limit.")
    if None not in (limits.youngest, limits.oldest) and (limits.youngest or 0) > (
        limits.oldest or 0
    ):
        raise Refused("The youngest age is above the oldest.")
