"""What a team has to do: the steps it owns, the most costly first.

A bed day is 24 hours in a place. What a step has cost so far is the time for which its patient
met no criteria to reside while the step was waited for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation, Team
from accounts.roles import Permission
from flow.barriers import OPEN, Waiting, Wanted, waiting
from flow.board_types import Face
from flow.faces import faces
from flow.moment import Moment
from flow.reading import person_sql, read
from wards.scope import ALL, Scope

OWN: Final = Permission.OWN_STEPS
LATELY: Final = timedelta(days=7)
"""How long what is over is still listed."""


class Status(StrEnum):
    """Which steps are listed."""

    OPEN = "open"
    OVERDUE = "overdue"
    ESCALATED = "escalated"
    DONE = "done"


STATUS_WORDS: Final = {
    Status.OPEN: _("Open"),
    Status.OVERDUE: _("Past the target"),
    Status.ESCALATED: _("Escalated"),
    Status.DONE: _("Done in 7 days"),
}


@dataclass(frozen=True, slots=True)
class Contact:
    """The last time somebody was asked about it: when, by whom, what they said."""

    at: datetime
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a team. lost: bed days it has cost so far. contact: None where nobody has
    been asked yet. rung: who steps in at its level, empty for level 0."""

    waiting: Waiting
    face: Face | None
    lost: timedelta
    contact: Contact | None
    rung: str


@dataclass(frozen=True, slots=True)
class Owner:
    """A team, or an organisation for the steps that it has given to none of its teams."""

    organisation: str
    organisation_name: str
    team: str = ""
    team_name: str = ""
    team_id: int | None = None

    @property
    def name(self) -> str:
        """What to call it."""
        return self.team_name or self.organisation_name


@dataclass(frozen=True, slots=True)
class Worklist:
    """What is ours.

    steps: those asked for, the most costly first, then the oldest. counts: how many there are
    of each status on the wards asked for. wards: code, name and open steps of each ward.
    lost: bed days of all open steps listed under `wards`.
    """

    moment: datetime
    owner: Owner
    status: Status
    ward: str
    steps: tuple[Step, ...]
    counts: Mapping[Status, int]
    wards: tuple[tuple[str, str, int], ...]
    lost: timedelta


@dataclass(frozen=True, slots=True)
class OwnerLine:
    """An owner in a list: open steps, those past their target, bed days lost, the oldest."""

    owner: Owner
    open: int
    overdue: int
    lost: timedelta
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Work:
    """All that is the viewer's. lines: their teams, the most costly first. nobodys: barriers of
    patients they see for which nobody is accountable."""

    moment: datetime
    lines: tuple[OwnerLine, ...]
    nobodys: tuple[Step, ...]


def lost_by(one: Waiting, *, at: datetime) -> timedelta:
    """What the step has cost so far, or had cost when it was over."""
    if one.ready_since is None:
        return timedelta(0)
    return max(timedelta(0), (one.ended_at or at) - max(one.since, one.ready_since))


def worklist(
    owner: Owner, *, moment: Moment, scope: Scope, status: Status = Status.OPEN, ward: str = ""
) -> Worklist:
    """The steps of an owner that the scope holds; five queries."""
    at = moment.at
    ours = [
        one
        for one in waiting(
            moment,
            scope=scope,
            wanted=Wanted(
                organisations=(owner.organisation,),
                teams=(owner.team,) if owner.team else (),
                statuses=("open", "resolved", "replaced"),
            ),
        )
        if one.team == owner.team and (one.ended_at is None or at - one.ended_at <= LATELY)
    ]
    open_ones = [one for one in ours if one.ended_at is None]
    here = [one for one in ours if not ward or one.ward == ward]
    sorted_out = {each: [one for one in here if _is(one, each, at)] for each in Status}
    names = {one.ward: one.ward_name for one in open_ones}
    by_ward = Counter(one.ward for one in open_ones)
    return Worklist(
        moment=at,
        owner=owner,
        status=status,
        ward=ward,
        steps=tuple(_steps(sorted_out[status], at=at)),
        counts={each: len(found) for each, found in sorted_out.items()},
        wards=tuple((code, names[code], count) for code, count in by_ward.most_common()),
        lost=sum((lost_by(one, at=at) for one in sorted_out[Status.OPEN]), timedelta(0)),
    )


def _is(one: Waiting, status: Status, at: datetime) -> bool:
    if one.ended_at is not None:
        return status is Status.DONE
    if status is Status.OVERDUE:
        return one.overdue(at)
    return status is Status.OPEN or (status is Status.ESCALATED and one.level > 0)


def work_of(scope: Scope, *, moment: Moment) -> Work:
    """Everything the scope holds, by owner; six queries at most."""
    at = moment.at
    owners = owners_of(scope)
    rows = waiting(moment, scope=scope, wanted=OPEN)
    theirs: defaultdict[tuple[str, str], list[Waiting]] = defaultdict(list)
    for row in rows:
        theirs[row.organisation, row.team].append(row)
    lines = [_line(owner, theirs[owner.organisation, owner.team], at=at) for owner in owners]
    # A body as such is listed only while something lies with none of its teams.
    shown = [line for line in lines if line.open or line.owner.team]
    return Work(
        moment=at,
        lines=tuple(sorted(shown, key=lambda line: (-line.lost, -line.open, line.owner.name))),
        nobodys=tuple(_steps(theirs["", ""], at=at)),
    )


def _line(owner: Owner, rows: Sequence[Waiting], *, at: datetime) -> OwnerLine:
    return OwnerLine(
        owner=owner,
        open=len(rows),
        overdue=sum(1 for row in rows if row.overdue(at)),
        lost=sum((lost_by(row, at=at) for row in rows), timedelta(0)),
        oldest=min((row.since for row in rows), default=None),
    )


def owners_of(scope: Scope) -> list[Owner]:
    """The teams and organisations whose steps the scope holds; two queries at most."""
    held, bodies = scope.teams(OWN), scope.organisations(OWN)
    teams = Team.objects.select_related("organisation")
    wanted = Organisation.objects.all()
    if held != ALL:
        teams = teams.filter(pk__in=held)
    if bodies != ALL:
        wanted = wanted.filter(pk__in=bodies)
    found = [
        Owner(team.organisation.code, team.organisation.name, team.code, team.name, team.pk)
        for team in teams
    ]
    return found + [Owner(code, name) for code, name in wanted.values_list("code", "name")]


def steps_of(rows: Collection[Waiting], *, at: datetime) -> list[Step]:
    """Barriers as a list of work shows them, the most costly first; three queries."""
    return list(_steps(rows, at=at))


def _steps(rows: Collection[Waiting], *, at: datetime) -> Iterable[Step]:
    known = faces({row.patient for row in rows})
    contacts = _contacts([row.id for row in rows])
    rungs = rungs_of([row.episode for row in rows])
    steps = [
        Step(
            waiting=row,
            face=known.get(row.patient),
            lost=lost_by(row, at=at),
            contact=contacts.get(row.id),
            rung=rungs.get((row.episode, row.level), ""),
        )
        for row in rows
    ]
    return sorted(steps, key=lambda step: (-step.lost, step.waiting.since, step.waiting.id))


def _contacts(barriers: Sequence[int]) -> dict[int, Contact]:
    sql = f"""
SELECT DISTINCT ON (step.barrier_id) step.barrier_id, step.occurred_at,
       coalesce({person_sql("u")}, ''), step.note
  FROM patients_barrierstep step
  LEFT JOIN accounts_user u ON u.id = step.by_id
 WHERE step.kind = 'contacted' AND step.barrier_id = ANY(%(barriers)s)
 ORDER BY step.barrier_id, step.occurred_at DESC, step.id DESC
"""  # noqa: S608 - names of ours alone; the values travel as parameters
    rows = read(sql, {"barriers": list(barriers)}) if barriers else []
    return {barrier: Contact(at, by, note) for barrier, at, by, note in rows}


def rungs_of(episodes: Sequence[int]) -> dict[tuple[int, int], str]:
    """Who steps in, by stay and level: the ladder of the organisation of its hospital."""
    sql = """
SELECT e.id, rung.level, rung.title
  FROM patients_episode e
  JOIN patients_escalationstep rung ON rung.organisation_id = e.provider_id
 WHERE e.id = ANY(%(episodes)s)
"""
    rows = read(sql, {"episodes": list(episodes)}) if episodes else []
    return {(episode, level): title for episode, level, title in rows}
