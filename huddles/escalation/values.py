"""Values that people and programs tell of parameters."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Final
from uuid import uuid4

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.refusals import Refused
from huddles.escalation.rule_sets import escalates, in_force
from huddles.models import OpelValue
from huddles.opel.rule_set import Parameter
from live.doorbell import ring
from wards.models import Site

AHEAD: Final = timedelta(minutes=5)
"""How far the clock of whoever tells may be ahead of ours."""
OLDEST: Final = timedelta(days=7)
"""From how long ago a value may be told at all."""
LOOK: Final = timedelta(days=31)
"""How far back the last value of a parameter is looked for."""
_BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "percent": (0, 1000),
    "minutes": (0, 7 * 24 * 60),
}
_BELOW_NOTHING: Final = frozenset({"attendance_variation"})
"""Parameters in per cent that compare, so that less than nothing is meant."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value that somebody told. is_new: False where the same had been told under its key."""

    row: OpelValue
    is_new: bool


def parameter_of(site: Site, code: str, *, at: datetime) -> Parameter:
    """The parameter of this code in the rules that hold for the site. Raises Refused."""
    if not escalates(site):
        raise Refused(_("Acute hospitals alone escalate by these parameters."))
    found = in_force(timezone.localtime(at).date()).of(site)
    if found is None:
        raise Refused(_("No rule set holds for this site, so no value of it can be told."))
    for one in found.rules.parameters:
        if one.code == code:
            return one
    known = ", ".join(one.code for one in found.rules.parameters)
    raise Refused(
        _("%(code)s is no parameter of the rules in force; those are %(known)s.")
        % {"code": code[:60], "known": known}
    )


@transaction.atomic
def tell(
    *,
    site: Site,
    parameter: str,
    value: float,
    as_at: datetime,
    source: OpelValue.Source,
    by: User,
    at: datetime,
    key: str = "",
) -> Value:
    """Keep a value of a parameter that was true at `as_at`. Under one `key` it is kept once.

    Raises Refused for an unknown parameter, a value that cannot be, and a time to come or long
    past.
    """
    known = OpelValue.objects.filter(key=key).first() if key else None
    if known is not None:
        return Value(known, is_new=False)
    _check(parameter_of(site, parameter, at=at), value)
    if as_at > at + AHEAD:
        raise Refused(_("That time has not come yet."))
    if as_at < at - OLDEST:
        raise Refused(_("A value from more than %(days)d days ago says nothing of now.")
                      % {"days": OLDEST.days})  # fmt: skip
    row, is_new = OpelValue.objects.get_or_create(
        key=key or uuid4().hex,
        defaults={
            "site": site,
            "parameter": parameter,
            "value": value,
            "as_at": min(as_at, at),
            "source": source,
            "by": by,
        },
    )
    transaction.on_commit(lambda: ring(["escalation", f"escalation:{site.pk}"]))
    return Value(row, is_new=is_new)


def _check(parameter: Parameter, value: float) -> None:
    low, high = _BOUNDS.get(parameter.unit, (-1e6, 1e6))
    if parameter.code in _BELOW_NOTHING:
        low = -100
    if not isfinite(value) or not low <= value <= high:
        raise Refused(
            _("%(name)s is from %(low)g to %(high)g %(unit)s.")
            % {"name": parameter.name, "low": low, "high": high, "unit": parameter.unit}
        )


def latest(sites: Collection[int], *, at: datetime) -> dict[tuple[int, str], OpelValue]:
    """The value told last of each parameter of each site, by both, unless that is longer ago than
    anybody would look; one query."""
    rows = OpelValue.objects.filter(
        site__in=list(sites), as_at__lte=at, as_at__gt=at - LOOK
    ).select_related("by")
    order = ("site_id", "parameter", "-as_at", "-recorded_at", "-pk")
    newest = rows.order_by(*order).distinct("site_id", "parameter")
    return {(row.site_id, row.parameter): row for row in newest}
