"""Saying what one wants to be told of, and when not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.refusals import Refused
from huddles.models import Notice, NoticeHours, NoticeRule
from wards.models import Site

LONGEST_DUTY: Final = timedelta(days=8)
MOST_RULES: Final = 50


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to be told of: `about` a level, or a value of a parameter."""

    site: Site | None
    about: NoticeRule.About
    level: int | None = None
    parameter: str = ""
    threshold: float | None = None


def make_rule(*, user: User, wish: Wish, at: datetime) -> NoticeRule:
    """From now on tell `user` of this. Raises Refused for what they are told of already, and
    without an e-mail address."""
    if not user.email:
        raise Refused(_("Your account has no e-mail address. Ask your administrator to add it."))
    if NoticeRule.objects.filter(user=user, ended_at=None).count() >= MOST_RULES:
        raise Refused(_("These are too many. End one that you no longer need."))
    try:
        with transaction.atomic():
            return NoticeRule.objects.create(
                user=user,
                site=wish.site,
                about=wish.about,
                level=wish.level,
                parameter=wish.parameter,
                threshold=wish.threshold,
                made_at=at,
            )
    except IntegrityError:
        raise Refused(_("You are told of that already.")) from None


@transaction.atomic
def end_rule(*, user: User, rule: int | None, at: datetime) -> None:
    """Tell them no more of it. Raises Refused for a rule that is not theirs, or is over."""
    ended = NoticeRule.objects.filter(pk=rule or 0, user=user, ended_at=None).update(ended_at=at)
    if not ended:
        raise Refused(_("That had been ended already."))


@transaction.atomic
def set_hours(
    *, user: User, quiet_from: time, quiet_until: time, on_duty_until: datetime | None, at: datetime
) -> None:
    """When somebody is not to be disturbed, and until when they are on duty in spite of it.

    What waits is looked at again at once. Raises Refused for a duty of more than eight days.
    """
    if on_duty_until is not None and on_duty_until > at + LONGEST_DUTY:
        raise Refused(_("On duty for more than eight days? Give a time sooner."))
    NoticeHours.objects.update_or_create(
        user=user,
        defaults={
            "quiet_from": quiet_from,
            "quiet_until": quiet_until,
            "on_duty_until": on_duty_until,
        },
    )
    Notice.objects.filter(rule__user=user, outcome="", next_try_at__gt=at, tries=0).update(
        next_try_at=at
    )
