"""Learn forecasts now, whatever the clock says, or ask a training that runs to stop."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from flow.forecasts import learning
from flow.models import ForecastTraining
from wards.models import Site


class Command(BaseCommand):
    """Thin: it chooses sites and says what became of each."""

    help = (
        "Learn who leaves when and who comes, of every site or of those named, from all that is "
        "recorded; a worker does the same each night (docs/forecasts.md). A model goes live only "
        "if it told the last two weeks better than the one that speaks."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See `manage.py learn_forecasts --help`."""
        parser.add_argument("--site", action="append", default=[], help="code of a site")
        parser.add_argument(
            "--stop", action="store_true", help="ask the training that runs to stop instead"
        )

    def handle(self, **options: Any) -> None:
        """Raises CommandError for a site that is not there, and where another process learns."""
        sites = list(Site.objects.filter(code__in=options["site"]))
        strange = sorted(set(options["site"]) - {site.code for site in sites})
        if strange:
            known = ", ".join(Site.objects.values_list("code", flat=True)) or "none yet"
            raise CommandError(f"There is no site {strange[0]!r}. Known: {known}.")
        if options["stop"]:
            self._stop(sites)
            return
        for site in sites or Site.objects.all():
            self._learn(site)

    def _stop(self, sites: list[Site]) -> None:
        running = ForecastTraining.objects.filter(state=ForecastTraining.State.RUNNING)
        if sites:
            running = running.filter(site__in=sites)
        asked = [row for row in running.select_related("site") if learning.ask_to_stop(row.pk)]
        for row in asked:
            self.stdout.write(f"{row.site.code}: stops at its next step.")
        if not asked:
            self.stdout.write("No training runs.")

    def _learn(self, site: Site) -> None:
        done = learning.learn(
            site, at=timezone.now(), say=lambda text: self.stderr.write(f"{site.code}: {text}")
        )
        if done is None:
            raise CommandError("Another process is learning. Wait, or ask it to stop with --stop.")
        said = done.get_state_display()
        if done.model is not None:
            model = done.model
            said = (
                f"version {model.number}, {model.get_kind_display()}, from {model.departures} "
                f"departures in {model.seconds:.0f} s: {model.get_verdict_display()}"
            )
        self.stdout.write(f"{site.code}: {said}")
        if done.state == ForecastTraining.State.FAILED:
            raise CommandError(f"{site.code} was not learnt; the log says why.")
