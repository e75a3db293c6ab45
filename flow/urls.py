"""Addresses of the boards."""

from __future__ import annotations

from django.urls import path

from flow import barrier_drawer, bedside, rounds, search, views, work

app_name = "flow"
urlpatterns = [
    path("", views.system, name="system"),
    path("start/", views.start, name="start"),
    path("sites/<str:code>/", views.site, name="site"),
    path("sites/<str:code>/to-check/", views.checks, name="site_checks"),
    path("to-check/", views.checks, name="checks"),
    path("wards/<path:code>/", views.ward, name="ward"),
    path("rounds/<path:code>/", rounds.board_round, name="round"),
    path("barriers/<int:barrier>/", barrier_drawer.barrier, name="barrier"),
    path("work/", work.work, name="work"),
    path("work/<str:organisation>/", work.organisation_work, name="organisation_work"),
    path("work/<str:organisation>/<str:team>/", work.team_work, name="team_work"),
    path("beds/<int:bed>/", bedside.bed, name="bed"),
    path("stays/<int:episode>/", bedside.stay, name="stay"),
    path("search/", search.search, name="search"),
    path("search/<slug:key>/", search.found, name="found"),
]
