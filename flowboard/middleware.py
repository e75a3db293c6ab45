"""What happens around every request: its log line, its headers, and who is written in the audit."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import pghistory
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from pghistory.middleware import HistoryMiddleware

from flow.api.problems import document
from flowboard.logs import request_id

Respond = Callable[[HttpRequest], HttpResponseBase]
log = logging.getLogger("flowboard.request")

_GIVEN_ID: Final = re.compile(r"[A-Za-z0-9-]{8,64}")
_QUIET: Final = ("health/live", "health/ready")
CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "style-src 'self' 'unsafe-inline'",  # charts set sizes and colours on their own elements
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


def route(request: HttpRequest) -> str:
    """The pattern that the request's address matched: where, without whom."""
    match = request.resolver_match
    return match.route if match else ""


class RequestLog:
    """One line a request: method, route, status, milliseconds, user. Never address or body.

    The request's id comes from the proxy's `X-Request-ID` or is drawn, stands in every log line
    written meanwhile, and goes back in the answer, so that a person can quote it.
    """

    def __init__(self, get_response: Respond) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request and write its line."""
        given = request.headers.get("X-Request-ID", "")
        identifier = given if _GIVEN_ID.fullmatch(given) else uuid.uuid4().hex
        token = request_id.set(identifier)
        started = time.perf_counter()
        try:
            response = self._get_response(request)
            self._write(request, response, (time.perf_counter() - started) * 1000)
        finally:
            request_id.reset(token)
        response["X-Request-ID"] = identifier
        return response

    def _write(self, request: HttpRequest, response: HttpResponseBase, took: float) -> None:
        where = route(request)
        if where in _QUIET or request.path.startswith("/static/"):
            return
        level = logging.WARNING if response.status_code >= 500 else logging.INFO
        # Only a user the view has already fetched; the log asks the database nothing.
        user = getattr(request, "_cached_user", None)
        log.log(
            level,
            "request",
            extra={
                "method": request.method,
                "route": where or "no route",
                "status": response.status_code,
                "ms": round(took, 1),
                "user": getattr(user, "pk", None),
            },
        )


class StorableText:
    """Stops text that the database cannot hold before a query fails on it.

    Nothing is at an address with a null character (404). A form that claims another character
    set than UTF-8 is refused (400): in some of them half of a surrogate pair can be written.
    What is typed into a field is for its form to judge, and a query for whoever reads it.
    """

    def __init__(self, get_response: Respond) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, or let the request pass."""
        if "\0" in request.path_info:
            reason = "The address holds a null character; write it without."
            return _told(request, HTTPStatus.NOT_FOUND, reason)
        if request.content_type == "multipart/form-data" and not _is_utf8(request):
            reason = "The form claims another character set than UTF-8; send it in UTF-8."
            return _told(request, HTTPStatus.BAD_REQUEST, reason)
        return self._get_response(request)


def _told(request: HttpRequest, status: HTTPStatus, reason: str) -> HttpResponse:
    """The reason, to a program as a problem document; nobody is signed in yet for a page."""
    if not request.path_info.startswith("/api/"):
        return HttpResponse(reason, status=status, content_type="text/plain; charset=utf-8")
    problem = document(status, reason)
    return JsonResponse(problem, status=status, content_type="application/problem+json")


def _is_utf8(request: HttpRequest) -> bool:
    claimed = (request.content_params or {}).get("charset", "utf-8")
    return claimed.strip("\"' ").lower() in ("utf-8", "utf8", "us-ascii", "ascii", "")


class ContentSecurity:
    """Forbids a page to load or send anything elsewhere, whatever gets into its text."""

    def __init__(self, get_response: Respond) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Add the policy to the answer unless the view has set its own."""
        response = self._get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        return response


class AuditContext(HistoryMiddleware):
    """Who changed something and through which door, kept beside every change of a clinical row.

    The door is the route's pattern (`wards/<path:code>/`), which holds no identifier.
    """

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        """What is known before the view is chosen."""
        return {"user": request.user.pk, "request": request_id.get()}

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> None:
        """Add the door once it is known."""
        if getattr(pghistory.runtime._tracker, "value", None) is not None:
            pghistory.context(where=f"{request.method} {route(request)}")
