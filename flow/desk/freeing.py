"""Moves of patients already in beds that would free beds for those who wait: told, and made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from accounts.row_keys import row_key
from flow.board_types import Face, Sight
from flow.desk.matches import Match, Scene
from flow.desk.types import Need
from flow.faces import faces
from patients.models import Episode, Patient
from wards import movements
from wards.facts import Place
from wards.models import Bed, Occupancy
from wards.scope import Scope
from wards.suitability.facts import leaves_infection
from wards.suitability.freeing_moves import EXCHANGE, FreeingMove


@dataclass(frozen=True, slots=True)
class StepTold:
    """A patient who would move, from which bed to which."""

    face: Face | None
    from_bed: Match
    to_bed: Match


@dataclass(frozen=True, slots=True)
class Freeing:
    """A move of patients already in beds that would free beds, and for whom. deed: as
    `carry_out` takes it. unclean: beds in which somebody would lie straight after somebody
    infected; it takes a reason."""

    steps: Sequence[StepTold]
    gained: Sequence[tuple[Need, Match]]
    deed: str = ""
    unclean: Sequence[Match] = ()


def freeing_told(
    moves: Iterable[FreeingMove], by_person: Mapping[int, Need], scene: Scene, sight: Sight
) -> list[Freeing]:
    """The moves with names; two queries."""
    moves = list(moves)
    records = _records({step.person for move in moves for step in move.steps})
    known = faces(records.values())
    found = []
    for move in moves:
        steps = []
        for step in move.steps:
            ward = scene.setting.beds[step.from_bed].ward
            face = known.get(records.get(step.person, 0)) if sight.sees_patients(ward) else None
            origin = scene.as_match(step.judgement)
            steps.append(StepTold(face, _plain(scene, step.from_bed, origin), origin))
        gained = [
            (by_person[one.request], scene.as_match(one.judgement))
            for one in move.then
            if one.request in by_person
        ]
        found.append(Freeing(steps, gained, _deed(move), _unclean(move, scene)))
    return found


def _unclean(move: FreeingMove, scene: Scene) -> list[Match]:
    """The beds that would be changed over without the terminal clean that they need."""
    inside = scene.setting.patients
    goes = {step.from_bed: step.to_bed for step in move.steps}
    if move.kind == EXCHANGE:
        goes |= {to: bed for bed, to in goes.items()}
    return [
        _plain(scene, bed, scene.as_match(move.steps[0].judgement))
        for bed, to in goes.items()
        if goes.get(to) == bed and leaves_infection(inside[bed], inside[to])
    ]


def _plain(scene: Scene, bed: int, like: Match) -> Match:
    """A bed with its names, where nothing was judged."""
    one = scene.setting.beds[bed]
    return Match(
        bed=bed,
        label=one.label,
        ward=scene.places[one.ward],
        bay=scene.bays.get(one.bay, "") if one.bay is not None else "",
        state=like.state,
        ready_at=None,
        chance=1.0,
        judged=like.judged,
    )


def _records(people: Iterable[int]) -> dict[int, int]:
    """For each person a record of theirs."""
    rows = Patient.objects.filter(person_id__in=list(people)).order_by("-pk")
    return {person: pk for person, pk in rows.values_list("person_id", "pk") if person}


def _deed(move: FreeingMove) -> str:
    """Who goes from where to where; of an exchange also who has to be in that other bed."""
    other = move.then[0].request if move.kind == EXCHANGE else 0
    return ";".join(f"{one.person}-{one.from_bed}-{one.to_bed}-{other}" for one in move.steps)


def carry_out(deed: str, *, scope: Scope, at: datetime, by: User, reason: str = "") -> str:
    """Make a move as it was proposed; what to say of it. Refused where somebody of it is not in
    that bed any more, the user may not move patients on all the wards, or `wards.movements`
    refuses it."""
    steps = [[row_key(part) or 0 for part in step.split("-")] for step in deed.split(";")[:2]]
    if any(len(step) != 4 for step in steps):
        raise Refused(_("That move cannot be read. Think again, and choose one that is shown."))
    beds = Bed.objects.select_related("ward").in_bulk([bed for step in steps for bed in step[1:3]])
    inside = {
        row.bed_id: row.episode
        for row in Occupancy.objects.filter(bed__in=beds, period__contains=at).select_related(
            "episode__visit", "episode__patient"
        )
    }
    for person, origin, target, _other in steps:
        if origin not in beds or target not in beds or _person(inside.get(origin)) != person:
            raise Refused(_changed())
        _check_may_move(scope, beds[origin], beds[target])
    origin, target, other = steps[0][1:]
    to = beds[target]
    words = {"bed": to.label, "ward": to.ward.name}
    partner = inside.get(target)
    if partner is None and len(steps) == 1 and not other:
        movements.transfer(
            episode=inside[origin],
            place=Place(to.ward_id, to.bay_id, to.pk),
            at=at,
            by=by,
            reason=reason,
        )
        return _("Moved to bed %(bed)s on %(ward)s.") % words
    mirrored = len(steps) == 2 and steps[1][1:3] == [target, origin]
    if partner is None or not (mirrored or _person(partner) == other):
        raise Refused(_changed())
    movements.swap(one=inside[origin], other=partner, at=at, by=by, reason=reason)
    return _("They have changed places.")


def _person(episode: Episode | None) -> int | None:
    if episode is None:
        return None
    return episode.patient.person_id or episode.patient_id


def _changed() -> str:
    return _("Somebody has been moved meanwhile. Think again: the proposal below is as it is now.")


def _check_may_move(scope: Scope, *beds: Bed) -> None:
    for bed in beds:
        if not scope.may(Permission.MOVE_PATIENTS, bed.ward_id):
            raise Refused(
                _("You may not move patients of %(ward)s. Ask who runs it.")
                % {"ward": bed.ward.name}
            )
