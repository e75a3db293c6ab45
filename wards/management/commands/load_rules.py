"""Load a rule book and the limits of wards from a file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Refused
from wards.models import Site
from wards.place_entries import FileMistaken
from wards.rule_files import read_rules
from wards.rule_loading import load_rules
from wards.rule_report import report

MOST_MISTAKES: Final = 100


class Command(BaseCommand):
    """Thin: it parses, loads and prints."""

    help = (
        "Load the rules by which beds are given, and what wards can hold, from a YAML file "
        "(docs/rules.md). Kept as the next version when it says something new; a second run has "
        "nothing to change. All or nothing: one mistake, and nothing is loaded."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See `manage.py load_rules --help`."""
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--site", default="", metavar="CODE", help="for one site alone; default: for all"
        )
        parser.add_argument("--by", default="", metavar="USERNAME", help="who loads it")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, only")

    def handle(self, **options: Any) -> None:
        """Raises CommandError with every mistake of the file."""
        try:
            loaded = load_rules(
                read_rules(options["file"]),
                site=site_of(options["site"]),
                at=timezone.now(),
                dry_run=options["dry_run"],
                by=_user(options["by"]),
            )
        except FileMistaken as error:
            raise CommandError(_told(options["file"], error)) from None
        except Refused as refused:
            raise CommandError(refused.reason) from None
        for line in report(loaded, dry_run=options["dry_run"]):
            self.stdout.write(line)
        if options["dry_run"]:
            self.stdout.write("\nDry run: nothing was written.")


def site_of(code: str) -> Site | None:
    """Raises CommandError for a code that no site has."""
    if not code:
        return None
    site = Site.objects.filter(code=code).first()
    if site is None:
        raise CommandError(f"There is no site {code}. Use the codes of the places file.")
    return site


def _user(username: str) -> User | None:
    if not username:
        return None
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise CommandError(f"There is nobody with the username {username}.")
    return user


def _told(file: Path, error: FileMistaken) -> str:
    count = len(error.mistakes)
    lines = [f"  {mistake}" for mistake in error.mistakes[:MOST_MISTAKES]]
    if count > MOST_MISTAKES:
        lines.append(f"  … and {count - MOST_MISTAKES} more")
    head = f"{file}: {count} mistake{'s' if count > 1 else ''}; nothing was loaded."
    return "\n".join([head, *lines])
