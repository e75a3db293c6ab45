"""Address of the discharge hub."""

from __future__ import annotations

from django.urls import path

from flow.hub import pages

app_name = "hub"
urlpatterns = [path("", pages.discharges, name="hub")]
