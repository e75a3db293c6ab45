"""Address of the comparison with national peers."""

from __future__ import annotations

from django.urls import path

from flow.reference import pages

app_name = "peers"
urlpatterns = [path("", pages.beside_peers, name="peers")]
