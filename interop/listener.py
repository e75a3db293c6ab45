"""The MLLP listener: many senders, each answered once its message is stored."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

from interop.hl7v2.ack import acknowledgment, is_wanted
from interop.hl7v2.batches import messages_in
from interop.hl7v2.framing import DEFAULT_LIMIT, Fault, Framer, Piece, framed
from interop.inbox import Incoming, Kept
from interop.storing import Storer

log = logging.getLogger("interop")

APPLICATION: Final = "FLOWBOARD"
_CHUNK: Final = 256 * 1024
_BATCHES: Final = (b"FHS", b"BHS")
_MARKS: Final = b"\xef\xbb\xbf\xff\xfe \t\r\n"


class BadCertificate(Exception):
    """A certificate or key cannot be used; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much and how long the listener waits for.

    `message`: bytes of one message. `half`: seconds until a message that does not end is given
    up. `pause`: seconds after which a last byte that may be an end is one. `patience`: seconds
    for which an answer is held back while the database is away. `farewell`: seconds that open
    connections get when the listener stops.
    """

    message: int = DEFAULT_LIMIT
    half: float = 30.0
    pause: float = 0.2
    patience: float = 10.0
    farewell: float = 10.0


def tls(certificate: Path, key: Path, client_ca: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or later; with `client_ca`, only for senders with a certificate signed by it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise BadCertificate(f"Cannot use {certificate} with {key}: {error}.") from error
    if client_ca is not None:
        try:
            context.load_verify_locations(client_ca)
        except (OSError, ssl.SSLError) as error:
            raise BadCertificate(f"Cannot use {client_ca}: {error}.") from error
        context.verify_mode = ssl.CERT_REQUIRED
    return context


class Listener:
    """Accepts connections until it is stopped; `port` is the one it really listens on."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        limits: Limits | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._now = now
        self._context = context
        self._storer = Storer(now=now, patience=self._limits.patience)
        self._server: asyncio.Server | None = None
        self._stopping = False
        self._open: set[asyncio.Task[None]] = set()
        self._idle: set[asyncio.Task[None]] = set()  # those that wait for a next message

    @property
    def port(self) -> int:
        """The port, also where 0 asked for any."""
        assert self._server is not None, "start comes first"
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises OSError where the address cannot be had."""
        self._storer.start()
        self._server = await asyncio.start_server(
            self._accept, host or None, port, ssl=self._context, limit=_CHUNK, backlog=256
        )

    async def stop(self) -> None:
        """Take no more; answer what was received; end."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        for task in list(self._idle):
            task.cancel()
        if self._open:
            _, late = await asyncio.wait(self._open, timeout=self._limits.farewell)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._storer.stop()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "a connection is served by a task"
        self._open.add(task)
        peer = _peer(writer)
        log.info("connection from %s", peer)
        try:
            await self._serve(reader, writer, peer)
        except (ConnectionError, ssl.SSLError, TimeoutError) as error:
            log.info("connection from %s broke: %s", peer, type(error).__name__)
        finally:
            self._open.discard(task)
            writer.close()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: str
    ) -> None:
        framer = Framer(self._limits.message)
        while True:
            chunk = await self._read(reader, framer)
            pieces = framer.feed(chunk) if chunk else framer.close()
            await self._handle(pieces, writer, peer)
            if chunk == b"":
                log.info("connection from %s closed", peer)
                return

    async def _read(self, reader: asyncio.StreamReader, framer: Framer) -> bytes | None:
        """The next bytes; b"" at the end; None when half a message waited for its end too long.

        An idle connection may stay as long as it likes; when the listener stops, it ends.
        """
        task = asyncio.current_task()
        assert task is not None, "a connection is served by a task"
        is_idle = framer.is_idle
        if is_idle and self._stopping:
            return b""
        if is_idle:
            self._idle.add(task)
        try:
            wait = self._limits.pause if framer.may_have_ended else self._limits.half
            async with asyncio.timeout(None if is_idle else wait):
                return await reader.read(_CHUNK)
        except TimeoutError:
            return None
        except asyncio.CancelledError:
            if not (is_idle and self._stopping):
                raise
            task.uncancel()
            return b""
        finally:
            self._idle.discard(task)

    async def _handle(
        self, pieces: Sequence[Piece], writer: asyncio.StreamWriter, peer: str
    ) -> None:
        """Store everything that came at once together; answer in the order of the questions.

        A block is a question. Bytes outside of one are kept, but an answer to them would be
        taken for the answer to the message before or after.
        """
        waiting = [
            (
                piece,
                [
                    self._storer.store(Incoming(each.data, peer, each.fault))
                    for each in _split(piece)
                ],
            )
            for piece in pieces
        ]
        for piece, stored in waiting:
            if piece.fault is not None:
                # Some senders keep a line open with empty blocks.
                level = logging.INFO if piece.fault is Fault.EMPTY else logging.WARNING
                log.log(level, "from %s: %s (%d bytes)", peer, piece.fault.value, len(piece.data))
            answers = [self._written(await each) for each in stored]
            answer = b"".join(each for each in answers if each is not None)
            if answer and piece.fault is not Fault.UNFRAMED:
                writer.write(framed(answer))
        if waiting:
            await writer.drain()

    def _written(self, kept: Kept) -> bytes | None:
        """The acknowledgment, or None where the sender wants none."""
        if kept.header is not None and not is_wanted(kept.header, kept.answer.verdict):
            return None
        return acknowledgment(
            kept.answer,
            to=kept.header,
            at=self._now(),
            control_id=uuid4().hex[:20],
            application=APPLICATION,
        )


def _split(piece: Piece) -> list[Piece]:
    """The messages of a block: one, unless somebody sends a batch, or several, through the wire."""
    if piece.fault is not None:
        return [piece]
    letters = piece.data.replace(b"\0", b"").lstrip(_MARKS)
    is_batch = letters.startswith(_BATCHES)
    if not is_batch and letters.count(b"MSH") < 2:
        return [piece]
    found = list(messages_in(piece.data))
    return found if (is_batch and found) or len(found) > 1 else [piece]


def _peer(writer: asyncio.StreamWriter) -> str:
    """Who is at the other end: address and, if there is one, the name in the certificate."""
    address = writer.get_extra_info("peername")
    host = str(address[0]) if isinstance(address, tuple) else "local"
    certificate = writer.get_extra_info("peercert") or {}
    names = [
        value
        for part in certificate.get("subject", ())
        for name, value in part
        if name == "commonName"
    ]
    return f"{host} ({names[0]})" if names else host


__all__ = ["APPLICATION", "BadCertificate", "Fault", "Limits", "Listener", "tls"]
