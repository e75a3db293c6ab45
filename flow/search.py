"""Search: beds, wards, sites and, where the viewer may see them, patients.

It is posted, never in an address: names and numbers of patients do not belong in the history of
a shared computer or in the log of a proxy. The words are kept in the session for a while under a
key that says nothing, and the results have that key as their address, so that one can come back
to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Final

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.roles import Permission
from flow.bedside_reads import LATELY
from flow.board_types import Face
from flow.faces import faces
from patients.models import Episode, Patient
from patients.nhs_number import normalised
from wards.models import Bed, BedRequest, Occupancy, Site, Ward
from wards.scope import ALL, Scope, scope_of, visible_episodes, visible_patients

MOST: Final = 25
"""How many of a kind are listed; who finds more says more."""

KEPT_FOR: Final = timedelta(hours=1)
KEPT: Final = 10
"""How long one can come back to a search, and to how many of the latest."""

_SEARCHES: Final = "searches"


@dataclass(frozen=True, slots=True)
class Found:
    """A patient and where they are; `place` None: nowhere we know of now. `expected`: the request
    for a bed of somebody who is to come. `left`: where they were
    until lately, if they are nowhere now. `stay`: key of a stay of theirs that goes on though
    nobody has told where."""

    face: Face
    place: Occupancy | None
    left: Occupancy | None = None
    stay: int | None = None
    expected: BedRequest | None = None


@dataclass(frozen=True, slots=True)
class FoundBed:
    """A bed. inside: who is in it, where the viewer may see them; taken: whether anybody is."""

    bed: Bed
    taken: bool
    inside: Face | None


@require_http_methods(["GET", "HEAD", "POST"])
def search(request: HttpRequest) -> HttpResponse:
    """Where to type; what was typed is kept, and its results are at an address of their own."""
    typed = request.POST.get("q", "") if request.method == "POST" else ""
    words = typed.replace("\0", "").strip()[:100]
    response: HttpResponse
    if words:
        response = redirect("flow:found", key=_keep(request, words, now=timezone.now()))
    else:
        response = render(request, "flow/search.html")
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def found(request: HttpRequest, key: str) -> HttpResponse:
    """What fits the words kept under the key, in the places and among the people that the viewer
    may see now."""
    scope = scope_of(request.user)
    now = timezone.now()
    words, since = request.session.get(_SEARCHES, {}).get(key, ("", 0))
    if now.timestamp() - since > KEPT_FOR.total_seconds():
        response = render(request, "flow/search.html", {"forgotten": True}, status=404)
    else:
        wards = list(_wards(words, scope)[: MOST + 1])
        context = {
            "words": words,
            "most": MOST,
            "moment": now,
            "wards": wards,
            "sites": list(_sites(words, scope)[:MOST]),
            # "Ward 2" is that ward, not every bed 2 of it.
            "beds": [] if wards else _beds(words, scope, at=now),
            "people": _people(words, scope, at=now),
        }
        response = render(request, "flow/search.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _keep(request: HttpRequest, words: str, *, now: datetime) -> str:
    """Keep the words in the session, with the latest others; returns their key."""
    oldest = (now - KEPT_FOR).timestamp()
    kept = request.session.get(_SEARCHES, {})
    fresh = [item for item in kept.items() if item[1][1] > oldest][1 - KEPT :]
    key = token_urlsafe(9)
    request.session[_SEARCHES] = dict([*fresh, (key, (words, now.timestamp()))])
    return key


def _wards(words: str, scope: Scope) -> QuerySet[Ward]:
    found = Ward.objects.filter(same_as=None).filter(
        Q(name__icontains=words) | Q(code__icontains=words) | Q(specialty__icontains=words)
    )
    held = scope.wards(Permission.SEE_COUNTS)
    if held != ALL:
        found = found.filter(pk__in=held)
    return found.select_related("site").order_by("site__position", "position", "name")


def _sites(words: str, scope: Scope) -> QuerySet[Site]:
    found = Site.objects.filter(Q(name__icontains=words) | Q(code__icontains=words))
    held = scope.sites_in_part(Permission.SEE_COUNTS)
    return found if held == ALL else found.filter(pk__in=held)


def _label_and_place(words: str) -> tuple[str, list[str]]:
    said = words.replace(",", " ").split()
    if len(said) > 1 and said[0].lower() == "bed":
        return said[1], said[2:]
    *place, label = [word for word in said if word.lower() != "bed"] or [""]
    return label, place


def _beds(words: str, scope: Scope, *, at: datetime) -> list[FoundBed]:
    """Beds by their label, alone or with words of their ward, bay or site: "B4", "ward 7 12", "bed
    12 ward 7"."""
    label, place = _label_and_place(words)
    if not any(char.isdigit() for char in label):
        return []
    rows = Bed.objects.filter(label__iexact=label, same_as=None, ward__same_as=None)
    for word in place:
        rows = rows.filter(
            Q(ward__name__icontains=word)
            | Q(ward__code__icontains=word)
            | Q(bay__name__icontains=word)
            | Q(ward__site__name__icontains=word)
            | Q(ward__site__code__iexact=word)
        )
    held = scope.wards(Permission.SEE_COUNTS)
    if held != ALL:
        rows = rows.filter(ward__in=held)
    rows = rows.select_related("ward__site", "bay").order_by(
        "ward__site__position", "ward__position", "ward__name", "position"
    )
    beds = list(rows[: MOST + 1])
    inside = dict(
        Occupancy.objects.filter(bed__in=beds, period__contains=at).values_list(
            "bed_id", "episode__patient_id"
        )
    )
    seen = [
        inside[bed.pk]
        for bed in beds
        if bed.pk in inside and scope.may(Permission.SEE_PATIENTS, bed.ward_id)
    ]
    known = faces(seen) if seen else {}
    return [FoundBed(bed, bed.pk in inside, known.get(inside.get(bed.pk, 0))) for bed in beds]


def _people(words: str, scope: Scope, *, at: datetime) -> list[Found]:
    """Patients by a whole number, or by the beginnings of their names.

    A restricted record is found by its number only, and then shows where, not who.
    """
    if not scope.may_anywhere(Permission.SEE_PATIENTS):
        return []
    number = normalised(words)
    fits = Q(identifier__iexact=words) | Q(identifiers__value__iexact=words)
    if number:
        fits |= Q(nhs_number=number)
    names = words.replace(",", " ").split()
    if names and not any(char.isdigit() for char in words):
        by_name = Q(is_restricted=False)
        for name in names:
            by_name &= Q(family_name__istartswith=name) | Q(given_name__istartswith=name)
        fits |= by_name
    found = visible_patients(Patient.objects.filter(fits), scope).order_by(
        "family_name", "given_name", "pk"
    )
    records = list(found.distinct().values_list("pk", "person_id")[: MOST + 1])
    known = faces([pk for pk, _ in records])
    places = Occupancy.objects.filter(
        person__in=[person for _, person in records], period__contains=at
    ).select_related("ward__site", "bed")
    by_person = {place.person_id: place for place in places}
    people = [person or pk for pk, person in records]
    nowhere = [person for person in people if person not in by_person]
    gone, staying = _left(nowhere, at=at), _staying(nowhere, scope, at=at)
    expected = _expected(nowhere, scope, at=at)
    return [
        Found(
            known[pk],
            _shown(by_person.get(person or pk), scope),
            _shown(gone.get(person or pk), scope),
            staying.get(person or pk),
            expected.get(person or pk),
        )
        for pk, person in records
    ]


def _staying(people: list[int], scope: Scope, *, at: datetime) -> dict[int, int]:
    """The stays that go on of these people, who are on no ward, as far as the viewer may see."""
    if not people:
        return {}
    stays = Episode.objects.present(at=at).filter(patient__person__in=people)
    rows = visible_episodes(stays, scope).order_by("admitted_at")
    return {person: pk for person, pk in rows.values_list("patient__person", "pk") if person}


def _expected(people: list[int], scope: Scope, *, at: datetime) -> dict[int, BedRequest]:
    """The next ward to which each of these people is to come, where the viewer sees patients."""
    if not people:
        return {}
    rows = BedRequest.objects.filter(
        episode__patient__person__in=people,
        kind__in=(BedRequest.Kind.EXPECTED, BedRequest.Kind.ADMIT),
        period__contains=at,
        ward__isnull=False,
    ).select_related("ward", "episode__patient")
    found: dict[int, BedRequest] = {}
    for row in rows.order_by("episode__expected_at", "pk"):
        person = row.episode.patient.person_id or row.episode.patient_id
        if row.ward_id and scope.may(Permission.SEE_PATIENTS, row.ward_id):
            found.setdefault(person, row)
    return found


def _left(people: list[int], *, at: datetime) -> dict[int, Occupancy]:
    """Where each of these people was last, who have left lately."""
    rows = (
        Occupancy.objects.filter(
            person__in=people, period__endswith__gt=at - LATELY, period__endswith__lte=at
        )
        .order_by("person", "-period__endswith")
        .distinct("person")
        .select_related("ward")
    )
    return {row.person_id: row for row in rows}


def _shown(place: Occupancy | None, scope: Scope) -> Occupancy | None:
    return place if place and scope.may(Permission.SEE_PATIENTS, place.ward_id) else None
