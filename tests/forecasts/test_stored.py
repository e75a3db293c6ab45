"""Forecasts as bytes: what is read back is what was written, and the format is as it says."""

from __future__ import annotations

import io

import numpy as np
import pytest

from flow.forecasts.clock import HOUR, minute_of
from flow.forecasts.horizon import Horizon
from flow.forecasts.leaving import DAYS, HOURS
from flow.forecasts.outlook import (
    Fan,
    Mark,
    MarkKind,
    Outlook,
    Parts,
    Pool,
    PoolKind,
    Spread,
    Spreads,
    Waiting,
)
from flow.forecasts.recorded import Part, Until, What
from flow.forecasts.stored import (
    FORMAT,
    Issued,
    Number,
    Patients,
    UnknownFormat,
    read,
    written,
)
from tests.forecasts.living import BEGIN

AT = minute_of(BEGIN) + 8 * HOUR
STEP = 1 / 65535


def patients(number: int = 7, seed: int = 3) -> Patients:
    rng = np.random.default_rng(seed)
    return Patients(
        episodes=rng.permutation(10**12 + np.arange(number)),
        wards=rng.integers(1, 9, number),
        specialties=[str(one) for one in rng.choice(["", "300", "430"], number)],
        hours=np.sort(rng.uniform(0, 1, (number, HOURS)), axis=1),
        days=np.sort(rng.uniform(0, 1, (number, DAYS)), axis=1),
    )


def fan(kind: PoolKind, key: str, seed: int, lowest: int) -> Fan:
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.ones(9), HOURS)
    parts = Parts(*rng.uniform(0, 900, (6, HOURS)))
    pool = Pool(kind, key, f"Pool {key}", (4, 5))
    return Fan(pool, 12, -1, rng.integers(0, 40, HOURS), Spreads(lowest, chances), parts)


def outlook() -> Outlook:
    queue = Spreads(0, np.random.default_rng(9).dirichlet(np.ones(5), HOURS))
    return Outlook(
        at=AT,
        ends=Horizon(AT).ends,
        shown_always=Horizon(AT).shown_always,
        site=fan(PoolKind.SITE, "", 1, -40),
        pools=(fan(PoolKind.WARD, "4", 2, -3), fan(PoolKind.GROUP, "wards", 3, 0)),
        waiting=Waiting(4, 3, 1, queue, queue, np.linspace(1, 0.2, HOURS), 1000),
        marks=(Mark(AT + 90, MarkKind.CLOSURE_BEGINS, 6, 4, "infection"),
               Mark(AT + 300, MarkKind.LISTED, 1)),
        days_known=31.25,
    )  # fmt: skip


def number(chances: np.ndarray, part: Part = Part.SITE, key: str = "") -> Number:
    return Number(What.DEPARTURES, Until.DAY, AT + 1440, part, key, Spread(2, chances))


def again(issued: Issued) -> Issued:
    said, arrays = written(issued)
    return read(said, arrays, at=issued.at, format=FORMAT)


def test_patients_are_read_as_they_were_written() -> None:
    known = patients()
    found = again(Issued(AT, known, (), None)).patients
    assert np.array_equal(found.episodes, known.episodes)
    assert np.array_equal(found.wards, known.wards)
    assert list(found.specialties) == list(known.specialties)
    assert np.abs(found.hours - known.hours).max() < STEP
    assert np.abs(found.days - known.days).max() < STEP
    assert found.place(int(known.episodes[4])) == 4
    assert found.place(1) is None


def test_no_chance_is_none_and_none_is_certain() -> None:
    sure = patients(2)
    hours = np.vstack([np.zeros(HOURS), np.ones(HOURS)])
    known = Patients(sure.episodes, sure.wards, sure.specialties, hours, sure.days)
    found = again(Issued(AT, known, (), None)).patients
    assert np.all(found.hours[0] == STEP)
    assert np.all(found.hours[1] == 1 - STEP)


def test_nobody_is_read_as_nobody() -> None:
    found = again(Issued(AT, patients(0), (), None))
    assert len(found.patients) == 0
    assert found.outlook is None


def test_numbers_keep_their_distributions() -> None:
    chances = np.array([0.0, 1e-12, 0.25, 0.5, 0.25, 1e-13])
    issued = Issued(AT, patients(), (number(chances), number(chances, Part.WARD, "4")), None)
    found = again(issued)
    spread = found.number(What.DEPARTURES, Until.DAY, Part.WARD, "4")
    assert spread.lowest == 4
    assert spread.chances == pytest.approx([0.25, 0.5, 0.25])
    assert found.numbers[0].ends == AT + 1440
    with pytest.raises(KeyError):
        found.number(What.DEPARTURES, Until.MIDNIGHT)


def test_beds_are_read_as_they_were_written() -> None:
    known = outlook()
    found = again(Issued(AT, patients(), (), known)).outlook
    assert found is not None
    assert (found.at, found.shown_always, found.marks) == (AT, known.shown_always, known.marks)
    assert found.days_known == 31.25
    assert np.array_equal(found.ends, known.ends)
    for one, other in zip((found.site, *found.pools), (known.site, *known.pools), strict=True):
        assert one.pool == other.pool
        assert (one.patients, one.free_now) == (other.patients, other.free_now)
        assert np.array_equal(one.open, other.open)
        assert one.spreads.lowest == other.spreads.lowest
        assert np.abs(one.spreads.chances - other.spreads.chances).max() < 10 * STEP
        assert one.spreads.chances.sum(1) == pytest.approx(1)
        assert one.parts.left == pytest.approx(other.parts.left, abs=0.0051)
        assert one.parts.to_come == pytest.approx(other.parts.to_come, abs=0.0051)
    assert found.waiting is not None
    assert (found.waiting.now, found.waiting.over_now, found.waiting.paths) == (3, 1, 1000)
    assert found.waiting.numbers.means == pytest.approx(known.waiting.numbers.means)  # type: ignore[union-attr]
    assert found.waiting.none_over == pytest.approx(known.waiting.none_over, abs=STEP)  # type: ignore[union-attr]


def test_other_programs_can_read_the_arrays_by_their_description() -> None:
    known = patients()
    said, arrays = written(Issued(AT, known, (), outlook()))
    file = np.load(io.BytesIO(arrays), allow_pickle=False)
    hours = np.cumsum(file["hours"].astype(np.int64), axis=1) % 65536 / 65535
    assert np.abs(hours - known.hours).max() < STEP
    specialties = [said["specialties"][n] for n in file["specialties"]]
    assert specialties == list(known.specialties)
    first = file["spreads"].astype(int)[: 72 * int(file["widths"][0])].reshape(72, -1)
    assert first.sum(1) == pytest.approx(65535, abs=9)
    assert file["open"].shape == (3, 72)


def test_a_later_format_is_refused_and_not_misread() -> None:
    said, arrays = written(Issued(AT, patients(), (), None))
    with pytest.raises(UnknownFormat):
        read(said, arrays, at=AT, format=FORMAT + 1)
