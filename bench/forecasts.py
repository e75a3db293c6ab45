"""How long a site of 1,000 beds takes to learn anew and to forecast.

    python -m bench.forecasts [--beds 1000] [--days 730] [--rounds 5] [--beside patientflow]

Makes a database of its own, loads an invented history into it (`import_stays`), learns the site as
the nightly task does, and then issues forecasts one after the other: every patient's chances by
hour and day, and the site's arrivals and free beds. The work that any such refresh consists of at
least, one pass of the model over the patients in hospital, is timed beside it as the baseline.

With `--beside patientflow` that package is installed into an environment of its own for the run,
and both turn the chances of 100 and of 600 patients into the distribution of how many leave.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from bench.mllp import LOADED, Databases, manage
from bench.stays_world import write
from flow.forecasts.numbers import poisson_binomial
from flowboard.start import BASE, prepare

_PATIENTS = (100, 600)
_OTHERS = """
import json, sys, time
import pandas
from patientflow.aggregate import pred_proba_to_agg_predicted
for chances in json.load(sys.stdin):
    rows = pandas.DataFrame({"pred_proba": chances})
    took = []
    for _ in range(7):
        begun = time.perf_counter()
        pred_proba_to_agg_predicted(rows)
        took.append(time.perf_counter() - begun)
    print(sorted(took)[3])
"""


def main() -> None:
    """Measure, print, leave nothing behind."""
    reader = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    reader.add_argument("--beds", type=int, default=1000)
    reader.add_argument("--days", type=int, default=730)
    reader.add_argument("--rounds", type=int, default=5)
    reader.add_argument("--beside", choices=["patientflow"])
    asked = reader.parse_args()
    if asked.beside:
        _beside()
    found = prepare()
    databases = Databases(dict(found.database))
    environment = {**os.environ, "REDIS_URL": found.redis_url, "LOG_LEVEL": "WARNING"}
    try:
        databases.make(LOADED)
        here = {**environment, "DATABASE_URL": databases.address(LOADED)}
        manage(here, "migrate")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "stays.csv"
            rows = write(file, beds=asked.beds, days=asked.days, seed=1)
            took = _timed(lambda: manage(here, "import_stays", str(file)))
        print(f"{rows} rows of history loaded in {took:.0f} s", flush=True)
        subprocess.run(
            [sys.executable, "-m", "bench.forecasts_timed", str(asked.rounds)],
            cwd=BASE, env=here, check=True,
        )  # fmt: skip
    finally:
        databases.close()


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _beside() -> None:
    """The same distributions by both."""
    rng = np.random.default_rng(1)
    cases = [list(rng.uniform(0.02, 0.6, number)) for number in _PATIENTS]
    ours = [
        statistics.median(_timed(partial(poisson_binomial, case)) for _ in range(31))
        for case in cases
    ]
    with tempfile.TemporaryDirectory() as folder:
        uv = [sys.executable, "-m", "uv", "--quiet"]
        subprocess.run([*uv, "venv", folder, "--allow-existing"], check=True)
        python = str(Path(folder) / "bin" / "python")
        subprocess.run([*uv, "pip", "install", "--python", python, "patientflow"], check=True)
        said = subprocess.run(
            [python, "-W", "ignore", "-c", _OTHERS],
            input=json.dumps(cases), capture_output=True, text=True, check=True,
        )  # fmt: skip
    for number, mine, theirs in zip(_PATIENTS, ours, map(float, said.stdout.split()), strict=True):
        print(
            f"how many of {number} leave: {mine * 1000:.2f} ms, patientflow "
            f"{theirs * 1000:.1f} ms, ratio {mine / theirs:.4f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
