"""Weeks of messages as one HL7 batch file, and the state from which a live feed goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from simulation.clock import DAY, HOUR, hl7_time, moment_of
from simulation.messages import APPLICATION, RECEIVER
from simulation.places import Places
from simulation.session import Session

_FULL_HOURS: Final = 24  # before the end, in which every trolley and every cleaning is told
_NAMES: Final = f"^~\\&|{APPLICATION}|RNM|{RECEIVER}|QNM"
Say = Callable[[str], None]


def write_history(
    places: Places, out: Path, *, until: int, days: int, seed: int, state: Path | None, say: Say
) -> int:
    """Write the messages of the days before a minute; returns how many they are.

    The first of them tell of the patients who were there when those days began. Messages that
    are late and arrive after `until` are left to the live feed, by way of `state`.
    """
    start = until - days * DAY
    say(f"settling the system until {moment_of(start):%d %b %Y}")
    session = Session.begin(places, seed=seed, start=start, is_full=False)
    texts: list[str] = []

    def collect() -> None:
        second = session.engine.now * 60
        while (text := session.feed.due(second)) is not None:
            texts.append(text)
            session.feed.done()

    collect()
    session.run_until(until - _FULL_HOURS * HOUR, each=collect)
    session.feed.is_full = True
    session.run_until(until, each=collect)
    _write_batch(out, texts, until)
    if state is not None:
        session.save(state)
    return len(texts)


def _write_batch(out: Path, texts: Iterable[str], until: int) -> None:
    """A file with one batch (HL7 v2.4 chapter 2, batch protocol)."""
    messages = list(texts)
    made = hl7_time(until * 60)
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_name(f".{out.name}.part")
    with temporary.open("w", encoding="utf-8", newline="") as file:
        file.write(f"FHS|{_NAMES}|{made}\rBHS|{_NAMES}|{made}\r")
        file.writelines(messages)
        file.write(f"BTS|{len(messages)}\rFTS|1\r")
    temporary.replace(out)
