"""What is done about what a discharge waits for: the deeds on barriers.

Every deed locks the episode, then the barrier, writes a step that is never edited, and leaves the
barrier as its steps say. They do what was asked or raise `Refused` and change nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from accounts.models import Organisation, Team, User
from accounts.refusals import Refused
from live.doorbell import ring
from patients.models import Barrier, BarrierStep, Code, CodeSet, Episode
from wards.accountable import Owner, owner_of
from wards.by_hand import refuse_ahead
from wards.dirty import mark_wards_of
from wards.provenance import BY_HAND, name_the_source

Kind = BarrierStep.Kind


@dataclass(frozen=True, slots=True)
class Said:
    """Who does it and when. `occurred_at` None means now; `source` and `key` name a statement
    from outside, so that the same one said twice is done once."""

    at: datetime
    by: User | None
    occurred_at: datetime | None = None
    source: str = BY_HAND

    @property
    def when(self) -> datetime:
        """When it happened. Raises Refused for a time that has not come."""
        refuse_ahead(self.occurred_at, self.at)
        return self.occurred_at or self.at


def raise_barrier(
    *,
    episode: Episode,
    reason: Code,
    said: Said,
    organisation: Organisation | None = None,
    team: Team | None = None,
    person: str = "",
    due_at: datetime | None = None,
    reportable: bool | None = None,
    note: str = "",
    key: str = "",
) -> Barrier:
    """Say that a discharge waits for something.

    Without a team or organisation, those that the reason asks for are accountable; without
    `due_at`, the target of the reason counts; without `reportable`, the first open barrier of a
    patient is the one reported. Saying the same `key` again returns what it had made.
    """
    when = said.when
    with transaction.atomic():
        locked = _locked(episode)
        if key and (known := Barrier.objects.filter(source=said.source, key=key).first()):
            return known
        _check_reason(reason, when)
        check_present(locked, when)
        open_ones = list(Barrier.objects.filter(episode=locked, outcome=""))
        if any(one.reason_id == reason.pk for one in open_ones):
            raise Refused(f"“{reason.label}” is open already for this patient.")
        owner = _owner(organisation, team) or owner_of(reason, locked)
        if due_at is None and reason.target_hours is not None:
            due_at = when + timedelta(hours=reason.target_hours)
        if reportable is None:
            reportable = not any(one.is_reportable for one in open_ones)
        elif reportable:
            _unreport(locked)
        name_the_source(said.source, said.by)
        barrier = Barrier.objects.create(
            episode=locked,
            reason=reason,
            organisation_id=owner.organisation,
            team_id=owner.team,
            person=person,
            period=DateTimeTZRange(when, None),
            due_at=due_at,
            is_reportable=reportable,
            note=note,
            source=said.source,
            key=key or uuid4().hex,
        )
        _step(barrier, Kind.RAISED, said, note=note, due_at=due_at)
        _tell(barrier)
    return barrier


def contact(*, barrier: Barrier, note: str, said: Said) -> BarrierStep:
    """Somebody was asked about it: who, how and what they said."""
    if not note.strip():
        raise Refused("Say whom you asked and what they answered.")
    return _do(barrier, said, lambda held: _step(held, Kind.CONTACTED, said, note=note.strip()))


def reassign(
    *,
    barrier: Barrier,
    said: Said,
    organisation: Organisation | None = None,
    team: Team | None = None,
    person: str = "",
    note: str = "",
) -> BarrierStep:
    """Somebody else is accountable from now on."""
    owner = _owner(organisation, team)
    if owner is None:
        raise Refused("Choose the team or the organisation that is accountable from now on.")

    def deed(held: Barrier) -> BarrierStep:
        if (held.organisation_id, held.team_id, held.person) == (
            owner.organisation,
            owner.team,
            person,
        ):
            raise Refused("They are accountable already.")
        _ring_for(held)  # those who lose it are to see it go
        _change(held, organisation_id=owner.organisation, team_id=owner.team, person=person)
        return _step(held, Kind.REASSIGNED, said, note=note)

    return _do(barrier, said, deed)


def escalate(
    *, barrier: Barrier, said: Said, note: str = "", level: int | None = None
) -> BarrierStep:
    """Take it one rung up its ladder, or to the rung given. Refused beyond the top."""

    def deed(held: Barrier) -> BarrierStep:
        rungs = held.episode.provider.escalation_steps.all() if held.episode.provider else []
        levels = {rung.level for rung in rungs}
        wanted = (
            level if level is not None else min((n for n in levels if n > held.level), default=0)
        )
        if wanted not in levels or wanted <= held.level:
            raise Refused(
                "The ladder has no step above this one."
                if levels
                else "There is no escalation ladder yet. Set one for the hospital's organisation."
            )
        _change(held, level=wanted)
        return _step(held, Kind.ESCALATED, said, note=note)

    return _do(barrier, said, deed)


def change_due(*, barrier: Barrier, due_at: datetime, said: Said, note: str) -> BarrierStep:
    """Another target time, with the reason for it."""
    if not note.strip():
        raise Refused("Say why the target time changes.")

    def deed(held: Barrier) -> BarrierStep:
        if due_at <= held.period.lower:
            raise Refused("The target time lies before the barrier was raised.")
        _change(held, due_at=due_at)
        return _step(held, Kind.DUE_CHANGED, said, note=note.strip())

    return _do(barrier, said, deed)


def make_reportable(*, barrier: Barrier, said: Said) -> BarrierStep:
    """This is the barrier that the national return names for the patient."""

    def deed(held: Barrier) -> BarrierStep:
        if held.is_reportable:
            raise Refused("It is the reportable one already.")
        _unreport(held.episode)
        _change(held, is_reportable=True)
        return _step(held, Kind.REPORTED, said)

    return _do(barrier, said, deed)


def resolve(*, barrier: Barrier, said: Said, note: str = "") -> BarrierStep:
    """What was waited for has come. The oldest barrier left becomes the reportable one."""
    return _do(barrier, said, lambda held: _end(held, Barrier.Outcome.RESOLVED, said, note=note))


def take_back(*, barrier: Barrier, said: Said, note: str = "") -> BarrierStep:
    """It was raised by mistake and counts for nothing."""
    return _do(barrier, said, lambda held: _end(held, Barrier.Outcome.MISTAKEN, said, note=note))


def replace(*, barrier: Barrier, reason: Code, said: Said, note: str = "") -> Barrier:
    """What was waited for turned into another wait; the new barrier."""
    with transaction.atomic():
        held = _held(barrier, said)
        reportable = held.is_reportable
        _end(held, Barrier.Outcome.REPLACED, said, note=note, hand_on=False)
        made = raise_barrier(
            episode=held.episode, reason=reason, said=said, reportable=reportable, note=note
        )
        _change(held, became=made)
    return made


def reopen(*, barrier: Barrier, said: Said, note: str = "") -> BarrierStep:
    """It is not over after all; the clock goes on from when it was raised."""
    with transaction.atomic():
        _locked(barrier.episode)
        held = Barrier.objects.select_for_update(of=("self",)).get(pk=barrier.pk)
        if not held.outcome:
            raise Refused("It is open.")
        if held.outcome == Barrier.Outcome.REPLACED:
            raise Refused("It has turned into another one. Change that one instead.")
        others = Barrier.objects.filter(episode=held.episode_id, outcome="")
        if others.filter(reason=held.reason_id).exists():
            raise Refused("The same reason has been raised again since.")
        name_the_source(said.source, said.by)
        _change(
            held,
            outcome="",
            period=DateTimeTZRange(held.period.lower, None),
            is_reportable=not others.filter(is_reportable=True).exists(),
        )
        step = _step(held, Kind.REOPENED, said, note=note)
        _tell(held)
    return step


def _check_reason(reason: Code, when: datetime) -> None:
    if reason.code_set.kind != CodeSet.Kind.DELAY:
        raise Refused(f"“{reason.label}” is no reason for a delay. Choose one from the list.")
    day = timezone.localtime(when).date()
    holds = reason.code_set
    if (
        reason.is_withdrawn
        or day < holds.valid_from
        or (holds.valid_until is not None and day >= holds.valid_until)
    ):
        raise Refused(f"“{reason.label}” is not in use at that time. Choose one from the list.")


def check_present(episode: Episode, when: datetime) -> None:
    """Raise Refused unless the patient was in hospital by then and had not left."""
    if episode.admitted_at is None or episode.status == Episode.Status.CANCELLED:
        raise Refused("This patient is not in hospital.")
    if when < episode.admitted_at:
        raise Refused("That is before the admission. Give a later time.")
    if episode.discharged_at is not None and when >= episode.discharged_at:
        raise Refused("This patient has left. Look at the board again.")


def _owner(organisation: Organisation | None, team: Team | None) -> Owner | None:
    if team is not None:
        if organisation is not None and team.organisation_id != organisation.pk:
            raise Refused(f"{team.name} belongs to another organisation. Choose again.")
        return Owner(team.organisation_id, team.pk)
    return Owner(organisation.pk) if organisation is not None else None


def _do(barrier: Barrier, said: Said, deed: Callable[[Barrier], BarrierStep]) -> BarrierStep:
    with transaction.atomic():
        held = _held(barrier, said)
        step = deed(held)
        _tell(held)
    return step


def _held(barrier: Barrier, said: Said) -> Barrier:
    """The open barrier, locked after its episode. Refused when it is over."""
    _locked(barrier.episode)
    held = (
        Barrier.objects.select_for_update(of=("self",))
        .select_related("episode__provider", "reason")
        .get(pk=barrier.pk)
    )
    if held.outcome:
        raise Refused(f"This is over already: {held.get_outcome_display().lower()}.")
    if said.when < held.period.lower:
        raise Refused("That is before the barrier was raised. Give a later time.")
    name_the_source(said.source, said.by)
    return held


def _locked(episode: Episode) -> Episode:
    return (
        Episode.objects.select_for_update(of=("self",), no_key=True)
        .select_related("provider")
        .get(pk=episode.pk)
    )


def _end(
    held: Barrier, outcome: Barrier.Outcome, said: Said, *, note: str, hand_on: bool = True
) -> BarrierStep:
    # A barrier that lasted no time at all would have an empty period.
    until = max(said.when, held.period.lower + timedelta(microseconds=1))
    was_reportable = held.is_reportable
    _change(
        held,
        outcome=outcome,
        period=DateTimeTZRange(held.period.lower, until),
        is_reportable=False,
    )
    step = _step(held, Kind(outcome.value), said, note=note)
    if was_reportable and hand_on:
        left = Barrier.objects.filter(episode=held.episode_id, outcome="").order_by("period", "pk")
        if heir := left.first():
            _change(heir, is_reportable=True)
            _step(heir, Kind.REPORTED, said)
    return step


def _unreport(episode: Episode) -> None:
    for barrier in Barrier.objects.filter(episode=episode, outcome="", is_reportable=True):
        _change(barrier, is_reportable=False)


def _change(barrier: Barrier, **values: Any) -> None:
    for name, value in values.items():
        setattr(barrier, name, value)
    barrier.save(update_fields=list(values))


def _step(
    barrier: Barrier,
    kind: BarrierStep.Kind,
    said: Said,
    *,
    note: str = "",
    due_at: datetime | None = None,
) -> BarrierStep:
    return BarrierStep.objects.create(
        barrier=barrier,
        kind=kind,
        occurred_at=said.when,
        by=said.by,
        organisation_id=barrier.organisation_id,
        team_id=barrier.team_id,
        level=barrier.level,
        due_at=due_at or barrier.due_at,
        note=note,
    )


def _tell(barrier: Barrier) -> None:
    """Have the figures counted again and the boards rung on which it shows."""
    mark_wards_of(barrier.episode_id)
    _ring_for(barrier)


def _ring_for(barrier: Barrier) -> None:
    names = ["hub"] + ([f"team:{barrier.team_id}"] if barrier.team_id else [])
    transaction.on_commit(lambda: ring(names))
