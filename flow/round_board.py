"""The board round of one ward, and what the ward board tells of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.utils import timezone

from flow.barriers import Waiting, Wanted, waiting
from flow.board_types import Face, Place
from flow.days import midnight
from flow.faces import faces
from flow.figure_types import Group
from flow.kinds import GROUP_OF
from flow.moment import Moment
from flow.round_rows import plan_changes, round_rows
from flow.round_types import (
    PlanChange,
    RoundBoard,
    RoundFigures,
    RoundPatient,
    RoundRow,
    RoundStatus,
)
from flow.safer import safer
from wards.models import Ward
from wards.scope import Scope


def has_rounds(ward: Ward) -> bool:
    """Whether a ward of this kind holds board rounds: where people stay overnight or are cared
    for at home."""
    return GROUP_OF[ward.kind] in (Group.INPATIENT, Group.HOME)


def round_board(ward: Ward, *, moment: Moment, scope: Scope) -> RoundBoard:
    """Everybody on the ward, what was found for them and what they wait for; five queries.

    Whether the viewer may see the ward's patients is the caller's question. Give `ward` with
    its site fetched.
    """
    rows = round_rows(ward.pk, moment)
    plans = plan_changes([row.episode for row in rows], moment)
    wanted = Wanted(wards=(ward.code,), sites=(ward.site.code,))
    figures = figures_of(rows, at=moment.at)
    return RoundBoard(
        moment=moment.at,
        place=Place(ward.pk, ward.code, ward.name, ward.site.code, ward.kind),
        site_name=ward.site.name,
        patients=tuple(
            _patients(
                rows,
                plans=plans,
                barriers=waiting(moment, scope=scope, wanted=wanted),
                known=faces({row.patient for row in rows}),
                at=moment.at,
            )
        ),
        figures=figures,
        safer=safer(ward.pk, moment, rows=rows, status=figures.status),
    )


def round_figures(ward: Ward, moment: Moment) -> RoundFigures | None:
    """What the ward board tells of the ward's rounds; one query. None for a ward without."""
    if not has_rounds(ward):
        return None
    return figures_of(round_rows(ward.pk, moment), at=moment.at)


def _patients(
    rows: Iterable[RoundRow],
    *,
    plans: Mapping[int, Sequence[PlanChange]],
    barriers: Iterable[Waiting],
    known: Mapping[int, Face],
    at: datetime,
) -> Iterable[RoundPatient]:
    today = midnight(at)
    open_ones: defaultdict[int, list[Waiting]] = defaultdict(list)
    for barrier in barriers:
        open_ones[barrier.episode].append(barrier)
    for row in rows:
        done = row.reviewed_at is not None and row.reviewed_at >= today
        yield RoundPatient(
            row=row,
            face=known.get(row.patient),
            done=done,
            day=row.day if done else "",
            plans=tuple(plans.get(row.episode, ())),
            barriers=tuple(open_ones[row.episode]),
        )


def figures_of(rows: Sequence[RoundRow], *, at: datetime) -> RoundFigures:
    """What the rows of a ward add up to."""
    status = status_of(rows, at=at)
    today = midnight(at)
    said = [row.day for row in rows if row.reviewed_at and row.reviewed_at >= today]
    date = timezone.localtime(at).date()
    plans = [timezone.localtime(p).date() for r in rows if (p := r.expected_discharge_at)]
    return RoundFigures(
        status=status,
        ready=sum(1 for row in rows if row.ready_since is not None),
        red=said.count("red"),
        green=said.count("green"),
        planned=len(plans),
        due_today=sum(1 for plan in plans if plan <= date),
    )


def status_of(rows: Sequence[RoundRow], *, at: datetime) -> RoundStatus:
    """How far today's round is."""
    today = midnight(at)
    reviews = sorted((row.reviewed_at, row.reviewed_by) for row in rows if row.reviewed_at)
    todays = [(when, by) for when, by in reviews if when >= today]
    ended_at = todays[-1][0] if todays else None
    return RoundStatus(
        patients=len(rows),
        done=len(todays),
        came_since=sum(
            1
            for row in rows
            if ended_at is not None
            and row.since > ended_at
            and (row.reviewed_at is None or row.reviewed_at < today)
        ),
        never=sum(1 for row in rows if row.reviewed_at is None),
        began_at=todays[0][0] if todays else None,
        ended_at=ended_at,
        by=tuple(dict.fromkeys(by for _, by in todays if by)),
        as_of=reviews[0][0] if reviews else None,
    )
