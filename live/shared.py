"""Rendered boards, made once for each version and shared by everybody who sees the same.

Two floors: the memory of this process, and Redis for all processes. What holds patients'
names is kept on the first alone, so that Redis never holds a name.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from live.connection import REDIS_ERRORS, client, outage
from live.doorbell import version

ROOM = 64 * 1024 * 1024
"""Bytes of rendered boards that one process keeps."""

PATIENCE = 2.0
"""Seconds to wait for another process that is rendering the same board."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The bytes of a board and their strong entity tag (quoted, as in the HTTP header)."""

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class _Entry:
    version: str
    expires: float
    rendered: Rendered


class _Memory:
    """The latest version of each board and variant, oldest use thrown out first."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._used = 0
        self._entries: OrderedDict[tuple[str, str], _Entry] = OrderedDict()
        self._making: dict[tuple[str, str], threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: tuple[str, str], token: str) -> Rendered | None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry.version != token or entry.expires <= time.time():
                return None
            self._entries.move_to_end(key)
            return entry.rendered

    def put(self, key: tuple[str, str], entry: _Entry) -> None:
        with self._lock:
            old = self._entries.pop(key, None)
            if old is not None:
                self._used -= len(old.rendered.body)
            self._entries[key] = entry
            self._used += len(entry.rendered.body)
            while self._used > self._room and len(self._entries) > 1:
                gone, dropped = self._entries.popitem(last=False)
                self._making.pop(gone, None)
                self._used -= len(dropped.rendered.body)

    def making(self, key: tuple[str, str]) -> threading.Lock:
        with self._lock:
            return self._making.setdefault(key, threading.Lock())

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._making.clear()
            self._used = 0


_memory = _Memory(ROOM)


def forget() -> None:
    """Empty this process's memory of rendered boards."""
    _memory.clear()


def rendered(
    name: str, variant: str, render: Callable[[], bytes], ttl: int, *, private: bool = False
) -> Rendered:
    """The board `name` as `variant` sees it, rendered at most once for each version.

    `variant` must differ wherever two viewers may see different things. `ttl` (seconds) bounds
    the age of what depends on the clock alone. `private` keeps the bytes out of Redis; say so
    for everything that holds a patient's name. Without Redis every call renders.
    """
    # The version is read before the database, so what is kept is never older than its version.
    token = version(name)
    if token is None:
        return _tagged(render())
    key = (name, variant)
    found = _memory.get(key, token)
    if found is not None:
        return found
    with _memory.making(key):
        found = _memory.get(key, token)
        if found is not None:
            return found
        expires = time.time() + ttl
        if private:
            entry = _Entry(token, expires, _tagged(render()))
        else:
            entry = _through_redis(name, variant, token, expires, render)
        _memory.put(key, entry)
        return entry.rendered


def _tagged(body: bytes) -> Rendered:
    return Rendered(body, f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"')


def _through_redis(
    name: str, variant: str, token: str, expires: float, render: Callable[[], bytes]
) -> _Entry:
    """Take the board from Redis, or render it and leave it there for the others."""
    digest = hashlib.blake2b(variant.encode(), digest_size=16).hexdigest()
    place = f"flowboard:board:{name}:{token}:{digest}"
    found = _awaited(place, token)
    if found is not None:
        return found
    made = None
    try:
        made = _Entry(token, expires, _tagged(render()))
    finally:
        _leave(place, made)
    return made


def _awaited(place: str, token: str) -> _Entry | None:
    """What lies at `place`, also once another process has made it; None: the caller makes it."""
    deadline = time.monotonic() + PATIENCE
    try:
        while True:
            packed = client().get(place)
            if isinstance(packed, bytes):
                return _unpacked(packed, token)
            first = client().set(f"{place}:making", "1", nx=True, px=int(PATIENCE * 1000))
            if first and isinstance(packed := client().get(place), bytes):
                # It was finished, and its mark taken away, since we looked.
                client().delete(f"{place}:making")
                return _unpacked(packed, token)
            if first or time.monotonic() > deadline:
                return None
            time.sleep(0.01)
    except REDIS_ERRORS as error:
        outage.noticed(error)
        return None


def _leave(place: str, made: _Entry | None) -> None:
    """Put what was made at `place` and let those go on who wait for it."""
    try:
        with client().pipeline(transaction=True) as pipe:
            if made is not None:
                left = max(1, int((made.expires - time.time()) * 1000))
                pipe.set(place, _packed(made), px=left)
            pipe.delete(f"{place}:making")
            pipe.execute()
    except REDIS_ERRORS as error:
        outage.noticed(error)


def _packed(entry: _Entry) -> bytes:
    return f"{entry.expires:.3f} {entry.rendered.etag}\n".encode() + entry.rendered.body


def _unpacked(packed: bytes, token: str) -> _Entry:
    head, _, body = packed.partition(b"\n")
    expires, etag = head.decode().split(" ")
    return _Entry(token, float(expires), Rendered(body, etag))
