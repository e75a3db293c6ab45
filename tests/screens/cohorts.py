"""People to be followed together: those of the hub, two of a neighbourhood, one who has left and
one who is expected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from accounts.models import Organisation, Team, User
from accounts.roles import Role
from patients.cohort_loading import built_in, load_cohorts
from patients.models import Episode, HomeArea, Neighbourhood, Patient
from tests.flow.places import make_episode
from tests.screens.hospital import Hospital, user
from tests.screens.hub import DAY, Leaving, leaving_of
from wards.barriers import Said
from wards.facts import MovementKind
from wards.rounds import Found, review

FRAILTY = {"Abernethy": 8, "Blenkinsop": 6, "Cholmondeley": 5, "Entwistle": 2}
NEAR = ("Abernethy", "Golightly", "Igglesden")
PRACTICE = "P90001"


@dataclass
class Followed:
    """Igglesden left the second ward two days ago; Jellicoe is expected the day after tomorrow.

    Everybody is 79. Abernethy, Golightly and Igglesden are of the neighbourhood North; Abernethy
    lives in a care home. Nobody recorded a frailty of who is not in `FRAILTY`.
    """

    leaving: Leaving
    team: Team
    north: Neighbourhood
    expected: Episode

    @property
    def hospital(self) -> Hospital:
        """Where they are."""
        return self.leaving.care.hospital

    def neighbour(self) -> User:
        """Somebody of the neighbourhood's team."""
        return user("neighbour", Role.PARTNER, team=self.team)


def followed_of(hospital: Hospital) -> Followed:
    """The hospital must have no patients on its wards."""
    leaving = leaving_of(hospital)
    load_cohorts(built_in())
    board = Organisation.objects.get(code="QXX")
    body = Organisation.objects.create(
        code="RCC", name="Community trust", kind="community", parent=board
    )
    team = Team.objects.create(
        organisation=body, code="NT", name="North team", kind="neighbourhood"
    )
    north = Neighbourhood.objects.create(slug="north", name="North", team=team)
    HomeArea.objects.create(neighbourhood=north, is_practice=True, code=PRACTICE)
    leaving.here("Igglesden", hospital.wards[1], 4, 5)
    leaving.find_stays()
    hospital.tell(leaving.facts["Igglesden"], MovementKind.DISCHARGED, ago=2 * DAY)
    said = Said(timezone.now() - timedelta(hours=2), leaving.by)
    for family, score in FRAILTY.items():
        found = Found(frailty=score)
        if family == "Abernethy":
            found["residence"] = "care_home"
        review(episode=leaving.stays[family], found=found, said=said)
    expected = make_episode(
        admitted_at=None,
        status="expected",
        expected_at=timezone.now() + 2 * DAY,
        provider=leaving.care.trust,
    )
    Patient.objects.filter(pk=expected.patient_id).update(
        family_name="Jellicoe", date_of_birth="1947-03-31"
    )
    near = [leaving.stays[family].patient_id for family in NEAR]
    Patient.objects.filter(pk__in=near).update(gp_practice=PRACTICE)
    return Followed(leaving, team, north, expected)
