"""The forms of escalation: a level declared, values told by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from huddles.escalation.standing import Line
from huddles.opel.rule_set import LEVELS

FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M"]


class DeclareForm(forms.Form):
    """A level, and why."""

    level = forms.TypedChoiceField(
        label=_("Level"),
        coerce=int,
        choices=[(level, f"OPEL {level}") for level in LEVELS],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a level.")},
    )
    reason = forms.CharField(
        label=_("Why"),
        max_length=500,
        widget=forms.Textarea({"rows": 2, "class": "nhsuk-textarea"}),
        help_text=_("Kept with your name. No details of patients."),
        error_messages={"required": _("Say why. A level is declared with a reason.")},
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, seen: str = "") -> None:
        super().__init__(data, auto_id="declare-%s", initial={"seen": seen})


class ValuesForm(forms.Form):
    """Values of some parameters, all from one time; what is left empty is not told."""

    as_at = forms.DateTimeField(
        label=_("From when"),
        required=False,
        help_text=_("Leave empty for now."),
        input_formats=FORMATS,
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local", "class": "nhsuk-input"}, format="%Y-%m-%dT%H:%M"
        ),
        error_messages={"invalid": _("Give a date and a time, such as 21/11/2026 08:00.")},
    )

    def __init__(self, data: Any = None, *, lines: Sequence[Line]) -> None:
        super().__init__(data, auto_id="value-%s")
        self._ours = {line.parameter.code for line in lines if line.ours}
        for line in lines:
            parameter = line.parameter
            self.fields[parameter.code] = forms.FloatField(
                label=parameter.name,
                required=False,
                widget=forms.TextInput(
                    {
                        "class": "nhsuk-input nhsuk-input--width-5",
                        "inputmode": "decimal",
                        "autocomplete": "off",
                    }
                ),
                help_text=parameter.unit,
                error_messages={"invalid": _("Give a number such as 42 or 42.5.")},
            )

    @property
    def of_others(self) -> list[forms.BoundField]:
        """The fields of what our data cannot tell."""
        return [self[name] for name in self.fields if name not in {*self._ours, "as_at"}]

    @property
    def of_ours(self) -> list[forms.BoundField]:
        """The fields of what is counted unless somebody says it."""
        return [self[name] for name in self.fields if name in self._ours]

    @property
    def told(self) -> dict[str, float]:
        """What was said, by parameter."""
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if name != "as_at" and value is not None
        }
