"""Addresses of the desk."""

from __future__ import annotations

from django.urls import path

from flow.desk import drawer, pages, proposal

app_name = "desk"
urlpatterns = [
    path("sites/<str:code>/desk/", pages.desk, name="desk"),
    path("sites/<str:code>/desk/proposal/", proposal.proposal, name="proposal"),
    path("requests/<int:key>/", drawer.request_for_bed, name="request"),
]
