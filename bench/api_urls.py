"""Flowboard's addresses and the bare view's."""

from __future__ import annotations

from bench import bare
from flowboard import urls

urlpatterns = [*bare.urlpatterns, *urls.urlpatterns]
