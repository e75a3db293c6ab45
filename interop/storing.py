"""The thread that stores what the listener hears, many messages to a commit."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import InterfaceError, OperationalError, connection

from interop.feeds import Feeds, Known
from interop.hl7v2.ack import Answer, Verdict
from interop.hl7v2.header import Header, Unreadable, header_of
from interop.inbox import Incoming, Kept, store

log = logging.getLogger("interop")

_MOST: Final = 500  # messages that share a commit
_PAUSE: Final = 0.25  # seconds between two tries while the database is away
AWAY: Final = Answer(
    Verdict.ERROR, "207", "The database does not answer; nothing was stored. Send this again."
)
BROKEN: Final = Answer(
    Verdict.ERROR, "207", "The message could not be stored. Send it again, or tell its receiver."
)


@dataclass(frozen=True, slots=True)
class _Wish:
    incoming: Incoming
    answer: asyncio.Future[Kept]
    until: float


class Storer:
    """Takes messages from the event loop and answers when they are committed.

    While the database is away a message waits up to `patience` seconds; then its sender is
    told to send it again. It is never acknowledged before it is stored.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        patience: float,
        feed: Known | None = None,
    ) -> None:
        self._feeds = Feeds()
        self._now = now
        self._patience = patience
        self._feed = feed
        self._wishes: queue.SimpleQueue[_Wish | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="storer", daemon=True)

    def start(self) -> None:
        """Begin; call it from the event loop that will ask."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self) -> None:
        """Store what was handed over before, then end."""
        self._wishes.put(None)
        await asyncio.to_thread(self._thread.join)

    def store(self, incoming: Incoming) -> asyncio.Future[Kept]:
        """What to answer, once it may be answered."""
        assert self._loop is not None, "start comes first"
        answer: asyncio.Future[Kept] = self._loop.create_future()
        self._wishes.put(_Wish(incoming, answer, time.monotonic() + self._patience))
        return answer

    def _run(self) -> None:
        try:
            going = True
            while going:
                wishes, going = self._next()
                if wishes:
                    self._store(wishes)
        finally:
            connection.close()

    def _next(self) -> tuple[list[_Wish], bool]:
        """Wait for a message and take all that have come meanwhile."""
        wishes: list[_Wish] = []
        first = self._wishes.get()
        if first is None:
            return wishes, False
        wishes.append(first)
        while len(wishes) < _MOST:
            try:
                wish = self._wishes.get_nowait()
            except queue.Empty:
                break
            if wish is None:
                return wishes, False
            wishes.append(wish)
        return wishes, True

    def _store(self, wishes: list[_Wish]) -> None:
        was_away = False
        while wishes:
            try:
                kept = store(
                    [wish.incoming for wish in wishes],
                    feeds=self._feeds,
                    at=self._now(),
                    feed=self._feed,
                )
            except (OperationalError, InterfaceError) as error:
                if not was_away:
                    log.warning("the database is away: %s", type(error).__name__)
                was_away = True
                connection.close()
                wishes = self._give_up_on_late(wishes)
                if wishes:
                    time.sleep(_PAUSE)
                continue
            except Exception as error:  # nothing that one sender sends may stop the others
                self._one_by_one(wishes, error)
                return
            if was_away:
                log.warning("the database is back")
            self._answer(list(zip(wishes, kept, strict=True)))
            return

    def _give_up_on_late(self, wishes: list[_Wish]) -> list[_Wish]:
        now = time.monotonic()
        late = [wish for wish in wishes if wish.until <= now]
        self._answer([(wish, _unkept(wish, AWAY)) for wish in late])
        return [wish for wish in wishes if wish.until > now]

    def _one_by_one(self, wishes: list[_Wish], error: Exception) -> None:
        """One message of many could not be stored: the others must not suffer for it."""
        connection.close()
        self._feeds.forget()  # in case somebody took a feed away
        if len(wishes) == 1:
            log.error("a message could not be stored: %s", type(error).__name__)
            self._answer([(wishes[0], _unkept(wishes[0], BROKEN))])
            return
        for wish in wishes:
            self._store([wish])

    def _answer(self, answers: list[tuple[_Wish, Kept]]) -> None:
        if not answers or self._loop is None:
            return

        def tell() -> None:
            for wish, kept in answers:
                if not wish.answer.done():
                    wish.answer.set_result(kept)

        try:
            self._loop.call_soon_threadsafe(tell)
        except RuntimeError:
            log.warning("%d answers came after the listener had ended", len(answers))


def _unkept(wish: _Wish, answer: Answer) -> Kept:
    return Kept(0, _header(wish.incoming.raw), answer, is_new=False)


def _header(raw: bytes) -> Header | None:
    try:
        return header_of(raw)
    except Unreadable:
        return None
