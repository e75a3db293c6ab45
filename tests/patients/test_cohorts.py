"""Who belongs to a cohort, and at what risk: rules without a database."""

from __future__ import annotations

from typing import Any

import pytest

from patients.cohorts import (
    CRITERIA,
    Band,
    Driver,
    Facts,
    Phase,
    Scale,
    Wait,
    judge,
    mistakes,
    risk,
)

DURING = Facts(phase=Phase.DURING)
FRAIL = Facts(
    phase=Phase.DURING, age=82, frailty=6, residence="care_home", area="north", days=9.5,
    ready_days=3.2, days_since_leaving=12.0, unplanned=True, stays_in_year=3, pathway=2,
    site="NGH", ward_kind="inpatient", specialty="geriatrics",
    waits=(Wait("p2-capacity", "capacity", "community", "RNC"),),
)  # fmt: skip


@pytest.mark.parametrize(
    ("who", "holds"),
    [
        ({"age_from": 82}, True),
        ({"age_from": 83}, False),
        ({"age_to": 82}, True),
        ({"age_to": 81}, False),
        ({"frailty_from": 6}, True),
        ({"frailty_from": 7}, False),
        ({"frailty_to": 6}, True),
        ({"frailty_to": 5}, False),
        ({"days_from": 9}, True),
        ({"days_from": 10}, False),
        ({"ready": True}, True),
        ({"ready": False}, False),
        ({"ready_days_from": 3}, True),
        ({"ready_days_from": 4}, False),
        ({"readmitted_within": 30}, True),
        ({"readmitted_within": 12}, False),
        ({"readmitted_within": 13}, True),
        ({"stays_from": 3}, True),
        ({"stays_from": 4}, False),
        ({"residence": ["own_home", "care_home"]}, True),
        ({"residence": ["own_home"]}, False),
        ({"area": ["north"]}, True),
        ({"area": ["south"]}, False),
        ({"of_any_area": True}, True),
        ({"of_any_area": False}, False),
        ({"pathway": ["1", "2"]}, True),
        ({"pathway": ["1"]}, False),
        ({"site": ["NGH"]}, True),
        ({"site": ["OTHER"]}, False),
        ({"ward_kind": ["inpatient"]}, True),
        ({"ward_kind": ["assessment"]}, False),
        ({"specialty": ["geriatrics"]}, True),
        ({"specialty": ["surgery"]}, False),
        ({"waiting_reason": ["p2-capacity"]}, True),
        ({"waiting_reason": ["transport"]}, False),
        ({"waiting_family": ["capacity"]}, True),
        ({"waiting_family": ["hospital-process"]}, False),
        ({"waiting_team": ["community"]}, True),
        ({"waiting_team": ["therapy"]}, False),
        ({"waiting_organisation": ["RNC"]}, True),
        ({"waiting_organisation": ["NMC"]}, False),
        ({"phase": ["during"]}, True),
        ({"phase": ["before", "after"]}, False),
    ],
)
def test_each_criterion(who: dict[str, Any], holds: bool) -> None:
    assert mistakes(who) == []
    assert judge(FRAIL, who).holds is holds


def test_every_criterion_is_tried_above() -> None:
    [marks] = [m for m in test_each_criterion.pytestmark if m.name == "parametrize"]
    tried = {name for who, _holds in marks.args[1] for name in who}
    assert tried == set(CRITERIA)


def test_nobody_is_guessed_to_be_young_or_fit() -> None:
    told = judge(DURING, {"age_from": 65, "frailty_from": 5, "residence": ["care_home"]})
    assert told.holds is None
    assert told.lacks == ("date of birth", "frailty score", "usual residence")


def test_what_is_false_settles_it_whatever_is_not_known() -> None:
    told = judge(Facts(phase=Phase.DURING, age=40), {"frailty_from": 5, "age_from": 65})
    assert told.holds is False
    assert told.lacks == ()


def test_no_criteria_are_everybody() -> None:
    assert judge(DURING, {}).holds is True


def test_a_planned_admission_is_no_readmission() -> None:
    planned = Facts(phase=Phase.DURING, days_since_leaving=3.0, unplanned=False)
    assert judge(planned, {"readmitted_within": 30}).holds is False


def test_thirty_days_are_days_0_to_29() -> None:
    """As in the published indicator: 0 to 29 days inclusive."""

    def gap(days: float) -> Facts:
        return Facts(phase=Phase.DURING, days_since_leaving=days, unplanned=True)

    assert judge(gap(0.0), {"readmitted_within": 30}).holds
    assert judge(gap(29.99), {"readmitted_within": 30}).holds
    assert not judge(gap(30.0), {"readmitted_within": 30}).holds


@pytest.mark.parametrize(
    ("who", "says"),
    [
        ("age over 65", "by name"),
        ({"colour": "red"}, "no criterion “colour”"),
        ({"age_from": "old"}, "whole number"),
        ({"age_from": True}, "whole number"),
        ({"age_from": 200}, "from 0 to 120"),
        ({"frailty_from": 0}, "from 1 to 9"),
        ({"ready": 1}, "true or false"),
        ({"residence": "care_home"}, "list"),
        ({"residence": []}, "list"),
        ({"residence": ["castle"]}, "no “castle”; there are: own_home"),
        ({"site": [1]}, "texts"),
        ({"age_from": 80, "age_to": 70}, "nobody fits"),
    ],
)
def test_what_makes_no_sense_is_said_so(who: object, says: str) -> None:
    assert any(says in wrong for wrong in mistakes(who)), mistakes(who)


SCALE = Scale(
    source="somewhere",
    drivers=(
        Driver("Very frail", 2, {"frailty_from": 7}),
        Driver("Waiting", 1, {"ready_days_from": 3}),
        Driver("Old", 1, {"age_from": 80}),
    ),
    bands=(Band("Lower", 0), Band("Raised", 2), Band("High", 4)),
)


def test_a_band_comes_with_what_drives_it() -> None:
    told = risk(FRAIL, SCALE)
    assert told is not None
    assert (told.band, told.rank, told.points) == ("Raised", 1, 2)
    assert told.drivers == ("Waiting", "Old")
    assert told.lacks == ()


def test_what_is_not_known_might_add_and_is_said() -> None:
    told = risk(Facts(phase=Phase.DURING, age=90), SCALE)
    assert told is not None
    assert (told.band, told.points) == ("Lower", 1)
    assert told.lacks == ("frailty score",)


def test_no_bands_no_risk() -> None:
    assert risk(FRAIL, Scale()) is None
