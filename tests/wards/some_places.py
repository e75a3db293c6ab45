"""A small hospital for tests: one trust, one site, one ward with a bay, a side room and more."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from accounts.models import Organisation
from wards.models import Bay, Bed, Site, Ward

_numbers = count(1)


@dataclass(frozen=True)
class SomeWard:
    """A ward with bay A (beds 1 to 4), bay E (escalation bed 5) and bed 6 without a bay."""

    organisation: Organisation
    site: Site
    ward: Ward
    bay: Bay
    beds: list[Bed]
    escalation: Bed
    loose: Bed


def some_organisation(*, parent: Organisation | None = None) -> Organisation:
    number = next(_numbers)
    return Organisation.objects.create(
        code=f"O{number}", name=f"Organisation {number}", parent=parent
    )


def some_site(*, organisation: Organisation | None = None) -> Site:
    number = next(_numbers)
    return Site.objects.create(
        code=f"S{number}",
        name=f"Site {number}",
        organisation=organisation or some_organisation(),
    )


def some_ward(*, site: Site | None = None) -> SomeWard:
    site = site or some_site()
    number = next(_numbers)
    ward = Ward.objects.create(site=site, code=f"W{number}", name=f"Ward {number}")
    bay = Bay.objects.create(ward=ward, code="A", position=0)
    spare = Bay.objects.create(ward=ward, code="E", position=1)
    beds = [Bed.objects.create(ward=ward, bay=bay, label=str(n), position=n) for n in range(1, 5)]
    escalation = Bed.objects.create(
        ward=ward, bay=spare, label="5", position=5, funding=Bed.Funding.ESCALATION
    )
    loose = Bed.objects.create(ward=ward, label="6", position=6)
    return SomeWard(site.organisation, site, ward, bay, beds, escalation, loose)
