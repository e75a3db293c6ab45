"""How near forecasts come to the truth in worlds whose true chances are known.

    python -m bench.forecast_worlds [--days 600] [--seed 1] [--world NAME ...]

Lets invented hospitals live (a quarter of Northmoor, some 260 beds), learns from the first part of
each, forecasts every morning after it, and prints for each world which share of the gap between
Kaplan-Meier and the truth is closed (log score of who leaves within a day), the CRPS of the day's
departures beside that of the truth and of the baselines, and what the intervals covered.
"""

from __future__ import annotations

import argparse
import sys
import time

from bench.judging import Verdict, hospital, judge, live, worlds
from flow.forecasts.hazards import Effort

WARDS = (
    "ERH-ED", "ERH-AMU", "ERH-SAU", "ERH-FAU", "ERH-ITU", "ERH-ASH", "ERH-BEE", "ERH-CED",
    "ERH-HAW", "ERH-HAZ", "ERH-LAR", "ERH-MAP", "ERH-OAK", "ERH-DCU", "ERH-DL", "ACH-LAP",
    "NVW-1", "NRT-1", "NCH-OAK",
)  # fmt: skip


def main() -> None:
    """Run the worlds, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--days", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--world", action="append", choices=sorted(worlds(1)))
    asked = parser.parse_args()
    places = hospital(WARDS)
    for name, world in worlds(asked.days).items():
        if asked.world and name not in asked.world:
            continue
        began = time.monotonic()
        seen = live(places, world, days=asked.days, seed=asked.seed, say=_say)
        # The shift comes at half the time, some weeks after what is learnt from.
        learnt = int(asked.days * 0.45)
        verdict = judge(name, seen, learnt_days=learnt, effort=Effort(), say=_say)
        print("\r" + _line(verdict, time.monotonic() - began), flush=True)


def _say(text: str) -> None:
    print(f"\r{text:60}", end="", file=sys.stderr, flush=True)


def _line(verdict: Verdict, seconds: float) -> str:
    truth, forecast = verdict.crps["truth"], verdict.crps["forecast"]
    others = ", ".join(
        f"{name} {value:.2f}"
        for name, value in verdict.crps.items()
        if name not in ("truth", "forecast")
    )
    covered = ", ".join(f"{float(k):.0%}: {v:.1%}" for k, v in verdict.coverage.items())
    return (
        f"{verdict.world}: {verdict.mornings} mornings, {verdict.patients} patients; gap closed "
        f"{verdict.closed:.1%}; CRPS {forecast:.2f}, {forecast / truth:.2f} of the truth's "
        f"{truth:.2f} ({others}); intervals {covered}; {seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
