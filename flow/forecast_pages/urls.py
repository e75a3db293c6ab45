"""Addresses of a site's forecast."""

from __future__ import annotations

from django.urls import path

from flow.forecast_pages import pages, scenarios

app_name = "forecast"
urlpatterns = [
    path("", pages.forecast, name="site"),
    path("accuracy/", pages.forecast, name="accuracy"),
    path("scenarios/", scenarios.scenarios, name="scenarios"),
    path("scenarios/<int:scenario>/", scenarios.one_scenario, name="scenario"),
]
