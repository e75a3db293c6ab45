"""Addresses of the boards."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

app_name = "flow"
urlpatterns: list[URLPattern | URLResolver] = []
