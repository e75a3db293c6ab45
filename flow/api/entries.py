"""What callers send to have something done about a wait."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s


class Noted(s.Serializer[Any]):
    """What every deed takes."""

    note = s.CharField(max_length=500, default="", allow_blank=True)
    occurred_at = s.DateTimeField(default=None, allow_null=True)


class RaiseEntry(Noted):
    """A new barrier."""

    reason = s.SlugField(max_length=80)
    code_set = s.SlugField(max_length=60, default="")
    organisation = s.CharField(max_length=40, default="", allow_blank=True)
    team = s.CharField(max_length=40, default="", allow_blank=True)
    person = s.CharField(max_length=100, default="", allow_blank=True)
    due_at = s.DateTimeField(default=None, allow_null=True)
    reportable = s.BooleanField(default=None, allow_null=True)
    key = s.CharField(max_length=64, default="", allow_blank=True)


class OwnerEntry(Noted):
    """Who is accountable from now on."""

    organisation = s.CharField(max_length=40, default="", allow_blank=True)
    team = s.CharField(max_length=40, default="", allow_blank=True)
    person = s.CharField(max_length=100, default="", allow_blank=True)
