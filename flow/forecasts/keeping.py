"""What is kept of forecasts, and for how long.

Forecasts of the hours at which the record is kept (`recorded.STANDARD_HOURS`) stay for ever, with
their scores. Of the others those of full hours stay for four weeks, those in between for two days;
the database refuses to let go of any sooner. What was learnt by models that no longer speak stays
for six weeks, their rows for ever.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q

from flow.forecasts import versions
from flow.models import Forecast, ForecastDue, ForecastInputs, ForecastTraining

HOURLY: Final = timedelta(days=28)
BETWEEN: Final = timedelta(days=2)
TRAININGS: Final = timedelta(days=90)
FORGOTTEN: Final = timedelta(days=1)
"""Notes of sites for which nothing speaks are dropped after that."""
_AT_ONCE: Final = 500


def thin(*, now: datetime) -> int:
    """Let go of what need not be kept, some at a time; how many forecasts went."""
    full_hour = Q(at__minute=0)
    over = (full_hour & Q(at__lt=now - HOURLY)) | (~full_hour & Q(at__lt=now - BETWEEN))
    latest = ForecastInputs.objects.values("forecast")
    rows = Forecast.objects.filter(over, is_standard=False).exclude(pk__in=latest)
    gone = list(rows.order_by("at").values_list("pk", flat=True)[:_AT_ONCE])
    Forecast.objects.filter(pk__in=gone).delete()
    ForecastTraining.objects.filter(finished_at__lt=now - TRAININGS).delete()
    ForecastDue.objects.filter(marked_at__lt=now - FORGOTTEN).delete()
    versions.drop_old(at=now)
    return len(gone)
