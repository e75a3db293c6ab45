"""The form in which an action is said otherwise."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from flow.barrier_forms import WaitForm
from huddles.models import Action


class ChangeForm(WaitForm):
    """What is to be done, who does it, and by when."""

    text = forms.CharField(
        label=_("What"),
        max_length=Action.LONGEST,
        error_messages={"required": _("Say what is to be done.")},
    )
    owner = forms.CharField(
        label=_("Who"), max_length=320, error_messages={"required": _("Say who does it.")}
    )
    due_at = forms.DateTimeField(
        label=_("By"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={
            "required": _("Give the time by which it is to be done."),
            "invalid": _("Give a date and a time, such as 21/11/2026 08:00."),
        },
    )
