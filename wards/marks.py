"""Marks of what somebody saw, so that a deed done on stale sight can be told."""

from __future__ import annotations

from hashlib import blake2s


def mark_of(*said: object) -> str:
    """A short mark of values with a stable `repr`: the same for the same, and saying nothing of
    them."""
    return blake2s(repr(said).encode(), digest_size=8).hexdigest()
