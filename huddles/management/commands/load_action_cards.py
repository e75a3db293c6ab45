"""Load the action cards of the levels."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import yaml
from django.core.management.base import BaseCommand, CommandError

from accounts.refusals import Refused
from huddles.escalation.cards import load
from wards.models import Site


class Command(BaseCommand):
    """Thin: it reads, loads and prints."""

    help = (
        "Load the action cards of the escalation levels from a YAML file (docs/opel.md). Cards "
        "that are no longer in it are withdrawn; all or nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See `manage.py load_action_cards --help`."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--site", default="", metavar="CODE", help="default: for every site")

    def handle(self, **options: Any) -> None:
        """Raises CommandError with what is wrong with the file."""
        path: Path = options["file"]
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise CommandError(f"{path}: {error}") from error
        if not isinstance(content, dict) or not isinstance(content.get("cards"), list):
            raise CommandError(f"{path}: it holds a list, cards.")
        site = Site.objects.filter(code=options["site"]).first()
        if options["site"] and site is None:
            raise CommandError(f"There is no site {options['site']}.")
        try:
            new, gone = load(content["cards"], site=site)
        except Refused as refused:
            raise CommandError(f"{path}: {refused.reason}") from None
        self.stdout.write(f"{len(content['cards'])} cards: {new} new, {gone} withdrawn.")
