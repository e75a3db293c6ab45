"""What the OpenAPI document says of the views of the desk."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from flow.api import entries_desk as entries
from flow.api import shapes_desk as shapes
from flow.api.describing import listed, parameters, responses
from wards.suitability.facts import NeedKind

_CONFLICT: Final[dict[Any, Any]] = {
    (409, "application/problem+json"): OpenApiResponse(
        shapes.DeskProblem, "It cannot be done as things stand; the detail says why."
    ),
}


def _made(answer: Any) -> dict[Any, Any]:
    told = {**responses(answer, 400, 404), **_CONFLICT}
    del told[200, "application/json"], told[200, "text/csv"]
    return {(201, "application/json"): answer, (201, "text/csv"): OpenApiTypes.STR, **told}


def _deed(name: str, summary: str, entry: Any, description: str = "") -> dict[str, Any]:
    return {
        "operation_id": name,
        "summary": summary,
        "description": description,
        "request": entry,
        "parameters": parameters(""),
        "responses": {**responses(shapes.BedRequestDetail, 400, 404), **_CONFLICT},
    }


_OVERRIDE: Final = (
    "Refused with the type `unsuitable` where rules forbid the bed; where `may_override` says that "
    "the caller may set them aside, send why it is right all the same as `reason`."
)

REQUESTS: Final[dict[str, Any]] = {
    "operation_id": "bed_requests",
    "summary": "Everybody who needs a bed",
    "description": "Open requests, of the sites in sight. First those for whom none is held: the "
    "immediate, then by when the next clock runs out or the bed is wanted.",
    "parameters": [
        OpenApiParameter("specialty", str, description="The one asked for.", many=True),
        OpenApiParameter(
            "waits_for", str, enum=["bed", "ready", "move"], many=True,
            description="bed: none is held; ready: one that has to become ready; move: one that "
            "can be used.",
        ),
        *parameters(
            "site kind ward",
            kind={"enum": [kind.value for kind in NeedKind], "description": "Why one is needed."},
            ward={"description": "Code of the ward that is asked."},
        ),
    ],
    "responses": responses(listed("BedRequestList", shapes.BedRequestRow), 400),
}  # fmt: skip
ASK: Final[dict[str, Any]] = {
    "operation_id": "ask_for_bed",
    "summary": "Ask for a bed, or expect somebody",
    "description": "For the `episode` of somebody who is in hospital: from an emergency department "
    "it is the decision to admit, from elsewhere a transfer. With `person` for somebody who is to "
    "come; `already-known` and `same-name` ask as for movements.",
    "request": entries.AskEntry,
    "parameters": parameters(""),
    "responses": _made(shapes.BedRequestDetail),
}
REQUEST: Final[dict[str, Any]] = {
    "operation_id": "bed_request",
    "summary": "One request for a bed",
    "description": "Also once it is over: as it stood last.",
    "parameters": parameters(""),
    "responses": responses(shapes.BedRequestDetail, 400, 404),
}
CHANGE: Final = _deed(
    "change_bed_request",
    "Ask for it otherwise",
    entries.TermsEntry,
    "What is left out is as it was. Another `ward` makes another request, which is answered and "
    "takes over what is held.",
)
RESERVE: Final = _deed(
    "reserve_bed",
    "Hold a bed for a request",
    entries.HoldEntry,
    f"Another bed held for it is given back; the same one is held until the new time. {_OVERRIDE}",
)
ALLOCATE: Final = _deed(
    "allocate_bed",
    "Give a bed to a request",
    entries.HoldEntry,
    f"It is theirs until they come, or until `until`. {_OVERRIDE}",
)
RELEASE: Final = _deed("release_bed", "Give back the bed that is held", entries.ReleaseEntry)
CANCEL: Final = _deed(
    "cancel_bed_request",
    "The bed is not wanted any more",
    entries.CancelEntry,
    "What is held for it is free again. The answer is the request as it stood last.",
)
RESTORE: Final = _deed(
    "restore_bed_request",
    "Take back that the bed is not wanted",
    entries.ReleaseEntry,
    "It is asked for as before, and what was held for it is held again where it can be.",
)
MATCHES: Final[dict[str, Any]] = {
    "operation_id": "bed_matches",
    "summary": "Beds for a request, with reasons",
    "description": "Of one site: first those that suit, by cost, then those that an override would "
    "open, then the rest. Beds that are in use count with when they will probably come free. Of a "
    "request that is over none are listed.",
    "parameters": [
        OpenApiParameter(
            "suitable", str, enum=["true", "false"],
            description="Only beds that suit, or only those that do not.",
        ),
        *parameters(
            "limit site",
            limit={"description": "Most results, up to 1000; 50 without it."},
            site={"many": False, "description": "Another site than where the request counts."},
        ),
    ],
    "responses": responses(
        listed(
            "MatchList",
            shapes.MatchRow,
            rule_book=shapes.Book(),
            suitable=serializers.IntegerField(help_text="How many beds suit."),
            refused=serializers.IntegerField(help_text="How many do not."),
            as_at=serializers.DateTimeField(),
        ),
        400,
        404,
    ),
}  # fmt: skip
MOVE: Final[dict[str, Any]] = {
    "operation_id": "record_movement",
    "summary": "Say that somebody came, left or moved",
    "description": "`admitted` takes a `person` (numbers in the body alone) or the `episode` of "
    "somebody who was expected, `transferred` a ward or bed, `swapped` the `other` episode. A bed "
    "that is held for them is taken up. The type "
    "`already-known` asks to `confirmed` who is meant, `same-name` for `others`. " + _OVERRIDE,
    "request": entries.MoveEntry,
    "parameters": parameters(""),
    "responses": _made(shapes.MovedRow),
}
CANCEL_MOVE: Final[dict[str, Any]] = {
    "operation_id": "cancel_movement",
    "summary": "Take a movement back",
    "description": "The last one of a stay, where it was made by hand or by this interface. The "
    "movement answered is the one that takes it back.",
    "request": None,
    "parameters": parameters(""),
    "responses": {**responses(shapes.MovedRow, 400, 404), **_CONFLICT},
}
NEEDS: Final[dict[str, Any]] = {
    "operation_id": "care_needs",
    "summary": "What a patient needs of a bed",
    "description": "All that was said, the latest first: it says how it stands.",
    "parameters": parameters(""),
    "responses": responses(listed("CareNeedsList", shapes.CareNeedsRow), 400, 404),
}
SAY_NEEDS: Final[dict[str, Any]] = {
    "operation_id": "say_care_needs",
    "summary": "Say what a patient needs of a bed",
    "description": "From now on; what is left out is as it was. At least one need is named.",
    "request": entries.NeedsEntry,
    "parameters": parameters(""),
    "responses": _made(shapes.CareNeedsRow),
}
