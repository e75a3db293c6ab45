"""One request at a bedside: what is there, who asks, and which forms are offered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.utils.translation import gettext_lazy as _

from accounts.roles import Permission
from flow import bedside_reads as reads
from flow.barrier_forms import WaitForm
from flow.bedside_forms import WhenForm
from flow.bedside_waits import Waits
from flow.board_types import Face
from flow.desk.forms import AskForm
from flow.desk.previews import Preview
from flow.forecasts.prediction import Prediction
from wards.bed_states import BedState
from wards.held_beds import Held
from wards.models import Bed, BedRequest, Closure, Occupancy, Ward
from wards.newcomers import Namesake
from wards.placeless import Home
from wards.scope import Scope

DETAILS: Final = {"given_name": _("given name"), "sex": _("sex")}
"""What may be known of somebody otherwise than it was said, in words."""


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
    were. `home`: where a stay belongs of which nobody has told a ward; `ward` is then an empty one,
    and `told_by` names who told of the stay. `elsewhere`: where the person is by another stay of
    theirs. `waits`: what the patient waits for; `raised`: the form in which more is said of that.
    `prediction`: what is foretold of the patient. `closures`: those in force over the bed, the
    widest first.
    `forms` maps a deed to its form; `failed` names the deed that was refused, `reason`
    why, `may_override` whether saying why it is right all the same would let it pass, `against`
    what was said. `ask`: the form that asks for a bed elsewhere; `asks_elsewhere`: it
    stands open; `request`: what is asked for already. `held`: the bed is held for somebody.
    `preview`: what would follow from a move that is being looked at, `inside_face`: whoever lies in
    that bed. `known`: who would be admitted; `namesakes`: who in hospital may be the same person.
    """

    scope: Scope
    now: datetime
    at: datetime | None
    ward: Ward
    known_at: datetime | None = None
    bed: Bed | None = None
    state: BedState | None = None
    closures: Sequence[Closure] = ()
    stay: reads.Stay | None = None
    occupied_since: datetime | None = None
    awaited: frozenset[int] = frozenset()
    last: reads.Stay | None = None
    left: Occupancy | None = None
    home: Home | None = None
    told_by: str = ""
    elsewhere: Occupancy | None = None
    targets: Sequence[Ward] = ()
    target: Ward | None = None
    forms: dict[str, WhenForm] = field(default_factory=dict)
    waits: Waits | None = None
    raised: WaitForm | None = None
    prediction: Prediction | None = None
    failed: str = ""
    asks_elsewhere: bool = False
    reason: str = ""
    against: str = ""
    may_override: bool = False
    ask: AskForm | None = None
    request: BedRequest | None = None
    held: Held | None = None
    preview: Preview | None = None
    inside_face: Face | None = None
    known: Known | None = None
    namesakes: Sequence[Namesake] = ()

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
        """Whether the viewer may move patients here, which only the present allows. Somebody
        without a place may be moved by who sees them and moves patients anywhere at all."""
        if self.at is not None:
            return False
        if self.home is not None:
            return self.sees and self.scope.may_anywhere(Permission.MOVE_PATIENTS)
        return self._may(Permission.MOVE_PATIENTS)

    @property
    def plans(self) -> bool:
        """Whether the viewer may plan the patient's discharge, which only the present allows."""
        return (
            self.at is None
            and self.stay is not None
            and self.home is None
            and self.elsewhere is None
            and self.scope.may(Permission.PLAN_DISCHARGE, self.ward.pk)
        )

    @property
    def is_host(self) -> bool:
        """Whether the viewer moves patients on this very ward, not only fetches them."""
        if self.home is not None:
            return self.scope.held(Permission.MOVE_PATIENTS).covers(self.home)
        return self.scope.may(Permission.MOVE_PATIENTS, self.ward.pk)

    def _may(self, permission: Permission) -> bool:
        if self.home is not None and self.scope.held(permission).covers(self.home):
            return True
        wards = self.awaited if self.home is not None else (self.ward.pk, *self.awaited)
        return any(self.scope.may(permission, ward) for ward in wards)

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
    def own_closure(self) -> Closure | None:
        """The closure of this very bed, not of its bay or ward."""
        return next((one for one in self.closures if one.bed_id is not None), None)

    @property
    def wider_closure(self) -> Closure | None:
        """The closure of its bay or ward, which is not ended from a bed."""
        return next((one for one in self.closures if one.bed_id is None), None)

    @property
    def is_over(self) -> bool:
        """Whether the drawer is of a stay that has ended."""
        return self.left is not None or (self.home is not None and self.stay is None)

    @property
    def shows_elsewhere(self) -> bool:
        """Whether the viewer may know where the person is by another stay."""
        other = self.elsewhere
        return other is not None and self.scope.may(Permission.SEE_PATIENTS, other.ward_id)

    @property
    def person(self) -> reads.Stay | None:
        """Of whom the drawer tells who they are."""
        return self.last if self.is_over else self.stay

    @property
    def asks(self) -> bool:
        """Whether the deed was not refused but waits for an answer."""
        return self.known is not None or bool(self.namesakes)

    @property
    def undo(self) -> reads.Line | None:
        """The movement that the viewer may take back, of who is here or was here last."""
        stay = self.stay or self.last
        if stay is None or not self.acts or not self.is_host:
            return None
        if self.is_over and (stay.episode.discharged_at or self.now) < self.now - reads.LATELY:
            return None
        return stay.undo
