"""Addresses of the people pages."""

from __future__ import annotations

from django.urls import path

from wards import people_pages as pages

app_name = "people"
urlpatterns = [
    path("", pages.people, name="people"),
    path("add/", pages.add_person, name="add"),
    path("tokens/", pages.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", pages.revoke_token, name="revoke_token"),
    path("<int:pk>/", pages.person, name="person"),
    path("<int:pk>/roles/", pages.give_role, name="give_role"),
    path("<int:pk>/roles/<int:grant>/withdraw/", pages.withdraw_role, name="withdraw_role"),
    path("<int:pk>/deactivate/", pages.deactivate_person, name="deactivate"),
    path("<int:pk>/activate/", pages.activate_person, name="activate"),
    path("<int:pk>/unlock/", pages.unlock_person, name="unlock"),
    path("<int:pk>/reset-password/", pages.reset_persons_password, name="reset_password"),
]
