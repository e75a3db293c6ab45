#!/usr/bin/env python3
"""Flowboard's command line: `python manage.py help` lists what it can do."""

import sys

from django.core.management import execute_from_command_line

from flowboard.start import prepare

# They look at code and files alone, so they need no PostgreSQL and no Redis.
WITHOUT_SERVERS = {
    "help", "version", "--help", "--version", "-h", "check", "collectstatic", "findstatic",
    "diffsettings", "demo", "makemessages", "compilemessages", "spectacular", "startapp",
}  # fmt: skip


def main() -> None:
    """Run one management command."""
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    asks_for_help = "--help" in sys.argv or "-h" in sys.argv
    prepare(servers=not asks_for_help and command not in WITHOUT_SERVERS)
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
