"""Who somebody is that is admitted or announced: what is typed of them."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.row_keys import row_key
from patients.keys import Details, PersonKey
from patients.models import Patient
from patients.nhs_number import normalised

OLDEST: Final = 130
"""Years; nobody has grown older."""


class PersonForm(forms.Form):
    """Who it is, as far as known."""

    hospital_number = forms.CharField(label=_("Hospital number"), max_length=40, required=False)
    nhs_number = forms.CharField(label=_("NHS number"), max_length=20, required=False)
    family_name = forms.CharField(label=_("Family name"), max_length=200, required=False)
    given_name = forms.CharField(label=_("Given name"), max_length=200, required=False)
    date_of_birth = forms.DateField(
        label=_("Date of birth"),
        required=False,
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Give a date, such as 31/3/1947.")},
    )
    sex = forms.ChoiceField(
        label=_("Sex"),
        required=False,
        choices=[("", _("Not said")), *((sex.value, sex.label) for sex in Patient.Sex)],
    )

    @property
    def confirmed(self) -> int | None:
        """The record of somebody known that is said to be theirs."""
        return row_key(self.data.get("confirmed", ""))

    @property
    def others(self) -> list[int]:
        """The records of namesakes who are said to be other people."""
        keys = (row_key(text) for text in self.data.get("others", "").split())
        return [key for key in keys if key is not None]

    def clean_hospital_number(self) -> str:
        """A number that can be read: not of characters that nobody sees."""
        typed: str = self.cleaned_data["hospital_number"]
        if typed.strip() and not any(char.isalnum() for char in typed):
            raise forms.ValidationError(_("This is no hospital number: it has no letter or digit."))
        return typed

    def clean_nhs_number(self) -> str:
        """The ten digits; wrong digits are a slip to be put right, never kept."""
        typed: str = self.cleaned_data["nhs_number"]
        if not typed.strip():
            return ""
        number = normalised(typed)
        if number is None:
            raise forms.ValidationError(
                _("This is no NHS number: ten digits, the last of which checks the others.")
            )
        return number

    def clean_date_of_birth(self) -> Any:
        """Nobody is born tomorrow, or older than anybody was."""
        born: date | None = self.cleaned_data["date_of_birth"]
        today = timezone.localdate()
        if born and born > today:
            raise forms.ValidationError(_("This date is still to come."))
        if born and (born.year + OLDEST, born.month, born.day) < (
            today.year,
            today.month,
            today.day,
        ):
            raise forms.ValidationError(
                _("This is more than %(years)s years ago. Check the year."),
                params={"years": OLDEST},
            )
        return born

    def clean(self) -> dict[str, Any]:
        """Something must say who it is."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not any(
            cleaned.get(name) for name in ("hospital_number", "nhs_number", "family_name")
        ):
            raise forms.ValidationError(
                _("Give a hospital number, an NHS number or a family name.")
            )
        return cleaned

    def person(self, authority: str) -> PersonKey | None:
        """The record under the hospital number; None where none was given."""
        number = self.cleaned_data["hospital_number"].strip()
        return PersonKey(authority, number) if number else None

    def details(self) -> Details:
        """What was said of the person; what was left empty was not said."""
        names = ("nhs_number", "family_name", "given_name", "date_of_birth", "sex")
        said = {name: self.cleaned_data[name] for name in names if self.cleaned_data[name]}
        return Details(values=said)
