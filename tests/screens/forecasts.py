"""A hospital with a past, and its forecasts, learnt and issued as the worker does it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from flow.forecasts import issued, versions
from flow.forecasts.issuing import issue
from flow.forecasts.learning import learn
from flow.models import Forecast, ForecastModel
from live import shared
from tests.screens.hospital import Hospital, build
from wards.facts import MovementKind
from wards.models import Site

DAY = timedelta(days=1)


def lived_in(*, wards: int = 2, beds: int = 6, patients: int = 4) -> Hospital:
    """Four days ago, and the day after, somebody came to each ward and left the next day; so
    many patients are on each ward now. What the feed said was known when it was sent."""
    hospital = build(wards=wards, beds=beds, known_when_sent=True)
    for ward in hospital.wards:
        last = hospital.beds(ward)[-1]
        for days in (4, 3):
            fact = hospital.admit(last, ago=days * DAY, family="Bygone")
            hospital.tell(fact, MovementKind.DISCHARGED, ago=(days - 1) * DAY + DAY / 6)
        hospital.fill(ward, patients)
    return hospital


def foretell(site: Site, *, at: datetime | None = None) -> Forecast:
    """The forecast of a site from what is known at a full minute (now unless given)."""
    moment = (at or timezone.now()).replace(second=0, microsecond=0)
    if not ForecastModel.objects.filter(site=site).exists():
        learn(site, at=moment)
    row = issue(site, at=moment, issued_at=moment)
    assert row is not None, "nothing speaks for the site"
    shared.forget()
    return row


def forget() -> None:
    """Nothing that another test foretold is of a hospital here."""
    issued.forget()
    versions.forget()
