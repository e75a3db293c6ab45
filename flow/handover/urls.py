"""Address of the handover."""

from __future__ import annotations

from django.urls import path

from flow.handover import pages

app_name = "handover"
urlpatterns = [
    path("sites/<str:code>/handover/", pages.handover, name="handover"),
]
