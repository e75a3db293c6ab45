"""Score a file of escalation parameters with a named rule set."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from huddles.opel.files import named, names, once, score_file, told
from huddles.opel.rule_set import BadRuleSet
from huddles.opel.scoring import BadValues


class Command(BaseCommand):
    """Thin: it reads, scores and prints."""

    help = (
        "Score a JSON file of escalation (OPEL) parameters and print JSON. The file names its "
        f"rule_set, or --rule-set does: {', '.join(names())}, or a YAML file. docs/opel.md says "
        "what stands in either."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See `manage.py score_opel --help`."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--rule-set", default="", metavar="NAME")

    def handle(self, **options: Any) -> None:
        """Raises CommandError with what is wrong with the file or the rule set."""
        path: Path = options["file"]
        try:
            content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=once)
        except (OSError, ValueError) as error:
            raise CommandError(f"{path}: {error}") from error
        except RecursionError:
            raise CommandError(f"{path}: it is nested too deeply.") from None
        name = options["rule_set"] or (
            content.get("rule_set", "") if isinstance(content, dict) else ""
        )
        if not isinstance(name, str) or not name:
            raise CommandError(f"Name a rule set with --rule-set: {', '.join(names())}.")
        try:
            reached = score_file(content, named(name), now=timezone.now())
        except (BadRuleSet, BadValues) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(told(reached), indent=2))
