"""What tests of real processes share."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import redis


def runs(pid: int) -> bool:
    """Whether the process is there and not only waiting to be collected."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def mentioning(text: str) -> list[int]:
    """The processes whose command line or environment mentions `text`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            shown = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
            if text.encode() in shown and runs(int(folder.name)):
                found.append(int(folder.name))
    return found


def eventually(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until it is true; a server that does not answer yet is not."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(OSError, psycopg.Error, redis.RedisError, ValueError):
            if true():
                return
        time.sleep(0.05)
    raise AssertionError("it did not come about in time")


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
    return number
