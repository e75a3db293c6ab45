"""The forms in which places are asked, answer, and are taken up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation
from flow.barrier_forms import WaitForm
from flow.bedside_reads import Choice
from flow.referrals.places import Receiving
from patients.models import Code
from wards.models import Referral, Ward
from wards.referrals import PLACES

TIMES: Final = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M"]
_BODIES: Final = {"r": Referral.Kind.REPATRIATION, "o": Referral.Kind.OUT_OF_AREA}
_KINDS: Final = {ward: kind for kind, ward in PLACES.items()}


def _time(label: Any, *, required: bool) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label,
        required=required,
        input_formats=TIMES,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={
            "required": _("Give the time."),
            "invalid": _("Give a date and a time, such as 21/11/2026 08:00."),
        },
    )


class ReferForm(WaitForm):
    """Which place is asked, and what it has to know."""

    place = forms.ChoiceField(
        label=_("Place"), error_messages={"required": _("Choose the place that is asked.")}
    )
    pathway = forms.TypedChoiceField(
        label=_("Pathway"),
        choices=[("", _("As last reviewed")), *((str(n), f"P{n}") for n in range(4))],
        coerce=int,
        empty_value=None,
        required=False,
    )
    needs = forms.CharField(
        label=_("What they need"),
        max_length=500,
        required=False,
        help_text=_("What the place has to know to answer. The patient's name goes with it."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    due_at = _time(_("Answer wanted by (optional)"), required=False)

    def __init__(
        self,
        data: Any = None,
        *,
        places: Sequence[Receiving],
        bodies: Sequence[Organisation],
    ) -> None:
        super().__init__(data, auto_id="refer-%s")
        self._kinds: dict[str, str] = {
            f"w{one.ward}": _KINDS[Ward.Kind(one.kind)] for one in places
        }
        self._bodies = {str(body.pk): body for body in bodies}
        field = self.fields["place"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Choose a place")), *self._groups(places)]
        self.fields["needs"].widget.attrs["class"] = "nhsuk-textarea"

    def _groups(self, places: Sequence[Receiving]) -> Iterable[tuple[Any, list[tuple[str, Any]]]]:
        for kind, ward_kind in PLACES.items():
            there = [one for one in places if one.kind == ward_kind]
            if there:
                yield (
                    kind.label,
                    [
                        (
                            f"w{one.ward}",
                            _("%(name)s, %(site)s (%(left)d free)")
                            % {"name": one.name, "site": one.site_name, "left": max(one.left, 0)},
                        )
                        for one in there
                    ],
                )
        for letter, kind in _BODIES.items():
            if self._bodies:
                yield (kind.label, [(f"{letter}{pk}", b.name) for pk, b in self._bodies.items()])

    @property
    def kind(self) -> str:
        """The kind of what was chosen."""
        chosen: str = self.cleaned_data["place"]
        return self._kinds.get(chosen) or _BODIES[chosen[0]]

    @property
    def ward(self) -> Ward | None:
        """The place, where it is one of ours."""
        chosen: str = self.cleaned_data["place"]
        if not chosen.startswith("w"):
            return None
        return Ward.objects.select_related("site__organisation").get(pk=int(chosen[1:]))

    @property
    def organisation(self) -> Organisation | None:
        """The body, where it places people itself."""
        chosen: str = self.cleaned_data["place"]
        return None if chosen.startswith("w") else self._bodies[chosen[1:]]


class AcceptForm(WaitForm):
    """From when on they take the patient."""

    starts_at = _time(_("They can come from"), required=True)
    note = forms.CharField(label=_("Note (optional)"), max_length=500, required=False)

    @property
    def start(self) -> datetime:
        """The time given."""
        start: datetime = self.cleaned_data["starts_at"]
        return start


class DeclineForm(WaitForm):
    """Why they cannot."""

    reason = forms.ChoiceField(
        label=_("Why"), error_messages={"required": _("Choose why they cannot be taken.")}
    )
    note = forms.CharField(label=_("Note (optional)"), max_length=500, required=False)

    def __init__(self, data: Any = None, *, reasons: Sequence[Code]) -> None:
        super().__init__(data, auto_id="decline-%s")
        self._reasons = {str(code.pk): code for code in reasons}
        field = self.fields["reason"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Choose")), *((pk, c.label) for pk, c in self._reasons.items())]

    @property
    def code(self) -> Code:
        """The reason chosen."""
        return self._reasons[self.cleaned_data["reason"]]


class WithdrawForm(WaitForm):
    """Why the place is not wanted any more."""

    note = forms.CharField(
        label=_("Why"),
        max_length=500,
        error_messages={"required": _("Say why the place is not wanted any more.")},
    )


class ArriveForm(WaitForm):
    """The bed they are in now."""

    bed = forms.ChoiceField(label=_("Bed"), required=False)
    note = forms.CharField(label=_("Note (optional)"), max_length=500, required=False)

    def __init__(self, data: Any = None, *, beds: Sequence[Choice]) -> None:
        super().__init__(data, auto_id="place-%s")
        field = self.fields["bed"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            ("", _("Bed to be given later")),
            *((str(one.bed), f"{one.label} ({one.note})" if one.note else one.label)
              for one in beds),
        ]  # fmt: skip
        field.error_messages["invalid_choice"] = _("That bed is not free any more. Choose another.")

    @property
    def chosen(self) -> int | None:
        """The key of the bed."""
        return int(self.cleaned_data["bed"]) if self.cleaned_data["bed"] else None
