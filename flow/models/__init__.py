"""The census as last confirmed, and the returns that were sent."""

from flow.models.census import WardCensus
from flow.models.returns import DailyReturn, ReturnNumber, ReturnVersion

__all__ = ["DailyReturn", "ReturnNumber", "ReturnVersion", "WardCensus"]
