"""Addresses of running a ward."""

from __future__ import annotations

from django.urls import path

from flow.running import closing, limits, pages

app_name = "running"
urlpatterns = [
    path("sites/<str:code>/staffing/", pages.staffing, name="staffing"),
    path("limits/<int:ward>/", limits.limits, name="limits"),
    path("closing/<int:ward>/", closing.closing, name="closing"),
]
