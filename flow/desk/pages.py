"""The page of the desk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.roles import Permission
from accounts.row_keys import row_key
from flow.asking import Asked
from flow.board_types import Sight
from flow.desk.called_off import called_off
from flow.desk.queue import Wanted, queue
from flow.desk.types import Queue
from flow.desk.words import KINDS, WAITS_FOR
from flow.navigation import address_of
from flow.showing import Show, answer
from flow.site_naming import site_named
from wards.models import Site
from wards.scope import ALL, Scope
from wards.suitability.facts import NeedKind

_FILTERS: Final = ("kind", "specialty", "ward", "waits_for")


@dataclass(frozen=True, slots=True)
class Wish:
    """What of the list the address asks for, as pairs; unknown values ask for nothing."""

    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, request: HttpRequest) -> Wish:
        """What this address asks for."""
        found = []
        for name in _FILTERS:
            found += [(name, value[:100]) for value in request.GET.getlist(name)[:20] if value]
        return cls(tuple(found))

    def values(self, name: str) -> tuple[str, ...]:
        """What is asked for of one filter."""
        return tuple(value for key, value in self.pairs if key == name)

    @property
    def wanted(self) -> Wanted:
        """The same as the queue takes it."""
        wards = [row_key(value) for value in self.values("ward")]
        return Wanted(
            kinds=self.values("kind"),
            specialties=self.values("specialty"),
            wards=[ward for ward in wards if ward is not None] or ([0] if wards else []),
            waits_for=self.values("waits_for"),
        )

    def toggled(self, name: str, value: str) -> str:
        """The address with this value alone, or without it where it was chosen."""
        rest = [pair for pair in self.pairs if pair[0] != name]
        if (name, value) not in self.pairs:
            rest.append((name, value))
        return f"?{urlencode(rest)}"


@require_safe
def desk(request: HttpRequest, code: str) -> HttpResponse:
    """Everybody who needs a bed at one site."""
    scope, place = site_named(request, code)
    if "at" in request.GET or "known_at" in request.GET:
        return redirect(request.path)  # a desk is worked at now; boards tell of the past
    wish = Wish.of(request)
    return answer(request, scope, _show(request, scope, place, wish))


def _show(request: HttpRequest, scope: Scope, place: Site, wish: Wish) -> Show:
    sight = Sight.of(scope)
    if not scope.may_anywhere(Permission.SEE_COUNTS):
        raise PermissionDenied(_("You have no role at any place yet. Ask your administrator."))

    def context(told: Asked, now: datetime) -> dict[str, Any]:
        board = queue(place, at=now, sight=sight, wanted=wish.wanted)
        return {
            "board": board,
            "site": place,
            "wish": wish,
            "kinds": _kinds(board, wish),
            "states": [
                (label, wish.toggled("waits_for", value), value in wish.values("waits_for"))
                for value, label in WAITS_FOR
            ],
            "specialties": _specialties(board, wish),
            "called_off": called_off(place.pk, at=now, sight=sight),
            "gives": scope.may_anywhere(Permission.MOVE_PATIENTS),
            "proposal_address": f"{reverse('desk:proposal', args=[place.code])}",
            "cleaning_address": _cleaning(place),
            "rules_address": _named("rules:rules", place),
        }

    return Show(
        "desk",
        _("Desk"),
        "flow/_queue.html",
        context,
        apart=place.code,
        private=sight.patients != frozenset(),
        subtitle=place.name,
        up=[(place.name, reverse("flow:site", args=[place.code]))],
        drawer=True,
        kept=wish.pairs,
        page="flow/queue.html",
        beside={"sites": _sites(scope, place)},
    )


def _kinds(board: Queue, wish: Wish) -> Sequence[tuple[str, int, str, bool]]:
    chosen = wish.values("kind")
    return [
        (str(KINDS[kind]), board.kinds.get(kind, 0), wish.toggled("kind", kind), kind in chosen)
        for kind in NeedKind
        if board.kinds.get(kind) or kind in chosen
    ]


def _specialties(board: Queue, wish: Wish) -> Sequence[tuple[str, int, str, bool]]:
    chosen = wish.values("specialty")
    names = sorted({*board.specialties, *chosen})
    return [
        (name, board.specialties.get(name, 0), wish.toggled("specialty", name), name in chosen)
        for name in names
    ]


def _sites(scope: Scope, place: Site) -> list[tuple[str, str, bool]]:
    """The desks that the viewer may see."""
    held = scope.sites_in_part(Permission.SEE_COUNTS)
    rows = Site.objects.exclude(kind=Site.Kind.UNRECOGNISED)
    if held != ALL:
        rows = rows.filter(pk__in=held)
    found = [
        (name, reverse("desk:desk", args=[code]), code == place.code)
        for code, name in rows.values_list("code", "name")
    ]
    return found if len(found) > 1 else []


def _cleaning(place: Site) -> str:
    return _named("cleaning:beds", place)


def _named(name: str, place: Site) -> str:
    address = address_of(name)
    return f"{address}?{urlencode({'site': place.code})}" if address else ""
