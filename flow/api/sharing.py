"""Answers that are made once and given to everybody who may see the same.

Two things are remembered. The answer itself lies with the rendered boards (`live.shared`), by
the version of its board. And each process remembers what a request came to: the same address
asked with the same token leads to the same answer for as long as nobody's access has changed, so
the request need not be understood again. Programs that poll are answered that way.
"""

from __future__ import annotations

import hashlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from rest_framework.request import Request

from accounts.access import access_version
from accounts.models import ApiToken
from flow.api.lately import Lately
from flow.api.reading import TYPES, VARY, Reader, now
from flow.api.throttles import CallerThrottle
from live.shared import Rendered, rendered

KEPT: Final = 5.0
"""Seconds after which a request is understood anew in any case: so late can a ward's new code
be noticed."""

ROOM: Final = 1000
"""Requests that one process remembers."""


@dataclass(frozen=True, slots=True)
class Shared:
    """An answer to be shared.

    board: by whose version it is kept. variant: differs wherever two callers may see different
    things. ttl: seconds after which it is made anew, whatever the version. private: holds
    patients. form: json or csv. make: gives its bytes, asked at the given time.
    """

    board: str
    variant: Sequence[str]
    ttl: int
    private: bool
    form: str
    make: Callable[[datetime], bytes]

    @property
    def name(self) -> str:
        return "\n".join(("api", self.form, *self.variant))


@dataclass(frozen=True, slots=True)
class _Understood:
    """What a request with a token came to. access: the version of access under which it did.
    until: the clock's reading when it must be understood anew. expires: of the token."""

    answer: Shared
    token: int
    access: str
    until: float
    expires: datetime | None


_answers: Final[Lately[Rendered]] = Lately()
_access: Final[Lately[str | None]] = Lately()
_understood: Final[dict[bytes, _Understood]] = {}


def forget() -> None:
    """Understand every request anew, and look everything up."""
    _answers.forget()
    _access.forget()
    _understood.clear()


class SharedReader(Reader, ABC):
    """A view whose answers are shared."""

    @abstractmethod
    def share(self, request: Request, **place: Any) -> Shared:
        """What the request asks for, as this caller may see it. Raises problems."""

    def get(self, request: Request, **place: Any) -> HttpResponse:
        """The answer, or 304 to whoever has it already."""
        # Read before the caller is known, so that what is remembered is never too old.
        access = request._request.META.get(_ACCESS)
        asked = self.share(request, **place)
        token = request.auth
        if access is not None and isinstance(token, ApiToken):
            if len(_understood) >= ROOM:
                _understood.clear()
            until = time.monotonic() + KEPT
            _understood[_fingerprint(request._request)] = _Understood(
                asked, token.pk, access, until, token.expires_at
            )
        return _answer(request._request, asked)

    def dispatch(self, request: HttpRequest, *args: Any, **place: Any) -> HttpResponseBase:
        """Answer from memory what has been asked just so before; else understand it first."""
        if request.method == "GET" and "HTTP_AUTHORIZATION" in request.META:
            access = _access.get("", access_version)
            found = _understood.get(_fingerprint(request)) if access is not None else None
            if (
                found is not None
                and found.access == access
                and time.monotonic() < found.until
                and (found.expires is None or now() < found.expires)
                and CallerThrottle().admits("token", f"token:{found.token}")
            ):
                return _answer(request, found.answer)
            request.META[_ACCESS] = access
        return super().dispatch(request, *args, **place)


_ACCESS: Final = "flowboard.access"


def _fingerprint(request: HttpRequest) -> bytes:
    """Equal for two requests that are answered alike; holds no secret."""
    meta = request.META
    parts = (
        request.path_info,
        meta.get("QUERY_STRING", ""),
        meta.get("HTTP_ACCEPT", ""),
        meta.get("HTTP_AUTHORIZATION", ""),
    )
    return hashlib.blake2b("\n".join(parts).encode(errors="replace"), digest_size=16).digest()


def _answer(request: HttpRequest, asked: Shared) -> HttpResponse:
    name = asked.name

    def make() -> bytes:
        return asked.make(now())

    done = _answers.get(
        (asked.board, name),
        lambda: rendered(asked.board, name, make, asked.ttl, private=asked.private),
    )
    response: HttpResponse
    if _has(request.META.get("HTTP_IF_NONE_MATCH"), done.etag):
        response = HttpResponseNotModified()
    else:
        response = HttpResponse(done.body, content_type=TYPES[asked.form])
    response["ETag"] = done.etag
    response["Cache-Control"] = "private, no-cache"
    response["Vary"] = VARY
    return response


def _has(tags: str | None, etag: str) -> bool:
    """Whether the caller holds this answer; weak tags count, as RFC 9110 says of If-None-Match."""
    if not tags:
        return False
    if tags == etag:
        return True
    held = parse_etags(tags)
    return "*" in held or any(tag.removeprefix("W/") == etag for tag in held)
