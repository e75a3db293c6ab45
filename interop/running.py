"""Keeps applying messages as they come in, until told to stop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime
from threading import Event
from typing import Final

from django.db import InterfaceError, OperationalError, connection

from interop.applying import BATCH, Applier
from interop.inbox import WAITING_CHANNEL

log = logging.getLogger("interop")

_LARGEST_BATCH: Final = 500  # a repeat of a message waits for the batch that it is in
_NAP: Final = 1.0  # seconds after which it looks for messages even if nobody rang
_TIDY_EVERY: Final = 5.0
_WAITS: Final = (0.1, 0.2, 0.5, 1.0, 2.0)  # seconds between tries while the database is away


def apply_forever(*, stop: Event, now: Callable[[], datetime], goes_on: Callable[[], bool]) -> None:
    """Apply messages as soon as they are stored, until `stop` is set or `goes_on` says no.

    Wakes by a PostgreSQL notification, else every second. Survives the database being away.
    """
    applier = Applier(now=now)
    bell = _Bell()
    limit, tidied, failures = BATCH, time.monotonic(), 0
    while not stop.is_set() and goes_on():
        try:
            bell.hang()
            done = sum(applier.apply_batch(limit).values())
            if failures:
                log.warning("the database is back; messages are applied again")
                failures = 0
            # Few at a time while they trickle in, many at a time to catch up.
            limit = min(limit * 2, _LARGEST_BATCH) if done == limit else BATCH
            if time.monotonic() - tidied > _TIDY_EVERY:
                applier.rest()
                tidied = time.monotonic()
            if not done:
                bell.wait(_NAP)
        except (OperationalError, InterfaceError) as error:
            if not failures:
                log.warning("no messages are applied: %s", type(error).__name__)
            connection.close()
            stop.wait(_WAITS[min(failures, len(_WAITS) - 1)])
            failures += 1
    try:
        applier.rest()
    except (OperationalError, InterfaceError):
        log.info("how often places were named could not be written")
    connection.close()


class _Bell:
    """Listens on the applier's own connection for word that messages wait."""

    def __init__(self) -> None:
        self._on: object = None

    def hang(self) -> None:
        """Listen, also after the connection was made anew."""
        connection.ensure_connection()
        if connection.connection is not self._on:
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {WAITING_CHANNEL}")
            self._on = connection.connection

    def wait(self, seconds: float) -> None:
        """Until somebody rings, but no longer than `seconds`."""
        assert connection.connection is not None, "hang comes first"
        with connection.wrap_database_errors:
            for _ in connection.connection.notifies(timeout=seconds, stop_after=1):
                break
