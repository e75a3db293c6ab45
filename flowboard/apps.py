"""The project itself as an app: its commands, and the Celery app every process shares."""

from __future__ import annotations

from django.apps import AppConfig

from flowboard.celery import app as celery_app

__all__ = ["FlowboardConfig", "celery_app"]


class FlowboardConfig(AppConfig):
    """Holds no models."""

    name = "flowboard"
