"""What a meeting is to whoever looks at it: its steps, its lines, and what they add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from flow.board_types import Place
from huddles.actions.reading import Row
from huddles.meetings.agenda import Agenda, ward_of
from huddles.meetings.happened import Happened
from huddles.meetings.helping import Helping
from huddles.meetings.knowing import Known
from huddles.meetings.manner import Manner
from huddles.meetings.what_ifs import WhatIf
from huddles.models import Huddle, HuddleTemplate, Section


@dataclass(frozen=True, slots=True)
class Due:
    """Discharges by a time: so many definite and, beside them, possible; None is not known."""

    at: datetime
    definite: int | None
    possible: int | None


@dataclass(frozen=True, slots=True)
class Texts:
    """What was written, as the viewer may read it; None was not asked, empty is nothing."""

    concern: str = ""
    harm: str | None = None
    hazard: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A ward in a meeting: what it said or, until it says something, what is known.

    who: speaks for it, as the site says. confirmed_at, by: None while nobody has confirmed it.
    version: of what was said (`holding.version_of`). numbers: by figure. may_confirm: the viewer
    may.
    """

    ward: Place
    who: str
    known: Known
    confirmed_at: datetime | None
    by: str
    version: int
    numbers: Mapping[str, int | None]
    dues: tuple[Due, ...]
    nurses_planned: int | None
    nurses_actual: int | None
    texts: Texts
    may_confirm: bool

    @property
    def is_short(self) -> bool:
        """Fewer nurses at work than planned."""
        planned, actual = self.nurses_planned, self.nurses_actual
        return planned is not None and actual is not None and actual < planned


@dataclass(frozen=True, slots=True)
class Totals:
    """What the lines add up to; what no ward knows is None. Free beds and side rooms are those of
    wards: the places of an emergency department stand in its own line alone. confirmed, wards: how
    many lines of how many. as_at: of the oldest census among them."""

    numbers: Mapping[str, int | None]
    dues: tuple[Due, ...]
    nurses_planned: int | None
    nurses_actual: int | None
    confirmed: int
    wards: int
    as_at: datetime
    stale: bool


@dataclass(frozen=True, slots=True)
class StepShown:
    """A step of the agenda, as a list of them shows it. over: it has been spoken of. line: of the
    ward whose turn it is."""

    key: str
    label: str
    current: bool
    over: bool
    line: Line | None


@dataclass(frozen=True, slots=True)
class Board:
    """A meeting at a moment, held in its `manner`.

    huddle: None while nobody has said anything for it. agenda: its steps; step: the one that is
    spoken of, the first before it begins. previous: actions of earlier meetings that are open, or
    ended since the last. agreed: in this one. before: what was said in the last one, and what
    came, while that is spoken of. helping: what would help, and what_ifs: the scenarios kept
    lately, while the whole site is spoken of; the latter for the chair's eyes. may_lead: the viewer
    may open, lead and end it.
    """

    template: HuddleTemplate
    manner: Manner
    starts_at: datetime
    moment: datetime
    huddle: Huddle | None
    agenda: Agenda
    step: str
    lines: tuple[Line, ...]
    totals: Totals
    previous: tuple[Row, ...]
    agreed: tuple[Row, ...]
    before: Happened | None
    helping: Helping | None
    what_ifs: tuple[WhatIf, ...]
    safety: Texts
    may_lead: bool

    @property
    def runs(self) -> bool:
        """Whether it has begun and not ended."""
        return self.huddle is not None and self.huddle.runs

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.huddle is not None and self.huddle.closed_at is not None

    @property
    def ends_at(self) -> datetime:
        """When it is meant to end: from when it began, else from when it was to."""
        began = self.huddle.opened_at if self.huddle and self.huddle.opened_at else self.starts_at
        return began + timedelta(minutes=self.manner.lasts)

    @property
    def horizons(self) -> tuple[datetime, ...]:
        """The times by which discharges are asked for."""
        return self.manner.horizons

    @property
    def figures(self) -> tuple[str, ...]:
        """What the wards are asked for, in order."""
        return self.manner.figures

    @property
    def opens_at(self) -> datetime:
        """From when wards can confirm their lines."""
        return self.starts_at - timedelta(minutes=self.template.opens_before)

    @property
    def steps(self) -> tuple[StepShown, ...]:
        """The agenda, for a list of it."""
        lines = {f"ward:{line.ward.id}": line for line in self.lines}
        labels = {section.value: str(section.label) for section in Section}
        here = self.agenda.place(self.step)
        return tuple(
            StepShown(
                key=step,
                label=lines[step].ward.name if step in lines else labels[step],
                current=place == here and self.runs,
                over=place < here and self.runs,
                line=lines.get(step),
            )
            for place, step in enumerate(self.agenda.steps)
        )

    @property
    def shown(self) -> StepShown | None:
        """The step that is spoken of."""
        return next((one for one in self.steps if one.key == self.step), None)

    @property
    def ward_actions(self) -> tuple[Row, ...]:
        """The actions, open or of this meeting, about the ward whose turn it is."""
        key = ward_of(self.step)
        rows = (*self.agreed, *self.previous)
        return tuple(row for row in rows if row.action.ward_id == key)

    @property
    def carried_actions(self) -> tuple[Row, ...]:
        """Of them those of earlier meetings."""
        key = ward_of(self.step)
        return tuple(row for row in self.previous if row.action.ward_id == key)

    @property
    def next_step(self) -> StepShown | None:
        """What comes after."""
        after = self.agenda.after(self.step)
        return next((one for one in self.steps if one.key == after != self.step), None)

    @property
    def spoken_harm(self) -> tuple[Line, ...]:
        """The wards that said something of safety."""
        return tuple(
            one for one in self.lines if one.texts.harm or one.texts.hazard or one.texts.concern
        )

    @property
    def line(self) -> Line | None:
        """The line of the ward whose turn it is."""
        key = ward_of(self.step)
        return next((one for one in self.lines if one.ward.id == key), None)

    @property
    def unconfirmed(self) -> tuple[Line, ...]:
        """The wards that have not confirmed their lines."""
        return tuple(one for one in self.lines if one.confirmed_at is None)
