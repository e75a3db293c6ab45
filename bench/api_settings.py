"""Flowboard's settings for the measurement of the API: no limit to how often one may ask, and
the bare view beside the API."""

from __future__ import annotations

from datetime import timedelta

from flowboard import settings as _ours
from flowboard.settings import *  # noqa: F403

REST_FRAMEWORK = _ours.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": {"token": "1000000000/min"}}
ROOT_URLCONF = "bench.api_urls"
# No worker runs here that would confirm the census every minute.
FIGURES_STALE_AFTER = timedelta(hours=1)
