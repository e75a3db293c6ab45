"""The whole forecast of a site's beds, from its inputs. Pure: no Django."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from flow.forecasts.beds import fans, site_fan
from flow.forecasts.inputs import Inputs
from flow.forecasts.outlook import Outlook
from flow.forecasts.queueing import PATHS, waiting


def outlook(
    inputs: Inputs, groups: Mapping[str, Collection[str]], *, paths: int = PATHS
) -> Outlook:
    """Free beds of the site and all its pools, and the queue for them.

    groups: by name, the kinds of ward that boards list together. paths: how often the queue is
    simulated.
    """
    return Outlook(
        at=inputs.ahead.at,
        ends=inputs.ahead.ends,
        shown_always=inputs.ahead.shown_always,
        site=site_fan(inputs),
        pools=fans(inputs, groups),
        waiting=waiting(inputs, paths=paths),
        marks=tuple(mark for mark in inputs.marks if mark.minute <= inputs.ahead.ends[-1]),
        days_known=inputs.days_known,
    )
