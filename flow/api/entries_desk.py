"""What callers send to ask for a bed, to hold one, and to say where somebody went."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.utils import timezone
from rest_framework import serializers as s

from patients.models import CareNeeds, Patient
from patients.nhs_number import normalised
from wards.models import RequestTerms
from wards.requests import FAR, FURTHEST

MOST: Final = 2**63 - 1
"""The largest key that a column holds."""
OLDEST: Final = timedelta(days=130 * 365.25)
MOVES: Final = ("admitted", "transferred", "discharged", "left", "returned", "swapped")


class RowKey(s.IntegerField):
    """The key of a row: a JSON number, so that a bed's label is never taken for a bed's key."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 1, "max_value": MOST, **kwargs})

    def to_internal_value(self, data: Any) -> int:
        """Raises ValidationError for anything but a whole number."""
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


def _text(longest: int, **kwargs: Any) -> s.CharField:
    return s.CharField(max_length=longest, **{"default": "", "allow_blank": True, **kwargs})


def _moment(**kwargs: Any) -> s.DateTimeField:
    return s.DateTimeField(**{"default": None, "allow_null": True, **kwargs})


class Dated(s.Serializer[Any]):
    """What every deed takes: when it happened, now without it."""

    occurred_at = _moment()


class TermsEntry(Dated):
    """How a bed is asked for. What is left out of a change is as it was."""

    ward = _text(100, help_text="Code of the ward that is asked; without it, any that is found.")
    site = _text(40, help_text="Code of its site, where several have a ward of this code.")
    priority = s.ChoiceField(
        RequestTerms.Priority.choices, required=False, help_text="1 (immediate) to 4 (routine)."
    )
    specialty = s.CharField(max_length=60, required=False, allow_blank=True)
    asked_by = s.CharField(
        max_length=100, required=False, allow_blank=True, help_text="The team or role that asks."
    )
    note = s.CharField(max_length=500, required=False, allow_blank=True)
    due_at = s.DateTimeField(required=False, allow_null=True, help_text="When the bed is wanted.")

    def validate_due_at(self, due: datetime | None) -> datetime | None:
        """A time that can be meant."""
        if due is not None and abs(due - timezone.now()) > FURTHEST:
            raise s.ValidationError(FAR)
        return due


class PersonEntry(s.Serializer[Any]):
    """Who is admitted or expected: a hospital number, an NHS number or a family name at least."""

    hospital_number = _text(40)
    nhs_number = _text(20)
    family_name = _text(200)
    given_name = _text(200)
    date_of_birth = s.DateField(default=None, allow_null=True)
    sex = s.ChoiceField(Patient.Sex.choices, default="", allow_blank=True)

    def validate_hospital_number(self, typed: str) -> str:
        """A number that can be read."""
        if typed and not any(char.isalnum() for char in typed):
            raise s.ValidationError("This is no hospital number: it has no letter or digit.")
        return typed

    def validate_nhs_number(self, typed: str) -> str:
        """The ten digits; wrong digits are a slip to be put right, never kept."""
        if not typed:
            return ""
        number = normalised(typed)
        if number is None:
            raise s.ValidationError(
                "This is no NHS number: ten digits, the last of which checks the others."
            )
        return number

    def validate_date_of_birth(self, born: date | None) -> date | None:
        """Nobody is born tomorrow, or older than anybody was."""
        today = timezone.localdate()
        if born is not None and not today - OLDEST <= born <= today:
            raise s.ValidationError("Nobody in hospital was born on this date. Check the year.")
        return born

    def validate(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        """Something must say who it is."""
        if not any(said[name] for name in ("hospital_number", "nhs_number", "family_name")):
            raise s.ValidationError("Give a hospital number, an NHS number or a family name.")
        return said


class AskEntry(TermsEntry):
    """A bed is asked for a patient who is here (`episode`), or who is to come (`person`)."""

    episode = RowKey(default=None, allow_null=True, help_text="Of whoever is here.")
    person = PersonEntry(default=None, allow_null=True, help_text="Who is to come to `ward`.")
    expected_at = _moment(help_text="When they are to be here; with `person`.")
    method = s.RegexField(
        r"^[0-9A-Z]{0,2}$", default="", allow_blank=True,
        help_text="With `person`: NHS Data Dictionary, ADMISSION METHOD.",
    )  # fmt: skip
    confirmed = RowKey(
        default=None, allow_null=True, help_text="The `record` of an `already-known` problem."
    )
    others = s.ListField(
        child=RowKey(), default=list, max_length=20, help_text="`records` of `same-name`."
    )
    key = _text(64, help_text="Of your own, unique for what is said: said again, it is done once.")

    def validate(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        """Somebody here or somebody who is to come; of these also where to, and when."""
        if (said["episode"] is None) == (said["person"] is None):
            raise s.ValidationError(
                "Give the `episode` of somebody who is here, or the `person` who is to come."
            )
        if said["person"] is None:
            return said
        missing = {
            name: "Say it of whoever is to come."
            for name in ("ward", "expected_at")
            if not said[name]
        }
        if missing:
            raise s.ValidationError(missing)
        return said


class HoldEntry(s.Serializer[Any]):
    """A bed is held for a request."""

    bed = RowKey(help_text="Key of the bed.")
    until = _moment(
        help_text="Without it, 4 hours from when the bed is ready; 12 where it is given."
    )
    note = _text(500)
    reason = _text(500, help_text="Why it is right against rules that may be overridden.")
    seen = RowKey(
        required=False,
        allow_null=True,
        help_text="`id` of what was seen to be held for it, null for nothing: 409 where by now it "
        "is another. Left out, whatever is held is given back.",
    )


class ReleaseEntry(s.Serializer[Any]):
    """What was held is given back; there is nothing more to say."""


class CancelEntry(Dated):
    """The bed is not wanted any more."""

    reason = s.CharField(max_length=100)


class MoveEntry(Dated):
    """Somebody came, went or moved. Which fields count depends on the kind."""

    kind = s.ChoiceField([(kind, kind) for kind in MOVES])
    episode = RowKey(
        default=None,
        allow_null=True,
        help_text="Of `admitted` only where they were expected.",
    )
    person = PersonEntry(
        default=None, allow_null=True, help_text="Of `admitted`, where they were not expected."
    )
    confirmed = RowKey(
        default=None, allow_null=True, help_text="The `record` of an `already-known` problem."
    )
    others = s.ListField(
        child=RowKey(), default=list, max_length=20, help_text="`records` of `same-name`."
    )
    other = RowKey(default=None, allow_null=True, help_text="Of `swapped`: the other episode.")
    ward = _text(100, help_text="Code of the ward, of `admitted` and `transferred`.")
    site = _text(40, help_text="Code of its site, where several have a ward of this code.")
    bed = RowKey(default=None, allow_null=True, help_text="Key of the bed; the ward follows.")
    bed_label = _text(100, help_text="Its label on the ward, instead of its key.")
    destination = s.RegexField(
        r"^[0-9]{0,2}$", default="", allow_blank=True,
        help_text="Of `discharged`: NHS Data Dictionary, DISCHARGE DESTINATION.",
    )  # fmt: skip
    reason = _text(500, help_text="Why it is right against rules that may be overridden.")
    key = _text(64, help_text="Of your own, unique for what is said: said again, it is done once.")


class NeedsEntry(Dated):
    """What a patient needs of a bed. What is left out is as it was."""

    isolation = s.ChoiceField(CareNeeds.Isolation.choices, required=False, allow_blank=True)
    infections = s.ListField(child=s.CharField(max_length=40), required=False, max_length=10)
    requires = s.ListField(
        child=s.ChoiceField(CareNeeds.Require.choices), required=False, max_length=10
    )
    not_alone = s.BooleanField(required=False)
    falls_risk = s.BooleanField(required=False)
    wanders = s.BooleanField(required=False)
    immunosuppressed = s.BooleanField(required=False)
    end_of_life = s.BooleanField(required=False)
    acuity = s.IntegerField(min_value=0, max_value=3, required=False, allow_null=True)
    corridor_groups = s.ListField(child=s.CharField(max_length=60), required=False, max_length=10)
    key = _text(64, help_text="Of your own, unique for what is said: said again, it is done once.")

    def validate(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        """A need must be named: that somebody needs nothing is never said by saying nothing."""
        if not set(said) - {"occurred_at", "key"}:
            raise s.ValidationError("Name at least one need, such as `falls_risk`.")
        return said
