"""Addresses of the health checks."""

from __future__ import annotations

from django.urls import path

from flowboard import health

urlpatterns = [
    path("live", health.live, name="health_live"),
    path("ready", health.ready, name="health_ready"),
]
