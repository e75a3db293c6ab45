"""A hospital whose beds have names, one for each thing that a rule may mind."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from tests.suitability.hospital import AT, Building
from wards.suitability.facts import Bay, Bed, Needs, Spot, Ward
from wards.suitability.setting import Setting

ME: Final = 1
"""The key of the person for whom beds are judged."""


class Named:
    """The hospital; `beds` by name."""

    def __init__(self) -> None:
        self.building = Building()
        self.beds: dict[str, Bed] = {}
        self.wards: dict[str, Ward] = {}
        self._respiratory()
        self._states()
        self._others()
        self._limits()
        self.setting: Setting = self.building.setting()

    def bed(self, name: str) -> Bed:
        return self.setting.beds[self.beds[name].key]

    def me(self, **said: Any) -> Needs:
        """Somebody ordinary who waits in the emergency department."""
        return Needs(
            **{
                "key": ME,
                "sex": "F",
                "age": 70,
                "specialty": "respiratory",
                "place": Spot(site=1, ward=self.wards["ed"].key),
                **said,
            }
        )

    def _ward(self, name: str, **said: Any) -> Ward:
        self.wards[name] = self.building.ward(name=name, code=name, **said)
        return self.wards[name]

    def _add(self, name: str, place: Ward | Bay, *features: str, **said: Any) -> Bed:
        self.beds[name] = self.building.bed(place, *features, label=name, **said)
        return self.beds[name]

    def _with(self, name: str, place: Ward | Bay, *features: str, **who: Any) -> Bed:
        """A free bed whose neighbour is somebody."""
        neighbour = self.building.bed(place)
        self.building.lies(neighbour, **who)
        return self._add(name, place, *features)

    def _respiratory(self) -> None:
        ward = self._ward("resp", specialty="respiratory")
        bay = self.building.bay
        self._add("empty", bay(ward))
        self._with("women", bay(ward), sex="F")
        self._with("men", bay(ward), sex="M")
        self._with("unknown", bay(ward), sex="")
        self._add("for_women", bay(ward, sex="female"))
        self._add("for_men", bay(ward, sex="male"))
        self._with("flu", bay(ward), sex="F", infections=frozenset({"influenza"}))
        self._with("mrsa", bay(ward), sex="F", infections=frozenset({"mrsa"}))
        self._with("frail", bay(ward), sex="F", immunosuppressed=True)
        self._with("frail_flu", bay(ward), sex="F", immunosuppressed=True,
                   infections=frozenset({"influenza"}))  # fmt: skip
        for feature in ("oxygen", "telemetry", "bariatric", "specialist_mattress", "ventilator",
                        "high_visibility", "corridor"):  # fmt: skip
            self._add(feature, bay(ward), feature)
        self._add("escalation", bay(ward), funding="escalation")
        for kind in ("trolley", "chair", "cot"):
            self._add(kind, bay(ward), kind=kind)
        self._add("side", ward, "side_room", "ensuite")
        self._add("side_too", ward, "side_room")
        self._add("airtight", ward, "side_room", "negative_pressure")

    def _states(self) -> None:
        bay = self.building.bay(self.wards["resp"])
        soon = AT + timedelta(hours=2)
        self._add("closed", bay, state="closed")
        self._add("dirty", bay, state="needs_cleaning")
        self._add("cleaned", bay, state="being_cleaned", ready_at=AT + timedelta(minutes=20))
        self._add("held", bay, state="reserved", reserved_for=99)
        self._add("mine", bay, state="reserved", reserved_for=ME)
        self._add("taken", bay, state="occupied")
        self._add("soon", bay, state="occupied", ready_at=soon, chance=0.9)
        self._add("doubtful", bay, state="occupied", ready_at=soon, chance=0.3)
        self._add("tomorrow", bay, state="occupied", ready_at=AT + timedelta(hours=30), chance=0.9)

    def _others(self) -> None:
        wards: dict[str, dict[str, Any]] = {
            "ed": {"kind": "emergency", "specialty": "emergency_medicine"},
            "assessment": {"kind": "assessment", "specialty": "acute_medicine"},
            "surgical_unit": {"kind": "assessment", "specialty": "acute_surgery"},
            "cardio": {"specialty": "cardiology"},
            "surgical": {"specialty": "general_surgery"},
            "joints": {"specialty": "elective_orthopaedics", "ring_fenced": True},
            "intensive": {"kind": "critical_care", "specialty": "critical_care"},
            "paeds": {"specialty": "paediatrics"},
            "labour": {"kind": "maternity", "specialty": "obstetrics"},
            "theatre": {"kind": "theatre"},
            "lounge": {"kind": "discharge_lounge"},
            "clinic": {"kind": "clinic"},
            "odd": {"kind": "unrecognised"},
            "away": {"specialty": "respiratory", "site": 2},
            "gynae": {"specialty": "gynaecology", "sex": "female"},
            "male": {"specialty": "respiratory", "sex": "male"},
            "older": {"specialty": "respiratory", "youngest": 75},
            "stepdown": {"kind": "community", "specialty": "rehabilitation", "site": 2},
            "nobody": {"specialty": ""},
        }
        for name, said in wards.items():
            ward = self._ward(name, **said)
            bay = self.building.bay(ward)
            if name == "intensive":
                self.building.lies(self.building.bed(bay), sex="M")
            self._add(name, bay)
        day = self.building.bay(self._ward("day", kind="day_case", specialty="day_surgery"))
        self._add("day_trolley", day, kind="trolley")
        virtual = self._ward("home", kind="virtual")
        self._add("home", virtual, kind="place")
        self._add("place", self.building.bay(self.wards["resp"]), kind="place")
        self._add("last_side", self.wards["cardio"], "side_room")
        self._with("paeds_boy", self.building.bay(self.wards["paeds"]), sex="M")

    def _limits(self) -> None:
        full = self._ward("full", specialty="respiratory", most_patients=1)
        self._with("full", self.building.bay(full), sex="F")
        acute = self._ward("acute", specialty="respiratory", most_acute=1)
        self._with("acute", self.building.bay(acute), sex="F", acuity=2)
        able = self._ward("able", specialty="respiratory", most_acute=2)
        self._with("able", self.building.bay(able), sex="F", acuity=2)
        few = self._ward("few", specialty="respiratory", nurses=0.1)
        self._with("few", self.building.bay(few), sex="F")
        own = self._ward("own", specialty="respiratory", nurses=1, patients_per_nurse=1.5)
        self._with("own", self.building.bay(own), sex="F")
        more = self._ward("more", specialty="respiratory", nurses=0.1, patients_per_nurse=30)
        self._with("more", self.building.bay(more), sex="F")


def with_rule(book: Any, code: str, **said: Any) -> Any:
    """The book with one line changed."""
    return replace(book, lines={**book.lines, code: replace(book.lines[code], **said)})
