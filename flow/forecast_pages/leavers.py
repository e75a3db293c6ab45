"""Patients who may be chosen to have left, ward by ward, with what is known of their leaving."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from flow.board_types import Face, Sight
from flow.faces import faces
from flow.forecast_pages.trying import Typed, noon_after
from flow.forecasts.boards import ForecastBoard
from flow.forecasts.horizon import Horizon
from flow.forecasts.leaving import HOURS
from flow.forecasts.outlook import Pool, PoolKind
from flow.forecasts.phrases import tenths
from flow.forecasts.stored import Issued
from flow.moment import Moment, held
from flow.reading import read_as


@dataclass(frozen=True, slots=True)
class Leaver:
    """A patient who may be chosen. bed: its label, empty without one. known: what is known of their
    leaving, in words. chance: to have left by the time chosen anyway, in words."""

    episode: int
    face: Face | None
    bed: str
    known: str
    chance: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class WardLeavers:
    """The patients of a ward: those whose discharge is announced first, then those ready to leave,
    then the likeliest. announced, ready, chosen: how many these are."""

    ward: int
    name: str
    people: Sequence[Leaver]
    announced: int
    ready: int
    chosen: int


@dataclass(frozen=True, slots=True)
class _Known:
    """Of a stay at a moment."""

    episode: int
    patient: int
    expected: datetime | None
    announced: bool
    ready_since: datetime | None
    bed: str


def leavers(
    typed: Typed, issued: Issued, pool: Pool, *, sight: Sight, board: ForecastBoard, now: datetime
) -> Sequence[WardLeavers] | None:
    """The patients in the beds of a pool whom the viewer may see, and those chosen already; None
    for a viewer who sees no patient. Two queries."""
    if sight.patients == frozenset():
        return None
    people, chosen = issued.patients, set(typed.leaving)
    by = next((one.by for one in typed.scenario.gone), noon_after(issued.at))
    hour = min(Horizon(issued.at).at_or_after(by), HOURS - 1)
    inside: defaultdict[int, dict[int, float]] = defaultdict(dict)
    for episode, ward, chance in zip(
        people.episodes.tolist(), people.wards.tolist(), people.hours[:, hour].tolist(), strict=True
    ):
        in_pool = pool.kind is PoolKind.SITE or ward in pool.wards
        if sight.sees_patients(ward) and (in_pool or episode in chosen):
            inside[ward][episode] = chance
    known = _known([episode for there in inside.values() for episode in there], at=now)
    who = faces({one.patient for one in known.values()})
    order = {ward: n for n, ward in enumerate(board.places)}
    return [
        _ward(
            ward,
            place.name if (place := board.places.get(ward)) else _("Another ward"),
            [(known[one], chance) for one, chance in inside[ward].items() if one in known],
            who,
            chosen,
            now,
        )
        for ward in sorted(inside, key=lambda ward: order.get(ward, len(order)))
    ]


def _ward(
    ward: int,
    name: str,
    people: Iterable[tuple[_Known, float]],
    who: Mapping[int, Face],
    chosen: Collection[int],
    now: datetime,
) -> WardLeavers:
    ordered = sorted(
        people, key=lambda one: (not one[0].announced, one[0].ready_since is None, -one[1])
    )
    return WardLeavers(
        ward=ward,
        name=name,
        people=[
            Leaver(
                episode=one.episode,
                face=who.get(one.patient),
                bed=one.bed,
                known=_said(one, now),
                chance=tenths(chance),
                chosen=one.episode in chosen,
            )
            for one, chance in ordered
        ],
        announced=sum(one.announced for one, _chance in ordered),
        ready=sum(one.ready_since is not None for one, _chance in ordered),
        chosen=sum(one.episode in chosen for one, _chance in ordered),
    )


def _known(episodes: Sequence[int], *, at: datetime) -> dict[int, _Known]:
    """By episode, what is known of these stays; one query."""
    moment = Moment(at)
    theirs = "r.episode_id = ANY(%(episodes)s) AND r.period @> %(at)s::timestamptz"
    sql = f"""
SELECT e.id AS episode, e.patient_id AS patient, e.expected_discharge_at AS expected,
       EXISTS (SELECT 1 FROM {held("wards_bedrequest", moment, theirs)} asked
                WHERE asked.episode_id = e.id AND asked.kind = 'discharge') AS announced,
       lower(ready.period) AS ready_since, coalesce(bed.label, '') AS bed
  FROM patients_episode e
  LEFT JOIN {held("patients_readiness", moment, theirs)} ready ON ready.episode_id = e.id
  LEFT JOIN {held("wards_occupancy", moment, theirs)} here ON here.episode_id = e.id
  LEFT JOIN wards_bed bed ON bed.id = here.bed_id
 WHERE e.id = ANY(%(episodes)s)
"""  # noqa: S608 - the values travel as parameters
    rows = read_as(_Known, sql, moment.params | {"episodes": list(episodes)})
    return {row.episode: row for row in rows}


def _said(one: _Known, now: datetime) -> str:
    parts = []
    if one.announced:
        parts.append(_("discharge announced"))
    if one.ready_since is not None:
        days = max(0, (now - one.ready_since).days)
        said = ngettext("ready for %(days)d day", "ready for %(days)d days", days)
        parts.append(said % {"days": days} if days else _("ready to leave"))
    if one.expected is not None:
        day = formats.date_format(timezone.localtime(one.expected), "D j M")
        parts.append(_("expected %(day)s") % {"day": day})
    return ", ".join(parts)
