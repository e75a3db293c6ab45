"""Closing and reopening beds, asking for cleaning and saying that it is done, over REST."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers as s
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from accounts.tokens import TokenScope
from flow.api import describing_beds as describing
from flow.api.barriers import done, entry_of
from flow.api.bed_lists import bed_lists
from flow.api.entries import BedDeedEntry, CleanedEntry, CleaningEntry, CloseEntry
from flow.api.problems import missing
from flow.api.reading import Reader, answered, form_of, now, scope, sight, written
from flow.moment import Moment
from wards import bed_states, cleaning
from wards.by_hand import refuse_ahead
from wards.models import Bed
from wards.scope import Scope


class BedDeed(Reader, ABC):
    """Something said of one bed. `entry` reads it, `permission` is needed on the bed's ward."""

    needs = TokenScope.BEDS_WRITE
    entry: ClassVar[type[s.Serializer[Any]]]
    permission: ClassVar[Permission]

    def post(self, request: Request, key: int) -> HttpResponse:
        """Do it; the bed as it is then, as in the lists."""
        at = now()
        self.params(request, now=at).check()
        said = entry_of(self.entry, request)
        seen, user = scope(request), request.user
        bed = _in_sight(key, seen)
        if not seen.may(self.permission, bed.ward_id):
            raise PermissionDenied("This needs a role on the bed's ward that allows it.")
        assert isinstance(user, User)
        done(lambda: self.do(bed, said, at=at, by=user, seen=seen))
        beds, _ = bed_lists([bed.ward], moment=Moment(now()), sight=sight(request))
        found = next(one for one in beds if one["id"] == bed.pk)
        return answered(request, written(form_of(request), found, rows=lambda: [found]))

    @abstractmethod
    def do(
        self, bed: Bed, said: Mapping[str, Any], *, at: datetime, by: User, seen: Scope
    ) -> object:
        """The deed itself. Raises Refused."""


@extend_schema_view(post=extend_schema(**describing.CLOSE))
class Close(BedDeed):
    """The bed is out of use."""

    entry = CloseEntry
    permission = Permission.MANAGE_BEDS

    def do(
        self, bed: Bed, said: Mapping[str, Any], *, at: datetime, by: User, seen: Scope
    ) -> object:
        refuse_ahead(said["occurred_at"], at)
        return bed_states.close(
            bed=bed.pk,
            reason=said["reason"],
            since=said["occurred_at"] or at,
            until=said["until"],
            note=said["note"],
            by=by,
        )


@extend_schema_view(post=extend_schema(**describing.REOPEN))
class Reopen(BedDeed):
    """The bed is in use again."""

    entry = BedDeedEntry
    permission = Permission.MANAGE_BEDS

    def do(
        self, bed: Bed, said: Mapping[str, Any], *, at: datetime, by: User, seen: Scope
    ) -> object:
        refuse_ahead(said["occurred_at"], at)
        closures = list(bed_states.closures_over(bed, at=at))
        own = next((one for one in closures if one.bed_id is not None), None)
        if own is None and closures:
            raise Refused("Not this bed but its bay or ward is closed; that has to be reopened.")
        if own is None:
            raise Refused("This bed is not closed.")
        return bed_states.reopen(closure=own.pk, at=said["occurred_at"] or at, by=by)


@extend_schema_view(post=extend_schema(**describing.ASK_FOR_CLEANING))
class AskForCleaning(BedDeed):
    """The bed needs cleaning."""

    entry = CleaningEntry
    permission = Permission.CLEAN_BEDS

    def do(
        self, bed: Bed, said: Mapping[str, Any], *, at: datetime, by: User, seen: Scope
    ) -> object:
        return cleaning.ask(
            bed=bed.pk,
            level=said["level"],
            at=at,
            by=by,
            occurred_at=said["occurred_at"],
            may_lower=seen.may(Permission.MOVE_PATIENTS, bed.ward_id),
            source=cleaning.BY_API,
        )


@extend_schema_view(post=extend_schema(**describing.CLEANED))
class Cleaned(BedDeed):
    """The bed is clean and ready."""

    entry = CleanedEntry
    permission = Permission.CLEAN_BEDS

    def do(
        self, bed: Bed, said: Mapping[str, Any], *, at: datetime, by: User, seen: Scope
    ) -> object:
        return cleaning.done(
            bed=bed.pk,
            level=said["level"],
            at=at,
            by=by,
            occurred_at=said["occurred_at"],
            source=cleaning.BY_API,
        )


def _in_sight(key: int, seen: Scope) -> Bed:
    """The bed, to who sees its ward's figures or cleans there. Raises a 404 problem."""
    bed = Bed.objects.select_related("ward__site").filter(pk=key, same_as=None).first()
    if bed is None or not any(
        seen.may(one, bed.ward_id) for one in (Permission.SEE_COUNTS, Permission.CLEAN_BEDS)
    ):
        raise missing("bed of this key")
    return bed
