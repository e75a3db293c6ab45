"""Everything a running world consists of, and how it is kept in a file.

A state is plain data: what has been decided and what is due. Continuing from a saved state
gives exactly what would have come without the pause.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from simulation.hazards import Condition, Stage
from simulation.people import Person

FORMAT: Final = 1
NOWHERE: Final = -1


class StateError(ValueError):
    """A state file cannot be used; the text says why and what to do."""


@dataclass
class Visit:
    """One attendance or stay, expected or begun. `path` lists [minute, ward, bed], as moved,
    `stages` [minute, stage], as entered.

    `ward` and `bed` are NOWHERE while the patient is not there or has no bed. `stage` is None
    where the way out has no stages (emergency department, day case). `token` grows whenever
    the next change of stage is drawn anew, so that what was drawn before is ignored. `onward`
    is the visit booked at the service after this one, `origin` the one before; `booked` the ward
    that expects the patient. `area` is what an emergency patient needs: RES, MAJ, MIN or PAED.
    """

    key: int
    number: str
    organisation: str
    site: str
    person: int
    patient_class: str
    method: str
    stream: str
    specialty: str
    consultant: int
    course: int = 0
    status: str = "expected"
    ward: int = NOWHERE
    bed: int = NOWHERE
    expected_at: int = 0
    admitted: int = 0
    last_at: int = 0
    path: list[list[int]] = field(default_factory=list)
    stage: int | None = None
    since: int = 0
    stages: list[list[int]] = field(default_factory=list)
    way: str = "home"
    token: int = 0
    expected_discharge: int = 0
    leave_until: int = 0
    leave_since: int = 0
    request: int = 0
    onward: int = 0
    origin: int = 0
    booked: int = NOWHERE
    is_critical: bool = False
    area: str = ""

    def condition(self) -> Condition:
        """What the future of this stay depends on."""
        if self.stage is None:
            raise ValueError("a visit without stages has no hazards")
        return Condition(
            self.stream, self.course, Stage(self.stage), self.admitted, self.since, self.way
        )

    @property
    def is_here(self) -> bool:
        """Whether the patient is physically there now."""
        return self.status == "in"


@dataclass
class Request:
    """Somebody needs a bed. `kind` is critical, assessment, ward, elective or onward.

    `bed` is the bed they have been promised, or NOWHERE; `told` whether the feed has heard;
    `apart` whether they are to be kept apart from others.
    """

    key: int
    visit: int
    kind: str
    site: str
    specialty: str
    unit: str
    family: str
    sex: str
    since: int
    ward: int = NOWHERE
    bed: int = NOWHERE
    told: bool = False
    admits: bool = False
    apart: bool = False


@dataclass
class State:
    """A world at a moment. The four bed lists are indexed by bed number.

    `agenda` is a heap of [minute, sequence, event, arguments]; `rooms` maps closed rooms to
    the minute in which they open; `waiting` queues visits for a trolley by site; `regulars` are
    people who may come back; `demand` holds the worked-out arrival rates.
    """

    world: str
    digest: str
    now: int
    occupant: list[int]
    reserved: list[int]
    condition: list[str]
    condition_since: list[int]
    random: list[Any]
    sequence: int = 0
    keys: int = 0
    people: dict[int, Person] = field(default_factory=dict)
    visits: dict[int, Visit] = field(default_factory=dict)
    requests: dict[int, Request] = field(default_factory=dict)
    agenda: list[list[Any]] = field(default_factory=list)
    rooms: dict[str, int] = field(default_factory=dict)
    escalated: dict[str, bool] = field(default_factory=dict)
    waiting: dict[str, list[int]] = field(default_factory=dict)
    regulars: list[int] = field(default_factory=list)
    demand: dict[str, dict[str, float]] = field(default_factory=dict)

    def next_key(self) -> int:
        """A number that nothing in this world has yet."""
        self.keys += 1
        return self.keys


def packed_random(rng: Random) -> list[Any]:
    """The state of a generator as JSON can hold it."""
    version, numbers, gauss = rng.getstate()
    return [version, list(numbers), gauss]


def unpacked_random(packed: Sequence[Any]) -> Random:
    """The generator that `packed_random` saw."""
    rng = Random()
    version, numbers, gauss = packed
    rng.setstate((version, tuple(numbers), gauss))
    return rng


def to_data(state: State) -> dict[str, Any]:
    """The state as JSON data. It shares its lists with the state: write it out at once."""
    data = dict(vars(state))
    for name in ("people", "visits", "requests"):
        data[name] = [vars(item) for item in data[name].values()]
    return data


def from_data(data: Mapping[str, Any]) -> State:
    """The state that `to_data` saw."""
    content = dict(data)
    content["people"] = {p["key"]: Person(**p) for p in content["people"]}
    content["visits"] = {v["key"]: Visit(**v) for v in content["visits"]}
    content["requests"] = {r["key"]: Request(**r) for r in content["requests"]}
    return State(**content)


def copied(state: State) -> State:
    """A state like this one that shares nothing with it."""
    return from_data(json.loads(json.dumps(to_data(state))))


def save(path: Path, content: Mapping[str, Any]) -> None:
    """Write a state file; a crash in between leaves the old file as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    body = json.dumps({"format": FORMAT, **content}, separators=(",", ":"), ensure_ascii=False)
    with temporary.open("wb") as raw:
        # Level 1: the file is written every few seconds, and the disk is faster than level 9.
        with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=1, mtime=0) as packed:
            packed.write(body.encode())
        raw.flush()
        os.fsync(raw.fileno())
    os.replace(temporary, path)


def load(path: Path) -> dict[str, Any]:
    """Read a state file; raises StateError where it cannot be used."""
    try:
        content = json.loads(gzip.decompress(path.read_bytes()))
    except FileNotFoundError as error:
        raise StateError(
            f"{path} does not exist: make it with `python -m simulation history`"
        ) from error
    except (OSError, EOFError, ValueError) as error:
        raise StateError(f"{path} is not a state file of the simulation ({error})") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise StateError(
            f"{path} is of another version: make it anew with `python -m simulation history`"
        )
    return content
