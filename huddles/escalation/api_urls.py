"""Addresses of escalation over REST."""

from __future__ import annotations

from django.urls import path

from huddles.escalation.api import Escalation, Values, Withdrawals

app_name = "escalation_api"
urlpatterns = [
    path("escalation/", Escalation.as_view(), name="escalation"),
    path("escalation/values/", Values.as_view(), name="values"),
    path("escalation/values/withdraw/", Withdrawals.as_view(), name="withdraw"),
]
