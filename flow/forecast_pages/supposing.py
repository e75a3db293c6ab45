"""A scenario beside the forecast that it changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from flow.board_types import Sight
from flow.forecast_pages.trying import still_there
from flow.forecasts.beds import pool_fan
from flow.forecasts.boards import ForecastBoard
from flow.forecasts.forecasting import GROUPS
from flow.forecasts.inputs import Inputs
from flow.forecasts.outlook import Fan, Pool, Waiting
from flow.forecasts.queueing import waiting
from flow.forecasts.scenario import Scenario
from flow.forecasts.whatif import changed
from flow.forecasts.wording import Names, scenario_said


@dataclass(frozen=True)
class Supposed:
    """What would follow from a scenario: the beds of the pool shown, and the queue. scenario: what
    of it still can be. gone: patients named in it who have left, or are not to be named. words:
    each change."""

    scenario: Scenario
    fan: Fan
    waiting: Waiting | None
    gone: int
    words: Sequence[str]


def names_seen(board: ForecastBoard, scenarios: Sequence[Scenario]) -> Names:
    """The names of the wards that scenarios speak of, as far as the viewer sees them."""
    unseen = _("a ward that you do not see")
    spoken = {one.ward for scenario in scenarios for one in scenario.opened if one.ward}
    spoken |= {one.ward for scenario in scenarios for one in scenario.closed}
    seen = {key: place.name for key, place in board.places.items()}
    return dict.fromkeys(spoken, unseen) | seen


def _to_be_named(inputs: Inputs, sight: Sight | None) -> set[int]:
    people = inputs.residents
    keys, wards = people.keys.tolist(), people.ward.tolist()
    return {
        key
        for key, ward in zip(keys, wards, strict=True)
        if sight is None or sight.sees_patients(inputs.wards[ward].key)
    }


def suppose(
    inputs: Inputs,
    scenario: Scenario,
    pool: Pool,
    *,
    names: Names,
    with_queue: bool,
    sight: Sight | None,
) -> Supposed | None:
    """Work a scenario out; None where the pool is not there. Raises `BadScenario` for a ward that
    is not of the site.

    sight: of whoever names the patients in it. Those whom they may not see count as not there, or
    what follows would tell of them. None: somebody who might has named them, and kept it.
    """
    kept, gone = still_there(scenario, _to_be_named(inputs, sight))
    then = changed(inputs, kept)
    fan = pool_fan(then, GROUPS, pool)
    if fan is None:
        return None
    return Supposed(
        scenario=kept,
        fan=fan,
        waiting=waiting(then) if with_queue else None,
        gone=gone,
        words=scenario_said(kept, names, at=inputs.ahead.at),
    )
