"""Addresses of the part of the API that takes messages."""

from __future__ import annotations

from django.urls import path

from interop.api import ReceiveHl7

urlpatterns = [path("hl7v2/", ReceiveHl7.as_view(), name="hl7v2")]
