"""At which step of the journey somebody is, and who is accountable for it.

One rule for every cohort, so that each step has one owner:

- somebody who is announced is expected, and the ward or body that expects them gets ready;
- in an emergency department, an assessment unit or a ward, that ward is accountable, until the
  patient meets no criteria to reside;
- then it is who owns what is waited for; whoever was asked for a place; while nothing is recorded,
  the ward, which has to say what they wait for; while a wait has no owner, nobody;
- at home with a service, or in a care home place, it is that service;
- after hospital it is the team of the neighbourhood, and where there is none, nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from flow.discharges import Stay
from flow.figure_types import Group
from flow.kinds import GROUP_OF
from patients.cohorts import Phase
from wards.models import Referral, Ward


class Step(StrEnum):
    """Where somebody is on the way, in its order."""

    EXPECTED = "expected"
    EMERGENCY = "emergency"
    ASSESSMENT = "assessment"
    TREATMENT = "treatment"
    READY = "ready"
    WAITING = "waiting"
    ASKED = "asked"
    GOING = "going"
    SERVICE = "service"
    HOME = "home"


STEP_WORDS: Final[dict[Step, str | Promise]] = {
    Step.EXPECTED: _("Expected"),
    Step.EMERGENCY: _("In the emergency department"),
    Step.ASSESSMENT: _("Being assessed"),
    Step.TREATMENT: _("On a ward, needs hospital"),
    Step.READY: _("Ready, nothing recorded"),
    Step.WAITING: _("Ready, waiting on somebody"),
    Step.ASKED: _("Place asked for"),
    Step.GOING: _("Place agreed"),
    Step.SERVICE: _("With a service after hospital"),
    Step.HOME: _("Left within 30 days"),
}
PHASE_WORDS: Final[dict[Phase, str | Promise]] = {
    Phase.BEFORE: _("Before the stay"),
    Phase.DURING: _("During the stay"),
    Phase.AFTER: _("After the stay"),
}
PHASE_OF: Final[dict[Step, Phase]] = {
    step: Phase.BEFORE
    if step is Step.EXPECTED
    else Phase.AFTER
    if step in (Step.SERVICE, Step.HOME)
    else Phase.DURING
    for step in Step
}


@dataclass(frozen=True, slots=True)
class Accountable:
    """Who is accountable for a step: an organisation, and of it a team or a ward.

    name: what to call them. All empty: nobody.
    """

    organisation: str = ""
    organisation_name: str = ""
    name: str = ""

    @property
    def key(self) -> str:
        """Equal for the same owner; empty for nobody."""
        return f"{self.organisation}/{self.name}" if self.organisation or self.name else ""


NOBODY: Final = Accountable()


def is_service(ward_kind: str) -> bool:
    """Whether the place is at home with a service, or a care home: after the stay."""
    return GROUP_OF.get(ward_kind) is Group.HOME


def step_in_place(stay: Stay, ward_kind: str) -> Step:
    """The step of somebody who is in a place."""
    if is_service(ward_kind):
        return Step.SERVICE
    if stay.referral == Referral.Status.ACCEPTED:
        return Step.GOING
    if stay.ready_since is not None:
        if stay.barriers:
            return Step.WAITING
        return Step.ASKED if stay.referral == Referral.Status.ASKED else Step.READY
    if ward_kind == Ward.Kind.EMERGENCY:
        return Step.EMERGENCY
    return Step.ASSESSMENT if ward_kind == Ward.Kind.ASSESSMENT else Step.TREATMENT


def owner_in_place(step: Step, stay: Stay, ward: Accountable) -> Accountable:
    """Who is accountable for the step of somebody in a place; `ward`: that place itself."""
    if step is Step.WAITING:
        if not stay.organisation:
            return NOBODY
        return Accountable(
            stay.organisation, stay.organisation_name, stay.team_name or stay.organisation_name
        )
    if step in (Step.ASKED, Step.GOING):
        return Accountable("", "", stay.referral_to)
    return ward
