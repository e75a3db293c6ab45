"""Ordinary requests."""

from __future__ import annotations

from django.core.wsgi import get_wsgi_application

from flowboard.start import prepare

prepare()
application = get_wsgi_application()
