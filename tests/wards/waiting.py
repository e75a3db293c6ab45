"""A hospital with teams, codes and a ladder, for what patients wait for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from accounts.models import Organisation, Team, User
from patients.code_loading import built_in, load_codes
from patients.keys import PersonKey, VisitKey
from patients.models import Code, Episode, EscalationStep
from tests.wards.hospital import Hospital, build, minutes
from wards.barriers import Said
from wards.facts import Moved, MovementKind, Place
from wards.movements import record

REASONS: Final = "delay-reasons-2024"


@dataclass(frozen=True)
class System:
    """A trust with its hospital, a council, and their teams."""

    hospital: Hospital
    trust: Organisation
    council: Organisation
    therapy: Team
    social_work: Team
    nurse: User

    def admitted(self, number: int = 0) -> Episode:
        """A patient in bed `number` from minute 0 on."""
        record([admission(number, self.hospital.beds[number])], source="pas")
        return Episode.objects.get(visit__number=f"V{number}")

    def said(self, at: float, *, occurred_at: datetime | None = None) -> Said:
        """The nurse, at this minute."""
        return Said(minutes(at), self.nurse, occurred_at)


def admission(number: int, place: Place | None, at: float = 0) -> Moved:
    return Moved(
        key=f"admit {number} {at}",
        sent_at=minutes(at),
        person=PersonKey("T", f"P{number}"),
        kind=MovementKind.ADMITTED,
        occurred_at=minutes(at),
        visit=VisitKey("T", f"V{number}"),
        place=place,
    )


def reason(slug: str, code_set: str = REASONS) -> Code:
    return Code.objects.select_related("code_set").get(code_set__slug=code_set, slug=slug)


def system() -> System:
    load_codes(built_in())
    hospital = build()
    board = Organisation.objects.create(code="QXX", name="Board", kind="icb")
    trust = Organisation.objects.get(code="RXX")
    council = Organisation.objects.create(code="CXX", name="Council", kind="council", parent=board)
    Organisation.objects.filter(pk=trust.pk).update(parent=board)
    for level, hours, title in ((1, 0, "Matron"), (2, 24, "Head of service"), (3, 48, "Executive")):
        EscalationStep.objects.create(
            organisation=trust, level=level, after_hours=hours, title=title
        )
    return System(
        hospital=hospital,
        trust=trust,
        council=council,
        therapy=Team.objects.create(
            organisation=trust, code="TH", name="Therapies", kind="therapy"
        ),
        social_work=Team.objects.create(
            organisation=council, code="SW", name="Social work", kind="social_work"
        ),
        nurse=User.objects.create(username="nurse"),
    )
