"""The meetings of the demo: how they are held, and the last one, so that the next has something to
ask about. Held by the deeds that a browser calls, at its time, of what was known then."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Final

from django.db import transaction

from accounts.models import Team, User
from huddles.actions.agreeing import About, agree, finish
from huddles.actions.understanding import Owner
from huddles.meetings.board import board_of
from huddles.meetings.board_types import Board, Line
from huddles.meetings.freezing import as_seen
from huddles.meetings.helping import Help
from huddles.meetings.holding import (
    Said,
    answer_safety,
    close_meeting,
    confirm,
    go_to,
    open_meeting,
    timetable_of,
)
from huddles.models import Action, Figure, Huddle, HuddleTemplate, Section
from patients.models import Episode
from wards.models import Site, Ward

_TIMES: Final = (time(8, 15), time(12, 30), time(16))
_TOOK: Final = timedelta(minutes=12)
_UNSAID: Final = 5
"""Every fifth ward has not confirmed its line."""


def set_up(codes: Iterable[str], mail_to: str) -> None:
    """A meeting of three times a day at each of these sites, unless there are some."""
    if HuddleTemplate.objects.exists():
        return
    for site in Site.objects.filter(code__in=list(codes)):
        HuddleTemplate.objects.create(
            site=site,
            name="Safety huddle",
            times=list(_TIMES),
            opens_before=180,
            mail_to=[mail_to],
        )


def hold_the_last(*, at: datetime, chair: str, speaker: str) -> None:
    """Hold the last meeting of each site before `at`, unless any was held. chair: who leads it, by
    their sign-in name; speaker: who says the lines of the wards, and cleans what is to be."""
    leads, says = (User.objects.get(username=name) for name in (chair, speaker))
    if Huddle.objects.filter(opened_at__isnull=False).exists():
        return
    for template in HuddleTemplate.objects.select_related("site__organisation"):
        starts_at = timetable_of(template).last_before(at - 2 * _TOOK)
        if starts_at is not None:
            _hold(template, starts_at, chair=leads, speaker=says, now=at)


@transaction.atomic
def _hold(
    template: HuddleTemplate, starts_at: datetime, *, chair: User, speaker: User, now: datetime
) -> None:
    def seen(at: datetime) -> Board:
        return board_of(template, starts_at, at=at, viewer=None, scope=None)

    before = starts_at - timedelta(minutes=8)
    wards = Ward.objects.in_bulk([line.ward.id for line in seen(before).lines])
    for number, line in enumerate(seen(before).lines):
        if number % _UNSAID != _UNSAID - 1:
            confirm(template=template, starts_at=starts_at, ward=wards[line.ward.id],
                    said=_as_known(line), at=before, by=speaker)  # fmt: skip
    huddle = open_meeting(template=template, starts_at=starts_at, first=Section.SITE,
                          at=starts_at, by=chair)  # fmt: skip
    helping = seen(starts_at).helping
    for number, one in enumerate(helping.helps[:4] if helping else ()):
        made = _agreed(one, wards[one.ward], huddle, number, by=chair)
        if one.kind == "clean" and (done := made.due_at - timedelta(minutes=20)) < now:
            finish(action=made, at=done, by=speaker, note="Ready")
    go_to(huddle=huddle, step=Section.CLOSE, at=starts_at + _TOOK / 2, by=chair)
    answer_safety(huddle=huddle, harm="", hazard="One lift is out of order until the afternoon",
                  at=starts_at + _TOOK / 2, by=chair)  # fmt: skip
    ends = starts_at + _TOOK
    close_meeting(huddle=huddle, frozen=as_seen(seen(ends)), at=ends, by=chair)


def _as_known(line: Line) -> Said:
    """What a nurse says who finds the line right as it is filled in."""
    return Said(
        beds_free=line.numbers[Figure.BEDS_FREE],
        unplaced=line.numbers[Figure.UNPLACED],
        outliers=line.numbers[Figure.OUTLIERS],
        side_rooms=line.numbers[Figure.SIDE_ROOMS],
        closed=line.numbers[Figure.CLOSED],
        definite=tuple(due.definite for due in line.dues),
        possible=tuple(due.possible for due in line.dues),
        nurses_planned=line.nurses_planned,
        nurses_actual=line.nurses_actual,
        harm="",
        hazard="",
    )


def _agreed(one: Help, ward: Ward, huddle: Huddle, number: int, *, by: User) -> Action:
    """What would help, agreed as a click on it would; by turns the chair does it, or a team."""
    teams = list(Team.objects.filter(organisation=ward.site.organisation_id).order_by("name")[:2])
    owner = Owner(team=teams[number % len(teams)]) if number % 2 and teams else Owner(user=by)
    about = About(ward=ward)
    if one.subject == "stay":
        about = About(ward, Episode.objects.get(pk=one.key), ending=Action.Ending.DISCHARGED)
    assert huddle.opened_at is not None, "it runs"
    return agree(
        site=ward.site, text=one.say, owner=owner, by=by, at=huddle.opened_at, about=about,
        due_at=huddle.opened_at + timedelta(hours=2 + number), huddle=huddle,
    )  # fmt: skip
