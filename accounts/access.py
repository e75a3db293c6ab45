"""When what anybody may do last changed.

Programs ask a thousand times a second, so each process remembers whom a token belongs to and
what they may do. One token in Redis, the access version, says whether that memory still holds:
it changes with every change of accounts, tokens, grants and places, and it is asked for on
every request. While Redis is away nothing is remembered and PostgreSQL answers every time.
"""

from __future__ import annotations

import logging
import time
from functools import cache
from uuid import uuid4

import redis
from django.conf import settings
from django.db import transaction
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger("accounts")

KEY = "flowboard:access"
TIMEOUT = 0.5
"""Seconds after which an unanswering Redis counts as away."""

MEMORY = 30.0
"""Seconds after which what is remembered is read again, whatever the version.

It bounds what a change could miss when Redis is lost in the instant between the commit and the
new version.
"""


REST = 1.0
"""Seconds for which an unanswering Redis is not asked again, lest every request wait for it."""

_resting_until = 0.0


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        decode_responses=True,
        # A pooled connection that a Redis restart has cut is replaced at once, without a pause.
        retry=Retry(NoBackoff(), 1),
    )


def access_version() -> str | None:
    """An opaque word that changes with every change of access; None while Redis is away.

    Read it before the database: what was read afterwards is at least as new. The words are
    random, so a Redis that lost its memory cannot repeat one.
    """
    global _resting_until
    if time.monotonic() < _resting_until:
        return None
    client = _client(settings.REDIS_URL)
    try:
        version = client.get(KEY)
        if version is None:
            client.set(KEY, uuid4().hex, nx=True)
            version = client.get(KEY)
    except (redis.RedisError, OSError):
        _resting_until = time.monotonic() + REST
        return None
    return version if isinstance(version, str) else None


def access_changed() -> None:
    """Forget in every process, once the caller's transaction commits, who may do what."""
    transaction.on_commit(_new_version)


def _new_version() -> None:
    try:
        _client(settings.REDIS_URL).set(KEY, uuid4().hex)
    except (redis.RedisError, OSError) as error:
        log.warning(
            "redis away: a change of access reaches every process within %d s (%s)",
            MEMORY,
            type(error).__name__,
        )
