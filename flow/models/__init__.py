"""The census as last confirmed, the returns that were sent, and national reference figures."""

from flow.models.census import WardCensus
from flow.models.reference import (
    ReferenceBody,
    ReferenceFile,
    ReferenceMeasure,
    ReferenceValue,
)
from flow.models.returns import DailyReturn, ReturnNumber, ReturnVersion

__all__ = [
    "DailyReturn",
    "ReferenceBody",
    "ReferenceFile",
    "ReferenceMeasure",
    "ReferenceValue",
    "ReturnNumber",
    "ReturnVersion",
    "WardCensus",
]
