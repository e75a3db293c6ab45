"""What the reading views of the API have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

from django.http import HttpResponse, HttpResponseNotModified
from django.utils import timezone
from django.utils.http import parse_etags
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.api_auth import HasScope
from accounts.models import ApiToken
from accounts.tokens import TokenScope
from flow.api.formats import RENDERERS, Negotiation, Row, as_csv, as_json
from flow.api.lately import Lately, SteadyBearer
from flow.api.params import Params
from flow.api.throttles import CallerThrottle
from flow.board_types import Sight
from live.shared import Rendered, rendered
from wards.scope import Scope, scope_of

_answers: Final[Lately[Rendered]] = Lately()

_VARY: Final = "Authorization, Cookie"  # the framework adds Accept
_TYPES: Final = {"json": "application/json", "csv": "text/csv; charset=utf-8"}


class Reader(APIView):
    """A view that reads. `needs`: the scope a token must have. `known`: its query parameters."""

    needs: ClassVar[TokenScope]
    known: ClassVar[frozenset[str]] = frozenset()
    authentication_classes = (SteadyBearer, SessionAuthentication)
    renderer_classes = RENDERERS
    content_negotiation_class = Negotiation
    throttle_classes = (CallerThrottle,)

    def __init_subclass__(cls) -> None:
        """Somebody must be signed in and, by a token, have the scope."""
        if "needs" in cls.__dict__:
            cls.permission_classes = (HasScope(cls.needs),)

    def params(self, request: Request, *, now: datetime) -> Params:
        """The query parameters; raises a 400 problem for an unknown one."""
        return Params.of(request._request.GET, known=self.known, now=now)


def forget() -> None:
    """Answer nobody from what was looked up a moment ago."""
    _answers.forget()
    SteadyBearer.forget()


def now() -> datetime:
    """The moment of the request: the one clock that the API reads."""
    return timezone.now()


def scope(request: Request) -> Scope:
    """Where the caller may do what."""
    return scope_of(request.user)


def sight(request: Request) -> Sight:
    """What the caller may see; patients only with a token made for reading episodes."""
    seen = Sight.of(scope(request))
    token = request.auth
    if isinstance(token, ApiToken) and TokenScope.EPISODES_READ not in token.scopes:
        return Sight(counts=seen.counts)
    return seen


def written(
    request: Request,
    answer: Mapping[str, Any],
    *,
    rows: Callable[[], Iterable[Row]] | None = None,
) -> bytes:
    """The answer in the format agreed on; as CSV its `rows` (its `results`, if not given)."""
    if request.accepted_renderer.format != "csv":
        return as_json(answer)
    return as_csv(rows() if rows else answer["results"])


def answered(
    request: Request, body: bytes, *, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """An answer that nobody may keep without asking again, since it can name patients."""
    response = HttpResponse(body, content_type=_TYPES[request.accepted_renderer.format])
    response["Cache-Control"] = "private, no-store"
    response["Vary"] = _VARY
    for name, value in (headers or {}).items():
        response[name] = value
    return response


def shared(
    request: Request,
    board: str,
    variant: Sequence[str],
    render: Callable[[], bytes],
    *,
    ttl: int,
    private: bool,
) -> HttpResponse:
    """What everybody who may see the same is given, made once for each version of the board.

    With `If-None-Match` of what the caller has already: 304 and no body.
    """
    form = request.accepted_renderer.format
    name = "\n".join(("api", form, *variant))
    done = _answers.get((board, name), lambda: rendered(board, name, render, ttl, private=private))
    response = _unchanged(request, done) or HttpResponse(done.body, content_type=_TYPES[form])
    response["ETag"] = done.etag
    response["Cache-Control"] = "private, no-cache"
    response["Vary"] = _VARY
    return response


def _unchanged(request: Request, done: Rendered) -> HttpResponse | None:
    asked = request._request.META.get("HTTP_IF_NONE_MATCH")
    if not asked:
        return None
    tags = parse_etags(asked)
    if "*" in tags or any(tag.removeprefix("W/") == done.etag for tag in tags):
        return HttpResponseNotModified()
    return None
