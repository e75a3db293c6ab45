"""Saying where somebody came, went or moved to, over REST; and taking it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from django.db.models import Q
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from accounts.tokens import TokenScope
from flow import bedside_reads as reads
from flow.api import describing_desk as describing
from flow.api.asking_for_beds import Desk, bed_named, details_of, key_of, record_of, ward_to_ask
from flow.api.barriers import done, entry_of, episode_in_sight
from flow.api.entries_desk import MOST, Dated, MoveEntry
from flow.api.problems import invalid, missing
from flow.api.reading import answered, form_of, now, scope, written
from flow.desk.rights import awaiting, may_move, moves_on_any
from patients.models import Episode
from wards import movements as deeds
from wards.facts import Place
from wards.models import Bed, Movement, Occupancy, Ward
from wards.placeless import home_of
from wards.provenance import BY_HAND
from wards.scope import visible_episodes

_NOT_HERE: Final = "This needs a role that moves patients where the patient is."

Said = Mapping[str, Any]


class Movements(Desk):
    """What happened to where patients are."""

    needs = TokenScope.BEDS_WRITE

    @extend_schema(**describing.MOVE)
    def post(self, request: Request) -> HttpResponse:
        """Record it; the movement, and where the patient is then."""
        self.params(request, now=now()).check()
        said = entry_of(MoveEntry, request)
        if said["kind"] == "admitted":
            moves = _admit(request, said)
        else:
            if said["episode"] is None:
                raise invalid({"episode": "Say of whose stay this is."})
            episode = episode_in_sight(request, said["episode"])
            episode = Episode.objects.select_related("visit", "patient").get(pk=episode.pk)
            moves = _DEEDS[said["kind"]](request, said, episode)
        return _answer(request, moves, HTTPStatus.CREATED)


class CancelMovement(Desk):
    """A movement is taken back."""

    needs = TokenScope.BEDS_WRITE

    @extend_schema(**describing.CANCEL_MOVE)
    def post(self, request: Request, key: int) -> HttpResponse:
        """As if it had not been said; only the last one of a stay, where it was made by hand."""
        at = now()
        self.params(request, now=at).check()
        entry_of(_Nothing, request)
        movement = (
            Movement.objects.select_related("visit", "patient").filter(pk=min(key, MOST)).first()
        )
        stay = _stay_of(request, movement) if movement is not None else None
        if movement is None or stay is None:
            raise missing("movement of this key")
        if not _may_take_back(request, stay):
            raise PermissionDenied(_NOT_HERE)

        def deed() -> Movement:
            # Dated a little ahead, as clocks differ, it is the last one all the same.
            found = reads.stay_of(stay.pk, at=at + deeds.AHEAD)
            if Movement.objects.filter(cancels=movement).exists():
                raise Refused("That has been undone already.")
            if found is None or found.undo is None or found.undo.id != movement.pk:
                raise Refused(
                    "Only the last movement of a stay can be undone, where it was made by hand; "
                    "what a feed said is corrected at its source."
                )
            return deeds.cancel(movement=movement, at=at, by=_caller(request))

        return _answer(request, [(done(deed), stay.pk)], HTTPStatus.OK)


class _Nothing(Dated):
    """Nothing has to be said with it."""

    def get_fields(self) -> dict[str, Any]:
        """No field at all."""
        return {}


Made = Sequence[tuple[Movement, int]]
"""Movements, each with its stay."""


def _admit(request: Request, said: Said) -> Made:
    person = said["person"]
    if person is None and said["episode"] is not None:
        return _come(request, said)
    if person is None:
        raise invalid({"person": "Say who is admitted."})
    ward, place = _place(request, said, near=None)
    if not scope(request).may(Permission.MOVE_PATIENTS, ward.pk):
        raise PermissionDenied("Admitting somebody needs a role on the ward that moves patients.")
    key = key_of(request, said, "admitted", ward.pk)
    admitted = done(
        lambda: deeds.admit(
            person=record_of(person, ward),
            place=place,
            at=now(),
            by=_caller(request),
            occurred_at=said["occurred_at"],
            details=details_of(person),
            confirmed=said["confirmed"],
            others=said["others"],
            reason=said["reason"],
            key=key,
        )
    )
    return [(Movement.objects.get(source=BY_HAND, key=key), admitted.pk)]


def _come(request: Request, said: Said) -> Made:
    """Whoever was expected is here."""
    episode = Episode.objects.select_related("visit", "patient").get(
        pk=episode_in_sight(request, said["episode"]).pk
    )
    ward, place = _place(request, said, near=None)
    if not scope(request).may(Permission.MOVE_PATIENTS, ward.pk):
        raise PermissionDenied("Admitting somebody needs a role on the ward that moves patients.")
    came = done(
        lambda: deeds.come(
            episode=episode,
            place=place,
            at=now(),
            by=_caller(request),
            occurred_at=said["occurred_at"],
            reason=said["reason"],
            key=key_of(request, said, "come", episode.pk),
        )
    )
    return [(came, episode.pk)]


def _transfer(request: Request, said: Said, episode: Episode) -> Made:
    seen, at = scope(request), now()
    here = Occupancy.objects.filter(episode=episode, period__contains=at)
    near = here.values_list("ward__site_id", flat=True).first()
    hosts = may_move(seen, episode, at=at)
    if not hosts and not moves_on_any(seen, awaiting(episode.pk, at=at)):
        raise PermissionDenied(_NOT_HERE)
    ward, place = _place(request, said, near=near if hosts else None)
    # Whoever does not give the beds of a ward of the site sends them there without one.
    given_there = hosts and place.bed is None and ward.site_id == near
    if not seen.may(Permission.MOVE_PATIENTS, ward.pk) and not given_there:
        raise PermissionDenied("Giving a bed needs a role on its ward that moves patients.")
    moved = done(
        lambda: deeds.transfer(
            episode=episode,
            place=place,
            at=at,
            by=_caller(request),
            occurred_at=said["occurred_at"],
            reason=said["reason"],
            key=key_of(request, said, "transferred", episode.pk),
        )
    )
    return [(moved, episode.pk)]


def _swap(request: Request, said: Said, episode: Episode) -> Made:
    if said["other"] is None:
        raise invalid({"other": "Say with whom they swap places."})
    other = episode_in_sight(request, said["other"])
    other = Episode.objects.select_related("visit", "patient").get(pk=other.pk)
    _check_moves(request, episode)
    _check_moves(request, other)
    moved = done(
        lambda: deeds.swap(
            one=episode,
            other=other,
            at=now(),
            by=_caller(request),
            occurred_at=said["occurred_at"],
            reason=said["reason"],
            key=key_of(request, said, "swapped", f"{episode.pk} {other.pk}"),
        )
    )
    return list(zip(moved, (episode.pk, other.pk), strict=True))


def _discharge(request: Request, said: Said, episode: Episode) -> Made:
    _check_moves(request, episode)
    moved = done(
        lambda: deeds.discharge(
            episode=episode,
            at=now(),
            by=_caller(request),
            occurred_at=said["occurred_at"],
            destination=said["destination"],
            key=key_of(request, said, "discharged", episode.pk),
        )
    )
    return [(moved, episode.pk)]


def _away(deed: Callable[..., Movement]) -> Callable[[Request, Said, Episode], Made]:
    """Going on leave, or coming back from it."""

    def do(request: Request, said: Said, episode: Episode) -> Made:
        _check_moves(request, episode)
        moved = done(
            lambda: deed(
                episode=episode,
                at=now(),
                by=_caller(request),
                occurred_at=said["occurred_at"],
                key=key_of(request, said, said["kind"], episode.pk),
            )
        )
        return [(moved, episode.pk)]

    return do


_DEEDS: Final[Mapping[str, Callable[[Request, Said, Episode], Made]]] = {
    "transferred": _transfer,
    "swapped": _swap,
    "discharged": _discharge,
    "left": _away(deeds.leave),
    "returned": _away(deeds.return_),
}


def _place(request: Request, said: Said, *, near: int | None) -> tuple[Ward, Place]:
    """The ward and the bed that the body names. Raises a 400 problem for what is not there."""
    seen = scope(request)
    ward = ward_to_ask(said["ward"], said["site"] if said["ward"] else "", seen=seen, near=near)
    if said["bed"] is not None:
        bed = bed_named(said["bed"], seen=seen)
        if ward is not None and bed.ward_id != ward.pk:
            raise invalid({"bed": f"Bed {bed.label} is not on the ward {ward.code}."})
        return bed.ward, Place(bed.ward_id, bed.bay_id, bed.pk)
    if ward is None:
        raise invalid({"ward": "Name the ward, or the bed by its key."})
    label = said["bed_label"]
    if not label:
        return ward, Place(ward.pk)
    beds = list(Bed.objects.filter(ward=ward, label=label, same_as=None)[:2])
    if not beds:
        raise invalid({"bed_label": f"There is no bed {label} on that ward."})
    if len(beds) > 1:
        raise invalid({"bed_label": f"Several bays have a bed {label}; give the key of the bed."})
    return ward, Place(ward.pk, beds[0].bay_id, beds[0].pk)


def _check_moves(request: Request, episode: Episode) -> None:
    if not may_move(scope(request), episode, at=now()):
        raise PermissionDenied(_NOT_HERE)


def _stay_of(request: Request, movement: Movement) -> Episode | None:
    """The stay that a movement is of, if the caller may see whose it is."""
    theirs = Episode.objects.filter(
        Q(visit=movement.visit_id) | Q(visit=movement.visit.merged_into_id),
        patient__person=movement.patient.person_id,
    )
    seen = visible_episodes(theirs, scope(request), Permission.SEE_PATIENTS)
    return seen.select_related("visit", "patient").order_by("-ordinal").first()


def _may_take_back(request: Request, stay: Episode) -> bool:
    """Whether the caller moves patients where they are or, once they have left, were last."""
    at, seen = now(), scope(request)
    last = reads.left_from(stay.pk, at=at)
    if Occupancy.objects.filter(episode=stay, period__contains=at).exists() or last is None:
        return may_move(seen, stay, at=at)
    if seen.held(Permission.MOVE_PATIENTS).covers(home_of(stay)[0]):
        return True
    return seen.may(Permission.MOVE_PATIENTS, last.ward_id)


def _caller(request: Request) -> User:
    user = request.user
    assert isinstance(user, User)
    return user


def _answer(request: Request, made: Made, status: HTTPStatus) -> HttpResponse:
    moves = Movement.objects.select_related("ward__site", "bay", "bed", "by").in_bulk(
        [move.pk for move, _ in made]
    )
    told = [{"movement": _told(moves[move.pk], e), "now": _now(e)} for move, e in made]
    answer = {**told[0], "other": told[1] if len(told) > 1 else None}
    response = answered(request, written(form_of(request), answer, rows=lambda: told))
    response.status_code = status
    return response


def _told(move: Movement, episode: int) -> dict[str, Any]:
    return {
        "id": move.pk,
        "kind": move.kind,
        "episode": episode,
        "occurred_at": move.occurred_at,
        "recorded_at": move.recorded_at,
        "by": str(move.by) if move.by else None,
        "cancels": move.cancels_id,
        **_spot(move),
    }


def _now(episode: int) -> dict[str, Any]:
    """Where the patient of a stay is."""
    at = now()
    stay = Episode.objects.get(pk=episode)
    # What was dated a little ahead counts as it was said.
    here = (
        Occupancy.objects.select_related("ward__site", "bay", "bed")
        .filter(episode=episode, period__endswith__isnull=True)
        .order_by("-period__startswith")
        .first()
    )
    return {
        "episode": episode,
        "status": stay.status_at(at),
        "admitted_at": stay.admitted_at,
        "discharged_at": stay.discharged_at,
        "since": here.period.lower if here else None,
        "on_leave": here.on_leave if here else False,
        **_spot(here),
    }


def _spot(row: Movement | Occupancy | None) -> dict[str, Any]:
    if row is None or row.ward is None:
        return dict.fromkeys(("ward", "site", "bay", "bed", "label"))
    return {
        "ward": row.ward.code,
        "site": row.ward.site.code,
        "bay": row.bay.code if row.bay else None,
        "bed": row.bed_id,
        "label": row.bed.label if row.bed else None,
    }
