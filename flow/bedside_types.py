"""One request at a bedside: what is there, who asks, and which forms are offered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from accounts.roles import Permission
from flow import bedside_reads as reads
from flow.barrier_forms import WaitForm
from flow.bedside_forms import WhenForm
from flow.bedside_waits import Waits
from flow.board_types import Face
from wards.bed_states import BedState
from wards.models import Bed, Occupancy, Ward
from wards.scope import Scope


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody known whom the user is to confirm before they are admitted.

    record: to be given back as confirmed. face: None where the user may not see who it is.
    differs: what was said otherwise than known and stays as known, in words.
    """

    record: int
    face: Face | None
    differs: Sequence[str]


@dataclass(slots=True)
class Bedside:
    """One request at a bedside.

    `awaited`: the wards that wait for the patient; who receives somebody may see and fetch them.
    `last`: who was in the bed last, or whose stay is over; of the latter `left` says where they
    were. `waits`: what the patient waits for; `raised`: the form in which more is said of that.
    `forms` maps a deed to its form; `failed` names the deed that was refused, `reason`
    why; `known`: who would be admitted.
    """

    scope: Scope
    now: datetime
    at: datetime | None
    ward: Ward
    known_at: datetime | None = None
    bed: Bed | None = None
    state: BedState | None = None
    stay: reads.Stay | None = None
    occupied_since: datetime | None = None
    awaited: frozenset[int] = frozenset()
    last: reads.Stay | None = None
    left: Occupancy | None = None
    targets: Sequence[Ward] = ()
    target: Ward | None = None
    forms: dict[str, WhenForm] = field(default_factory=dict)
    waits: Waits | None = None
    raised: WaitForm | None = None
    failed: str = ""
    reason: str = ""
    known: Known | None = None

    @property
    def moment(self) -> datetime:
        """What the drawer speaks of."""
        return self.at or self.now

    def stay_of(self, episode: int) -> reads.Stay | None:
        """A stay as it was at the moment, as far as known then where that was asked for."""
        return reads.stay_of(episode, at=self.moment, known_at=self.known_at)

    @property
    def sees(self) -> bool:
        """Whether the viewer may see patients here."""
        return self._may(Permission.SEE_PATIENTS)

    @property
    def acts(self) -> bool:
        """Whether the viewer may move patients here, which only the present allows."""
        return self.at is None and self._may(Permission.MOVE_PATIENTS)

    @property
    def plans(self) -> bool:
        """Whether the viewer may plan the patient's discharge, which only the present allows."""
        return (
            self.at is None
            and self.stay is not None
            and self.scope.may(Permission.PLAN_DISCHARGE, self.ward.pk)
        )

    @property
    def is_host(self) -> bool:
        """Whether the viewer moves patients on this very ward, not only fetches them."""
        return self.scope.may(Permission.MOVE_PATIENTS, self.ward.pk)

    def _may(self, permission: Permission) -> bool:
        return any(self.scope.may(permission, ward) for ward in (self.ward.pk, *self.awaited))

    @property
    def can_fill(self) -> bool:
        """Whether somebody can be put into the bed."""
        state = self.state
        return (
            self.acts
            and state is not None
            and self.occupied_since is None
            and state.in_use
            and state.opened
            and not state.is_closed
        )

    @property
    def person(self) -> reads.Stay | None:
        """Of whom the drawer tells who they are."""
        return self.last if self.left is not None else self.stay

    @property
    def undo(self) -> reads.Line | None:
        """The movement that the viewer may take back, of who is here or was here last."""
        stay = self.stay or self.last
        if stay is None or not self.acts or not self.is_host:
            return None
        if self.left is not None and self.left.period.upper < self.now - reads.LATELY:
            return None
        return stay.undo
