"""Replay the past of sites that have loaded their history, so that their record does not begin
empty."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from flow.forecasts.recorded import STANDARD_HOURS
from flow.forecasts.replaying import CannotReplay, replay
from flow.models import ForecastModel
from wards.models import Site


class Command(BaseCommand):
    """Thin: it chooses sites and days, and says what became of each."""

    help = (
        "Issue the forecasts that a site would have issued in the last days, each from what had "
        "been recorded by its moment, and score them (docs/forecasts.md). For sites that have "
        "loaded their history and have no forecasts yet; others are left alone. Stopped, it "
        "begins anew with the site that it was at."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See `manage.py replay_forecasts --help`."""
        parser.add_argument("--site", action="append", required=True, help="code of a site")
        parser.add_argument(
            "--days", type=int, default=28, help="how many days to go back (default 28)"
        )
        parser.add_argument(
            "--hour", type=int, action="append", choices=STANDARD_HOURS,
            help="local hour at which forecasts are issued; all that are scored unless given",
        )  # fmt: skip

    def handle(self, **options: Any) -> None:
        """Raises CommandError for a site that is not there, and where one cannot be replayed."""
        sites = {site.code: site for site in Site.objects.filter(code__in=options["site"])}
        for code in options["site"]:
            if code not in sites:
                known = ", ".join(Site.objects.values_list("code", flat=True)) or "none yet"
                raise CommandError(f"There is no site {code!r}. Known: {known}.")
        for code in dict.fromkeys(options["site"]):
            self._replay(sites[code], options["days"], options["hour"] or STANDARD_HOURS)

    def _replay(self, site: Site, days: int, hours: list[int] | tuple[int, ...]) -> None:
        if ForecastModel.objects.filter(site=site).exists():
            self.stdout.write(f"{site.code}: has forecasts already, left alone.")
            return
        now = timezone.now()
        try:
            done = replay(
                site,
                since=now - timedelta(days=days),
                now=now,
                hours=hours,
                say=lambda text: self.stderr.write(f"{site.code}: {text}"),
            )
        except CannotReplay as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{site.code}: {done.models} models, {done.forecasts} forecasts.")
