"""What the answers about waits look like, for the OpenAPI document."""

from __future__ import annotations

from typing import Final

from rest_framework import serializers as s

from flow.api.shapes import Shape, Who
from patients.models import Barrier, BarrierStep, Code, CodeSet, Review
from wards.models import Referral, ReferralStep, Ward

BARRIER_STATUSES: Final = [("open", "Open"), *Barrier.Outcome.choices]


class BarrierRow(Shape):
    """What a discharge waits for."""

    id = s.IntegerField()
    episode = s.IntegerField()
    visit = s.CharField(allow_null=True, help_text="Visit number; not for its owner alone.")
    patient = Who()
    reason = s.CharField(help_text="Slug of the reason; see /api/v1/reasons/.")
    label = s.CharField()  # type: ignore[assignment]  # a declared field
    family = s.CharField()
    organisation = s.CharField(allow_null=True, help_text="Accountable; null is nobody.")
    team = s.CharField(allow_null=True)
    person = s.CharField(allow_null=True)
    status = s.ChoiceField(BARRIER_STATUSES)
    raised_at = s.DateTimeField()
    due_at = s.DateTimeField(allow_null=True, help_text="End of the target of its reason.")
    ended_at = s.DateTimeField(allow_null=True)
    overdue = s.BooleanField()
    reportable = s.BooleanField(help_text="The one that the national return names.")
    level = s.IntegerField(help_text="How far up the ladder; 0 is not escalated.")
    note = s.CharField(allow_null=True)
    pathway = s.IntegerField(allow_null=True)
    discharge_ready_at = s.DateTimeField(allow_null=True)
    ward = s.CharField(allow_null=True)
    site = s.CharField(allow_null=True)
    bed = s.CharField(allow_null=True)


class StepRow(Shape):
    """Something that was done about a barrier."""

    kind = s.ChoiceField(BarrierStep.Kind.choices)
    occurred_at = s.DateTimeField()
    recorded_at = s.DateTimeField()
    by = s.CharField(allow_null=True)
    organisation = s.CharField(allow_null=True)
    team = s.CharField(allow_null=True)
    level = s.IntegerField(allow_null=True)
    due_at = s.DateTimeField(allow_null=True)
    note = s.CharField(allow_null=True)


class BarrierWithSteps(BarrierRow):
    """A barrier and its steps."""

    steps = StepRow(many=True)


class ReasonRow(Shape):
    """A code of a versioned set."""

    code_set = s.CharField()
    kind = s.ChoiceField(CodeSet.Kind.choices)
    reason = s.CharField()
    label = s.CharField()  # type: ignore[assignment]  # a declared field
    family = s.CharField(allow_null=True)
    pathways = s.ListField(child=s.IntegerField())
    owner = s.ChoiceField(Code.Owner.choices, allow_null=True)
    team_kind = s.CharField(allow_null=True)
    target_hours = s.IntegerField(allow_null=True)
    valid_from = s.DateField()
    valid_until = s.DateField(allow_null=True)
    withdrawn = s.BooleanField()


class GroupRow(Shape):
    """Patients who have something in common."""

    key = s.CharField(help_text="Empty for those without it.")
    name = s.CharField()
    patients = s.IntegerField()
    bed_days = s.FloatField(help_text="Lost so far, since their discharge ready dates.")


class DischargeSummary(Shape):
    """All who met no criteria to reside at the moment; each grouping adds up to the whole."""

    as_at = s.DateTimeField()
    known_at = s.DateTimeField(allow_null=True)
    patients = s.IntegerField()
    bed_days = s.FloatField()
    bed_days_last_week = s.FloatField(
        allow_null=True,
        help_text="Lost within seven days, by those gone since too; null where the filters ask "
        "for organisations, reasons or pathways.",
    )
    without_owner = s.IntegerField()
    overdue = s.IntegerField()
    by_pathway = GroupRow(many=True)
    by_reason = GroupRow(many=True)
    by_family = GroupRow(many=True)
    by_organisation = GroupRow(many=True)
    by_site = GroupRow(many=True)
    by_days = GroupRow(many=True)
    long_stays = GroupRow(many=True)


class ReviewRow(Shape):
    """What a board round found for one patient."""

    id = s.IntegerField()
    occurred_at = s.DateTimeField()
    recorded_at = s.DateTimeField()
    by = s.CharField(allow_null=True)
    round = s.UUIDField(allow_null=True, help_text="Shared by the reviews of one round.")
    criteria = s.ListField(
        child=s.CharField(), allow_null=True, help_text="Met; empty is none, null nobody looked."
    )
    exception = s.CharField(allow_null=True, help_text="A senior's reason to keep them.")
    expected_discharge_at = s.DateTimeField(allow_null=True)
    pathway = s.IntegerField(allow_null=True)
    day = s.ChoiceField(Review.Day.choices, allow_null=True)
    red_reason = s.CharField(allow_null=True)
    senior_reviewed = s.BooleanField(allow_null=True)
    medicines = s.ChoiceField(Review.Medicines.choices, allow_null=True)
    transport = s.ChoiceField(Review.Transport.choices, allow_null=True)
    next_step = s.CharField(allow_null=True)
    frailty = s.IntegerField(allow_null=True, help_text="Clinical Frailty Scale, 1 to 9.")
    residence = s.ChoiceField(Review.Residence.choices, allow_null=True)


class ReferralRow(Shape):
    """A place after hospital that was asked for a patient."""

    id = s.IntegerField()
    episode = s.IntegerField()
    visit = s.CharField(allow_null=True, help_text="Visit number; not for those asked alone.")
    patient = Who()
    kind = s.ChoiceField(Referral.Kind.choices)
    pathway = s.IntegerField(allow_null=True)
    needs = s.CharField(allow_null=True)
    status = s.ChoiceField(Referral.Status.choices)
    asked_at = s.DateTimeField()
    due_at = s.DateTimeField(allow_null=True, help_text="Until when an answer is wanted.")
    overdue = s.BooleanField()
    starts_at = s.DateTimeField(allow_null=True, help_text="From when they take the patient.")
    ended_at = s.DateTimeField(allow_null=True)
    reason = s.CharField(allow_null=True, help_text="Why they declined.")
    organisation = s.CharField(help_text="Who was asked.")
    to_ward = s.CharField(allow_null=True, help_text="The place, where it is one of ours.")
    to_site = s.CharField(allow_null=True)
    discharge_ready_at = s.DateTimeField(allow_null=True)
    ward = s.CharField(allow_null=True)
    site = s.CharField(allow_null=True)
    bed = s.CharField(allow_null=True)


class ReferralStepRow(Shape):
    """Something that happened to a referral."""

    kind = s.ChoiceField(ReferralStep.Kind.choices)
    occurred_at = s.DateTimeField()
    recorded_at = s.DateTimeField()
    by = s.CharField(allow_null=True)
    starts_at = s.DateTimeField(allow_null=True)
    reason = s.CharField(allow_null=True)
    note = s.CharField(allow_null=True)


class ReferralWithSteps(ReferralRow):
    """A referral and its steps."""

    steps = ReferralStepRow(many=True)


class ReceivingRow(Shape):
    """A place after hospital, what it has free and what is asked of it."""

    ward = s.CharField()
    site = s.CharField()
    name = s.CharField()
    kind = s.ChoiceField(Ward.Kind.choices)
    beds_open = s.IntegerField()
    beds_occupied = s.IntegerField()
    beds_available = s.IntegerField()
    accepted = s.IntegerField(help_text="Awaited.")
    asked = s.IntegerField(help_text="Not answered yet.")
    left = s.IntegerField(help_text="Free after those awaited; below nought if more is promised.")
    answered = s.IntegerField(help_text="Within four weeks.")
    declined = s.IntegerField(help_text="Of those answered.")
    hours_to_answer = s.FloatField(allow_null=True, help_text="Mean.")
    as_at = s.DateTimeField()
