"""From the codes in an address to the places they name, as far as the caller may see them."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from flow.api.problems import ApiProblem, missing
from flow.board_types import Sight
from wards.models import Ward

KEPT: Final = 5.0
"""Seconds for which a process remembers which codes there are."""


@dataclass(frozen=True, slots=True)
class Found:
    """A ward by its code: key, code of its site, and whether anybody but a feed knows it."""

    ward: int
    site: str
    recognised: bool


class _Codes:
    """All codes of wards, read at most every few seconds: a few hundred rows."""

    def __init__(self) -> None:
        self._by_code: dict[str, list[Found]] = {}
        self._until = 0.0
        self._lock = threading.Lock()

    def named(self, code: str) -> list[Found]:
        found = self._by_code.get(code, [])
        if time.monotonic() < self._until and found:
            return found
        with self._lock:
            if time.monotonic() >= self._until or not found:
                self._read()
        return self._by_code.get(code, [])

    def _read(self) -> None:
        fresh: dict[str, list[Found]] = defaultdict(list)
        rows = Ward.objects.filter(same_as=None).values_list("code", "pk", "site__code", "kind")
        for code, ward, site, kind in rows.order_by("site__code"):
            fresh[code].append(Found(ward, site, kind != Ward.Kind.UNRECOGNISED))
        self._by_code, self._until = dict(fresh), time.monotonic() + KEPT

    def forget(self) -> None:
        self._until = 0.0


_codes = _Codes()


def forget_codes() -> None:
    """Read the codes anew when next asked."""
    _codes.forget()


def wards_called(code: str) -> list[Found]:
    """The wards of this code, whoever may see them."""
    return _codes.named(code)


def ward_named(code: str, *, site: str | None, sight: Sight) -> int:
    """The key of the ward of this code, at the site if one is named.

    A ward that somebody described comes before those that only feeds speak of: these must not
    get into its way. Raises a 404 problem when the caller may see none, and a 409 problem when
    there are several.
    """
    found = [
        one
        for one in wards_called(code)
        if sight.sees(one.ward) and (site is None or one.site == site)
    ]
    found = [one for one in found if one.recognised] or found
    if not found:
        raise missing("ward of this code" if site is None else "ward of this code at that site")
    if len(found) > 1:
        sites = ", ".join(f"?site={one.site}" for one in found)
        raise ApiProblem(
            "ambiguous-ward",
            HTTPStatus.CONFLICT,
            f"Several sites have a ward of this code; name one of them: {sites}.",
        )
    return found[0].ward
