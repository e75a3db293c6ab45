"""Keep an escalation rule set, by which levels are computed from then on."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import yaml
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import Organisation
from accounts.refusals import Refused
from huddles.escalation.rule_sets import keep, labels_of_file, will_hold
from huddles.models import OpelRuleSet
from huddles.opel.files import FOLDER, named, names
from huddles.opel.rule_set import BadRuleSet


class Command(BaseCommand):
    """Thin: it reads, keeps and prints."""

    help = (
        "Keep an escalation (OPEL) rule set as the next version, with the weights of the sites in "
        f"the system's score. A second run has nothing to change. Names: {', '.join(names())}; or "
        "a YAML file (docs/opel.md)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See `manage.py load_opel --help`."""
        parser.add_argument("rule_set", metavar="NAME")
        parser.add_argument(
            "--organisation", default="", metavar="CODE", help="whose sites; default: every site"
        )
        parser.add_argument(
            "--weight", action="append", default=[], metavar="SITE=NUMBER",
            help="how much a site counts in the system's score; repeat it for each",
        )  # fmt: skip

    def handle(self, **options: Any) -> None:
        """Raises CommandError with what is wrong with the rule set, a weight or the place."""
        try:
            named(options["rule_set"])
            content = yaml.safe_load(_path(options["rule_set"]).read_text(encoding="utf-8"))
            content |= {"weights": weights} if (weights := _weights(options["weight"])) else {}
            row = keep(
                said=content,
                organisation=_organisation(options["organisation"]),
                labels=labels_of_file(content),
                note="",
                by=None,
            )
        except BadRuleSet as error:
            raise CommandError(str(error)) from error
        except Refused as refused:
            raise CommandError(refused.reason) from None
        self.stdout.write(_told(row))


def _path(name: str) -> Path:
    return Path(name) if name.endswith((".yaml", ".yml")) else FOLDER / f"{name}.yaml"


def _organisation(code: str) -> Organisation | None:
    if not code:
        return None
    found = Organisation.objects.filter(code=code).first()
    if found is None:
        raise CommandError(f"There is no organisation {code}.")
    return found


def _weights(said: list[str]) -> dict[str, float]:
    found = {}
    for one in said:
        code, sign, number = one.rpartition("=")
        try:
            found[code] = float(number)
        except ValueError:
            sign = ""
        if not sign or not code:
            raise CommandError(f"{one!r} is no weight; write a site's code and a number: NGH=0.6")
    return found


def _told(row: OpelRuleSet) -> str:
    until = f" until {row.valid_until:%d %b %Y}" if row.valid_until else ""
    example = " It calls itself an example: its cut-offs are invented." if row.is_example else ""
    today = timezone.localdate()
    if not will_hold(row.valid_from, row.valid_until, row.organisation, on=today):
        until += ", which is on no day from today"
    return (
        f"{row.name}: version {row.number}, valid from {row.valid_from:%d %b %Y}{until}.{example}"
    )
