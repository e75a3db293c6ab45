"""Addresses of escalation."""

from __future__ import annotations

from django.urls import path

from huddles.escalation import notice_pages, pages, rule_pages

app_name = "escalation"
urlpatterns = [
    path("escalation/", pages.system, name="system"),
    path("escalation/rules/", rule_pages.rules, name="rules"),
    path("escalation/rules/fill-in/", rule_pages.fill_in, name="fill_in"),
    path("escalation/notices/", notice_pages.notices, name="notices"),
    path("sites/<str:code>/escalation/", pages.site, name="site"),
]
