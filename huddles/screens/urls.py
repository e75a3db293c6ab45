"""Addresses that a wall screen itself asks for."""

from __future__ import annotations

from django.urls import path

from huddles.screens import pages

app_name = "screen"
urlpatterns = [
    path("", pages.screen, name="screen"),
    path("waiting/", pages.waiting, name="waiting"),
    path("pages/<int:number>/", pages.page, name="page"),
]
