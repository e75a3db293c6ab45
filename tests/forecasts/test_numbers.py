"""Distributions of how many, against golden cases and against every outcome written out."""

from __future__ import annotations

import io
import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from flow.forecasts.numbers import (
    at_least,
    central,
    crps,
    mean,
    mixture,
    poisson_binomial,
    quantile,
    variance,
)

GOLDEN = Path(__file__).resolve().parents[3] / "shared/data/demand/poisson_binomial_golden.json"
chances = st.lists(st.floats(0, 1), max_size=9)


def golden() -> list[dict[str, object]]:
    cases: list[dict[str, object]] = json.loads(GOLDEN.read_text())["cases"]
    return cases


def test_the_golden_cases() -> None:
    for case in golden():
        pmf = poisson_binomial(case["p"])  # type: ignore[arg-type]
        assert np.abs(pmf - np.array(case["pmf"])).max() < 1e-12, case["name"]
        assert mean(pmf) == pytest.approx(case["mean"], abs=1e-12)
        assert variance(pmf) == pytest.approx(case["variance"], abs=1e-12)
        quantiles: dict[str, int] = case["quantile_smallest_k_with_cdf_ge"]  # type: ignore[assignment]
        for level, number in quantiles.items():
            assert quantile(pmf, float(level)) == number, (case["name"], level)


@given(chances)
def test_it_is_what_all_outcomes_add_up_to(p: list[float]) -> None:
    slow = [0.0] * (len(p) + 1)
    for outcome in itertools.product((0, 1), repeat=len(p)):
        slow[sum(outcome)] += math.prod(
            x if came else 1 - x for x, came in zip(p, outcome, strict=True)
        )
    assert poisson_binomial(p) == pytest.approx(slow, abs=1e-13)


@given(st.integers(0, 700), st.floats(0, 1))
def test_equal_chances_are_binomial(n: int, p: float) -> None:
    pmf = poisson_binomial(np.full(n, p))
    assert pmf.size == n + 1
    assert pmf.sum() == pytest.approx(1, abs=1e-12)
    assert mean(pmf) == pytest.approx(n * p, abs=1e-9)
    assert variance(pmf) == pytest.approx(n * p * (1 - p), abs=1e-8)


@pytest.mark.parametrize("wrong", [[-0.1], [1.1], [float("nan")], [[0.5]]])
def test_what_is_no_chance_is_refused(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        poisson_binomial(wrong)


@given(chances, st.integers(0, 12))
def test_the_score_is_the_expected_distance_less_half_the_spread(p: list[float], seen: int) -> None:
    """The other form of the CRPS, E|X - y| - E|X - X'|/2."""
    pmf = poisson_binomial(p)
    numbers = np.arange(pmf.size)
    away = np.abs(numbers - seen) @ pmf
    spread = pmf @ np.abs(numbers[:, None] - numbers[None, :]) @ pmf
    assert crps(pmf, seen) == pytest.approx(away - spread / 2, abs=1e-10)


def test_statements_and_intervals() -> None:
    pmf = np.array([0.05, 0.15, 0.3, 0.3, 0.15, 0.05])
    assert at_least(pmf, 0.9) == 1
    assert at_least(pmf, 0.95) == 1
    assert at_least(pmf, 0.5) == 3
    assert at_least(pmf, 1.0) == 0
    assert central(pmf, 0.9) == (0, 4)
    assert central(pmf, 0.5) == (2, 3)


def test_a_mixture_is_their_weighted_sum() -> None:
    pmf = mixture([np.array([1.0]), np.array([0.0, 0.5, 0.5])], [0.25, 0.75])
    assert pmf == pytest.approx([0.25, 0.375, 0.375])


def test_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("[0.2, 0.5]"))
    call_command("poisson_binomial")
    assert json.loads(capsys.readouterr().out)["pmf"] == pytest.approx([0.4, 0.5, 0.1])


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ('{"chance": 2}', "JSON list"),
        ('{"p": {"0.5": 1}}', "JSON list"),
        ('{"p": "01"}', "JSON list"),
        ('"01"', "JSON list"),
        ("1", "JSON list"),
        ("", "not JSON"),
        ("[0.5", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('[0.5, "0.5"]', "Value 2 of the list is no number"),
        ("[true, false]", "Value 1 of the list is no number"),
        ("[[0.5]]", "Value 1 of the list is no number"),
        ("[null]", "Value 1 of the list is no number"),
        ("[0, 1.01]", "Value 2 of the list is not from 0 to 1"),
        ("[NaN]", "Value 1 of the list is not from 0 to 1"),
        ("[1" + "0" * 400 + "]", "Value 1 of the list is not from 0 to 1"),
    ],
)
def test_the_command_takes_nothing_else_for_chances(
    said: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(said))
    with pytest.raises(CommandError, match=why):
        call_command("poisson_binomial")


def test_the_command_reads_what_windows_wrote(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = io.TextIOWrapper(io.BytesIO('{"p": [0, 1, 0.5]}'.encode("utf-8-sig")), "utf-8")
    monkeypatch.setattr("sys.stdin", told)
    call_command("poisson_binomial")
    assert json.loads(capsys.readouterr().out)["pmf"] == pytest.approx([0, 0.5, 0.5, 0])
