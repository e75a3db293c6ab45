"""What a board round shows: frozen values for its page and for the ward board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flow.barriers import Waiting
from flow.board_types import Face, Place

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RoundRow:
    """A patient on a ward with the latest review; see `Review` for what it says.

    place: bed label, empty without one; bay: its name. since: start of the time on this ward.
    ready_since: the discharge ready date, where no criterion is met. review to next_step: of
    the latest review, `review` None where there is none. criteria: slugs met, None where nobody
    ever looked. red_reason, red_label: of that review. frailty: 1 to 9, None where not scored.
    senior_at: first time today that a review said a senior had come. earlier: what the latest
    review of another stay of the person said that says it, and when; only of what this stay has
    not said yet.
    """

    episode: int
    patient: int
    place: str
    bay: str
    on_leave: bool
    since: datetime
    admitted_at: datetime | None
    expected_discharge_at: datetime | None
    specialty: str
    consultant: str
    ready_since: datetime | None
    review: int | None
    reviewed_at: datetime | None
    reviewed_by: str
    criteria: Sequence[str] | None
    exception: str
    pathway: int | None
    day: str
    red_reason: int | None
    red_label: str
    senior_reviewed: bool | None
    medicines: str
    transport: str
    next_step: str
    frailty: int | None
    residence: str
    senior_at: datetime | None
    earlier_frailty: int | None
    earlier_frailty_at: datetime | None
    earlier_residence: str
    earlier_residence_at: datetime | None

    def stays(self, at: datetime) -> timedelta:
        """Time in hospital so far."""
        return at - (self.admitted_at or self.since)


@dataclass(frozen=True, slots=True)
class PlanChange:
    """The expected discharge date became another: `was` None the first time, `now` None when it
    was taken back. by: who or which source said so."""

    at: datetime
    was: datetime | None
    now: datetime | None
    by: str
    slipped: bool


@dataclass(frozen=True, slots=True)
class RoundPatient:
    """One patient of a round.

    row: with the latest review. face: who. done: reviewed today. day: red or green as said
    today, else empty. plans: every change of the expected date, the first first. barriers: open
    ones, the oldest first.
    """

    row: RoundRow
    face: Face | None
    done: bool
    day: str
    plans: tuple[PlanChange, ...]
    barriers: tuple[Waiting, ...]

    @property
    def slips(self) -> int:
        """How often the expected date was put off to a later day."""
        return sum(1 for change in self.plans if change.slipped)

    @property
    def first_plan(self) -> datetime | None:
        """The date expected first."""
        return self.plans[0].now if self.plans else None


@dataclass(frozen=True, slots=True)
class RoundStatus:
    """Whether a ward has had its round today, and since when what it found holds.

    patients: on the ward. done: of them, reviewed today. came_since: not reviewed today and
    came after the last review of today: they wait for the next round. never: never reviewed.
    began_at, ended_at: first and last review of today. by: who reviewed today, in order.
    as_of: the oldest of the latest reviews, so since when figures from reviews hold; None where
    nobody was ever reviewed.
    """

    patients: int
    done: int
    came_since: int
    never: int
    began_at: datetime | None
    ended_at: datetime | None
    by: tuple[str, ...]
    as_of: datetime | None

    @property
    def due(self) -> int:
        """How many today's round is to see."""
        return self.patients - self.came_since

    @property
    def confirmed(self) -> bool:
        """Whether everybody due has been seen today: one confirmation a ward and day, without
        which its figures do not claim to be current."""
        return self.patients == 0 or (self.ended_at is not None and self.done >= self.due)


@dataclass(frozen=True, slots=True)
class RoundFigures:
    """What reviews add up to on a ward. ready: no criterion met. red, green: days so marked
    today. planned: with an expected date. due_today: expected to leave today or before.
    status: since when this holds."""

    status: RoundStatus
    ready: int
    red: int
    green: int
    planned: int
    due_today: int


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def share(self) -> float | None:
        """As a fraction; None of nothing."""
        return self.count / self.of if self.of else None


@dataclass(frozen=True, slots=True)
class Safer:
    """The five elements of the SAFER patient flow bundle; see `flow/safer.py`.

    first_at: when the first patient came from an assessment unit today, None for nobody yet.
    on_time: whether that was by 10:00; None while it still can be.
    """

    senior: Share
    planned: Share
    first_at: datetime | None
    on_time: bool | None
    early: Share
    early_week: Share
    long_stays: Share


@dataclass(frozen=True, slots=True)
class RoundBoard:
    """The board round of one ward.

    moment: what it speaks of. place, site_name: which ward. patients: in the order of the beds,
    those without one last. figures, safer: see there.
    """

    moment: datetime
    place: Place
    site_name: str
    patients: tuple[RoundPatient, ...]
    figures: RoundFigures
    safer: Safer

    def of(self, episode: int | None) -> RoundPatient | None:
        """The patient of this stay, if on the ward."""
        return next((p for p in self.patients if p.row.episode == episode), None)

    def after(self, episode: int | None) -> RoundPatient | None:
        """Who is next: the first after this one, round and round, not seen today; None when
        everybody has been."""
        keys = [p.row.episode for p in self.patients]
        at = keys.index(episode) + 1 if episode in keys else 0
        order = self.patients[at:] + self.patients[:at]
        return next((p for p in order if not p.done), None)

    def beside(self, episode: int) -> tuple[RoundPatient | None, RoundPatient | None]:
        """The patients before and after this one."""
        keys = [p.row.episode for p in self.patients]
        at = keys.index(episode)
        before = self.patients[at - 1] if at else None
        return before, self.patients[at + 1] if at + 1 < len(keys) else None
