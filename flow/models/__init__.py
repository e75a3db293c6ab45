"""The census as last confirmed, cohorts by day, returns as sent, national reference figures."""

from flow.models.census import WardCensus
from flow.models.cohorts import CohortCount, CohortDay
from flow.models.reference import (
    ReferenceBody,
    ReferenceFile,
    ReferenceMeasure,
    ReferenceValue,
)
from flow.models.returns import DailyReturn, ReturnNumber, ReturnVersion

__all__ = [
    "CohortCount",
    "CohortDay",
    "DailyReturn",
    "ReferenceBody",
    "ReferenceFile",
    "ReferenceMeasure",
    "ReferenceValue",
    "ReturnNumber",
    "ReturnVersion",
    "WardCensus",
]
