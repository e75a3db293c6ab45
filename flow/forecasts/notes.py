"""Notes that what is foretold of a site may have changed."""

from __future__ import annotations

from collections.abc import Iterable

from flow.models import ForecastDue


def note_changed(sites: Iterable[int]) -> None:
    """Note these sites in the caller's transaction: what is issued next rests on the change."""
    ForecastDue.objects.bulk_create(ForecastDue(site_id=site) for site in sorted(set(sites)))
