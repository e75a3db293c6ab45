"""Addresses of the pages on which people look after wall screens."""

from __future__ import annotations

from django.urls import path

from huddles.screens import managing

app_name = "screens"
urlpatterns = [
    path("", managing.screens, name="list"),
    path("pair/", managing.pair_screen, name="pair"),
    path("<int:pk>/", managing.one, name="one"),
    path("<int:pk>/revoke/", managing.revoke_one, name="revoke"),
    path("<int:pk>/preview/<int:number>/", managing.preview, name="preview"),
]
