"""Addresses of the pages of huddles."""

from __future__ import annotations

from django.urls import path

from huddles.actions import pages as actions

app_name = "huddles"
urlpatterns = [
    path("actions/", actions.actions, name="actions"),
]
