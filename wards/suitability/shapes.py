"""What a rule book may say of each rule: the words its text may use, and its parameters.

Pure: no Django.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from wards.suitability.facts import NeedKind

BREACHES: Final = frozenset({"", "mixed_sex", "outlier", "corridor"})
"""What using a bed can count as."""

PLACE_WORDS: Final = frozenset({"ward", "bed"})
"""Words that every text may use: the names of the ward and of the bed."""


@dataclass(frozen=True, slots=True)
class Number:
    """A parameter that is a number within these bounds; `default` holds where none is given."""

    default: float
    low: float = 0.0
    high: float = 1000.0


@dataclass(frozen=True, slots=True)
class Names:
    """A parameter that is a list of words."""

    default: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """words: what the text may name in braces, beside the ward and the bed. fixed: a fact of the
    world, so always hard and never overridden. soft: never a refusal, since it has degrees.
    needed: no book is without it."""

    words: frozenset[str] = frozenset()
    params: Mapping[str, Number | Names] = field(default_factory=dict)
    fixed: bool = False
    soft: bool = False
    needed: bool = False


def _words(*words: str) -> frozenset[str]:
    return frozenset(words)


Param = Number | Names

_KINDS: Final[dict[str, Param]] = {kind.value: Names() for kind in NeedKind}
_PLACES: Final = Names(("virtual", "reablement", "care_home"))
_CRITICAL: Final = Names(("critical_care",))

SHAPES: Final[Mapping[str, Shape]] = {
    # The place itself.
    "closed": Shape(fixed=True, needed=True),
    "occupied": Shape(
        params={"hours": Number(12, 0, 168), "least_chance": Number(0.5, 0, 1)},
        fixed=True,
        needed=True,
    ),
    "reserved": Shape(fixed=True, needed=True),
    "not_a_bed": Shape(
        params={"kinds": Names(("theatre", "clinic", "discharge_lounge", "unrecognised"))},
        fixed=True,
        needed=True,
    ),
    "place_kind": Shape(_words("kind"), params=_KINDS),
    "bed_kind": Shape(_words("bed_kind"), params={"sitting": Names(), "sitting_wards": Names(),
                                                  "place_wards": _PLACES}),
    "cot": Shape(params={"under": Number(2, 0, 18)}),
    "wanted_ward": Shape(_words("wanted"), soft=True),
    "ring_fence": Shape(),
    "elective_elsewhere": Shape(),
    "escalation": Shape(),
    "corridor": Shape(),
    "corridor_group": Shape(_words("groups"), fixed=True, needed=True),
    # Ages and specialties.
    "children": Shape(_words("who"), params={"under": Number(16, 1, 25), "specialties": Names(),
                                             "except_specialties": Names()}),
    "ward_age": Shape(_words("who", "ages")),
    "maternity": Shape(params={"specialties": Names()}),
    "outlier": Shape(_words("specialty", "ward_specialty"), soft=True),
    "specialty_never": Shape(_words("specialty", "ward_specialty")),
    "specialty_unknown": Shape(soft=True),
    # Same-sex accommodation.
    "ward_sex": Shape(_words("sex"), params={"female": Names(("F",)), "male": Names(("M",))}),
    "bay_sex": Shape(
        _words("sex"),
        params={"groups": Names(("F", "M")), "female": Names(("F",)), "male": Names(("M",)),
                "except_specialties": Names()},
    ),
    "sex_unknown": Shape(soft=True),
    # Infection and protection.
    "side_room": Shape(params={"cohort": Names()}),
    "negative_pressure": Shape(),
    "cohort": Shape(),
    "immunosuppressed_beside": Shape(),
    "protective_room": Shape(),
    "end_of_life_room": Shape(),
    "side_room_kept": Shape(params={"rooms": Number(1, 0, 20)}),
    "side_room_wasted": Shape(),
    # Being seen.
    "not_alone": Shape(),
    "falls_side_room": Shape(),
    "falls_visible": Shape(),
    "wander_side_room": Shape(),
    "high_visibility": Shape(),
    # Equipment.
    "oxygen": Shape(),
    "telemetry": Shape(),
    "bariatric": Shape(),
    "specialist_mattress": Shape(),
    "ventilator": Shape(),
    "ensuite": Shape(),
    "feature_wasted": Shape(_words("feature"), params={"scarce": Names()}, soft=True),
    # What the ward can bear.
    "acuity_place": Shape(_words("level"), params={"level_2": _CRITICAL, "level_3": _CRITICAL}),
    "critical_care_wasted": Shape(params={"kinds": _CRITICAL}),
    "acuity_limit": Shape(_words("most")),
    "ward_full": Shape(_words("most")),
    "nurse_ratio": Shape(_words("ratio", "most"), params={"patients": Number(8, 1, 100)}),
    # When and how far.
    "not_ready": Shape(
        _words("wait", "state"),
        params={"cleaning_minutes": Number(45, 0, 1440), "urgency_1": Number(4), "urgency_2":
                Number(2), "urgency_3": Number(1), "urgency_4": Number(0.5)},
        soft=True,
    ),
    "chance": Shape(_words("percent"), soft=True),
    "distance": Shape(_words("where"), soft=True),
}  # fmt: skip
"""Every rule there is, by code, in the order in which findings are told."""
