"""Load criteria to reside, delay reasons and other lists of codes."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.refusals import Refused
from patients.code_loading import built_in, load_codes


class Command(BaseCommand):
    """Thin: it parses, loads and prints."""

    help = (
        "Load code sets from YAML files; without a file, those that come with Flowboard. "
        "Repeatable, all or nothing. A code that a file leaves out is withdrawn, not deleted."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See `manage.py load_codes --help`."""
        parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, only")

    def handle(self, **options: Any) -> None:
        """Raises CommandError with the first mistake found in a file."""
        try:
            done = load_codes(options["files"] or built_in(), dry_run=options["dry_run"])
        except Refused as refused:
            raise CommandError(refused.reason) from None
        for loaded in done:
            counts = [
                f"{len(codes)} {word}"
                for word, codes in (
                    ("new", loaded.new),
                    ("changed", loaded.changed),
                    ("withdrawn", loaded.withdrawn),
                )
                if codes
            ]
            self.stdout.write(f"{loaded.title}: {', '.join(counts) or 'nothing to change'}")
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was written.")
