"""What the OpenAPI document says of the views of published national figures."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers as s

from flow.api.describing import listed, parameters, responses
from flow.api.shapes import Shape
from flow.models import ReferenceBody, ReferenceMeasure, ReferenceValue


class ReferenceRow(Shape):
    """What was published of a body for a day."""

    measure = s.CharField(help_text="Slug; see /api/v1/reference/measures/.")
    body = s.CharField(help_text="Code as published, by ODS or ONS.")
    body_name = s.CharField(allow_null=True)
    date = s.DateField(help_text="Of a monthly series the first of the month.")
    interval = s.ChoiceField(ReferenceMeasure.Interval.choices)
    value = s.FloatField(allow_null=True, help_text="null where no figure was given: not nought.")
    mark = s.CharField(allow_null=True, help_text="What stands there instead of a figure.")
    doubt = s.ChoiceField(
        [choice for choice in ReferenceValue.Doubt.choices if choice[0]],
        allow_null=True,
        help_text="Why the figure is not to be trusted; it is as published all the same.",
    )
    file = s.CharField(help_text="The file that said so.")


class MeasureRow(Shape):
    """What a series counts."""

    measure = s.CharField()
    label = s.CharField()  # type: ignore[assignment]  # a declared field
    interval = s.ChoiceField(ReferenceMeasure.Interval.choices)
    share = s.BooleanField(help_text="A share from 0 to 1, not a count.")
    reason = s.CharField(allow_null=True, help_text="Slug of the delay reason; see reasons/.")
    code_set = s.CharField(allow_null=True)


class BodyRow(Shape):
    """Whom a series is of."""

    body = s.CharField()
    name = s.CharField(allow_null=True)
    kind = s.ChoiceField(ReferenceBody.Kind.choices)


def _parameter(name: str, description: str, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(
        name, **{"type": str, "required": False, "description": description, **more}
    )


REFERENCE: Final[dict[str, Any]] = {
    "operation_id": "reference",
    "summary": "National figures as published",
    "parameters": [
        _parameter("measure", "Slug of a measure.", many=True),
        _parameter("body", "Code of a body, by ODS or ONS.", many=True),
        _parameter("from", "The first day.", type=OpenApiTypes.DATE),
        _parameter("to", "The last day.", type=OpenApiTypes.DATE),
        *parameters("limit cursor", limit={"description": "Most in one answer, up to 5000."}),
    ],
    "responses": responses(
        listed("ReferenceList", ReferenceRow, next=s.CharField(allow_null=True)), 400
    ),
}
MEASURES: Final[dict[str, Any]] = {
    "operation_id": "reference_measures",
    "summary": "What national figures count",
    "parameters": parameters(""),
    "responses": responses(listed("MeasureList", MeasureRow), 400),
}
BODIES: Final[dict[str, Any]] = {
    "operation_id": "reference_bodies",
    "summary": "Whom national figures are of",
    "parameters": [
        _parameter("kind", "Kind of body.", many=True, enum=ReferenceBody.Kind.values),
        *parameters(""),
    ],
    "responses": responses(listed("BodyList", BodyRow), 400),
}
