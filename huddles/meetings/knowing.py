"""What is known of each ward before anybody says anything: what a line is filled in with."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from django.conf import settings
from django.utils import timezone

from flow.board_types import Sight, WardLine
from flow.desk.matches import Scene, scene_of
from flow.figure_types import Figures
from flow.forecasts.boards import STALE
from flow.forecasts.clock import minute_of
from flow.forecasts.horizon import Horizon
from flow.forecasts.issued import Kept, latest_of
from flow.lines import View, lines_of
from wards.models import BedRequest, Occupancy, Site, Ward
from wards.shifts import on_show, today
from wards.staffing import Nurses, nurses_of, said_of
from wards.suitability.facts import BedState
from wards.suitability.rulebook import TAKES

ASKED: Final = frozenset(
    {
        Ward.Kind.EMERGENCY, Ward.Kind.ASSESSMENT, Ward.Kind.INPATIENT, Ward.Kind.CRITICAL_CARE,
        Ward.Kind.MATERNITY, Ward.Kind.COMMUNITY,
    }
)  # fmt: skip
"""Kinds of ward that are asked in a meeting unless the site says otherwise."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a ward at a moment. All are numbers; None is not known.

    definite: discharges announced for each horizon or before, those for which no time was given
    at the last alone. possible: those that the last forecast expects beside them. figures: of the
    census, with their own time. shift: the one that runs.
    """

    beds_free: int
    definite: tuple[int, ...]
    possible: tuple[int | None, ...]
    unplaced: int
    outliers: int
    side_rooms: int
    closed: int
    nurses: Nurses
    figures: Figures


def known(
    site: Site, *, at: datetime, horizons: Sequence[datetime]
) -> dict[int, tuple[WardLine, Known]]:
    """The recognised wards of a site in use, by key and in their order, with what is known of
    each; a fixed number of queries, whatever the size of the site."""
    view = View.of(now=at, at=None, known_at=None, sight=Sight())
    found = lines_of(Ward.objects.filter(site=site), view)
    lines = [line for line in found.lines if line.in_use and line.recognised]
    wards = [line.place.id for line in lines]
    scene = scene_of(site, at=at)
    inside = _inside(wards, at)
    definite = _announced(wards, horizons, at=at)
    chances = _foretold(site, inside, horizons, at=at)
    outliers, rooms = _outliers(scene), _side_rooms(scene)
    nurses = _nurses(wards, at)
    return {
        line.place.id: (
            line,
            Known(
                beds_free=line.figures.beds_available,
                definite=definite[line.place.id],
                possible=_beside(chances.get(line.place.id), definite[line.place.id]),
                unplaced=line.figures.waiting,
                outliers=outliers[line.place.id],
                side_rooms=rooms[line.place.id],
                closed=line.figures.beds_closed,
                nurses=nurses.get(line.place.id, Nurses()),
                figures=line.figures,
            ),
        )
        for line in lines
    }


def _inside(wards: Sequence[int], at: datetime) -> dict[int, int]:
    """Episode → ward of everybody there."""
    rows = Occupancy.objects.filter(ward__in=wards, period__contains=at)
    return dict(rows.values_list("episode_id", "ward_id"))


def _announced(
    wards: Sequence[int], horizons: Sequence[datetime], *, at: datetime
) -> dict[int, tuple[int, ...]]:
    """How many announced discharges are due by each horizon, by ward; what was due before now
    and has not happened still is."""
    rows = BedRequest.objects.filter(
        kind=BedRequest.Kind.DISCHARGE,
        period__contains=at,
        episode__occupancies__ward__in=wards,
        episode__occupancies__period__contains=at,
    ).values_list("episode_id", "episode__expected_discharge_at", "episode__occupancies__ward_id")
    due: dict[int, list[datetime]] = defaultdict(list)
    for _episode, expected, ward in rows.distinct():
        due[ward].append(_time_of(expected, horizons))
    return {ward: tuple(sum(one <= end for one in due[ward]) for end in horizons) for ward in wards}


def _time_of(expected: datetime | None, horizons: Sequence[datetime]) -> datetime:
    """When an announced discharge is due: at the last horizon where no hour of it was said."""
    last = horizons[-1]
    if expected is None:
        return last
    local = timezone.localtime(expected)
    is_day_alone = (local.hour, local.minute) == (0, 0)
    if is_day_alone and local.date() <= timezone.localtime(last).date():
        return last
    return expected


def _foretold(
    site: Site, inside: Mapping[int, int], horizons: Sequence[datetime], *, at: datetime
) -> dict[int, tuple[float, ...]]:
    """How many patients of each ward the last forecast expects to have left by each horizon;
    empty where there is none that is fresh."""
    kept = latest_of({site.code}, by=at).get(site.code)
    if kept is None or at - kept.row.at > STALE:
        return {}
    by_ward: dict[int, list[int]] = defaultdict(list)
    for place, episode in enumerate(kept.patients.episodes.tolist()):
        if episode in inside:
            by_ward[inside[episode]].append(place)
    columns = _columns(kept, horizons)
    return {
        ward: tuple(
            float(kept.patients.hours[places, column].sum()) if column is not None else 0.0
            for column in columns
        )
        for ward, places in by_ward.items()
    } | {ward: tuple(0.0 for _ in columns) for ward in set(inside.values()) - set(by_ward)}


def _columns(kept: Kept, horizons: Iterable[datetime]) -> list[int | None]:
    """The last hour of the forecast that ends by each horizon; None where none does."""
    ends = Horizon(kept.issued.at).ends
    found: list[int | None] = []
    for moment in horizons:
        place = int(np.searchsorted(ends, minute_of(moment), side="right")) - 1
        found.append(place if place >= 0 else None)
    return found


def _beside(
    expected: tuple[float, ...] | None, definite: tuple[int, ...]
) -> tuple[int | None, ...]:
    """The possible discharges beside the definite ones: what is expected in all, less these."""
    if expected is None:
        return tuple(None for _ in definite)
    return tuple(
        max(0, round(all_in_all) - sure)
        for all_in_all, sure in zip(expected, definite, strict=True)
    )


def _outliers(scene: Scene) -> Counter[int]:
    """How many patients lie on each ward that the site's rules say is not for them."""
    rule = scene.book.lines.get("outlier")
    found: Counter[int] = Counter()
    for bed, person in scene.setting.patients.items():
        ward = scene.setting.ward_of(scene.setting.beds[bed])
        if rule is None or ward.kind in rule.except_kinds:
            continue
        if scene.book.verdict(person, ward)[0] != TAKES:
            found[ward.key] += 1
    return found


def _side_rooms(scene: Scene) -> Counter[int]:
    """How many side rooms of each ward are empty, ready and held for nobody."""
    return Counter(
        bed.ward
        for bed in scene.setting.beds.values()
        if bed.is_side_room and bed.state == BedState.READY and scene.setting.is_empty(bed)
    )


def _nurses(wards: Sequence[int], at: datetime) -> dict[int, Nurses]:
    """What was said of the shift that runs, by ward."""
    shifts = [one for one in on_show(today(at), settings.SHIFTS, at=at) if one.runs(at)]
    return {ward: nurses_of(row) for (ward, _start), row in said_of(wards, shifts).items()}
