"""A hospital to look at: wards with patients whose names must not go astray."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count

from django.test import Client
from django.utils import timezone

from accounts.models import Organisation, User
from accounts.roles import Role
from patients.keys import Details, PersonKey, VisitKey
from patients.nhs_number import check_digit
from wards.facts import Fact, Moved, MovementKind, Place
from wards.models import Bay, Bed, Grant, Site, Ward
from wards.movements import record

_numbers = count(1)
FAMILY = "Featherstonehaugh"
"""A name that stands in no template by chance."""


def nhs_number(number: int) -> str:
    """A valid number of the range reserved for tests."""
    while True:
        nine = f"999{number:06}"
        digit = check_digit(nine)
        if digit is not None:
            return f"{nine}{digit}"
        number += 100_000


@dataclass
class Hospital:
    """A site with an emergency department and wards of beds in bays of six. known_when_sent: what
    the feed says counts as known when it was sent, not from now on."""

    site: Site
    emergency: Ward
    wards: list[Ward] = field(default_factory=list)
    now: datetime = field(default_factory=timezone.now)
    known_when_sent: bool = False
    _untold: list[Fact] | None = None

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is told within is recorded at the end, all at once: much faster than one by one."""
        if self._untold is not None:
            yield
            return
        self._untold = []
        yield
        told, self._untold = self._untold, None
        record(told, source="feed", known_when_sent=self.known_when_sent)

    def _record(self, fact: Fact) -> None:
        if self._untold is not None:
            self._untold.append(fact)
        else:
            record([fact], source="feed", known_when_sent=self.known_when_sent)

    def beds(self, ward: Ward) -> list[Bed]:
        """Its beds as one walks them."""
        return list(ward.beds.order_by("position"))

    def admit(
        self,
        bed: Bed | Ward,
        *,
        ago: timedelta = timedelta(hours=5),
        family: str = FAMILY,
        restricted: bool = False,
    ) -> Moved:
        """Somebody new in the bed, or on the ward without one, told by a feed."""
        number = next(_numbers)
        place = Place(bed.ward_id, bed.bay_id, bed.pk) if isinstance(bed, Bed) else Place(bed.pk)
        at = self.now - ago
        fact = Moved(
            key=f"admit {number}",
            sent_at=at,
            person=PersonKey("RXX", f"MRN{number:06}"),
            details=Details(
                {
                    "nhs_number": nhs_number(number),
                    "family_name": family,
                    "given_name": f"Given{number}",
                    "date_of_birth": date(1947, 3, 31),
                    "sex": "female",
                    "is_restricted": restricted,
                }
            ),
            visit=VisitKey("RXX", f"V{number:06}"),
            kind=MovementKind.ADMITTED,
            occurred_at=at,
            admitted_at=at,
            place=place,
            stay={"specialty": "general_medicine", "admission_method": "21"},
        )
        self._record(fact)
        return fact

    def tell(
        self,
        about: Moved,
        kind: MovementKind,
        *,
        ago: timedelta = timedelta(hours=1),
        place: Place | None = None,
        wanted: Ward | None = None,
    ) -> None:
        """The feed says something more of somebody."""
        at = self.now - ago
        fact = Moved(
            key=f"more {next(_numbers)}",
            sent_at=at,
            person=about.person,
            visit=about.visit,
            kind=kind,
            occurred_at=at,
            discharged_at=at if kind == MovementKind.DISCHARGED else None,
            place=place,
            wanted_ward=wanted.pk if wanted else None,
        )
        self._record(fact)

    def begin(self, *, ago: timedelta = timedelta(days=10)) -> None:
        """Records begin: three people came, and left an hour later."""
        with self.together():
            for _ in range(3):
                bygone = self.admit(self.emergency, ago=ago, family="Bygone")
                self.tell(bygone, MovementKind.DISCHARGED, ago=ago - timedelta(hours=1))

    def fill(self, ward: Ward, number: int) -> list[Moved]:
        """Patients in the first `number` beds."""
        with self.together():
            return [self.admit(bed) for bed in self.beds(ward)[:number]]


def build(
    *, wards: int = 2, beds: int = 6, code: str = "TGH", known_when_sent: bool = False
) -> Hospital:
    """A hospital without patients."""
    organisation, _ = Organisation.objects.get_or_create(
        code="RXX", defaults={"name": "Test trust", "kind": "trust"}
    )
    site = Site.objects.create(code=code, name=f"Test hospital {code}", organisation=organisation)
    emergency = Ward.objects.create(
        site=site, code=f"{code}-ED", name="Emergency Department", kind=Ward.Kind.EMERGENCY
    )
    hospital = Hospital(site, emergency, known_when_sent=known_when_sent)
    for number in range(1, wards + 1):
        ward = Ward.objects.create(
            site=site,
            code=f"{code}-W{number}",
            name=f"Ward {number}",
            position=number,
            specialty="general_medicine",
        )
        hospital.wards.append(ward)
        add_beds(ward, beds)
    hospital.begin()
    return hospital


def add_beds(ward: Ward, beds: int, *, first: int = 0) -> None:
    """So many beds more, in bays of six, labelled on from `first`."""
    bays = dict(ward.bays.values_list("code", "pk"))
    letters = {number: chr(ord("A") + number // 6) for number in range(first, first + beds)}
    Bay.objects.bulk_create(
        Bay(ward=ward, code=letter, name=f"Bay {letter}", position=ord(letter) - ord("A"))
        for letter in dict.fromkeys(letters.values())
        if letter not in bays
    )
    bays = dict(ward.bays.values_list("code", "pk"))
    Bed.objects.bulk_create(
        Bed(ward=ward, bay_id=bays[letter], label=str(number + 1), position=number)
        for number, letter in letters.items()
    )


def user(name: str, role: Role | None, **where: object) -> User:
    """Somebody who plays the role at one place (`ward=`, `site=` or `everywhere=True`)."""
    made = User.objects.create_user(name, password="a long enough word", first_name=name.title())
    if role is not None:
        Grant.objects.create(user=made, role=role, **where)
    return made


def signed_in(person: User) -> Client:
    """A browser in which `person` is signed in."""
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client
