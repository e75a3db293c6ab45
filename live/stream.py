"""`GET /live/events?boards=ward:12,system`: the event stream, a plain ASGI application.

It stands beside Django, not in it: a stream is authorised once, in a thread whose database
connections are closed before the first byte is sent, and then lives on memory alone.

Events: `ring` with a board's name; `beat` with the server's time in milliseconds and `live` or
`deaf` (Redis away: rings are not heard); `catchup` after news may have been missed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope
from django.conf import settings
from django.db import connections
from django.utils.module_loading import import_string

from live.connection import channel
from live.doorbell import is_board_name
from live.hub import Hub, Stream

PATH = "/live/events"
MOST_BOARDS = 200
MOST_STREAMS = 5000


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as far as HTTP says: what an authoriser decides by."""

    cookies: Mapping[str, str]
    headers: Mapping[str, str]
    query: Mapping[str, str]


Authorise = Callable[[Caller, frozenset[str]], frozenset[str] | None]
"""Which of the boards the caller may hear of; None where nobody is signed in. It may use the
database: it runs in a thread, and its connections are closed when it is done."""


class Refusal(Exception):
    """The stream is not opened, and why."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


class EventStreams:
    """The ASGI application; one per process."""

    def __init__(self, authorise: Authorise | None = None) -> None:
        self._authorise = authorise
        self.hub = Hub(lambda: str(settings.REDIS_URL), channel)
        # Few threads: a thousand screens that come back at once must not take every connection.
        self._doormen = ThreadPoolExecutor(max_workers=4, thread_name_prefix="live-authorise")

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise ValueError(f"event streams speak HTTP, not {scope['type']}")
        try:
            boards = await self._boards(scope)
        except Refusal as refusal:
            await _answer(send, refusal)
            return
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [
                    (b"content-type", b"text/event-stream; charset=utf-8"),
                    (b"cache-control", b"no-store"),
                    (b"x-accel-buffering", b"no"),
                ],
                "trailers": False,
            }
        )

        def say(news: bytes, more: bool) -> Awaitable[None]:
            return send({"type": "http.response.body", "body": news, "more_body": more})

        async def gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        stream = Stream(boards, say)
        # Each client its own pause, so that they do not all come back in the same moment.
        stream.tell(f"retry: {random.randint(500, 2500)}\n\n".encode())
        self.hub.join(stream)
        try:
            await stream.speak_until(gone())
        finally:
            self.hub.leave(stream)

    async def _boards(self, scope: HTTPScope) -> frozenset[str]:
        """The boards that this caller will hear of."""
        if scope["path"] != PATH:
            raise Refusal(HTTPStatus.NOT_FOUND, f"There is one event stream: {PATH}")
        if scope["method"] != "GET":
            raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "Use GET")
        caller = _caller(scope)
        wanted = frozenset(filter(None, caller.query.get("boards", "").split(",")))
        if not wanted or len(wanted) > MOST_BOARDS or not all(map(is_board_name, wanted)):
            raise Refusal(
                HTTPStatus.BAD_REQUEST,
                f"Name 1 to {MOST_BOARDS} boards, as in {PATH}?boards=ward:12,system",
            )
        if len(self.hub) >= MOST_STREAMS:
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "Too many screens; try another server")
        allowed = await asyncio.get_running_loop().run_in_executor(
            self._doormen, self._decided, caller, wanted
        )
        if allowed is None:
            raise Refusal(HTTPStatus.UNAUTHORIZED, "Sign in first")
        if not allowed:
            raise Refusal(HTTPStatus.FORBIDDEN, "You may see none of these boards")
        return allowed & wanted

    def _decided(self, caller: Caller, wanted: frozenset[str]) -> frozenset[str] | None:
        try:
            if self._authorise is None:
                self._authorise = import_string(settings.LIVE_AUTHORISER)
            return self._authorise(caller, wanted)
        finally:
            connections.close_all()


def _caller(scope: HTTPScope) -> Caller:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    cookies: dict[str, str] = {}
    try:
        parsed = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        pass
    else:
        cookies = {name: morsel.value for name, morsel in parsed.items()}
    query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    return Caller(cookies, headers, query)


async def _answer(send: ASGISendCallable, refusal: Refusal) -> None:
    body = f"{refusal.text}.\n".encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if refusal.status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append((b"allow", b"GET"))
    if refusal.status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append((b"retry-after", b"5"))
    await send(
        {
            "type": "http.response.start",
            "status": int(refusal.status),
            "headers": headers,
            "trailers": False,
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})


event_streams = EventStreams()
