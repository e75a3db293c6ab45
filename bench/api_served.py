"""Flowboard's own ASGI application under the settings of the measurement."""

from __future__ import annotations

from flowboard.asgi import application

__all__ = ["application"]
