"""What happens after too many wrong passwords: django-axes counts, this explains and unlocks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import pghistory
from axes.models import AccessAttempt
from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.audit import deed
from accounts.models import User


def locked_out(
    request: HttpRequest,
    response: HttpResponse | None = None,
    credentials: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """The page that says for how long (429). It is the same for names that nobody has."""
    now = timezone.now()
    username = str((credentials or {}).get("username") or request.POST.get("username", ""))
    seconds = max(1, ceil((locked_until(request, username, now) - now).total_seconds()))
    page = render(
        request,
        "accounts/locked.html",
        {"minutes": ceil(seconds / 60), "until": now + timedelta(seconds=seconds)},
        status=429,
    )
    page["Retry-After"] = str(seconds)
    page["Cache-Control"] = "no-store"
    return page


def locked_until(request: HttpRequest, username: str, now: datetime) -> datetime:
    """When the name may try again from this address; at the latest a full wait from now."""
    attempts = AccessAttempt.objects.filter(
        username=username, ip_address=getattr(request, "axes_ip_address", None)
    )
    last = attempts.aggregate(last=Max("attempt_time"))["last"] or now
    until: datetime = min(last, now) + settings.AXES_COOLOFF_TIME
    return until


def locked_names(usernames: Collection[str], *, at: datetime) -> set[str]:
    """Those of the names that are locked at some address, in one query."""
    attempts = AccessAttempt.objects.filter(
        username__in=usernames,
        failures_since_start__gte=settings.AXES_FAILURE_LIMIT,
        attempt_time__gt=at - settings.AXES_COOLOFF_TIME,
    )
    return set(attempts.values_list("username", flat=True))


@transaction.atomic
def unlock(*, user: User, by: User | None) -> None:
    """Let the user try again at once, from everywhere."""
    with pghistory.context(**deed("unlock", by)):
        AccessAttempt.objects.filter(username=user.username).delete()
