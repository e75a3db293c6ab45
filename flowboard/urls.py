"""Every address, by part."""

from __future__ import annotations

from django.urls import include, path, re_path

from flow.api.doors import Nowhere

urlpatterns = [
    # Programs ask most often, and addresses are tried in this order.
    path("api/v1/", include("interop.api_urls")),
    path("api/v1/", include("huddles.api_urls")),
    path("api/v1/", include("huddles.escalation.api_urls")),
    path("api/v1/", include("flow.api.urls")),
    re_path(r"^api/", Nowhere.as_view()),
    path("health/", include("flowboard.health_urls")),
    path("accounts/", include("accounts.urls")),
    path("people/", include("wards.people_urls")),
    path("feeds/", include("interop.urls")),
    path("cleaning/", include("flow.cleaning.urls")),
    path("discharges/", include("flow.hub.urls")),
    path("referrals/", include("flow.referrals.urls")),
    path("returns/", include("flow.returns.urls")),
    path("peers/", include("flow.reference.urls")),
    path("cohorts/", include("flow.cohorts.urls")),
    path("rules/", include("flow.rules.urls")),
    path("screen/", include("huddles.screens.urls")),
    path("screens/", include("huddles.screens.list_urls")),
    path("", include("huddles.urls")),
    path("sites/<str:code>/forecast/", include("flow.forecast_pages.urls")),
    path("", include("flow.desk.urls")),
    path("", include("flow.handover.urls")),
    path("", include("flow.running.urls")),
    path("", include("huddles.escalation.urls")),
    path("", include("flow.urls")),
]
