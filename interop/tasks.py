"""Background work: the sweep that applies what no listener was there to apply."""

from __future__ import annotations

from typing import Final

from celery import shared_task
from django.utils import timezone

from interop.applying import Applier

_MOST: Final = 10_000  # messages in one run, so that a worker is not kept for ever
_BATCH: Final = 500


@shared_task(name="interop.tasks.apply_waiting", ignore_result=True)
def apply_waiting() -> int:
    """Apply the messages that wait; how many there were. Any number may run at once."""
    applier = Applier(now=timezone.now)
    applied = 0
    while applied < _MOST:
        done = sum(applier.apply_batch(_BATCH).values())
        if not done:
            break
        applied += done
    applier.rest()
    return applied
