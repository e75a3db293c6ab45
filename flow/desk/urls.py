"""Addresses of the desk."""

from __future__ import annotations

from django.urls import path

from flow.desk import corridor, drawer, expecting, misplaced, pages, proposal

app_name = "desk"
urlpatterns = [
    path("sites/<str:code>/desk/", pages.desk, name="desk"),
    path("sites/<str:code>/desk/proposal/", proposal.proposal, name="proposal"),
    path("sites/<str:code>/desk/expect/", expecting.expect, name="expect"),
    path("sites/<str:code>/desk/out-of-place/", misplaced.out_of_place, name="misplaced"),
    path("stays/<int:episode>/sign-off/", corridor.sign_offs, name="sign_off"),
    path("requests/<int:key>/", drawer.request_for_bed, name="request"),
]
