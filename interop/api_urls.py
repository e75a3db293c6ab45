"""Addresses of the part of the API that takes messages."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
