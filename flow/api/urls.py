"""Addresses of the REST interface."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path

from flow.api.barriers import (
    Barriers,
    Contact,
    EpisodeBarriers,
    Escalate,
    OneBarrier,
    Reasons,
    Reassign,
    Resolve,
    TakeBack,
)
from flow.api.bed_deeds import AskForCleaning, Cleaned, Close, Reopen
from flow.api.bed_requests import (
    Allocate,
    BedRequests,
    CancelRequest,
    ChangeRequest,
    OneBedRequest,
    Release,
    Reserve,
    RestoreRequest,
)
from flow.api.care_needs import NeedsOfEpisode
from flow.api.cohorts import Cohorts, OneCohort
from flow.api.discharges import DischargeSummary
from flow.api.doors import Docs, Nowhere, Problems, Schema
from flow.api.episodes import Episodes, OneEpisode, SearchEpisodes
from flow.api.forecasts import Accuracy, Forecasts, OnePrediction
from flow.api.matches import RequestMatches
from flow.api.movements import CancelMovement, Movements
from flow.api.occupancy import Beds, Occupancy, OneBed, Totals, WardBeds
from flow.api.places import OneSite, OneWard, Organisations, Sites, Wards
from flow.api.reference import Bodies, Measures, Reference
from flow.api.referrals import (
    Accept,
    Decline,
    OneReferral,
    PlaceThere,
    ReceivingPlaces,
    Referrals,
    Withdraw,
)
from flow.api.returns import Discharges, SignReturn, Sitrep
from flow.api.reviews import Reviews
from flow.api.staffing import StaffingOfWard

app_name = "flow_api"
urlpatterns: list[URLPattern | URLResolver] = [
    # What is asked for most comes first.
    path("occupancy/", Occupancy.as_view(), name="occupancy"),
    path("occupancy/totals/", Totals.as_view(), name="totals"),
    path("wards/<path:code>/beds/", WardBeds.as_view(), name="ward_beds"),
    path("wards/<path:code>/staffing/", StaffingOfWard.as_view(), name="staffing"),
    path("organisations/", Organisations.as_view(), name="organisations"),
    path("sites/", Sites.as_view(), name="sites"),
    path("sites/<str:code>/", OneSite.as_view(), name="site"),
    path("wards/", Wards.as_view(), name="wards"),
    path("wards/<path:code>/", OneWard.as_view(), name="ward"),
    path("beds/", Beds.as_view(), name="beds"),
    path("beds/<int:key>/", OneBed.as_view(), name="bed"),
    path("beds/<int:key>/close/", Close.as_view(), name="close_bed"),
    path("beds/<int:key>/reopen/", Reopen.as_view(), name="reopen_bed"),
    path("beds/<int:key>/cleaning/", AskForCleaning.as_view(), name="ask_for_cleaning"),
    path("beds/<int:key>/cleaned/", Cleaned.as_view(), name="bed_cleaned"),
    path("episodes/", Episodes.as_view(), name="episodes"),
    path("episodes/search/", SearchEpisodes.as_view(), name="search_episodes"),
    path("episodes/<int:key>/", OneEpisode.as_view(), name="episode"),
    path("episodes/<int:key>/prediction/", OnePrediction.as_view(), name="prediction"),
    path("episodes/<int:key>/barriers/", EpisodeBarriers.as_view(), name="episode_barriers"),
    path("episodes/<int:key>/reviews/", Reviews.as_view(), name="reviews"),
    path("episodes/<int:key>/needs/", NeedsOfEpisode.as_view(), name="needs"),
    path("bed-requests/", BedRequests.as_view(), name="bed_requests"),
    path("bed-requests/<int:key>/", OneBedRequest.as_view(), name="bed_request"),
    path("bed-requests/<int:key>/matches/", RequestMatches.as_view(), name="matches"),
    path("bed-requests/<int:key>/change/", ChangeRequest.as_view(), name="change_request"),
    path("bed-requests/<int:key>/reserve/", Reserve.as_view(), name="reserve"),
    path("bed-requests/<int:key>/allocate/", Allocate.as_view(), name="allocate"),
    path("bed-requests/<int:key>/release/", Release.as_view(), name="release"),
    path("bed-requests/<int:key>/cancel/", CancelRequest.as_view(), name="cancel_request"),
    path("bed-requests/<int:key>/restore/", RestoreRequest.as_view(), name="restore_request"),
    path("movements/", Movements.as_view(), name="movements"),
    path("movements/<int:key>/cancel/", CancelMovement.as_view(), name="cancel_movement"),
    path("barriers/", Barriers.as_view(), name="barriers"),
    path("barriers/<int:key>/", OneBarrier.as_view(), name="barrier"),
    path("barriers/<int:key>/resolve/", Resolve.as_view(), name="resolve"),
    path("barriers/<int:key>/escalate/", Escalate.as_view(), name="escalate"),
    path("barriers/<int:key>/reassign/", Reassign.as_view(), name="reassign"),
    path("barriers/<int:key>/contact/", Contact.as_view(), name="contact"),
    path("barriers/<int:key>/take-back/", TakeBack.as_view(), name="take_back"),
    path("referrals/", Referrals.as_view(), name="referrals"),
    path("referrals/<int:key>/", OneReferral.as_view(), name="referral"),
    path("referrals/<int:key>/accept/", Accept.as_view(), name="accept"),
    path("referrals/<int:key>/decline/", Decline.as_view(), name="decline"),
    path("referrals/<int:key>/withdraw/", Withdraw.as_view(), name="withdraw"),
    path("referrals/<int:key>/place/", PlaceThere.as_view(), name="place"),
    path("receiving/", ReceivingPlaces.as_view(), name="receiving"),
    path("discharges/summary/", DischargeSummary.as_view(), name="discharge_summary"),
    path("forecasts/", Forecasts.as_view(), name="forecast"),
    path("forecasts/accuracy/", Accuracy.as_view(), name="forecast_accuracy"),
    path("cohorts/", Cohorts.as_view(), name="cohorts"),
    path("cohorts/<slug:slug>/", OneCohort.as_view(), name="cohort"),
    path("returns/sitrep/", Sitrep.as_view(), name="return_sitrep"),
    path("returns/discharge/", Discharges.as_view(), name="return_discharge"),
    path(
        "returns/<str:kind>/<str:organisation>/<str:day>/sign/",
        SignReturn.as_view(),
        name="sign_return",
    ),
    path("reasons/", Reasons.as_view(), name="reasons"),
    path("reference/", Reference.as_view(), name="reference"),
    path("reference/measures/", Measures.as_view(), name="reference_measures"),
    path("reference/bodies/", Bodies.as_view(), name="reference_bodies"),
    path("problems/", Problems.as_view(), name="problems"),
    path("schema/", Schema.as_view(), name="schema"),
    path("docs/", Docs.as_view(url_name="flow_api:schema"), name="docs"),
    # Last: whatever else is asked for below the API is answered in the API's own way.
    re_path(r"^.*$", Nowhere.as_view(), name="nowhere"),
]
