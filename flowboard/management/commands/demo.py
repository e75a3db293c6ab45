"""Run all of Flowboard on this machine, over an invented hospital system that keeps moving."""

from __future__ import annotations

import os
import signal
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.utils import timezone

from flowboard import demo, demo_meetings, embedded
from flowboard.settings import ENV
from flowboard.supervise import Supervisor

DAYS: Final = 14


class Command(BaseCommand):
    """Prepares what is missing, then runs web, worker, HL7 listener, simulator and its staff."""

    help = (
        "Start Flowboard over an invented hospital system: its own PostgreSQL and Redis unless "
        "DATABASE_URL and REDIS_URL name yours, weeks of history, and messages that keep coming. "
        "PORT and MLLP_PORT choose the ports. Ctrl-C stops everything; data are kept."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """See `manage.py demo --help`."""
        parser.add_argument(
            "--days", type=int, default=DAYS, help=f"days of history to begin with (default {DAYS})"
        )

    def handle(self, **options: Any) -> None:
        """Raises CommandError with what to do if it cannot start."""
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            with ExitStack() as stack:
                stack.enter_context(demo.alone(ENV.home, ENV.port))
                demo.check_ports(("PORT", ENV.port), ("MLLP_PORT", ENV.mllp_port))
                if ENV.embedded:
                    self.say("starting PostgreSQL and Redis …")
                    stack.enter_context(embedded.join(ENV.home))
                self._run(options["days"])
        except (demo.CannotShow, embedded.CannotStart) as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            self.say("stopped")

    def say(self, line: str) -> None:
        """Tell how far it is."""
        print(f"flowboard | {line}", flush=True)

    def _run(self, days: int) -> None:
        environment = {
            **os.environ,
            "DATABASE_URL": ENV.database_url,
            "REDIS_URL": ENV.redis_url,
            # What is sent by e-mail lies there, to be looked at.
            "MAIL_URL": os.environ.get("MAIL_URL", f"file://{ENV.home / 'mail'}"),
            "PUBLIC_ADDRESS": os.environ.get("PUBLIC_ADDRESS", f"http://127.0.0.1:{ENV.port}"),
            "LOG_FORMAT": os.environ.get("LOG_FORMAT", "text"),
            "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
            "PYTHONUNBUFFERED": "1",
            # Numbers are worked out in several programs at once; each has one thread for it.
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        }
        self.say("preparing the database …")
        demo.migrate()
        preparation = demo.Preparation(ENV.home, environment, self.say, days=days)
        if not preparation.is_done():
            preparation.do(timezone.now())
        connections.close_all()
        supervisor = Supervisor(
            demo.programs(
                bind=ENV.bind,
                port=ENV.port,
                mllp_port=ENV.mllp_port,
                home=ENV.home,
                state=preparation.state,
            ),
            folder=demo.BASE,
            environment=environment,
            out=sys.stdout,
        )

        def started() -> None:
            try:
                found = demo.make_accounts(ENV.home)
                demo_meetings.hold_the_last(
                    at=timezone.now(), chair="bed.manager", speaker="northmoor.staff"
                )
            finally:
                connections.close_all()
            address = f"http://127.0.0.1:{ENV.port}"
            if not _answers(f"{address}/health/live"):
                return
            supervisor.announce(
                f"""
Flowboard runs at {address}/

  Bed manager:            bed.manager / {found.bed_manager}
  Site manager:           site.manager / {found.site_manager}
  Ward nurse:             ward.nurse / {found.ward_nurse}
  Domestic staff:         cleaner / {found.cleaner}
  Discharge coordinator:  coordinator / {found.coordinator}
  Council's social work:  social.work / {found.social_work}
  Community provider:     community / {found.community}
  Neighbourhood team:     neighbourhood / {found.neighbourhood}
  Administrator:          administrator / {found.administrator}

API token: {found.api_token}

REST is described at {address}/api/v1/docs/ and HL7 v2 is received at 127.0.0.1:{ENV.mllp_port}.
Ctrl-C stops everything; the data are kept in {ENV.home}.
"""
            )

        supervisor.run(started)


def _answers(url: str, within: float = 60.0) -> bool:
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 (an address of our own)
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    return False
