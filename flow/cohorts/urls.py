"""Addresses of cohorts."""

from __future__ import annotations

from django.urls import path

from flow.cohorts import describing, pages

app_name = "cohorts"
urlpatterns = [
    path("", pages.cohorts, name="list"),
    path("new/", describing.new, name="new"),
    path("our-people/", pages.our_people, name="our_people"),
    path("<slug:slug>/", pages.cohort, name="one"),
    path("<slug:slug>/edit/", describing.edit, name="edit"),
    path("<slug:slug>/withdraw/", describing.withdrawing, name="withdraw"),
]
