"""A small hospital in the database that lives on as long as it is told to.

Everything is said when it happens and learnt when it is said, so that a test's clock is the
hospital's: nothing after the moment up to which it has lived is in the database.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

from flow.forecasts import issuing
from flow.forecasts.hazards import Effort
from flow.models import Forecast
from patients.keys import Details, PersonKey, VisitKey
from tests.flow.places import make_site, make_ward
from wards.facts import Fact, Moved, MovementKind, Place
from wards.models import Bed, Site, Ward
from wards.movements import record

BEGIN = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
"""A Monday; the clock of England changes on the 29th."""
LITTLE = Effort(fits=1, moments=3_000, far_moments=1_500)
_A_DAY = (0.9, 0.25, 0.2)
"""The chance to leave within a day, by ward: specialty and weekday are not all there is to it."""
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NINTH = BEGIN + timedelta(days=8, hours=8)
"""8:00 of the ninth day."""
_numbers = count(1)


@dataclass
class Patient:
    """Somebody in hospital."""

    name: str
    ward: int
    specialty: str


@dataclass
class Hospital:
    """Two wards and an assessment unit; `a_day` patients come on an average day, and each leaves
    with a chance a day that depends on the ward, times `pace`."""

    a_day: float = 10.0
    seed: int = 1
    pace: float = 1.0
    beds: int = 60
    site: Site = field(default_factory=make_site)
    now: datetime = BEGIN
    wards: list[Ward] = field(default_factory=list)
    there: list[Patient] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)
        self.wards = [
            make_ward(self.site, kind="assessment", beds=self.beds, specialty="300"),
            make_ward(self.site, beds=self.beds, specialty="300"),
            make_ward(self.site, beds=self.beds, specialty="430"),
        ]
        self.taken: dict[str, Bed] = {}
        self.free = {
            ward.pk: list(Bed.objects.filter(ward=ward).order_by("position")) for ward in self.wards
        }

    def live(self, until: datetime) -> None:
        """Go on until a moment; all that happens before it is recorded when it happens."""
        facts: list[Fact] = []
        while self.now < until:
            facts += self._hour()
            self.now += HOUR
        for first in range(0, len(facts), 500):
            record(facts[first : first + 500], source="feed", known_when_sent=True)

    def _hour(self) -> list[Fact]:
        local = self.now.hour
        facts: list[Fact] = []
        for patient in list(self.there):
            a_day = _A_DAY[patient.ward]
            a_day *= self.pace * (0.5 if self.now.weekday() >= 5 else 1.0)
            share = 3.0 if 10 <= local < 18 else 0.0
            if self.rng.random() < a_day * share / 24:
                self.there.remove(patient)
                bed = self.taken.pop(patient.name)
                self.free[bed.ward_id].append(bed)
                facts.append(self.says(patient.name, MovementKind.DISCHARGED))
        for _ in range(int(self.a_day / 24 + self.rng.random())):
            number = self.rng.choice([0, 1, 2])
            name = f"{self.seed}-{next(_numbers)}"
            patient = Patient(name, number, "430" if number == 2 else "300")
            self.there.append(patient)
            facts.append(self.comes(patient))
        return sorted(facts, key=lambda fact: fact.sent_at)

    def comes(self, patient: Patient) -> Moved:
        """The patient is admitted to a bed that is free."""
        bed = self.free[self.wards[patient.ward].pk].pop(0)
        self.taken[patient.name] = bed
        return self.says(
            patient.name,
            MovementKind.ADMITTED,
            place=Place(bed.ward_id, bed.bay_id, bed.pk),
            specialty=patient.specialty,
            admission_method="21",
        )

    def says(
        self, name: str, kind: MovementKind, *, place: Place | None = None,
        at: datetime | None = None, sent: datetime | None = None, **stay: str,
    ) -> Moved:  # fmt: skip
        """What is said of a visit; some minute of the present hour unless `at` is given."""
        happened = at or self.now + timedelta(minutes=self.rng.randrange(1, 59))
        return Moved(
            key=f"living {next(_numbers)}",
            sent_at=sent or happened,
            person=PersonKey("RXX", f"P{name}"),
            details=Details({"date_of_birth": "1950-03-02", "sex": "female"}),
            visit=VisitKey("RXX", f"V{name}"),
            kind=kind,
            occurred_at=happened,
            place=place,
            stay=stay,
        )


def told(*facts: Fact) -> None:
    """Recorded when it was sent."""
    for fact in facts:
        record([fact], source="feed", known_when_sent=True)


def london(day: int, hour: int = 8, minute: int = 0, *, month: int = 3) -> datetime:
    """A moment of 2026 by the clock of England, in UTC; before the clocks change unless told."""
    summer = (month, day) >= (3, 29)
    return datetime(2026, month, day, hour, minute, tzinfo=UTC) - timedelta(hours=summer)


def issue(hospital: Hospital) -> Forecast:
    """A forecast of the present moment, written down a minute later."""
    row = issuing.issue(hospital.site, at=hospital.now, issued_at=hospital.now + MINUTE)
    assert row is not None
    return row
