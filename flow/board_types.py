"""What the boards hold: frozen values that a page, a wall screen and the API all show.

Times are aware. "The moment" is the instant a board speaks of: now on a live board, the time
asked for on a past one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from accounts.roles import Permission
from flow.figure_types import Checks, Figures, Group, Sums
from flow.flow_map_types import FlowMap
from wards.placeless import Home
from wards.scope import ALL, NOWHERE, Held, Scope


@dataclass(frozen=True, slots=True)
class Sight:
    """What a viewer may see, as primary keys of wards; None means every ward.

    counts: wards whose figures and beds may be shown.
    patients: wards whose patients may be shown by name.
    counts_held, patients_held: the parts of the system for which the same is so as a whole.
    """

    counts: frozenset[int] | None = None
    patients: frozenset[int] | None = frozenset()
    counts_held: Held = NOWHERE
    patients_held: Held = NOWHERE

    @classmethod
    def of(cls, scope: Scope) -> Sight:
        """What somebody with `scope` may see."""
        counts = scope.wards(Permission.SEE_COUNTS)
        patients = scope.wards(Permission.SEE_PATIENTS)
        return cls(
            counts=None if counts == ALL else counts,
            patients=None if patients == ALL else patients,
            counts_held=scope.held(Permission.SEE_COUNTS),
            patients_held=scope.held(Permission.SEE_PATIENTS),
        )

    def sees(self, ward: int) -> bool:
        """Whether figures and beds of the ward may be shown."""
        return self.counts is None or ward in self.counts

    def sees_patients(self, ward: int | None) -> bool:
        """Whether the patients of the ward may be shown by name."""
        return self.patients is None or (ward is not None and ward in self.patients)

    def counts_at(self, home: Home) -> bool:
        """Whether those may be counted who are in hospital and on no ward there."""
        return self.counts is None or self.counts_held.covers(home)

    def sees_patients_at(self, home: Home) -> bool:
        """Whether these may be shown by name."""
        return self.patients is None or self.patients_held.covers(home)


@dataclass(frozen=True, slots=True)
class FeedState:
    """How long ago a site's feeds were last heard.

    heard_at: when a message about the site last arrived, of any kind; None when none ever has.
    silent: longer ago than the site's feeds usually pause.
    """

    heard_at: datetime | None
    silent: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A ward by name, as a link needs it.

    id: primary key. code: of the ward, unique in its site. site: the site's code.
    kind: a `Ward.Kind` value.
    """

    id: int
    code: str
    name: str
    site: str
    kind: str


@dataclass(frozen=True, slots=True)
class WardLine:
    """One ward in a list.

    place: which ward. specialty: local code, may be empty. sex: a `Ward.Sex` value.
    recognised: False for a ward that exists only because a feed named it.
    figures: its census. longest_wait: since when the longest waiting of `figures.waiting` waits.
    in_use: False where its beds have been withdrawn, or are still to come, and nobody is there or
    is to come: lists of wards leave it out. A ward that never had a bed is in use.
    """

    place: Place
    specialty: str
    sex: str
    recognised: bool
    figures: Figures
    longest_wait: datetime | None
    in_use: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class Trend:
    """Occupied beds through the last 24 hours, from occupancies as they are known.

    start: the first instant. step: between two values. occupied: patients in a bed at `start`,
        `start + step`…, up to the moment; wards that keep patients overnight only.
    """

    start: datetime
    step: timedelta
    occupied: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SiteLine:
    """One site in a list.

    id, code, name, kind: of the site (`Site.Kind` value). organisation: code of its owner.
    sums: of its wards. trend: occupied beds of `figures`.
    feed: when the site's feeds were last heard; None where nothing keeps watch.
    """

    id: int
    code: str
    name: str
    kind: str
    organisation: str
    sums: Sums
    trend: Trend
    feed: FeedState | None

    @property
    def figures(self) -> Figures:
        """Of the group that speaks for the site: the inpatient beds of a hospital."""
        return self.sums.head.figures

    @property
    def emergency(self) -> Figures | None:
        """Of its emergency departments; None where it has none."""
        return self.sums.of(Group.EMERGENCY)


@dataclass(frozen=True, slots=True)
class Face:
    """Who somebody is; held only where the viewer may see it.

    Fields that are not known are empty. A restricted record shows `restricted` and no more.
    """

    patient: int
    name: str = ""
    initials: str = ""
    nhs_number: str = ""
    identifier: str = ""
    date_of_birth: date | None = None
    sex: str = ""
    restricted: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """One patient who waits for a bed, or to leave.

    id: of the bed request. kind: a `BedRequest.Kind` value. since: when it was asked for.
    origin: where the patient waits; None when not here yet. target: the ward asked for; None
    while no ward has been named. episode: primary key. specialty: may be empty.
    face: None where the viewer may not see the patient.
    """

    id: int
    kind: str
    since: datetime
    origin: Place | None
    target: Place | None
    episode: int
    specialty: str
    face: Face | None


@dataclass(frozen=True, slots=True)
class SystemBoard:
    """The whole care system, as far as the viewer may see it.

    moment: what it speaks of. live: whether that is now. known_at: only what was known then
    counts; None means what is known now. sites: in their order, with at least one visible
    ward. sums: of all of them. unrecognised: wards that only a feed knows of, not in any sum.
    checks: stays to look at, in no sum. flow: movement of the 24 hours before the moment.
    """

    moment: datetime
    live: bool
    known_at: datetime | None
    sites: tuple[SiteLine, ...]
    sums: Sums
    unrecognised: tuple[WardLine, ...]
    checks: Checks
    flow: FlowMap


@dataclass(frozen=True, slots=True)
class SiteBoard:
    """One site: its wards, today's trend and who waits.

    moment, live, known_at: as on the system board. site: its own line. wards: recognised, in
    their order. unrecognised: wards that only a feed knows of. waiting: admissions and transfers
    that wait for a bed of `wards`, longest first; faces where the viewer may see the ward the
    patient waits on (or the one asked for, when not here yet). checks: as on the system board.
    flow: of this site.
    """

    moment: datetime
    live: bool
    known_at: datetime | None
    site: SiteLine
    wards: tuple[WardLine, ...]
    unrecognised: tuple[WardLine, ...]
    waiting: tuple[Wait, ...]
    checks: Checks
    flow: FlowMap


class BedState(StrEnum):
    """What a bed is at a moment; exactly one holds."""

    OCCUPIED = "occupied"
    AVAILABLE = "available"
    UNREADY = "unready"
    CLOSED = "closed"
    NOT_OPENED = "not_opened"
    UNLISTED = "unlisted"
    """Not on the books at the moment; shown only while a patient is in it."""


@dataclass(frozen=True, slots=True)
class Occupant:
    """A patient on the ward.

    occupancy, episode: primary keys. since: start of their time in this very place, leave
    included. admitted_at: start of the stay, by the source's word. expected_discharge_at:
    the team's plan as known now. specialty, flags: of the stay, as known now.
    on_leave: away, the place is kept. inferred: the place was seen, not told as a move.
    pending_discharge: since when a discharge has been announced. pending_transfer: since when a
    transfer has; transfer_to: where to, if named. wanted_bed: label of the bed the source
    named, while somebody else is in it. ready_since: since when no criterion to reside is met,
    with the pathway as far as said; both and face: None where the viewer may not see patients.
    """

    occupancy: int
    episode: int
    since: datetime
    admitted_at: datetime | None
    expected_discharge_at: datetime | None
    specialty: str
    flags: tuple[str, ...]
    on_leave: bool
    inferred: bool
    pending_discharge: datetime | None
    pending_transfer: datetime | None
    transfer_to: Place | None
    wanted_bed: str
    ready_since: datetime | None
    pathway: int | None
    face: Face | None


@dataclass(frozen=True, slots=True)
class BedTile:
    """One bed as it stands in its bay.

    id, label, kind, funding, features: of the bed (`Bed` values). state: see `BedState`.
    since: start of that state, where known (arrival, closure, opening or status time).
    status: latest status told of the bed (HL7 table 0116 letter, may be empty), told for
    `status_since`. level: how it is to be cleaned, where that was said. closed_reason,
    closed_note, closed_until: of the closure that covers the bed, if any, also while it is
    occupied. clash: somebody else was sent to this bed too.
    occupant: who is in it, without `face` where the viewer may not see patients.
    held_until: until when it is held for somebody who is to come; None where it is not.
    """

    id: int
    label: str
    kind: str
    funding: str
    features: tuple[str, ...]
    state: BedState
    since: datetime | None
    status: str
    level: str
    status_since: datetime | None
    closed_reason: str
    closed_note: str
    closed_until: datetime | None
    clash: bool
    occupant: Occupant | None
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class BayBox:
    """A bay with its beds in the order one walks them; `id` None holds beds without a bay."""

    id: int | None
    code: str
    name: str
    sex: str
    beds: tuple[BedTile, ...]


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody who is to come to the ward and is not in the building yet.

    episode: primary key. expected_at: announced time, if any. since: when it was announced.
    specialty: may be empty. face: None where the viewer may not see patients.
    """

    episode: int
    expected_at: datetime | None
    since: datetime
    specialty: str
    face: Face | None


@dataclass(frozen=True, slots=True)
class WardBoard:
    """The bed board of one ward.

    moment, live, known_at: as on the system board. ward: its line, figures included.
    site_name: of the ward's site. bays: in order, beds in place. bedless: patients on the ward
    without a bed, clashes first, then longest there. incoming: requests for a bed here, longest
    first. expected: announced arrivals by their time. feed: see `SiteLine.feed`.
    with_patients: whether the viewer may see who is in the beds.
    """

    moment: datetime
    live: bool
    known_at: datetime | None
    ward: WardLine
    site_name: str
    bays: tuple[BayBox, ...]
    bedless: tuple[Occupant, ...]
    incoming: tuple[Wait, ...]
    expected: tuple[Arrival, ...]
    feed: FeedState | None
    with_patients: bool
