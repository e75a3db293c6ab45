"""Who says how many registered nurses a shift has: planned a day ahead, at work once it has begun.

How many are planned follows from the beds and, where the ward has said it, from its limit. Some
shifts are short, as happens: which ones follows from the seed, the ward and the date alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

from simulation.care.rest import Rest
from simulation.places import Places, Ward

LONDON: Final = ZoneInfo("Europe/London")
_EACH: Final = {
    "critical_care": 1.0,
    "emergency": 4.0,
    "assessment": 6.0,
    "inpatient": 7.0,
    "maternity": 6.0,
    "community": 10.0,
}
"""Patients for whom one nurse is planned, by kind of ward; invented, near what wards plan with."""
_MISSING: Final = ((0.66, 0), (0.9, 1), (0.97, 2), (1.0, -1))
"""How many nurses a shift lacks: up to which draw, and how many; one more came in, at the last."""


@dataclass
class Rosters:
    """The nurses in charge of the wards of `places`. `say` hears why a ward's were refused."""

    rest: Rest
    places: Places
    seed: int
    say: Callable[[str], None]
    _next: dict[tuple[str, date], datetime] = field(default_factory=dict)
    _away: set[str] = field(default_factory=set)

    def write(self, now: datetime) -> int:
        """Say what nobody has said by an aware moment; of how many shifts it was said."""
        said = 0
        today = now.astimezone(LONDON).date()
        days = [today + timedelta(days=ahead) for ahead in (-1, 0, 1)]
        self._next = {key: at for key, at in self._next.items() if key[1] in days}
        for ward in self.places.wards:
            if ward.kind not in _EACH:
                continue
            for day in days:
                if ward.code not in self._away and self._next.get((ward.code, day), now) <= now:
                    said += self._of_day(ward, day, now)
        return said

    def _of_day(self, ward: Ward, day: date, now: datetime) -> int:
        # What a shift is called and when it begins is the installation's to say.
        reply = self.rest.get(f"wards/{ward.code}/staffing/", date=day.isoformat())
        if not reply.is_done:
            self._leave(ward, reply.reason)
            return 0
        said, later = 0, [datetime.max.replace(tzinfo=UTC)]
        for shift in reply.body["results"]:
            start = datetime.fromisoformat(shift["start"])
            said += self._say(
                ward, day, shift, reply.body.get("patients_per_nurse"), begun=start <= now
            )
            later += [start] if start > now else []
        self._next[ward.code, day] = min(later)
        return said

    def _say(
        self, ward: Ward, day: date, shift: dict[str, Any], limit: float | None, *, begun: bool
    ) -> int:
        planned, there = nurses(ward, day, str(shift["shift"]), seed=self.seed, each=limit)
        wanted = planned if shift["planned"] is None else shift["planned"]
        actual = there if shift["actual"] is None and begun else shift["actual"]
        if (shift["planned"], shift["actual"]) == (wanted, actual):
            return 0
        reply = self.rest.put(
            f"wards/{ward.code}/staffing/",
            {"shift": shift["shift"], "date": day.isoformat(), "planned": wanted, "actual": actual},
        )
        if not reply.is_done:
            self._leave(ward, reply.reason)
        return int(reply.is_done)

    def _leave(self, ward: Ward, reason: str) -> None:
        self._away.add(ward.code)
        self.say(f"nurses of {ward.code} are not said: {reason}")


def nurses(
    ward: Ward, day: date, shift: str, *, seed: int, each: float | None = None
) -> tuple[int, int]:
    """How many are planned and how many come. `each`: patients for one nurse as the ward says."""
    beds = len(ward.beds)
    planned = max(2, math.ceil(beds / (each or _EACH[ward.kind])))
    draw = Random(f"{seed} {ward.code} {day.isoformat()} {shift}").random()
    missing = next(number for below, number in _MISSING if draw <= below)
    return planned, max(1, planned - missing)
