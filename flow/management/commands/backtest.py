"""Replay a period of history with only what was known at each moment."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from flow.forecasts.backtesting import FORECAST, Replayed, replay, score
from flow.forecasts.clock import HOUR, LONDON, minute_of, moment_of
from flow.forecasts.history import Stays
from flow.forecasts.reading import read
from flow.forecasts.sampling import DAYS, told_from
from flow.forecasts.training import Trained, train
from wards.models import Site

_BEGINNING: Final = datetime(1990, 1, 1, tzinfo=UTC)
_SMALLEST: Final = 1e-15
"""Chances below this are written as 0."""


def moment(text: str) -> datetime:
    """A date (its first moment) or a time; London time where no offset is given."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(
            f"{text!r} is no date or time; write 2026-03-01 or 2026-03-01T08:00"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=LONDON)


def clock_time(text: str) -> time:
    """A time of the clock."""
    try:
        return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - of no day
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no time of the clock; write 08:00") from None


def horizon(text: str) -> int:
    """Hours ahead."""
    if not text.isdigit() or not 0 < int(text) <= DAYS * 24:
        raise ArgumentTypeError(f"{text!r} is no number of hours from 1 to {DAYS * 24}")
    return int(text)


class Command(BaseCommand):
    """Thin: it reads, trains, replays, writes and prints."""

    help = (
        "Learn from a site's history as it was known at one moment, replay the time after it with "
        "only what was known at each moment, and say how right the forecasts would have been "
        "(docs/forecasts.md). Writes one line of JSON for each patient and each number forecast; "
        "prints the score table as JSON."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See `manage.py backtest --help`."""
        parser.add_argument("--site", required=True, help="code of the site")
        parser.add_argument(
            "--train-until", required=True, type=moment, metavar="T",
            help="learn from what was known then, and forecast from then on",
        )  # fmt: skip
        parser.add_argument(
            "--until", required=True, type=moment, metavar="T2", help="forecast until before then"
        )
        parser.add_argument(
            "--at", type=clock_time, default=time(8), metavar="HH:MM",
            help="forecast each day at this time of the clock (default 08:00)",
        )  # fmt: skip
        parser.add_argument(
            "--horizon", type=horizon, default=24, metavar="HOURS", help="ahead (default 24)"
        )
        parser.add_argument("--out", type=Path, metavar="FILE", help="lines of JSON go here")
        parser.add_argument("--seed", type=int, default=0, help="of the random choice of moments")

    def handle(self, **options: Any) -> None:
        """Raises CommandError for what cannot be replayed, and says what to do about it."""
        site = Site.objects.filter(code=options["site"]).first()
        if site is None:
            codes = ", ".join(Site.objects.values_list("code", flat=True)) or "none yet"
            raise CommandError(f"There is no site {options['site']!r}. Known: {codes}.")
        first, last = options["train_until"], options["until"]
        moments = [minute_of(at) for at in _moments(first, last, options["at"])]
        if not moments:
            raise CommandError("--until has to lie after --train-until, with an --at in between.")
        span = options["horizon"] * HOUR
        # A history may be invented, and lie ahead.
        now = max(minute_of(datetime.now(UTC)), moments[-1] + span)
        history = self._read(site, moment_of(now))
        trained = self._train(history, minute_of(first), options["seed"])
        try:
            out = options["out"].open("w", encoding="utf-8") if options["out"] else None
        except OSError as error:
            raise CommandError(f"Cannot write {options['out']}: {error.strerror}.") from None
        said: list[Replayed] = []
        try:
            for number, one in enumerate(replay(trained, history, moments, span=span)):
                said.append(one)
                if out is not None:
                    out.writelines(_lines(one, history, site.code))
                self._say(f"\rforecast {number + 1} of {len(moments)}", end="")
        except KeyboardInterrupt:
            self._say("\nStopped.")
            sys.exit(130)
        finally:
            if out is not None:
                out.close()
            self._say("")
        table = score(said, history, known=min(now, _last_known(history)))
        self.stdout.write(json.dumps(_described(options, trained) | table, indent=2))

    def _say(self, text: str, end: str = "\n") -> None:
        self.stderr.write(text, ending=end)
        self.stderr.flush()

    def _read(self, site: Site, at: datetime) -> Stays:
        self._say(f"reading the stays at {site.code} …")
        history = read(site, since=_BEGINNING, at=at)
        self._say(f"{len(history)} stays")
        if not len(history):
            self._say("Load its past with import_stays or receive_hl7 --file.")
        return history

    def _train(self, history: Stays, until: int, seed: int) -> Trained:
        known = history.known_by(until)
        since = told_from(known, until=until)
        if since >= until:
            self._say(
                f"Nobody was known to have left by {_written(until)}: there is nothing to learn "
                "from but what is usual anywhere."
            )
        trained = train(known, since=since, until=until, seed=seed, say=self._say)
        self._say(f"learnt from {trained.departures} departures: {trained.voice.model.name}")
        return trained


def _moments(first: datetime, last: datetime, at: time) -> Iterator[datetime]:
    """One moment a day in `[first, last)`."""
    day = first.astimezone(LONDON).date()
    while (moment := datetime.combine(day, at, tzinfo=LONDON)) < last:
        # In UTC and back: an hour that the clock skips is the one after it.
        if (real := moment.astimezone(UTC)) >= first:
            yield real
        day += timedelta(days=1)


def _last_known(history: Stays) -> int:
    """When something was last learnt: nothing is known of what came after."""
    return max((log.reached for log in history.logs.values()), default=0)


def _lines(one: Replayed, history: Stays, site: str) -> Iterator[str]:
    at = _written(one.at)
    for stay, chance in zip(one.stays, one.chances[FORECAST], strict=True):
        line = {"at": at, "episode": history.names[stay], "p": float(chance)}
        yield json.dumps(line) + "\n"
    pmf = [float(p) if p > _SMALLEST else 0.0 for p in one.numbers[FORECAST]]
    yield json.dumps({"at": at, "site": site, "departures_pmf": pmf}) + "\n"


def _written(minute: int) -> str:
    return moment_of(minute).astimezone(LONDON).isoformat()


def _described(options: dict[str, Any], trained: Trained) -> dict[str, Any]:
    return {
        "site": options["site"],
        "train_until": _written(trained.until),
        "learnt_since": _written(trained.since),
        "learnt_departures": trained.departures,
        "model": trained.voice.model.name,
        "at": f"{options['at']:%H:%M}",
        "horizon_hours": options["horizon"],
    }
