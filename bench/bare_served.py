"""A Django with nothing but the bare view, in the same threads under the same server."""

from __future__ import annotations

from typing import Any, cast

from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.core.wsgi import get_wsgi_application

from flowboard.start import prepare

ENV = prepare()
settings.configure(
    ROOT_URLCONF="bench.bare", MIDDLEWARE=[], ALLOWED_HOSTS=["*"], USE_TZ=True, SECRET_KEY="x" * 50
)
_pages: Any = WSGIMiddleware(cast(Any, get_wsgi_application()), workers=ENV.web_threads)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Every request to the pool of threads."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
    else:
        await _pages(scope, receive, send)
