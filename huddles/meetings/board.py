"""A meeting as its chair, the room and its wards see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.db.models import Case, Q, Value, When
from django.db.models.functions import Coalesce

from accounts.models import User
from accounts.roles import Permission
from flow.board_types import Place, WardLine
from huddles.actions.reading import shown, with_all
from huddles.actions.states import with_states
from huddles.masking import masked
from huddles.meetings.agenda import Agenda
from huddles.meetings.board_types import Board, Due, Line, Texts, Totals
from huddles.meetings.figures import NUMBERS, OF_BEDS
from huddles.meetings.happened import happened
from huddles.meetings.helping import Help, Helping, helping
from huddles.meetings.holding import version_of
from huddles.meetings.knowing import ASKED, Known, known
from huddles.meetings.manner import manner_of
from huddles.meetings.what_ifs import WhatIf, what_ifs
from huddles.models import Action, Huddle, HuddleLine, HuddleTemplate, Section
from huddles.names import words_to_hide
from wards.models import Site, Ward
from wards.scope import Scope


def board_of(
    template: HuddleTemplate,
    starts_at: datetime,
    *,
    at: datetime,
    viewer: User | None,
    scope: Scope | None,
) -> Board:
    """The meeting of that start as somebody sees it at `at`; a fixed number of queries.

    Without a viewer and scope, as a screen in a room shows it: nobody is named, and what was typed
    is without the words of patients' names. Give the template with its site fetched.
    """
    site = template.site
    huddle = _huddle(template, starts_at)
    manner = manner_of(template, starts_at, huddle)
    horizons = manner.horizons
    hidden = words_to_hide(at)
    told = known(site, at=at, horizons=horizons)
    lines = _lines(template, huddle, horizons, told, scope=scope, hidden=hidden)
    agenda = Agenda.of(manner.agenda, [line.ward.id for line in lines])
    step = huddle.step if huddle is not None and huddle.step in agenda else agenda.first
    previous, agreed = _actions(template, huddle, starts_at, at=at)
    rows = list(shown([*previous, *agreed], viewer, scope, at=at, hidden=hidden))
    return Board(
        template=template,
        manner=manner,
        starts_at=starts_at,
        moment=at,
        huddle=huddle,
        agenda=agenda,
        step=step,
        lines=lines,
        totals=_totals(lines, horizons, at=at),
        previous=tuple(rows[: len(previous)]),
        agreed=tuple(rows[len(previous) :]),
        before=happened(template, starts_at, at=at) if step == Section.PREVIOUS else None,
        helping=_helping(site, told, scope, at=at) if step == Section.SITE else None,
        what_ifs=_what_ifs(site, told, scope, at=at) if step == Section.SITE else (),
        safety=_safety(huddle, site, scope, hidden),
        may_lead=scope is not None and scope.may_at_site(Permission.RUN_HUDDLES, site.pk),
    )


def _huddle(template: HuddleTemplate, starts_at: datetime) -> Huddle | None:
    rows = Huddle.objects.filter(template=template, starts_at=starts_at)
    return rows.select_related("chair", "closed_by", "template__site").first()


def _lines(
    template: HuddleTemplate,
    huddle: Huddle | None,
    horizons: Sequence[datetime],
    told_of: Mapping[int, tuple[WardLine, Known]],
    *,
    scope: Scope | None,
    hidden: frozenset[str],
) -> tuple[Line, ...]:
    speakers = {one.ward_id: one for one in template.speakers.all()}
    said = {}
    if huddle is not None:
        said = {one.ward_id: one for one in huddle.lines.select_related("by")}
    found = []
    for key, (line, told) in told_of.items():
        speaker = speakers.get(key)
        asked = speaker.is_asked if speaker is not None else line.place.kind in ASKED
        if not asked and key not in said:
            continue
        found.append(
            _line(
                line.place, speaker.who if speaker else "", told, said.get(key), horizons,
                sees=scope is not None and scope.may(Permission.SEE_PATIENTS, key),
                may=scope is not None and may_confirm(scope, template.site_id, key),
                hidden=hidden,
            )
        )  # fmt: skip
    return tuple(found)


def may_confirm(scope: Scope, site: int, ward: int) -> bool:
    """Whether somebody may say the line of a ward: they move its patients, or run the meetings."""
    return scope.may(Permission.MOVE_PATIENTS, ward) or scope.may_at_site(
        Permission.RUN_HUDDLES, site
    )


def _line(
    ward: Place,
    who: str,
    told: Known,
    said: HuddleLine | None,
    horizons: Sequence[datetime],
    *,
    sees: bool,
    may: bool,
    hidden: frozenset[str],
) -> Line:
    source: Known | HuddleLine = told if said is None else said
    definite, possible = (
        list(row) if len(row) == len(horizons) else [None] * len(horizons)
        for row in (source.definite, source.possible)
    )
    return Line(
        ward=ward,
        who=who,
        known=told,
        confirmed_at=said.confirmed_at if said else None,
        by=str(said.by) if said else "",
        version=version_of(said),
        numbers={figure.value: getattr(source, name) for figure, name in NUMBERS.items()},
        dues=tuple(map(Due, horizons, definite, possible)),
        nurses_planned=said.nurses_planned if said else told.nurses.planned,
        nurses_actual=said.nurses_actual if said else told.nurses.actual,
        texts=_texts(said, sees, hidden) if said else Texts(),
        may_confirm=may,
    )


def _texts(said: HuddleLine | Huddle, sees: bool, hidden: frozenset[str]) -> Texts:
    def read(text: str | None) -> str | None:
        return text if text is None or sees else masked(text, hidden)

    concern = said.concern if isinstance(said, HuddleLine) else ""
    return Texts(read(concern) or "", read(said.harm), read(said.hazard))


def _helping(
    site: Site, told: Mapping[int, tuple[WardLine, Known]], scope: Scope | None, *, at: datetime
) -> Helping:
    """What would help; who may not see the patients of a ward is told of none of them."""
    found = helping(site, told, at=at)
    return found if scope is None else replace(found, helps=_in_sight(found.helps, scope))


def _what_ifs(
    site: Site, told: Mapping[int, tuple[WardLine, Known]], scope: Scope | None, *, at: datetime
) -> tuple[WhatIf, ...]:
    """The scenarios kept lately, for whoever may see the patients of the whole site, as they may
    name any of them."""
    if scope is None or not scope.may_at_site(Permission.SEE_PATIENTS, site.pk):
        return ()
    return what_ifs(site, {key: line.place.name for key, (line, _k) in told.items()}, at=at)


def _in_sight(helps: tuple[Help, ...], scope: Scope) -> tuple[Help, ...]:
    return tuple(
        one
        for one in helps
        if not one.is_of_a_patient or scope.may(Permission.SEE_PATIENTS, one.ward)
    )


def _safety(
    huddle: Huddle | None, site: Site, scope: Scope | None, hidden: frozenset[str]
) -> Texts:
    if huddle is None:
        return Texts()
    sees = scope is not None and scope.may_at_site(Permission.SEE_PATIENTS, site.pk)
    return _texts(huddle, sees, hidden)


def _totals(lines: Sequence[Line], horizons: Sequence[datetime], *, at: datetime) -> Totals:
    inpatient = [line for line in lines if line.ward.kind != Ward.Kind.EMERGENCY]
    return Totals(
        numbers={
            name: _sum(line.numbers[name] for line in (inpatient if name in OF_BEDS else lines))
            for name in NUMBERS
        },
        dues=tuple(
            Due(
                moment,
                _sum(line.dues[place].definite for line in inpatient),
                _sum(line.dues[place].possible for line in inpatient),
            )
            for place, moment in enumerate(horizons)
        ),
        nurses_planned=_sum(line.nurses_planned for line in lines),
        nurses_actual=_sum(line.nurses_actual for line in lines),
        confirmed=sum(line.confirmed_at is not None for line in lines),
        wards=len(lines),
        as_at=min((line.known.figures.as_at for line in lines), default=at),
        stale=any(line.known.figures.stale for line in lines),
    )


def _sum(numbers: Iterable[int | None]) -> int | None:
    told = [number for number in numbers if number is not None]
    return sum(told) if told else None


def _actions(
    template: HuddleTemplate, huddle: Huddle | None, starts_at: datetime, *, at: datetime
) -> tuple[list[Action], list[Action]]:
    """The actions of earlier meetings that are open or ended since the last one began, and those
    of this one; one query."""
    last = (
        Huddle.objects.filter(template=template, starts_at__lt=starts_at, opened_at__isnull=False)
        .order_by("-starts_at")
        .values_list("starts_at", flat=True)
        .first()
    )
    since = last or starts_at
    mine = Q(huddle=huddle) if huddle is not None else Q(pk__in=[])
    earlier = Q(huddle__template=template, huddle__starts_at__lt=starts_at)
    # What is still open has not ended before then either.
    ends = Coalesce("ended_at", Value(max(at, since)))
    rows = with_states(Action.objects.filter(mine | earlier), at=at).alias(ends=ends)
    rows = rows.filter(mine | Q(ends__gte=since))
    # However many are left of earlier meetings, those of this one are never cut off.
    mine_first = [Case(When(mine, then=0), default=1)] if huddle is not None else []
    found = list(with_all(rows).order_by(*mine_first, "due_at", "pk")[:200])
    own = huddle.pk if huddle is not None else 0
    return (
        [one for one in found if one.huddle_id != own],
        [one for one in found if one.huddle_id == own],
    )
