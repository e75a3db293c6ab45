"""Django's cache in Redis, for which a Redis that is away is an empty cache."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any, Final

import redis
from django.core.cache.backends.redis import RedisCache

log = logging.getLogger(__name__)
AWAY: Final = (redis.ConnectionError, redis.TimeoutError)


def _or(nothing: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Answer `nothing` instead of raising when Redis is away."""

    def wrap(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def forgiving(self: RedisCache, *args: Any, **kwargs: Any) -> Any:
            try:
                return method(self, *args, **kwargs)
            except AWAY as error:
                log.warning("the cache is away", extra={"error": type(error).__name__})
                return nothing

        return forgiving

    return wrap


class ForgivingRedisCache(RedisCache):
    """Nothing in this cache is needed for an answer, only for a quick one.

    Rates that are counted in it are therefore not limited while Redis is away.
    """

    add = _or(True)(RedisCache.add)
    set = _or(None)(RedisCache.set)
    touch = _or(False)(RedisCache.touch)
    delete = _or(False)(RedisCache.delete)
    get_many = _or({})(RedisCache.get_many)
    has_key = _or(False)(RedisCache.has_key)
    set_many = _or([])(RedisCache.set_many)
    delete_many = _or(None)(RedisCache.delete_many)
    clear = _or(False)(RedisCache.clear)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """What is kept under `key`, or `default`."""
        return _or(default)(RedisCache.get)(self, key, default, version)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """Count on from what is kept; from nothing when Redis is away."""
        counted: int = _or(delta)(RedisCache.incr)(self, key, delta, version)
        return counted
