"""`manage.py apply_hl7`: applies received HL7 messages as they come in."""

from __future__ import annotations

import os
import signal
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from interop.running import apply_forever


class Command(BaseCommand):
    """Any number of these may run beside each other; `receive_hl7 --listen` starts one itself."""

    help = "Apply received HL7 messages as they come in, until interrupted."
    requires_system_checks: list[str] = []  # they load every page; a listener shows none

    def add_arguments(self, parser: CommandParser) -> None:
        """One option, for the listener that starts it."""
        parser.add_argument(
            "--with-parent",
            type=int,
            metavar="PID",
            help="end when that process, which started this one, has ended",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or SIGINT; the batch at hand is finished first."""
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        # Named by the parent: by the time this runs it may be gone already.
        parent = options["with_parent"]
        apply_forever(
            stop=stop,
            now=timezone.now,
            goes_on=lambda: parent is None or os.getppid() == parent,
        )
