"""Addresses of the part of the API about huddles."""

from __future__ import annotations

from django.urls import path

from huddles.api.actions import Actions, Done, Drop, OneAction, Reopen
from huddles.api.huddles import Meetings, OneMeeting

app_name = "huddles_api"
urlpatterns = [
    path("huddles/", Meetings.as_view(), name="huddles"),
    path("huddles/<int:key>/", OneMeeting.as_view(), name="huddle"),
    path("actions/", Actions.as_view(), name="actions"),
    path("actions/<int:key>/", OneAction.as_view(), name="action"),
    path("actions/<int:key>/done/", Done.as_view(), name="finish_action"),
    path("actions/<int:key>/drop/", Drop.as_view(), name="drop_action"),
    path("actions/<int:key>/reopen/", Reopen.as_view(), name="reopen_action"),
]
