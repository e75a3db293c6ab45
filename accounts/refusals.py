"""How a deed says no."""

from __future__ import annotations


class Refused(Exception):
    """What was asked for cannot be done; `reason` tells the person who asked what to do.

    The reason is shown to people and logged, so it names places and accounts, never patients.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
