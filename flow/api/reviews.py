"""Board rounds over REST: what was found for a patient, and when."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final, cast

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from flow.api import describing_waits as describing
from flow.api.barriers import Waits, done, entry_of, episode_in_sight, said_by_caller
from flow.api.entries import ReviewEntry
from flow.api.problems import invalid
from flow.api.reading import answered, form_of, now, scope, written
from flow.barriers import may_plan
from patients.models import Code, CodeSet, Review
from wards.rounds import Found, review

_ENVELOPE: Final = ("occurred_at", "key", "round")


class Reviews(Waits):
    """The reviews of one stay."""

    @extend_schema(**describing.REVIEWS)
    def get(self, request: Request, key: int) -> HttpResponse:
        """The latest first."""
        self.params(request, now=now())
        episode = episode_in_sight(request, key)
        found = Review.objects.filter(episode=episode).select_related("by", "red_reason")
        results = [told(one) for one in found.order_by("-occurred_at", "-pk")]
        return answered(request, written(form_of(request), {"results": results}))

    @extend_schema(**describing.REVIEW)
    def post(self, request: Request, key: int) -> HttpResponse:
        """Record what was found; the whole review as it stands then."""
        said = entry_of(ReviewEntry, request)
        episode = episode_in_sight(request, key)
        if not may_plan(scope(request), episode.pk, at=now()):
            raise PermissionDenied("A review needs a role on the patient's ward.")
        found = {name: value for name, value in said.items() if name not in _ENVELOPE}
        if found.get("red_reason"):
            found["red_reason"] = _red_reason(found["red_reason"])
        made = done(
            lambda: review(
                episode=episode,
                found=cast(Found, found),
                said=said_by_caller(request, said),
                round_key=said["round"],
                key=said["key"],
            )
        )
        row = told(made)
        response = answered(request, written(form_of(request), row, rows=lambda: [row]))
        response.status_code = HTTPStatus.CREATED
        return response


def _red_reason(slug: str) -> Code:
    codes = Code.objects.filter(slug=slug, code_set__kind=CodeSet.Kind.RED_DAY)
    found = codes.filter(is_withdrawn=False).order_by("-code_set__valid_from").first()
    if found is None:
        raise invalid({"red_reason": f"There is no reason “{slug}”; /api/v1/reasons/ lists them."})
    return found


def told(one: Review) -> dict[str, Any]:
    """A review as the API tells it."""
    return {
        "id": one.pk,
        "occurred_at": one.occurred_at,
        "recorded_at": one.recorded_at,
        "by": str(one.by) if one.by else None,
        "round": str(one.round) if one.round else None,
        "criteria": one.criteria,
        "exception": one.exception or None,
        "expected_discharge_at": one.expected_discharge_at,
        "pathway": one.pathway,
        "day": one.day or None,
        "red_reason": one.red_reason.slug if one.red_reason else None,
        "senior_reviewed": one.senior_reviewed,
        "medicines": one.medicines or None,
        "transport": one.transport or None,
        "next_step": one.next_step or None,
        "frailty": one.frailty,
        "residence": one.residence or None,
    }
