"""Load published national figures as reference series."""

from __future__ import annotations

import getpass
import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts.refusals import Refused
from flow.reference.checking import check
from flow.reference.files import Source, Unreadable, sources
from flow.reference.loading import Stored, known_reasons, store
from flow.reference.reporting import Outcome, findings, lines
from flow.reference.series import table
from flow.reference.wording import Reasons


class Command(BaseCommand):
    """Thin: it reads, stores and prints."""

    help = (
        "Load published national figures (daily situation reports, criteria to reside, delay "
        "reasons) from CSV files, plain or packed, as reference series (docs/reference.md). A "
        "file is recognised by its columns. Repeatable: a second run has nothing to change, and a "
        "corrected file changes what it corrects. One bad file does not stop the others; the exit "
        "status is 1 if any failed. Ctrl-C stops it, and the same command goes on from there."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See `manage.py load_national --help`."""
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, only")
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        parser.add_argument("--publisher", default="NHS England", help="whose figures these are")
        parser.add_argument("--by", default="", help="who loads them; by default the system's user")

    def handle(self, **options: Any) -> None:
        """Raises CommandError when any file failed, SystemExit(130) when stopped."""
        outcomes: list[Outcome] = []
        try:
            for outcome in self._each(options, known_reasons()):
                outcomes.append(outcome)
                if not options["json"]:
                    for line in lines(outcome):
                        self.stdout.write(line)
                if outcome.status == "stopped":
                    break
        except KeyboardInterrupt:
            self.stderr.write("Stopped while reading; nothing of that file is stored.")
            sys.exit(130)
        if options["json"]:
            document = {"files": [outcome.json for outcome in outcomes]}
            self.stdout.write(json.dumps(document, ensure_ascii=False, indent=2))
        if options["dry_run"] and not options["json"]:
            self.stdout.write("\nDry run: nothing was written.")
        if any(outcome.status == "stopped" for outcome in outcomes):
            sys.exit(130)
        failed = sum(outcome.status == "failed" for outcome in outcomes)
        if failed:
            raise CommandError(f"{failed} of {len(outcomes)} files could not be loaded.")

    def _each(self, options: dict[str, Any], reasons: Reasons) -> Iterator[Outcome]:
        for path in options["files"]:
            try:
                for source in sources(path):
                    yield self._one(source, options, reasons)
            except Unreadable as error:
                yield Outcome(str(path), "failed", str(error))

    def _one(self, source: Source, options: dict[str, Any], reasons: Reasons) -> Outcome:
        try:
            made = table(source, reasons)
        except Unreadable as error:
            return Outcome(source.name, "failed", str(error))
        told = findings(made, check(made))
        self._done = 0
        total = told["values"] + told["missing"]["count"]
        try:
            with transaction.atomic() if options["dry_run"] else nullcontext():
                stored = store(
                    made,
                    by=options["by"] or _user(),
                    publisher=options["publisher"],
                    at=timezone.now(),
                    progress=lambda done, total: self._progress(source.name, done, total),
                )
                if options["dry_run"]:
                    transaction.set_rollback(True)
        except Refused as refused:
            return Outcome(source.name, "failed", refused.reason)
        except KeyboardInterrupt:
            return Outcome(source.name, "stopped", told=told | {"done": self._done, "total": total})
        unchanged = not (stored.new or stored.changed)
        status = "dry-run" if options["dry_run"] else "unchanged" if unchanged else "loaded"
        return Outcome(source.name, status, told=told | _stored(stored))

    def _progress(self, name: str, done: int, total: int) -> None:
        self._done = done
        if sys.stderr.isatty():
            end = "\n" if done == total else ""
            share = 100 * done // total if total else 100
            self.stderr.write(f"\r{name}: {done:,} of {total:,} ({share} %)", ending=end)
            self.stderr.flush()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _stored(stored: Stored) -> dict[str, Any]:
    return {
        "new": stored.new,
        "changed": stored.changed,
        "same": stored.same,
        "kept": stored.kept,
        "taken_up_at": stored.taken_up_at,
        "changes": [
            {
                "body": one.body,
                "measure": one.measure,
                "date": one.date.isoformat(),
                "before": None if one.before is None else float(one.before),
                "now": None if one.now is None else float(one.now),
            }
            for one in stored.changes
        ],
    }
