"""What callers send to have something done about a wait."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from patients.models import Review
from wards.models import BedStatus, Closure, Referral


class Noted(s.Serializer[Any]):
    """What every deed takes."""

    note = s.CharField(max_length=500, default="", allow_blank=True)
    occurred_at = s.DateTimeField(default=None, allow_null=True)


class Explained(Noted):
    """What a deed takes that has to be explained."""

    note = s.CharField(max_length=500)


class RaiseEntry(Noted):
    """A new barrier."""

    reason = s.SlugField(max_length=80)
    code_set = s.SlugField(max_length=60, default="")
    organisation = s.CharField(max_length=40, default="", allow_blank=True)
    team = s.CharField(max_length=40, default="", allow_blank=True)
    person = s.CharField(max_length=100, default="", allow_blank=True)
    due_at = s.DateTimeField(default=None, allow_null=True)
    reportable = s.BooleanField(default=None, allow_null=True)
    key = s.CharField(max_length=64, default="", allow_blank=True)


class OwnerEntry(Noted):
    """Who is accountable from now on."""

    organisation = s.CharField(max_length=40, default="", allow_blank=True)
    team = s.CharField(max_length=40, default="", allow_blank=True)
    person = s.CharField(max_length=100, default="", allow_blank=True)


class ReviewEntry(s.Serializer[Any]):
    """What a board round found for one patient. What is left out is as it was."""

    occurred_at = s.DateTimeField(default=None, allow_null=True)
    key = s.CharField(max_length=64, default="", allow_blank=True)
    round = s.UUIDField(default=None, allow_null=True)
    criteria = s.ListField(child=s.SlugField(max_length=80), required=False)
    exception = s.CharField(max_length=300, required=False, allow_blank=True)
    expected_discharge_at = s.DateTimeField(required=False, allow_null=True)
    pathway = s.IntegerField(min_value=0, max_value=3, required=False, allow_null=True)
    day = s.ChoiceField(Review.Day.choices, required=False, allow_blank=True)
    red_reason = s.SlugField(max_length=80, required=False, allow_null=True)
    senior_reviewed = s.BooleanField(required=False, allow_null=True)
    medicines = s.ChoiceField(Review.Medicines.choices, required=False, allow_blank=True)
    transport = s.ChoiceField(Review.Transport.choices, required=False, allow_blank=True)
    next_step = s.CharField(max_length=200, required=False, allow_blank=True)
    frailty = s.IntegerField(min_value=1, max_value=9, required=False, allow_null=True)
    residence = s.ChoiceField(Review.Residence.choices, required=False, allow_blank=True)


class ReferEntry(Noted):
    """A place after hospital is asked for a patient."""

    episode = s.IntegerField(min_value=1)
    kind = s.ChoiceField(Referral.Kind.choices)
    ward = s.CharField(max_length=100, default="", allow_blank=True)
    site = s.CharField(max_length=40, default="", allow_blank=True)
    organisation = s.CharField(max_length=40, default="", allow_blank=True)
    pathway = s.IntegerField(min_value=0, max_value=3, default=None, allow_null=True)
    needs = s.CharField(max_length=500, default="", allow_blank=True)
    due_at = s.DateTimeField(default=None, allow_null=True)
    key = s.CharField(max_length=64, default="", allow_blank=True)


class AcceptEntry(Noted):
    """They take the patient."""

    starts_at = s.DateTimeField()


class DeclineEntry(Noted):
    """They cannot."""

    reason = s.SlugField(max_length=80)


class SignEntry(s.Serializer[Any]):
    """A daily return is signed, or amended."""

    note = s.CharField(max_length=500, default="", allow_blank=True)
    seen = s.IntegerField(min_value=0, max_value=9999, default=0)


class PlaceEntry(Noted):
    """The patient is there."""

    bed = s.CharField(max_length=40, default="", allow_blank=True)


_CLEANS = [(level.value, level.label) for level in BedStatus.Level if level.value]


class BedDeedEntry(s.Serializer[Any]):
    """What every deed on a bed takes."""

    occurred_at = s.DateTimeField(default=None, allow_null=True)


class CloseEntry(BedDeedEntry):
    """A bed is out of use."""

    reason = s.ChoiceField(Closure.Reason.choices)
    until = s.DateTimeField(default=None, allow_null=True)
    note = s.CharField(max_length=500, default="", allow_blank=True)


class CleaningEntry(BedDeedEntry):
    """A bed needs cleaning."""

    level = s.ChoiceField(_CLEANS)


class CleanedEntry(BedDeedEntry):
    """A bed is clean; without a level, of the one that was asked for."""

    level = s.ChoiceField(_CLEANS, default=None, allow_null=True)
