"""Addresses of the daily returns."""

from __future__ import annotations

from django.urls import path

from flow.returns import pages

app_name = "returns"
urlpatterns = [
    path("", pages.returns, name="list"),
    path("<slug:kind>/<str:organisation>/<str:day>/", pages.one_return, name="one"),
]
