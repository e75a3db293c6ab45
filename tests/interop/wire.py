"""A listener and an applier in threads of the test, and senders that speak MLLP to them."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection
from django.utils import timezone

from interop.hl7v2.framing import framed
from interop.listener import Limits, Listener
from interop.models import Message
from interop.running import apply_forever

PATIENCE: Final = 30.0


@contextmanager
def listening(
    limits: Limits | None = None, context: ssl.SSLContext | None = None, *, applies: bool = True
) -> Iterator[int]:
    """A listener's port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> Listener:
        listener = Listener(now=timezone.now, limits=limits, context=context)
        await listener.start("127.0.0.1", 0)
        return listener

    stop = threading.Event()
    applier = threading.Thread(
        target=apply_forever,
        kwargs={"stop": stop, "now": timezone.now, "goes_on": lambda: True},
    )
    listener = asyncio.run_coroutine_threadsafe(start(), loop).result(PATIENCE)
    if applies:
        applier.start()
    try:
        yield listener.port
    finally:
        asyncio.run_coroutine_threadsafe(listener.stop(), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()
        stop.set()
        if applies:
            applier.join(PATIENCE)
        connection.close()


class Wire:
    """One connection of a sender."""

    def __init__(self, port: int, context: ssl.SSLContext | None = None) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket = context.wrap_socket(plain, server_hostname="localhost") if context else plain
        self._left = b""

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Bytes as they are."""
        self.socket.sendall(data)

    def answer(self, timeout: float = PATIENCE) -> bytes:
        """The next answer; raises TimeoutError when there is none."""
        self.socket.settimeout(timeout)
        while b"\x1c\r" not in self._left:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("the listener closed the connection")
            self._left += data
        answer, self._left = self._left.split(b"\x1c\r", 1)
        return answer.lstrip(b"\x0b")

    def ask(self, message: bytes) -> bytes:
        """Send a message and wait for its answer."""
        self.send(framed(message))
        return self.answer()


def code(answer: bytes) -> str:
    """MSA-1 of an answer."""
    return answer.split(b"MSA|")[1][:2].decode()


def until(true: Callable[[], bool], within: float = PATIENCE) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.01)


def nothing_waits() -> bool:
    """Whether every message has come to an end."""
    return not Message.objects.filter(status=Message.Status.RECEIVED).exists()
