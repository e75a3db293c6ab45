"""Values that people and programs tell of parameters."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Final
from uuid import uuid4

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.refusals import Refused
from huddles.escalation.rule_sets import escalates, in_force
from huddles.models import OpelValue, OpelWithdrawal
from huddles.opel.rule_set import Parameter
from live.doorbell import ring
from wards.models import Site

AHEAD: Final = timedelta(minutes=5)
"""How far the clock of whoever tells may be ahead of ours."""
OLDEST: Final = timedelta(days=7)
"""From how long ago a value may be told at all."""
LOOK: Final = timedelta(days=31)
"""How far back the last value of a parameter is looked for."""


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

    Raises Refused for an unknown parameter, a value that cannot be, a time to come or long past,
    and where another value has been told under the same key.
    """
    known = OpelValue.objects.filter(key=key).first() if key else None
    if known is not None:
        return _same(known, value, as_at, at)
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
    transaction.on_commit(lambda: _ring(site.pk))
    return Value(row, is_new=True) if is_new else _same(row, value, as_at, at)


def _same(known: OpelValue, value: float, as_at: datetime, at: datetime) -> Value:
    """What was told under a key, said again. Who gives no time means now, so that each time it is
    another; and a clock that was ahead was kept as ours."""
    another = as_at != at and not known.as_at <= as_at <= known.as_at + AHEAD
    if known.value != value or another:
        raise Refused(
            _("Under this key %(value)g has been told already, from %(when)s. Give a new key.")
            % {"value": known.value, "when": f"{timezone.localtime(known.as_at):%-d %b %H:%M}"}
        )
    return Value(known, is_new=False)


@transaction.atomic
def withdraw(*, value: OpelValue, at: datetime, by: User) -> OpelWithdrawal:
    """Take a told value back, and with it all that was told of its parameter by then, so that what
    Flowboard counts stands again. What was told is kept. Raises Refused where it counts no more:
    another has been told since, or somebody took it back."""
    # Two who take it back at once come one after the other.
    held = OpelValue.objects.select_for_update(of=("self",)).get(pk=value.pk)
    counting = latest([held.site_id], at=at).get((held.site_id, held.parameter))
    if counting is None or counting.pk != held.pk:
        raise Refused(
            _("That value has been withdrawn, or another has been told since. Look at it first.")
        )
    row = OpelWithdrawal.objects.create(value=held, at=at, by=by)
    transaction.on_commit(lambda: _ring(held.site_id))
    return row


def _ring(site: int) -> None:
    ring(["escalation", f"escalation:{site}"])


def _check(parameter: Parameter, value: float) -> None:
    low, high = parameter.bounds
    if not isfinite(value) or not parameter.can_be(value):
        raise Refused(
            _("%(name)s is from %(low)g to %(high)g %(unit)s.")
            % {"name": parameter.name, "low": low, "high": high, "unit": parameter.unit}
        )


def latest(sites: Collection[int], *, at: datetime) -> dict[tuple[int, str], OpelValue]:
    """The value told last of each parameter of each site, by both, unless that was withdrawn or is
    longer ago than anybody would look; one query. A withdrawal takes back what was told by then,
    of whatever time."""
    withdrawn = OpelWithdrawal.objects.filter(
        Q(value__gte=OuterRef("pk")) | Q(recorded_at__gte=OuterRef("recorded_at")),
        at__lte=at,
        value__site=OuterRef("site"),
        value__parameter=OuterRef("parameter"),
    )
    rows = OpelValue.objects.filter(
        ~Exists(withdrawn), site__in=list(sites), as_at__lte=at, as_at__gt=at - LOOK
    ).select_related("by")
    order = ("site_id", "parameter", "-as_at", "-recorded_at", "-pk")
    newest = rows.order_by(*order).distinct("site_id", "parameter")
    return {(row.site_id, row.parameter): row for row in newest}
