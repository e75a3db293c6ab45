"""The shapes of the answers, for the OpenAPI document. The views write these themselves; a test
holds the two together."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from flow.board_types import BedState
from flow.figure_types import Group
from patients.models import Episode, Patient
from wards.models import Bed, BedStatus, Closure, Site, Ward


class Shape(s.Serializer[Any]):
    """A JSON object."""


def _time(text: str, *, null: bool = True) -> s.DateTimeField:
    return s.DateTimeField(allow_null=null, help_text=text)


class Census(Shape):
    """Figures. `beds_open = beds_occupied + beds_available + beds_unready`, and
    `patients = beds_occupied + bedless + unlisted`."""

    beds_open = s.IntegerField(help_text="Can hold a patient, or hold one.")
    beds_occupied = s.IntegerField(help_text="Hold a patient; one on leave counts.")
    beds_available = s.IntegerField(help_text="Open, empty and ready.")
    beds_unready = s.IntegerField(help_text="Open and empty, but to be cleaned first.")
    beds_closed = s.IntegerField(help_text="Empty and out of use.")
    beds_not_opened = s.IntegerField(help_text="Escalation beds that are empty and not opened.")
    beds_escalation = s.IntegerField(help_text="How many of the open ones are escalation beds.")
    patients = s.IntegerField(help_text="With or without a bed.")
    bedless = s.IntegerField(help_text="Patients without a bed.")
    unlisted = s.IntegerField(help_text="Patients in a bed that is not on the books.")
    clashes = s.IntegerField(help_text="Of bedless: sent to a bed that somebody else is in.")
    on_leave = s.IntegerField()
    waiting = s.IntegerField(help_text="Patients who wait for a bed here.")
    waiting_out = s.IntegerField(help_text="Patients here who wait for a bed elsewhere.")
    longest_wait_since = _time("Since when the first of `waiting` waits.")
    pending_discharges = s.IntegerField()
    as_at = _time("When this was counted or last confirmed.", null=False)
    stale = s.BooleanField(help_text="Too old, or its feeds are silent: do not rely on it.")


class OccupancyRow(Census):
    """The census of one ward. `beds_open = beds_occupied + beds_available + beds_unready`, and
    `patients = beds_occupied + bedless + unlisted`."""

    ward = s.CharField(help_text="Code of the ward.")
    ward_name = s.CharField()
    site = s.CharField(help_text="Code of the site.")
    organisation = s.CharField(help_text="Code of the organisation.")
    kind = s.ChoiceField(Ward.Kind.choices)
    specialty = s.CharField(allow_null=True)
    recognised = s.BooleanField(help_text="False for a ward that only a feed has named.")
    in_use = s.BooleanField(
        help_text="False where its beds are withdrawn and nobody is there: boards leave it out."
    )


class TotalRow(Census):
    """A sum over the wards in sight: of one group, or of all recognised wards."""

    site = s.CharField(allow_null=True, help_text="Code of the site; null for the whole system.")
    group = s.ChoiceField(
        [*[(group.value, group.value) for group in Group], ("all", "all")],
        help_text="inpatient: assessment, inpatient, critical care, maternity and community "
        "wards. home: virtual wards, reablement, care homes. emergency. day: day case, theatres, "
        "clinics. lounge: discharge lounges. all: the sum of these. unrecognised: wards that "
        "only a feed has named, in no other total.",
    )
    wards = s.IntegerField(help_text="How many wards were added up.")


class Records(Shape):
    """From when on the records tell of the past; in answers about the past alone."""

    begin = _time(
        "The earliest moment that is told of: before it there were hardly any movements.",
        null=False,
    )
    complete_from = _time(
        "Figures of moments before this are too low: who had left by then is told of in no "
        "record. null while nobody has been told to have left."
    )
    recorded_from = _time("When the first record was made.", null=False)
    cleaning_from = _time(
        "At moments before this beds to be cleaned count as available, since nobody told of them. "
        "null while nobody has."
    )


class Who(Shape):
    """A person, as far as the caller may see."""

    mrn = s.CharField(allow_null=True, help_text="The hospital's number of the patient.")
    nhs_number = s.CharField(allow_null=True)
    name = s.CharField(allow_null=True)
    date_of_birth = s.DateField(allow_null=True)
    sex = s.ChoiceField(Patient.Sex.choices, allow_null=True)
    restricted = s.BooleanField(help_text="The record is restricted; nothing else is told.")


class BedPatient(Who):
    """Who is in a bed."""

    episode = s.IntegerField()
    visit = s.CharField(allow_null=True)
    since = _time("In this place since.", null=False)
    admitted_at = _time("Start of the stay.")
    expected_discharge_at = _time("As planned now.")
    specialty = s.CharField(allow_null=True)
    on_leave = s.BooleanField()


class BedRow(Shape):
    """One bed, bed space or place."""

    id = s.IntegerField()
    ward = s.CharField()
    site = s.CharField()
    bay = s.CharField(allow_null=True)
    bed = s.CharField(help_text="Its label in the bay.")
    kind = s.ChoiceField(Bed.Kind.choices)
    funding = s.ChoiceField(Bed.Funding.choices)
    features = s.ListField(child=s.ChoiceField(Bed.Feature.choices))
    state = s.ChoiceField([(state.value, state.value) for state in BedState])
    since = _time("In this state since, where known.")
    status = s.ChoiceField(
        BedStatus.Status.choices, allow_null=True, help_text="Latest told, HL7 table 0116."
    )
    level = s.ChoiceField(
        [("routine", "Routine clean"), ("terminal", "Terminal clean")],
        allow_null=True,
        help_text="How it is to be cleaned, or was, where that was said.",
    )
    status_since = _time("When that was so.")
    closure = s.IntegerField(allow_null=True, help_text="Key of the closure in force, if any.")
    closed_reason = s.ChoiceField(Closure.Reason.choices, allow_null=True)
    closed_since = _time("Start of the closure.")
    closed_until = _time("Planned end of the closure.")
    clash = s.BooleanField(help_text="Somebody else was sent to this bed too.")
    patient = BedPatient(allow_null=True, help_text="null where the caller may not see patients.")


class Bedless(Shape):
    """A patient on a ward without a bed."""

    ward = s.CharField()
    site = s.CharField()
    since = _time("There since.", null=False)
    wanted_bed = s.CharField(allow_null=True, help_text="The bed they were sent to.")
    patient = BedPatient(allow_null=True)


class OrganisationRow(Shape):
    """A body."""

    code = s.CharField(help_text="ODS code.")
    name = s.CharField()
    kind = s.CharField()
    # Declared fields are taken off the class, so nothing of the base class is hidden.
    parent = s.CharField(  # type: ignore[assignment]
        allow_null=True, help_text="Code of the body above."
    )


class SiteRow(Shape):
    """A site."""

    code = s.CharField()
    name = s.CharField()
    kind = s.ChoiceField(Site.Kind.choices)
    organisation = s.CharField()


class WardRow(Shape):
    """A ward."""

    code = s.CharField(help_text="Unique in its site.")
    name = s.CharField()
    kind = s.ChoiceField(Ward.Kind.choices)
    site = s.CharField()
    organisation = s.CharField()
    specialty = s.CharField(allow_null=True)
    sex = s.ChoiceField(Ward.Sex.choices)
    recognised = s.BooleanField()
    beds = s.IntegerField(help_text="On the books now.")


class BayRow(Shape):
    """A bay or side room."""

    code = s.CharField()
    name = s.CharField()
    sex = s.ChoiceField(Ward.Sex.choices)


class WardWithBays(WardRow):
    """A ward and its bays."""

    bays = BayRow(many=True)


class OccupancyPeriod(Shape):
    """A part of a stay in one place; half-open, `end` null while it lasts."""

    ward = s.CharField()
    site = s.CharField()
    bay = s.CharField(allow_null=True)
    bed = s.CharField(allow_null=True)
    start = _time("The first instant.", null=False)
    end = _time("The first instant after it.")
    on_leave = s.BooleanField()
    inferred = s.BooleanField(help_text="The patient was seen there; nobody told of the move.")
    wanted_bed = s.CharField(
        allow_null=True, help_text="The bed they were sent to, while somebody else is in it."
    )


class EpisodeRow(Shape):
    """One continuous stay with one provider."""

    id = s.IntegerField()
    visit = s.CharField(allow_null=True, help_text="Visit number.")
    status = s.ChoiceField(
        Episode.Status.choices,
        help_text="Now, by the clock: until it has come, a discharge or an admission that the "
        "source dated ahead is but expected.",
    )
    admitted_at = _time("By the source's word; it may lie ahead.")
    discharged_at = _time("By the source's word; it may lie ahead.")
    expected_at = _time("Announced arrival.")
    expected_discharge_at = _time("The team's plan.")
    provider = s.CharField(allow_null=True, help_text="Code of the organisation.")
    patient_class = s.CharField(allow_null=True)
    specialty = s.CharField(allow_null=True)
    admission_method = s.CharField(allow_null=True)
    consultant = s.CharField(allow_null=True)
    discharge_destination = s.CharField(allow_null=True)
    flags = s.ListField(
        child=s.CharField(),
        help_text="What is uncertain: admission_inferred, discharge_inferred, resumed (a later "
        "stay ended, nobody told of the end of this one), visit_number_shared (another patient "
        "is in hospital under the same number), moved_after_discharge, "
        "discharge_disputed, discharge_before_admission, moved_before_admission (what was told "
        "contradicts itself).",
    )
    patient = Who()
    occupancies = OccupancyPeriod(many=True)


class EpisodeQuery(Shape):
    """What to search stays by; all that is given must hold."""

    visit = s.CharField(required=False)
    mrn = s.CharField(required=False)
    nhs_number = s.CharField(required=False)
    ward = s.ListField(child=s.CharField(), required=False)
    site = s.ListField(child=s.CharField(), required=False)
    status = s.ListField(child=s.ChoiceField(Episode.Status.choices), required=False)
    at = s.DateTimeField(required=False)
    limit = s.IntegerField(required=False, min_value=1, max_value=1000)
    cursor = s.CharField(required=False)


class Problem(Shape):
    """Problem details (RFC 9457)."""

    type = s.CharField()
    title = s.CharField()
    status = s.IntegerField()
    detail = s.CharField(help_text="What went wrong and what to do.")
    errors = s.DictField(  # type: ignore[assignment]
        child=s.ListField(child=s.CharField()), required=False
    )


class ReturnLine(Shape):
    """One number of a daily return."""

    organisation = s.CharField()
    date = s.DateField()
    definition = s.CharField(help_text="Which return.")
    version = s.CharField(help_text="Of the definition.")
    line = s.CharField()
    label = s.CharField()  # type: ignore[assignment]  # a declared field
    value = s.FloatField(
        allow_null=True,
        help_text="As sent; as counted now where nothing was sent. Null before `counted_from`.",
    )
    counted_now = s.FloatField(allow_null=True, help_text="Null before `counted_from`.")
    counted_from = s.DateTimeField(
        help_text="The first moment at which the numbers of that day can be counted: of the "
        "situation report 08:00 in England."
    )
    differs = s.BooleanField(help_text="Counting now gives another number than was sent.")
    reason = s.CharField(allow_null=True, help_text="Why somebody entered another number.")
    state = s.ChoiceField(
        ["not_yet", "not_sent", "sent", "amended"],
        help_text="not_yet: `counted_from` has not come.",
    )
    amendment = s.IntegerField(allow_null=True, help_text="1 when it was first sent.")
    signed_by = s.CharField(allow_null=True)
    signed_at = s.DateTimeField(allow_null=True)
