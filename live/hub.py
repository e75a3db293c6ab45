"""One ear on Redis for all the event streams of a process.

A stream keeps no queue: it holds the set of things still to be said, and to say twice that a
board changed is to say it once. So a slow client costs a bounded amount, and one that takes
nothing at all for `PATIENCE` seconds is let go.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import random
import time
from collections.abc import Awaitable, Callable

import redis.asyncio
from redis.asyncio.client import PubSub

from live.connection import REDIS_ERRORS, TIMEOUT, outage

log = logging.getLogger("live")

BEAT = 4.0
"""Seconds between heartbeats; a screen that misses two knows that its line is down."""

PATIENCE = 20.0
"""Seconds for which a client may take nothing before it is let go."""

SLICES = 16
"""In how many parts a beat goes out, so that a ring never waits for a thousand beats."""

LIFE = 3600.0
"""Seconds after which a stream ends, give or take a tenth; the client asks anew and is
authorised anew."""

OWN = "screen:"
"""Boards that are of a listener, not of a place: once rung, the stream is said so and ended, and
whoever comes back is authorised anew."""

Say = Callable[[bytes, bool], Awaitable[None]]
"""Sends bytes to a client; False with the last of them."""


def event(name: str, data: str) -> bytes:
    """One server-sent event in bytes."""
    return f"event: {name}\ndata: {data}\n\n".encode()


class Stream:
    """One open event stream and what is still to be said on it."""

    __slots__ = (
        "_ended",
        "_say",
        "_speaking_since",
        "_task",
        "_waiting",
        "boards",
        "ends",
        "unsaid",
    )

    def __init__(self, boards: frozenset[str], say: Say) -> None:
        self.boards = boards
        self.ends = time.monotonic() + LIFE * random.uniform(0.9, 1.1)
        self.unsaid: dict[bytes, None] = {}
        self._say = say
        self._waiting: asyncio.Future[None] | None = None
        self._speaking_since: float | None = None
        self._ended = False
        self._task: asyncio.Task[None] | None = None

    def tell(self, news: bytes) -> None:
        """Say `news` soon, once."""
        self.unsaid[news] = None
        self._wake()

    def end(self) -> None:
        """Say what is left, then close."""
        self._ended = True
        self._wake()

    def drop(self) -> None:
        """Close without another word."""
        if self._task is not None:
            self._task.cancel()

    def is_stuck(self, now: float) -> bool:
        """Whether the client has taken nothing for too long."""
        return self._speaking_since is not None and now - self._speaking_since > PATIENCE

    async def speak_until(self, gone: Awaitable[None]) -> None:
        """Say what there is to say until the stream ends, is dropped, or the client is `gone`."""
        self._task = asyncio.create_task(self._speak())
        leaving = asyncio.ensure_future(gone)
        try:
            await asyncio.wait((self._task, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._task.cancel()
            leaving.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await self._task

    async def _speak(self) -> None:
        while True:
            if not self.unsaid and not self._ended:
                self._waiting = asyncio.get_running_loop().create_future()
                await self._waiting
            news = b"".join(self.unsaid)
            self.unsaid.clear()
            self._speaking_since = time.monotonic()
            await self._say(news, not self._ended)
            self._speaking_since = None
            if self._ended:
                return

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class Hub:
    """Hears the rings of Redis once and passes each to the streams that show the board.

    It listens from the first stream to the last. While Redis is away it says so in every beat
    and, once back, tells everybody to catch up, since it cannot know what it missed.
    """

    def __init__(self, url: Callable[[], str], channel: Callable[[], str]) -> None:
        self._url, self._channel = url, channel
        self._streams: set[Stream] = set()
        self._slices: list[set[Stream]] = [set() for _ in range(SLICES)]
        self._by_board: dict[str, set[Stream]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.hears = False

    def __len__(self) -> int:
        return len(self._streams)

    def join(self, stream: Stream) -> None:
        """Let `stream` hear of its boards from now on."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._tick())]
        self._streams.add(stream)
        min(self._slices, key=len).add(stream)
        for board in stream.boards:
            self._by_board.setdefault(board, set()).add(stream)
        stream.tell(self._beat())

    def leave(self, stream: Stream) -> None:
        """Forget `stream`; with the last one, stop listening."""
        self._streams.discard(stream)
        for part in self._slices:
            part.discard(stream)
        for board in stream.boards:
            listening = self._by_board.get(board, set())
            listening.discard(stream)
            if not listening:
                self._by_board.pop(board, None)
        if not self._streams:
            for task in self._tasks:
                task.cancel()
            self._tasks = []
            self.hears = False

    def _beat(self) -> bytes:
        """The server's time in milliseconds, and whether rings are heard."""
        return event("beat", f"{time.time_ns() // 1_000_000} {'live' if self.hears else 'deaf'}")

    def _tell_all(self, news: bytes) -> None:
        for stream in self._streams:
            stream.tell(news)

    def _rung(self, names: str) -> None:
        for name in names.split(" "):
            listening = self._by_board.get(name)
            if listening:
                news = event("ring", name)
                for stream in tuple(listening):
                    stream.tell(news)
                    if name.startswith(OWN):
                        stream.end()

    async def _tick(self) -> None:
        for part in itertools.cycle(self._slices):
            await asyncio.sleep(BEAT / SLICES)
            now, beat = time.monotonic(), self._beat()
            for stream in part.copy():
                if stream.is_stuck(now):
                    log.info("a screen that takes nothing was let go")
                    stream.drop()
                elif now > stream.ends:
                    stream.end()
                else:
                    stream.tell(beat)

    async def _listen(self) -> None:
        pause = 0.1
        while True:
            url = self._url()
            # A Unix socket, with no network between its ends, knows no such option.
            kept = {} if url.startswith("unix:") else {"socket_keepalive": True}
            try:
                async with (
                    redis.asyncio.Redis.from_url(
                        url, socket_connect_timeout=TIMEOUT, **kept
                    ) as line,
                    line.pubsub() as ear,
                ):
                    await ear.subscribe(self._channel())
                    pause = 0.1
                    await self._hear(ear)
            except REDIS_ERRORS as error:
                outage.noticed(error)
                if self.hears:
                    self.hears = False
                    self._tell_all(self._beat())
            await asyncio.sleep(pause)
            pause = min(2.0, pause * 2)

    async def _hear(self, ear: PubSub) -> None:
        """Pass rings on until the line breaks; a line silent for two beats is broken."""
        silent = 0
        while True:
            message = await ear.get_message(timeout=BEAT / 2)
            if message is None:
                silent += 1
                if silent > 2:
                    raise redis.ConnectionError("the line to Redis has gone silent")
                await ear.ping()
                continue
            silent = 0
            if message["type"] == "subscribe":
                outage.over()
                self.hears = True
                self._tell_all(event("catchup", "now"))
                self._tell_all(self._beat())
            elif message["type"] == "message":
                self._rung(message["data"].decode())
