"""Addresses of the REST interface."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

app_name = "flow_api"
urlpatterns: list[URLPattern | URLResolver] = []
