"""Make an API token from the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Refused
from accounts.tokens import TokenScope, issue


class Command(BaseCommand):
    """Print the secret alone on standard output, so that a script can keep it."""

    help = "Make an API token for a user and print its secret, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See `manage.py make_token --help`."""
        scopes = ", ".join(scope.value for scope in TokenScope)
        parser.add_argument("user", help="username of whose grants the token has")
        parser.add_argument("--name", required=True, help="who or what uses the token")
        parser.add_argument(
            "--scope", action="append", required=True, help=f"repeatable; one of {scopes}"
        )
        parser.add_argument("--days", type=int, help="days until it expires; default never")

    def handle(self, **options: Any) -> None:
        """Raises CommandError for an unknown user, name, scope or number of days."""
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user “{options['user']}”; add them first.")
        days = options["days"]
        if days is not None and not 1 <= days <= 3660:
            raise CommandError("--days takes 1 to 3660.")
        expires_at = None if days is None else timezone.now() + timedelta(days=days)
        try:
            token, secret = issue(user, options["name"], options["scope"], expires_at)
        except Refused as refused:
            raise CommandError(refused.reason) from None
        until = "" if expires_at is None else f", until {timezone.localtime(expires_at):%d %b %Y}"
        self.stderr.write(f"{token.name} for {user.username}: {', '.join(token.scopes)}{until}")
        self.stdout.write(secret)
