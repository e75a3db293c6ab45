"""Sends the summary of a meeting to those who are to have it, once it has ended.

The row is locked while it is sent and marked in the same transaction, so that two workers send it
once; if a program dies between the two it is sent again. What cannot be sent is tried again by the
next turn, for a day. The mail names no patient: it says what was kept, which names none.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from huddles.meetings.addresses import address_of, stamp
from huddles.meetings.holding import bell
from huddles.meetings.printed import as_pdf
from huddles.meetings.timetable import time_near
from huddles.models import Huddle
from live.doorbell import ring

log = logging.getLogger("huddles")

TRIED_FOR: Final = timedelta(days=1)
AT_ONCE: Final = 20
"""Meetings of which the summary is sent in one turn of the worker."""


def mail_summaries(*, now: datetime) -> int:
    """Send what is due; how many meetings were told of."""
    if not settings.MAIL_READY:
        return 0
    sent = 0
    failed: set[int] = set()
    for _turn in range(AT_ONCE):
        key = _one(now, failed)
        if key is None:
            break
        sent += key not in failed
    return sent


@transaction.atomic
def _one(now: datetime, failed: set[int]) -> int | None:
    """Send the summary of one meeting; its key, None where none is due."""
    due = Huddle.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        mailed_at__isnull=True, closed_at__gte=now - TRIED_FOR, template__mail_to__len__gte=1
    )
    rows = due.exclude(pk__in=failed).select_related("template__site", "chair")
    huddle = rows.order_by("closed_at").first()
    if huddle is None:
        return None
    try:
        _message(huddle).send()
    except (SMTPException, OSError, ValueError) as error:
        log.warning("summary of huddle %s could not be sent (%s)", huddle.pk, type(error).__name__)
        failed.add(huddle.pk)
        return huddle.pk
    Huddle.objects.filter(pk=huddle.pk).update(mailed_at=now)
    site = huddle.template.site_id
    transaction.on_commit(lambda: ring([bell(site)]))
    return huddle.pk


def _message(huddle: Huddle) -> EmailMessage:
    kept = huddle.frozen
    assert kept is not None, "only what has ended is told"
    assert huddle.closed_at is not None, "only what has ended is told"
    when = timezone.localtime(huddle.starts_at)
    message = EmailMessage(
        subject=f"{kept['name']}, {kept['site']['name']}, {when:%a %-d %b %H:%M}",
        body=_body(huddle, kept),
        from_email=settings.DEFAULT_FROM_EMAIL,
        # Each sees the others: they are named on one page by the site itself.
        to=huddle.template.mail_to,
    )
    message.attach(
        f"huddle-{stamp(huddle.starts_at)}.pdf",
        as_pdf(kept, closed_at=huddle.closed_at),
        "application/pdf",
    )
    return message


def _body(huddle: Huddle, kept: dict[str, object]) -> str:
    """What was agreed, in plain text, and where the rest is."""
    agreed = kept["agreed"]
    assert isinstance(agreed, list), "kept so"
    lines = [_("Agreed:") if agreed else _("Nothing was agreed.")]
    for one in agreed:
        due = time_near(datetime.fromisoformat(one["due_at"]), huddle.starts_at)
        place = f" ({one['place']})" if one["place"] else ""
        lines.append(f"- {due} {one['text']}{place}, {one['owner']}")
    lines.append("")
    if settings.PUBLIC_ADDRESS:
        path = address_of("summary", huddle.template_id, huddle.starts_at)
        lines.append(f"{settings.PUBLIC_ADDRESS}{path}")
    lines.append(_("The whole summary is attached. No patient is named in it."))
    return "\n".join(lines)
