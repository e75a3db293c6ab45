"""Hospitals to judge beds in: a small one with names, and invented ones of any size."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from wards.suitability.facts import Bay, Bed, Needs, Spot, Ward
from wards.suitability.setting import Setting, setting_of

AT: Final = datetime(2026, 1, 14, 9, 0, tzinfo=UTC)

SPECIALTIES: Final = (
    "respiratory", "cardiology", "elderly_medicine", "general_surgery", "trauma_orthopaedics",
    "gastroenterology",
)  # fmt: skip


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


class Building:
    """A hospital put together bed by bed; keys are given in order."""

    def __init__(self) -> None:
        self.wards: dict[int, Ward] = {}
        self.bays: dict[int, Bay] = {}
        self.beds: dict[int, Bed] = {}
        self.patients: dict[int, Needs] = {}
        self.coming: dict[int, Needs] = {}

    def ward(self, **said: Any) -> Ward:
        key = len(self.wards) + 1
        ward = Ward(key=key, **{"site": 1, "name": f"Ward {key}", "code": f"W{key}", **said})
        self.wards[key] = ward
        return ward

    def bay(self, ward: Ward, **said: Any) -> Bay:
        key = len(self.bays) + 1
        self.bays[key] = Bay(key=key, ward=ward.key, **{"name": f"Bay {key}", **said})
        return self.bays[key]

    def bed(self, place: Ward | Bay, *features: str, **said: Any) -> Bed:
        key = len(self.beds) + 1
        is_ward = isinstance(place, Ward)
        bed = Bed(
            key=key,
            ward=place.key if isinstance(place, Ward) else place.ward,
            bay=None if is_ward else place.key,
            features=frozenset(features),
            position=key,
            **{"label": f"{key}", **said},
        )
        self.beds[key] = bed
        return bed

    def side_room(self, ward: Ward, *features: str, **said: Any) -> Bed:
        return self.bed(ward, "side_room", *features, **said)

    def lies(self, bed: Bed, **said: Any) -> Needs:
        """Somebody lies in the bed; their key is a thousand and the bed's."""
        who = Needs(
            key=1000 + bed.key,
            place=Spot(site=self.wards[bed.ward].site, ward=bed.ward, bay=bed.bay, bed=bed.key),
            **{"kind": "ward_move", **said},
        )
        self.patients[bed.key] = who
        return who

    def setting(self) -> Setting:
        return setting_of(
            at=AT,
            wards=self.wards.values(),
            beds=self.beds.values(),
            bays=self.bays.values(),
            patients=self.patients,
            coming=self.coming,
        )


def a_person(rng: random.Random, key: int, **said: Any) -> Needs:
    """Somebody who needs a bed, as people in a general hospital do."""
    isolated = rng.random() < 0.12
    infections = rng.choice((("influenza",), ("covid",), ("mrsa",))) if isolated else ()
    requires = {
        feature
        for feature, share in (("oxygen", 0.25), ("telemetry", 0.1), ("high_visibility", 0.08))
        if rng.random() < share
    }
    return Needs(
        **{
            "key": key,
            "kind": "ed_admission",
            "sex": rng.choice("FM") if rng.random() > 0.02 else "",
            "age": rng.randint(18, 98),
            "specialty": rng.choice(SPECIALTIES),
            "isolation": "side_room" if isolated else "none",
            "infections": frozenset(infections),
            "requires": frozenset(requires),
            "not_alone": rng.random() < 0.04,
            "falls_risk": rng.random() < 0.2,
            "wander_risk": rng.random() < 0.08,
            "immunosuppressed": rng.random() < 0.04,
            "end_of_life": rng.random() < 0.03,
            "acuity": 2 if rng.random() < 0.03 else 0,
            "priority": rng.choice((1, 2, 2, 3, 3, 3, 4)),
            "since": AT - minutes(rng.randint(0, 900)),
            **said,
        }
    )


def a_ward(rng: random.Random, building: Building, specialty: str, **said: Any) -> Ward:
    """A ward of four bays of six and four side rooms."""
    limit = rng.choice((None, 26, 27, 28))
    ward = building.ward(
        specialty=specialty, most_patients=limit, nurses=rng.choice((None, 4.0)), **said
    )
    for _ in range(4):
        bay = building.bay(ward)
        for place in range(6):
            features = {"oxygen"} if rng.random() < 0.7 else set()
            if place == 0:
                features.add("high_visibility")
            if specialty == "cardiology" and place < 3:
                features.add("telemetry")
            building.bed(bay, *sorted(features))
    for _ in range(4):
        building.side_room(ward, "oxygen", *(["ensuite"] if rng.random() < 0.5 else []))
    return ward


def a_hospital(
    seed: int, *, wards: int, fullness: float, people: int = 0
) -> tuple[Setting, list[Needs]]:
    """A hospital so full, in whose bays the sexes do not mix, and a queue for it."""
    rng = random.Random(seed)
    building = Building()
    ed = building.ward(kind="emergency", specialty="emergency_medicine", name="ED")
    for number in range(wards):
        a_ward(rng, building, SPECIALTIES[number % len(SPECIALTIES)])
    sexes = {bay: rng.choice("FM") for bay in building.bays}
    for bed in building.beds.values():
        _fill(rng, building, bed, sexes, fullness)
    spot = Spot(site=1, ward=ed.key)
    queue = [a_person(rng, 1 + number, place=spot) for number in range(people)]
    return building.setting(), queue


def _fill(
    rng: random.Random, building: Building, bed: Bed, sexes: dict[int, str], fullness: float
) -> None:
    chance = rng.random()
    if chance < fullness:
        who = a_person(
            rng, 1000 + bed.key, kind="ward_move",
            place=Spot(site=1, ward=bed.ward, bay=bed.bay, bed=bed.key),
        )  # fmt: skip
        if rng.random() < 0.85:
            who = replace(who, specialty=building.wards[bed.ward].specialty)
        if bed.bay is not None:
            who = replace(who, sex=sexes[bed.bay], isolation="none", infections=frozenset())
        building.patients[bed.key] = who
        if rng.random() < 0.05:
            building.beds[bed.key] = replace(
                bed, state="occupied", ready_at=AT + minutes(rng.randint(30, 400)),
                chance=rng.choice((0.55, 0.7, 0.95)),
            )  # fmt: skip
    elif chance > 0.99:
        building.beds[bed.key] = replace(bed, state="closed")
    elif rng.random() < 0.3:
        building.beds[bed.key] = replace(bed, state="needs_cleaning")


def keys(people: Iterable[Needs]) -> list[int]:
    return [needs.key for needs in people]
