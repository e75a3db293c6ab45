"""The form by which a trust fills in the cut-offs of a rule set, as its next version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from math import isfinite
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from huddles.escalation.rule_sets import Stored, read
from huddles.escalation.rule_words import bands_text, cuts_text, minutes, pairs, weights_text
from huddles.opel.rule_set import LEVELS, BadRuleSet


def _text(label: Any, *, help_text: Any = "", required: bool = False) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=500,
        help_text=help_text,
        widget=forms.TextInput({"class": "nhsuk-input", "autocomplete": "off"}),
    )


def _day(label: Any, *, required: bool, help_text: Any = "") -> forms.DateField:
    return forms.DateField(
        label=label,
        required=required,
        help_text=help_text,
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
        widget=forms.DateInput({"type": "date", "class": "nhsuk-input"}, format="%Y-%m-%d"),
        error_messages={"invalid": lazy("Give a day such as 21/11/2026.")},
    )


class FillInForm(forms.Form):
    """Every cut-off, band and weight of `last`, to be changed."""

    name = _text(lazy("Name"), required=True)
    valid_from = _day(lazy("Valid from"), required=True)
    valid_until = _day(
        lazy("Valid until"),
        required=False,
        help_text=lazy("The first day on which it no longer is."),
    )
    bands = _text(
        lazy("Bands"), help_text=lazy("The lowest score of levels 1, 2, 3 and 4: 0, 12, 23, 34")
    )
    example = forms.BooleanField(
        label=lazy("It is an example: its cut-offs are invented, not official"), required=False
    )
    note = _text(lazy("What was changed, and by whose decision"), required=True)
    seen = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, last: Stored, today: date, may_weigh: bool) -> None:
        rules = last.rules
        self._last = last
        initial: dict[str, Any] = {
            "name": rules.name,
            "valid_from": max(today, rules.valid_from),
            "valid_until": rules.valid_until,
            "bands": bands_text(rules.bands),
            "example": rules.example,
            "seen": last.row.number,
        }
        super().__init__(data, initial=initial, auto_id="rule-%s")
        self.cut_names = []
        for one in rules.parameters:
            self.fields[f"cuts-{one.code}"] = _text(
                one.name,
                help_text=_(
                    "%(unit)s; %(worse)s is worse. From each value on its score, as 15=1, 20=2"
                )
                % {"unit": one.unit, "worse": one.worse},
            )
            self.initial[f"cuts-{one.code}"] = cuts_text(one)
            self.fields[f"stale-{one.code}"] = forms.IntegerField(
                label=_("Stale after, in minutes"),
                min_value=1,
                max_value=7 * 24 * 60,
                widget=forms.TextInput(
                    {"class": "nhsuk-input nhsuk-input--width-5", "inputmode": "numeric",
                     "aria-label": _("%(name)s: stale after, in minutes") % {"name": one.name}}
                ),
            )  # fmt: skip
            self.initial[f"stale-{one.code}"] = minutes(one.stale_after)
            self.cut_names.append((f"cuts-{one.code}", f"stale-{one.code}", one.code))
        if may_weigh:
            self.fields["weights"] = _text(
                _("Weights in the system's score"),
                help_text=_("Codes of sites, as NGH=0.6, ERH=0.4. They count in proportion."),
            )
            self.initial["weights"] = weights_text(last.weights)

    @property
    def rows(self) -> list[tuple[forms.BoundField, forms.BoundField, str]]:
        """The fields of each parameter, with its code."""
        return [(self[cuts], self[stale], code) for cuts, stale, code in self.cut_names]

    def clean(self) -> dict[str, Any]:
        """What is said as the content of a rule set, under `said`."""
        found = super().clean() or {}
        content = dict(self._last.row.said)
        parameters = [{**one, **self._parameter(one, found)} for one in content["parameters"]]
        content |= {
            "name": found.get("name", ""),
            "version": str(self._last.row.number + 1),
            "valid_from": str(found.get("valid_from", "")),
            "valid_until": str(found["valid_until"]) if found.get("valid_until") else None,
            "example": bool(found.get("example")),
            "parameters": parameters,
            "bands": self._bands(found),
        }
        if "weights" in self.fields:
            content["weights"] = self._pairs("weights", found)
        if not self.errors:
            try:
                read(content)
            except BadRuleSet as error:
                self.add_error(None, str(error))
        return {**found, "said": content}

    def _parameter(self, one: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
        code = one["code"]
        scores = {}
        for name, score in self._pairs(f"cuts-{code}", found).items():
            try:
                value = float(name)
                if score != int(score) or not isfinite(value):
                    raise ValueError
            except ValueError:
                self.add_error(f"cuts-{code}", self._wrong(f"{name}={score:g}"))
                break
            scores[f"{value:g}"] = int(score)
        minutes_said = found.get(f"stale-{code}") or one["stale_after_minutes"]
        return {"scores": scores, "stale_after_minutes": minutes_said}

    def _pairs(self, name: str, found: Mapping[str, Any]) -> dict[str, float]:
        try:
            return pairs(found.get(name, ""))
        except ValueError as error:
            self.add_error(name, self._wrong(str(error)))
            return {}

    def _wrong(self, part: str) -> str:
        return _("“%(part)s” cannot be read. Write pairs as 15=1, 20=2.") % {"part": part}

    def _bands(self, found: Mapping[str, Any]) -> dict[str, int]:
        text = found.get("bands", "")
        if not text:
            return {}
        lows = [one.strip() for one in text.split(",")]
        if len(lows) != len(LEVELS) or not all(one.isdecimal() and len(one) < 6 for one in lows):
            self.add_error("bands", _("Give four whole numbers, such as 0, 12, 23, 34."))
            return {}
        return {str(level): int(low) for level, low in zip(LEVELS, lows, strict=True)}
