"""What is written beside a change in the audit history."""

from __future__ import annotations

from accounts.models import User


def deed(name: str, by: User | None) -> dict[str, str | int]:
    """The metadata of a deed, for `pghistory.context`: its name and who did it.

    Within a request the middleware has named the user already; commands and tasks have not.
    """
    return {"deed": name} if by is None else {"deed": name, "user": by.pk}
