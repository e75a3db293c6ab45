"""The figures of a ward, and what wards add up to: frozen values without any rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Figures:
    """The census of one ward, or the sum over several, at one moment. All are numbers.

    Beds are those on the books at the moment: recognised and in use. They fall into
    `beds_open + beds_closed + beds_not_opened`, and
    `beds_open = beds_occupied + beds_available + beds_unready`.
    `patients = beds_occupied + bedless + unlisted`.

    beds_open: can hold a patient, or hold one.
    beds_occupied: hold a patient; one on leave counts, the bed is kept.
    beds_available: free now: open, empty and ready.
    beds_unready: open and empty, but waiting for or under cleaning.
    beds_closed: empty and out of use (bed, bay or ward closed).
    beds_not_opened: escalation beds that are empty and have not been opened.
    beds_escalation: how many of `beds_open` are escalation beds.
    patients: people on the ward, with or without a bed.
    bedless: of them, without a bed (chairs, corridors, clashes, beds nobody named).
    unlisted: of them, in a bed that is not on the books at the moment.
    clashes: of `bedless`, those sent to a bed that somebody else is in.
    on_leave: of `patients`, those on leave.
    waiting: patients who wait for a bed here: open requests for admission or transfer to this
        ward or, where no ward has been named, made on it. Each request counts on one ward.
    waiting_out: patients on this ward who wait for a bed elsewhere.
    pending_discharges: patients on this ward about to be discharged.
    as_at: when the figures were counted or last confirmed; of a sum, the oldest part.
    stale: the figures are too old, or what tells of them has fallen silent: do not rely on
        them as the state of now. Never set on a past board.
    """

    beds_open: int
    beds_occupied: int
    beds_available: int
    beds_unready: int
    beds_closed: int
    beds_not_opened: int
    beds_escalation: int
    patients: int
    bedless: int
    unlisted: int
    clashes: int
    on_leave: int
    waiting: int
    waiting_out: int
    pending_discharges: int
    as_at: datetime
    stale: bool = False

    @property
    def occupancy(self) -> float | None:
        """Occupied share of the open beds, 0 to 1; None where no bed is open."""
        return self.beds_occupied / self.beds_open if self.beds_open else None


class Group(StrEnum):
    """What is added up with what, in the order in which totals are shown.

    INPATIENT: beds in which patients stay overnight: wards, assessment, critical care,
    maternity, community hospitals. HOME: places on virtual wards, with reablement teams and in
    care homes. DAY: day units, theatres, clinics. UNRECOGNISED: wards that only a feed knows.
    """

    INPATIENT = "inpatient"
    HOME = "home"
    EMERGENCY = "emergency"
    DAY = "day"
    LOUNGE = "lounge"
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True)
class Total:
    """A sum over wards.

    group: which; None for all recognised wards. wards: how many. figures: their sum.
    longest_wait: since when the first of `figures.waiting` waits.
    """

    group: Group | None
    wards: int
    figures: Figures
    longest_wait: datetime | None


@dataclass(frozen=True, slots=True)
class Sums:
    """What the wards of a site, or of the whole system, add up to.

    parts: by group, those with a recognised ward. everything: their sum. Wards that are not
    recognised are in neither.
    """

    parts: tuple[Total, ...]
    everything: Total

    @property
    def head(self) -> Total:
        """The group that speaks for the place: the first it has, beds before all others."""
        return self.parts[0] if self.parts else self.everything

    @property
    def apart(self) -> tuple[Total, ...]:
        """The groups that `head` leaves out."""
        return self.parts[1:]

    def of(self, group: Group) -> Figures | None:
        """The sum of one group; None where no ward is of it."""
        return next((part.figures for part in self.parts if part.group == group), None)


@dataclass(frozen=True, slots=True)
class Checks:
    """How many stays somebody should look at.

    placeless: people in hospital of whom nobody has told where; they are in no other figure.
    to_check: stays of which something told contradicts something else.
    """

    placeless: int
    to_check: int
