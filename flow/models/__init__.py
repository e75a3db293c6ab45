"""The census as last confirmed, cohorts by day, forecasts and how right they were, returns as sent,
national reference figures, what one shift leaves to the next."""

from flow.models.census import WardCensus
from flow.models.cohorts import CohortCount, CohortDay
from flow.models.forecasts import (
    Forecast,
    ForecastDue,
    ForecastInputs,
    ForecastLevels,
    ForecastModel,
    ForecastPatterns,
    ForecastScore,
    ForecastScoring,
    ForecastTraining,
)
from flow.models.handover import HandoverNote, HandoverNoteDone, Stint
from flow.models.reference import (
    ReferenceBody,
    ReferenceFile,
    ReferenceMeasure,
    ReferenceValue,
)
from flow.models.returns import DailyReturn, ReturnNumber, ReturnVersion
from flow.models.scenarios import KeptScenario

__all__ = [
    "CohortCount",
    "CohortDay",
    "DailyReturn",
    "Forecast",
    "ForecastDue",
    "ForecastInputs",
    "ForecastLevels",
    "ForecastModel",
    "ForecastPatterns",
    "ForecastScore",
    "ForecastScoring",
    "ForecastTraining",
    "HandoverNote",
    "HandoverNoteDone",
    "KeptScenario",
    "ReferenceBody",
    "ReferenceFile",
    "ReferenceMeasure",
    "ReferenceValue",
    "ReturnNumber",
    "ReturnVersion",
    "Stint",
    "WardCensus",
]
