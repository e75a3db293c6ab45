"""Tells the audit triggers who makes the changes of this transaction, and from where."""

from __future__ import annotations

import json
from typing import Final
from uuid import uuid4

from django.db import connection
from pghistory import runtime

from accounts.models import User

BY_HAND: Final = "web"
"""The source of what people do themselves."""


def name_the_source(source: str, by: User | None) -> None:
    """Set the history context for the rest of the transaction, unless a request has set it.

    One statement a transaction, where `pghistory.context` would add it to every statement.
    """
    if hasattr(runtime._tracker, "value"):
        return
    metadata = {"source": source} | ({"user": by.pk} if by else {})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('pghistory.context_id', %s, true),"
            " set_config('pghistory.context_metadata', %s, true)",
            [str(uuid4()), json.dumps(metadata)],
        )
