"""What callers send to say how a ward is staffed."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from wards.staffing import MOST


def _number(**kwargs: Any) -> s.IntegerField:
    return s.IntegerField(min_value=0, max_value=MOST, allow_null=True, **kwargs)


class NursesSeen(s.Serializer[Any]):
    """What the caller saw of a shift."""

    planned = _number()
    actual = _number()


class StaffingEntry(s.Serializer[Any]):
    """Registered nurses of one shift. Null is not said; 0 is nobody."""

    shift = s.CharField(max_length=20, help_text="Its name, as in the answers.")
    date = s.DateField(default=None, allow_null=True, help_text="The day on which it begins.")
    planned = _number()
    actual = _number()
    seen = NursesSeen(
        default=None,
        allow_null=True,
        help_text="What the caller saw; refused where something else holds by now.",
    )
