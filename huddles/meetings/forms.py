"""The form in which a site says how it holds a meeting."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from huddles.letters import plain
from huddles.meetings.knowing import ASKED
from huddles.models import Figure, HuddleSpeaker, HuddleTemplate, Section
from wards.models import Ward

_DAYS: Final = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
_TIME: Final = re.compile(r"(\d{1,2})[:.]?(\d{2})")


class TimesField(forms.CharField):
    """Times of day, as people write them: "08:15, 12.30, 1600"."""

    def __init__(self, *, most: int, **kwargs: Any) -> None:
        super().__init__(max_length=120, **kwargs)
        self._most = most

    def clean(self, value: Any) -> list[time]:
        """The times in order, each once."""
        found = set()
        for word in re.split(r"[,;\s]+", super().clean(value).strip()):
            match = _TIME.fullmatch(word)
            if match is None or int(match[1]) > 23 or int(match[2]) > 59:
                raise ValidationError(_("Give times such as 08:15, 12:30."))
            found.add(time(int(match[1]), int(match[2])))
        if len(found) > self._most:
            raise ValidationError(_("Give at most %(most)s times.") % {"most": self._most})
        return sorted(found)


class TemplateForm(forms.Form):
    """When, how long, what is asked, who speaks, and who gets the summary."""

    name = forms.CharField(
        label=_("Name"), max_length=80, error_messages={"required": _("Give it a name.")}
    )
    times = TimesField(
        label=_("Begins at"),
        most=12,
        help_text=_("Local times, such as 08:15, 12:30, 16:00"),
        error_messages={"required": _("Give at least one time, such as 08:15.")},
    )
    weekdays = forms.TypedMultipleChoiceField(
        label=_("On"),
        coerce=int,
        choices=[(str(number), day) for number, day in enumerate(_DAYS, 1)],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one day.")},
    )
    lasts = forms.IntegerField(label=_("Minutes it takes"), min_value=1, max_value=180)
    opens_before = forms.IntegerField(
        label=_("Wards can confirm their lines so many minutes before"),
        min_value=0,
        max_value=720,
    )
    agenda = forms.MultipleChoiceField(
        label=_("Agenda"),
        choices=Section.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose what is spoken of.")},
    )
    figures = forms.MultipleChoiceField(
        label=_("Figures asked of each ward"),
        choices=Figure.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    horizons = TimesField(
        label=_("Discharges are asked for by"),
        most=4,
        error_messages={"required": _("Give at least one time, such as 12:00.")},
    )
    mail_to = forms.CharField(
        label=_("The summary is mailed to"),
        required=False,
        max_length=2000,
        help_text=_("E-mail addresses, one a line. The summary names no patient."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    is_active = forms.BooleanField(label=_("Held from now on"), required=False)

    def __init__(
        self,
        data: Any,
        *,
        template: HuddleTemplate,
        wards: Sequence[Ward],
        speakers: Mapping[int, HuddleSpeaker],
    ) -> None:
        super().__init__(data, initial=_initial(template), auto_id="template-%s")
        self._wards, self._speakers = wards, speakers
        for field in self.fields.values():
            if isinstance(field.widget, forms.TextInput | forms.NumberInput | forms.Textarea):
                kind = "textarea" if isinstance(field.widget, forms.Textarea) else "input"
                field.widget.attrs["class"] = f"nhsuk-{kind}"

    def clean_name(self) -> str:
        """In one line: it is the subject of mails."""
        name = plain(self.cleaned_data["name"])
        if not name:
            raise ValidationError(self.fields["name"].error_messages["required"])
        return name

    def clean_mail_to(self) -> list[str]:
        """Each address on its own."""
        found = [one for one in re.split(r"[,;\s]+", self.cleaned_data["mail_to"]) if one]
        for one in found:
            try:
                validate_email(one)
            except ValidationError:
                raise ValidationError(
                    _("“%(one)s” is no e-mail address."), params={"one": one}
                ) from None
        return list(dict.fromkeys(found))

    @property
    def values(self) -> dict[str, Any]:
        """What the template is to hold; sections and figures in the order in which they stand."""
        said = dict(self.cleaned_data)
        said["agenda"] = [one for one in Section.values if one in said["agenda"]]
        said["figures"] = [one for one in Figure.values if one in said["figures"]]
        said["weekdays"] = sorted(said["weekdays"])
        return said

    @property
    def speakers(self) -> list[tuple[str, bool]]:
        """For each ward who speaks and whether it is asked."""
        if self.is_bound:
            return [
                (
                    plain(str(self.data.get(f"who-{ward.pk}", "")))[:80],
                    f"asked-{ward.pk}" in self.data,
                )
                for ward in self._wards
            ]
        rows = [(ward, self._speakers.get(ward.pk)) for ward in self._wards]
        return [(row.who, row.is_asked) if row else ("", ward.kind in ASKED) for ward, row in rows]

    @property
    def ward_rows(self) -> list[tuple[Ward, str, bool]]:
        """The same with the wards."""
        return [
            (ward, who, asked)
            for ward, (who, asked) in zip(self._wards, self.speakers, strict=True)
        ]


def _initial(template: HuddleTemplate) -> dict[str, Any]:
    def as_text(times: Sequence[time]) -> str:
        return ", ".join(f"{each:%H:%M}" for each in times)

    return {
        "name": template.name,
        "times": as_text(template.times or []),
        "weekdays": template.weekdays,
        "lasts": template.lasts,
        "opens_before": template.opens_before,
        "agenda": template.agenda,
        "figures": template.figures,
        "horizons": as_text(template.horizons),
        "mail_to": "\n".join(template.mail_to),
        "is_active": template.is_active,
    }
