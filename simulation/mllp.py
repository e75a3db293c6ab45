"""A sender over MLLP that keeps at it: one message, one acknowledgment, on one connection.

Source: HL7 v2 transport specification, MLLP release 1: a block is 0x0B, the message, 0x1C 0x0D.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_START: Final = b"\x0b"
_END: Final = b"\x1c\r"
_PATIENCE: Final = 30.0  # seconds for an acknowledgment
_LARGEST_ANSWER: Final = 1_000_000


class Unreachable(OSError):
    """The listener cannot be reached, went away, or does not answer."""


class Stopped(Exception):
    """The sender was told to stop while it waited."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An acknowledgment: `code` of HL7 table 0008 and what came with it."""

    code: str
    text: str

    @property
    def is_taken(self) -> bool:
        """The listener has the message safe: AA or CA."""
        return self.code.endswith("A")

    @property
    def is_refused(self) -> bool:
        """The listener never wants to see this message again: AR or CR."""
        return self.code.endswith("R")


class Line:
    """A connection to a listener, made when it is needed. `stopped` is asked while waiting."""

    def __init__(self, host: str, port: int, *, stopped: Callable[[], bool]) -> None:
        self.host = host
        self.port = port
        self._stopped = stopped
        self._socket: socket.socket | None = None

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send(self, message: str) -> Answer:
        """Send one message and wait for its acknowledgment.

        Raises Unreachable where that fails: the message may or may not have arrived and must be
        sent again. Raises Stopped where `stopped` turns true meanwhile.
        """
        try:
            line = self._connected()
            line.sendall(_START + message.encode() + _END)
            return self._answer(line, message)
        except (OSError, Stopped) as error:
            self.close()
            if isinstance(error, Stopped | Unreachable):
                raise
            raise Unreachable(f"{self.host}:{self.port}: {error}") from error

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection((self.host, self.port), timeout=5.0)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.settimeout(0.5)
        return self._socket

    def _answer(self, line: socket.socket, message: str) -> Answer:
        received = b""
        given_up = time.monotonic() + _PATIENCE
        while time.monotonic() < given_up:
            if self._stopped():
                raise Stopped
            try:
                chunk = line.recv(65536)
            except TimeoutError:
                continue
            if not chunk:
                raise Unreachable(f"{self.host}:{self.port} closed the connection")
            received += chunk
            while _END in received:
                block, received = received.split(_END, 1)
                answer = _read(block, control_id(message))
                if answer is not None:
                    return answer
            if len(received) > _LARGEST_ANSWER:
                raise Unreachable(f"{self.host}:{self.port} does not speak MLLP")
        raise Unreachable(f"{self.host}:{self.port} gave no acknowledgment in {_PATIENCE:.0f} s")


def control_id(message: str) -> str:
    """MSH-10 of a message that we wrote ourselves."""
    return message.split("\r", 1)[0].split("|")[9]


def _read(block: bytes, wanted: str) -> Answer | None:
    """The acknowledgment in a block; None where it answers another message."""
    text = block.lstrip(b"\r\n").removeprefix(_START).decode("utf-8", "replace")
    for segment in text.replace("\n", "\r").split("\r"):
        fields = segment.split("|")
        if fields[0] == "MSA" and len(fields) > 2 and fields[2] == wanted:
            return Answer(fields[1], fields[3] if len(fields) > 3 else "")
    return None
