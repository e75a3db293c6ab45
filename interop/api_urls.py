"""Addresses of the feeds' REST interface."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

app_name = "interop_api"
urlpatterns: list[URLPattern | URLResolver] = []
