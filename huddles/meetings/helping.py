"""What would help most: the gap of the next four hours, and the few things that would close it.

The gap is the forecast's: the free beds that it expects at the end of these hours, which are fewer
than none where more patients are expected than beds. Beside it stand things that somebody could do
about it today, each with the beds it would give: discharges that are announced or wait for one
thing, beds to be cleaned or opened again, moves out of critical care, escalation beds. Whoever
reads it decides; nothing here is done by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from flow.board_types import WardLine
from flow.forecasts.boards import STALE
from flow.forecasts.clock import minute_of, moment_of
from flow.forecasts.horizon import Horizon
from flow.forecasts.issued import latest_of
from flow.forecasts.outlook import SAID, Outlook, PoolKind
from huddles.actions.states import open_at
from huddles.meetings.knowing import Known
from huddles.meetings.timetable import time_near
from huddles.models import Action
from patients.models import Barrier, Code, Readiness
from wards.bed_states import states_at
from wards.models import BedRequest, Closure, Occupancy, Site, Ward

AHEAD: Final = timedelta(hours=4)
MOST: Final = {"leave": 4, "closure": 3, "clean": 3, "step_down": 2, "escalation": 2}
"""So many of each kind: a meeting agrees a few things, not a list."""
MOST_TIGHT: Final = 5
"""Wards that are told to be short of beds."""
_REOPENED_LAST: Final = Closure.Reason.INFECTION
"""A closure that no meeting ends by wanting to."""


@dataclass(frozen=True, slots=True)
class Tight:
    """A ward, by key and name, with more who wait for it now than beds expected to be free there at
    the end of the hours (rounded)."""

    ward: int
    name: str
    waiting: int
    expected: int


@dataclass(frozen=True, slots=True)
class Gap:
    """The beds of a site at `until`, as the last forecast (made at `at`) expects them: the mean,
    rounded, and the number or more that there will be with 9 chances in 10; below 0 patients
    without one. free: now; waiting: for a bed now. tight: the wards that fall short even where the
    site does not, those with the most waiting first: a bed elsewhere may be of no use to whoever
    waits. stale: a newer forecast should be there."""

    at: datetime
    until: datetime
    expected: int
    sure: int
    free: int
    waiting: int
    tight: tuple[Tight, ...]
    stale: bool

    @property
    def short(self) -> int:
        """How many beds are expected to be missing; 0 for none."""
        return max(0, -self.expected)


@dataclass(frozen=True, slots=True)
class Help:
    """A thing that would help. kind: as in `MOST`. words: of it, without anybody's name. beds: that
    it would give. subject, key: what an action about it is about (`huddles.actions.asking`), empty
    for a ward's. say: how an action for it begins. ward: key of the ward. by: when it should have
    happened, where that was said. agreed: an action about it is open already."""

    kind: str
    words: str
    beds: int
    say: str
    ward: int
    subject: str = ""
    key: int = 0
    by: datetime | None = None
    agreed: bool = False

    @property
    def is_of_a_patient(self) -> bool:
        """Whether it speaks of somebody in a bed."""
        return self.kind in ("leave", "step_down")

    @property
    def about(self) -> str:
        """The subject as a form sends it; empty without one."""
        return f"{self.subject}:{self.key}" if self.subject else ""

    def line(self, *, at: datetime) -> str:
        """The one line of an action as far as it is known; who does it is still to be said."""
        by = self.by
        if by is None or by <= at:
            return _("%(what)s by ") % {"what": self.say}
        return _("%(what)s by %(when)s, ") % {"what": self.say, "when": time_near(by, at)}


@dataclass(frozen=True, slots=True)
class Helping:
    """The gap, None where nothing is foretold, and what would help."""

    gap: Gap | None
    helps: tuple[Help, ...]

    @property
    def beds(self) -> int:
        """What all of it would give."""
        return sum(one.beds for one in self.helps if one.kind != "step_down")


def helping(site: Site, known: Mapping[int, tuple[WardLine, Known]], *, at: datetime) -> Helping:
    """What would help a site most at `at`; a fixed number of queries. `known`: its wards
    (`huddles.meetings.knowing`)."""
    inpatient = {
        key: line
        for key, (line, _told) in known.items()
        if line.place.kind in (Ward.Kind.INPATIENT, Ward.Kind.ASSESSMENT, Ward.Kind.CRITICAL_CARE,
                               Ward.Kind.MATERNITY, Ward.Kind.COMMUNITY)
    }  # fmt: skip
    gap = _gap(site, inpatient, at=at)
    helps = [
        *_leaving(inpatient, gap, at),
        *_closures(inpatient, at),
        *_cleaning(inpatient, at),
        *_step_downs(inpatient, at),
        *_escalation(inpatient, at),
    ]
    return Helping(gap, marker(site, at=at)(helps))


def marker(site: Site, *, at: datetime) -> Callable[[Iterable[Help]], tuple[Help, ...]]:
    """Tells what is agreed already apart; one query, however often it is asked."""
    open_ones = list(
        open_at(Action.objects.filter(site=site), at=at).values_list(
            "episode_id", "closure_id", "ward_id", "text"
        )
    )
    stays = {episode for episode, _closure, _ward, _text in open_ones if episode}
    closures = {closure for _episode, closure, _ward, _text in open_ones if closure}
    said = {(ward, text) for _episode, _closure, ward, text in open_ones}

    def is_agreed(one: Help) -> bool:
        if one.subject == "closure":
            return one.key in closures
        return one.key in stays if one.subject else (one.ward or None, one.say) in said

    return lambda helps: tuple(replace(one, agreed=is_agreed(one)) for one in helps)


def _gap(site: Site, wards: Mapping[int, WardLine], *, at: datetime) -> Gap | None:
    kept = latest_of({site.code}, by=at).get(site.code)
    outlook = kept.issued.outlook if kept is not None else None
    if kept is None or outlook is None or not outlook.site.has_beds:
        return None
    ahead = Horizon(outlook.at)
    place = min(ahead.at_or_after(minute_of(at + AHEAD)), len(ahead.ends) - 1)
    spread = outlook.site.spreads[place]
    return Gap(
        at=kept.row.at,
        until=moment_of(int(ahead.ends[place])),
        expected=round(spread.mean),
        sure=spread.at_least(SAID[0]),
        free=sum(line.figures.beds_available for line in wards.values()),
        waiting=sum(line.figures.waiting for line in wards.values()),
        tight=_tight(outlook, place, wards),
        stale=at - kept.row.at > STALE,
    )


def _tight(outlook: Outlook, place: int, wards: Mapping[int, WardLine]) -> tuple[Tight, ...]:
    found = []
    for key, line in wards.items():
        fan = outlook.fan(PoolKind.WARD, str(key))
        waiting = line.figures.waiting
        if fan is None or not waiting:
            continue
        expected = round(float(fan.means[place]))
        if waiting > expected:
            found.append(Tight(key, line.place.name, waiting, max(0, expected)))
    return tuple(sorted(found, key=lambda one: (one.expected - one.waiting, one.name))[:MOST_TIGHT])


def _leaving(wards: Mapping[int, WardLine], gap: Gap | None, at: datetime) -> Iterable[Help]:
    """Those whose discharge is announced, the longest ago first; then those without criteria to
    reside who wait for one thing that the hospital itself sees to. Of both those first who lie
    where beds are wanted most."""
    inside = {
        episode: (ward, label or "")
        for episode, ward, label in Occupancy.objects.filter(
            ward__in=list(wards), period__contains=at, bed__isnull=False
        ).values_list("episode_id", "ward_id", "bed__label")
    }
    announced = list(
        BedRequest.objects.filter(
            kind=BedRequest.Kind.DISCHARGE, period__contains=at, episode__in=list(inside)
        )
        .order_by("period", "pk")
        .values_list("episode_id", flat=True)
    )
    ready = Readiness.objects.filter(period__contains=at, episode__in=list(inside))
    waits: dict[int, list[str]] = {}
    for episode, label in (
        Barrier.objects.filter(
            outcome="", reason__owner=Code.Owner.TRUST, episode__in=ready.values("episode")
        )
        .order_by("period", "pk")
        .values_list("episode_id", "reason__label")
    ):
        waits.setdefault(episode, []).append(label)
    chosen = list(dict.fromkeys([*announced, *(e for e, why in waits.items() if len(why) == 1)]))
    wanted = {one.ward: place for place, one in enumerate(gap.tight if gap is not None else ())}
    chosen.sort(key=lambda episode: wanted.get(inside[episode][0], MOST_TIGHT))
    for episode in chosen[: MOST["leave"]]:
        ward, label = inside[episode]
        where = _("%(ward)s, bed %(bed)s") % {"ward": wards[ward].place.name, "bed": label}
        why = waits.get(episode, [])
        words = _("%(where)s: %(what)s") if why else _("%(where)s: discharge announced")
        yield Help(
            kind="leave",
            words=words % {"where": where, "what": why[0] if why else ""},
            beds=1,
            say=_("help bed %(bed)s to leave") % {"bed": label},
            ward=ward,
            subject="stay",
            key=episode,
        )


def _closures(wards: Mapping[int, WardLine], at: datetime) -> Iterable[Help]:
    """The closures that keep the most empty beds; those for infection last."""
    beds: Counter[int] = Counter()
    taken = set(
        Occupancy.objects.filter(ward__in=list(wards), period__contains=at).values_list(
            "bed", flat=True
        )
    )
    for state in states_at(at=at, wards=list(wards)):
        if state.closure is not None and state.in_use and state.bed not in taken:
            beds[state.closure] += 1
    rows = Closure.objects.filter(pk__in=list(beds)).select_related("ward", "bay", "bed")
    found = sorted(rows, key=lambda row: (row.reason == _REOPENED_LAST, -beds[row.pk], row.pk))
    for row in found[: MOST["closure"]]:
        what = row.bed.label if row.bed else str(row.bay) if row.bay else ""
        where = ", ".join(filter(None, [row.ward.name, what]))
        told = ngettext("%(number)d bed closed", "%(number)d beds closed", beds[row.pk])
        yield Help(
            kind="closure",
            words=_("%(where)s: %(beds)s, %(reason)s")
            % {
                "where": where,
                "beds": told % {"number": beds[row.pk]},
                "reason": row.get_reason_display().lower(),
            },
            beds=beds[row.pk],
            say=_("open %(where)s again") % {"where": where},
            ward=row.ward_id,
            subject="closure",
            key=row.pk,
        )


def _cleaning(wards: Mapping[int, WardLine], at: datetime) -> Iterable[Help]:
    """The wards with the most empty beds that wait to be cleaned."""
    return _of_wards(
        wards, "clean", {key: line.figures.beds_unready for key, line in wards.items()}
    )


def _escalation(wards: Mapping[int, WardLine], at: datetime) -> Iterable[Help]:
    """The wards with escalation beds that could be opened."""
    return _of_wards(
        wards, "escalation", {key: line.figures.beds_not_opened for key, line in wards.items()}
    )


def _of_wards(wards: Mapping[int, WardLine], kind: str, beds: Mapping[int, int]) -> Iterable[Help]:
    order = sorted((key for key in beds if beds[key]), key=lambda key: (-beds[key], key))
    for key in order[: MOST[kind]]:
        name, number = wards[key].place.name, beds[key]
        if kind == "clean":
            words = ngettext("%(ward)s: %(number)d bed to be cleaned",
                             "%(ward)s: %(number)d beds to be cleaned", number)  # fmt: skip
            say = _("clean the beds of %(ward)s")
        else:
            words = ngettext("%(ward)s: %(number)d escalation bed not open",
                             "%(ward)s: %(number)d escalation beds not open", number)  # fmt: skip
            say = _("staff and open escalation beds on %(ward)s")
        told = {"ward": name, "number": number}
        yield Help(kind, words % told, number, say % told, key)


def _step_downs(wards: Mapping[int, WardLine], at: datetime) -> Iterable[Help]:
    """Those in critical care who wait for a bed on a ward, the longest first: a critical care bed
    each, for the bed that they take."""
    critical = [key for key, line in wards.items() if line.place.kind == Ward.Kind.CRITICAL_CARE]
    rows = (
        Occupancy.objects.filter(
            Q(episode__bed_requests__kind=BedRequest.Kind.TRANSFER),
            ward__in=critical,
            period__contains=at,
            episode__bed_requests__period__contains=at,
        )
        .order_by("episode__bed_requests__period", "pk")
        .values_list("episode_id", "ward_id", "bed__label")
        .distinct()
    )
    for episode, ward, label in rows[: MOST["step_down"]]:
        words = _("%(ward)s, bed %(bed)s: waits for a bed on a ward")
        told = {"ward": wards[ward].place.name, "bed": label or "–"}
        say = _("find a ward bed for bed %(bed)s") % told
        yield Help("step_down", words % told, 1, say, ward, "step_down", episode)
