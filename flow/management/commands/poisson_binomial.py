"""The exact distribution of how many of independent events come about."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from flow.forecasts.numbers import mean, poisson_binomial, variance


class Command(BaseCommand):
    """Thin: it parses, computes and prints."""

    help = (
        "Read chances as a JSON list on standard input and print the distribution of how many "
        'come about, as JSON: {"pmf": [chance of 0, of 1, …], "mean": …, "variance": …}.'
    )
    requires_system_checks: list[str] = []

    def handle(self, **options: Any) -> None:
        """Raises CommandError for what is no list of chances."""
        try:
            said = json.load(sys.stdin)
            chances = said["p"] if isinstance(said, dict) else said
            numbers = [float(chance) for chance in chances]
            pmf = poisson_binomial(numbers)
        except (ValueError, TypeError, KeyError):
            raise CommandError(
                "Give a JSON list of numbers from 0 to 1, such as [0.2, 0.5]."
            ) from None
        told = {"pmf": pmf.tolist(), "mean": mean(pmf), "variance": variance(pmf)}
        self.stdout.write(json.dumps(told))
