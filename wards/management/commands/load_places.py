"""Load organisations, sites, wards and beds from a file."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.refusals import Refused
from wards.place_entries import FileMistaken
from wards.place_loading import load_places
from wards.place_plan import Since
from wards.place_report import report

MOST_MISTAKES: Final = 100


class Command(BaseCommand):
    """Thin: it parses, loads and prints."""

    help = (
        "Load organisations, teams, sites, wards, bays and beds from a YAML or CSV file "
        "(docs/places.md). Repeatable: a second run has nothing to change. All or nothing: one "
        "mistake, and nothing is loaded. Nothing is deleted: what the file leaves out is kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See `manage.py load_places --help`."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what would change, only")
        parser.add_argument(
            "--withdraw",
            action="store_true",
            help="take beds that the file leaves out of the wards and sites it describes out of "
            "use; refused while a patient lies in one",
        )
        parser.add_argument(
            "--since",
            default="",
            metavar="WHEN",
            help="from when beds exist that are new to a ward which has beds already: a date or "
            "time such as 2026-11-21 or 2026-11-21T08:00, or “always”; default now",
        )

    def handle(self, **options: Any) -> None:
        """Raises CommandError with every mistake of the file."""
        at = timezone.now()
        try:
            plan = load_places(
                options["file"],
                at=at,
                since=_since(options["since"], at),
                withdraw=options["withdraw"],
                dry_run=options["dry_run"],
            )
        except FileMistaken as error:
            raise CommandError(_told(options["file"], error)) from None
        except Refused as refused:
            raise CommandError(refused.reason) from None
        for line in report(plan, in_full=options["verbosity"] > 1):
            self.stdout.write(line)
        if options["dry_run"]:
            self.stdout.write("\nDry run: nothing was written.")


def _since(text: str, at: datetime) -> Since:
    """Raises CommandError for anything but "", "always", a date or a time."""
    if not text:
        return Since(at)
    if text == "always":
        return Since(None)
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        raise CommandError(f"--since takes a date, a time or “always”, not “{text}”.")
    return Since(timezone.make_aware(moment) if timezone.is_naive(moment) else moment)


def _told(file: Path, error: FileMistaken) -> str:
    count = len(error.mistakes)
    lines = [f"  {mistake}" for mistake in error.mistakes[:MOST_MISTAKES]]
    if count > MOST_MISTAKES:
        lines.append(f"  … and {count - MOST_MISTAKES} more")
    head = f"{file}: {count} mistake{'s' if count > 1 else ''}; nothing was loaded."
    return "\n".join([head, *lines])
