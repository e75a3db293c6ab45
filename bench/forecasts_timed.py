"""The part of `bench.forecasts` that runs inside Flowboard, in a database with a history."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import django
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowboard.settings")
django.setup()

from flow.forecasts import versions  # noqa: E402 - Django has to be ready first
from flow.forecasts.clock import minute_of  # noqa: E402
from flow.forecasts.features import Question  # noqa: E402
from flow.forecasts.issuing import issue  # noqa: E402
from flow.forecasts.learning import learn  # noqa: E402
from flow.forecasts.reading import read_present  # noqa: E402
from wards.models import Movement, Site  # noqa: E402


def main(rounds: int) -> None:
    """Learn, then issue so many forecasts, a minute apart."""
    site = Site.objects.get()
    last = Movement.objects.order_by("-recorded_at").values_list("recorded_at", flat=True)[0]
    at = last.replace(second=0, microsecond=0) + timedelta(minutes=1)
    took = _timed(lambda: learn(site, at=at))
    live = versions.live(site.pk)
    assert live is not None, "a site with a history has a model"
    print(f"learnt from {live.row.departures} departures in {took:.0f} s: {live.row.kind}")
    refreshes, passes = [], []
    for number in range(rounds + 1):
        now = at + timedelta(minutes=number)
        refreshes.append(_timed(partial(issue, site, at=now, issued_at=now)))
        history = live.learnt.numbered(read_present(site, at=now))
        who = history.present(minute_of(now))
        asked = Question.today(who, np.full(who.size, minute_of(now)))
        model = live.learnt.trained.voice.model
        passes.append(_timed(partial(model.chances, history, asked)))
    # The first one reads what later ones find in memory.
    whole, one = statistics.median(refreshes[1:]), statistics.median(passes[1:])
    print(f"a forecast of {who.size} patients and the site, issued and kept: {whole:.2f} s")
    print(f"  the first, with an empty memory: {refreshes[0]:.2f} s")
    print(f"  one pass of the model over the patients: {one:.3f} s   ratio {whole / one:.1f}")


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main(int(sys.argv[1]))
