"""What callers send about actions."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from huddles.models import Action

AGREEING_MORE = "Said in one line: “therapy to see bed 12 by 11, Sam”."


class AgreeEntry(s.Serializer[Any]):
    """An action to agree. Without `owner` or `due_at` these are read out of `text`."""

    site = s.CharField(max_length=40)
    text = s.CharField(max_length=Action.LONGEST, help_text=AGREEING_MORE)
    owner = s.CharField(
        max_length=100,
        default="",
        allow_blank=True,
        help_text="A person's name or sign-in name, or a team's name, code or kind.",
    )
    due_at = s.DateTimeField(default=None, allow_null=True)
    ward = s.CharField(max_length=80, default="", allow_blank=True, help_text="Code of a ward.")
    bed = s.IntegerField(default=None, allow_null=True, min_value=1)
    episode = s.IntegerField(default=None, allow_null=True, min_value=1)
    barrier = s.IntegerField(default=None, allow_null=True, min_value=1)
    closure = s.IntegerField(default=None, allow_null=True, min_value=1)
    ending = s.ChoiceField(
        Action.Ending.choices,
        default="",
        allow_blank=True,
        help_text="The deed that is the thing itself: done there, the action is over.",
    )
    key = s.CharField(
        max_length=64,
        default="",
        allow_blank=True,
        help_text="Said twice by the same caller, the action is agreed once.",
    )


class EndEntry(s.Serializer[Any]):
    """What became of an action."""

    note = s.CharField(max_length=Action.LONGEST, default="", allow_blank=True)


class DropEntry(s.Serializer[Any]):
    """Why an action is not needed any more."""

    note = s.CharField(max_length=Action.LONGEST)
