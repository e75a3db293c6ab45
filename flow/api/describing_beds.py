"""What the OpenAPI document says of the deeds on beds."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiResponse

from flow.api import entries, shapes
from flow.api.describing import parameters, responses

_DEED: Final[dict[str, Any]] = {
    "parameters": parameters(""),
    "responses": {
        **responses(shapes.BedRow, 400, 404),
        (409, "application/problem+json"): OpenApiResponse(
            shapes.Problem, "It cannot be done as things stand; the detail says why."
        ),
    },
}
CLOSE: Final = _DEED | {
    "operation_id": "close_bed",
    "summary": "Close a bed",
    "description": "From now, or from `occurred_at`, until `until`, or until it is reopened. A "
    "patient in it stays, and it counts as open until they leave. `note` must name no patient.",
    "request": entries.CloseEntry,
}
REOPEN: Final = _DEED | {
    "operation_id": "reopen_bed",
    "summary": "Reopen a bed",
    "description": "Ends the closure of this very bed; that of its bay or ward is not its own.",
    "request": entries.BedDeedEntry,
}
ASK_FOR_CLEANING: Final = _DEED | {
    "operation_id": "ask_for_cleaning",
    "summary": "Say that a bed needs cleaning",
    "description": "Of a bed with somebody in it, it counts once they have left.",
    "request": entries.CleaningEntry,
}
CLEANED: Final = _DEED | {
    "operation_id": "bed_cleaned",
    "summary": "Say that a bed is clean and ready",
    "description": "Refused while somebody is in it, and where a terminal clean was asked for "
    "and `level` says that a routine one was done.",
    "request": entries.CleanedEntry,
}
