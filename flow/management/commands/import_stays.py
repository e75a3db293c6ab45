"""Load history without a feed: ward stays from a CSV file."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, InterfaceError, OperationalError
from django.utils import timezone

from accounts.refusals import Refused
from flow import census
from flow.cohorts.counting import count_lately_anew
from wards.stay_csv import Unreadable, opened, read
from wards.stay_episodes import assembled
from wards.stay_import import Imported, import_spells
from wards.stay_places import places_of
from wards.stay_report import Outcome, document, keep_refused, lines


class Command(BaseCommand):
    """Thin: it reads, loads and prints. Here rather than with the wards, for it counts the boards
    anew when it has loaded."""

    help = (
        "Load ward stays of the past from a CSV file (docs/history.md): columns episode, patient, "
        "site, ward, specialty, sex, age, admission_method, start, end, last; edd, ctr_met, "
        "pathway and died if there are any. What it tells counts as known when it happened, a row "
        "from its start; sex is that of a person's earliest row that tells one, age that of an "
        "episode's first. Who is marked as last without an end is taken to be still there. Rows "
        "that cannot be taken are told by their lines and kept in FILE.rejected.csv; the rest is "
        "loaded. Repeatable: what is known is left as it is. Ctrl-C stops it, and the same command "
        "goes on from there."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See `manage.py import_stays --help`."""
        parser.add_argument("file", type=Path, metavar="FILE.csv")
        parser.add_argument("--dry-run", action="store_true", help="say what would come, only")
        parser.add_argument(
            "--replace",
            action="store_true",
            help="where the file contradicts what was loaded before, the file is right; it has to "
            "hold all rows of such an episode",
        )
        parser.add_argument(
            "--organisation", default="", metavar="CODE", help="whose sites are that are not known"
        )
        parser.add_argument(
            "--authority",
            default="",
            metavar="NAME",
            help="whose the numbers of episodes and patients are, such as the code of the feed "
            "that sends them as well; by default each site has its own",
        )
        parser.add_argument(
            "--rejected",
            type=Path,
            metavar="PATH",
            help="where refused rows are kept; by default beside the file",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, **options: Any) -> None:
        """Raises CommandError when nothing of the file could be loaded, SystemExit(130) when
        stopped."""
        began = time.monotonic()
        try:
            outcome = self._load(options)
        except KeyboardInterrupt:
            self.stderr.write("Stopped; what was loaded by then stays, and the next run goes on.")
            sys.exit(130)
        except Unreadable as error:
            raise CommandError(str(error)) from None
        except Refused as refused:
            raise CommandError(refused.reason) from None
        except (OperationalError, InterfaceError) as error:
            raise CommandError(
                f"The database went away ({type(error).__name__}). What was loaded by then stays; "
                "run the command again for the rest."
            ) from None
        outcome.seconds = time.monotonic() - began
        self._print(outcome, as_json=options["json"])

    def _load(self, options: dict[str, Any]) -> Outcome:
        path: Path = options["file"]
        rejected: Path = options["rejected"] or path.with_name(f"{path.name}.rejected.csv")
        if rejected.resolve() == path.resolve():
            raise Refused("--rejected names the file itself. Name another place.")
        dry_run: bool = options["dry_run"]
        file = opened(path)
        spells = assembled(read(file), now=timezone.now())
        if not spells.rows:
            raise Unreadable(f"{path} holds no rows below the names of its columns.")
        try:
            places = places_of(
                spells.spells,
                organisation=options["organisation"],
                authority=options["authority"],
                make=not dry_run,
            )
        except IntegrityError:
            raise Refused(
                "Somebody else, or a feed, added one of these places at the same moment. "
                "Nothing was loaded; run it again."
            ) from None
        outcome = Outcome(path, file, spells, places, Imported(), dry_run)
        total = sum(len(spell.rows) for spell in spells.spells)
        if not dry_run:
            self._keep_refused(outcome, rejected)
        outcome.imported = import_spells(
            spells.spells,
            places.meanings,
            replace=options["replace"],
            dry_run=dry_run,
            progress=lambda done: self._progress(path.name, done, total),
        )
        if not dry_run:
            if outcome.imported.refusals:
                self._keep_refused(outcome, rejected, again=True)
            self._count()
        return outcome

    def _count(self) -> None:
        """Count the boards anew. The notes that they are out of date stand until that is done."""
        count_lately_anew(now=timezone.now())
        try:
            census.refresh()
        except OperationalError:
            self.stderr.write("Somebody else is counting the boards; the worker will do it next.")

    def _keep_refused(self, outcome: Outcome, path: Path, *, again: bool = False) -> None:
        try:
            if keep_refused(outcome.file, outcome.refusals, path, again=again):
                outcome.rejected = path
        except OSError as error:
            raise Refused(
                f"The refused rows cannot be written to {path} ({error.strerror}). Name another "
                "place for them with --rejected."
            ) from None

    def _print(self, outcome: Outcome, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(document(outcome), ensure_ascii=False, indent=2))
        else:
            for line in lines(outcome):
                self.stdout.write(line)
            if outcome.dry_run:
                self.stdout.write("\nDry run: nothing was written.")
        if outcome.imported.stopped:
            self.stderr.write("Stopped; the same command goes on from here.")
            sys.exit(130)
        if outcome.is_all_refused:
            raise CommandError("All rows were refused; nothing was loaded.")

    def _progress(self, name: str, done: int, total: int) -> None:
        if sys.stderr.isatty():
            text = f"\r{name}: {done:,} of {total:,} rows ({100 * done // total} %)"
            self.stderr.write(text, ending="\n" if done == total else "")
            self.stderr.flush()
