"""What was said, and what happened: one forecast beside its outcome as far as it is known."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
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
from flow.forecasts.issued import Kept, latest
from flow.forecasts.leaving import HOURS
from flow.forecasts.outcomes import beds_free, left_at
from flow.forecasts.outlook import Fan, PoolKind
from flow.forecasts.recorded import Part, Speaker, What, ends
from flow.forecasts.stored import Number
from flow.models import Forecast, ForecastScore
from wards.models import Site

MORNING: Final = time(8)
_OF_WARDS: Final = (PoolKind.SITE, PoolKind.GROUP, PoolKind.WARD)


@dataclass(frozen=True, slots=True)
class Beds:
    """A pool of beds: its fan as said, and by place of the hour how many were free when it came, as
    forecasts of that hour saw it or, of the hours always shown, as it is counted now; None where it
    has not come, or is not known."""

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
    given), and what happened; None where there is none. Six queries, and one for each hour always
    shown of which no forecast tells."""
    kept = latest(site.pk, by=at or yesterday_morning(now))
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
    counted = _counted(kept, [end for end in ends if end not in free], now)
    for fan in fans:
        key = (fan.pool.kind.value, fan.pool.key)
        yield Beds(
            fan, tuple(free[end].get(key) if end in free else counted(fan, end) for end in ends)
        )


def _counted(
    kept: Kept, ends: Collection[datetime], now: datetime
) -> Callable[[Fan, datetime], int | None]:
    """Free beds as they are counted now, at those of these moments that are always shown: as many
    queries. Of specialties and sexes none, since their beds are not those of wards."""
    ahead = Horizon(kept.issued.at)
    shown = [moment_of(int(ahead.ends[place])) for place in ahead.shown_always]
    wards = kept.issued.outlook.site.pool.wards if kept.issued.outlook else ()
    found = {end: beds_free(wards, at=end) for end in shown if end in ends and end <= now}

    def free(fan: Fan, end: datetime) -> int | None:
        if end not in found or fan.pool.kind not in _OF_WARDS:
            return None
        return sum(found[end].get(ward, 0) for ward in fan.pool.wards)

    return free


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
    for number in (*said.numbers, *_of_hours(said, kept.issued.at)):
        is_over = number.ends <= known
        seen: int | None = None
        if is_over and number.what is What.DEPARTURES:
            here = patients.episodes[patients.of(number.part, number.key)].tolist()
            seen = sum(left.get(episode, NOT_YET) <= number.ends for episode in here)
        elif is_over:
            seen = counted.get((number.what, number.until, number.part, number.key))
        yield Outcome(number, is_over, seen)


def _of_hours(said: ForecastBoard, at: int) -> Iterable[Number]:
    """Free beds of the site and who waits too long, as far as that was said, in the form of the
    other numbers."""
    ahead = Horizon(at)
    for until, end in ends(at).items():
        hour = min(ahead.at_or_after(end), HOURS - 1)
        if said.fan is not None:
            spread = said.fan.spreads[hour].not_below(said.fan.least)
            yield Number(What.FREE_BEDS, until, end, Part.SITE, "", spread)
        if said.waiting is not None:
            yield Number(What.WAITS, until, end, Part.SITE, "", said.waiting.over[hour])


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
