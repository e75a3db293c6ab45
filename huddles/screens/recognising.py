"""Which screen a browser is, by the secret that it carries.

Asked for at every fetch of every screen, so each process remembers it, as long as the access
version stands (`accounts.access`): revoking changes it, and the next fetch anywhere reads the
screen anew. Lest the news of it get lost on its way, each process also asks every few seconds, once
for all its screens, whether anything has been said of any.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Max, Q, Sum

from accounts.access import access_version
from huddles.models import Screen, ScreenPage

COOKIE: Final = "flowboard_screen"
MEMORY: Final = 5.0
"""Seconds after which a process asks whether any screen was changed: a revoked one is dark within
10, whatever news got lost."""

HEARD_EVERY: Final = timedelta(minutes=1)
"""How exactly `last_heard_at` is kept."""

ROOM: Final = 10_000
_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(slots=True)
class Known:
    """A screen with its pages in order, read together. heard_at: last noted."""

    screen: Screen
    pages: tuple[ScreenPage, ...]
    heard_at: datetime | None


def new_secret() -> str:
    """What a browser that waits is to carry: 256 random bits."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """What is kept of a secret. It is random, so one plain SHA-256 is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def recognised(secret: str) -> Known | None:
    """The screen that carries `secret`; None for none that is paired. Two queries, or none while
    it is remembered. It is shared by every request of the process: read it, do not change it."""
    if not _SHAPE.fullmatch(secret):
        return None
    digest = digest_of(secret)
    version = _standing()  # before the database: what is read after it is at least as new
    known = _memory.get(digest, version)
    if known is None:
        screen = (
            Screen.objects.select_related("site__organisation")
            .filter(digest=digest, revoked_at=None)
            .first()
        )
        if screen is None:
            return None
        pages = tuple(screen.pages.select_related("ward__site").order_by("position"))
        known = Known(screen, pages, screen.last_heard_at)
        if version is not None:
            _memory.put(digest, version, known)
    return known


def heard(known: Known, *, at: datetime) -> bool:
    """Note that the screen listens, once a minute; whether it was noted now."""
    if known.heard_at is not None and at - known.heard_at < HEARD_EVERY:
        return False
    known.heard_at = at
    stale = Q(last_heard_at=None) | Q(last_heard_at__lte=at - HEARD_EVERY)
    return bool(Screen.objects.filter(stale, pk=known.screen.pk).update(last_heard_at=at))


def _standing() -> str | None:
    """A word that changes whenever anything is said of a screen; None while Redis is away."""
    version = access_version()
    return None if version is None else f"{version} {_news.word()}"


class _News:
    """What all screens of the database add up to, asked for every `MEMORY` seconds by one thread
    while the others go on with what was known."""

    def __init__(self) -> None:
        self._word, self._until = "", 0.0
        self._asking = threading.Lock()

    def word(self) -> str:
        if time.monotonic() >= self._until and self._asking.acquire(blocking=not self._word):
            try:
                if time.monotonic() >= self._until:
                    told = Screen.objects.aggregate(Max("revoked_at"), Max("pk"), Sum("edition"))
                    self._word, self._until = str(told), time.monotonic() + MEMORY
            finally:
                self._asking.release()
        return self._word

    def clear(self) -> None:
        self._word, self._until = "", 0.0


class _Memory:
    """Screens by digest, each good while the word it was read under still stands."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, tuple[str, Known]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, digest: str, version: str | None) -> Known | None:
        with self._lock:
            found = self._entries.get(digest)
            return found[1] if found is not None and found[0] == version else None

    def put(self, digest: str, version: str, known: Known) -> None:
        with self._lock:
            self._entries[digest] = (version, known)
            self._entries.move_to_end(digest)
            while len(self._entries) > ROOM:
                self._entries.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()


_memory = _Memory()
_news = _News()


def forget() -> None:
    """Empty this process's memory of screens."""
    _memory.clear()
    _news.clear()
