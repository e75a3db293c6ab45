"""The forms by which a ward is run: its limits, and what of it is closed or opened together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.row_keys import row_key
from flow.bed_state_forms import CloseForm, UntilField
from flow.bedside_forms import WhenForm
from wards.limits import WIDEST
from wards.rule_files import Limits

WHOLE = "ward"
"""What is chosen for the whole ward, instead of the key of a bay."""


def _number(name: str, label: Any, help_text: Any = "") -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=0,
        max_value=int(WIDEST[name]),
        help_text=help_text,
        error_messages={"invalid": _("Give a whole number, or leave it empty.")},
    )


class LimitsForm(forms.Form):
    """What a ward can safely hold; empty: no limit is known."""

    most_patients = _number("most_patients", _("Patients at most"))
    most_acute = _number("most_acute", _("Of these of level 2 or 3"))
    patients_per_nurse = forms.FloatField(
        label=_("Patients for each registered nurse"),
        required=False,
        min_value=0.1,
        max_value=WIDEST["patients_per_nurse"],
        help_text=_("Empty: what the rules say."),
        error_messages={"invalid": _("Give a number such as 6 or 7.5, or leave it empty.")},
    )
    side_rooms_kept = _number("side_rooms_kept", _("Side rooms kept back for emergencies"))
    cleaned_after = _number(
        "cleaned_after",
        _("Minutes until an emptied bed is ready"),
        _("With a time, beds emptied by hand need cleaning; empty or 0: they do not."),
    )
    youngest = _number("youngest", _("Youngest, in years"))
    oldest = _number("oldest", _("Oldest, in years"))
    ring_fenced = forms.BooleanField(label=_("Kept for elective patients"), required=False)

    def __init__(self, data: Any = None, *, known: Limits) -> None:
        initial = {field.name: getattr(known, field.name) for field in fields(Limits)}
        if known.patients_per_nurse is not None:
            initial["patients_per_nurse"] = f"{known.patients_per_nurse:g}"
        super().__init__(data, initial=initial, auto_id="limit-%s")
        for field in self.fields.values():
            if isinstance(field, forms.BooleanField):
                continue
            field.widget = forms.TextInput()
            field.widget.attrs |= {
                "class": "nhsuk-input nhsuk-input--width-5",
                "inputmode": "decimal" if isinstance(field, forms.FloatField) else "numeric",
                "autocomplete": "off",
            }

    @property
    def limits(self) -> Limits:
        """What was said."""
        return Limits(**{field.name: self.cleaned_data[field.name] for field in fields(Limits)})


def _place(places: Sequence[tuple[str, str]]) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=_("What"),
        choices=[("", _("Choose a bay, or the whole ward")), *places],
        error_messages={
            "required": _("Choose a bay, or the whole ward."),
            "invalid_choice": _("That cannot be chosen any more. Choose again."),
        },
    )


class PlaceForm(WhenForm):
    """A bay or the whole ward."""

    def __init__(
        self, data: Any = None, *, places: Sequence[tuple[str, str]], auto_id: str
    ) -> None:
        super().__init__(data, auto_id=auto_id)
        _offer(self, places)


class OpenGroupForm(PlaceForm):
    """Until when its escalation beds are open."""

    until = UntilField(_("Until"))


class CloseGroupForm(CloseForm):
    """A bay or the whole ward, why it is out of use, and until when."""

    def __init__(self, data: Any = None, *, places: Sequence[tuple[str, str]]) -> None:
        super().__init__(data, auto_id="close-%s")
        _offer(self, places)
        self.fields["until"].label = _("Expected until")


def bay_of(form: forms.Form) -> int | None:
    """The bay that was chosen; None for the whole ward."""
    chosen: str = form.cleaned_data["place"]
    return None if chosen == WHOLE else row_key(chosen)


def _offer(form: WhenForm, places: Sequence[tuple[str, str]]) -> None:
    form.fields["place"] = _place(places)
    form.fields["place"].widget.attrs["class"] = "nhsuk-select"
    form.order_fields(("place", "reason", "until", "note", "occurred_at"))
