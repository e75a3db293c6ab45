"""From what happens to the messages that leave: when each is written and when it arrives.

The feed hears what is true and plans messages for it. What has been planned waits in the
outbox until its time, also across a restart.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final

from simulation import state as states
from simulation.engine import Happening
from simulation.faults import EVERYDAY, NONE, Faults
from simulation.messages import Style, Writer
from simulation.places import Places
from simulation.state import NOWHERE

# Two messages about one person are written more than a minute apart, so that their order
# survives a feed that leaves out the seconds.
_APART: Final = 61
_REMEMBERED: Final = 2 * 24 * 3600
_RECEIVER: Final = "QNM"


@dataclass
class FeedState:
    """`outbox` is a heap of [second of arrival, sequence, message]; `last_sent` holds when the
    latest message about each person was written; `told` the state last told of each bed."""

    random: list[Any]
    serial: int = 0
    sequence: int = 0
    outbox: list[list[Any]] = field(default_factory=list)
    last_sent: dict[str, int] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)


class Feed:
    """The messages of one system, with its faults.

    With `is_full`, every trolley and every cleaning is told; without, only what a bed board
    of the past needs.
    """

    def __init__(
        self, places: Places, state: FeedState, *, faults: Faults = EVERYDAY, is_full: bool = True
    ) -> None:
        self.places = places
        self.state = state
        self.faults = faults
        self.is_full = is_full
        self.rng = states.unpacked_random(state.random)
        self.writer = Writer(places, _RECEIVER)

    @classmethod
    def new(
        cls, places: Places, *, seed: int, faults: Faults = EVERYDAY, is_full: bool = True
    ) -> Feed:
        """A feed that has told nothing yet."""
        state = FeedState(states.packed_random(Random(f"feed {seed}")))
        return cls(places, state, faults=faults, is_full=is_full)

    @classmethod
    def resumed(cls, places: Places, data: Mapping[str, Any], *, faults: Faults = EVERYDAY) -> Feed:
        """The feed that `data` described."""
        return cls(places, FeedState(**data), faults=faults)

    def data(self) -> dict[str, Any]:
        """The state to save."""
        self.state.random = states.packed_random(self.rng)
        return dict(vars(self.state))

    def hear(self, what: Happening) -> None:
        """Plan the messages about something that has just happened."""
        if what.status and not self._is_worth_telling(what):
            return
        sent = self._written_at(what)
        if self._chance("wrong_bed") and self._tell_wrong_bed(what, sent):
            return
        if what.event == "A16" and self._chance("not_gone"):
            self._tell_not_gone(what, sent)
        elif what.event == "A01" and self._chance("registered_twice"):
            self._tell_twice_registered(what, sent)
        else:
            self._send(what, sent)

    def hear_plainly(self, what: Happening) -> None:
        """Plan the message about something without any fault."""
        faults, self.faults = self.faults, NONE
        self.hear(what)
        self.faults = faults

    def due(self, second: int) -> str | None:
        """The next message if it arrives up to a moment; it stays in the outbox until `done`."""
        outbox = self.state.outbox
        return outbox[0][2] if outbox and outbox[0][0] <= second else None

    def done(self) -> None:
        """The message that `due` gave has been taken over by the receiver."""
        heapq.heappop(self.state.outbox)

    @property
    def next_due(self) -> int | None:
        """When the next message arrives."""
        return self.state.outbox[0][0] if self.state.outbox else None

    def _chance(self, fault: str) -> bool:
        likely: float = getattr(self.faults, fault)
        return likely > 0 and self.rng.random() < likely

    def _is_worth_telling(self, what: Happening) -> bool:
        key, kind = str(what.bed), self.places.beds[what.bed].kind
        known = self.state.told.get(key, "U")
        if not self.is_full and (kind != "bed" or what.status in "KH"):
            return False
        if not self.is_full and what.status == "U" and known == "U":
            return False
        self.state.told[key] = what.status
        return True

    # When a message is written

    def _written_at(self, what: Happening) -> int:
        sent = what.at * 60 + self.rng.randrange(2, 56)
        if what.event == "A03" and self._chance("late_discharge"):
            sent += round(3600 * self.rng.uniform(1.2, 5.0))
        elif self._chance("late_entry"):
            sent += round(60 * min(self.rng.lognormvariate(0, 1.0) * self.faults.late_minutes, 480))
        return self._in_turn(what, sent)

    def _in_turn(self, what: Happening, sent: int) -> int:
        """Not before what was written before about the same people."""
        both = [h for h in (what, what.other) if h]
        # By visit as well: a merge gives the visit to another record of the person.
        keys = [f"p{h.person.key}" for h in both if h.person]
        keys += [f"v{h.visit.key}" for h in both if h.visit]
        last = self.state.last_sent
        sent = max([sent, *(last[key] + _APART for key in keys if key in last)])
        for key in keys:
            last[key] = sent
        if len(last) > 20_000:
            old = what.at * 60 - _REMEMBERED
            self.state.last_sent = {key: at for key, at in last.items() if at > old}
        return sent

    # What is written

    def _tell_wrong_bed(self, what: Happening, sent: int) -> bool:
        """A transfer into a wrong bed of the ward, taken back, and told as it was."""
        if what.event != "A02" or what.bed == NOWHERE or what.visit is None:
            return False
        others = [b.number for b in self.places.wards[what.ward].beds if b.number != what.bed]
        if not others:
            return False
        self._send(replace(what, bed=self.rng.choice(others)), sent)
        noticed = sent + self.rng.randrange(4 * 60, 50 * 60)
        back = replace(
            what, event="A12", ward=what.from_ward, bed=what.from_bed,
            from_ward=NOWHERE, from_bed=NOWHERE,
        )  # fmt: skip
        self._send(back, self._in_turn(what, noticed))
        self._send(what, self._in_turn(what, noticed))
        return True

    def _tell_not_gone(self, what: Happening, sent: int) -> None:
        """A planned discharge is typed in as one that has taken place."""
        self._send(what, sent)
        if what.visit is None or what.ward == NOWHERE:
            return
        gone = replace(what, event="A03", destination="19")
        self._send(gone, self._in_turn(what, sent))
        noticed = sent + self.rng.randrange(6 * 60, 60 * 60)
        self._send(replace(what, event="A13"), self._in_turn(what, noticed))

    def _tell_twice_registered(self, what: Happening, sent: int) -> None:
        """A second clerk admits the patient again under a number of their own."""
        self._send(what, sent)
        if what.visit is None:
            return
        double = replace(
            what, visit=replace(what.visit, number=f"X{what.visit.number}"), bed=NOWHERE
        )
        self._send(double, self._in_turn(what, sent))
        noticed = sent + self.rng.randrange(10 * 60, 90 * 60)
        self._send(replace(double, event="A11"), self._in_turn(what, noticed))

    def _send(self, what: Happening, sent: int) -> None:
        self.state.serial += 1
        control_id = f"NM{self.state.serial:09d}"
        text = self.writer.write(what, sent=sent, control_id=control_id, style=self._style(what))
        arrives = sent
        if self._chance("held_up"):
            arrives += round(60 * min(self.rng.lognormvariate(0, 0.9) * 8, 180))
        self._post(arrives, text)
        if self._chance("repeated"):
            self._post(arrives + round(self.rng.expovariate(1 / 900)) + 1, text)

    def _post(self, arrives: int, text: str) -> None:
        self.state.sequence += 1
        heapq.heappush(self.state.outbox, [arrives, self.state.sequence, text])

    def _style(self, what: Happening) -> Style:
        digits = 12 if self._chance("short_time") else 14
        with_offset = self._chance("with_offset")
        local = "PORTERING^BOOKED" if self._chance("local_segment") else ""
        ward = ""
        if what.event in ("A01", "A02") and what.ward != NOWHERE:
            alias = self.faults.aliases.get(self.places.wards[what.ward].code, "")
            ward = alias if alias and self._chance("other_name") else ""
        return Style(digits=digits, with_offset=with_offset, local=local, ward=ward)
