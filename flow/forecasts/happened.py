"""What was said, and what happened: one forecast beside its outcome as far as it is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final

import numpy as np

from flow.board_types import Sight
from flow.days import at_clock
from flow.forecasts.boards import ForecastBoard, told
from flow.forecasts.clock import DAY, minute_of, moment_of
from flow.forecasts.history import NOT_YET, Floats
from flow.forecasts.horizon import Horizon
from flow.forecasts.issued import Kept, speaking_from
from flow.forecasts.outcomes import left_at
from flow.forecasts.outlook import Fan
from flow.forecasts.recorded import Speaker, What
from flow.forecasts.stored import Number
from flow.models import Forecast, ForecastScore
from wards.models import Site

MORNING: Final = time(8)


@dataclass(frozen=True, slots=True)
class Beds:
    """A pool of beds: its fan as said, and by place of the hour how many were free when it came, as
    forecasts of that hour saw it; None where it has not come, or nothing was issued then."""

    fan: Fan
    seen: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A number as said and as seen; seen: None until it is over, or, of admissions and beds, until
    it has been scored. is_over: whether its end has come."""

    number: Number
    is_over: bool
    seen: int | None

    @property
    def held(self) -> bool | None:
        """Whether the 90 % interval held what was seen."""
        if self.seen is None:
            return None
        low, high = self.number.spread.central(0.9)
        return low <= self.seen <= high


@dataclass(frozen=True, slots=True)
class Tenth:
    """Of the patients whose chance to leave within 24 hours lay in `[low, high)`: how many, how
    many were expected to leave, and how many did; left: None until the 24 hours are over."""

    low: float
    high: float
    patients: int
    expected: float
    left: int | None


@dataclass(frozen=True, slots=True)
class Patient:
    """One patient whom the viewer may see: the chance to leave within 24 hours, and when they left
    the site; left_at: None while they are there."""

    episode: int
    ward: int
    chance: float
    left_at: datetime | None


@dataclass(frozen=True, slots=True)
class HappenedBoard:
    """A forecast with its outcome at `now`, as far as the viewer may see. tenths: of the patients
    on wards whose figures they see. patients: those they may see, the likeliest to leave first."""

    said: ForecastBoard
    now: datetime
    beds: tuple[Beds, ...]
    outcomes: tuple[Outcome, ...]
    tenths: tuple[Tenth, ...]
    patients: tuple[Patient, ...]


def yesterday_morning(now: datetime) -> datetime:
    """08:00 of yesterday, local time."""
    return at_clock(now, MORNING, days=-1)


def happened_board(
    site: Site, *, now: datetime, sight: Sight, at: datetime | None = None
) -> HappenedBoard | None:
    """What the last forecast that speaks from `at` or before said (of yesterday's 08:00 unless
    given), and what happened; None where there is none. Six queries."""
    kept = speaking_from(site.pk, at=at or yesterday_morning(now))
    if kept is None:
        return None
    said = told(site, kept, now=now, sight=sight, live=False)
    left = left_at(site.pk, kept.patients.episodes.tolist(), at=kept.row.at)
    known = minute_of(now)
    return HappenedBoard(
        said=said,
        now=now,
        beds=tuple(_beds(said, kept, now)),
        outcomes=tuple(_outcomes(said, kept, left, known)),
        tenths=tuple(_tenths(said, kept, left, known)),
        patients=tuple(_patients(kept, left, known, sight)),
    )


def _beds(said: ForecastBoard, kept: Kept, now: datetime) -> Iterable[Beds]:
    """One query: what forecasts issued later, at full hours, saw as free then."""
    fans = [*([said.fan] if said.fan else ()), *said.pools]
    if not fans:
        return
    ends = [moment_of(end) for end in Horizon(kept.issued.at).ends]
    later = Forecast.objects.filter(site=said.site, at__in=[end for end in ends if end <= now])
    free = {
        at: {(pool["kind"], pool["key"]): pool["free_now"] for pool in pools}
        for at, pools in later.values_list("at", "said__beds__pools")
        if pools
    }
    for fan in fans:
        key = (fan.pool.kind.value, fan.pool.key)
        yield Beds(fan, tuple(free.get(end, {}).get(key) for end in ends))


def _outcomes(
    said: ForecastBoard, kept: Kept, left: Mapping[int, int], known: int
) -> Iterable[Outcome]:
    """One query: what was counted when it was scored."""
    scores = ForecastScore.objects.filter(forecast=said.key, speaker=Speaker.FORECAST)
    counted = {
        tuple(key): seen
        for *key, seen in scores.values_list("what", "until", "part", "key", "seen")
    }
    patients = kept.patients
    for number in said.numbers:
        is_over = number.ends <= known
        seen: int | None = None
        if is_over and number.what is What.DEPARTURES:
            here = patients.episodes[patients.of(number.part, number.key)].tolist()
            seen = sum(left.get(episode, NOT_YET) <= number.ends for episode in here)
        elif is_over:
            seen = counted.get((number.what, number.until, number.part, number.key))
        yield Outcome(number, is_over, seen)


def _tenths(
    said: ForecastBoard, kept: Kept, left: Mapping[int, int], known: int
) -> Iterable[Tenth]:
    patients, end = kept.patients, kept.issued.at + DAY
    chances = _within_a_day(kept)
    shown = np.isin(patients.wards, list(said.places)) & np.isin(patients.episodes, list(left))
    gone = np.array([left.get(one, NOT_YET) <= end for one in patients.episodes.tolist()])
    which = np.minimum((chances * 10).astype(int), 9)
    for n in range(10):
        mine = shown & (which == n)
        if mine.any():
            yield Tenth(
                low=n / 10,
                high=(n + 1) / 10,
                patients=int(mine.sum()),
                expected=float(chances[mine].sum()),
                left=int(gone[mine].sum()) if end <= known else None,
            )


def _within_a_day(kept: Kept) -> Floats:
    return kept.patients.days[:, 0]


def _patients(kept: Kept, left: Mapping[int, int], known: int, sight: Sight) -> Iterable[Patient]:
    patients, chances = kept.patients, _within_a_day(kept)
    for n in np.argsort(-chances, kind="stable").tolist():
        episode, ward = int(patients.episodes[n]), int(patients.wards[n])
        if episode in left and sight.sees_patients(ward):
            gone = left[episode] <= known
            when = moment_of(left[episode]) if gone else None
            yield Patient(episode, ward, float(chances[n]), when)
