"""The forms in which people say what a discharge waits for, and what is done about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as now
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation, Team
from flow.coded import Groups
from patients.models import Barrier, Code

_TIMES: Final = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M"]

Choices = list[tuple[str, Any]]


class WaitForm(forms.Form):
    """A form of a drawer, dressed as its neighbours are."""

    def __init__(self, data: Any = None, *, auto_id: str) -> None:
        super().__init__(data, auto_id=auto_id)
        self.dress()

    def dress(self) -> None:
        """Give the fields the classes of their kind."""
        for field in self.fields.values():
            kind = "nhsuk-select" if isinstance(field.widget, forms.Select) else "nhsuk-input"
            field.widget.attrs["class"] = kind


class RaiseForm(WaitForm):
    """What is waited for; who is accountable follows from the reason."""

    reason = forms.ChoiceField(
        label=_("What is waited for"), error_messages={"required": _("Choose what is waited for.")}
    )
    note = forms.CharField(label=_("Note (optional)"), max_length=500, required=False)

    def __init__(self, data: Any = None, *, reasons: Groups, auto_id: str = "raise-%s") -> None:
        super().__init__(data, auto_id=auto_id)
        self._codes = {str(code.pk): code for _family, codes in reasons for code in codes}
        field = self.fields["reason"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            ("", _("Choose")),
            *((family or _("Others"), [(str(c.pk), c.label) for c in codes])
              for family, codes in reasons),
        ]  # fmt: skip

    @property
    def code(self) -> Code:
        """The reason chosen."""
        return self._codes[self.cleaned_data["reason"]]


class NoteForm(WaitForm):
    """A word that goes with a deed."""

    note = forms.CharField(label=_("Note (optional)"), max_length=500, required=False)


class ContactForm(WaitForm):
    """Whom somebody asked, and the answer."""

    note = forms.CharField(
        label=_("Whom you asked and what they said"),
        max_length=500,
        error_messages={"required": _("Say whom you asked and what they answered.")},
    )


class DueForm(WaitForm):
    """Another target time and why."""

    due_at = forms.DateTimeField(
        label=_("New target time"),
        input_formats=_TIMES,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={
            "required": _("Give the new target time."),
            "invalid": _("Give a date and a time, such as 21/11/2026 08:00."),
        },
    )
    note = forms.CharField(
        label=_("Why"),
        max_length=500,
        error_messages={"required": _("Say why the target time changes.")},
    )

    @property
    def due(self) -> datetime:
        """The time given."""
        due: datetime = self.cleaned_data["due_at"]
        return due


class HandOverForm(WaitForm):
    """Who is accountable from now on: a team, or an organisation without one."""

    owner = forms.ChoiceField(
        label=_("To"), error_messages={"required": _("Choose who is accountable from now on.")}
    )
    person = forms.CharField(label=_("Person, if known"), max_length=100, required=False)
    note = forms.CharField(label=_("Note (optional)"), max_length=500, required=False)

    def __init__(self, data: Any = None, *, owners: Sequence[Organisation], auto_id: str) -> None:
        super().__init__(data, auto_id=auto_id)
        self._owners: dict[str, Organisation | Team] = {}
        field = self.fields["owner"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Choose")), *self._groups(owners)]

    def _groups(
        self, owners: Iterable[Organisation]
    ) -> Iterable[tuple[str, list[tuple[str, Any]]]]:
        for body in owners:
            choices: list[tuple[str, Any]] = []
            for team in body.teams.all():
                self._owners[f"t{team.pk}"] = team
                choices.append((f"t{team.pk}", team.name))
            self._owners[f"o{body.pk}"] = body
            choices.append((f"o{body.pk}", _("%(body)s, team not known") % {"body": body.name}))
            yield body.name, choices

    @property
    def chosen(self) -> Organisation | Team:
        """Who was chosen."""
        return self._owners[self.cleaned_data["owner"]]


def raised_words(made: Barrier) -> str:
    """What has become of a barrier that was raised: with whom it is."""
    owner = made.team or made.organisation
    if owner is None:
        return now("Raised. Nobody is accountable yet: open it and hand it to somebody.")
    return now("Raised, with %(owner)s.") % {"owner": owner}
