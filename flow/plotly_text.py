"""What every figure for Plotly needs."""

from __future__ import annotations

from html import escape


def as_text(words: str) -> str:
    """Words that anybody may have typed, such as names, for a figure: Plotly takes what looks like
    a tag for one."""
    return escape(words, quote=False)
