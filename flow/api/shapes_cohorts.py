"""What the answers about cohorts look like, for the OpenAPI document."""

from __future__ import annotations

from rest_framework import serializers as s

from flow.api.shapes import Shape, Who
from flow.cohorts.steps import STEP_WORDS
from patients.cohorts import Phase
from patients.models import Review

_PHASES = [(phase.value, phase.value) for phase in Phase]


class _About(Shape):
    slug = s.CharField()
    title = s.CharField()
    about = s.CharField(allow_null=True)
    source = s.CharField(help_text="Where the description was published, or that it is local.")  # type: ignore[assignment]  # a declared field
    organisation = s.CharField(allow_null=True, help_text="Whose own it is; null for anybody's.")
    criteria = s.DictField(help_text="All of them have to hold; see docs/cohorts.md.")
    withdrawn = s.BooleanField()
    people = s.IntegerField(help_text="In it, as far as the caller may count them.")
    ready = s.IntegerField(help_text="Of them, who meet no criteria to reside.")
    bed_days = s.FloatField(help_text="Since their discharge ready dates.")
    not_judged = s.IntegerField(help_text="In hospital, with something not known of them.")


class CohortLine(_About):
    """A cohort in the list of all."""

    before = s.IntegerField()
    during = s.IntegerField()
    after = s.IntegerField()


class CohortTally(Shape):
    """People who have something in common."""

    key = s.CharField(help_text="`none` for those without it.")
    name = s.CharField()
    people = s.IntegerField()
    bed_days = s.FloatField()


class CohortDriver(Shape):
    """What adds to a risk."""

    label = s.CharField()  # type: ignore[assignment]  # a declared field
    points = s.IntegerField()


class CohortRisk(Shape):
    """How risk is told in the cohort."""

    source = s.CharField()  # type: ignore[assignment]  # a declared field
    bands = CohortTally(many=True)
    drivers = CohortDriver(many=True)


class NotKnown(Shape):
    """What is missing, and of how many."""

    what = s.CharField()
    people = s.IntegerField()


class CohortPoint(Shape):
    """A day of the cohort, at 08:00, as it was counted."""

    day = s.DateField()
    before = s.IntegerField()
    during = s.IntegerField()
    after = s.IntegerField()
    ready = s.IntegerField()
    ready_days = s.FloatField(help_text="Bed days since their discharge ready dates.")
    stay_days = s.FloatField(help_text="Days in hospital so far of all who are there.")
    left = s.IntegerField(help_text="Within the 24 hours before.")
    came_back = s.IntegerField(
        help_text="Admitted within the 24 hours before, within 30 days of leaving."
    )
    mean_stay = s.FloatField(allow_null=True)


class CohortOwner(Shape):
    """Who is accountable for a step; null for nobody."""

    organisation = s.CharField(allow_null=True)
    name = s.CharField(allow_null=True)


class CohortMember(Shape):
    """Somebody in the cohort whom the caller may see."""

    episode = s.IntegerField()
    patient = Who()
    phase = s.ChoiceField(_PHASES)
    step = s.ChoiceField([(step.value, str(words)) for step, words in STEP_WORDS.items()])
    since = s.DateTimeField(allow_null=True)
    accountable = CohortOwner()
    site = s.CharField(allow_null=True)
    ward = s.CharField(allow_null=True, help_text="Where they are, are awaited, or were last.")
    bed = s.CharField(allow_null=True)
    area = s.CharField(allow_null=True, help_text="Slug of the neighbourhood.")
    admitted_at = s.DateTimeField(allow_null=True)
    left_at = s.DateTimeField(allow_null=True)
    expected_at = s.DateTimeField(allow_null=True)
    discharge_ready_at = s.DateTimeField(allow_null=True)
    expected_discharge_at = s.DateTimeField(allow_null=True)
    waiting_on = s.CharField(allow_null=True)
    bed_days = s.FloatField()
    frailty = s.IntegerField(allow_null=True)
    residence = s.ChoiceField(Review.Residence.choices, allow_null=True)
    band = s.CharField(allow_null=True)
    drivers = s.ListField(child=s.CharField())
    not_known = s.ListField(child=s.CharField(), help_text="That might add to the risk.")


class CohortBoard(_About):
    """A cohort at a moment; each grouping adds up to `people`."""

    as_at = s.DateTimeField()
    known_at = s.DateTimeField(allow_null=True)
    without_owner = s.IntegerField(help_text="For whose step nobody is accountable.")
    by_phase = CohortTally(many=True)
    by_step = CohortTally(many=True)
    by_accountable = CohortTally(many=True)
    by_area = CohortTally(many=True)
    by_site = CohortTally(many=True)
    risk = CohortRisk(allow_null=True)
    not_known = NotKnown(many=True)
    unseen = s.IntegerField(help_text="Asked for, but the caller may only count them.")
    series = CohortPoint(many=True)
    results = CohortMember(many=True)
