"""`python -m simulation`: an invented hospital system that speaks HL7 and REST."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Final

from simulation import check
from simulation.care.memory import Memory
from simulation.care.rest import Rest
from simulation.care.returns import Signer
from simulation.care.rosters import Rosters
from simulation.care.staff import Staff
from simulation.care.telling import Teller
from simulation.clock import LONDON, minute_of
from simulation.history import write_history
from simulation.live import Live
from simulation.mllp import Line
from simulation.places import NORTHMOOR, Places, PlacesError, load
from simulation.session import Session
from simulation.state import StateError

_DAYS: Final = 14
_SEED: Final = 1948
_FILE: Final = "northmoor.hl7"


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit status is 0 when it did what it was asked."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except (PlacesError, StateError, ValueError) as error:
        print(f"simulation: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"simulation: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        return 2
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    history = commands.add_parser("history", help="write the messages of past weeks to a file")
    history.add_argument("--out", type=Path, required=True, help="a file, or a folder for it")
    history.add_argument("--until", type=_moment, help="ISO time at which it ends; default: now")
    history.add_argument("--days", type=_days, default=_DAYS, help=f"default: {_DAYS}")
    history.add_argument("--seed", type=int, default=_SEED)
    history.add_argument("--state", type=Path, help="where to keep the state for `live`")
    history.set_defaults(run=_history)
    live = commands.add_parser("live", help="go on from a state, in step with the clock")
    live.add_argument("--mllp", "--to", type=_address, required=True, metavar="HOST:PORT")
    live.add_argument("--state", type=Path, required=True)
    live.add_argument("--seed", type=int, help="begin a new world if there is no state yet")
    live.add_argument(
        "--speed", type=_speed, default=1.0,
        help="1: make up the gap at once, then real time; else play the gap at this pace",
    )  # fmt: skip
    live.set_defaults(run=_live)
    care = commands.add_parser("care", help="let the staff plan discharges, over REST")
    care.add_argument("--api", required=True, metavar="URL", help="http://127.0.0.1:8000/api/v1/")
    care.add_argument("--token-file", type=Path, required=True, help="a file with the token alone")
    care.add_argument("--signer-token-file", type=Path, help="of who signs the daily returns")
    care.add_argument("--teller-token-file", type=Path, help="of who tells escalation values")
    care.add_argument("--state", type=Path, required=True, help="that `live` keeps; only read")
    care.add_argument("--memory", type=Path, help="what was told; default: beside the state")
    care.add_argument("--seed", type=int, default=_SEED)
    care.set_defaults(run=_care)
    counted = commands.add_parser("check", help="count the messages of a file by event")
    counted.add_argument("file", type=Path)
    counted.set_defaults(run=_check)
    for each in (history, live, care):
        each.add_argument("--places", type=Path, default=NORTHMOOR, help="another places file")
    return parser


def _history(options: argparse.Namespace) -> int:
    out: Path = options.out / _FILE if options.out.is_dir() else options.out
    until = minute_of(options.until or datetime.now(UTC))
    written = write_history(
        load(options.places), out, until=until, days=options.days, seed=options.seed,
        state=options.state, say=_say,
    )  # fmt: skip
    _say(f"{written:,} messages of {options.days} days written to {out}")
    return 0


def _stopped_by_signals() -> threading.Event:
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    return stop


def _care(options: argparse.Namespace) -> int:
    places = load(options.places)
    memory = Memory.load(
        options.memory or options.state.with_name(f"{options.state.name}.care"), seed=options.seed
    )
    stop = _stopped_by_signals()

    def rest(token_file: Path) -> Rest:
        return Rest(options.api, token_file, say=_say, stopped=stop.is_set, pause=stop.wait)

    signer = None
    if options.signer_token_file:
        bodies = tuple(dict.fromkeys(w.organisation for w in places.of_kind("emergency")))
        signer = Signer(rest(options.signer_token_file), bodies, _say)
    teller = None
    if options.teller_token_file:
        sites = tuple(dict.fromkeys(w.site for w in places.of_kind("emergency")))
        teller = Teller(rest(options.teller_token_file), sites, options.seed or 0, _say)
    line = rest(options.token_file)
    Staff(
        places=places,
        path=options.state,
        rest=line,
        memory=memory,
        say=_say,
        stopped=stop.is_set,
        pause=stop.wait,
        signer=signer,
        teller=teller,
        rosters=Rosters(line, places, options.seed or 0, _say),
    ).run()
    return 0


def _live(options: argparse.Namespace) -> int:
    places = load(options.places)
    stop = _stopped_by_signals()
    host, port = options.mllp
    live = Live(
        session=_session(options.state, places, options.seed),
        line=Line(host, port, stopped=stop.is_set),
        path=options.state,
        say=_say,
        stopped=stop.is_set,
        speed=options.speed,
        pause=stop.wait,
    )
    live.run()
    return 0


def _session(state: Path, places: Places, seed: int | None) -> Session:
    if seed is not None and not state.exists():
        return Session.begin(places, seed=seed, start=minute_of(datetime.now(UTC)))
    return Session.load(state, places)


def _check(options: argparse.Namespace) -> int:
    print(check.table(check.count_events(options.file)))
    return 0


def _say(text: str) -> None:
    print(text, flush=True)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        hint = "such as 2026-11-21T08:00"
        raise argparse.ArgumentTypeError(f"{text!r} is no ISO time, {hint}") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=LONDON)


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 800:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days from 1 to 800")
    return int(text)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 1.0 <= speed <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no speed from 1 to 10000")
    return speed


def _address(text: str) -> tuple[str, int]:
    host, separator, port = text.rpartition(":")
    if not separator or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, such as 127.0.0.1:2575")
    return host.strip("[]"), int(port)


if __name__ == "__main__":
    sys.exit(main())
