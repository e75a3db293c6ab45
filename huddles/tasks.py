"""What huddles do by the clock."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from huddles.escalation.assessing import assess
from huddles.escalation.noticing import note
from huddles.escalation.sending import send_due
from huddles.meetings.forgetting import end_forgotten
from huddles.meetings.mailing import mail_summaries


@shared_task(name="huddles.tasks.assess_escalation", ignore_result=True)
def assess_escalation() -> None:
    """Compute the level of every site and of the system; by beat every 60 s."""
    assess(at=timezone.now())


@shared_task(name="huddles.tasks.send_notices", ignore_result=True)
def send_notices() -> None:
    """Tell whoever wants to know of a changed level, by e-mail; by beat every 20 s."""
    note(now=timezone.now())
    send_due(now=timezone.now())


@shared_task(name="huddles.tasks.mail_summaries", ignore_result=True)
def send_summaries() -> None:
    """Mail the summaries of meetings that have ended; by beat every 20 s."""
    mail_summaries(now=timezone.now())


@shared_task(name="huddles.tasks.end_forgotten", ignore_result=True)
def end_left() -> None:
    """End the meetings that everybody has left; by beat every 60 s."""
    end_forgotten(now=timezone.now())
