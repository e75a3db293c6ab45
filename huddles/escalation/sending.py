"""Sending notices by e-mail: each once, not at night to those off duty, and only what is so."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Final

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.roles import Permission
from flow.counts import LONDON
from huddles.escalation.assessing import is_past, value_in
from huddles.models import Notice, NoticeHours, NoticeRule, OpelAssessment, OpelDeclaration
from wards.scope import ALL, scope_of

log = logging.getLogger("huddles")

MOST_TRIES: Final = 8
AT_ONCE: Final = 200
"""Notices sent in one turn of the worker."""


def send_due(*, now: datetime) -> int:
    """Send what is due; how many were sent. A notice is locked while it is sent, so that several
    workers send none twice; if a program dies between the two, it is sent again."""
    if not settings.MAIL_READY:
        return 0
    sent = 0
    for _turn in range(AT_ONCE):
        outcome = _next(now)
        if outcome is None:
            break
        sent += outcome == Notice.Outcome.SENT
    return sent


@transaction.atomic
def _next(now: datetime) -> str | None:
    """Settle one notice, or put it off; its outcome, None where none is due."""
    due = Notice.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        outcome="", next_try_at__lte=now
    )
    notice = due.select_related("rule__site", "rule__user").order_by("next_try_at", "pk").first()
    if notice is None:
        return None
    hours = NoticeHours.objects.filter(user=notice.rule.user_id).first()
    if (until := quiet_until(hours, now)) is not None:
        return _put_off(notice, until)
    if not _may_know(notice.rule) or not _is_still_so(notice, now):
        return _settled(notice, Notice.Outcome.OVERTAKEN, now)
    notice.tries += 1
    try:
        send_mail(
            notice.subject, _body(notice), settings.DEFAULT_FROM_EMAIL, [notice.rule.user.email]
        )
    except (SMTPException, OSError) as error:
        log.warning("notice %s could not be sent (%s)", notice.pk, type(error).__name__)
        if notice.tries >= MOST_TRIES:
            return _settled(notice, Notice.Outcome.FAILED, now)
        return _put_off(notice, now + timedelta(minutes=2 ** (notice.tries - 1)))
    return _settled(notice, Notice.Outcome.SENT, now)


def _put_off(notice: Notice, until: datetime) -> str:
    Notice.objects.filter(pk=notice.pk).update(next_try_at=until, tries=notice.tries)
    return Notice.Outcome.WAITING


def _settled(notice: Notice, outcome: Notice.Outcome, now: datetime) -> str:
    Notice.objects.filter(pk=notice.pk).update(outcome=outcome, settled_at=now, tries=notice.tries)
    return outcome


def quiet_until(hours: NoticeHours | None, now: datetime) -> datetime | None:
    """Until when somebody is not to be disturbed; None where they may be now: outside their quiet
    hours, or on duty. Equal ends are no quiet hours. By the clock of England."""
    hours = hours or NoticeHours()
    if hours.on_duty_until is not None and now < hours.on_duty_until:
        return None
    start, end = hours.quiet_from, hours.quiet_until
    local = now.astimezone(LONDON)
    clock = local.time()
    over_midnight = start > end
    within = clock >= start or clock < end if over_midnight else start <= clock < end
    if not within:
        return None
    day = local.date() + timedelta(days=int(over_midnight and clock >= start))
    return datetime.combine(day, end, LONDON)


def _may_know(rule: NoticeRule) -> bool:
    """Whether they may still see the place, and there is an address."""
    user = rule.user
    if not user.is_active or not user.email or rule.ended_at is not None:
        return False
    scope = scope_of(user)
    if rule.site_id is None:
        return scope.may_anywhere(Permission.SEE_COUNTS)
    held = scope.sites_in_part(Permission.SEE_COUNTS)
    return held == ALL or rule.site_id in held


def _is_still_so(notice: Notice, now: datetime) -> bool:
    rule, key = notice.rule, int(notice.cause.rpartition(":")[2])
    if rule.about == NoticeRule.About.DECLARED:
        last = OpelDeclaration.objects.filter(site=rule.site_id).order_by("-at").first()
        return last is not None and last.level == OpelDeclaration.objects.get(pk=key).level
    rows = OpelAssessment.objects.filter(site=rule.site_id, at__lte=now).order_by("-at")
    told = OpelAssessment.objects.get(pk=key)
    if rule.about == NoticeRule.About.COMPUTED:
        latest = rows.filter(level__isnull=False).first()
        return latest is not None and latest.level == told.level
    for row in rows.select_related("rule_set")[:100]:
        if value_in(row, rule.parameter) is not None:
            return is_past(row, rule.parameter, rule.threshold or 0.0)
    return False


def _body(notice: Notice) -> str:
    site = notice.rule.site
    path = reverse("escalation:site", args=[site.code]) if site else reverse("escalation:system")
    lines = [notice.text, ""]
    if settings.PUBLIC_ADDRESS:
        lines.append(f"{settings.PUBLIC_ADDRESS}{path}")
    lines.append(_("You asked to be told of this in Flowboard, where you can change it."))
    return "\n".join(lines)
