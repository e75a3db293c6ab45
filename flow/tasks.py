"""Background work on the census. Nothing depends on a queued message arriving: beat asks again."""

from __future__ import annotations

from celery import shared_task

from flow import census


@shared_task(name="flow.tasks.refresh_census", ignore_result=True)
def refresh_census() -> None:
    """Count the wards with notes. Wanted within a second of a change, and by beat every 15 s."""
    census.refresh()


@shared_task(name="flow.tasks.confirm_all", ignore_result=True)
def confirm_all() -> None:
    """Count every ward, so that figures stay confirmed; by beat every 60 s."""
    census.confirm_all()
