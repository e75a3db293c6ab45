"""The exact distribution of how many of independent events come about."""

from __future__ import annotations

import json
import sys
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from flow.forecasts.numbers import mean, poisson_binomial, variance

_NOT_JSON: Final = "This is not JSON. Give a list of numbers from 0 to 1, such as [0.2, 0.5]."
_NO_LIST: Final = (
    'Give a JSON list of numbers from 0 to 1, such as [0.2, 0.5], or {"p": [0.2, 0.5]}.'
)


class Command(BaseCommand):
    """Thin: it parses, computes and prints."""

    help = (
        "Read chances as a JSON list of numbers from 0 to 1 on standard input (UTF-8), such as "
        '[0.2, 0.5] or {"p": [0.2, 0.5]}, and print the distribution of how many come about, as '
        'JSON: {"pmf": [chance of 0, of 1, …], "mean": …, "variance": …}.'
    )
    requires_system_checks: list[str] = []

    def handle(self, **options: Any) -> None:
        """Raises CommandError for what is no list of chances."""
        pmf = poisson_binomial(_chances())
        told = {"pmf": pmf.tolist(), "mean": mean(pmf), "variance": variance(pmf)}
        self.stdout.write(json.dumps(told))


def _chances() -> list[float]:
    """The chances on standard input; nothing is taken for a number that is not written as one."""
    try:
        said = json.loads(sys.stdin.read().removeprefix("\ufeff"))  # Windows puts that mark first
    except (ValueError, RecursionError):
        raise CommandError(_NOT_JSON) from None
    chances = said.get("p") if isinstance(said, dict) else said
    if not isinstance(chances, list):
        raise CommandError(_NO_LIST)
    for place, chance in enumerate(chances, start=1):
        # To Python true is a number, 1.
        if isinstance(chance, bool) or not isinstance(chance, int | float):
            raise CommandError(
                f"Value {place} of the list is no number; write numbers without quotation marks, "
                "such as 0.5."
            )
        if not 0 <= chance <= 1:
            raise CommandError(f"Value {place} of the list is not from 0 to 1.")
    return [float(chance) for chance in chances]
