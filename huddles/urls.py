"""Addresses of the pages of huddles."""

from __future__ import annotations

from django.urls import path

from huddles.actions import pages as actions
from huddles.meetings import line_pages, list_pages, pages

app_name = "huddles"
_ONE = "huddles/<int:template>/<str:start>/"
urlpatterns = [
    path("actions/", actions.actions, name="actions"),
    path("huddles/", list_pages.first, name="huddles"),
    path("sites/<str:code>/huddles/", list_pages.meetings, name="meetings"),
    path("sites/<str:code>/huddles/new/", list_pages.new_template, name="new_template"),
    path("huddles/<int:template>/change/", list_pages.change_template, name="template"),
    path(_ONE, pages.meeting, name="meeting"),
    path(f"{_ONE}room/", pages.room, name="room"),
    path(f"{_ONE}summary/", pages.summary, name="summary"),
    path(f"{_ONE}summary.pdf", pages.summary_pdf, name="summary_pdf"),
    path(f"{_ONE}lines/<int:ward>/", line_pages.line, name="line"),
]
