"""A ward with teams, codes and a ladder, for the pages of rounds and of work."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.models import Organisation, Team, User
from accounts.roles import Role
from patients.code_loading import built_in, load_codes
from patients.keys import PersonKey, VisitKey
from patients.models import Barrier, Code, Episode, EscalationStep
from tests.screens.hospital import Hospital, user
from wards.barriers import Said, raise_barrier
from wards.facts import Moved, MovementKind, Place
from wards.movements import record
from wards.rounds import Found, review

REASONS = "delay-reasons-2024"
HOUR = timedelta(hours=1)
PAGE = "/rounds/TGH-W1/?site=TGH"
"""The round of the first ward."""


@dataclass
class Care:
    """The hospital's trust and a council in one system, each with a team."""

    hospital: Hospital
    trust: Organisation
    council: Organisation
    therapy: Team
    social_work: Team

    def stays(self) -> list[Episode]:
        """Those on the first ward, in the order of the beds."""
        return list(
            Episode.objects.filter(
                occupancies__ward=self.hospital.wards[0], status="in_hospital"
            ).order_by("occupancies__bed__position")
        )

    def waits(self, episode: Episode, slug: str, *, ago: timedelta = HOUR) -> Barrier:
        """The stay waits for something."""
        by, _ = User.objects.get_or_create(username="somebody")
        said = Said(timezone.now() - ago, by)
        return raise_barrier(episode=episode, reason=code(slug), said=said)

    def social_worker(self) -> User:
        """Somebody of the council."""
        return user("council", Role.PARTNER, organisation=self.council)


def code(slug: str, code_set: str = REASONS) -> Code:
    return Code.objects.select_related("code_set").get(slug=slug, code_set__slug=code_set)


def care_of(hospital: Hospital) -> Care:
    """Codes, teams and a ladder for the hospital."""
    load_codes(built_in())
    board = Organisation.objects.create(code="QXX", name="Board", kind="icb")
    trust = Organisation.objects.get(code="RXX")
    Organisation.objects.filter(pk=trust.pk).update(parent=board)
    council = Organisation.objects.create(code="CXX", name="Council", kind="council", parent=board)
    for level, hours, title in ((1, 0, "Matron"), (2, 24, "Head of service")):
        EscalationStep.objects.create(
            organisation=trust, level=level, after_hours=hours, title=title
        )
    return Care(
        hospital=hospital,
        trust=trust,
        council=council,
        therapy=Team.objects.create(
            organisation=trust, code="TH", name="Therapies", kind="therapy"
        ),
        social_work=Team.objects.create(
            organisation=council, code="SW", name="Social work", kind="social_work"
        ),
    )


def earlier_stay(care: Care, episode: Episode, found: Found, *, number: str = "old") -> None:
    """The person was here before, and a round found something out."""
    who, came = episode.patient, timezone.now() - timedelta(days=40)
    went = came + timedelta(days=2)
    admitted = Moved(
        key=f"{number} in",
        sent_at=came,
        person=PersonKey(who.authority, who.identifier),
        visit=VisitKey("RXX", number),
        kind=MovementKind.ADMITTED,
        occurred_at=came,
        admitted_at=came,
        place=Place(care.hospital.wards[1].pk),
    )
    discharged = replace(
        admitted,
        key=f"{number} out",
        sent_at=went,
        kind=MovementKind.DISCHARGED,
        occurred_at=went,
        admitted_at=None,
        discharged_at=went,
    )
    record([admitted], source="feed")
    old = Episode.objects.exclude(pk=episode.pk).get(visit__number=number)
    by, _ = User.objects.get_or_create(username="somebody")
    review(episode=old, found=found, said=Said(came + timedelta(hours=1), by))
    record([discharged], source="feed")


def hidden(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return found[1].replace("&#x27;", "'")


def send(client: Client, episode: Episode, deed: str = "save", **said: Any) -> Any:
    """Open the patient, change what is said, and send it."""
    page = client.get(f"{PAGE}&patient={episode.pk}").content.decode()
    kept = {"seen": hidden(page, "seen"), "key": hidden(page, "key")}
    body = {"deed": deed, "episode": episode.pk, "day": "red", **kept, **said}
    return client.post(f"{PAGE}&fragment=panel", body)
