"""Addresses of places after hospital."""

from __future__ import annotations

from django.urls import path

from flow.referrals import one, pages

app_name = "referrals"
urlpatterns = [
    path("", pages.referrals, name="list"),
    path("<int:referral>/", one.referral, name="one"),
    path("ask/<int:episode>/", one.refer, name="ask"),
]
