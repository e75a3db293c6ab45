"""Errors as problem details (RFC 9457): what went wrong and what to do about it."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import set_rollback

log = logging.getLogger("flow.api")

TYPES: Final[Mapping[str, str]] = {
    "unknown-parameter": "The address carries a parameter that this part does not know.",
    "invalid-parameter": "A parameter or field has a value that cannot be used.",
    "ambiguous-ward": "Several sites have a ward of this code; name the site as well.",
    "unauthenticated": "A token is missing, or does not open anything.",
    "insufficient-scope": "The token is good, but was not made for this.",
    "refused": "It cannot be done as things stand; the detail says why.",
    "unsuitable": "Rules forbid the bed; `rules` says which, `may_override` whether you may say "
    "why it is right all the same.",
    "already-known": "The number belongs to `record`, somebody known; send it as `confirmed` if "
    "it is them.",
    "same-name": "People of this name and date of birth are in hospital; send `records` as "
    "`others` if this is another person.",
    "not-found": "Nothing of this name, or nothing you may see.",
    "throttled": "Too many requests; wait as long as Retry-After says.",
    "unavailable": "The database is away for the moment; ask again.",
}
"""The kinds of problem that have a name of their own; listed at /api/v1/problems/."""


class ProblemRenderer(JSONRenderer):
    """JSON under the media type of problem details."""

    media_type = "application/problem+json"


class ApiProblem(exceptions.APIException):
    """A problem of a named kind; `detail` says what to do, `errors` what is wrong with each,
    `more` what else a program needs to know."""

    def __init__(
        self,
        kind: str,
        status: HTTPStatus,
        detail: str,
        *,
        errors: Mapping[str, list[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind, self.status_code = kind, status.value
        self.errors, self.headers, self.more = errors, dict(headers or {}), dict(more or {})


def invalid(errors: Mapping[str, str], *, kind: str = "invalid-parameter") -> ApiProblem:
    """400: these parameters or fields are wrong, for these reasons."""
    return ApiProblem(
        kind,
        HTTPStatus.BAD_REQUEST,
        " ".join(errors.values()),
        errors={name: [reason] for name, reason in errors.items()},
    )


def missing(what: str) -> ApiProblem:
    """404: there is no such thing, or it is out of the caller's sight; both look the same."""
    return ApiProblem(
        "not-found", HTTPStatus.NOT_FOUND, f"There is no {what}, or you may not see it."
    )


def handler(error: Exception, context: Mapping[str, Any]) -> Response:
    """The answer to whatever a view of the API raised; for Django REST framework's settings."""
    set_rollback()
    view, request = context.get("view"), context.get("request")
    if isinstance(error, Http404):
        error = ApiProblem("not-found", HTTPStatus.NOT_FOUND, "There is nothing at this address.")
    elif isinstance(error, DjangoPermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, RequestDataTooBig):
        error = ApiProblem(
            "", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large; send less at once."
        )
    elif isinstance(error, SuspiciousOperation | UnreadablePostError):
        error = ApiProblem(
            "", HTTPStatus.BAD_REQUEST, "The request could not be read; send it again."
        )
    elif isinstance(error, (OperationalError, InterfaceError)):
        log.warning("database away", exc_info=error)
        error = ApiProblem(
            "unavailable",
            HTTPStatus.SERVICE_UNAVAILABLE,
            "The database does not answer. Nothing was changed; ask again in a few seconds.",
            headers={"Retry-After": "5"},
        )
    elif not isinstance(error, exceptions.APIException):
        log.error("request failed", exc_info=error, extra={"view": type(view).__name__})
        error = ApiProblem(
            "",
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "The server failed. Quote the X-Request-ID of this answer to whoever runs it.",
        )
    response = Response(
        _document(error), status=error.status_code, headers=_headers(error, context)
    )
    # The problem is told as JSON whatever the caller asked to read.
    if request is not None:
        request.accepted_renderer = ProblemRenderer()
        request.accepted_media_type = ProblemRenderer.media_type
    return response


def document(
    status: int,
    detail: str,
    *,
    kind: str = "",
    errors: Mapping[str, list[str]] | None = None,
) -> dict[str, object]:
    """A problem document."""
    told: dict[str, object] = {
        "type": f"/api/v1/problems/#{kind}" if kind else "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        told["errors"] = errors
    return told


def _document(error: exceptions.APIException) -> dict[str, object]:
    if isinstance(error, ApiProblem):
        told = document(error.status_code, str(error.detail), kind=error.kind, errors=error.errors)
        return told | error.more
    if isinstance(error, exceptions.Throttled):
        return document(
            429, f"Too many requests. Ask again in {_seconds(error)} seconds.", kind="throttled"
        )
    kind = {401: "unauthenticated", 400: "invalid-parameter"}.get(error.status_code, "")
    if error.get_codes() == "insufficient_scope":
        kind = "insufficient-scope"
    if isinstance(error, exceptions.ValidationError):
        errors = _errors(error.detail)
        detail = " ".join(reason for reasons in errors.values() for reason in reasons)
        return document(400, detail, kind=kind, errors=errors)
    if isinstance(error, exceptions.NotAuthenticated):
        detail = "Send a token as `Authorization: Bearer …`; an administrator can make you one."
        return document(401, detail, kind=kind)
    return document(error.status_code, str(error.detail), kind=kind)


WHOLE: Final = "body"
"""The name under which stands what is wrong with a body as a whole."""


def _errors(detail: Any) -> dict[str, list[str]]:
    """Reasons by field, `body` for those of the whole, from however they are nested."""
    if isinstance(detail, Mapping):
        return {
            str(name): [reason for reasons in _errors(inner).values() for reason in reasons]
            for name, inner in detail.items()
        }
    if isinstance(detail, list | tuple):
        return {WHOLE: [str(reason) for reason in detail]}
    return {WHOLE: [str(detail)]}


def _seconds(error: exceptions.Throttled) -> int:
    return max(1, math.ceil(getattr(error, "wait", None) or 1))


def _headers(error: exceptions.APIException, context: Mapping[str, Any]) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, ApiProblem):
        headers |= error.headers
    if isinstance(error, exceptions.Throttled):
        headers["Retry-After"] = str(_seconds(error))
    if error.status_code == HTTPStatus.UNAUTHORIZED:
        challenge = getattr(error, "auth_header", None)
        if challenge:
            headers["WWW-Authenticate"] = challenge
    return headers
