"""The staff at work: they look at the world each minute and tell what is new, at their leisure.

They read the state that `live` saves and change nothing in it. A pause after every call, as long
as the call took, leaves the server to those who look at its boards.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from simulation import state as states
from simulation.care.cases import Case, cases
from simulation.care.deeds import OVER, Deed, deeds, deeds_of_case
from simulation.care.memory import Kept, Memory
from simulation.care.requests import Requests
from simulation.care.rest import Reply, Rest
from simulation.care.returns import Signer
from simulation.care.rosters import Rosters
from simulation.care.stays import Stay, stays
from simulation.care.telling import Teller
from simulation.clock import moment_of
from simulation.mllp import Stopped
from simulation.places import Places
from simulation.state import StateError

LOOKED_EVERY: Final = 5.0  # seconds between looks at whether the state has been saved again
SAVED_EVERY: Final = 10.0
TOLD_EVERY: Final = 300.0
_PAUSE: Final = 0.01
_LONG_AGO: Final = 0.0
_LOOKED_UP: Final = 40  # unknown visits looked up one by one; for more the whole list is read
_STRANGER_WAITS: Final = (
    120.0  # seconds until a visit that the receiver did not know is asked again
)
_TOLD_REASONS: Final = 5
_ROUND_OF_DEEDS: Final = 400  # told before the world is looked at again


@dataclass
class Staff:
    """Everybody who plans discharges in a simulated system. `path` is the state that they read;
    `signer` signs the daily returns; `rosters` says how many nurses the shifts have; `teller` tells
    what the ambulance service knows."""

    places: Places
    path: Path
    rest: Rest
    memory: Memory
    say: Callable[[str], None]
    stopped: Callable[[], bool]
    pause: Callable[[float], object] = time.sleep
    clock: Callable[[], float] = time.monotonic
    signer: Signer | None = None
    rosters: Rosters | None = None
    teller: Teller | None = None
    counts: Counter[str] = field(default_factory=Counter)
    requests: Requests = field(init=False)
    _seen: float = _LONG_AGO
    _saved: float = _LONG_AGO
    _strangers: dict[str, float] = field(default_factory=dict)
    _reasons: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.requests = Requests(self.rest, self.clock)

    def run(self) -> None:
        """Work until told to stop; what was told is kept on the way and at the end."""
        told = self.clock()
        self.say(f"asking for beds, planning discharges: {len(self.memory.stays)} stays known")
        try:
            while not self.stopped():
                is_behind = self.look()
                if self.clock() - told >= TOLD_EVERY:
                    self.say(self._status())
                    told = self.clock()
                if not is_behind:
                    self._wait(LOOKED_EVERY)
        except Stopped:
            pass
        finally:
            self.rest.close()
            if self.signer is not None:
                self.signer.rest.close()
            if self.teller is not None:
                self.teller.rest.close()
            self.memory.save()
            self.say(f"stopped; {self._status()}")

    def look(self) -> bool:
        """Tell some of what is new in the world; whether there is more to tell at once."""
        try:
            changed = self.path.stat().st_mtime
            if changed == self._seen:
                return False
            state = states.from_data(states.load(self.path)["world"])
        except FileNotFoundError:
            return False  # `live` has not begun yet
        except (KeyError, TypeError) as error:
            raise StateError(f"{self.path} is incomplete ({error})") from error
        if state.digest != self.places.digest:
            raise StateError(f"{self.path} belongs to another places file; name it with --places")
        if self.rosters is not None:
            self.counts["rostered"] += self.rosters.write(moment_of(state.now))
        if self.teller is not None:
            self.counts["told"] += self.teller.tell(state)
        there = {stay.visit: stay for stay in stays(state, self.places)}
        known = {case.visit: case for case in cases(state, self.places)}
        self.memory.forget_all_but(there.keys() | known.keys())
        coming = {visit for visit, case in known.items() if not case.place}
        self._find(there.keys() | known.keys(), coming=coming)
        due = self._due(there.values(), known.values(), now=state.now)
        for deed in due[:_ROUND_OF_DEEDS]:
            self._do(deed)
        if not due:
            self._seen = changed
            if self.signer is not None:
                # Only now: before, what the past days are counted from had not been told.
                self.counts["signed"] += self.signer.sign(moment_of(state.now))
        return bool(due)

    def _due(self, there: Iterable[Stay], known: Iterable[Case], *, now: int) -> list[Deed]:
        found: list[Deed] = []
        for case in known:
            kept = self.memory.of(case.visit)
            if kept.episode or kept.coming:
                found += deeds_of_case(case, kept, seed=self.memory.seed, now=now)
        if any(deed.kind == "urged" for deed in found):
            self.requests.read()
            found = [deed for deed in found if deed.kind != "urged" or self._is_open(deed)]
        for stay in there:
            kept = self.memory.of(stay.visit)
            kept.expected = kept.expected or stay.expected
            if kept.episode:
                found += deeds(stay, kept, self.places, seed=self.memory.seed, now=now)
        return sorted(found, key=lambda deed: deed.order)

    def _is_open(self, deed: Deed) -> bool:
        """Whether the receiver has a request of theirs about which nobody has said more yet."""
        kept = self.memory.of(deed.visit)
        request = self.requests.of(kept.episode or kept.coming)
        if request is not None and request.is_told:
            kept.urged.append(deed.number)
        return request is not None and not request.is_told

    def _find(self, there: Collection[str], *, coming: Collection[str]) -> None:
        """Learn the receiver's keys of those it knows."""
        now = self.clock()
        unknown = [
            visit
            for visit in there
            if not self._is_known(visit, coming) and self._strangers.get(visit, 0.0) <= now
        ]
        if len(unknown) > _LOOKED_UP:
            statuses = "status=in_hospital&status=expected"
            for episode in self._pages(f"episodes/?{statuses}&limit=1000"):
                self._know(episode)
        else:
            for visit in unknown:
                self._rest()
                for episode in self.rest.get("episodes/", visit=visit).body.get("results", ()):
                    self._know(episode)
        for visit in unknown:
            if not self._is_known(visit, coming):
                self._strangers[visit] = now + _STRANGER_WAITS

    def _is_known(self, visit: str, coming: Collection[str]) -> bool:
        kept = self.memory.of(visit)
        return bool(kept.episode or (visit in coming and kept.coming))

    def _pages(self, path: str) -> Iterable[dict[str, Any]]:
        following: str | None = path
        while following:
            reply = self.rest.get(following)
            if not reply.is_done:
                self._refused(reply)
                return
            yield from reply.body["results"]
            address = urlsplit(reply.body["next"] or "")
            following = f"{address.path}?{address.query}" if address.path else None

    def _know(self, episode: dict[str, Any]) -> None:
        if episode["visit"] not in self.memory.stays:
            return
        if episode["status"] == "in_hospital":
            self.memory.of(episode["visit"]).episode = episode["id"]
        elif episode["status"] == "expected":
            self.memory.of(episode["visit"]).coming = episode["id"]

    def _do(self, deed: Deed) -> None:
        """Tell one thing and keep that it was told; what is refused is not told again."""
        kept = self.memory.stays[deed.visit]
        began = self.clock()
        reply = self.rest.post(self._address(deed, kept), _body(deed, kept))
        self.counts[deed.kind if reply.is_done else "refused"] += 1
        if not reply.is_done:
            self._refused(reply)
        is_gone = reply.status == 404 or (reply.status == 403 and deed.kind != "needed")
        if is_gone and deed.kind != "urged":
            # Gone from the receiver's sight, or never there: look it up again later.
            kept.episode = kept.coming = 0
            self._strangers[deed.visit] = self.clock() + _STRANGER_WAITS
        _keep(deed, kept, reply)
        self._save()
        self.pause(_PAUSE + (self.clock() - began))

    def _address(self, deed: Deed, kept: Kept) -> str:
        if deed.kind == "needed":
            return f"episodes/{kept.episode or kept.coming}/needs/"
        if deed.kind == "urged":
            request = self.requests.of(kept.episode or kept.coming)
            return f"bed-requests/{request.key if request else 0}/change/"
        if deed.kind == "found":
            return f"episodes/{kept.episode}/reviews/"
        if deed.kind == "raised":
            return f"episodes/{kept.episode}/barriers/"
        if deed.kind in ("chased", "resolved"):
            verb = "contact" if deed.kind == "chased" else "resolve"
            return f"barriers/{kept.waits[deed.slot][0]}/{verb}/"
        if deed.kind == "asked":
            return "referrals/"
        return f"referrals/{kept.asked[deed.slot][0]}/{deed.word}/"

    def _refused(self, reply: Reply) -> None:
        """Say why, once for each reason and a few reasons in all."""
        if reply.reason not in self._reasons and len(self._reasons) < _TOLD_REASONS:
            self._reasons.add(reply.reason)
            self.say(f"refused: {reply.reason}")

    def _save(self) -> None:
        if self.clock() - self._saved >= SAVED_EVERY:
            self.memory.save()
            self._saved = self.clock()

    def _rest(self) -> None:
        if self.stopped():
            raise Stopped
        self.pause(_PAUSE)

    def _wait(self, seconds: float) -> None:
        left = seconds
        while left > 0 and not self.stopped():
            self.pause(min(0.5, left))
            left -= 0.5

    def _status(self) -> str:
        kinds = (
            "needed",
            "urged",
            "found",
            "raised",
            "chased",
            "resolved",
            "asked",
            "answered",
            "withdrawn",
            "rostered",
            "told",
            "signed",
        )
        told = ", ".join(f"{self.counts[kind]} {kind}" for kind in kinds)
        return f"{told}; {self.counts['refused']} refused, {self.rest.again} tried again"


def _body(deed: Deed, kept: Kept) -> dict[str, Any]:
    return {**deed.said, "episode": kept.episode} if deed.kind == "asked" else dict(deed.said)


def _keep(deed: Deed, kept: Kept, reply: Reply) -> None:
    key = int(reply.body.get("id", 0)) if reply.is_done else 0
    if deed.kind == "needed":
        kept.needs = deed.word
    elif deed.kind == "urged":
        kept.urged.append(deed.number)
    elif deed.kind == "found":
        kept.found.append(deed.at)
    elif deed.kind == "raised":
        kept.waits[deed.slot] = [key, 0, 0]
    elif deed.kind == "chased":
        kept.waits[deed.slot][2] = deed.number
    elif deed.kind == "resolved":
        kept.waits[deed.slot][1] = OVER
    elif deed.kind == "asked":
        kept.asked[deed.slot] = [key, 0, 0]
    elif deed.word == "accept":
        kept.asked[deed.slot][1] = deed.number
    else:
        kept.asked[deed.slot][2] = OVER
