"""What is done by the clock. Nothing depends on a queued message arriving: beat asks again."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from flow import census
from flow.cohorts.counting import count_missing
from flow.forecasts import issuing, keeping, learning, scoring
from wards import held_beds
from wards.escalation import escalate_overdue
from wards.referrals import settle


@shared_task(name="flow.tasks.refresh_census", ignore_result=True)
def refresh_census() -> None:
    """Count the wards with notes. Wanted within a second of a change, and by beat every 15 s."""
    census.refresh()


@shared_task(name="flow.tasks.confirm_all", ignore_result=True)
def confirm_all() -> None:
    """Count every ward, so that figures stay confirmed; by beat every 60 s."""
    census.confirm_all()


@shared_task(name="flow.tasks.escalate_barriers", ignore_result=True)
def escalate_barriers() -> None:
    """Take what is past its target up its ladder; by beat every 60 s."""
    escalate_overdue(at=timezone.now())


@shared_task(name="flow.tasks.settle_referrals", ignore_result=True)
def settle_referrals() -> None:
    """Close the referrals of people who have got there, or have left; by beat every 60 s."""
    settle(at=timezone.now())


@shared_task(name="flow.tasks.end_reservations", ignore_result=True)
def end_reservations() -> None:
    """Say of beds that were held why they are not any more; by beat every 20 s."""
    held_beds.settle(at=timezone.now())


@shared_task(name="flow.tasks.count_cohorts", ignore_result=True)
def count_cohorts() -> None:
    """Count cohorts for days that lack it, some at a time; by beat every 60 s."""
    count_missing(now=timezone.now())


@shared_task(name="flow.tasks.issue_forecasts", ignore_result=True)
def issue_forecasts() -> None:
    """Issue forecasts: of each full hour, and at most every five minutes where something changed;
    by beat every 20 s."""
    issuing.issue_due(now=timezone.now())


@shared_task(name="flow.tasks.score_forecasts", ignore_result=True)
def score_forecasts() -> None:
    """Score what was foretold and is over, some at a time, and drop what need not be kept; by
    beat every ten minutes."""
    scoring.score_due(now=timezone.now())
    keeping.thin(now=timezone.now())


@shared_task(name="flow.tasks.learn_forecasts", ignore_result=True)
def learn_forecasts() -> None:
    """Learn sites anew that are due; by beat every 30 s, in a worker of its own. Whoever
    comes while another is at it leaves at once."""
    learning.learn_due()
