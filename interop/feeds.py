"""Which feed a message belongs to, by MSH-3 and MSH-4."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q

from accounts.models import Organisation
from interop.hl7v2.facts import Sender
from interop.hl7v2.header import Header
from interop.models import Feed

NO_SENDER: Final = "unknown"
"""Code of the feed of messages that do not say who sent them."""
_FRESH: Final = 5.0  # seconds for which the feeds are remembered
_LONGEST_CODE: Final = 60


class UnknownSender(Exception):
    """Nobody has set up a feed for this sender, and strangers are not let in."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the listener and the applier need to know of a feed."""

    id: int
    code: str
    name: str
    application: str
    facility: str
    is_recognised: bool
    organisation: int | None
    default_site: int | None
    sender: Sender

    def suits(self, application: str, facility: str) -> int:
        """How exactly the sender fits, 0 for not at all.

        A feed that a person set up takes patterns, of which an empty one means any; one made
        for a stranger takes that very sender, so that it does not matter who wrote first.
        """
        if (self.application, self.facility) == (application.casefold(), facility.casefold()):
            return 1000
        if not self.is_recognised or not (self.application or self.facility):
            return 0
        fits = all(
            not pattern or fnmatchcase(said.casefold(), pattern)
            for pattern, said in ((self.application, application), (self.facility, facility))
        )
        literal = sum(len(p.replace("*", "")) for p in (self.application, self.facility))
        return min(1 + literal, 999) if fits else 0


class Feeds:
    """The feeds as this process remembers them, for a few seconds."""

    def __init__(self) -> None:
        self._known: list[Known] = []
        self._read_at = float("-inf")
        self._found: dict[tuple[str, str], Known] = {}

    def forget(self) -> None:
        """Read them again when next asked."""
        self._read_at = float("-inf")

    def by_id(self, pk: int) -> Known:
        """The feed of that key."""
        self._refresh()
        for feed in self._known:
            if feed.id == pk:
                return feed
        self._read()
        return next(feed for feed in self._known if feed.id == pk)

    def by_code(self, code: str) -> Known:
        """The feed of that code. Raises Feed.DoesNotExist."""
        return self.by_id(Feed.objects.only("pk").get(code=code).pk)

    def of(self, header: Header | None) -> Known:
        """The feed of a sender; one is made for a sender not seen before.

        Raises UnknownSender where `HL7_STRANGERS` is set to refuse.
        """
        said = (header.sending_application, header.sending_facility) if header else ("", "")
        self._refresh()
        found = self._found.get(said)
        if found is None:
            found = self._found[said] = self._best(said) or self._stranger(*said)
        return found

    def nobody(self) -> Known:
        """The feed of what names no sender."""
        return self._best(("", "")) or self._make("", "", NO_SENDER, "Unknown sender")

    def _best(self, said: tuple[str, str]) -> Known | None:
        ranked = [(feed.suits(*said), feed) for feed in self._known]
        fitting = [(fit, feed) for fit, feed in ranked if fit]
        return max(fitting, key=lambda pair: (pair[0], pair[1].code))[1] if fitting else None

    def _stranger(self, application: str, facility: str) -> Known:
        if not application and not facility:
            return self.nobody()
        if getattr(settings, "HL7_STRANGERS", "accept") == "refuse":
            raise UnknownSender
        name = " at ".join(x for x in (application, facility) if x)
        return self._make(application, facility, code_for(application, facility), name)

    def _make(self, application: str, facility: str, code: str, name: str) -> Known:
        body = Organisation.objects.filter(
            Q(code__iexact=facility) | Q(code__iexact=application)
        ).order_by("pk")
        Feed.objects.bulk_create(
            [
                Feed(
                    code=code,
                    name=name[:200],
                    sending_application=application[:200],
                    sending_facility=facility[:200],
                    organisation=body.first(),
                    timezone=settings.TIME_ZONE,
                    is_recognised=False,
                )
            ],
            ignore_conflicts=True,
        )
        self._read()
        return next(feed for feed in self._known if feed.code == code)

    def _refresh(self) -> None:
        if time.monotonic() - self._read_at > _FRESH:
            self._read()

    def _read(self) -> None:
        self._known = [
            Known(
                id=feed.pk,
                code=feed.code,
                name=feed.name,
                application=feed.sending_application.casefold(),
                facility=feed.sending_facility.casefold(),
                is_recognised=feed.is_recognised,
                organisation=feed.organisation_id,
                default_site=feed.default_site_id,
                sender=Sender(feed.code, ZoneInfo(feed.timezone), feed.encoding),
            )
            for feed in Feed.objects.order_by("code")
        ]
        self._found = {}
        self._read_at = time.monotonic()


def code_for(application: str, facility: str) -> str:
    """The code of the feed made for a sender: its own words, as far as a code can hold them."""
    said = "-".join(x for x in (application, facility) if x)
    code = re.sub(r"[^A-Za-z0-9._-]+", "-", said).strip("-")
    plain = f"{application}-{facility}".strip("-")
    if code and code == plain and len(code) <= _LONGEST_CODE:
        return code
    stamp = hashlib.sha256(repr((application, facility)).encode()).hexdigest()[:8]
    return f"{code[: _LONGEST_CODE - 9]}-{stamp}".strip("-")
