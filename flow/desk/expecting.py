"""Announcing somebody who is to come, of whom no feed tells."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from flow import bedside_reads as reads
from flow.bedside_types import DETAILS, Known
from flow.desk.forms import TermsForm, dress
from flow.person_forms import PersonForm
from flow.site_naming import site_named
from wards import movements
from wards.barriers import Said
from wards.expecting import Coming
from wards.models import Site, Ward
from wards.newcomers import Namesake
from wards.scope import Scope

METHODS: Final = (
    ("", lazy("Not said")),
    ("11", lazy("Elective: waiting list")),
    ("12", lazy("Elective: booked")),
    ("13", lazy("Elective: planned")),
    ("22", lazy("Emergency: general practitioner")),
    ("24", lazy("Emergency: consultant clinic")),
    ("2B", lazy("Emergency: transfer from another hospital")),
    ("81", lazy("Other transfer from another hospital")),
    ("28", lazy("Emergency: other")),
)
"""NHS Data Dictionary, ADMISSION METHOD; those by which people are announced."""
_USUAL: Final = timedelta(hours=2)


class WhoForm(PersonForm):
    """Who is to come."""

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="expect-%s")
        dress(self)


class ComingForm(TermsForm):
    """When they come, where to, and how they are admitted."""

    field_order = (
        "ward", "expected_at", "method", "specialty", "priority", "asked_by", "note",
    )  # fmt: skip
    expected_at = forms.DateTimeField(
        label=lazy("Expected"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={
            "required": lazy("Say when they are to be here."),
            "invalid": lazy("Give a date and a time, such as 21/11/2026 08:00."),
        },
    )
    method = forms.ChoiceField(label=lazy("How they come"), choices=METHODS, required=False)

    def __init__(self, data: Any = None, *, wards: list[Ward], at: datetime) -> None:
        super().__init__(data, wards=wards, auto_id="expect-%s")
        del self.fields["due_at"]
        field = self.fields["ward"]
        assert isinstance(field, forms.ChoiceField)
        field.required = True
        field.error_messages["required"] = _("Choose the ward that they come to.")
        field.choices = [("", _("Choose a ward")), *((str(one.pk), one.name) for one in wards)]
        self.initial["expected_at"] = (at + _USUAL).replace(minute=0, second=0, microsecond=0)

    def clean(self) -> dict[str, Any]:
        """No time apart by which the bed is wanted: that is when they come."""
        cleaned = super().clean() or self.cleaned_data
        cleaned["due_at"] = None
        return cleaned


@require_http_methods(["GET", "HEAD", "POST"])
def expect(request: HttpRequest, code: str) -> HttpResponse:
    """The form, and what was typed into it."""
    scope, place = site_named(request, code)
    now = timezone.now()
    wards = _wards(scope, place)
    if not wards:
        raise PermissionDenied(_("You may not admit anybody here. Ask your administrator."))
    posted = request.POST if request.method == "POST" else None
    page = _Page(request, place, WhoForm(posted), ComingForm(posted, wards=wards, at=now), now)
    if posted is None:
        return page.drawn(200)
    fits = [page.who.is_valid(), page.how.is_valid()]
    return page.kept() if all(fits) else page.drawn(422)


class _Page:
    """One request for the page."""

    def __init__(
        self, request: HttpRequest, place: Site, who: WhoForm, how: ComingForm, now: datetime
    ) -> None:
        self.request, self.place, self.who, self.how, self.now = request, place, who, how, now
        self.reason = ""
        self.known: Known | None = None
        self.namesakes: tuple[Namesake, ...] = ()

    def kept(self) -> HttpResponse:
        """Announce them; on to their request, where their bed is found."""
        by, ward = self.request.user, self.how.chosen_ward
        assert isinstance(by, User)
        assert ward is not None, "a ward has to be chosen"
        said = self.how.cleaned_data
        try:
            made = movements.expect(
                coming=Coming(
                    person=self.who.person(self.place.organisation.code),
                    details=self.who.details(),
                    expected_at=said["expected_at"],
                    method=said["method"],
                    specialty=said["specialty"].strip(),
                    confirmed=self.who.confirmed,
                    others=self.who.others,
                ),
                ward=ward,
                terms=self.how.terms,
                said=Said(self.now, by),
            )
        except movements.AlreadyKnown as known:
            face = reads.face_of(known.record) if known.seen else None
            self.known = Known(known.record, face, [str(DETAILS[name]) for name in known.differs])
            return self._refused(known)
        except movements.SameName as same:
            self.namesakes = same.namesakes
            return self._refused(same)
        except Refused as refusal:
            return self._refused(refusal)
        messages.success(
            self.request,
            _("They are expected on %(ward)s. Say what they need of a bed, and hold one.")
            % {"ward": ward.name},
        )
        return redirect(reverse("desk:request", args=[made.pk]))

    def _refused(self, refusal: Refused) -> HttpResponse:
        self.reason = refusal.reason
        return self.drawn(409)

    def drawn(self, status: int) -> HttpResponse:
        """The page with everything that was typed."""
        context = {
            "site": self.place,
            "who": self.who,
            "how": self.how,
            "reason": self.reason,
            "known": self.known,
            "namesakes": self.namesakes,
            "awaited": any(one.request is not None for one in self.namesakes),
            "wrong": bool(self.who.errors or self.how.errors),
            "desk_address": reverse("desk:desk", args=[self.place.code]),
        }
        response = render(self.request, "flow/expect.html", context, status=status)
        response["Cache-Control"] = "no-store"
        return response


def _wards(scope: Scope, place: Site) -> list[Ward]:
    """The wards of the site to which the viewer may admit somebody."""
    return [
        ward
        for ward in reads.wards_of_site(place.pk)
        if scope.may(Permission.MOVE_PATIENTS, ward.pk)
    ]
