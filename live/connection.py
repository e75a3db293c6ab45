"""The one way in which this package reaches Redis."""

from __future__ import annotations

import logging
import threading
from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger("live")

TIMEOUT = 1.0
"""Seconds after which an unanswering Redis counts as away."""

REDIS_ERRORS = (redis.RedisError, OSError)


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        # A pooled connection that a Redis restart has cut is replaced at once, without a pause.
        retry=Retry(NoBackoff(), 1),
    )


def client() -> redis.Redis:
    """The pooled client of `settings.REDIS_URL`, in bytes; it connects when first used."""
    return _client(settings.REDIS_URL)


def channel() -> str:
    """The channel on which board names are published.

    Redis keeps keys apart by database number but not channels, so the number is in the name.
    """
    number = client().connection_pool.connection_kwargs.get("db") or 0
    return f"flowboard:{number}:rings"


class Outage:
    """Says once in the log that Redis went away and once that it came back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._away = False

    def noticed(self, error: Exception) -> None:
        """Redis did not answer."""
        with self._lock:
            first, self._away = not self._away, True
        if first:
            log.warning("redis away: screens poll until it is back (%s)", type(error).__name__)

    def over(self) -> None:
        """Redis answered."""
        if self._away:
            with self._lock:
                last, self._away = self._away, False
            if last:
                log.info("redis back")


outage = Outage()
