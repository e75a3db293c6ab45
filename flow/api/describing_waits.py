"""What the OpenAPI document says of the views about waits."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from flow.api import entries, shapes, shapes_cohorts, shapes_waits
from flow.api.describing import listed, parameters, responses
from wards.models import Referral

_CHANGES: Final[dict[Any, Any]] = {
    (409, "application/problem+json"): OpenApiResponse(
        shapes.Problem, "It cannot be done as things stand; the detail says why."
    ),
}

BARRIERS: Final[dict[str, Any]] = {
    "operation_id": "barriers",
    "summary": "What discharges wait for",
    "parameters": parameters(
        "site ward organisation team reason status pathway at known_at",
        status={"enum": ["open", "resolved", "replaced"], "description": "Default open."},
    ),
    "responses": responses(listed("BarrierList", shapes_waits.BarrierRow), 400),
}
EPISODE_BARRIERS: Final[dict[str, Any]] = {
    "operation_id": "episode_barriers",
    "summary": "Barriers of one stay",
    "parameters": parameters("at known_at"),
    "responses": responses(listed("EpisodeBarrierList", shapes_waits.BarrierRow), 400, 404),
}
RAISE: Final[dict[str, Any]] = {
    "operation_id": "raise_barrier",
    "summary": "Raise a barrier",
    "request": entries.RaiseEntry,
    "parameters": parameters(""),
    "responses": {
        (201, "application/json"): shapes_waits.BarrierWithSteps,
        **responses(shapes_waits.BarrierWithSteps, 400, 404),
        **_CHANGES,
    },
}
BARRIER: Final[dict[str, Any]] = {
    "operation_id": "barrier",
    "summary": "One barrier with its steps",
    "parameters": parameters(""),
    "responses": responses(shapes_waits.BarrierWithSteps, 400, 404),
}
DEED: Final[dict[str, Any]] = {
    "summary": "Do something about a barrier",
    "request": entries.Noted,
    "parameters": parameters(""),
    "responses": {**responses(shapes_waits.BarrierWithSteps, 400, 404), **_CHANGES},
}
REASSIGN: Final = DEED | {"request": entries.OwnerEntry}
TAKE_BACK: Final = DEED | {
    "summary": "Take back a barrier that was raised by mistake",
    "description": "Needs a note that says why. The answer tells of it a last time; from then on "
    "it counts for nothing and asking for it answers 404.",
    "request": entries.Explained,
}
REVIEWS: Final[dict[str, Any]] = {
    "operation_id": "reviews",
    "summary": "Board rounds of one stay",
    "parameters": parameters(""),
    "responses": responses(listed("ReviewList", shapes_waits.ReviewRow), 400, 404),
}
REVIEW: Final[dict[str, Any]] = {
    "operation_id": "review",
    "summary": "Record what a board round found",
    "parameters": parameters(""),
    "request": entries.ReviewEntry,
    "responses": {
        (201, "application/json"): shapes_waits.ReviewRow,
        **responses(shapes_waits.ReviewRow, 400, 404),
        **_CHANGES,
    },
}
SUMMARY: Final[dict[str, Any]] = {
    "operation_id": "discharge_summary",
    "summary": "Who could leave, in figures",
    "parameters": parameters("site ward organisation reason pathway at known_at"),
    "responses": responses(shapes_waits.DischargeSummary, 400),
}
REASONS: Final[dict[str, Any]] = {
    "operation_id": "reasons",
    "summary": "Reasons and other codes",
    "parameters": parameters(""),
    "responses": responses(listed("ReasonList", shapes_waits.ReasonRow), 400),
}
REFERRALS: Final[dict[str, Any]] = {
    "operation_id": "referrals",
    "summary": "Places asked for after hospital",
    "parameters": parameters(
        "site ward organisation status kind to_ward at known_at",
        status={"enum": Referral.Status.values, "description": "Default asked and accepted."},
        kind={"enum": Referral.Kind.values, "description": "Kind of place."},
    ),
    "responses": responses(listed("ReferralList", shapes_waits.ReferralRow), 400),
}
REFER: Final[dict[str, Any]] = {
    "operation_id": "refer",
    "summary": "Ask a place for a patient",
    "request": entries.ReferEntry,
    "parameters": parameters(""),
    "responses": {
        (201, "application/json"): shapes_waits.ReferralWithSteps,
        **responses(shapes_waits.ReferralWithSteps, 400, 404),
        **_CHANGES,
    },
}
REFERRAL: Final[dict[str, Any]] = {
    "operation_id": "referral",
    "summary": "One referral with its steps",
    "parameters": parameters(""),
    "responses": responses(shapes_waits.ReferralWithSteps, 400, 404),
}
ANSWER: Final[dict[str, Any]] = {
    "summary": "Do something about a referral",
    "parameters": parameters(""),
    "responses": {**responses(shapes_waits.ReferralWithSteps, 400, 404), **_CHANGES},
}
_SIGNED: Final = listed("SignedReturn", shapes.ReturnLine)
SIGN: Final[dict[str, Any]] = {
    "operation_id": "sign_return",
    "summary": "Sign a daily return, or amend it",
    "description": "Sends the numbers as they are counted now. `seen` is how many times it had "
    "been sent when you looked: 0 for the first time; an amendment needs a `note` that says why. "
    "Other numbers than those counted are entered on its page.",
    "request": entries.SignEntry,
    "parameters": [
        OpenApiParameter("kind", str, "path", enum=["sitrep", "discharge"]),
        OpenApiParameter("organisation", str, "path"),
        OpenApiParameter("day", OpenApiTypes.DATE, "path"),
        *parameters(""),
    ],
    "responses": {
        (201, "application/json"): _SIGNED,
        **responses(_SIGNED, 400, 404),
        **_CHANGES,
    },
}
RECEIVING: Final[dict[str, Any]] = {
    "operation_id": "receiving",
    "summary": "Places after hospital, and what they have free",
    "parameters": parameters("at known_at"),
    "responses": responses(listed("ReceivingList", shapes_waits.ReceivingRow), 400),
}
COHORTS: Final[dict[str, Any]] = {
    "operation_id": "cohorts",
    "summary": "Cohorts, in figures",
    "parameters": parameters("at known_at"),
    "responses": responses(listed("CohortList", shapes_cohorts.CohortLine), 400),
}
COHORT: Final[dict[str, Any]] = {
    "operation_id": "cohort",
    "summary": "Who is in a cohort, at which step, and who is accountable",
    "parameters": parameters("phase step site area band organisation at known_at"),
    "responses": responses(shapes_cohorts.CohortBoard, 400, 404),
}
