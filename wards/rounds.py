"""Board rounds: what is found for each patient of a ward, and who looked when.

A review holds everything, so that the latest tells how a patient stands; what a caller leaves
unsaid is carried over from the review before. A change of the expected discharge date is recorded
as a movement as well, so that it takes its turn with what the feed says and its slips are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypedDict
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.refusals import Refused
from live.doorbell import ring
from patients import identity
from patients.keys import PersonKey, VisitKey
from patients.models import Code, CodeSet, Episode, Review
from wards.barriers import Said, check_present
from wards.dirty import mark_wards_of
from wards.facts import Moved, MovementKind
from wards.models import Occupancy
from wards.movements import record
from wards.provenance import name_the_source
from wards.waits import project_readiness


class Found(TypedDict, total=False):
    """What a round found for one patient. Anything left out is as it was.

    criteria: slugs of the criteria met, empty for none. exception: a senior's reason to keep
    somebody who meets none. expected_discharge_at: the team's plan. pathway: 0 to 3. day: red or
    green, with red_reason. frailty: 1 to 9. The rest as in `Review`.
    """

    criteria: Sequence[str]
    exception: str
    expected_discharge_at: datetime | None
    pathway: int | None
    day: str
    red_reason: Code | None
    senior_reviewed: bool | None
    medicines: str
    transport: str
    next_step: str
    frailty: int | None
    residence: str


_LASTING: Final = (
    "criteria_set",
    "criteria",
    "exception",
    "pathway",
    "medicines",
    "transport",
    "next_step",
    "frailty",
    "residence",
)
"""What goes on until somebody says otherwise."""

_OF_THE_DAY: Final = ("day", "red_reason", "senior_reviewed")
"""What goes on until midnight: every day begins red and unseen."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody had before their eyes when they said what they found: the latest review
    (its key, None for none) and the expected discharge date."""

    review: int | None
    expected_discharge_at: datetime | None


class Overtaken(Refused):
    """Somebody else, or the feed, has said something of this patient meanwhile."""


def review(
    *,
    episode: Episode,
    found: Found,
    said: Said,
    round_key: UUID | None = None,
    key: str = "",
    seen: Seen | None = None,
) -> Review:
    """Record what a round found. Saying the same `key` again changes nothing.

    Raises Refused; with `seen`, Overtaken where that is no longer how it stands.
    """
    when = said.when
    with transaction.atomic():
        # People first, as everything that moves them does.
        identity.lock_people([episode.patient_id])
        locked = (
            Episode.objects.select_for_update(of=("self",), no_key=True)
            .select_related("visit", "patient")
            .get(pk=episode.pk)
        )
        if key and (known := Review.objects.filter(source=said.source, key=key).first()):
            return known
        check_present(locked, when)
        before = (
            Review.objects.filter(episode=locked, occurred_at__lte=when)
            .order_by("-occurred_at", "-pk")
            .first()
        )
        now = Seen(before.pk if before else None, locked.expected_discharge_at)
        if seen is not None and seen != now:
            raise Overtaken(
                "Somebody has changed this since you opened it. "
                "Check what changed, then save again."
            )
        values = {"expected_discharge_at": locked.expected_discharge_at}
        values |= _values(before, found, when)
        name_the_source(said.source, said.by)
        made = Review.objects.create(
            episode=locked,
            round=round_key,
            occurred_at=when,
            source=said.source,
            key=key or uuid4().hex,
            by=said.by,
            **values,
        )
        project_readiness(locked.pk)
        if made.expected_discharge_at != locked.expected_discharge_at:
            _tell_of_the_plan(locked, made, said)
        mark_wards_of(locked.pk)
        transaction.on_commit(lambda: ring(["hub"]))
    return made


GOING_ON: Final = timedelta(hours=2)
"""How long after its last review a round is still the same round."""


def round_going_on(ward: int, *, at: datetime) -> UUID:
    """The round that is going on on the ward, or a new one."""
    here = Occupancy.objects.filter(ward=ward, period__contains=at).values("episode")
    latest = (
        Review.objects.filter(
            episode__in=here, round__isnull=False, occurred_at__range=(at - GOING_ON, at)
        )
        .order_by("-occurred_at", "-pk")
        .values_list("round", flat=True)
        .first()
    )
    return latest or uuid4()


def _values(before: Review | None, found: Found, when: datetime) -> dict[str, Any]:
    """The whole review: what was said now over what lasts from before."""
    values: dict[str, Any] = {}
    if before is not None:
        today = timezone.localtime(before.occurred_at).date() == timezone.localtime(when).date()
        lasting = _LASTING + _OF_THE_DAY if today else _LASTING
        values = {name: getattr(before, name) for name in lasting}
    values.setdefault("criteria", None)
    values |= found
    if "day" in found and "red_reason" not in found and found["day"] != Review.Day.RED:
        values["red_reason"] = None  # it told why a red day was red
    if "criteria" in found:
        values["criteria_set"] = _criteria_set(found["criteria"], when)
        values["criteria"] = sorted(set(found["criteria"]))
        if values["criteria"] and "exception" not in found:
            values["exception"] = ""  # it excepted somebody who met none
    values["exception"] = str(values.get("exception") or "").strip()
    if values["exception"] and values["criteria"] != []:
        raise Refused("An exception is for somebody who meets no criteria. Take one of them back.")
    if values.get("red_reason") is not None and values.get("day") != Review.Day.RED:
        raise Refused("A reason belongs to a red day. Mark the day red, or take the reason back.")
    if values.get("pathway") not in (None, 0, 1, 2, 3):
        raise Refused("The pathway is 0, 1, 2 or 3.")
    if values.get("frailty") is not None and values["frailty"] not in range(1, 10):
        raise Refused("The Clinical Frailty Scale goes from 1 to 9.")
    for name, choices in (
        ("day", Review.Day), ("medicines", Review.Medicines), ("transport", Review.Transport),
        ("residence", Review.Residence),
    ):  # fmt: skip
        if values.get(name) and values[name] not in choices.values:
            raise Refused(f"{name.capitalize()} is one of: {', '.join(choices.values)}.")
    return values


def _criteria_set(criteria: Sequence[str], when: datetime) -> CodeSet:
    """The list the criteria are of: the one in use. Raises Refused for a slug it has not."""
    lasts = Q(valid_until=None) | Q(valid_until__gt=timezone.localtime(when).date())
    sets = CodeSet.objects.filter(lasts, kind=CodeSet.Kind.CRITERION)
    found = sets.order_by("-valid_from").first()
    if found is None:
        raise Refused("There is no list of criteria to reside. Run `manage.py load_codes`.")
    known = set(found.codes.values_list("slug", flat=True))
    if unknown := sorted(set(criteria) - known):
        raise Refused(
            f"Not in the list of criteria: {', '.join(unknown)}. "
            f"It has: {', '.join(sorted(known))}."
        )
    return found


def _tell_of_the_plan(episode: Episode, made: Review, said: Said) -> None:
    """The new expected date as a movement that moves nobody."""
    visit, patient = episode.visit, episode.patient
    plan = made.expected_discharge_at
    fact = Moved(
        key=uuid4().hex,
        # Told late, it takes its turn by when the plan was made.
        sent_at=made.occurred_at,
        person=PersonKey(patient.authority, patient.identifier),
        kind=MovementKind.OBSERVED,
        occurred_at=made.occurred_at,
        visit=VisitKey(visit.authority, visit.number) if visit.number else None,
        stay={"expected_discharge_at": plan.isoformat() if plan else None},
    )
    record([fact], source=said.source, by=said.by)
