"""Who came, was moved and left, by what was recorded in a time: one query.

What counts is where somebody was as the movements add up (`wards.Occupancy`). When the beginning or
the end of a stay was learnt is the first time at which a movement of the visit told of that moment;
where none did, since it followed from something else, the moment itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.urls import reverse
from django.utils.translation import gettext as _

from flow.handover.since import in_short
from flow.handover.types import Kind, Told
from flow.reading import read, read_as
from wards.facts import MovementKind
from wards.models import Ward
from wards.suitability.facts import CORRIDOR

# NHS Data Dictionary, DISCHARGE DESTINATION: 79 died. HL7 table 0112: 20 died.
_DIED: Final = ("79", "20")
GAP: Final = timedelta(hours=1)
"""Who is discharged under one number and comes to another place under another within this time
was moved: many systems number a visit to an emergency department apart."""

NAMED: Final = """
named AS (
    SELECT DISTINCT coalesce(v.merged_into_id, v.id) AS visit
      FROM wards_movement m
      LEFT JOIN wards_belonging b ON b.movement_id = m.id
      JOIN patients_visit v ON v.id = coalesce(b.visit_id, m.visit_id)
     WHERE m.recorded_at >= %(since)s AND m.recorded_at < %(until)s),
family AS (
    SELECT visit AS id, visit FROM named
    UNION
    SELECT v.id, v.merged_into_id FROM named JOIN patients_visit v ON v.merged_into_id = visit),
mine AS (
    SELECT x.visit, m.id, m.occurred_at, m.admitted_at, m.discharged_at, m.recorded_at
      FROM family x
      JOIN wards_movement m ON m.visit_id = x.id
     WHERE NOT EXISTS (SELECT 1 FROM wards_belonging b WHERE b.movement_id = m.id)
    UNION ALL
    SELECT x.visit, m.id, m.occurred_at, m.admitted_at, m.discharged_at, m.recorded_at
      FROM family x
      JOIN wards_belonging b ON b.visit_id = x.id
      JOIN wards_movement m ON m.id = b.movement_id),
said AS (
    SELECT visit, told.at, min(recorded_at) AS told_at
      FROM mine CROSS JOIN LATERAL (VALUES (occurred_at), (admitted_at), (discharged_at)) told(at)
     WHERE told.at IS NOT NULL
     GROUP BY visit, told.at)"""
"""The visits of which something was recorded in the time, and of each of their moments when it was
first told."""

_SQL: Final = f"""
WITH {NAMED},
people AS (
    SELECT DISTINCT p.person_id
      FROM named
      JOIN patients_episode e ON e.visit_id = named.visit
      JOIN patients_patient p ON p.id = e.patient_id),
steps AS (
    SELECT e.id AS episode, e.visit_id, e.patient_id AS patient, e.discharged_at,
           p.died_at <= e.discharged_at + interval '1 day'
               OR e.discharge_destination = ANY(%(died)s) AS died,
           o.ward_id AS ward, bed.label AS bed, lower(o.period) AS start, upper(o.period) AS stop,
           coalesce(bed.features @> %(corridor)s::varchar[], false) AS corridor,
           coalesce(lower(o.period) - lag(upper(o.period)) OVER way <= %(gap)s, false) AS goes_on,
           coalesce(lead(lower(o.period)) OVER way - upper(o.period) <= %(gap)s, false) AS went_on,
           lag(o.ward_id) OVER way AS last_ward,
           coalesce(lag(bed.features @> %(corridor)s::varchar[]) OVER way, false) AS from_corridor
      FROM people
      JOIN wards_occupancy o ON o.person_id = people.person_id
      JOIN patients_episode e ON e.id = o.episode_id
      JOIN patients_patient p ON p.id = e.patient_id
      LEFT JOIN wards_bed bed ON bed.id = o.bed_id
    WINDOW way AS (PARTITION BY o.person_id ORDER BY lower(o.period)))
SELECT s.episode, s.patient, coalesce(s.died, false) AS died, s.discharged_at, s.ward,
       here.name AS ward_name, here.kind AS ward_kind, coalesce(s.bed, '') AS bed, s.start, s.stop,
       s.corridor, s.goes_on AND s.from_corridor AS from_corridor, s.went_on,
       there.id AS last_ward, coalesce(there.name, '') AS last_name,
       coalesce(there.kind, '') AS last_kind,
       coalesce(began.told_at, s.start) AS start_told,
       coalesce(ended.told_at, s.stop) AS stop_told
  FROM steps s
  JOIN wards_ward here ON here.id = s.ward
  LEFT JOIN wards_ward there ON there.id = s.last_ward AND s.goes_on
  LEFT JOIN said began ON began.visit = s.visit_id AND began.at = s.start
  LEFT JOIN said ended ON ended.visit = s.visit_id AND ended.at = s.stop
 WHERE s.ward = ANY(%(wards)s) OR there.id = ANY(%(wards)s)
"""  # noqa: S608 - names of ours alone; the values travel as parameters


@dataclass(frozen=True, slots=True)
class _Step:
    """Somebody in one place, and where they had come from. went_on: they came to another place.
    start_told, stop_told: when it was learnt that they came and left."""

    episode: int
    patient: int
    died: bool
    discharged_at: datetime | None
    ward: int
    ward_name: str
    ward_kind: str
    bed: str
    start: datetime
    stop: datetime | None
    corridor: bool
    from_corridor: bool
    went_on: bool
    last_ward: int | None
    last_name: str
    last_kind: str
    start_told: datetime
    stop_told: datetime | None

    def told(self, kind: Kind, words: str, **more: Any) -> Told:
        """A change that begins with this step."""
        return Told(
            kind=kind,
            at=self.start,
            told_at=self.start_told,
            wards=(self.ward, self.last_ward),
            words=words,
            patient=self.patient,
            episode=self.episode,
            address=reverse("flow:stay", args=[self.episode]),
            **more,
        )


def moves(*, since: datetime, until: datetime, wards: Collection[int]) -> list[Told]:
    """Arrivals, admissions, moves, corridor care and departures of these wards that were recorded
    in `[since, until)`."""
    params = {
        "since": since,
        "until": until,
        "wards": sorted(wards),
        "died": list(_DIED),
        "corridor": [CORRIDOR],
        "gap": GAP,
    }
    found: list[Told] = []
    for step in read_as(_Step, _SQL, params):
        if since <= max(step.start_told, step.start) < until:
            found += _begun(step, wards)
        if step.stop is not None and step.stop == step.discharged_at and not step.went_on:
            assert step.stop_told is not None, "whatever ended was told to have"
            if since <= max(step.stop_told, step.stop) < until and step.ward in wards:
                found.append(_left(step))
    return found


def _begun(step: _Step, wards: Collection[int]) -> Iterator[Told]:
    """What it means that somebody came to this place."""
    if step.corridor and not step.from_corridor and step.ward in wards:
        stop = step.stop
        more = _("until %(when)s") % {"when": in_short(stop)} if stop else _("still there")
        yield step.told(Kind.CORRIDOR, _place(step.ward_name, step.bed), more=more)
    if step.last_ward == step.ward:
        return
    words = _("%(place)s, from %(from)s") % {
        "place": _place(step.ward_name, step.bed),
        "from": step.last_name,
    }
    if step.last_ward is None:
        in_emergency = step.ward_kind == Ward.Kind.EMERGENCY
        kind = Kind.ARRIVED if in_emergency else Kind.ADMITTED
        yield step.told(kind, _place(step.ward_name, step.bed))
    elif step.last_kind == Ward.Kind.EMERGENCY and step.ward_kind != Ward.Kind.EMERGENCY:
        yield step.told(Kind.ADMITTED, words)
    else:
        yield step.told(Kind.MOVED, words)


def _left(step: _Step) -> Told:
    assert step.stop is not None
    assert step.stop_told is not None
    kind = Kind.LEFT_EMERGENCY if step.ward_kind == Ward.Kind.EMERGENCY else Kind.LEFT
    return Told(
        kind=Kind.DIED if step.died else kind,
        at=step.stop,
        told_at=step.stop_told,
        wards=(step.ward,),
        words=_("from %(place)s") % {"place": _place(step.ward_name, step.bed)},
        patient=step.patient,
        episode=step.episode,
        address=reverse("flow:stay", args=[step.episode]),
    )


def _place(ward: str, bed: str) -> str:
    return _("%(ward)s, bed %(bed)s") % {"ward": ward, "bed": bed} if bed else ward


_TAKEN_BACK: Final = {
    MovementKind.CANCELLED_ADMIT: "admission",
    MovementKind.CANCELLED_TRANSFER: "move",
    MovementKind.CANCELLED_DISCHARGE: "discharge",
}
_BACK_SQL: Final = """
SELECT m.kind, m.occurred_at, m.recorded_at, m.patient_id, place.episode_id,
       coalesce(place.ward_id, m.ward_id, m.from_ward_id), coalesce(ward.name, '')
  FROM wards_movement m
  LEFT JOIN wards_belonging b ON b.movement_id = m.id
  JOIN patients_visit v ON v.id = coalesce(b.visit_id, m.visit_id)
  LEFT JOIN LATERAL (
       SELECT o.ward_id, o.episode_id FROM patients_episode e
         JOIN wards_occupancy o ON o.episode_id = e.id
        WHERE e.visit_id = coalesce(v.merged_into_id, v.id)
        ORDER BY lower(o.period) DESC LIMIT 1) place ON true
  LEFT JOIN wards_ward ward ON ward.id = coalesce(place.ward_id, m.ward_id, m.from_ward_id)
 WHERE m.recorded_at >= %(since)s AND m.recorded_at < %(until)s AND m.kind = ANY(%(kinds)s)
   AND ward.id = ANY(%(wards)s)
"""


def taken_back(*, since: datetime, until: datetime, wards: Iterable[int]) -> list[Told]:
    """Admissions, moves and discharges that were taken back in `[since, until)`; one query."""
    words = {
        "admission": _("Admission taken back"),
        "move": _("Move taken back"),
        "discharge": _("Discharge taken back"),
    }
    params = {
        "since": since,
        "until": until,
        "wards": sorted(wards),
        "kinds": [kind.value for kind in _TAKEN_BACK],
    }
    return [
        Told(
            kind=Kind.TAKEN_BACK,
            at=at,
            told_at=told_at,
            wards=(ward,),
            words=f"{words[_TAKEN_BACK[MovementKind(kind)]]}, {name}",
            patient=patient,
            episode=episode,
            address=reverse("flow:stay", args=[episode]) if episode else "",
        )
        for kind, at, told_at, patient, episode, ward, name in read(_BACK_SQL, params)
    ]
