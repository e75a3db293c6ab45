"""What the OpenAPI document says of escalation over REST, and what callers send."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers as s

from flow.api import shapes
from flow.api.describing import listed, parameters, responses
from huddles.models import OpelValue

SOURCES: Final = ("computed", *OpelValue.Source.values)


class ParameterRow(shapes.Shape):
    """A parameter of a site."""

    code = s.CharField()
    name = s.CharField()
    unit = s.CharField()
    value = s.FloatField(allow_null=True, help_text="Null: nobody has told it.")
    as_at = s.DateTimeField(allow_null=True, help_text="When the value was true.")
    age_minutes = s.FloatField(allow_null=True)
    stale = s.BooleanField(help_text="Older than the rules allow: it moves no level.")
    # Declared fields are taken off the class, so nothing of the base class is hidden.
    source = s.ChoiceField(choices=SOURCES, allow_null=True)  # type: ignore[assignment]
    by = s.CharField(allow_null=True, help_text="Who told it, where somebody did.")
    score = s.IntegerField(
        allow_null=True, help_text="Of the last value, stale or not; null where there is none."
    )
    most = s.IntegerField(help_text="The most it can score; 0 while nobody has filled it in.")
    cut_offs = s.ChoiceField(choices=["published", "filled_in", "example", "not_set"])


class LevelRow(shapes.Shape):
    """Where a site or the system stands."""

    site = s.CharField(allow_null=True, help_text="Code of the site; null: the system.")
    name = s.CharField()
    as_at = s.DateTimeField()
    rule_set = s.CharField(allow_null=True, help_text="Null: no rules hold, nothing is computed.")
    version = s.CharField(allow_null=True, help_text="As the rule set calls itself.")
    number = s.IntegerField(allow_null=True, help_text="Of the version, as it was kept here.")
    example = s.BooleanField(help_text="Its cut-offs are invented: no official level.")
    computed_level = s.IntegerField(
        allow_null=True,
        help_text="Null where stale or missing values leave it open, or the rules are not filled "
        "in.",
    )
    level_lowest = s.IntegerField(allow_null=True)
    level_highest = s.IntegerField(allow_null=True)
    score = s.FloatField(allow_null=True, help_text="With the last values of what is stale.")
    lowest = s.FloatField(allow_null=True)
    highest = s.FloatField(allow_null=True)
    certain_level = s.IntegerField(allow_null=True, help_text="The last computed level of all.")
    certain_at = s.DateTimeField(allow_null=True)
    certain_example = s.BooleanField(
        help_text="That level comes of invented cut-offs: no official level."
    )
    declared_level = s.IntegerField(allow_null=True, help_text="Null: nobody has declared any.")
    declared_at = s.DateTimeField(allow_null=True)
    declared_by = s.CharField(allow_null=True)
    declared_reason = s.CharField(allow_null=True)


class SiteLevelRow(LevelRow):
    """A site with its parameters."""

    parameters = ParameterRow(many=True)


class ShareRow(shapes.Shape):
    """A site in the system's score."""

    site = s.CharField()
    share = s.FloatField(help_text="From 0 to 1.")
    score = s.FloatField()
    lowest = s.FloatField()
    highest = s.FloatField()


class SystemLevelRow(LevelRow):
    """The system, with the sites that its score is the weighted mean of."""

    sites = ShareRow(many=True)


class ValueRow(shapes.Shape):
    """A value as it was kept."""

    id = s.IntegerField()
    site = s.CharField()
    parameter = s.CharField()
    value = s.FloatField()
    as_at = s.DateTimeField()
    source = s.ChoiceField(choices=OpelValue.Source.values)  # type: ignore[assignment]
    by = s.CharField()
    recorded_at = s.DateTimeField()


class Number(s.FloatField):
    """A number, and nothing that only may be read as one: `true` is no 1."""

    def to_internal_value(self, data: Any) -> float:
        """Raises ValidationError."""
        if isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class WithdrawalRow(shapes.Shape):
    """A value that was taken back."""

    id = s.IntegerField()
    site = s.CharField()
    parameter = s.CharField()
    value = s.FloatField()
    as_at = s.DateTimeField()
    withdrawn_at = s.DateTimeField()
    withdrawn_by = s.CharField()


class WithdrawalEntry(s.Serializer[Any]):
    """Of which parameter what was told is taken back."""

    site = s.CharField(max_length=40)
    parameter = s.CharField(max_length=60, help_text="Its code, as in the answers.")


class ValueEntry(s.Serializer[Any]):
    """A value of a parameter that Flowboard cannot know, or knows less well."""

    site = s.CharField(max_length=40)
    parameter = s.CharField(max_length=60, help_text="Its code, as in the answers.")
    value = Number()
    as_at = s.DateTimeField(
        default=None, allow_null=True, help_text="When it was true; now without it."
    )
    key = s.CharField(
        max_length=64, default="", allow_blank=True,
        help_text="Yours: sent again with the same, it is kept once.",
    )  # fmt: skip


ESCALATION: Final[dict[str, Any]] = {
    "operation_id": "escalation",
    "summary": "Escalation levels (OPEL)",
    "description": "Of each site in sight every parameter with its value, time and score, the "
    "computed level and the declared one; `system` is null where sites are named.",
    "parameters": parameters("site"),
    "responses": responses(
        listed("EscalationList", SiteLevelRow, system=SystemLevelRow(allow_null=True)), 400
    ),
}
_MADE: Final = responses(ValueRow, 400)
TELL: Final[dict[str, Any]] = {
    "operation_id": "tell_escalation_value",
    "summary": "Tell a value of a parameter",
    "description": "It counts while it is fresh by the rules, also before what Flowboard counts "
    "itself. 200 where the same had been told with this key.",
    "request": ValueEntry,
    "parameters": parameters(""),
    "responses": {
        (201, "application/json"): ValueRow,
        (201, "text/csv"): OpenApiTypes.STR,
        **_MADE,
        (409, "application/problem+json"): OpenApiResponse(
            shapes.Problem,
            "No such parameter in the rules in force, a value that cannot be, or another value "
            "under the same key.",
        ),
    },
}
WITHDRAW: Final[dict[str, Any]] = {
    "operation_id": "withdraw_escalation_value",
    "summary": "Withdraw a value that was told",
    "description": "What was told last of the parameter counts no more, nor does what was told "
    "before it: what Flowboard counts itself stands again. It is kept with who withdrew it.",
    "request": WithdrawalEntry,
    "parameters": parameters(""),
    "responses": {
        **responses(WithdrawalRow, 400),
        (409, "application/problem+json"): OpenApiResponse(
            shapes.Problem, "Nothing that was told counts, or is left."
        ),
    },
}
