"""People on the wards who wait to leave in every way that the hub tells apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from accounts.models import User
from patients.models import Barrier, Episode
from tests.screens.hospital import Hospital
from tests.screens.rounds import Care, care_of
from wards.barriers import Said
from wards.facts import Moved
from wards.models import Referral, Ward
from wards.referrals import refer
from wards.rounds import Found, review

DAY = timedelta(days=1)
FAMILIES = ("Abernethy", "Blenkinsop", "Cholmondeley", "Drinkwater", "Entwistle", "Featherby")
"""On beds 1 to 6 of the first ward; the next six letters on the second."""
OTHERS = ("Golightly", "Hollingsworth")


@dataclass
class Leaving:
    """The hospital with six on the first ward and two on the second.

    Abernethy: ready 10 days, P3, waits for a place of the council, two days overdue.
    Blenkinsop: ready 5 days, P2, nobody accountable; a place is asked for.
    Cholmondeley: ready 2 days, P1, waits for the trust's therapists and for the council too.
    Drinkwater: ready today, no pathway, no barrier.
    Entwistle: here 25 days, meets a criterion. Featherby: here 8 days, never reviewed.
    Golightly: ready 1 day, P0, waits for transport, on the second ward. Hollingsworth: came today.
    """

    care: Care
    by: User
    facts: dict[str, Moved] = field(default_factory=dict)
    stays: dict[str, Episode] = field(default_factory=dict)
    barriers: dict[str, Barrier] = field(default_factory=dict)
    referral: Referral | None = None

    def here(self, family: str, ward: Ward, bed: int, days: float) -> None:
        """Somebody came so many days ago; `find_stays` finds their stay."""
        hospital = self.care.hospital
        fact = hospital.admit(
            hospital.beds(ward)[bed], ago=timedelta(days=days, hours=1), family=family
        )
        self.facts[family] = fact

    def find_stays(self) -> None:
        """Their stays, once they have been told of."""
        for family, fact in self.facts.items():
            assert fact.visit is not None
            self.stays[family] = Episode.objects.get(
                visit__authority=fact.visit.authority, visit__number=fact.visit.number
            )

    def ready(self, family: str, days: float, pathway: int | None, *slugs: str) -> None:
        """They have met no criteria for so many days, and wait for these since."""
        said = Said(timezone.now() - timedelta(days=days), self.by)
        stay = self.stays[family]
        found = Found(criteria=[]) if pathway is None else Found(criteria=[], pathway=pathway)
        review(episode=stay, found=found, said=said)
        for slug in slugs:
            made = self.care.waits(stay, slug, ago=timedelta(days=days))
            self.barriers.setdefault(family, made)


def leaving_of(hospital: Hospital) -> Leaving:
    """The hospital must have no patients on its wards."""
    made = Leaving(care_of(hospital), User.objects.create(username="sister"))
    first, second = hospital.wards[:2]
    with hospital.together():
        for bed, (family, days) in enumerate(zip(FAMILIES, (22, 15, 9, 3, 25, 8), strict=True)):
            made.here(family, first, bed, days)
        for bed, (family, days) in enumerate(zip(OTHERS, (2, 0), strict=True)):
            made.here(family, second, bed, days)
    made.find_stays()
    made.ready("Abernethy", 10, 3, "p3-capacity")
    made.ready("Blenkinsop", 5, 2, "p2-capacity")
    made.ready("Cholmondeley", 2, 1, "therapy-review", "p3-capacity")
    made.ready("Drinkwater", 0.2, None)
    made.ready("Golightly", 1, 0, "transport")
    review(
        episode=made.stays["Entwistle"],
        found=Found(criteria=["oxygen"], next_step="Wean oxygen"),
        said=Said(timezone.now() - DAY, made.by),
    )
    made.referral = refer(
        episode=made.stays["Blenkinsop"],
        kind="community",
        organisation=made.care.council,
        said=Said(timezone.now() - DAY, made.by),
    )
    return made
