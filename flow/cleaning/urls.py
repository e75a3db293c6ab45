"""Address of the list of beds to clean."""

from __future__ import annotations

from django.urls import path

from flow.cleaning import pages

app_name = "cleaning"
urlpatterns = [path("", pages.beds, name="beds")]
