"""The codes that filters name: each must be one that the caller may know of.

An empty list would be taken for an empty hospital, so a slip of the pen is refused. What exists
out of the caller's sight is answered as what does not exist.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from accounts.models import Organisation, Team
from accounts.roles import Permission
from flow.api.finding import wards_called
from flow.api.params import Params
from flow.board_types import Sight
from patients.models import Code
from wards.models import Site
from wards.scope import ALL, Scope

KEPT: Final = 5.0
"""Seconds for which a process remembers which sites there are."""

Carried = Callable[[list[str]], Collection[str]]
"""Those of the codes that stand in rows which the caller may see anyway, wherever they lie."""


def _none(_codes: list[str]) -> Collection[str]:
    return ()


class _Sites:
    """All codes of sites: a few dozen rows, read anew when one is not among them."""

    def __init__(self) -> None:
        self._by_code: dict[str, int] = {}
        self._until = 0.0
        self._lock = threading.Lock()

    def key(self, code: str) -> int | None:
        with self._lock:
            if code not in self._by_code or time.monotonic() >= self._until:
                self._by_code = dict(Site.objects.values_list("code", "pk"))
                self._until = time.monotonic() + KEPT
            return self._by_code.get(code)

    def forget(self) -> None:
        self._until = 0.0


_sites: Final = _Sites()


def forget_sites() -> None:
    """Read the codes anew when next asked."""
    _sites.forget()


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of one request; whatever names nothing becomes an error of its parameter."""

    params: Params
    scope: Scope
    sight: Sight

    def sites(self, carried: Carried = _none) -> list[str]:
        """The values of `site`: sites of which the caller may see a ward."""
        held = self.scope.sites_in_part(Permission.SEE_COUNTS)

        def known(code: str) -> bool:
            key = _sites.key(code)
            return key is not None and (held == ALL or key in held)

        return self._named("site", known, carried, "/api/v1/sites/ lists them")

    def wards(self, carried: Carried = _none, *, name: str = "ward") -> list[str]:
        """The values of `ward` (or of `name`): wards in sight, of any site."""

        def known(code: str) -> bool:
            return any(self.sight.sees(one.ward) for one in wards_called(code))

        return self._named(name, known, carried, "/api/v1/wards/ lists them")

    def owners(self, among: Callable[[], Collection[str]]) -> list[str]:
        """The values of `organisation`, of organisations that own places in sight."""
        found = among() if self.params.texts("organisation") else ()
        return self._named(
            "organisation", found.__contains__, _none, "/api/v1/organisations/ lists them"
        )

    def accountable(self) -> list[str]:
        """The values of `organisation`, of any: whoever raises a barrier chooses among all."""
        return self._stored("organisation", Organisation, "code")

    def teams(self) -> list[str]:
        """The values of `team`, of any, for the same reason."""
        return self._stored("team", Team, "code")

    def reasons(self) -> list[str]:
        """The values of `reason`: slugs of any code set."""
        return self._stored("reason", Code, "slug", "/api/v1/reasons/ lists them")

    def _stored(
        self, name: str, model: type[Organisation | Team | Code], field: str, way_out: str = ""
    ) -> list[str]:
        values = self.params.texts(name)
        rows = model._default_manager.filter(**{f"{field}__in": values}) if values else None
        found = set(rows.values_list(field, flat=True)) if rows is not None else set()
        return self._named(name, found.__contains__, _none, way_out)

    def _named(
        self, name: str, known: Callable[[str], bool], carried: Carried, way_out: str
    ) -> list[str]:
        values = self.params.texts(name)
        strange = [value for value in values if not known(value)]
        if strange:
            found = carried(strange)
            strange = [value for value in strange if value not in found]
        if strange:
            self.params.errors[name] = _unknown(name, strange[0], way_out)
        return values


def _unknown(name: str, value: str, way_out: str) -> str:
    what = name.removeprefix("to_")
    among = "of this code" if what != "reason" else "of this name"
    seen = " that you may see" if what in ("site", "ward") else ""
    told = f"“{value[:40]}”: there is no {what} {among}{seen}"
    return f"{told}; {way_out}." if way_out else f"{told}."
