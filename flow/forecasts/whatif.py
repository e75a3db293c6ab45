"""What would follow if something were done: a scenario applied to a forecast's inputs.

Pure: no Django. `changed` gives the inputs as they would be; everything else is worked out from
them as ever. Without a change they are the same, bit for bit.

Places of pathway 1 (care at home), 2 (a community bed) or 3 (a care home) are taken, it is assumed,
by patients who meet no criteria to reside and wait for that pathway, the longest ready first, one
by each place, at some time between 9:00 and 17:00 of the days over which they are spread. Who
leaves before without it leaves the place unused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from flow.forecasts.clock import HOUR
from flow.forecasts.history import Floats, Indices
from flow.forecasts.horizon import Horizon
from flow.forecasts.inputs import Asking, Inputs, Unknown
from flow.forecasts.leaving import HOURS
from flow.forecasts.scenario import Closed, Opened, Places, Scenario
from flow.forecasts.supply import EITHER, Supply

_DAYTIME: Final = (9, 17)


def changed(inputs: Inputs, scenario: Scenario) -> Inputs:
    """The inputs as they would be. Raises `BadScenario` for a ward or patient who is not there."""
    scenario.check_places(
        wards={ward.key for ward, has in zip(inputs.wards, inputs.beds, strict=True) if has},
        patients=set(inputs.residents.keys.tolist()),
    )
    if not scenario:
        return inputs
    supply = inputs.supply
    for shut in scenario.closed:
        supply = _closed(supply, shut, inputs.ahead)
    for more in scenario.opened:
        supply = _opened(supply, more, inputs.ahead)
    left = inputs.residents.left
    for gone in scenario.gone:
        left = np.where(
            np.isin(inputs.residents.keys, gone.patients)[:, None]
            & (inputs.ahead.ends >= gone.by),
            1.0, left,
        )  # fmt: skip
    for places in scenario.places:
        left = _placed(inputs, left, places, scenario.days)
    return replace(
        inputs,
        supply=supply,
        residents=replace(inputs.residents, left=left),
        unknown=_more(inputs.unknown, scenario.arrivals),
        asking=_asking_more(inputs.asking, scenario.arrivals),
    )


def waiting_for(inputs: Inputs, pathway: int) -> Indices:
    """Who meets no criteria to reside and waits for this pathway, the longest ready first: the
    places of those patients among the residents."""
    people = inputs.residents
    those = np.flatnonzero(~np.isnan(people.ready) & (people.pathway == pathway))
    return those[np.argsort(people.ready[those], kind="stable")]


def _closed(supply: Supply, shut: Closed, ahead: Horizon) -> Supply:
    since = ahead.at if shut.since is None else shut.since
    until = since + shut.hours * HOUR
    shut_then = (ahead.ends >= since) & (ahead.ends < until)
    mine = supply.ward == shut.ward
    return replace(supply, usable=supply.usable & ~(mine[:, None] & shut_then))


def _opened(supply: Supply, more: Opened, ahead: Horizon) -> Supply:
    since = ahead.at if more.since is None else more.since
    no = np.zeros(more.beds, dtype=bool)
    return replace(
        supply,
        ward=np.r_[supply.ward, np.full(more.beds, more.ward or 0)],
        sex=np.r_[supply.sex, np.full(more.beds, EITHER)],
        usable=np.r_[supply.usable, np.tile(ahead.ends >= since, (more.beds, 1))],
        patient=np.r_[supply.patient, np.zeros(more.beds, dtype=np.int64)],
        empty=np.r_[supply.empty, no],
        unready=np.r_[supply.unready, no],
    )


def _placed(inputs: Inputs, left: Floats, places: Places, days: int) -> Floats:
    chosen = waiting_for(inputs, places.pathway)[: places.number]
    ahead = inputs.ahead
    daytime = (ahead.local_hours >= _DAYTIME[0]) & (ahead.local_hours < _DAYTIME[1])
    hours = np.where(daytime & (np.arange(HOURS) < 24 * days), ahead.lengths, 0.0)
    taken = np.cumsum(hours) / hours.sum()
    found = left.copy()
    found[chosen] = 1 - (1 - left[chosen]) * (1 - taken)
    return found


def _more(unknown: Unknown, factor: float) -> Unknown:
    comers = replace(unknown.comers, coming=unknown.comers.coming * factor)
    return replace(unknown, comers=comers)


def _asking_more(asking: Asking, factor: float) -> Asking:
    return replace(asking, to_come=asking.to_come * factor)
