"""Addresses of a site's forecast."""

from __future__ import annotations

from django.urls import path

from flow.forecast_pages import accuracy, pages, scenarios

app_name = "forecast"
urlpatterns = [
    path("", pages.forecast, name="site"),
    path("accuracy/", accuracy.accuracy, name="accuracy"),
    path("scenarios/", scenarios.scenarios, name="scenarios"),
    path("scenarios/<int:scenario>/", scenarios.one_scenario, name="scenario"),
]
