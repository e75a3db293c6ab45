"""Addresses of a site's forecast."""

from __future__ import annotations

from django.urls import path

from flow.forecast_pages import pages

app_name = "forecast"
urlpatterns = [
    path("", pages.forecast, name="site"),
    path("accuracy/", pages.forecast, name="accuracy"),
    path("scenarios/", pages.forecast, name="scenarios"),
]
