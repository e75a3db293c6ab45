"""What the OpenAPI document says of the nurses of a ward."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers as s

from flow.api import shapes
from flow.api.describing import parameters, responses
from flow.api.entries_staffing import StaffingEntry

_PARAMETERS: Final = parameters(
    "site date",
    site={
        "description": "Code of its site, where several have a ward of this code.",
        "many": False,
    },
    date={"description": "The day on which the shifts begin; today without it."},
)


class StaffingRow(shapes.Shape):
    """A shift of a ward. Null is not said."""

    shift = s.CharField()
    date = s.DateField()
    start = s.DateTimeField()
    end = s.DateTimeField()
    planned = s.IntegerField(allow_null=True)
    actual = s.IntegerField(allow_null=True)
    patients_each = s.FloatField(
        allow_null=True,
        help_text="Of the running shift: patients now for each nurse at work, or planned where "
        "nobody has said who is.",
    )
    recorded_at = s.DateTimeField(allow_null=True)
    by = s.CharField(allow_null=True)


class StaffingList(shapes.Shape):
    """The shifts of a ward that begin on a day, and what it can safely hold."""

    ward = s.CharField()
    site = s.CharField()
    as_at = s.DateTimeField()
    patients = s.IntegerField()
    patients_per_nurse = s.FloatField(
        allow_null=True, help_text="Limit of the ward, else of the rules."
    )
    most_patients = s.IntegerField(allow_null=True)
    most_acute = s.IntegerField(allow_null=True)
    results = StaffingRow(many=True)


STAFFING: Final[dict[str, Any]] = {
    "operation_id": "staffing",
    "summary": "Registered nurses of a ward's shifts",
    "description": "Planned and at work. The shifts are this installation's own.",
    "parameters": _PARAMETERS,
    "responses": responses(StaffingList, 400, 404, 409),
}
SAY_STAFFING: Final[dict[str, Any]] = {
    "operation_id": "say_staffing",
    "summary": "Say how many nurses a shift has",
    "description": "It replaces what was said of the shift; with both null nothing is said of it "
    "any more. From 14 days before its start to 7 days after its end.",
    "request": StaffingEntry,
    "parameters": _PARAMETERS,
    "responses": {
        **responses(StaffingRow, 400, 404),
        (409, "application/problem+json"): OpenApiResponse(
            shapes.Problem, "Somebody has said otherwise since, or several sites have such a ward."
        ),
    },
}
