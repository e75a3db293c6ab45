"""Saying what a patient needs of a bed, and reading what was said last."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from django.db import transaction

from accounts.refusals import Refused
from live.doorbell import ring
from patients import identity
from patients.models import CareNeeds, Episode
from wards.barriers import Said
from wards.dirty import mark_wards_of
from wards.marks import mark_of

_MOST: Final = 10
"""How many infections or groups can be said of one patient; more is a slip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """What a patient needs of a bed; the words are those of `patients.models.CareNeeds`."""

    isolation: str = ""
    infections: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    not_alone: bool = False
    falls_risk: bool = False
    wanders: bool = False
    immunosuppressed: bool = False
    end_of_life: bool = False
    acuity: int | None = None
    corridor_groups: tuple[str, ...] = ()

    @classmethod
    def of(cls, row: CareNeeds) -> Needed:
        """What a row says."""
        said: dict[str, Any] = {}
        for one in fields(cls):
            value = getattr(row, one.name)
            said[one.name] = tuple(value) if isinstance(value, list) else value
        return cls(**said)


def say(
    *, episode: Episode, needed: Needed, said: Said, key: str = "", seen: str = ""
) -> CareNeeds:
    """Say what the patient needs from now on; it replaces what was said before.

    Saying the same `key` again, or what holds already, returns what stands. `seen`: the mark of
    what the caller saw (`wards.marks`: of a `Needed`, or of None). Raises Refused where by now it
    is otherwise, for a word that is not known, and for a stay that is over.
    """
    _check(needed)
    with transaction.atomic():
        identity.lock_people([episode.patient_id])
        stay = Episode.objects.get(pk=episode.pk)
        known = CareNeeds.objects.filter(source=said.source, key=key).first() if key else None
        if known is not None:
            return known
        if stay.status_at(said.when) in (Episode.Status.DISCHARGED, Episode.Status.CANCELLED):
            raise Refused("This stay is over. Nothing can be said of what it needs any more.")
        last = latest([stay.pk], at=said.when).get(stay.pk)
        if last is not None and Needed.of(last) == needed:
            return last
        if seen and seen != mark_of(Needed.of(last) if last is not None else None):
            raise Refused(
                "Somebody said otherwise meanwhile what they need of a bed. It stands above; what "
                "you typed is below, and sending it again replaces it."
            )
        values = {one.name: getattr(needed, one.name) for one in fields(needed)}
        for name in ("infections", "requires", "corridor_groups"):
            values[name] = sorted(set(values[name]))
        row = CareNeeds.objects.create(
            episode=stay,
            occurred_at=said.when,
            source=said.source,
            key=key or uuid4().hex,
            by=said.by,
            **values,
        )
        mark_wards_of(stay.pk)
        transaction.on_commit(lambda: ring(["desk"]))
    return row


def latest(episodes: Collection[int], *, at: datetime) -> Mapping[int, CareNeeds]:
    """What was last said of each of these episodes by `at`; one query."""
    rows = (
        CareNeeds.objects.filter(episode__in=list(episodes), occurred_at__lte=at)
        .order_by("episode", "-occurred_at", "-pk")
        .distinct("episode")
    )
    return {row.episode_id: row for row in rows}


def _check(needed: Needed) -> None:
    if needed.isolation not in CareNeeds.Isolation.values:
        raise Refused(_one_of("isolation", CareNeeds.Isolation.values))
    for require in needed.requires:
        if require not in CareNeeds.Require.values:
            raise Refused(_one_of("requires", CareNeeds.Require.values))
    if needed.acuity is not None and not 0 <= needed.acuity <= 3:
        raise Refused("The level of care (acuity) is 0, 1, 2 or 3.")
    for name, words, longest in (
        ("infections", needed.infections, 40),
        ("corridor_groups", needed.corridor_groups, 60),
    ):
        if len(words) > _MOST or any(not word.strip() or len(word) > longest for word in words):
            raise Refused(
                f"{name} is a list of at most {_MOST} short names of up to {longest} characters."
            )


def _one_of(name: str, values: Collection[str]) -> str:
    return f"{name} is one of: {', '.join(value or '(empty)' for value in values)}."
