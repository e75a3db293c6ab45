"""Secrets that programs carry: making them, recognising them, taking them back."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import pghistory
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.access import MEMORY, access_changed, access_version
from accounts.audit import deed
from accounts.models import ApiToken, User
from accounts.refusals import Refused

START: Final = "flow_"
"""How every secret begins, so that a scanner for leaked secrets can find one."""

USED_EVERY: Final = timedelta(minutes=1)
"""How exactly `last_used_at` is kept."""

ROOM: Final = 10_000
"""Tokens that one process remembers."""

_SHAPE = re.compile(re.escape(START) + r"[A-Za-z0-9_-]{43}")


class TokenScope(StrEnum):
    """One thing a program may do; where it may do it follows from the grants of its user."""

    OCCUPANCY_READ = "occupancy:read"
    PLACES_READ = "places:read"
    BEDS_READ = "beds:read"
    BEDS_WRITE = "beds:write"
    EPISODES_READ = "episodes:read"
    WAITS_READ = "waits:read"
    WAITS_WRITE = "waits:write"
    RETURNS_WRITE = "returns:write"
    HUDDLES_READ = "huddles:read"
    HUDDLES_WRITE = "huddles:write"
    HL7_WRITE = "hl7:write"


SCOPE_LABELS: Final[dict[TokenScope, str]] = {
    TokenScope.OCCUPANCY_READ: "Read counts of beds and patients",
    TokenScope.PLACES_READ: "Read organisations, sites, wards and beds",
    TokenScope.BEDS_READ: "Read beds and the state each is in, who needs one, and which suit",
    TokenScope.BEDS_WRITE: "Close and clean beds, ask for, hold and give them, move patients",
    TokenScope.EPISODES_READ: "Read patients and their stays",
    TokenScope.WAITS_READ: "Read what discharges wait for and whose wait it is, cohorts in figures",
    TokenScope.WAITS_WRITE: "Record board rounds and barriers to discharge",
    TokenScope.RETURNS_WRITE: "Sign daily returns",
    TokenScope.HUDDLES_READ: "Read huddles, what was agreed, and escalation levels",
    TokenScope.HUDDLES_WRITE: "Record what was agreed, and values of escalation parameters",
    TokenScope.HL7_WRITE: "Send HL7 v2 messages",
}


class TokenRefused(Exception):
    """The secret does not open anything; `reason` says why to whoever holds it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@transaction.atomic
def issue(
    user: User,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
    *,
    by: User | None = None,
) -> tuple[ApiToken, str]:
    """Make a token for `user`; the token and its secret, which cannot be had again.

    Raises Refused for a missing or long name, no scope or an unknown one, or a user who is not
    active; ValueError for a time without zone.
    """
    name = name.strip()
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in SCOPE_LABELS]
    if not name or len(name) > 100:
        raise Refused("Give the token a name of 1 to 100 characters that says who uses it.")
    if unknown or not wanted:
        allowed = ", ".join(SCOPE_LABELS)
        what = f"“{unknown[0]}” is not a scope" if unknown else "A token needs a scope"
        raise Refused(f"{what}; use one or more of {allowed}.")
    if not user.is_active:
        raise Refused(f"{user} is deactivated; activate the account first.")
    if expires_at is not None and timezone.is_naive(expires_at):
        raise ValueError("a time needs its zone")
    secret = START + secrets.token_urlsafe(32)
    with pghistory.context(**deed("issue_token", by)):
        token = ApiToken.objects.create(
            user=user,
            name=name,
            digest=digest_of(secret),
            prefix=secret[:12],
            scopes=wanted,
            expires_at=expires_at,
        )
    return token, secret


@transaction.atomic
def revoke(*, token: ApiToken, at: datetime, by: User | None) -> None:
    """Take a token back. From the commit on it is refused everywhere; twice is once."""
    with pghistory.context(**deed("revoke_token", by)):
        ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=at)
    access_changed()


def verify(secret: str, at: datetime) -> ApiToken | None:
    """The token that `secret` opens at `at`, with its user; None when it opens nothing."""
    try:
        return recognise(secret, at)
    except TokenRefused:
        return None


def recognise(secret: str, at: datetime) -> ApiToken:
    """The token that `secret` opens at `at`, with its user.

    A token asked for lately costs one word from Redis and no query, once a minute one update.
    Token and user are shared by every request of this process: read them, do not change them.
    Raises TokenRefused with the reason.
    """
    if not _SHAPE.fullmatch(secret):
        raise TokenRefused(f"This is not a token of Flowboard's; one starts with {START}.")
    digest = digest_of(secret)
    version = access_version()
    known = _memory.get(digest, version)
    if known is None:
        known = _read(digest)
        if version is not None:
            _memory.put(digest, version, known)
    token = known.token
    if token.revoked_at is not None:
        raise TokenRefused("This token was revoked; ask an administrator for another.")
    if token.expires_at is not None and token.expires_at <= at:
        raise TokenRefused("This token has expired; ask an administrator for another.")
    if not token.user.is_active:
        raise TokenRefused("The account of this token is deactivated.")
    if known.used_at is None or at - known.used_at >= USED_EVERY:
        known.used_at = at
        _note_use(token, at)
    return token


def digest_of(secret: str) -> str:
    """What is kept of a secret. It has 256 random bits, so one plain SHA-256 is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(slots=True)
class _Known:
    token: ApiToken
    used_at: datetime | None


def _read(digest: str) -> _Known:
    token = ApiToken.objects.select_related("user").filter(digest=digest).first()
    if token is None or not hmac.compare_digest(token.digest, digest):
        raise TokenRefused("This token is not known here; it may have been mistyped or removed.")
    return _Known(token, token.last_used_at)


def _note_use(token: ApiToken, at: datetime) -> None:
    """Several processes note the use of one token; the condition keeps it to one a minute."""
    stale = Q(last_used_at=None) | Q(last_used_at__lte=at - USED_EVERY)
    ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=at)


class _Memory:
    """Tokens by digest, each good while the access version it was read under still stands."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, tuple[str, float, _Known]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, digest: str, version: str | None) -> _Known | None:
        with self._lock:
            found = self._entries.get(digest)
            if found is None or found[0] != version or found[1] <= time.monotonic():
                return None
            self._entries.move_to_end(digest)
            return found[2]

    def put(self, digest: str, version: str, known: _Known) -> None:
        with self._lock:
            self._entries[digest] = (version, time.monotonic() + MEMORY, known)
            self._entries.move_to_end(digest)
            while len(self._entries) > ROOM:
                self._entries.popitem(last=False)


_memory = _Memory()
