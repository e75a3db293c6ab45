"""By what the list of the hub is narrowed: each filter reads one fact of a stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.functional import Promise
from django.utils.text import format_lazy, slugify
from django.utils.translation import gettext_lazy as _

from flow.discharges import BANDS, DAY, Stay
from wards.models import Referral

NONE: Final = "none"
"""The value for stays that lack what is asked for."""
SEVERAL: Final = "several"


@dataclass(frozen=True, slots=True)
class Filter:
    """One way to narrow the list.

    name: in the address. label: on the page. key: the value of a stay at a moment; `none` where
    it has none. title: the value in words, given the stay. without: in words, for `none`.
    fixed: the only values there are, with their words; None where the database has them.
    """

    name: str
    label: str | Promise
    key: Callable[[Stay, datetime], str]
    title: Callable[[Stay], str] = lambda stay: ""
    without: str | Promise = ""
    fixed: Mapping[str, str | Promise] | None = None


def band_key(low: int, high: int | None) -> str:
    """How a band of days is called in an address: `3-7`, `21+`."""
    return f"{low}+" if high is None else f"{low}-{high}"


def band_of(stay: Stay, at: datetime) -> str:
    """The band of the days since the discharge ready date; `none` for who is not ready."""
    if stay.ready_since is None:
        return NONE
    waited = stay.waited(at)
    return next(
        band_key(low, high)
        for low, high in BANDS
        if waited >= low * DAY and (high is None or waited < high * DAY)
    )


def criteria_of(stay: Stay) -> str:
    """Whether criteria to reside are met: `none`, `met`, or `unknown` where nobody has looked."""
    if stay.ready_since is not None:
        return NONE
    return "unknown" if stay.criteria is None else "met"


def freed_by(stay: Stay) -> str:
    """The one organisation that all open barriers lie with: it could free the bed by itself."""
    owners = set(stay.owners)
    if not owners - {""}:
        return NONE
    return next(iter(owners)) if len(owners) == 1 else SEVERAL


def _bands() -> dict[str, str | Promise]:
    named: dict[str, str | Promise] = {}
    for low, high in BANDS:
        named[band_key(low, high)] = (
            format_lazy(_("{low} days or more since ready"), low=low)
            if high is None
            else format_lazy(_("{low} to {high} days since ready"), low=low, high=high)
        )
    return named


_PATHWAYS: Final = {
    "0": _("Pathway 0"),
    "1": _("Pathway 1"),
    "2": _("Pathway 2"),
    "3": _("Pathway 3"),
    NONE: _("No pathway said"),
}
_CRITERIA: Final = {
    NONE: _("Ready to leave"),
    "met": _("Criteria to reside met"),
    "unknown": _("Never reviewed"),
}
_OVERDUE: Final = {"yes": _("Past the target"), "no": _("Not past the target")}
_REFERRALS: Final = {
    **dict(Referral.Status.choices),
    NONE: _("No place asked for"),
}

FILTERS: Final[dict[str, Filter]] = {
    one.name: one
    for one in (
        Filter("site", _("Site"), lambda s, at: s.site, lambda s: s.site_name),
        Filter("ward", _("Ward"), lambda s, at: s.ward, lambda s: s.ward_name),
        Filter(
            "pathway",
            _("Pathway"),
            lambda s, at: NONE if s.pathway is None else str(s.pathway),
            fixed=_PATHWAYS,
        ),
        Filter("days", _("Days since ready"), band_of, fixed=_bands()),
        Filter(
            "family",
            _("Family of reasons"),
            lambda s, at: slugify(s.family) or NONE,
            lambda s: s.family,
            _("No barrier recorded"),
        ),
        Filter(
            "reason",
            _("Reason"),
            lambda s, at: s.reason or NONE,
            lambda s: s.label,
            _("No barrier recorded"),
        ),
        Filter(
            "organisation",
            _("Accountable"),
            lambda s, at: s.organisation or NONE,
            lambda s: s.organisation_name,
            _("Nobody accountable"),
        ),
        Filter(
            "team",
            _("Team"),
            lambda s, at: s.team or NONE,
            lambda s: s.team_name,
            _("With no team"),
        ),
        Filter(
            "freed_by",
            _("Could be freed by"),
            lambda s, at: freed_by(s),
            lambda s: s.organisation_name,
            _("Nobody"),
        ),
        Filter(
            "overdue",
            _("Target"),
            lambda s, at: "yes" if s.overdue(at) else "no",
            fixed=_OVERDUE,
        ),
        Filter(
            "referral", _("Place asked for"), lambda s, at: s.referral or NONE, fixed=_REFERRALS
        ),
        Filter("criteria", _("Criteria"), lambda s, at: criteria_of(s), fixed=_CRITERIA),
    )
}
