"""The forms of the drawer: what somebody by the bed says has happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from flow.bedside_reads import Candidate, Choice
from flow.person_forms import PersonForm
from wards.facts import Place

# NHS Data Dictionary, DISCHARGE DESTINATION.
DESTINATIONS: Final = (
    ("", _("Not said")),
    ("19", _("Usual place of residence")),
    ("29", _("Temporary place of residence")),
    ("51", _("Another NHS hospital")),
    ("54", _("Care home run by the NHS")),
    ("65", _("Care home run by the council")),
    ("85", _("Other care home")),
    ("88", _("Hospice")),
    ("87", _("Hospital outside the NHS")),
    ("79", _("Died")),
)


GIVEN_LATER: Final = "later"
"""Chosen instead of a bed: the other ward gives one on arrival."""


class WhenForm(forms.Form):
    """When it happened; left empty, it happened now."""

    occurred_at = forms.DateTimeField(
        label=_("When"),
        required=False,
        help_text=_("Leave empty for now."),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"invalid": _("Give a date and a time, such as 21/11/2026 08:00.")},
    )

    def __init__(
        self, data: Any = None, *, auto_id: str = "bedside-%s", bed: BedField | None = None
    ) -> None:
        super().__init__(data, auto_id=auto_id)
        if bed is not None:
            self.fields["bed"] = bed
            self.order_fields(self.field_order)
        for field in self.fields.values():
            kind = "nhsuk-select" if isinstance(field.widget, forms.Select) else "nhsuk-input"
            field.widget.attrs["class"] = kind

    def time(self, now: datetime) -> datetime:
        """When it happened."""
        said: datetime | None = self.cleaned_data["occurred_at"]
        return said or now


class BedSelect(forms.Select):
    """A list of beds; each option tells what the bed is called, for who types it after `m`."""

    called: Mapping[str, str] = {}

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """As any option, with the bed's name in `data-called`."""
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        if str(value) in self.called:
            option["attrs"]["data-called"] = self.called[str(value)]
        return option


class BedField(forms.ChoiceField):
    """A bed to be chosen; none is chosen beforehand."""

    def __init__(self, beds: Sequence[Choice], *, or_later: bool = False) -> None:
        choices: list[tuple[str, Any]] = [
            ("", _("Choose a bed") if beds or or_later else _("No bed is free here"))
        ]
        for one in beds:
            label = f"{one.label} ({one.note})" if one.note else one.label
            choices.append((str(one.bed), label))
        if or_later:
            choices.append((GIVEN_LATER, _("Bed to be given on the ward")))
        widget = BedSelect()
        widget.called = {str(one.bed): one.name for one in beds}
        super().__init__(
            label=_("Bed"),
            widget=widget,
            choices=choices,
            error_messages={
                "required": _("Choose a bed."),
                "invalid_choice": _("That bed is not free any more. Choose another one."),
            },
        )


class MoveForm(WhenForm):
    """To which bed of the chosen ward; of another ward than their own, also to none yet."""

    field_order = ("bed", "occurred_at")

    def __init__(
        self, data: Any = None, *, ward: int, beds: Sequence[Choice], is_here: bool
    ) -> None:
        self._ward = ward
        super().__init__(data, auto_id="move-%s", bed=BedField(beds, or_later=not is_here))

    def place(self) -> Place:
        """The place that was chosen."""
        bed = self.cleaned_data["bed"]
        return Place(ward=self._ward, bed=None if bed == GIVEN_LATER else int(bed))


class DischargeForm(WhenForm):
    """Where to."""

    field_order = ("destination", "occurred_at")
    destination = forms.ChoiceField(label=_("Where to"), choices=DESTINATIONS, required=False)


class BringForm(WhenForm):
    """Whom to bring to this bed."""

    field_order = ("episode", "occurred_at")
    episode = forms.ChoiceField(
        label=_("Who"),
        error_messages={
            "required": _("Choose somebody."),
            "invalid_choice": _("That patient is not waiting any more. Choose again."),
        },
    )

    def __init__(self, data: Any = None, *, people: Sequence[Candidate]) -> None:
        super().__init__(data, auto_id="bring-%s")
        field = self.fields["episode"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(str(one.episode), f"{one.name}, {one.why}") for one in people]


class AdmitForm(PersonForm, WhenForm):
    """Who is admitted, as far as known. With `beds`, into one of these instead."""

    field_order = (
        "bed",
        "hospital_number",
        "nhs_number",
        "family_name",
        "given_name",
        "date_of_birth",
        "sex",
        "occurred_at",
    )

    def __init__(self, data: Any = None, *, beds: Sequence[Choice] | None = None) -> None:
        super().__init__(data, auto_id="admit-%s", bed=None if beds is None else BedField(beds))

    @property
    def is_elsewhere(self) -> bool:
        """Whether another bed is to be chosen."""
        return "bed" in self.fields

    @property
    def chosen_bed(self) -> int | None:
        """The bed chosen instead, if any."""
        return int(self.cleaned_data["bed"]) if self.is_elsewhere else None
