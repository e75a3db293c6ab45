"""Which models a site has had, why each speaks or does not, and how far the present training is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flow.forecasts.boards import ModelTold, TrainingTold
from flow.models import ForecastModel, ForecastTraining
from wards.models import Site

MODELS: Final = 60
"""How many are told, the latest first."""


@dataclass(frozen=True, slots=True)
class ModelsBoard:
    """live: which speaks; None where none does. models: the latest first. training: the last one,
    under way or over; None where there never was any."""

    site: Site
    live: ModelTold | None
    models: tuple[ModelTold, ...]
    training: TrainingTold | None


def models_board(site: Site) -> ModelsBoard:
    """The models of a site; three queries. It names no ward and counts no bed."""
    rows = ForecastModel.objects.filter(site=site).defer("blob")
    speaks = rows.filter(live_from__isnull=False, live_until__isnull=True).first()
    last = ForecastTraining.objects.filter(site=site).select_related("model")
    training = last.defer("model__blob").order_by("-started_at").first()
    return ModelsBoard(
        site=site,
        live=None if speaks is None else ModelTold.of(speaks),
        models=tuple(ModelTold.of(row) for row in rows.order_by("-number")[:MODELS]),
        training=None if training is None else TrainingTold.of(training),
    )
