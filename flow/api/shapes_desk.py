"""What the answers about beds for those who wait look like, for the OpenAPI document."""

from __future__ import annotations

from typing import Final

from rest_framework import serializers as s

from flow.api.shapes import Problem, Shape, Who
from flow.desk.clocks import ClockKind
from patients.models import CareNeeds, Episode
from wards.facts import MovementKind
from wards.models import RequestTerms, Reservation
from wards.suitability.facts import BedState, NeedKind

NEED_KINDS: Final = [(kind.value, kind.value) for kind in NeedKind]


class ClockRow(Shape):
    """A clock that runs on somebody in an emergency department."""

    kind = s.ChoiceField([(kind.value, kind.value) for kind in ClockKind])
    since = s.DateTimeField()
    ends_at = s.DateTimeField()
    over = s.BooleanField()


class HeldRow(Shape):
    """The bed that is held."""

    id = s.IntegerField(help_text="Key of the reservation, to be sent back as `seen`.")
    bed = s.IntegerField(help_text="Key of the bed.")
    # Declared fields are taken off the class, so nothing of the base class is hidden.
    label = s.CharField()  # type: ignore[assignment]
    ward = s.CharField()
    site = s.CharField()
    until = s.DateTimeField()
    decided = s.BooleanField(help_text="It is theirs (allocated), not only kept back.")
    state = s.ChoiceField(
        [(state, state) for state in ("available", "occupied", "unready", "closed", "unlisted")]
    )


class LapsedRow(Shape):
    """A bed that was held lately and is not any more, though nobody gave it back."""

    bed = s.IntegerField()
    label = s.CharField()  # type: ignore[assignment]
    ward = s.CharField(help_text="Name of the ward.")
    why = s.CharField()
    at = s.DateTimeField()


class NeededRow(Shape):
    """What somebody needs of a bed."""

    isolation = s.ChoiceField(CareNeeds.Isolation.choices, allow_blank=True)
    infections = s.ListField(child=s.CharField())
    requires = s.ListField(child=s.ChoiceField(CareNeeds.Require.choices))
    not_alone = s.BooleanField()
    falls_risk = s.BooleanField()
    wanders = s.BooleanField()
    immunosuppressed = s.BooleanField()
    end_of_life = s.BooleanField()
    acuity = s.IntegerField(allow_null=True, help_text="Level of critical care, 0 to 3.")
    corridor_groups = s.ListField(child=s.CharField())


class CareNeedsRow(NeededRow):
    """What was said at a time of what somebody needs of a bed."""

    id = s.IntegerField()
    occurred_at = s.DateTimeField()
    recorded_at = s.DateTimeField()
    by = s.CharField(allow_null=True)


class BedRequestRow(Shape):
    """Somebody who needs a bed. What tells of the patient is null where the caller may not see
    them."""

    id = s.IntegerField()
    episode = s.IntegerField(allow_null=True)
    patient = Who(allow_null=True, help_text="By token, with `episodes:read` alone.")
    kind = s.ChoiceField(NEED_KINDS)
    priority = s.ChoiceField(RequestTerms.Priority.choices)
    since = s.DateTimeField()
    due_at = s.DateTimeField(allow_null=True, help_text="When the bed is wanted.")
    ended_at = s.DateTimeField(allow_null=True, help_text="It was met or withdrawn then.")
    from_ward = s.CharField(allow_null=True, help_text="Where the patient is.")
    from_site = s.CharField(allow_null=True)
    from_bed = s.CharField(allow_null=True, help_text="Label of their bed.")
    ward = s.CharField(allow_null=True, help_text="The ward that is asked; null for any.")
    site = s.CharField(allow_null=True)
    specialty = s.CharField(allow_null=True)
    elective = s.BooleanField()
    asked_by = s.CharField(allow_null=True)
    note = s.CharField(allow_null=True)
    sex = s.CharField(allow_null=True)
    age = s.IntegerField(allow_null=True)
    waits_for = s.ChoiceField(
        [("bed", "bed"), ("ready", "ready"), ("move", "move")],
        allow_null=True,
        help_text="bed: none is held. ready: one is held that has to become ready. move: one is "
        "held that can be used. null once the request is over.",
    )
    clocks = ClockRow(many=True)
    held = HeldRow(allow_null=True)
    lapsed = LapsedRow(allow_null=True)
    needs = NeededRow(allow_null=True, help_text="null where nobody has said anything.")


class Overridden(Shape):
    """A rule that was set aside, and why."""

    code = s.CharField()
    reason = s.CharField()


class ReservationRow(Shape):
    """A bed that is or was held."""

    id = s.IntegerField()
    bed = s.IntegerField()
    label = s.CharField()  # type: ignore[assignment]
    ward = s.CharField()
    site = s.CharField()
    since = s.DateTimeField()
    until = s.DateTimeField()
    status = s.ChoiceField(Reservation.Status.choices)
    decided = s.BooleanField()
    by = s.CharField(allow_null=True)
    overridden = Overridden(many=True)


class BedRequestDetail(BedRequestRow):
    """A request and every bed that was held for it."""

    history = ReservationRow(many=True)


class Reason(Shape):
    """What a rule says of a bed."""

    code = s.CharField(help_text="Of the rule.")
    title = s.CharField()
    text = s.CharField()
    speaks = s.ChoiceField([("for", "for"), ("against", "against")])
    hard = s.BooleanField(help_text="It refuses the bed.")
    cost = s.FloatField(help_text="In the units of the rule book.")
    breach = s.CharField(allow_null=True, help_text="What using the bed would count as.")


class MatchRow(Shape):
    """A bed for a request."""

    bed = s.IntegerField(help_text="Key of the bed.")
    label = s.CharField()  # type: ignore[assignment]
    ward = s.CharField()
    site = s.CharField()
    bay = s.CharField(allow_null=True, help_text="Name of the bay.")
    state = s.ChoiceField([(state.value, state.value) for state in BedState])
    ready_at = s.DateTimeField(allow_null=True, help_text="When it can be used, where known.")
    chance = s.FloatField(help_text="That it is free by then.")
    suitable = s.BooleanField(help_text="No rule refuses it.")
    may_override = s.BooleanField(help_text="The caller may set all that refuses aside.")
    score = s.IntegerField(help_text="0 (refused) to 100 (costs nothing).")
    cost = s.FloatField(help_text="What the rules against it cost together.")
    reasons = Reason(many=True)


class Book(Shape):
    """The rules by which the beds were judged."""

    name = s.CharField()
    version = s.IntegerField(
        allow_null=True,
        help_text="null where the site has no rules, so that facts alone count.",
    )
    valid_from = s.DateTimeField(allow_null=True)


class RuleRow(Shape):
    """A rule that forbids a bed."""

    code = s.CharField()
    title = s.CharField()
    text = s.CharField()
    may_override = s.BooleanField()


class DeskProblem(Problem):
    """A refusal; `rules` and `may_override` of the type `unsuitable`, `record` and `differs` of
    `already-known`, `records` of `same-name`."""

    rules = RuleRow(many=True, required=False)
    may_override = s.BooleanField(required=False)
    record = s.IntegerField(required=False)
    differs = s.ListField(child=s.CharField(), required=False)
    records = s.ListField(child=s.IntegerField(), required=False)


class Spot(Shape):
    """A place."""

    ward = s.CharField(allow_null=True)
    site = s.CharField(allow_null=True)
    bay = s.CharField(allow_null=True)
    bed = s.IntegerField(allow_null=True, help_text="Key of the bed.")
    label = s.CharField(allow_null=True)  # type: ignore[assignment]


class MovementRow(Spot):
    """A movement as it was recorded."""

    id = s.IntegerField()
    kind = s.ChoiceField([(kind.value, kind.value) for kind in MovementKind])
    episode = s.IntegerField()
    occurred_at = s.DateTimeField()
    recorded_at = s.DateTimeField()
    by = s.CharField(allow_null=True)
    cancels = s.IntegerField(allow_null=True, help_text="The movement that it takes back.")


class WhereNow(Spot):
    """Where the patient of a stay is; nulls once they have left."""

    episode = s.IntegerField()
    status = s.ChoiceField(Episode.Status.choices)
    admitted_at = s.DateTimeField(allow_null=True)
    discharged_at = s.DateTimeField(allow_null=True)
    since = s.DateTimeField(allow_null=True, help_text="In this place since.")
    on_leave = s.BooleanField()


class Moved(Shape):
    """A movement, and where it leaves the patient."""

    movement = MovementRow()
    now = WhereNow()


class MovedRow(Moved):
    """The same, and of a swap the other patient."""

    other = Moved(allow_null=True)
