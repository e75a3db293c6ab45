"""Settings read from the environment (first cut)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Environment:
    secret_key: str
    debug: bool
    allowed_hosts: list[str]
    trusted_origins: list[str]
    database: dict[str, Any]
    redis_url: str
    time_zone: str = "Europe/London"
    extra: dict[str, str] = field(default_factory=dict)


def read_environment(base: Path) -> Environment:
    from urllib.parse import urlsplit
    u = urlsplit(os.environ.get("DATABASE_URL", "postgresql://flow:flow@127.0.0.1:5432/flow"))
    return Environment("dev", True, ["*"], [], {
        "ENGINE": "django.db.backends.postgresql", "NAME": u.path[1:], "USER": u.username,
        "PASSWORD": u.password, "HOST": u.hostname, "PORT": u.port,
    }, os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"))
