"""What the drawer beside a board knows of one bed and one stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.roles import Permission
from flow.board_types import Face
from flow.faces import faces
from flow.words import TO_CHECK
from patients.models import Episode
from wards.bed_states import BedState, states_at
from wards.facts import MovementKind
from wards.held_beds import MOVES
from wards.models import Bed, BedRequest, Belonging, Movement, Occupancy, Ward
from wards.provenance import BY_HAND
from wards.scope import ALL, Scope

RECENT: Final = timedelta(hours=24)
"""How long after somebody left a bed their leaving can still be undone from it."""

_NEAR: Final = timedelta(hours=24)
"""How late or early somebody expected can still be brought to a bed from it."""

LATELY: Final = timedelta(days=7)
"""How long after somebody left their leaving can be undone from their stay, and they are found
with a way to it."""

_PLACING: Final = frozenset(
    {
        MovementKind.ADMITTED.value,
        MovementKind.TRANSFERRED.value,
        MovementKind.DISCHARGED.value,
        MovementKind.LEFT.value,
        MovementKind.RETURNED.value,
    }
)
WORDS: Final = {
    MovementKind.EXPECTED: "Expected",
    MovementKind.ADMITTED: "Admitted",
    MovementKind.TRANSFERRED: "Moved",
    MovementKind.OBSERVED: "Seen here",
    MovementKind.LEFT: "Went on leave",
    MovementKind.RETURNED: "Back from leave",
    MovementKind.DISCHARGED: "Discharged",
    MovementKind.PENDING_ADMIT: "Admission announced",
    MovementKind.PENDING_TRANSFER: "Move announced",
    MovementKind.PENDING_DISCHARGE: "Discharge announced",
    MovementKind.DELETED: "Taken out by the source",
}


_PUTTING: Final = frozenset(
    {
        MovementKind.ADMITTED.value,
        MovementKind.TRANSFERRED.value,
        MovementKind.OBSERVED.value,
        MovementKind.RETURNED.value,
    }
)


class _Row(Protocol):
    """A movement as read for the lines of a stay."""

    pk: int
    kind: str
    ward_id: int | None
    bed_id: int | None
    cancelled: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One movement of a stay. cancelled: a later one took it back. can_undo: the last thing that
    placed the patient, made by hand; what a feed said is corrected at its source, but for the
    discharge of somebody of whom it said something that contradicts it."""

    id: int
    what: str
    place: str
    occurred_at: datetime
    by: str
    cancelled: bool
    can_undo: bool


@dataclass(frozen=True, slots=True)
class Stay:
    """A patient's stay, for a viewer who may see it. place: where, at the moment."""

    episode: Episode
    face: Face | None
    occupancy: Occupancy | None
    lines: Sequence[Line]

    @property
    def undo(self) -> Line | None:
        """The movement that can be undone, if any."""
        return next((line for line in self.lines if line.can_undo), None)


@dataclass(frozen=True, slots=True)
class Choice:
    """A bed to move to. label: with its bay. note: what to know of it, may be empty. name: what
    the bed alone is called on its ward."""

    bed: int
    label: str
    note: str
    name: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may be brought to a free bed: without a bed here, or waiting to come."""

    episode: int
    name: str
    why: str


def bed_at(pk: int, *, at: datetime) -> tuple[Bed, BedState | None, Occupancy | None] | None:
    """A bed with its ward, its state, and who is in it; None where there is no such bed."""
    bed = Bed.objects.select_related("ward__site__organisation", "bay").filter(pk=pk).first()
    if bed is None:
        return None
    states = states_at(at=at, wards=[bed.ward_id])
    state = next((state for state in states if state.bed == pk), None)
    occupancy = Occupancy.objects.filter(bed=pk, period__contains=at).first()
    return bed, state, occupancy


def stay_of(episode: int, *, at: datetime, known_at: datetime | None = None) -> Stay | None:
    """A stay with its movements up to `at`, newest first; None where there is no such stay.

    `known_at`: only the movements that had been recorded by then.
    """
    found = Episode.objects.select_related("visit", "patient").filter(pk=episode).first()
    if found is None:
        return None
    occupancy = (
        Occupancy.objects.select_related("ward__site__organisation", "bed", "bay")
        .filter(episode=episode, period__contains=at)
        .first()
    )
    return Stay(
        episode=found,
        face=faces([found.patient_id]).get(found.patient_id),
        occupancy=occupancy,
        lines=_lines(found, at=at, known_at=known_at),
    )


def _lines(episode: Episode, *, at: datetime, known_at: datetime | None) -> list[Line]:
    """The movements of the visit up to `at`, as far as recorded by `known_at` (None: by now);
    those that only take another back show as that other's end.

    Of a visit number used for two patients, what was said of the other's stay is left out. What
    was said without a number is where it belongs.
    """
    known = Q() if known_at is None else Q(recorded_at__lte=known_at)
    taken_back = Movement.objects.filter(known, cancels=OuterRef("pk"))
    counted = Belonging.objects.filter(movement=OuterRef("pk"))
    elsewhere = counted.exclude(visit=episode.visit_id)
    lent = list(Belonging.objects.filter(visit=episode.visit_id).values_list("pk", flat=True))
    others = Episode.objects.filter(visit=episode.visit_id).exclude(
        patient__person=episode.patient.person_id
    )
    rows = (
        Movement.objects.filter(
            Q(visit=episode.visit_id) | Q(into_visit=episode.visit_id) | Q(pk__in=lent)
        )
        .exclude(Exists(elsewhere))
        .exclude(patient__person__in=others.values("patient__person"))
        .filter(kind__in=[kind.value for kind in WORDS])
        .filter(known, occurred_at__lte=at)
        .annotate(cancelled=Exists(taken_back))
        .select_related("ward", "bed", "by")
        .order_by("-occurred_at", "-sent_at", "-pk")
    )
    listed = list(rows)
    repeats = _repeats(listed)
    placing = [row for row in listed if row.kind in _PLACING and not row.cancelled]
    undo = _undoable(episode, placing)
    return [
        Line(
            id=row.pk,
            what=WORDS[MovementKind(row.kind)],
            place=_place(row.ward, row.bed),
            occurred_at=row.occurred_at,
            by=str(row.by) if row.by else row.source,
            cancelled=row.cancelled,
            can_undo=row.pk == undo,
        )
        for row in listed
        if row.pk not in repeats
    ]


def _undoable(episode: Episode, newest_first: Sequence[Movement]) -> int | None:
    """Which of the movements that placed somebody can be undone; see `Line`."""
    if newest_first and newest_first[0].source == BY_HAND:
        return newest_first[0].pk
    if episode.status != Episode.Status.DISCHARGED or TO_CHECK.isdisjoint(episode.flags):
        return None
    discharges = (row.pk for row in newest_first if row.kind == MovementKind.DISCHARGED)
    return next(discharges, None)


def _repeats(newest_first: Sequence[_Row]) -> set[int]:
    """The sightings that say nothing but what was known: no place, or the one just before."""
    repeats: set[int] = set()
    here: tuple[int | None, int | None] | None = None
    for row in reversed(newest_first):
        if row.cancelled:
            continue
        seen = (row.ward_id, row.bed_id)
        if row.kind == MovementKind.OBSERVED and (
            row.ward_id is None or seen == here or (here and seen == (here[0], None))
        ):
            repeats.add(row.pk)
        elif row.ward_id is not None and row.kind in _PUTTING:
            here = seen
    return repeats


def _place(ward: Ward | None, bed: Bed | None) -> str:
    if ward is None:
        return ""
    return f"{ward.name}, bed {bed.label}" if bed else ward.name


def last_in(bed: int, *, at: datetime) -> int | None:
    """The stay that left this bed last, if within `RECENT` before `at`."""
    return (
        Occupancy.objects.filter(bed=bed, period__endswith__gt=at - RECENT)
        .filter(period__endswith__lte=at)
        .order_by("-period__endswith")
        .values_list("episode_id", flat=True)
        .first()
    )


def left_from(episode: int, *, at: datetime) -> Occupancy | None:
    """Where somebody was last before they left; None where the stay has not ended yet."""
    return (
        Occupancy.objects.select_related("ward__site__organisation", "bed", "bay")
        .filter(episode=episode, period__endswith__lte=at)
        .order_by("-period__endswith")
        .first()
    )


def by_another_stay(episode: Episode, *, at: datetime) -> Occupancy | None:
    """Where the person of a stay is by another one."""
    person = episode.patient.person_id or episode.patient_id
    return (
        Occupancy.objects.select_related("ward", "bed")
        .filter(person=person, period__contains=at)
        .exclude(episode=episode)
        .first()
    )


def here_since(occupancy: Occupancy) -> datetime:
    """Since when the patient has had this very place, leave or none."""
    same = Occupancy.objects.filter(
        episode=occupancy.episode_id,
        ward=occupancy.ward_id,
        bed=occupancy.bed_id,
        period__startswith__lt=occupancy.period.lower,
    )
    since: datetime = occupancy.period.lower
    for period in same.order_by("-period__startswith").values_list("period", flat=True):
        if period.upper != since:
            break
        since = period.lower
    return since


def free_beds(ward: int, *, at: datetime) -> list[Choice]:
    """The beds of a ward that somebody can be moved to by hand: in use, open, empty."""
    taken = set(
        Occupancy.objects.filter(ward=ward, bed__isnull=False, period__contains=at).values_list(
            "bed_id", flat=True
        )
    )
    beds = Bed.objects.filter(ward=ward).select_related("bay").in_bulk()
    choices = []
    for state in states_at(at=at, wards=[ward]):
        if not state.in_use or not state.opened or state.is_closed or state.bed in taken:
            continue
        bed = beds[state.bed]
        label = f"{bed.bay}, bed {bed.label}" if bed.bay else f"Bed {bed.label}"
        note = "to be cleaned" if state.is_unready else ""
        choices.append(Choice(bed.pk, label, note, bed.label))
    return choices


def awaited_by(episode: int, *, at: datetime) -> frozenset[int]:
    """The wards asked to take the patient in."""
    asked = BedRequest.objects.filter(
        episode=episode, period__contains=at, ward__isnull=False
    ).exclude(kind__in=[BedRequest.Kind.DISCHARGE, BedRequest.Kind.EXPECTED])
    return frozenset(ward for ward in asked.values_list("ward_id", flat=True) if ward)


def wards_to_choose(scope: Scope, *, here: Ward, all_of_site: bool) -> list[Ward]:
    """The wards somebody on `here` can be moved to: those where the viewer moves patients and,
    with `all_of_site`, the others of the same site, where the bed is then given on arrival."""
    held = scope.wards(Permission.MOVE_PATIENTS)
    wards = Ward.objects.exclude(kind=Ward.Kind.UNRECOGNISED).filter(same_as=None)
    if held != ALL:
        near = Q(site=here.site_id) if all_of_site else Q()
        wards = wards.filter(Q(pk__in=held) | near)
    return list(wards.select_related("site").order_by("site__position", "site__name", "position"))


def wards_of_site(site: int) -> list[Ward]:
    """The wards of a site at which a bed can be asked for."""
    kinds = (Ward.Kind.UNRECOGNISED, Ward.Kind.THEATRE, Ward.Kind.CLINIC)
    rows = Ward.objects.filter(site=site, same_as=None).exclude(kind__in=kinds)
    return list(rows.select_related("site").order_by("position", "name"))


def candidates(ward: Ward, *, at: datetime, scope: Scope) -> list[Candidate]:
    """Who can be brought to a free bed of `ward`: those on it without one, and those who wait
    to come or are expected from a day ago to a day from now, as far as the viewer may see them."""
    here = Occupancy.objects.filter(ward=ward, bed=None, period__contains=at)
    coming = BedRequest.objects.filter(ward=ward, kind__in=MOVES, period__contains=at)
    present = Occupancy.objects.filter(period__contains=at)
    placed = dict(
        present.filter(episode__in=coming.values("episode")).values_list("episode_id", "ward__name")
    )
    found: dict[int, tuple[int, str]] = {
        episode: (patient, "on this ward without a bed")
        for episode, patient in here.values_list("episode_id", "episode__patient_id")
    }
    for episode, patient, due, since in coming.values_list(
        "episode_id", "episode__patient_id", "episode__expected_at", "period__startswith"
    ):
        if episode in placed:
            found.setdefault(episode, (patient, f"waits on {placed[episode]}"))
        elif at - _NEAR <= (due or since) < at + _NEAR:
            when = f", {timezone.localtime(due):%H:%M on %-d %B}" if due else ""
            found.setdefault(episode, (patient, f"expected{when}"))
    known = faces({patient for patient, _ in found.values()})
    return [
        Candidate(episode, shown_name(known.get(patient)), why)
        for episode, (patient, why) in found.items()
    ]


def face_of(record: int) -> Face | None:
    """The face of one record."""
    return faces([record]).get(record)


def shown_name(face: Face | None) -> str:
    """The name as boards show it."""
    if face is None or face.restricted:
        return "Restricted record"
    return face.name or "Name not known"
