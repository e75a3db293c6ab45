"""Messages from files: one or many to a file, in folders, in batches, years of them at once."""

from __future__ import annotations

import logging
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from django.db import OperationalError, connection

from interop.applying import Applier
from interop.feeds import Known
from interop.hl7v2.batches import messages_in
from interop.hl7v2.facts import Sender
from interop.hl7v2.framing import Piece
from interop.hl7v2.understanding import Understood, understand
from interop.inbox import Incoming, Kept, digest_of, store
from interop.models import Message

_DONE: Final = """
    SELECT id, status FROM interop_message WHERE id = ANY(%s) AND status <> 'received'
"""
log = logging.getLogger("interop")

_WINDOW: Final = 2000  # messages stored, understood and applied together
_SHARE: Final = 250  # messages that one process understands at a time
_WORTH_A_POOL: Final = 1000  # messages from which on other processes are worth their start
_LARGEST_FILE: Final = 1024 * 1024 * 1024
_STUCK: Final = 60.0  # seconds without progress after which waiting for another process ends


@dataclass(slots=True)
class Report:
    """What became of the messages; `unreadable` files could not be opened or hold none."""

    received: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, int]:
        """The numbers by the names of the command's JSON line; the parts add up to received."""
        ends = ("applied", "duplicate", "ignored", "held", "rejected")
        return {"received": self.received, **{end: self.counts[end] for end in ends}}


def paths_in(paths: Iterable[Path]) -> Iterator[Path]:
    """The files named, and every file in the folders named, in order of their names."""
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.is_file() and p.name[0] != ".")
        else:
            yield path


def receive(
    paths: Iterable[Path],
    *,
    now: Callable[[], datetime],
    feed: Known | None = None,
    is_history: bool = False,
    progress: Callable[[Report], None] = lambda report: None,
    processes: int = 2,
) -> Report:
    """Store and apply every message in the files; folders are read with all below them.

    `is_history`: what they say was known when they were sent (`Message.is_history`). A file that
    cannot be read is noted and the rest go on. Raises OperationalError or InterfaceError when the
    database goes away; what was stored by then is applied later.
    """
    report = Report()
    with _Minds(processes) as minds:
        applier = Applier(now=now, understand=minds.understand)
        waiting: list[int] = []
        for window in _windows(_messages(paths, report)):
            incoming = [Incoming(piece.data, "file", piece.fault) for piece in window]
            kept = store(incoming, feeds=applier.feeds, at=now(), feed=feed, is_history=is_history)
            fresh = _waiting(kept, window, minds, report)
            # The window before is applied while other processes read this one.
            _apply(applier, waiting, report)
            waiting = fresh
            progress(report)
        _apply(applier, waiting, report)
        applier.rest()
    progress(report)
    return report


def _messages(paths: Iterable[Path], report: Report) -> Iterator[Piece]:
    for path in paths_in(paths):
        try:
            if path.stat().st_size > _LARGEST_FILE:
                raise OSError("larger than 1 GB; split it")
            content = path.read_bytes()
        except OSError as error:
            report.unreadable.append(f"{path}: {error.strerror or error}")
            continue
        found = 0
        for piece in messages_in(content):
            found += 1
            yield piece
        if not found:
            report.unreadable.append(f"{path}: holds no HL7 message (nothing begins with MSH)")


def _windows(messages: Iterable[Piece]) -> Iterator[list[Piece]]:
    window: list[Piece] = []
    for message in messages:
        window.append(message)
        if len(window) == _WINDOW:
            yield window
            window = []
    if window:
        yield window


def _waiting(
    kept: Sequence[Kept], window: Sequence[Piece], minds: _Minds, report: Report
) -> list[int]:
    """The keys of those messages of a window, just stored, that wait to be applied."""
    report.received += len(kept)
    waiting: list[int] = []
    thinking: dict[Known, list[bytes]] = {}
    for piece, each in zip(window, kept, strict=True):
        if not each.is_new:
            report.counts[Message.Status.DUPLICATE.value] += 1
        elif each.status is not Message.Status.RECEIVED:
            report.counts[each.status.value] += 1
        else:
            waiting.append(each.id)
            if each.feed is not None:
                thinking.setdefault(each.feed, []).append(piece.data)
    for known, raws in thinking.items():
        minds.think(raws, known.sender)
    return waiting


def _apply(applier: Applier, waiting: Sequence[int], report: Report) -> None:
    """Apply until none of `waiting` waits any more, whoever applies them, and count their ends."""
    left = set(waiting)
    moved_at = time.monotonic()
    while left:
        busy = bool(applier.apply_batch(_WINDOW))
        with connection.cursor() as cursor:
            cursor.execute(_DONE, [list(left)])
            done = dict(cursor.fetchall())
        report.counts.update(done.values())
        left -= done.keys()
        if done:
            moved_at = time.monotonic()
        elif not busy:
            # Another process holds them; its transaction ends soon, one way or the other.
            if time.monotonic() - moved_at > _STUCK:
                raise OperationalError(f"{len(left)} messages are held up by another process")
            time.sleep(0.05)


class _Minds:
    """Understands messages in other processes, ahead of the time when they are asked for."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None
        self._seen = 0
        self._thoughts: dict[bytes, tuple[Future[list[Understood]], int]] = {}

    def __enter__(self) -> _Minds:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def think(self, raws: Sequence[bytes], sender: Sender) -> None:
        """Begin to understand these messages, if there are enough to be worth it."""
        self._seen += len(raws)
        if self._processes < 1 or self._seen < _WORTH_A_POOL:
            return
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._processes, mp_context=multiprocessing.get_context("spawn")
            )
        for start in range(0, len(raws), _SHARE):
            share = list(raws[start : start + _SHARE])
            future = self._pool.submit(understand, share, sender)
            for number, raw in enumerate(share):
                self._thoughts[digest_of(raw)] = (future, number)

    def understand(self, raws: Sequence[bytes], sender: Sender) -> list[Understood]:
        """What each message says, as thought of before or else now."""
        found: list[Understood] = []
        for raw in raws:
            thought = self._thoughts.pop(digest_of(raw), None)
            if thought is None:
                found.extend(understand([raw], sender))
            else:
                found.append(thought[0].result()[thought[1]])
        return found
