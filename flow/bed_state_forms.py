"""The forms of a bed's drawer that speak of the bed itself: cleaning, closing, opening."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from flow.bedside_forms import WhenForm
from wards.models import BedStatus, Closure

_FORMATS: Final = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M"]


class UntilField(forms.DateTimeField):
    """A time to come; empty where nobody knows."""

    def __init__(self, label: Any) -> None:
        super().__init__(
            label=label,
            required=False,
            help_text=_("Leave empty if nobody knows yet."),
            input_formats=_FORMATS,
            widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
            error_messages={"invalid": _("Give a date and a time, such as 21/11/2026 08:00.")},
        )


class AskForm(WhenForm):
    """The bed needs cleaning: how."""

    field_order = ("level", "occurred_at")
    level = forms.ChoiceField(
        label=_("Which clean"),
        choices=[
            ("", _("Choose one")),
            (BedStatus.Level.ROUTINE.value, _("Routine clean")),
            (BedStatus.Level.TERMINAL.value, _("Terminal clean (after an infection)")),
        ],
        error_messages={"required": _("Choose a routine or a terminal clean.")},
    )


class CleanForm(WhenForm):
    """Cleaning has begun, or is done: of the level that was shown."""

    level = forms.CharField(required=False, widget=forms.HiddenInput)


class CloseForm(WhenForm):
    """Why the bed is out of use, and until when."""

    field_order = ("reason", "until", "note", "occurred_at")
    reason = forms.ChoiceField(
        label=_("Why"),
        choices=[("", _("Choose a reason")), *Closure.Reason.choices],
        error_messages={"required": _("Choose a reason.")},
    )
    until = UntilField(_("Until"))
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=500,
        help_text=_("No names of patients."),
    )


class OpenForm(WhenForm):
    """Until when an escalation bed is opened."""

    field_order = ("until", "occurred_at")
    until = UntilField(_("Until"))


def said_at(form: forms.Form) -> datetime | None:
    """When it happened, as typed; None for now."""
    found: datetime | None = form.cleaned_data["occurred_at"]
    return found
