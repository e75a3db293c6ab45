"""How bodies are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import JSONParser

from flow.api.problems import WHOLE, invalid


class Json(JSONParser):
    """JSON that a person could have meant."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Raises a 400 problem for what is no JSON, or is nested without end."""
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise invalid({WHOLE: "The body is nested too deeply; send one JSON object."}) from None
