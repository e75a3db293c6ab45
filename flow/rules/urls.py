"""Address of the rules by which beds are given."""

from __future__ import annotations

from django.urls import path

from flow.rules import pages

app_name = "rules"
urlpatterns = [path("", pages.rules, name="rules")]
