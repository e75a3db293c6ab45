"""What the OpenAPI document says of meetings."""

from __future__ import annotations

from typing import Any, Final

from rest_framework import serializers as s

from flow.api import shapes
from flow.api.describing import listed, parameters, responses
from huddles.api.describing import NEXT

STATUSES: Final = ("due", "open", "held", "missed")
KEPT: Final = (
    "figures", "horizons", "as_at", "stale", "lines", "totals", "harm", "hazard", "previous",
    "agreed", "before",
)  # fmt: skip
"""What is told of one meeting besides its row, as it is kept (`huddles.meetings.freezing`)."""


class HuddleRow(shapes.Shape):
    """A meeting. `id` is null for one that is due and of which nobody has said anything yet."""

    id = s.IntegerField(allow_null=True)
    site = s.CharField()
    template = s.CharField(help_text="Name of the meeting.")
    status = s.ChoiceField(STATUSES)
    starts_at = s.DateTimeField()
    opened_at = s.DateTimeField(allow_null=True)
    closed_at = s.DateTimeField(allow_null=True)
    chair = s.CharField(allow_null=True)
    step = s.CharField(allow_null=True, help_text="What is, or was last, spoken of.")
    confirmed = s.IntegerField(help_text="Wards that have confirmed their lines.")


class DueRow(shapes.Shape):
    """Discharges by a time, definite and beside them possible."""

    definite = s.IntegerField(allow_null=True)
    possible = s.IntegerField(allow_null=True)


class HuddleNumbers(shapes.Shape):
    """Figures; null is not known."""

    numbers = s.DictField(child=s.IntegerField(allow_null=True))
    dues = DueRow(many=True, help_text="One for each of `horizons`.")
    nurses_planned = s.IntegerField(allow_null=True)
    nurses_actual = s.IntegerField(allow_null=True)


class HuddleTotals(HuddleNumbers):
    """What the lines add up to."""

    confirmed = s.IntegerField()
    wards = s.IntegerField()


class HuddleLineRow(HuddleNumbers):
    """What a ward said or, with `confirmed_at` null, what was known of it."""

    ward = s.IntegerField()
    code = s.CharField()
    name = s.CharField()
    who = s.CharField()
    confirmed_at = s.DateTimeField(allow_null=True)
    by = s.CharField()
    concern = s.CharField()
    harm = s.CharField(allow_null=True)
    hazard = s.CharField(allow_null=True)


class HuddleActionRow(shapes.Shape):
    """An action as it stood."""

    id = s.IntegerField()
    text = s.CharField()
    owner = s.CharField()
    place = s.CharField()
    due_at = s.DateTimeField()
    ended_at = s.DateTimeField(allow_null=True)
    outcome = s.CharField()
    late = s.BooleanField()
    note = s.CharField()


class CameRow(DueRow):
    """The same, and how many left by then; null while the time had not come."""

    at = s.DateTimeField()
    came = s.IntegerField(allow_null=True)


class WardCameRow(shapes.Shape):
    """A ward of the last meeting."""

    ward = s.IntegerField()
    name = s.CharField()
    dues = CameRow(many=True)


class BeforeRow(shapes.Shape):
    """What the last meeting said would happen, and what had."""

    starts_at = s.DateTimeField()
    dues = CameRow(many=True)
    wards = WardCameRow(many=True)


class OneHuddle(HuddleRow):
    """A meeting as a screen in the room shows it: no patient is named, and words that could be
    part of a name are hidden."""

    moment = s.DateTimeField(help_text="When it was seen so: at its end, else now.")
    figures = s.ListField(child=s.CharField())
    horizons = s.ListField(child=s.DateTimeField())
    as_at = s.DateTimeField(help_text="Of the oldest figure.")
    stale = s.BooleanField()
    lines = HuddleLineRow(many=True)
    totals = HuddleTotals()
    harm = s.CharField(allow_null=True)
    hazard = s.CharField(allow_null=True)
    previous = HuddleActionRow(many=True)
    agreed = HuddleActionRow(many=True)
    before = BeforeRow(allow_null=True)


HUDDLES: Final[dict[str, Any]] = {
    "operation_id": "huddles",
    "summary": "Meetings",
    "description": "Held, running, and of each meeting the one that is due, the latest first. A "
    "page may hold fewer than asked for where `status` is given.",
    "parameters": parameters(
        "site status limit cursor",
        limit={"description": "Most results in one answer, up to 100."},
        site={"many": False},
        status={"enum": list(STATUSES), "many": False, "description": "All without it."},
    ),
    "responses": responses(listed("HuddleList", HuddleRow, next=NEXT), 400),
}  # fmt: skip
HUDDLE: Final[dict[str, Any]] = {
    "operation_id": "huddle",
    "summary": "One meeting",
    "parameters": parameters(""),
    "responses": responses(OneHuddle, 404),
}
