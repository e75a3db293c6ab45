"""The forms of the desk: how a bed is asked for, what it has to be, for how long it is held."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from flow.desk.words import FLAGS, PRIORITIES
from flow.templatetags.boards import code_word
from patients.models import CareNeeds
from wards.care_needs import Needed
from wards.models import Ward
from wards.requests import FAR, FURTHEST, Terms

HOURS: Final = (1, 2, 4, 8, 12, 24)
"""For how many hours a bed can be held with one key."""
USUAL_HOURS: Final = 4
"""For how many hours it is held unless somebody chooses otherwise."""
CORRIDOR_GROUPS: Final = (
    ("child", _("Child")),
    ("news2_over_5", _("NEWS2 above 5")),
    ("severe_frailty", _("Severe frailty")),
    ("end_of_life", _("Last days of life")),
    ("isolation", _("Needs isolation")),
    ("mental_health_crisis", _("Mental health crisis")),
    ("pregnant", _("Pregnant")),
    ("delirium_dementia", _("Delirium or dementia")),
    ("immunosuppressed", _("Immunosuppressed")),
    ("high_oxygen", _("High-flow oxygen")),
)
"""Groups never to be cared for in a corridor. The full official list could not be confirmed: a
start, in the words of a trust's own policy."""


class TermsForm(forms.Form):
    """How a bed is asked for."""

    ward = forms.ChoiceField(label=_("Ward asked for"), required=False)
    priority = forms.TypedChoiceField(label=_("Priority"), coerce=int, choices=PRIORITIES)
    due_at = forms.DateTimeField(
        label=_("Wanted by"),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"invalid": _("Give a date and a time, such as 21/11/2026 08:00.")},
    )
    specialty = forms.ChoiceField(label=_("Specialty"), required=False)
    asked_by = forms.CharField(label=_("Asked by"), required=False, max_length=100)
    note = forms.CharField(
        label=_("Note"), required=False, max_length=500, widget=forms.Textarea({"rows": 2})
    )

    def __init__(
        self,
        data: Any = None,
        *,
        wards: Sequence[Ward],
        terms: Terms | None = None,
        ward: int | None = None,
        auto_id: str = "terms-%s",
    ) -> None:
        said = terms or Terms()
        initial = {
            "ward": str(ward or ""),
            "priority": said.priority,
            "due_at": said.due_at,
            "specialty": said.specialty,
            "asked_by": said.asked_by,
            "note": said.note,
        }
        super().__init__(data, initial=initial, auto_id=auto_id)
        self._wards = {str(one.pk): one for one in wards}
        field = self.fields["ward"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Wherever one is found"))] + [
            (key, f"{one.name} ({one.site.code})") for key, one in self._wards.items()
        ]
        special = self.fields["specialty"]
        assert isinstance(special, forms.ChoiceField)
        codes = {one.specialty for one in wards} | {said.specialty}
        special.choices = [
            ("", _("Not said")),
            *((code, code_word(code)) for code in sorted(codes - {""}, key=code_word)),
        ]
        dress(self)

    def clean_due_at(self) -> datetime | None:
        """A time that can be meant, so that the field itself says what is wrong."""
        due: datetime | None = self.cleaned_data["due_at"]
        if due is not None and abs(due - timezone.now()) > FURTHEST:
            raise forms.ValidationError(FAR)
        return due

    @property
    def chosen_ward(self) -> Ward | None:
        """The ward that was chosen."""
        return self._wards.get(self.cleaned_data["ward"])

    @property
    def terms(self) -> Terms:
        """How the bed is asked for."""
        said = self.cleaned_data
        return Terms(
            priority=said["priority"],
            specialty=said["specialty"],
            asked_by=said["asked_by"],
            note=said["note"],
            due_at=said["due_at"],
        )


class NeedsForm(forms.Form):
    """What the patient needs of a bed."""

    isolation = forms.ChoiceField(
        label=_("Isolation"), choices=CareNeeds.Isolation.choices, required=False
    )
    infections = forms.CharField(
        label=_("Infections"),
        required=False,
        help_text=_("Short names with commas between. Those with the same can share a bay."),
    )
    requires = forms.MultipleChoiceField(
        label=_("The bed must have"),
        choices=CareNeeds.Require.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    flags = forms.MultipleChoiceField(
        label=_("The patient"),
        choices=list(FLAGS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    acuity = forms.ChoiceField(
        label=_("Level of care"),
        required=False,
        choices=[
            ("", _("Not said")),
            ("0", _("0: ward")),
            ("1", _("1: ward with support")),
            ("2", _("2: high dependency")),
            ("3", _("3: intensive care")),
        ],
    )
    corridor_groups = forms.MultipleChoiceField(
        label=_("Never in a corridor because"),
        choices=CORRIDOR_GROUPS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, data: Any = None, *, needed: Needed | None = None) -> None:
        said = needed or Needed()
        super().__init__(
            data,
            initial={
                "isolation": said.isolation,
                "infections": ", ".join(said.infections),
                "requires": list(said.requires),
                "flags": [name for name in FLAGS if getattr(said, name)],
                "acuity": "" if said.acuity is None else str(said.acuity),
                "corridor_groups": list(said.corridor_groups),
            },
            auto_id="needs-%s",
        )
        known = {key for key, _label in CORRIDOR_GROUPS}
        field = self.fields["corridor_groups"]
        assert isinstance(field, forms.MultipleChoiceField)
        others = [(one, one) for one in said.corridor_groups if one not in known]
        field.choices = [*CORRIDOR_GROUPS, *others]
        dress(self)

    @property
    def needed(self) -> Needed:
        """What was said."""
        said = self.cleaned_data
        names = [name.strip() for name in said["infections"].split(",")]
        flags = {name: name in said["flags"] for name in FLAGS}
        return Needed(
            isolation=said["isolation"],
            infections=tuple(name for name in names if name),
            requires=tuple(said["requires"]),
            acuity=int(said["acuity"]) if said["acuity"] else None,
            corridor_groups=tuple(said["corridor_groups"]),
            **flags,
        )


class AskForm(TermsForm):
    """Ask for a bed for somebody who is on a ward; the deed of a bedside too."""

    def __init__(
        self,
        data: Any = None,
        *,
        wards: Sequence[Ward],
        terms: Terms | None = None,
        ward: int | None = None,
    ) -> None:
        super().__init__(data, wards=wards, terms=terms, ward=ward, auto_id="ask-%s")


class WithdrawForm(forms.Form):
    """Why the bed is not wanted any more."""

    reason = forms.CharField(label=_("Why"), max_length=100)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="withdraw-%s")
        dress(self)


class HoldForm(forms.Form):
    """For how long a bed is held, and why against the rules."""

    hours = forms.TypedChoiceField(
        label=_("Hold for"),
        coerce=int,
        choices=[(hours, f"{hours} h") for hours in HOURS],
        initial=USUAL_HOURS,
        required=False,
        empty_value=str(USUAL_HOURS),
        error_messages={
            "invalid_choice": _("For how long it is held cannot be read. Choose again.")
        },
    )
    reason = forms.CharField(
        required=False,
        max_length=500,
        error_messages={
            "max_length": _("A reason has 500 characters at most, this one %(show_value)d."),
            "null_characters_not_allowed": _("The reason has characters that cannot be kept."),
        },
    )

    def until(self, at: datetime) -> datetime:
        """Until when."""
        return at + timedelta(hours=int(self.cleaned_data["hours"]))


def dress(form: forms.Form) -> None:
    """Give the fields the looks of the NHS.UK frontend."""
    for field in form.fields.values():
        widget = field.widget
        if isinstance(widget, forms.CheckboxSelectMultiple):
            continue
        if isinstance(widget, forms.Textarea):
            widget.attrs["class"] = "nhsuk-textarea"
        elif isinstance(widget, forms.Select):
            widget.attrs["class"] = "nhsuk-select"
        else:
            widget.attrs["class"] = "nhsuk-input"


__all__ = ["AskForm", "HoldForm", "NeedsForm", "TermsForm", "WithdrawForm", "dress"]
