"""Write the rules in force as a file to edit."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.refusals import Refused
from wards.management.commands.load_rules import site_of
from wards.rule_loading import rules_of
from wards.rule_writing import written


class Command(BaseCommand):
    """Thin: it reads and prints."""

    help = (
        "Print the rules by which beds are given, and what wards can hold, as a file to edit and "
        "load again (docs/rules.md): the book in force, or an example where there is none."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See `manage.py write_rules --help`."""
        parser.add_argument(
            "--site", default="", metavar="CODE", help="as they hold at one site; default: for all"
        )

    def handle(self, **options: Any) -> None:
        """Raises CommandError where it cannot be one file."""
        try:
            file = rules_of(site_of(options["site"]), at=timezone.now())
        except Refused as refused:
            raise CommandError(refused.reason) from None
        self.stdout.write(written(file), ending="")
