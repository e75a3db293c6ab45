"""Rule sets for the tests of escalation: loaded as an installation loads them."""

from __future__ import annotations

from io import StringIO

import yaml
from django.core.management import call_command

from huddles.escalation.cards import load
from huddles.models import OpelRuleSet
from huddles.opel.files import FOLDER
from wards.models import Site

CARDS = [
    {"level": 3, "who": "Site manager", "minutes": 30, "text": "Call a flow meeting"},
    {"level": 3, "who": "Matron", "minutes": 60, "text": "Use the discharge lounge"},
    {"level": 4, "who": "Director on call", "minutes": 15, "text": "Tell the board"},
]
BUSY = {
    "ambulance_handover": 62.0,  # 5
    "four_hour_performance": 71.0,  # 3
    "attendance_variation": 12.0,  # 3
    "majors_resus_occupancy": 125.0,  # 4
    "time_to_treatment": 130.0,  # 3
    "over_twelve_hours": 7.0,  # 3
    "ga_occupancy": 97.5,  # 4
    "escalation_beds": 3.0,  # 2
    "no_criteria_to_reside": 17.0,  # 3
}
"""Scores 30 by the example: level 3."""


def load_example(*weights: str, name: str = "example", organisation: str = "") -> OpelRuleSet:
    """The example in force from 2023 on; `weights` as `NGH=0.6`."""
    more = [part for one in weights for part in ("--weight", one)]
    if organisation:
        more += ["--organisation", organisation]
    call_command("load_opel", name, *more, stdout=StringIO())
    return OpelRuleSet.objects.order_by("pk").last() or OpelRuleSet()


def load_cards(site: Site | None = None) -> None:
    """Two cards of level 3 and one of level 4."""
    load(CARDS, site=site)


def example_content() -> dict[str, object]:
    """What the example's file holds."""
    content: dict[str, object] = yaml.safe_load((FOLDER / "example.yaml").read_text())
    return content
