"""What the reading views of the API have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.api_auth import HasScope
from accounts.models import ApiToken
from accounts.tokens import TokenScope
from flow.api.bodies import Json
from flow.api.filters import Filters
from flow.api.formats import RENDERERS, Negotiation, Row, as_csv, as_json
from flow.api.params import Params
from flow.api.throttles import CallerThrottle
from flow.board_types import Sight
from wards.scope import Scope, scope_of

VARY: Final = "Accept, Authorization, Cookie"
TYPES: Final = {"json": "application/json", "csv": "text/csv; charset=utf-8"}


class Reader(APIView):
    """A view that reads. `needs`: the scope a token must have, `or_needs` another that will do.
    `known`: its query parameters."""

    needs: ClassVar[TokenScope]
    or_needs: ClassVar[tuple[TokenScope, ...]] = ()
    known: ClassVar[frozenset[str]] = frozenset()
    parser_classes = (Json,)
    renderer_classes = RENDERERS
    content_negotiation_class = Negotiation
    throttle_classes = (CallerThrottle,)

    def __init_subclass__(cls) -> None:
        """Somebody must be signed in and, by a token, have the scope."""
        if "needs" in cls.__dict__:
            cls.permission_classes = (HasScope(cls.needs, *cls.or_needs),)

    def params(self, request: Request, *, now: datetime) -> Params:
        """The query parameters; raises a 400 problem for an unknown one."""
        return Params.of(request._request.GET, known=self.known, now=now)


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
        return Sight(counts=seen.counts, counts_held=seen.counts_held)
    return seen


def filters_of(request: Request, params: Params) -> Filters:
    """The codes that the parameters name, as far as the caller may know of them."""
    return Filters(params, scope(request), sight(request))


def form_of(request: Request) -> str:
    """The format agreed on: `json` or `csv`."""
    form: str = request.accepted_renderer.format
    return form


def written(
    form: str, answer: Mapping[str, Any], *, rows: Callable[[], Iterable[Row]] | None = None
) -> bytes:
    """The answer in a format; as CSV its `rows` (its `results`, if not given)."""
    if form != "csv":
        return as_json(answer)
    return as_csv(rows() if rows else answer["results"])


def answered(
    request: Request, body: bytes, *, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """An answer that nobody may keep, since it can name patients."""
    response = HttpResponse(body, content_type=TYPES[form_of(request)])
    response["Cache-Control"] = "private, no-store"
    response["Vary"] = VARY
    for name, value in (headers or {}).items():
        response[name] = value
    return response
