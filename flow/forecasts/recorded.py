"""What is said of every forecast, by which words, and at which hours the record is kept.

Pure: no Django. Moments are minutes since 1970 in UTC.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import numpy as np

from flow.forecasts.clock import DAY, HOUR, midnight_after, weekday_and_hour

STANDARD_HOURS: Final = (0, 8, 12, 16, 20)
"""Local hours whose forecasts are scored and kept for ever."""
_EVENING: Final = 18


class What(StrEnum):
    """What is counted.

    DEPARTURES: of the patients in hospital at the moment of the forecast, those who have left the
    site by then. ADMISSIONS: patients who come to a bed of the site in between. FREE_BEDS: open
    beds without a patient at the end; below 0 are patients without a bed. WAITS: patients in the
    emergency department who have waited too long for a bed at the end; the chance that goes with
    it is that nobody has come to in between.
    """

    DEPARTURES = "departures"
    ADMISSIONS = "admissions"
    FREE_BEDS = "free_beds"
    WAITS = "waits"


class Until(StrEnum):
    """Until when a number is told."""

    DAY = "24h"
    TWO_DAYS = "48h"
    THREE_DAYS = "72h"
    EVENING = "18:00"
    MIDNIGHT = "midnight"


class Part(StrEnum):
    """Of which patients: all of the site, those on a ward, those of a specialty."""

    SITE = "site"
    WARD = "ward"
    SPECIALTY = "specialty"


class Speaker(StrEnum):
    """Who says so: the model that is live, and what it has to beat."""

    FORECAST = "forecast"
    KAPLAN_MEIER = "kaplan_meier"
    PLAN = "expected_dates"
    WEEKDAY = "same_weekday_6_weeks"
    YESTERDAY = "yesterday"


PARTS_AT: Final = (Until.DAY,)
"""Horizons at which wards and specialties are told apart."""


def ends(at: int) -> dict[Until, int]:
    """The minute at which each horizon of a forecast made at `at` ends; 18:00 only before it."""
    found = {
        Until.DAY: at + DAY,
        Until.TWO_DAYS: at + 2 * DAY,
        Until.THREE_DAYS: at + 3 * DAY,
        Until.MIDNIGHT: int(midnight_after(np.array([at]))[0]),
    }
    # Counted back from midnight: on the days on which the clock changes it does so before.
    evening = found[Until.MIDNIGHT] - (24 - _EVENING) * HOUR
    if at < evening:
        found[Until.EVENING] = evening
    return found


def is_standard(at: int) -> bool:
    """Whether the moment is one of the hours at which the record is kept."""
    _, hour = weekday_and_hour(np.array([at]))
    return at % HOUR == 0 and int(hour[0]) in STANDARD_HOURS
