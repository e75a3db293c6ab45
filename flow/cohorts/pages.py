"""The pages of cohorts: all of them, and one with its people, its journey and its days."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.roles import Permission
from flow.asking import Asked, asked, tidy
from flow.board_types import Sight as Wards
from flow.cohorts.board import Board, Known, Line, Member, Sight, board, lines
from flow.cohorts.counting import BACK, all_series, series
from flow.cohorts.export import csv_of
from flow.cohorts.people import areas_known
from flow.cohorts.picture import HEIGHT, WIDTH, charts, journey, spark
from flow.cohorts.wishes import Wish, wish
from flow.cohorts.wording import in_words, names_for, words_of
from flow.moment import Moment
from flow.part import parts_seen
from flow.showing import Show, answer
from patients.cohorts import Phase
from patients.models import Cohort
from wards.scope import Scope, scope_of

SEE: Final = Permission.SEE_COUNTS
DEFINE: Final = Permission.DEFINE_COHORTS
SHOWN: Final = 200
"""How many people the page lists; of a whole town nobody reads on. The file has all of them."""


@dataclass(frozen=True, slots=True)
class Row:
    """A cohort in the list. words: its criteria. parts: kind, begin and width of the stretches of
    its bar, in per cent. spark: the points of its line, empty where too few days are counted."""

    line: Line
    words: Sequence[str]
    parts: Sequence[tuple[str, float, float]]
    spark: str
    is_local: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody in the list of people. lost: bed days since the discharge ready date. address: of
    the stay's page, empty where the viewer may not open it."""

    member: Member
    lost: timedelta
    address: str


@require_safe
def cohorts(request: HttpRequest) -> HttpResponse:
    """Every cohort with its figures."""
    scope = scope_of(request.user)
    known = areas_known()
    if (elsewhere := led_away(scope, known)) is not None:
        return elsewhere
    return answer(request, scope, _show_all(scope, known))


@require_safe
def our_people(request: HttpRequest) -> HttpResponse:
    """Leads to everybody of one's neighbourhoods: the cohort of all who belong to any."""
    found = Cohort.objects.filter(who={"of_any_area": True}, is_withdrawn=False).first()
    return redirect("cohorts:one", found.slug) if found else redirect("cohorts:list")


@require_safe
def cohort(request: HttpRequest, slug: str) -> HttpResponse:
    """One cohort; the filters narrow the list of people, the figures are of the whole."""
    scope = scope_of(request.user)
    known = areas_known()
    if (elsewhere := led_away(scope, known)) is not None:
        return elsewhere
    found = named(slug)
    if any(not value for value in request.GET.values()) and "fragment" not in request.GET:
        return redirect(tidy(request.path, request.GET))
    wanted = wish(request.GET, found, scope=scope, known=known)
    if "format" in request.GET:
        return _export(request, scope, found, wanted, known)
    return answer(request, scope, _show(scope, found, wanted, known))


def led_away(scope: Scope, known: Known) -> HttpResponse | None:
    """None for who sees somebody; else the way to their work. Raises PermissionDenied for those
    who have none."""
    if Sight.of(scope, known[1].values()).any:
        return None
    if scope.may_anywhere(Permission.OWN_STEPS):
        return redirect("flow:work")
    raise PermissionDenied(
        _(
            "You have no role at any place or in the team of a neighbourhood yet. "
            "Ask your administrator."
        )
    )


def named(slug: str) -> Cohort:
    """The cohort of this slug. Raises Http404."""
    found = Cohort.objects.filter(slug=slug).select_related("organisation").first()
    if found is None:
        raise Http404(_("There is no cohort of this name."))
    return found


def may_change(scope: Scope, cohort: Cohort) -> bool:
    """Whether the cohort may be described anew: it was by hand, for a body of the viewer's."""
    return (
        cohort.by_id is not None
        and cohort.organisation_id is not None
        and scope.may_at_organisation(DEFINE, cohort.organisation_id)
    )


def is_local(source: str) -> bool:
    """Whether a source says that it is nobody's but ours."""
    return bool(re.match(r"local\b", source.strip(), re.IGNORECASE))


def _whose(scope: Scope, known: Known) -> str:
    """What the viewer sees a part of, in words; empty for who sees everybody."""
    said = []
    if scope.may_anywhere(SEE):
        part = parts_seen(Wards.of(scope)).whole
        if part is None:
            return ""
        said.append(f"{part.yours}: {part}")
    sight = Sight.of(scope, known[1].values())
    areas = [area.name for area in known[1].values() if area.slug in sight.areas]
    if areas:
        said.append(_("people of %(areas)s") % {"areas": ", ".join(areas)})
    return "; ".join(said)


def _sees_names(scope: Scope, known: Known) -> bool:
    sight = Sight.of(scope, known[1].values())
    return bool(sight.patients or sight.areas)


# --- all of them ----------------------------------------------------------------------------------


def _show_all(scope: Scope, known: Known) -> Show:
    def context(told: Asked, now: datetime) -> dict[str, Any]:
        moment = Moment(told.at or now, told.known_at)
        listed = lines(moment=moment, scope=scope, known=known) or []
        until = timezone.localtime(moment.at).date()
        sight = Sight.of(scope, known[1].values())
        days = all_series([line.cohort for line in listed], sight=sight, until=until)
        words = words_of([line.cohort for line in listed], known[1])
        return {
            "rows": [
                Row(
                    line,
                    words[line.cohort.pk],
                    _parts(line),
                    spark(days[line.cohort.pk], until=until),
                    is_local(line.cohort.source),
                )
                for line in listed
            ],
            "back": BACK,
        }

    return Show(
        "hub",
        _("Cohorts"),
        "flow/_cohorts.html",
        context,
        apart="cohorts",
        subtitle=_whose(scope, known),
        kept=(),
        page="flow/cohorts.html",
        beside={"may_define": scope.may_anywhere(DEFINE)},
    )


def _parts(line: Line) -> list[tuple[str, float, float]]:
    found, x = [], 0.0
    for phase in Phase:
        if count := line.phases.get(phase, 0):
            width = 100 * count / line.people
            found.append((phase.value, round(x, 2), round(width, 2)))
            x += width
    return found


# --- one ------------------------------------------------------------------------------------------


def _show(scope: Scope, found: Cohort, wanted: Wish, known: Known) -> Show:
    sees_names = _sees_names(scope, known)

    def context(told: Asked, now: datetime) -> dict[str, Any]:
        here = replace(wanted, when=told.pairs)
        moment = Moment(told.at or now, told.known_at)
        seen = board(found, moment=moment, scope=scope, wanted=here.wanted, known=known)
        assert seen is not None, "who sees nobody was led away"
        return _context(seen, here, told, known) | {"sees_names": sees_names}

    return Show(
        "hub",
        found.title,
        "flow/_cohort.html",
        context,
        apart=f"cohort {found.pk}",
        private=sees_names,
        subtitle=_whose(scope, known),
        up=[(_("Cohorts"), reverse("cohorts:list"))],
        drawer=True,
        kept=wanted.chosen,
        page="flow/cohort.html",
        beside={
            "cohort": found,
            "csv": sees_names,
            "may_define": scope.may_anywhere(DEFINE),
            "may_change": may_change(scope, found),
        },
        wrong=bool(wanted.errors),
    )


def _context(seen: Board, here: Wish, told: Asked, known: Known) -> dict[str, Any]:
    found = seen.cohort
    until = timezone.localtime(seen.moment).date()
    points = series(found, sight=seen.sight, until=until)
    scale = found.scale
    return {
        "board": seen,
        "cohort": found,
        "wish": here,
        "words": in_words(found.who, names_for([found.who], known[1])),
        "journey": journey(seen),
        "rows": [
            Entry(member, member.lost(seen.moment), _address(seen, member, told))
            for member in seen.listed[:SHOWN]
        ],
        "rest": max(0, len(seen.listed) - SHOWN),
        "chosen_steps": here.values("step"),
        "many_sites": len(seen.by_site) > 1,
        "asked_for": len(seen.listed) + seen.unseen,
        "charts": charts(points),
        "points": points[::-1],
        "back": BACK,
        "size": (WIDTH, HEIGHT),
        "scale": scale if scale.bands else None,
        "is_local": is_local(found.source),
        "scale_is_local": is_local(scale.source),
        "by_area": seen.by_area if known[1] else (),
    }


def _address(seen: Board, member: Member, told: Asked) -> str:
    if not seen.sight.opens(member.person):
        return ""
    return reverse("flow:stay", args=[member.person.episode]) + told.query


def _export(
    request: HttpRequest, scope: Scope, found: Cohort, wanted: Wish, known: Known
) -> HttpResponse:
    """The list as filtered. Who may see figures alone is refused: a row is a person, without a
    name as well."""
    if not _sees_names(scope, known):
        raise PermissionDenied(
            _(
                "The list names patients, whom you may not see. The figures are in "
                "/api/v1/cohorts/%(slug)s/."
            )
            % {"slug": found.slug}
        )
    now = timezone.now()
    told = asked(request, now=now)
    errors = [*wanted.errors, *([told.error] if told.error else [])]
    if request.GET["format"] != "csv":
        errors.append(_("The list is written as csv: give format=csv."))
    if errors:
        # A file that does not hold what was asked for would be taken for one that does.
        return HttpResponse("\n".join(errors), status=400, content_type="text/plain; charset=utf-8")
    moment = Moment(told.at or now, told.known_at)
    seen = board(found, moment=moment, scope=scope, wanted=wanted.wanted, known=known)
    assert seen is not None, "who sees nobody was led away"
    response = HttpResponse(csv_of(seen, moment), content_type="text/csv; charset=utf-8")
    name = f"{found.slug}-{timezone.localtime(moment.at):%Y-%m-%dT%H%M}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response
