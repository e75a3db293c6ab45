"""Stays: found by visit, by number of the patient, or by ward."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from django.db.models import DateTimeField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts.roles import Permission
from accounts.tokens import TokenScope
from flow.api import describing
from flow.api.bed_lists import who
from flow.api.filters import Filters
from flow.api.formats import Row
from flow.api.params import UNSTORABLE, Params, cursor_of
from flow.api.people import records_of_mrn, records_of_nhs_number, visits_named
from flow.api.problems import WHOLE, invalid, missing
from flow.api.reading import Reader, answered, filters_of, form_of, now, scope, written
from flow.board_types import Face
from flow.faces import faces
from patients.models import Episode
from wards.models import Occupancy
from wards.scope import visible_episodes

PAGE: Final = 100
MOST: Final = 1000
STATUSES: Final = frozenset(status.value for status in Episode.Status)
_NEVER: Final = datetime(1900, 1, 1, tzinfo=UTC)


class Episodes(Reader):
    """Stays, the latest first."""

    needs = TokenScope.EPISODES_READ
    known: ClassVar = frozenset({"visit", "mrn", "ward", "site", "status", "at", "limit", "cursor"})

    @extend_schema(**describing.EPISODES)
    def get(self, request: Request) -> HttpResponse:
        """By `visit`, `mrn`, `ward` and `status`; all in sight when none is given."""
        params = self.params(request, now=now())
        results, cursor = page(request, params)
        following = None
        if cursor is not None:
            query = request.query_params.copy()
            query["cursor"] = cursor
            following = request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
        return paged(request, results, following)


class SearchEpisodes(Reader):
    """The same without a patient's number in an address."""

    needs = TokenScope.EPISODES_READ
    known: ClassVar = Episodes.known | {"nhs_number"}

    @extend_schema(**describing.SEARCH)
    def post(self, request: Request) -> HttpResponse:
        """The parameters as a JSON object; `next` is the `cursor` to send for more."""
        Params.of(request.query_params, known=(), now=now())
        params = body_params(request, known=self.known)
        return paged(request, *page(request, params))


class OneEpisode(Reader):
    """One stay by its key."""

    needs = TokenScope.EPISODES_READ

    @extend_schema(**describing.EPISODE)
    def get(self, request: Request, key: int) -> HttpResponse:
        """The stay with all its occupancies."""
        self.params(request, now=now())
        found = in_sight(request).filter(pk=key).first()
        if found is None:
            raise missing("episode of this key")
        [row] = told([found], at=now())
        return answered(request, written(form_of(request), row, rows=lambda: flat([row])))


def body_params(request: Request, *, known: Collection[str]) -> Params:
    """Parameters from a JSON object of texts. Raises a 400 problem for anything else."""
    body = request.data
    if not isinstance(body, Mapping):
        raise invalid({WHOLE: 'Send a JSON object such as {"visit": "V123"}.'})
    if any(map(UNSTORABLE.search, body)):
        raise invalid({WHOLE: "The name of a field holds a character that is no text."})
    unknown = sorted(set(body) - set(known))
    if unknown:
        names = ", ".join(sorted(known))
        raise invalid(
            dict.fromkeys(unknown, f"There is no field of this name; known are {names}."),
            kind="unknown-parameter",
        )
    given = {}
    for name, value in body.items():
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(one, str | int) and not isinstance(one, bool) for one in values):
            raise invalid({name: "Give a text."})
        given[name] = [str(one) for one in values]
    return Params(given, now())


def in_sight(request: Request) -> QuerySet[Episode]:
    """The stays whose patients the caller may see."""
    episodes = Episode.objects.select_related("visit", "provider")
    return visible_episodes(episodes, scope(request), Permission.SEE_PATIENTS)


def page(request: Request, params: Params) -> tuple[list[dict[str, Any]], str | None]:
    """One page of stays, and the cursor of the next; five queries at most, eight by `mrn`."""
    limit = params.number("limit", default=PAGE, most=MOST)
    cursor = params.place()
    episodes = _filtered(in_sight(request), params, filters_of(request, params))
    params.check()
    episodes = episodes.annotate(
        began=Coalesce("admitted_at", "expected_at", Value(_NEVER), output_field=DateTimeField())
    ).order_by("-began", "-pk")
    if cursor is not None:
        began, key = cursor
        episodes = episodes.filter(Q(began__lt=began) | Q(began=began, pk__lt=key))
    found: list[Any] = list(episodes[: limit + 1])
    last = found[limit - 1] if len(found) > limit else None
    return (
        told(found[:limit], at=params.now),
        cursor_of([last.began.isoformat(), last.pk]) if last is not None else None,
    )


def _filtered(episodes: QuerySet[Episode], params: Params, filters: Filters) -> QuerySet[Episode]:
    visit, mrn, nhs = params.text("visit"), params.text("mrn"), params.text("nhs_number")
    places = Occupancy.objects.filter(episode__in=episodes)
    wards = filters.wards(lambda codes: _carried(places, "ward__code", codes))
    sites = filters.sites(lambda codes: _carried(places, "ward__site__code", codes))
    statuses, at = params.choices("status", STATUSES), params.moment("at")
    if visit is not None:
        episodes = episodes.filter(visit__in=visits_named(visit))
    if mrn is not None:
        episodes = episodes.filter(patient__in=records_of_mrn(mrn))
    if nhs is not None:
        episodes = episodes.filter(patient__in=records_of_nhs_number(nhs))
    if statuses:
        episodes = episodes.filter(Episode.of_status(statuses, at=params.now))
    if wards or sites or at:
        there = Occupancy.objects.filter(episode=OuterRef("pk"), period__contains=at or params.now)
        if wards:
            there = there.filter(ward__code__in=wards)
        if sites:
            there = there.filter(ward__site__code__in=sites)
        episodes = episodes.filter(Exists(there))
    return episodes


def _carried(places: QuerySet[Occupancy], name: str, codes: list[str]) -> set[str]:
    """Those of the codes at which a patient in sight was, on the way."""
    return set(places.filter(**{f"{name}__in": codes}).values_list(name, flat=True).distinct())


def told(episodes: Collection[Episode], *, at: datetime) -> list[dict[str, Any]]:
    """The stays as the API tells them; two queries."""
    rows = Occupancy.objects.filter(episode__in=[one.pk for one in episodes])
    rows = rows.select_related("ward__site", "bay", "bed", "wanted_bed").order_by("period")
    places: dict[int, list[Occupancy]] = defaultdict(list)
    for row in rows:
        places[row.episode_id].append(row)
    known = faces({one.patient_id for one in episodes})
    return [_episode(one, places[one.pk], known.get(one.patient_id), at) for one in episodes]


def _episode(
    episode: Episode, places: Iterable[Occupancy], face: Face | None, at: datetime
) -> dict[str, Any]:
    return {
        "id": episode.pk,
        "visit": episode.visit.number or None,
        "status": episode.status_at(at),
        "admitted_at": episode.admitted_at,
        "discharged_at": episode.discharged_at,
        "expected_at": episode.expected_at,
        "expected_discharge_at": episode.expected_discharge_at,
        "provider": episode.provider.code if episode.provider else None,
        "patient_class": episode.patient_class or None,
        "specialty": episode.specialty or None,
        "admission_method": episode.admission_method or None,
        "consultant": episode.consultant or None,
        "discharge_destination": episode.discharge_destination or None,
        "flags": episode.flags,
        "patient": who(face),
        "occupancies": [_occupancy(place) for place in places],
    }


def _occupancy(place: Occupancy) -> dict[str, Any]:
    return {
        "ward": place.ward.code,
        "site": place.ward.site.code,
        "bay": place.bay.code if place.bay else None,
        "bed": place.bed.label if place.bed else None,
        "start": place.period.lower,
        "end": place.period.upper,
        "on_leave": place.on_leave,
        "inferred": place.inferred,
        "wanted_bed": place.wanted_bed.label if place.wanted_bed and not place.bed else None,
    }


def flat(episodes: Iterable[Row]) -> Iterable[Row]:
    """One row for each occupancy, for CSV; a stay without any has one row."""
    for episode in episodes:
        stay = {name: value for name, value in episode.items() if name != "occupancies"}
        for place in episode["occupancies"] or [{}]:
            yield stay | {f"occupancy_{name}": value for name, value in place.items()}


def paged(request: Request, results: list[dict[str, Any]], following: str | None) -> HttpResponse:
    """A page; the next is named in the body, in CSV by a Link header."""
    body = written(
        form_of(request), {"results": results, "next": following}, rows=lambda: flat(results)
    )
    linked = following is not None and following.startswith("http")
    return answered(
        request, body, headers={"Link": f'<{following}>; rel="next"'} if linked else None
    )
