"""`manage.py receive_hl7`: HL7 v2 messages from the wire or from files."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import time
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from flow import census
from interop.feeds import Feeds, Known
from interop.files import Report, receive
from interop.hl7v2.framing import DEFAULT_LIMIT
from interop.listener import BadCertificate, Limits, Listener, tls
from interop.models import Feed

log = logging.getLogger("interop")

_PROGRESS_EVERY: Final = 2.0  # seconds
_TROUBLES_TOLD: Final = 20
_RESTART_PAUSES: Final = (0.5, 1.0, 2.0, 5.0, 10.0)  # seconds before an applier is started again


def address(text: str) -> tuple[str, int]:
    """HOST:PORT, [IPV6]:PORT or PORT alone (every address of this machine)."""
    host, _, port = text.rpartition(":")
    if not port.isdigit() or not 0 <= int(port) <= 65535:
        raise ArgumentTypeError(f"{text!r} is not HOST:PORT, for example 0.0.0.0:2575")
    return host.strip("[]"), int(port)


class Command(BaseCommand):
    """Listens for MLLP connections, or reads files and ends."""

    help = "Receive HL7 v2 messages: over MLLP (--listen) or from files (--file)."
    requires_system_checks: list[str] = []  # they load every page; a listener shows none

    def add_arguments(self, parser: CommandParser) -> None:
        """Either --listen or --file."""
        how = parser.add_mutually_exclusive_group(required=True)
        how.add_argument("--listen", type=address, metavar="HOST:PORT")
        how.add_argument(
            "--file",
            nargs="+",
            type=Path,
            metavar="PATH",
            help="files or folders; a file may hold many messages, also as FHS/BHS batches",
        )
        parser.add_argument("--feed", metavar="CODE", help="the feed, whatever MSH-3 and MSH-4 say")
        parser.add_argument(
            "--history",
            action="store_true",
            help="these messages are from the past: what they say was known when they were sent",
        )
        parser.add_argument("--json", action="store_true", help="end with one line of JSON")
        parser.add_argument("--tls-cert", type=Path, metavar="FILE")
        parser.add_argument("--tls-key", type=Path, metavar="FILE")
        parser.add_argument(
            "--tls-client-ca",
            type=Path,
            metavar="FILE",
            help="take only senders with a certificate signed by this authority",
        )
        parser.add_argument(
            "--max-bytes",
            type=int,
            default=DEFAULT_LIMIT,
            help="largest message taken over MLLP (default %(default)s)",
        )
        parser.add_argument(
            "--store-only",
            action="store_true",
            help="apply nothing here: an apply_hl7 beside it or the worker's sweep does",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run one or the other. Raises CommandError with what to do about it."""
        if options["listen"] is None:
            self._read_files(options)
            return
        if options["feed"] or options["json"] or options["history"]:
            raise CommandError("--feed, --history and --json go with --file.")
        context = None
        if options["tls_cert"] or options["tls_key"] or options["tls_client_ca"]:
            if not (options["tls_cert"] and options["tls_key"]):
                raise CommandError("TLS needs both --tls-cert and --tls-key.")
            try:
                context = tls(options["tls_cert"], options["tls_key"], options["tls_client_ca"])
            except BadCertificate as error:
                raise CommandError(str(error)) from None
        listener = Listener(
            now=timezone.now, limits=Limits(message=options["max_bytes"]), context=context
        )
        host, port = options["listen"]
        try:
            asyncio.run(self._listen(listener, host, port, applies=not options["store_only"]))
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {host or '*'}:{port}: {error.strerror or error}."
            ) from None

    async def _listen(self, listener: Listener, host: str, port: int, *, applies: bool) -> None:
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        await listener.start(host, port)
        # One line that a supervisor can wait for, also where port 0 asked for any.
        self.stdout.write(f"Listening for HL7 on {host or '*'}:{listener.port}")
        self.stdout.flush()
        applier = asyncio.create_task(_keep_applying()) if applies else None
        await stopping.wait()
        log.info("stopping: answering what was received")
        await listener.stop()
        if applier is not None:
            applier.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await applier

    def _read_files(self, options: dict[str, Any]) -> None:
        try:
            report = receive(
                options["file"],
                now=timezone.now,
                feed=_feed(options["feed"]),
                is_history=options["history"],
                progress=_Progress(self.stderr.write),
            )
            census.refresh(at=timezone.now())
        except (OperationalError, InterfaceError) as error:
            raise CommandError(
                f"The database went away ({type(error).__name__}). What was stored is applied "
                "when it is back; run the command again for the rest, repeats do no harm."
            ) from None
        for trouble in report.unreadable[:_TROUBLES_TOLD]:
            self.stderr.write(trouble)
        if len(report.unreadable) > _TROUBLES_TOLD:
            self.stderr.write(f"… and {len(report.unreadable) - _TROUBLES_TOLD} more such files")
        numbers = report.as_dict()
        if options["json"]:
            self.stdout.write(json.dumps(numbers))
        else:
            parts = ", ".join(f"{numbers[name]} {name}" for name in numbers if name != "received")
            self.stdout.write(f"{report.received} messages received: {parts}.")
        if not report.received:
            # After the JSON line, which a program still wants to read.
            raise CommandError("Nothing could be read: no file held an HL7 message.")


def _feed(code: str | None) -> Known | None:
    if code is None:
        return None
    try:
        return Feeds().by_code(code)
    except Feed.DoesNotExist:
        known = ", ".join(Feed.objects.values_list("code", flat=True)[:20]) or "none yet"
        raise CommandError(f"There is no feed {code!r}. Known feeds: {known}.") from None


class _Progress:
    """A line now and then while there is much to do."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._began = self._told = time.monotonic()

    def __call__(self, report: Report) -> None:
        now = time.monotonic()
        if now - self._told < _PROGRESS_EVERY:
            return
        self._told = now
        ended = sum(report.counts.values())
        rate = ended / (now - self._began)
        self._write(f"{report.received} received, {ended} done ({rate:.0f} a second) …")


async def _keep_applying() -> None:
    """An applier beside the listener, in a process of its own; started again if it ends."""
    failures = 0
    while True:
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(settings.BASE_DIR / "manage.py"),
            "apply_hl7",
            f"--with-parent={os.getpid()}",
            start_new_session=True,  # a Ctrl-C is for the listener, which ends it in good order
        )
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            process.terminate()
            await process.wait()
            raise
        failures = 0 if time.monotonic() - began > 60 else failures + 1
        pause = _RESTART_PAUSES[min(failures, len(_RESTART_PAUSES)) - 1] if failures else 0.0
        log.error("the applier ended with status %d; starting it again in %.1f s", code, pause)
        await asyncio.sleep(pause)
