"""Values of escalation parameters that other systems know: the ambulance service and the
department's own record. Invented: the longer the queue for a trolley, the longer both take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from simulation.care.rest import Rest
from simulation.clock import moment_of
from simulation.state import State

EVERY: Final = 10
"""Minutes between two values of the same parameter."""


@dataclass
class Teller:
    """Tells of `sites`, by their codes. `say` hears once of each reason why one was refused."""

    rest: Rest
    sites: Sequence[str]
    seed: int
    say: Callable[[str], None]
    _told: dict[str, int] = field(default_factory=dict)
    _reasons: set[str] = field(default_factory=set)

    def tell(self, state: State) -> int:
        """Tell what is due at the time of the world; how many values were taken."""
        turn = state.now // EVERY
        told = 0
        for site in self.sites:
            if self._told.get(site) == turn:
                continue
            self._told[site] = turn
            for parameter, value in values(len(state.waiting.get(site, ())), site, turn, self.seed):
                told += self._post(site, parameter, value, state)
        return told

    def _post(self, site: str, parameter: str, value: float, state: State) -> int:
        as_at = moment_of(state.now)
        reply = self.rest.post(
            "escalation/values/",
            {
                "site": site,
                "parameter": parameter,
                "value": value,
                "as_at": as_at.isoformat(),
                "key": f"{parameter} {as_at:%Y-%m-%dT%H:%M}",
            },
        )
        if not reply.is_done and reply.reason not in self._reasons:
            self._reasons.add(reply.reason)
            self.say(f"escalation values of {site} are not told: {reply.reason}")
        return int(reply.is_done)


def values(queue: int, site: str, turn: int, seed: int) -> list[tuple[str, float]]:
    """Minutes of handover and until treatment with so many waiting for a trolley."""
    draw = Random(f"{seed} {site} {turn}")
    handover = 13 + 1.3 * queue + draw.uniform(0, 6)
    treatment = 48 + 3.5 * queue + draw.uniform(0, 15)
    return [("ambulance_handover", round(handover)), ("time_to_treatment", round(treatment))]
