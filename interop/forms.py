"""Forms of the pages about feeds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from interop.models import Feed
from wards.models import Bed, Site, Ward

if TYPE_CHECKING:
    # These take parameters only where types are checked.
    ModelForm = forms.ModelForm[Feed]
    ChoiceOfWard = forms.ModelChoiceField[Ward]
    ChoiceOfBed = forms.ModelChoiceField[Bed]
else:
    ModelForm = forms.ModelForm
    ChoiceOfWard = ChoiceOfBed = forms.ModelChoiceField


_SAID_OF_A_FEED: Final = (
    "name",
    "sending_application",
    "sending_facility",
    "organisation",
    "default_site",
    "timezone",
    "encoding",
    "quiet_after",
    "is_recognised",
)


def _dress(form: forms.BaseForm) -> None:
    """Give the fields the NHS.UK frontend's classes."""
    for field in form.fields.values():
        match field.widget:
            case forms.Select():
                field.widget.attrs["class"] = "nhsuk-select"
            case forms.NumberInput():
                field.widget.attrs["class"] = "nhsuk-input nhsuk-input--width-4"
            case forms.TextInput():
                field.widget.attrs["class"] = "nhsuk-input nhsuk-u-width-two-thirds"


class WardChoice(ChoiceOfWard):
    """A ward, named with its site."""

    def label_from_instance(self, obj: Any) -> str:
        """As people tell wards of several sites apart."""
        return f"{obj.site.name}: {obj.name} ({obj.code})"


class BedChoice(ChoiceOfBed):
    """A bed of one ward, named with its bay."""

    def label_from_instance(self, obj: Any) -> str:
        """As people find it on the ward."""
        return f"{obj.bay}, bed {obj.label}" if obj.bay else f"Bed {obj.label}"


class FeedForm(ModelForm):
    """What is known of a feed. Its code stays: numbers are kept under it."""

    class Meta:
        model = Feed
        fields: Sequence[str] = _SAID_OF_A_FEED

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        site = self.fields["default_site"]
        if isinstance(site, forms.ModelChoiceField):
            site.queryset = Site.objects.exclude(kind=Site.Kind.UNRECOGNISED)
        _dress(self)


class NewFeedForm(FeedForm):
    """A feed that is set up before its first message."""

    class Meta(FeedForm.Meta):
        fields = ("code", *_SAID_OF_A_FEED)
        help_texts = {"code": _("Letters, digits, dots, dashes. It cannot be changed later.")}

    def clean_code(self) -> str:
        """A code that can stand in addresses and beside numbers."""
        code: str = self.cleaned_data["code"]
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", code):
            raise forms.ValidationError(_("Use letters, digits, dots and dashes only."))
        return code


class SameWardForm(forms.Form):
    """Which ward an unrecognised one really is."""

    same_as = WardChoice(
        label=_("It is the same as"), queryset=Ward.objects.none(), empty_label=_("Choose a ward")
    )

    def __init__(self, *args: Any, wards: QuerySet[Ward], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["same_as"]
        assert isinstance(field, forms.ModelChoiceField), "it is declared as one"
        field.queryset = wards
        _dress(self)


class NewWardForm(forms.Form):
    """An unrecognised ward is a ward of its own."""

    name = forms.CharField(label=_("Name"), max_length=200)
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[(k.value, k.label) for k in Ward.Kind if k != Ward.Kind.UNRECOGNISED],
        initial=Ward.Kind.INPATIENT,
    )
    site = forms.ModelChoiceField(
        label=_("Site"), queryset=Site.objects.none(), empty_label=_("Choose a site")
    )

    def __init__(self, *args: Any, sites: QuerySet[Site], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["site"]
        assert isinstance(field, forms.ModelChoiceField), "it is declared as one"
        field.queryset = sites
        _dress(self)


class SameBedForm(forms.Form):
    """Which bed of the ward an unrecognised one really is."""

    same_as = BedChoice(
        label=_("It is the same as"), queryset=Bed.objects.none(), empty_label=_("Choose a bed")
    )

    def __init__(self, *args: Any, beds: QuerySet[Bed], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["same_as"]
        assert isinstance(field, forms.ModelChoiceField), "it is declared as one"
        field.queryset = beds
        _dress(self)
