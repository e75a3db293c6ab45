"""What is said of a patient at a board round: the form, and what it means for the review."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from flow.coded import Codes
from flow.frailty import GRADES, SCALE, SCORED_FROM
from flow.round_types import RoundRow
from patients.models import Code, Review
from wards.rounds import Found, Seen

PLANNED_HOUR: Final = time(17)
"""The hour meant by an expected date without one: by the end of the working day."""
FIELDS: Final = (
    "criteria", "none_met", "exception", "expected", "pathway", "day", "red_reason", "senior",
    "medicines", "transport", "next_step", "frailty", "residence",
)  # fmt: skip

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a patient stands, as a form begins: the latest review (None for none yet), the
    expected date, and the values of the fields."""

    review: int | None
    expected_discharge_at: datetime | None
    values: Values

    @property
    def seen(self) -> Seen:
        """What the deed compares."""
        return Seen(self.review, self.expected_discharge_at)

    @property
    def token(self) -> str:
        """The same, to travel with the form."""
        plan = self.expected_discharge_at
        return f"{self.review or ''}/{plan.isoformat() if plan else ''}"


def seen_of(token: str) -> Seen:
    """What a form says it had seen. Raises ValueError for what no form of ours says."""
    review, _slash, plan = token.partition("/")
    return Seen(int(review) if review else None, datetime.fromisoformat(plan) if plan else None)


def standing_of(row: RoundRow, *, at: datetime) -> Standing:
    """How the patient of the row stands, said today or to be said of today.

    A new day is red until somebody says otherwise, for the reason of the day before; whether a
    senior came begins anew.
    """
    return Standing(row.review, row.expected_discharge_at, _values(row, row.red_reason, row, at))


def as_seen(seen: Seen, *, at: datetime) -> Standing | None:
    """How it stood to whoever saw this; None where there is no such review."""
    if seen.review is None:
        return Standing(None, seen.expected_discharge_at, _values(None, None, seen, at))
    review = Review.objects.filter(pk=seen.review).first()
    if review is None:
        return None
    values = _values(review, review.red_reason_id, seen, at, reviewed_at=review.occurred_at)
    return Standing(review.pk, seen.expected_discharge_at, values)


def _values(
    said: RoundRow | Review | None,
    red_reason: int | None,
    plan: RoundRow | Seen,
    at: datetime,
    *,
    reviewed_at: datetime | None = None,
) -> Values:
    if isinstance(said, RoundRow):
        reviewed_at = said.reviewed_at
        said = said if said.review is not None else None
    expected = plan.expected_discharge_at
    values: dict[str, Any] = dict.fromkeys(FIELDS, "")
    values |= {
        "criteria": [],
        "none_met": False,
        "senior": False,
        "day": Review.Day.RED.value,
        "expected": timezone.localtime(expected).date() if expected else None,
    }
    if said is None or reviewed_at is None:
        return values
    today = timezone.localtime(reviewed_at).date() == timezone.localtime(at).date()
    values |= {
        "criteria": sorted(said.criteria or ()),
        "none_met": said.criteria is not None and not said.criteria,
        "exception": said.exception,
        "pathway": "" if said.pathway is None else str(said.pathway),
        "medicines": said.medicines,
        "transport": said.transport,
        "next_step": said.next_step,
        "frailty": "" if said.frailty is None else str(said.frailty),
        "residence": said.residence,
    }
    if today:
        values |= {"day": said.day or Review.Day.RED.value, "senior": bool(said.senior_reviewed)}
    if values["day"] == Review.Day.RED and red_reason is not None:
        values["red_reason"] = str(red_reason)
    return values


class ReviewForm(forms.Form):
    """How a patient stands. `needs_criteria`: on this kind of ward somebody must have looked.
    `age`: in whole years, if known. `closed`: to be read only."""

    criteria = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    none_met = forms.BooleanField(required=False)
    # A placeholder, so that the style sheet can tell an empty field.
    exception = forms.CharField(
        required=False, max_length=300, widget=forms.TextInput(attrs={"placeholder": " "})
    )
    expected = forms.DateField(
        required=False,
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Give a date, such as 24/11/2026.")},
    )
    pathway = forms.ChoiceField(
        required=False, choices=[(str(n), str(n)) for n in range(4)], widget=forms.RadioSelect
    )
    day = forms.ChoiceField(
        choices=[(Review.Day.RED.value, _("Red")), (Review.Day.GREEN.value, _("Green"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Say whether the day is red or green.")},
    )
    red_reason = forms.ChoiceField(required=False)
    senior = forms.BooleanField(required=False)
    medicines = forms.ChoiceField(
        required=False, choices=Review.Medicines.choices, widget=forms.RadioSelect
    )
    transport = forms.ChoiceField(
        required=False, choices=Review.Transport.choices, widget=forms.RadioSelect
    )
    next_step = forms.CharField(required=False, max_length=200)
    frailty = forms.ChoiceField(required=False, widget=forms.Select(attrs={"title": SCALE}))
    residence = forms.ChoiceField(
        required=False,
        choices=[("", _("Not said")), *Review.Residence.choices],
        widget=forms.Select(attrs={"title": _("Where they usually live")}),
    )

    def __init__(
        self,
        data: Any,
        *,
        standing: Standing,
        codes: Codes,
        needs_criteria: bool,
        at: datetime,
        age: int | None = None,
        closed: bool = False,
    ) -> None:
        super().__init__(data, initial=dict(standing.values), auto_id="round-%s")
        for field in self.fields.values():
            field.disabled = closed
        self._standing = standing
        self._families = {c.slug: family for family, all_ in codes.criteria for c in all_}
        self._needs_criteria = needs_criteria
        self._at = at
        known = {code.slug: code.label for code in codes.every_criterion}
        # One that the list has dropped since stays as it was said until somebody says otherwise.
        known |= {slug: slug for slug in standing.values["criteria"] if slug not in known}
        self._choose("criteria", list(known.items()))
        reasons = [("", _("Not said"))] + [(str(c.pk), c.label) for c in codes.red_day]
        self._choose("red_reason", reasons)
        young = age is not None and age < SCORED_FROM
        unscored = (
            _("Not scored (under %(age)d)") % {"age": SCORED_FROM} if young else _("Not scored")
        )
        grades = [(str(n), format_lazy("{} {}", n, name)) for n, name in GRADES.items()]
        self._choose("frailty", [("", unscored), *grades])
        self._reasons = {str(code.pk): code for code in codes.red_day}

    @property
    def criteria_groups(self) -> list[tuple[str, list[tuple[int, forms.boundfield.BoundWidget]]]]:
        """The boxes of the criteria by family, numbered from 0 in the order in which they were
        published."""
        groups: dict[str, list[tuple[int, forms.boundfield.BoundWidget]]] = {}
        for number, box in enumerate(self["criteria"]):
            groups.setdefault(self._families.get(box.data["value"], ""), []).append((number, box))
        return list(groups.items())

    def _choose(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean_expected(self) -> date | None:
        """A new plan lies ahead; one that has passed may stay until somebody makes another."""
        said: date | None = self.cleaned_data["expected"]
        passed = said is not None and said < timezone.localtime(self._at).date()
        if passed and said != self._standing.values["expected"]:
            raise forms.ValidationError(_("This day has passed. Give the day now expected."))
        return said

    def clean(self) -> dict[str, Any]:
        """Criteria and none of them exclude each other, and an exception is to none."""
        said = super().clean() or self.cleaned_data
        met, none_met = said.get("criteria"), said.get("none_met")
        if met and none_met:
            self.add_error(
                "none_met", _("Criteria are ticked, and “None met” as well. Take one back.")
            )
        elif not met and not none_met and self._needs_criteria and "criteria" not in self.errors:
            self.add_error("none_met", _("Tick the criteria that are met, or “None met”."))
        if said.get("exception") and not none_met:
            self.add_error(
                "exception",
                _("An exception is for somebody who meets none. Tick “None met”, or clear it."),
            )
        if said.get("red_reason") and said.get("day") == Review.Day.GREEN:
            said["red_reason"] = ""  # it stood there from before the day turned green
        return said

    def found(self) -> Found:
        """What was said, in the words of the deed."""
        said = self.cleaned_data
        found = Found(
            exception=said["exception"],
            pathway=int(said["pathway"]) if said["pathway"] else None,
            day=said["day"],
            red_reason=self._reason(said["red_reason"]),
            senior_reviewed=said["senior"],
            medicines=said["medicines"],
            transport=said["transport"],
            next_step=said["next_step"].strip(),
            frailty=int(said["frailty"]) if said["frailty"] else None,
            residence=said["residence"],
        )
        if said["criteria"] or said["none_met"]:
            found["criteria"] = said["criteria"]
        if said["expected"] != self._standing.values["expected"]:
            found["expected_discharge_at"] = self._plan(said["expected"])
        return found

    def _reason(self, key: str) -> Code | None:
        return self._reasons[key] if key else None

    def _plan(self, day: date | None) -> datetime | None:
        if day is None:
            return None
        before = self._standing.expected_discharge_at
        hour = timezone.localtime(before).time() if before else PLANNED_HOUR
        return timezone.make_aware(datetime.combine(day, hour))


def unchanged(standing: Standing) -> QueryDict:
    """The form as it stands, as if it had been sent without a touch."""
    sent = QueryDict(mutable=True)
    for name, value in standing.values.items():
        if name == "criteria":
            sent.setlist(name, value)
        elif isinstance(value, bool):
            sent.update({name: "on"} if value else {})
        else:
            sent[name] = value.isoformat() if isinstance(value, date) else value
    return sent


def merged(sent: QueryDict, seen: Standing, now: Standing) -> QueryDict:
    """What was typed, over how it stands now: what its writer left as they had seen it follows
    what somebody else said since, so that saving again undoes nobody's word."""
    before, after = unchanged(seen), unchanged(now)
    both = QueryDict(mutable=True)
    for name in FIELDS:
        typed = _filled(sent, name)
        values = typed if typed != _filled(before, name) else _filled(after, name)
        if values:
            both.setlist(name, values)
    return both


def _filled(data: QueryDict, name: str) -> list[str]:
    return sorted(str(value) for value in data.getlist(name) if value)
