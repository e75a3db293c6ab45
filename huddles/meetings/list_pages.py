"""The meetings of a site: what is due, what was held, and how each is held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

import pghistory
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.audit import deed
from accounts.models import User
from accounts.roles import Permission
from flow.site_naming import site_named
from huddles.meetings.addresses import address_of, template_named
from huddles.meetings.board import may_confirm
from huddles.meetings.due import held_at, is_forgotten, next_start, recent
from huddles.meetings.forms import TemplateForm
from huddles.meetings.holding import timetable_of
from huddles.meetings.knowing import ASKED
from huddles.models import Huddle, HuddleLine, HuddleSpeaker, HuddleTemplate
from wards.models import Site, Ward
from wards.scope import ALL, Scope, scope_of

MOST: Final = 30
"""Meetings of the past that are listed."""


@dataclass(frozen=True, slots=True)
class MyLine:
    """A ward whose line the viewer may confirm, and whether it has been."""

    name: str
    address: str
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class DueMeeting:
    """The next meeting of a template, or the one that runs. address: of its page; lines: of the
    viewer's wards, once they can be said."""

    template: HuddleTemplate
    starts_at: datetime
    address: str
    runs: bool
    lines: Sequence[MyLine]
    may_change: bool


@require_safe
def meetings(request: HttpRequest, code: str) -> HttpResponse:
    """What is due at a site, first the viewer's own lines, and what was held."""
    scope, place = site_named(request, code)
    now = timezone.now()
    held = (
        Huddle.objects.filter(template__site=place, closed_at__isnull=False)
        .select_related("template", "chair")
        .defer("frozen")
        .order_by("-starts_at")[:MOST]
    )
    may_run = scope.may_at_site(Permission.RUN_HUDDLES, place.pk)
    context = {
        "site": place,
        "due": due_meetings(place, scope, at=now),
        "held": [(one, address_of("summary", one.template_id, one.starts_at)) for one in held],
        "may_run": may_run,
        "not_held": HuddleTemplate.objects.filter(site=place, is_active=False) if may_run else (),
        "new_address": reverse("huddles:new_template", args=[place.code]) if may_run else "",
        "title": _("Huddles"),
        "subtitle": place.name,
        "up": [(place.name, reverse("flow:site", args=[place.code]))],
        "moment": now,
    }
    response = render(request, "huddles/meetings.html", context)
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def first(request: HttpRequest) -> HttpResponse:
    """The huddles of the first site in sight that holds any, else of the first in sight."""
    held = scope_of(request.user).sites_in_part(Permission.SEE_COUNTS)
    sites = Site.objects.exclude(kind=Site.Kind.UNRECOGNISED)
    if held != ALL:
        sites = sites.filter(pk__in=held)
    chosen = sites.filter(huddle_templates__is_active=True).distinct().first() or sites.first()
    if chosen is None:
        raise PermissionDenied(_("You have no role at any place yet. Ask your administrator."))
    return redirect("huddles:meetings", chosen.code)


def due_meetings(site: Site, scope: Scope, *, at: datetime) -> list[DueMeeting]:
    """The next meeting of each template of a site, or the one that runs, the first first; three
    queries."""
    templates = list(held_at(site).prefetch_related("speakers"))
    known: dict[int, list[Huddle]] = {}
    for one in recent(templates, at=at).order_by("template", "-starts_at"):
        known.setdefault(one.template_id, []).append(one)
    wards = list(Ward.objects.filter(site=site, same_as=None).order_by("position", "name"))
    said = {
        (line.huddle_id, line.ward_id): line.confirmed_at
        for line in HuddleLine.objects.filter(
            huddle__in=[one for rows in known.values() for one in rows if not one.closed_at]
        )
    }
    found = []
    for template in templates:
        rows = known.get(template.pk, [])
        start = next_start(template, rows, at=at)
        if start is None:
            continue
        here = next((one for one in rows if one.starts_at == start), None)
        opens = start - timetable_of(template).opens_before
        found.append(
            DueMeeting(
                template=template,
                starts_at=start,
                address=address_of("meeting", template.pk, start),
                runs=here is not None and here.runs and not is_forgotten(here, at=at),
                lines=_my_lines(template, start, wards, scope, here, said) if at >= opens else (),
                may_change=scope.may_at_site(Permission.RUN_HUDDLES, site.pk),
            )
        )
    return sorted(found, key=lambda one: one.starts_at)


def _my_lines(
    template: HuddleTemplate,
    start: datetime,
    wards: Sequence[Ward],
    scope: Scope,
    huddle: Huddle | None,
    said: dict[tuple[int, int], datetime],
) -> list[MyLine]:
    speakers = {one.ward_id: one.is_asked for one in template.speakers.all()}
    key = huddle.pk if huddle is not None else 0
    return [
        MyLine(ward.name, address_of("line", template.pk, start, ward.pk), said.get((key, ward.pk)))
        for ward in wards
        if speakers.get(ward.pk, ward.kind in ASKED)
        and may_confirm(scope, template.site_id, ward.pk)
    ]


@require_http_methods(["GET", "HEAD", "POST"])
def new_template(request: HttpRequest, code: str) -> HttpResponse:
    """A meeting of a site is set up."""
    scope, place = site_named(request, code)
    if not scope.may_at_site(Permission.RUN_HUDDLES, place.pk):
        raise PermissionDenied(_("Meetings are set up by those who run the huddles of this site."))
    assert isinstance(request.user, User)
    return _form(request, HuddleTemplate(site=place), request.user)


@require_http_methods(["GET", "HEAD", "POST"])
def change_template(request: HttpRequest, template: int) -> HttpResponse:
    """How a meeting is held from now on."""
    user, scope, found = template_named(request, template)
    if not scope.may_at_site(Permission.RUN_HUDDLES, found.site_id):
        raise PermissionDenied(_("Meetings are set up by those who run the huddles of this site."))
    return _form(request, found, user)


def _form(request: HttpRequest, template: HuddleTemplate, by: User) -> HttpResponse:
    wards = list(
        Ward.objects.filter(site=template.site, same_as=None)
        .exclude(kind=Ward.Kind.UNRECOGNISED)
        .order_by("position", "name")
    )
    speakers = {one.ward_id: one for one in template.speakers.all()} if template.pk else {}
    posted = request.POST if request.method == "POST" else None
    form = TemplateForm(posted, template=template, wards=wards, speakers=speakers)
    if posted is not None and form.is_valid():
        try:
            _keep(form, template, wards, by)
        except IntegrityError:
            form.add_error("name", _("This site has a meeting of that name. Choose another."))
        else:
            messages.success(request, _("Kept. It holds from the next meeting on."))
            return redirect("huddles:meetings", template.site.code)
    context = {
        "form": form,
        "template": template,
        "title": template.name or _("A new meeting"),
        "site": template.site,
        "up": [(_("Huddles"), reverse("huddles:meetings", args=[template.site.code]))],
        "moment": timezone.now(),
    }
    response = render(request, "huddles/template.html", context)
    if form.errors:
        response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    response["Cache-Control"] = "no-store"
    return response


@transaction.atomic
def _keep(form: TemplateForm, template: HuddleTemplate, wards: Sequence[Ward], by: User) -> None:
    """Store the template and who speaks for which ward."""
    with pghistory.context(**deed("change_huddle_template", by)):
        for name, value in form.values.items():
            setattr(template, name, value)
        template.save()
        template.speakers.all().delete()
        HuddleSpeaker.objects.bulk_create(
            HuddleSpeaker(template=template, ward=ward, who=who, is_asked=asked)
            for ward, (who, asked) in zip(wards, form.speakers, strict=True)
            if who or asked != (ward.kind in ASKED)
        )
