"""The web process: event streams beside ordinary requests.

An event stream waits for hours and must cost no thread and no database connection, so `/live/`
is plain ASGI. Everything else is ordinary Django, run in a pool of threads; each thread keeps its
own database connection.
"""

from __future__ import annotations

from typing import Any, cast

from a2wsgi import WSGIMiddleware
from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope

from flowboard.start import prepare

ENV = prepare()

from flowboard.wsgi import application as django  # noqa: E402  (Django must be set up first)
from live.stream import event_streams as live  # noqa: E402

# Django's types say less of its WSGI callable than it does.
pages: Any = WSGIMiddleware(cast(Any, django), workers=ENV.web_threads)


async def _lifespan(receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


async def _route(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "http" and scope["path"].startswith("/live/"):
        await live(scope, receive, send)
    elif scope["type"] == "http":
        await pages(scope, receive, send)
    elif scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000, "reason": "no websockets here"})


application: ASGI3Application = _route
