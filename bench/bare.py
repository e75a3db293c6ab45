"""The least that a Django view can do: bytes from memory, and 304 to whoever has them."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.urls import path


@cache
def _answer(name: str) -> tuple[bytes, str]:
    body = (Path(os.environ["BENCH_ANSWERS"]) / name).read_bytes()
    return body, f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'


def bare(request: HttpRequest, name: str) -> HttpResponse:
    """The answer of this name."""
    body, tag = _answer(name)
    if request.META.get("HTTP_IF_NONE_MATCH") == tag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(body, content_type="application/json")
        response["Content-Length"] = str(len(body))
    response["ETag"] = tag
    return response


bare.login_required = False  # type: ignore[attr-defined]
urlpatterns = [path("bare/<str:name>/", bare)]
