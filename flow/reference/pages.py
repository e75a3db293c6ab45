"""The page that shows our own figures beside those of national peers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median, quantiles
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import Organisation
from flow.reference.asking import EVERY, Wish, wish
from flow.reference.charts import Bar, peers_figure
from flow.reference.peers import (
    COMPARISONS,
    SIZE,
    Available,
    Ours,
    Peer,
    available,
    bodies,
    files,
    nearest,
    ours,
    peers,
    rank,
)
from flow.returns.pages import bodies_of
from wards.scope import scope_of


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table, and of the picture. peer: None for our own."""

    bar: Bar
    peer: Peer | None
    days: int


@require_safe
def beside_peers(request: HttpRequest) -> HttpResponse:
    """Our own figures beside those published of trusts of our size, or of those named."""
    mine = bodies_of(scope_of(request.user))
    if not mine:
        raise PermissionDenied(
            _(
                "Comparisons are of whole organisations, and you have a role at none. "
                "Ask your administrator."
            )
        )
    now = timezone.now()
    chosen = next((b for b in mine if b.code == request.GET.get("organisation")), mine[0])
    known = available({one.part for one in COMPARISONS} | {SIZE})
    asked = wish(request.GET, known)
    context: dict[str, Any] = {
        "organisations": mine,
        "organisation": chosen,
        "files": files(),
        "wish": asked,
    }
    if asked is not None:
        context |= _compared(asked, chosen, known, now)
    status = 400 if asked is not None and asked.errors else 200
    response = render(request, "flow/peers.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _compared(
    asked: Wish, organisation: Organisation, known: Mapping[str, Available], now: datetime
) -> dict[str, Any]:
    own = ours(asked.comparison, organisation, now=now)
    published = peers(
        asked.comparison,
        codes=asked.codes or None,
        first=asked.first,
        last=asked.last,
        share=asked.share,
    )
    others, choice = _chosen(asked, own, published)
    values = own.values(share=asked.share)
    lines = _in_order(others, values, organisation)
    middle = median(values) if values else None
    return {
        "own": own,
        "middle": middle,
        "latest": values[-1] if values else None,
        "our_first": own.days[0][0] if own.days else None,
        "our_last": own.days[-1][0] if own.days else None,
        "rank": rank(middle, others) if middle is not None else None,
        "lines": lines,
        "peer_count": len(others),
        "figure": peers_figure([line.bar for line in lines], share=asked.share),
        "choice": choice,
        "years": _years(asked.last, now.date()),
        "lacking": sorted(set(asked.codes) - {peer.code for peer in others}),
        "strangers": _strangers(asked),
        "measures": [(one, one.part in known) for one in COMPARISONS],
        "range": known[asked.comparison.part],
        "sized": SIZE in known,
        "keeps": _keeps(asked, organisation),
        "every": EVERY,
    }


def _chosen(asked: Wish, own: Ours, published: list[Peer]) -> tuple[list[Peer], str]:
    """The peers, and how they were chosen, in words."""
    if asked.by_hand:
        return published, _("named by hand")
    if not asked.number:
        return published, _("every trust of which figures are published")
    found = nearest(own.beds_open or 0, published, number=asked.number)
    if not own.beds_open or not found:
        return published, _("every trust, since sizes are not known")
    words = _("the %(number)d trusts nearest to our %(beds)d open general and acute beds")
    return found, words % {"number": len(found), "beds": own.beds_open}


def _in_order(
    others: Sequence[Peer], values: Sequence[float], organisation: Organisation
) -> list[Line]:
    lines = [
        Line(Bar(peer.short, peer.low, peer.middle, peer.high), peer, peer.days) for peer in others
    ]
    if values:
        low, high = _tenths(values)
        bar = Bar(organisation.name, low, median(values), high, ours=True)
        lines.append(Line(bar, None, len(values)))
    return sorted(lines, key=lambda line: -line.bar.middle)


def _tenths(values: Sequence[float]) -> tuple[float, float]:
    """Between which eight in ten of the values lie, counted as the database counts theirs."""
    if len(values) < 2:
        return values[0], values[0]
    cuts = quantiles(values, n=10, method="inclusive")
    return cuts[0], cuts[-1]


def _years(last: date, today: date) -> int:
    """Whole years since the last day of reference."""
    return (today - last).days // 365


def _strangers(asked: Wish) -> list[str]:
    """Codes named of which nothing at all is published."""
    return sorted(set(asked.codes) - bodies(asked.codes)) if asked.codes else []


def _keeps(asked: Wish, organisation: Organisation) -> str:
    """What the links to other measures keep of what was asked."""
    said: dict[str, str] = {"organisation": organisation.code}
    for name in ("show", "peers", "body"):
        if asked.typed[name] and name not in asked.errors:
            said[name] = asked.typed[name]
    return urlencode(said)
