"""What people do in and for a meeting: say a ward's line, open it, lead through it, end it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import pghistory
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import deed
from accounts.models import User
from accounts.refusals import Refused
from huddles.letters import plain
from huddles.meetings.manner import manner_of
from huddles.meetings.timetable import LATE, Timetable
from huddles.models import Huddle, HuddleLine, HuddleTemplate
from huddles.models.meetings import TEXT
from live.doorbell import ring
from wards.models import Ward

MOST = 999
"""Of any figure in a line; more is a slip."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a ward says in its line; as in `HuddleLine`."""

    beds_free: int | None = None
    definite: tuple[int | None, ...] = ()
    possible: tuple[int | None, ...] = ()
    unplaced: int | None = None
    outliers: int | None = None
    side_rooms: int | None = None
    closed: int | None = None
    nurses_planned: int | None = None
    nurses_actual: int | None = None
    concern: str = ""
    harm: str | None = None
    hazard: str | None = None


class Changed(Refused):
    """Somebody else has said the line since the caller looked."""


def bell(site: int) -> str:
    """What is rung when anything of a site's meetings changes."""
    return f"huddle:{site}"


def timetable_of(template: HuddleTemplate) -> Timetable:
    """When the meetings of a template are held."""
    return Timetable(
        times=tuple(template.times),
        weekdays=frozenset(template.weekdays),
        opens_before=timedelta(minutes=template.opens_before),
    )


def of_start(template: HuddleTemplate, starts_at: datetime) -> Huddle:
    """The meeting of that start, locked; made where nobody has said anything for it yet. Raises
    Refused for a moment at which none begins. Call inside a transaction."""
    known = Huddle.objects.filter(template=template, starts_at=starts_at)
    if not known.exists():
        if not timetable_of(template).is_a_start(starts_at):
            raise Refused(_("No meeting begins at that time. Look at the list of meetings."))
        held = manner_of(template, starts_at, None)
        new = Huddle(
            template=template, starts_at=starts_at, horizons=list(held.horizons),
            agenda=list(held.agenda), figures=list(held.figures), lasts=held.lasts,
        )  # fmt: skip
        Huddle.objects.bulk_create([new], ignore_conflicts=True)
    return known.select_for_update(of=("self",)).select_related("template__site").get()


@transaction.atomic
def confirm(
    *,
    template: HuddleTemplate,
    starts_at: datetime,
    ward: Ward,
    said: Said,
    at: datetime,
    by: User,
    seen: int | None = None,
) -> HuddleLine:
    """Say what stands in the line of a ward; it replaces what was said before.

    `seen`: key of the last version of the line that whoever says it saw, 0 for none, None for
    any; Refused (`Changed`) where it has been said anew since. Refused for a ward of another site,
    a meeting that is over or not open for lines yet, numbers out of bounds and texts too long. The
    caller has checked that `by` may.
    """
    huddle = of_start(template, starts_at)
    _check_may_be_said(huddle, ward, at)
    clean = _checked(said, len(manner_of(template, starts_at, huddle).horizons))
    line = HuddleLine.objects.filter(huddle=huddle, ward=ward).select_related("by").first()
    if seen is not None and seen != version_of(line):
        assert line is not None, "a line that is gone has no version"
        raise Changed(
            _("%(who)s said this line at %(when)s, after you looked. What they said is shown; say "
              "it again if it should be otherwise.")
            % {"who": line.by, "when": f"{timezone.localtime(line.confirmed_at):%H:%M}"}
        )  # fmt: skip
    with pghistory.context(**deed("confirm_huddle_line", by)):
        row = line or HuddleLine(huddle=huddle, ward=ward)
        for one in fields(clean):
            value = getattr(clean, one.name)
            setattr(row, one.name, list(value) if isinstance(value, tuple) else value)
        row.confirmed_at, row.by = at, by
        row.save()
    _ring(huddle)
    return row


def version_of(line: HuddleLine | None) -> int:
    """Tells one saying of a line from another: microseconds since 1970, 0 for none."""
    return 0 if line is None else int(line.confirmed_at.timestamp() * 1_000_000)


@transaction.atomic
def open_meeting(
    *, template: HuddleTemplate, starts_at: datetime, first: str, at: datetime, by: User
) -> Huddle:
    """Begin it; `by` leads. `first`: the step it begins with. Refused where it is over, so far
    ahead that wards cannot speak for it yet, or so long ago that it was not held (`LATE`)."""
    huddle = of_start(template, starts_at)
    _check_not_over(huddle)
    if huddle.opened_at is not None:
        raise Refused(_("%(who)s has opened it already.") % {"who": huddle.chair})
    if at < starts_at - timedelta(minutes=template.opens_before):
        raise Refused(_("It can be opened from %(when)s.") % {"when": _opens(huddle)})
    if at >= starts_at + LATE:
        raise Refused(_("Nobody opened this meeting at its time. Open the next one."))
    if not first:
        raise Refused(_("Its agenda is empty. Change how the meeting is held first."))
    with pghistory.context(**deed("open_huddle", by)):
        huddle.opened_at, huddle.chair, huddle.step, huddle.step_at = at, by, first, at
        huddle.save(update_fields=["opened_at", "chair", "step", "step_at"])
    _ring(huddle)
    return huddle


@transaction.atomic
def go_to(*, huddle: Huddle, step: str, at: datetime, by: User, take_chair: bool = False) -> Huddle:
    """Speak of something else from now on. Refused where somebody else leads it, unless `by` takes
    the chair with it."""
    held = locked(huddle)
    if held.chair_id != by.pk and not take_chair:
        raise Refused(_("%(who)s leads this meeting. Take the chair first.") % {"who": held.chair})
    with pghistory.context(**deed("step_huddle", by)):
        held.step, held.step_at, held.chair = step, at, by
        held.save(update_fields=["step", "step_at", "chair"])
    _ring(held)
    return held


@transaction.atomic
def answer_safety(
    *, huddle: Huddle, harm: str | None, hazard: str | None, at: datetime, by: User
) -> Huddle:
    """What the site as a whole answers to the two questions; None leaves one as it was."""
    held = locked(huddle)
    for name, said in (("harm", harm), ("hazard", hazard)):
        if said is not None:
            setattr(held, name, _text(said))
    with pghistory.context(**deed("answer_huddle", by)):
        held.save(update_fields=["harm", "hazard"])
    _ring(held)
    return held


@transaction.atomic
def close_meeting(*, huddle: Huddle, frozen: dict[str, Any], at: datetime, by: User) -> Huddle:
    """End it and keep what was on the screen (`frozen`); nothing of it changes from then on."""
    held = locked(huddle)
    with pghistory.context(**deed("close_huddle", by)):
        held.closed_at, held.closed_by, held.frozen = at, by, frozen
        held.save(update_fields=["closed_at", "closed_by", "frozen"])
    _ring(held)
    return held


def locked(huddle: Huddle) -> Huddle:
    """The meeting that runs, locked: nobody says, agrees or ends anything meanwhile. Raises Refused
    where it does not run. Call inside a transaction."""
    held = (
        Huddle.objects.select_for_update(of=("self",))
        .select_related("template__site", "chair")
        .get(pk=huddle.pk)
    )
    _check_not_over(held)
    if held.opened_at is None:
        raise Refused(_("This meeting has not been opened yet."))
    return held


def _check_not_over(huddle: Huddle) -> None:
    if huddle.closed_at is not None:
        when = f"{timezone.localtime(huddle.closed_at):%H:%M}"
        raise Refused(
            _("This meeting ended at %(when)s; what was said stays as it was.") % {"when": when}
        )


def _check_may_be_said(huddle: Huddle, ward: Ward, at: datetime) -> None:
    _check_not_over(huddle)
    if ward.site_id != huddle.template.site_id:
        raise Refused(_("That ward is at another site."))
    if at < huddle.starts_at - timedelta(minutes=huddle.template.opens_before):
        raise Refused(_("Lines can be said from %(when)s.") % {"when": _opens(huddle)})
    if huddle.opened_at is None and at >= huddle.starts_at + LATE:
        raise Refused(_("Nobody opened this meeting at its time. Say the line for the next one."))


def _opens(huddle: Huddle) -> str:
    opens = huddle.starts_at - timedelta(minutes=huddle.template.opens_before)
    return f"{timezone.localtime(opens):%a %-d %b %H:%M}"


def _checked(said: Said, horizons: int) -> Said:
    numbers = [
        value
        for one in fields(said)
        for value in _as_row(getattr(said, one.name))
        if isinstance(value, int)
    ]
    if any(not 0 <= number <= MOST for number in numbers):
        raise Refused(_("Give whole numbers from 0 to %(most)s.") % {"most": MOST})
    for row in (said.definite, said.possible):
        if len(row) not in (0, horizons):
            raise Refused(_("Give a number for each of the times."))
    # Somebody who may leave may become sure to: in all there are as many or more later.
    in_all = [
        None if None in pair else sum(number or 0 for number in pair)
        for pair in zip(said.definite, said.possible, strict=False)
    ]
    for counted in (said.definite, in_all):
        told = [number for number in counted if number is not None]
        if told != sorted(told):
            raise Refused(
                _("Discharges are counted up to each time: a later time has as many or more, "
                  "definite ones and all together.")
            )  # fmt: skip
    values = {one.name: getattr(said, one.name) for one in fields(said)}
    texts = {name: None if values[name] is None else _text(values[name])
             for name in ("concern", "harm", "hazard")}  # fmt: skip
    return Said(**(values | texts))


def _as_row(value: object) -> Sequence[object]:
    return value if isinstance(value, tuple) else (value,)


def _text(said: str) -> str:
    text = plain(said)
    if len(text) > TEXT:
        raise Refused(_("Shorten the text to %(most)s characters.") % {"most": TEXT})
    return text


def _ring(huddle: Huddle) -> None:
    site = huddle.template.site_id
    transaction.on_commit(lambda: ring([bell(site)]))
