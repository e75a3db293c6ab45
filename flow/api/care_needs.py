"""What a patient needs of a bed, over REST: what was said, and saying it."""

from __future__ import annotations

from dataclasses import fields, replace
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from flow.api import describing_desk as describing
from flow.api.asking_for_beds import Desk, key_of, said_now
from flow.api.barriers import done, entry_of, episode_in_sight
from flow.api.entries_desk import NeedsEntry
from flow.api.needs_told import said_told
from flow.api.reading import answered, form_of, now, scope, written
from flow.desk.rights import may_ask
from patients import identity
from patients.models import CareNeeds
from wards.care_needs import Needed, latest, say


class NeedsOfEpisode(Desk):
    """What was said of what one patient needs."""

    @extend_schema(**describing.NEEDS)
    def get(self, request: Request, key: int) -> HttpResponse:
        """The latest first; it says how it stands."""
        self.params(request, now=now()).check()
        episode = episode_in_sight(request, key)
        rows = CareNeeds.objects.filter(episode=episode).select_related("by")
        results = [said_told(row) for row in rows.order_by("-occurred_at", "-pk")]
        return answered(request, written(form_of(request), {"results": results}))

    @extend_schema(**describing.SAY_NEEDS)
    def post(self, request: Request, key: int) -> HttpResponse:
        """Say what they need from now on; what is left out is as it was."""
        self.params(request, now=now()).check()
        entry = entry_of(NeedsEntry, request)
        episode = episode_in_sight(request, key)
        if not may_ask(scope(request), episode, at=now()):
            raise PermissionDenied(
                "This needs a role that moves patients where the patient is, or is to go."
            )

        def deed() -> CareNeeds:
            with transaction.atomic():
                identity.lock_people([episode.patient_id])
                said = said_now(request, entry["occurred_at"])
                last = latest([episode.pk], at=said.when).get(episode.pk)
                before = Needed.of(last) if last is not None else Needed()
                told: dict[str, Any] = {}
                for one in fields(Needed):
                    if one.name in entry:
                        value = entry[one.name]
                        told[one.name] = tuple(value) if isinstance(value, list) else value
                return say(
                    episode=episode,
                    needed=replace(before, **told),
                    said=said,
                    key=key_of(request, entry, "needs", episode.pk),
                )

        row = said_told(done(deed))
        response = answered(request, written(form_of(request), row, rows=lambda: [row]))
        response.status_code = HTTPStatus.CREATED
        return response
