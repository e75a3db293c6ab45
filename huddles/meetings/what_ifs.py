"""The scenarios that somebody kept of a site's forecast, opened in a meeting: each step a thing
that can be agreed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from flow.forecasts.clock import minute_of, moment_of
from flow.forecasts.scenario import BadScenario, Gone, Opened, Scenario, from_json, to_query
from flow.forecasts.wording import scenario_said
from flow.models import KeptScenario
from huddles.meetings.helping import Help, marker
from huddles.meetings.timetable import time_near
from wards.models import Occupancy, Site

MOST: Final = 5
FRESH: Final = timedelta(days=3)
"""What was kept longer ago speaks of beds and patients of another day."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A kept scenario: its name, by whom and when, where it is looked at, and its steps. Those
    about patients who have left meanwhile are not among them."""

    name: str
    by: str
    kept_at: datetime
    address: str
    steps: tuple[Help, ...]


def what_ifs(site: Site, wards: Mapping[int, str], *, at: datetime) -> tuple[WhatIf, ...]:
    """The scenarios of a site kept lately, the latest first; three queries. `wards`: by key, the
    names of its wards."""
    rows = (
        KeptScenario.objects.filter(site=site, kept_at__gte=at - FRESH)
        .select_related("by")
        .order_by("-kept_at", "pk")[:MOST]
    )
    read = [(row, said) for row in rows if (said := _read(row)) is not None]
    patients = {one for _row, said in read for gone in said.gone for one in gone.patients}
    inside = {
        episode: (ward, label or "–")
        for episode, ward, label in Occupancy.objects.filter(
            episode__in=patients, period__contains=at, ward__in=list(wards)
        ).values_list("episode_id", "ward_id", "bed__label")
    }
    marks = marker(site, at=at)
    return tuple(
        WhatIf(
            name=row.name,
            by=str(row.by),
            kept_at=row.kept_at,
            address=f"{reverse('forecast:site', args=[site.code])}?{urlencode(to_query(said))}",
            steps=marks(_steps(said, wards, inside, at)),
        )
        for row, said in read
    )


def _read(row: KeptScenario) -> Scenario | None:
    try:
        return from_json(row.said)
    except BadScenario:
        return None


def _steps(
    said: Scenario,
    wards: Mapping[int, str],
    inside: Mapping[int, tuple[int, str]],
    at: datetime,
) -> Iterable[Help]:
    """What somebody would have to do for it to come about: beds opened, patients gone. How many
    come, and a ward that takes nobody in, is nothing to agree here and is only told."""
    for more in said.opened:
        yield _opened(more, said, wards, at)
    for gone in said.gone:
        yield from _gone(gone, wards, inside, at)
    rest = replace(said, opened=(), gone=())
    for words in scenario_said(rest, dict(wards), at=minute_of(at)) if rest else ():
        yield Help("what_if", words, 0, "", 0)


def _opened(more: Opened, said: Scenario, wards: Mapping[int, str], at: datetime) -> Help:
    [words] = scenario_said(replace(Scenario(), opened=(more,)), dict(wards), at=minute_of(at))
    place = wards.get(more.ward or 0, "")
    say = _("open %(beds)s beds on %(place)s") if place else _("open %(beds)s beds")
    told = {"beds": more.beds, "place": place}
    by = moment_of(more.since) if more.since is not None else None
    return Help("what_if", words, more.beds, say % told, more.ward or 0, by=by)


def _gone(
    gone: Gone, wards: Mapping[int, str], inside: Mapping[int, tuple[int, str]], at: datetime
) -> Iterable[Help]:
    by = moment_of(gone.by)
    for episode in gone.patients:
        if episode not in inside:
            continue
        ward, label = inside[episode]
        words = _("%(ward)s, bed %(bed)s: has left by %(when)s")
        told = {"ward": wards[ward], "bed": label, "when": time_near(by, at)}
        say = _("help bed %(bed)s to leave") % told
        yield Help("leave", words % told, 1, say, ward, "stay", episode, by)
