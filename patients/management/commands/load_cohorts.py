"""Load cohorts and neighbourhoods."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.refusals import Refused
from patients.cohort_loading import built_in, load_cohorts


class Command(BaseCommand):
    """Thin: it parses, loads and prints."""

    help = (
        "Load cohorts and neighbourhoods from YAML files; without a file, the starter set of "
        "cohorts that comes with Flowboard. Repeatable, all or nothing. Neighbourhoods are made "
        "equal to a file that names any; cohorts that no file names stay."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See `manage.py load_cohorts --help`."""
        parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, only")

    def handle(self, **options: Any) -> None:
        """Raises CommandError with the mistakes found in a file."""
        try:
            done = load_cohorts(options["files"] or built_in(), dry_run=options["dry_run"])
        except Refused as refused:
            raise CommandError(refused.reason) from None
        for loaded in done:
            parts = [
                f"{word}: {', '.join(slugs)}"
                for word, slugs in (
                    ("new", loaded.new),
                    ("changed", loaded.changed),
                    ("taken away", loaded.gone),
                )
                if slugs
            ]
            self.stdout.write(f"{loaded.file}: {'; '.join(parts) or 'nothing to change'}")
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was written.")
