"""What the OpenAPI document says of forecasts, their scores and predictions."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers as s

from flow.api.describing import parameters, responses
from flow.api.shapes import Shape
from flow.forecasts.accuracy import By
from flow.forecasts.drift import Sign
from flow.forecasts.drivers import Fact
from flow.forecasts.outlook import QUANTILES, MarkKind, PoolKind
from flow.forecasts.recorded import STANDARD_HOURS, Part, Speaker, Until, What
from flow.models import ForecastModel

_LEVELS: Final = ", ".join(f"{q:.2f}" for q in QUANTILES)


class ForecastModelTold(Shape):
    """Which model spoke."""

    version = s.IntegerField(help_text="Counted at the site from 1.")
    kind = s.ChoiceField(ForecastModel.Kind.choices)
    trained_at = s.DateTimeField()
    learnt_from = s.DateTimeField()
    learnt_until = s.DateTimeField()
    departures = s.IntegerField(help_text="How many it was learnt from.")
    live_from = s.DateTimeField(allow_null=True)


class ForecastLevel(Shape):
    """How fast patients leave these days beside what the model learnt, with the 90 % interval."""

    factor = s.FloatField(help_text="On the hazard of leaving; forecasts follow it.")
    low = s.FloatField()
    high = s.FloatField()


class AtLeastBeds(Shape):
    """ "At least so many" and how sure that is."""

    chance = s.FloatField()
    beds = s.IntegerField(help_text="Below 0: at most so many patients have no bed.")


class ForecastHour(Shape):
    """Free beds at a full hour: open beds less patients; below 0 are patients without a bed."""

    at = s.DateTimeField()
    open = s.IntegerField(help_text="Beds open then, as is planned now.")
    mean = s.FloatField()
    quantiles = s.DictField(child=s.IntegerField(), help_text=f"At {_LEVELS}.")
    at_least = AtLeastBeds(many=True)
    none_free_chance = s.FloatField(help_text="The chance of more patients than beds.")


class ForecastGroup(Shape):
    """Beds that are counted together."""

    kind = s.ChoiceField([kind.value for kind in PoolKind])
    key = s.CharField(allow_null=True, help_text="Code of a ward; name of a group; specialty; sex.")
    name = s.CharField()
    patients = s.IntegerField()
    free_now = s.IntegerField()
    hours = ForecastHour(many=True)


class AtLeastNumber(Shape):
    """ "At least so many" and how sure that is."""

    chance = s.FloatField()
    number = s.IntegerField()


class ForecastNumber(Shape):
    """How many leave, or come to a bed, until some time."""

    what = s.ChoiceField([What.DEPARTURES.value, What.ADMISSIONS.value])
    horizon = s.ChoiceField([until.value for until in Until])
    until = s.DateTimeField()
    part = s.ChoiceField([part.value for part in Part], help_text="Of which patients.")
    key = s.CharField(allow_null=True, help_text="Code of the ward or specialty.")
    mean = s.FloatField()
    quantiles = s.DictField(child=s.IntegerField(), help_text=f"At {_LEVELS}.")
    at_least = AtLeastNumber(many=True)


class ForecastQueueHour(Shape):
    """The queue for beds in the emergency department at a full hour."""

    at = s.DateTimeField()
    mean = s.FloatField(help_text="Who waits.")
    over_mean = s.FloatField(help_text="Who waits longer than the limit.")
    nobody_over_chance = s.FloatField(
        help_text="The chance that up to then nobody comes to wait longer than the limit."
    )


class ForecastQueue(Shape):
    """Who waits for a bed in the emergency department, by simulation."""

    limit_hours = s.IntegerField()
    now = s.IntegerField()
    over_now = s.IntegerField()
    hours = ForecastQueueHour(many=True)


class ForecastMark(Shape):
    """Something that is planned."""

    at = s.DateTimeField()
    kind = s.ChoiceField([kind.value for kind in MarkKind])
    number = s.IntegerField(help_text="Beds, or patients.")
    ward = s.CharField(allow_null=True)
    reason = s.CharField(allow_null=True)


class ForecastRow(Shape):
    """What was foretold of a site, as far as the caller may see."""

    site = s.CharField()
    site_name = s.CharField()
    at = s.DateTimeField(help_text="The moment it speaks from: nothing learnt later is in it.")
    issued_at = s.DateTimeField(help_text="When it was written down; never changed since.")
    stale = s.BooleanField(help_text="Of the present, and too old for it.")
    model_version = s.IntegerField()
    model = ForecastModelTold()
    level = ForecastLevel()
    complete = s.BooleanField(
        help_text="The caller sees every ward of the site. Else what tells of wards out of sight "
        "is left out: the site itself, specialties, and groups with such a ward."
    )
    patients = s.IntegerField(allow_null=True)
    days_known = s.FloatField(
        allow_null=True,
        help_text="Days of history that beds rest on; null where no bed was foretold.",
    )
    free_now = s.IntegerField(allow_null=True)
    statements = s.ListField(child=s.CharField(), help_text="In words, of midnight and 08:00.")
    hours = ForecastHour(many=True, help_text="Of the whole site, the next 72 full hours.")
    groups = ForecastGroup(many=True)
    numbers = ForecastNumber(many=True)
    waiting = ForecastQueue(allow_null=True)
    planned = ForecastMark(many=True)


class ReliabilityTenth(Shape):
    """Patients whose chance lay between two tenths."""

    low = s.FloatField()
    high = s.FloatField()
    patients = s.IntegerField()
    said = s.FloatField(help_text="Mean of the chances.")
    seen = s.FloatField(help_text="Share for whom it came true.")


class ScoreRow(Shape):
    """How right one speaker was. Losses: less is better. Null where nothing was scored."""

    site = s.CharField()
    key = s.CharField(allow_null=True, help_text="Ward, specialty, hour or horizon.")
    name = s.CharField(allow_null=True)
    speaker = s.ChoiceField([speaker.value for speaker in Speaker])
    patients = s.IntegerField(help_text="Chances of single patients that were scored.")
    log_score = s.FloatField(allow_null=True, help_text="Nats.")
    brier = s.FloatField(allow_null=True)
    mean_chance = s.FloatField(allow_null=True)
    came_true = s.FloatField(allow_null=True)
    forecasts = s.IntegerField(help_text="Distributions of a number that were scored.")
    mean_said = s.FloatField(allow_null=True)
    mean_seen = s.FloatField(allow_null=True)
    crps = s.FloatField(allow_null=True, help_text="Patients or beds.")
    mae = s.FloatField(allow_null=True)
    bias = s.FloatField(allow_null=True, help_text="Said less seen.")
    within_50 = s.FloatField(allow_null=True, help_text="Share of 50 % intervals that held.")
    within_80 = s.FloatField(allow_null=True)
    within_90 = s.FloatField(allow_null=True)
    reliability = ReliabilityTenth(many=True)


class SpokeRow(Shape):
    """A model that spoke in that time."""

    site = s.CharField()
    version = s.IntegerField()
    kind = s.ChoiceField(ForecastModel.Kind.choices)
    forecasts = s.IntegerField()
    replayed = s.IntegerField(
        help_text="How many of them were written down later than an hour after their moment: the "
        "past was replayed, from what had been known at each moment."
    )


class DriftRow(Shape):
    """What somebody should look at now."""

    site = s.CharField()
    signs = s.ListField(child=s.ChoiceField([sign.value for sign in Sign]))
    level = ForecastLevel()


class ScoreTable(Shape):
    """The score table."""

    to = s.DateField()
    what = s.ChoiceField([what.value for what in What])
    horizon = s.ChoiceField([until.value for until in Until], allow_null=True)
    hours = s.ListField(child=s.IntegerField(), allow_null=True)
    by = s.ChoiceField([by.value for by in By], allow_null=True)
    results = ScoreRow(many=True)
    models = SpokeRow(many=True)
    drift = DriftRow(many=True)
    partly_hidden = s.ListField(
        child=s.CharField(),
        help_text="Sites in part of sight: their totals tell of other wards and are left out.",
    )

    def get_fields(self) -> dict[str, s.Field[Any, Any, Any, Any]]:
        """`from` is no name in Python."""
        return {"from": s.DateField(), **super().get_fields()}


class ChanceBy(Shape):
    """The chance to have left the site by then."""

    by = s.DateTimeField()
    chance = s.FloatField(help_text="Never exactly 0 or 1 but by rounding.")


class DriverRow(Shape):
    """A fact that moves the chance."""

    fact = s.ChoiceField([fact.value for fact in Fact])
    words = s.CharField()
    change = s.FloatField(
        help_text="Of the chance to leave within 24 hours, beside what it would be with the usual "
        "value of the site."
    )


class PredictionRow(Shape):
    """What is foretold of one patient. For planning beds; no decision about the patient."""

    episode = s.IntegerField()
    site = s.CharField()
    at = s.DateTimeField()
    issued_at = s.DateTimeField()
    model_version = s.IntegerField()
    model = ForecastModelTold()
    words = s.CharField(help_text="Such as “Likely today by 16:00”.")
    hours = ChanceBy(many=True, help_text="By each of the next 72 full hours.")
    days = ChanceBy(many=True, help_text="By 24, 48, … hours after `at`, to 14 days.")
    expected_discharge_at = s.DateTimeField(
        allow_null=True, help_text="The team's plan as it was known at `at`."
    )
    expected_discharge_at_now = s.DateTimeField(allow_null=True)
    drivers = DriverRow(
        many=True, allow_null=True, help_text="Null where the model is no longer kept."
    )
    purpose = s.CharField(help_text="What it is for, and what it is not.")


def _parameter(name: str, description: str, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(
        name, **{"type": str, "required": False, "description": description, **more}
    )


FORECAST: Final[dict[str, Any]] = {
    "operation_id": "forecast",
    "summary": "Forecast of a site",
    "parameters": parameters(
        "site at",
        site={"many": False, "required": True, "description": "Code of one site in sight."},
        at={
            "description": "The last forecast that speaks from this moment of the past or before, "
            "whenever it was written down (`issued_at`); the latest without it.",
            "type": OpenApiTypes.DATETIME,
        },
    ),
    "responses": responses(ForecastRow, 304, 400, 404),
}
ACCURACY: Final[dict[str, Any]] = {
    "operation_id": "forecast_accuracy",
    "summary": "How right forecasts have been",
    "parameters": [
        _parameter("from", "The first day; four weeks ago without it.", type=OpenApiTypes.DATE),
        _parameter("to", "The last day; today without it.", type=OpenApiTypes.DATE),
        _parameter(
            "hour",
            "Local hour at which it was issued; all without it.",
            many=True,
            enum=[str(hour) for hour in STANDARD_HOURS],
        ),
        _parameter("horizon", "Until when it speaks.", enum=[until.value for until in Until]),
        _parameter("what", "What was foretold.", enum=[what.value for what in What]),
        _parameter("by", "What to tell apart.", enum=[by.value for by in By]),
        *parameters("site"),
    ],
    "responses": responses(ScoreTable, 400),
}
PREDICTION: Final[dict[str, Any]] = {
    "operation_id": "prediction",
    "summary": "When a patient may leave",
    "parameters": parameters(
        "at",
        at={
            "description": "The last forecast that speaks from then or before.",
            "type": OpenApiTypes.DATETIME,
        },
    ),
    "responses": responses(PredictionRow, 400, 404),
}
