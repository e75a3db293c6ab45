"""The forms of notices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from huddles.escalation.forms import FORMATS
from huddles.escalation.notice_deeds import Wish
from huddles.models import NoticeHours, NoticeRule
from huddles.opel.rule_set import LEVELS
from wards.models import Site

SYSTEM = "system"
_ABOUT = NoticeRule.About


class RuleForm(forms.Form):
    """What somebody wants to be told of."""

    site = forms.ChoiceField(label=lazy("Where"))
    about = forms.ChoiceField(label=lazy("Of what"), choices=_ABOUT.choices)
    level = forms.TypedChoiceField(
        label=lazy("From level"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", lazy("Choose a level")), *((level, f"OPEL {level}") for level in LEVELS)],
        help_text=lazy("For a declared or a computed level."),
    )
    parameter = forms.ChoiceField(
        label=lazy("Parameter"), required=False, help_text=lazy("For a value.")
    )
    threshold = forms.FloatField(
        label=lazy("Worse than"),
        required=False,
        widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off"}),
        help_text=lazy("For a value."),
        error_messages={"invalid": lazy("Give a number such as 42 or 42.5.")},
    )

    def __init__(
        self, data: Any = None, *, sites: Sequence[Site], parameters: Mapping[str, str]
    ) -> None:
        super().__init__(data, auto_id="notice-%s")
        self._sites = {site.code: site for site in sites}
        self._offer("site", [*((s.code, s.name) for s in sites), (SYSTEM, _("The whole system"))])
        self._offer("parameter", [("", _("Choose a parameter")), *parameters.items()])
        for field in self.fields.values():
            is_list = isinstance(field.widget, forms.Select)
            field.widget.attrs["class"] = "nhsuk-select" if is_list else "nhsuk-input"

    def _offer(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = list(choices)

    def clean(self) -> dict[str, Any]:
        """A level for a level, a parameter and a number for a value."""
        found = super().clean() or {}
        if found.get("about") == _ABOUT.VALUE:
            if not found.get("parameter") and "parameter" not in self.errors:
                self.add_error("parameter", _("Choose a parameter."))
            if found.get("threshold") is None and "threshold" not in self.errors:
                self.add_error("threshold", _("Give the value past which you are told."))
            if found.get("site") == SYSTEM:
                self.add_error("site", _("A value is of one site. Choose a site."))
        elif found.get("level") is None and "level" not in self.errors:
            self.add_error("level", _("Choose a level."))
        return found

    @property
    def wish(self) -> Wish:
        """What was said; of a level nothing about a value, and the other way round."""
        said = self.cleaned_data
        about = _ABOUT(said["about"])
        site = self._sites.get(said["site"])
        if about == _ABOUT.VALUE:
            return Wish(site, about, parameter=said["parameter"], threshold=said["threshold"])
        return Wish(site, about, level=said["level"])


class HoursForm(forms.Form):
    """Quiet hours, and until when somebody is on duty."""

    quiet_from = forms.TimeField(label=lazy("Quiet from"))
    quiet_until = forms.TimeField(
        label=lazy("Quiet until"), help_text=lazy("The same time twice: no quiet hours.")
    )
    on_duty_until = forms.DateTimeField(
        label=lazy("On duty until"),
        required=False,
        input_formats=FORMATS,
        help_text=lazy("Until then you are told at once, also in quiet hours. Empty: not on duty."),
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"invalid": lazy("Give a date and a time, such as 21/11/2026 08:00.")},
    )

    def __init__(self, data: Any = None, *, hours: NoticeHours) -> None:
        initial = {
            "quiet_from": hours.quiet_from,
            "quiet_until": hours.quiet_until,
            "on_duty_until": hours.on_duty_until,
        }
        super().__init__(data, auto_id="hours-%s", initial=initial)
        for name in ("quiet_from", "quiet_until"):
            self.fields[name].widget = forms.TimeInput({"type": "time"}, format="%H:%M")
            self.fields[name].error_messages |= {"invalid": _("Give a time such as 20:00.")}
        for field in self.fields.values():
            field.widget.attrs["class"] = "nhsuk-input"
