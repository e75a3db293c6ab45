"""Which screen a browser is, by the secret that it carries.

Asked for at every fetch of every screen, so each process remembers it for a little while, and
only as long as the access version stands (`accounts.access`): revoking changes it, and the next
fetch anywhere reads the screen anew. Should Redis be lost in that very instant, `MEMORY` bounds
what it costs.
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

from django.db.models import Q

from accounts.access import access_version
from huddles.models import Screen, ScreenPage

COOKIE: Final = "flowboard_screen"
MEMORY: Final = 6.0
"""Seconds for which a process remembers a screen: a revoked one is dark within 10."""

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
    version = access_version()  # before the database: what is read after it is at least as new
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


class _Memory:
    """Screens by digest, each good while the version it was read under still stands."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, tuple[str, float, Known]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, digest: str, version: str | None) -> Known | None:
        with self._lock:
            found = self._entries.get(digest)
            if found is None or found[0] != version or found[1] <= time.monotonic():
                return None
            return found[2]

    def put(self, digest: str, version: str, known: Known) -> None:
        with self._lock:
            self._entries[digest] = (version, time.monotonic() + MEMORY, known)
            self._entries.move_to_end(digest)
            while len(self._entries) > ROOM:
                self._entries.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()


_memory = _Memory()


def forget() -> None:
    """Empty this process's memory of screens."""
    _memory.clear()
