"""Tells screens and the worker that something changed.

A ring carries the names of boards (`system`, `site:3`, `ward:12`) and nothing else. Losing one
is no loss of truth: what changed lies in PostgreSQL, a sweep counts it again and rings again,
and the screens poll as well as listen. So nothing here raises while Redis is away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from uuid import uuid4

from celery import current_app
from kombu.exceptions import OperationalError

from live.connection import REDIS_ERRORS, channel, client, outage

CENSUS_TASK = "flow.tasks.refresh_census"
GATHER = 0.3
"""Seconds for which calls of `wake` are gathered into one task."""

_NAME = re.compile(r"[a-z][a-z_]*(:[0-9]+)?")
_WAKE_KEY = "flowboard:wake"


def is_board_name(text: str) -> bool:
    """Whether `text` has the form of a board's name: a word, or a word and a primary key."""
    return _NAME.fullmatch(text) is not None


def version_key(name: str) -> str:
    """Where the version token of a board is kept."""
    return f"flowboard:version:{name}"


def ring(names: Iterable[str]) -> None:
    """Give each named board a new version and tell every listening screen.

    Called from `transaction.on_commit`. Raises ValueError for anything but a board's name.
    """
    wanted = sorted(set(names))
    for name in wanted:
        if not is_board_name(name):
            raise ValueError("a ring takes names of boards only: a word, or a word and a key")
    if not wanted:
        return
    try:
        with client().pipeline(transaction=True) as pipe:
            for name in wanted:
                pipe.set(version_key(name), uuid4().hex)
            pipe.publish(channel(), " ".join(wanted))
            pipe.execute()
    except REDIS_ERRORS as error:
        outage.noticed(error)
    else:
        outage.over()


def wake() -> None:
    """Ask the worker for a census, once for all calls within `GATHER` seconds.

    The task starts only when the gathering is over, so it sees what every gathered caller
    had committed.
    """
    try:
        if client().set(_WAKE_KEY, "1", nx=True, px=int(GATHER * 1000)):
            current_app.send_task(CENSUS_TASK, countdown=GATHER, retry=False, ignore_result=True)
    except (*REDIS_ERRORS, OperationalError) as error:
        outage.noticed(error)
    else:
        outage.over()


def version(name: str) -> str | None:
    """The opaque version token of a board; None while Redis is away.

    Equal tokens mean that nobody has rung in between. Tokens are random, so that one from
    before a Redis that lost its memory never comes again.
    """
    key = version_key(name)
    try:
        token = client().get(key)
        if token is None:
            with client().pipeline(transaction=True) as pipe:
                pipe.set(key, uuid4().hex, nx=True)
                pipe.get(key)
                token = pipe.execute()[1]
    except REDIS_ERRORS as error:
        outage.noticed(error)
        return None
    outage.over()
    return token.decode() if isinstance(token, bytes) else None
