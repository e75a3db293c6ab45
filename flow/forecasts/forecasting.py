"""The forecast of a site's beds from the database: what is read, learnt and told.

patterns = learn_patterns(site, history, since=…, at=…)          # once a night
inputs = inputs_of(site, history, leaving, patterns)             # each time
told = outlook_of(inputs)                                        # the whole forecast
told = outlook_of(changed(inputs, scenario))                     # what if
fan = pool_fan(changed(inputs, scenario), GROUPS, pool)          # what if, for a slider
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from flow.forecasts.clock import minute_of, moment_of
from flow.forecasts.forecast import outlook
from flow.forecasts.history import Stays
from flow.forecasts.inputs import Inputs, gather
from flow.forecasts.leaving import Leaving
from flow.forecasts.lists_reading import read_expected, read_lists
from flow.forecasts.outlook import Outlook
from flow.forecasts.patterns import Patterns, learn
from flow.forecasts.supply_reading import read_supply
from flow.site_groups import WARD_GROUPS
from wards.models import Site

GROUPS: Final = {group.key: group.kinds for group in WARD_GROUPS}
"""The kinds of ward that boards list together."""
_LISTED_SINCE: Final = timedelta(days=180)
"""At a past moment, how long ago somebody may have been put on a list who was expected still."""


def learn_patterns(site: Site, history: Stays, *, since: datetime, at: datetime) -> Patterns:
    """How patients come to the site and go through it, as was known at `at`.

    history: with all stays at the site that went on at `since` or later; half a year is enough.
    """
    lists = read_lists(site, since=since, at=at)
    return learn(history, lists, since=minute_of(since), at=minute_of(at))


def inputs_of(
    site: Site,
    history: Stays,
    leaving: Leaving,
    patterns: Patterns,
    *,
    known_at: datetime | None = None,
    is_past: bool = False,
) -> Inputs:
    """What the forecast for the moment of `leaving` is worked out from.

    history: the one that `leaving` tells of; it need hold nobody but those at the site now, those
    in the emergency department included. is_past: the moment is past; who was expected is read as
    was known then. known_at: so are the beds, which else are those known now.
    """
    at = moment_of(leaving.at)
    supply = read_supply(site, at=at, known_at=known_at)
    if is_past or known_at is not None:
        lists = read_lists(site, since=at - _LISTED_SINCE, at=at)
    else:
        lists = read_expected(site, at=at)
    return gather(history, leaving, patterns, supply, lists)


def outlook_of(inputs: Inputs) -> Outlook:
    """The forecast of the site and its pools, wards grouped as boards list them."""
    return outlook(inputs, GROUPS)
