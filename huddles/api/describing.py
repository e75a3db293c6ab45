"""What the OpenAPI document says of actions."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers as s

from flow.api import shapes
from flow.api.describing import listed, parameters, responses
from huddles.api.entries import AgreeEntry, DropEntry, EndEntry
from huddles.models import Action

STATUSES: Final = ("open", "overdue", "over", "all")
ACTION_STATUSES: Final = ("open", "overdue", "done", "dropped")
_CONFLICT: Final[dict[Any, Any]] = {
    (409, "application/problem+json"): OpenApiResponse(
        shapes.Problem, "It cannot be done as things stand; the detail says why."
    ),
}


class ActionRow(shapes.Shape):
    """One action. Without leave to see the patients there, words that could be part of a name are
    hidden in `text` and `note`, and `episode` is null."""

    id = s.IntegerField()
    site = s.CharField()
    ward = s.CharField(allow_null=True)
    bed = s.IntegerField(allow_null=True)
    bed_label = s.CharField(allow_null=True)
    episode = s.IntegerField(allow_null=True)
    barrier = s.IntegerField(allow_null=True)
    closure = s.IntegerField(allow_null=True)
    text = s.CharField()
    owner = s.CharField(allow_null=True, help_text="The person, by name.")
    owner_username = s.CharField(allow_null=True, help_text="Of somebody who signs in.")
    team = s.CharField(allow_null=True, help_text="Code of the team.")
    team_name = s.CharField(allow_null=True)
    due_at = s.DateTimeField()
    status = s.ChoiceField(ACTION_STATUSES)
    ending = s.ChoiceField(Action.Ending.choices, allow_null=True)
    ended_at = s.DateTimeField(allow_null=True)
    ended_by_deed = s.BooleanField(help_text="By the deed that it is about, not by a word.")
    ended_by = s.CharField(allow_null=True)
    note = s.CharField(allow_null=True)
    agreed_at = s.DateTimeField()
    agreed_by = s.CharField()


class AgreedRow(ActionRow):
    """An action just agreed."""

    doubts = s.ListField(
        child=s.CharField(), help_text="What of the words was not understood, and left out."
    )


NEXT: Final = s.CharField(allow_null=True, help_text="Where more is, or null.")
ACTIONS: Final[dict[str, Any]] = {
    "operation_id": "actions",
    "summary": "What was agreed",
    "description": "Those that the caller may read, the first due first.",
    "parameters": parameters(
        "site status limit cursor",
        limit={"description": "Most results in one answer, up to 200."},
        site={"many": False},
        status={
            "enum": list(STATUSES),
            "many": False,
            "description": "Default open; over are those that ended in the last day.",
        },
    ),
    "responses": responses(listed("ActionList", ActionRow, next=NEXT), 400),
}
AGREE: Final[dict[str, Any]] = {
    "operation_id": "agree_action",
    "summary": "Agree an action",
    "parameters": parameters(""),
    "request": AgreeEntry,
    "responses": {
        (201, "application/json"): AgreedRow,
        **responses(ActionRow, 400),
        **_CONFLICT,
    },
}
ACTION: Final[dict[str, Any]] = {
    "operation_id": "action",
    "summary": "One action",
    "parameters": parameters(""),
    "responses": responses(ActionRow, 404),
}
_DEED: Final[dict[str, Any]] = {
    "parameters": parameters(""),
    "responses": {**responses(ActionRow, 400, 404), **_CONFLICT},
}
DONE: Final = _DEED | {
    "operation_id": "finish_action",
    "summary": "Say that an action is done",
    "request": EndEntry,
}
DROP: Final = _DEED | {
    "operation_id": "drop_action",
    "summary": "Say that an action is not needed any more",
    "request": DropEntry,
}
REOPEN: Final = _DEED | {
    "operation_id": "reopen_action",
    "summary": "Take back that an action is over",
    "request": EndEntry,
}
