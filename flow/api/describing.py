"""What the OpenAPI document says of each view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, inline_serializer
from rest_framework import serializers

from flow.api import shapes
from flow.cohorts.steps import Step
from patients.cohorts import Phase
from patients.models import Episode
from wards.models import Site, Ward

PARAMETERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "site": {"description": "Code of a site in sight; any other is refused.", "many": True},
    "ward": {"description": "Code of a ward in sight; any other is refused.", "many": True},
    "organisation": {
        "description": "Code of an organisation; one that there is not is refused.",
        "many": True,
    },
    "kind": {"description": "Kind of ward.", "many": True, "enum": Ward.Kind.values},
    "at": {
        "description": "A moment of the past, ISO 8601 with offset; now without it. Refused "
        "when it lies before the records begin.",
        "type": OpenApiTypes.DATETIME,
    },
    "known_at": {
        "description": "Only what had been recorded by then counts. Refused when it lies before "
        "the first record was made.",
        "type": OpenApiTypes.DATETIME,
    },
    "team": {"description": "Code of a team; one that there is not is refused.", "many": True},
    "to_ward": {
        "description": "Code of the place that was asked; one that there is not is refused.",
        "many": True,
    },
    "reason": {"description": "Slug of a reason; one that there is not is refused.", "many": True},
    "pathway": {"description": "Pathway 0 to 3.", "many": True, "enum": ["0", "1", "2", "3"]},
    "phase": {
        "description": "Before, during or after the stay.",
        "many": True,
        "enum": [phase.value for phase in Phase],
    },
    "step": {
        "description": "Where somebody is on the way.",
        "many": True,
        "enum": [step.value for step in Step],
    },
    "area": {"description": "Slug of a neighbourhood; `none` for none.", "many": True},
    "band": {"description": "Name of a band of risk of this cohort.", "many": True},
    "visit": {"description": "Visit number. Prefer `episodes/search/`: addresses are kept."},
    "mrn": {"description": "The hospital's number of a patient. Prefer `episodes/search/`."},
    "status": {"description": "Status.", "many": True, "enum": Episode.Status.values},
    "date": {
        "description": "The day of reporting; today without it.",
        "type": OpenApiTypes.DATE,
    },
    "limit": {"description": "Most results in one answer, up to 1000.", "type": int},
    "cursor": {"description": "From `next` of the answer before."},
    "format": {"description": "Instead of `Accept`.", "enum": ["json", "csv"]},
}


def parameters(names: str, **changed: Mapping[str, Any]) -> list[OpenApiParameter]:
    return [
        OpenApiParameter(
            name,
            **{"type": str, "required": False, **PARAMETERS[name], **changed.get(name, {})},
        )
        for name in (*names.split(), "format")
    ]


def responses(answer: Any, *statuses: int) -> dict[Any, Any]:
    told = {
        304: "Unchanged since the answer of that ETag.",
        400: "A parameter is wrong or unknown, or names what is not in sight.",
        404: "No such thing, or not in sight.",
        409: "Several sites have a ward of this code; add `site`.",
    }
    responses: dict[Any, Any] = {
        (200, "application/json"): answer,
        (200, "text/csv"): OpenApiTypes.STR,
        304: OpenApiResponse(description=told[304]),
        (401, "application/problem+json"): OpenApiResponse(shapes.Problem, "No good token."),
        (403, "application/problem+json"): OpenApiResponse(shapes.Problem, "Not for this token."),
        (429, "application/problem+json"): OpenApiResponse(
            shapes.Problem, "Too often; see Retry-After."
        ),
    }
    if 304 not in statuses:
        del responses[304]
    for status in statuses:
        if status != 304:
            responses[status, "application/problem+json"] = OpenApiResponse(
                shapes.Problem, told[status]
            )
    return responses


def listed(name: str, row: type[serializers.Serializer[Any]], **more: Any) -> Any:
    return inline_serializer(name, {"results": row(many=True), **more})


_NEXT: Final = serializers.CharField(allow_null=True, help_text="Where more is, or null.")
_AS_AT: Final = serializers.DateTimeField()
_RECORDS: Final = shapes.Records(
    allow_null=True, help_text="How far back the records reach; null in answers about now."
)

OCCUPANCY: Final[dict[str, Any]] = {
    "operation_id": "occupancy",
    "summary": "Census of wards",
    "parameters": parameters("site ward kind at known_at"),
    "responses": responses(
        listed("OccupancyList", shapes.OccupancyRow, records=_RECORDS), 304, 400
    ),
}
TOTALS: Final[dict[str, Any]] = {
    "operation_id": "occupancy_totals",
    "summary": "Totals of the system and of sites",
    "parameters": parameters("site at known_at"),
    "responses": responses(listed("TotalList", shapes.TotalRow, records=_RECORDS), 304, 400),
}
BEDS: Final[dict[str, Any]] = {
    "operation_id": "beds",
    "summary": "Beds of all wards",
    "parameters": parameters("site ward kind at known_at"),
    "responses": responses(
        listed(
            "BedList",
            shapes.BedRow,
            as_at=_AS_AT,
            bedless=shapes.Bedless(many=True),
            records=_RECORDS,
        ),
        304,
        400,
    ),
}
WARD_BEDS: Final[dict[str, Any]] = {
    "operation_id": "ward_beds",
    "summary": "Beds of a ward",
    "parameters": parameters("site at known_at", site={"many": False}),
    "responses": responses(
        listed(
            "WardBedList",
            shapes.BedRow,
            ward=serializers.CharField(),
            site=serializers.CharField(),
            as_at=_AS_AT,
            bedless=shapes.Bedless(many=True),
            records=_RECORDS,
        ),
        304,
        400,
        404,
        409,
    ),
}
BED: Final[dict[str, Any]] = {
    "operation_id": "bed",
    "summary": "One bed",
    "parameters": parameters("at known_at"),
    "responses": responses(shapes.BedRow, 400, 404),
}
ORGANISATIONS: Final[dict[str, Any]] = {
    "operation_id": "organisations",
    "summary": "Organisations",
    "parameters": parameters(""),
    "responses": responses(listed("OrganisationList", shapes.OrganisationRow), 400),
}
SITES: Final[dict[str, Any]] = {
    "operation_id": "sites",
    "summary": "Sites",
    "parameters": parameters(
        "organisation kind", kind={"enum": Site.Kind.values, "description": "Kind of site."}
    ),
    "responses": responses(listed("SiteList", shapes.SiteRow), 400),
}
SITE: Final[dict[str, Any]] = {
    "operation_id": "site",
    "summary": "One site",
    "parameters": parameters(""),
    "responses": responses(shapes.SiteRow, 400, 404),
}
WARDS: Final[dict[str, Any]] = {
    "operation_id": "wards",
    "summary": "Wards",
    "parameters": parameters("organisation site kind ward"),
    "responses": responses(listed("WardList", shapes.WardRow), 400),
}
WARD: Final[dict[str, Any]] = {
    "operation_id": "ward",
    "summary": "One ward",
    "parameters": parameters("site", site={"many": False}),
    "responses": responses(shapes.WardWithBays, 400, 404, 409),
}
EPISODES: Final[dict[str, Any]] = {
    "operation_id": "episodes",
    "summary": "Stays",
    "parameters": parameters("visit mrn ward site status at limit cursor"),
    "responses": responses(listed("EpisodeList", shapes.EpisodeRow, next=_NEXT), 400),
}
SEARCH: Final[dict[str, Any]] = {
    "operation_id": "search_episodes",
    "summary": "Search stays",
    "parameters": parameters(""),
    "request": shapes.EpisodeQuery,
    "responses": responses(listed("FoundEpisodeList", shapes.EpisodeRow, next=_NEXT), 400),
}
EPISODE: Final[dict[str, Any]] = {
    "operation_id": "episode",
    "summary": "One stay",
    "parameters": parameters(""),
    "responses": responses(shapes.EpisodeRow, 400, 404),
}


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How a token travels; the library finds this class by its target."""

    target_class = "accounts.api_auth.BearerAuthentication"
    match_subclasses = True
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """`Authorization: Bearer …`."""
        return {"type": "http", "scheme": "bearer", "description": "A token of Flowboard's."}


SITREP: Final[dict[str, Any]] = {
    "operation_id": "return_sitrep",
    "summary": "Daily situation report, beds",
    "parameters": parameters("date organisation"),
    "responses": responses(listed("SitrepReturn", shapes.ReturnLine), 400, 404),
}
DISCHARGE_RETURN: Final[dict[str, Any]] = {
    "operation_id": "return_discharge",
    "summary": "Daily discharge return",
    "parameters": parameters("date organisation"),
    "responses": responses(listed("DischargeReturn", shapes.ReturnLine), 400, 404),
}
