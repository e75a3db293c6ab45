"""The clock's part in barriers: what is past its target goes up its ladder by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts.models import Organisation
from accounts.refusals import Refused
from patients.models import Barrier, Episode
from wards.barriers import Said, escalate


def escalate_overdue(*, at: datetime) -> int:
    """Take every barrier up the rungs that its time past the target has reached; how many rose.

    Repeating it changes nothing. Barriers of patients who have left stay as they are.
    """
    present = Episode.objects.present(at=at)
    late = Barrier.objects.filter(outcome="", due_at__lt=at, episode__in=present)
    ladders: dict[Organisation | None, list[tuple[int, int]]] = {}
    risen = 0
    for barrier in late.select_related("episode__provider").order_by("pk"):
        provider = barrier.episode.provider
        if provider not in ladders:
            rungs = (
                provider.escalation_steps.values_list("level", "after_hours") if provider else []
            )
            ladders[provider] = list(rungs)
        assert barrier.due_at is not None  # it lies before `at`
        past = at - barrier.due_at
        reached = [
            level
            for level, hours in ladders[provider]
            if level > barrier.level and past >= timedelta(hours=hours)
        ]
        if reached and _rose(barrier, max(reached), at):
            risen += 1
    return risen


def _rose(barrier: Barrier, level: int, at: datetime) -> bool:
    said = Said(at, None, source="clock")
    try:
        escalate(barrier=barrier, level=level, said=said, note="Past its target time")
    except Refused:  # somebody was quicker: it is over, or up there already
        return False
    return True
