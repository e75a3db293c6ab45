"""Addresses of the boards."""

from __future__ import annotations

from django.urls import path

from flow import bedside, search, views

app_name = "flow"
urlpatterns = [
    path("", views.system, name="system"),
    path("start/", views.start, name="start"),
    path("sites/<str:code>/", views.site, name="site"),
    path("sites/<str:code>/to-check/", views.checks, name="site_checks"),
    path("to-check/", views.checks, name="checks"),
    path("wards/<path:code>/", views.ward, name="ward"),
    path("beds/<int:bed>/", bedside.bed, name="bed"),
    path("stays/<int:episode>/", bedside.stay, name="stay"),
    path("search/", search.search, name="search"),
    path("search/<slug:key>/", search.found, name="found"),
]
