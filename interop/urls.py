"""Addresses of the pages about feeds."""

from __future__ import annotations

from django.urls import path

from interop import views

app_name = "interop"
urlpatterns = [
    path("", views.feeds, name="feeds"),
    path("new/", views.new_feed, name="new_feed"),
    path("<int:pk>/", views.feed, name="feed"),
    path("troubles/", views.troubles, name="troubles"),
    path("replay/", views.replay_messages, name="replay"),
    path("messages/<int:pk>/", views.message, name="message"),
    path("places/", views.mapping, name="mapping"),
    path("places/wards/<int:pk>/", views.map_ward, name="map_ward"),
    path("places/beds/<int:pk>/", views.map_bed, name="map_bed"),
]
