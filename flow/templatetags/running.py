"""Words of the pages on which wards are run."""

from __future__ import annotations

import math
from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _

from flow.running.board import Row
from wards.shifts import Shortage

register = template.Library()


@register.filter
def london_clock(time: datetime) -> str:
    """The time of the clock on the screens."""
    return f"{timezone.localtime(time):%H:%M}"


@register.filter
def patients_each(ratio: float) -> str:
    """How many patients a nurse has."""
    if math.isinf(ratio):
        return _("no nurse there")
    return _("%(number)s patients") % {"number": f"{ratio:.1f}"}


@register.filter
def short_words(short: Shortage) -> str:
    """What a shift lacks."""
    said = []
    if short.planned:
        said.append(_("%(number)d below plan") % {"number": short.planned})
    if short.needed:
        said.append(_("%(number)d more needed for the limit") % {"number": short.needed})
    return ", ".join(said)


@register.filter
def limit_words(row: Row) -> str:
    """The limits of a ward that this page judges by."""
    said = []
    if row.most is not None:
        own = "" if row.own else _(" by the rules")
        said.append(_("%(most)s a nurse%(own)s") % {"most": f"{row.most:g}", "own": own})
    if row.limits.most_patients is not None:
        said.append(_("%(most)d patients") % {"most": row.limits.most_patients})
    if row.limits.most_acute is not None:
        said.append(_("%(most)d of level 2 or 3") % {"most": row.limits.most_acute})
    return ", ".join(said) or _("none known")
