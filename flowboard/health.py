"""Is this installation alive, and is what it shows true?

`/health/live` asks nothing of anybody: the process answers. `/health/ready` asks whether figures
on screens can be trusted: the database and Redis answer, all migrations are applied, and neither
a received message nor a changed ward has waited for long.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Min
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from interop.models import Message
from wards.models import DirtyWard


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: whether it is well and, in a few words, what was seen."""

    ok: bool
    seen: str


def _database(at: datetime) -> Check:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return Check(True, "answers")


def _redis(at: datetime) -> Check:
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=1.0, socket_connect_timeout=1.0
    )
    with client:
        client.ping()
    return Check(True, "answers")


def _migrations(at: datetime) -> Check:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        return Check(False, f"{len(waiting)} not applied; run manage.py migrate")
    return Check(True, "all applied")


def _age(oldest: datetime | None, at: datetime, limit: float) -> Check:
    if oldest is None:
        return Check(True, "none waits")
    age = max(0.0, (at - oldest).total_seconds())
    return Check(age <= limit, f"the oldest has waited {age:.0f} s; {limit:.0f} s is the limit")


def _dirty_wards(at: datetime) -> Check:
    oldest = DirtyWard.objects.aggregate(oldest=Min("marked_at"))["oldest"]
    return _age(oldest, at, settings.HEALTH_OLDEST_DIRTY_WARD)


def _messages(at: datetime) -> Check:
    waiting = Message.objects.filter(status=Message.Status.RECEIVED)
    oldest = waiting.aggregate(oldest=Min("received_at"))["oldest"]
    return _age(oldest, at, settings.HEALTH_OLDEST_MESSAGE)


CHECKS: Final[dict[str, Callable[[datetime], Check]]] = {
    "database": _database,
    "redis": _redis,
    "migrations": _migrations,
    "messages": _messages,
    "dirty_wards": _dirty_wards,
}
OF_DATABASE: Final = frozenset({"migrations", "dirty_wards", "messages"})


def examine(*, at: datetime) -> dict[str, Check]:
    """Every check by name. One that cannot be made is not well."""
    found: dict[str, Check] = {}
    for name, check in CHECKS.items():
        if name in OF_DATABASE and not found["database"].ok:
            # Each would wait for the database anew.
            found[name] = Check(False, "cannot be told without the database")
            continue
        try:
            found[name] = check(at)
        except (Error, redis.RedisError, OSError) as error:
            found[name] = Check(False, f"cannot be told ({type(error).__name__})")
    return found


@never_cache
@require_safe
@login_not_required
def live(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
@login_not_required
def ready(request: HttpRequest) -> JsonResponse:
    """200 when every check is well, 503 with the names of those that are not."""
    found = examine(at=timezone.now())
    wrong = [name for name, check in found.items() if not check.ok]
    return JsonResponse(
        {
            "status": "unwell" if wrong else "ok",
            "wrong": wrong,
            "checks": {name: asdict(check) for name, check in found.items()},
        },
        status=503 if wrong else 200,
    )
