"""How a bed is asked for, beyond what a feed can tell: how urgently, by whom, and by when. A
function of the case, the request and the seed alone; nothing is said of some."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from simulation.care.cases import Asking, Case
from simulation.care.stays import chance
from simulation.clock import HOUR, moment_of
from simulation.worlds import ORDINARY

FILE: Final = Path(__file__).with_name("terms.yaml")
_PRIORITIES: Final = (1, 2, 3, 4)
_FAMILY: Final = {stream.name: stream.family for stream in ORDINARY.streams}


def terms_of(case: Case, asking: Asking, *, seed: int) -> Mapping[str, Any] | None:
    """What is said of one request in the fields of the API; None where nobody says more."""
    figures = _figures()
    name = _kind(case, asking)
    kind = figures["kinds"][name]
    draw = chance(seed, case.visit, "terms", asking.key)
    if draw.random() >= kind["told"]:
        return None
    said: dict[str, Any] = {
        "priority": draw.choices(_PRIORITIES, kind["priorities"])[0],
        "asked_by": draw.choice([*kind["asked_by"], *_registrar(case, name)]),
    }
    if case.is_severe and case.place == "emergency":
        said["priority"] = min(2, said["priority"])
    within = draw.choice(kind["hours"]) * HOUR
    if draw.random() < kind["due"]:
        said["due_at"] = moment_of(asking.since + within).isoformat()
    if draw.random() < figures["noted"]:
        said["note"] = draw.choice(figures["notes"])
    return said


def _kind(case: Case, asking: Asking) -> str:
    if case.place == "critical_care":
        return "step_down"
    if case.place == "emergency" and asking.kind == "ward":
        return "admitted"
    return "ward" if asking.kind == "elective" else asking.kind


def _registrar(case: Case, kind: str) -> list[str]:
    families = _figures()["families"]
    asks = families["asks"] if case.stream in _FAMILY else ()
    return [families[_FAMILY[case.stream]]] if kind in asks else []


@cache
def _figures() -> Mapping[str, Any]:
    content: Mapping[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return content
