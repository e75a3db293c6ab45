from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = Path(__file__).resolve().parents[2] / "static" / "css"
TEXT = 4.5
MARK = 3.0
"""WCAG 2.2, success criteria 1.4.3 and 1.4.11."""

TEXTS = [
    *[(ink, on) for ink in ("ink", "ink-2") for on in ("paper", "paper-2", "ground")],
    *[("ink-2", f"{state}-soft") for state in ("free", "clean", "shut", "bad")],
    *[("ink", f"{state}-soft") for state in ("free", "clean", "shut", "bad", "held")],
    *[("link", on) for on in ("paper", "paper-2", "ground")],
    *[("link-strong", on) for on in ("paper", "ground")],
    *[(state, on) for state in ("free", "clean", "bad", "next", "warn") for on in ("paper",)],
    *[(state, f"{state}-soft") for state in ("free", "clean", "bad", "past", "next")],
    *[(text, "wall") for text in ("ink", "ink-2", "free", "clean", "bad")],
    ("bad", "ground"),
    ("bad", "paper-2"),
    ("clean", "ground"),
    ("shut", "paper"),
    ("head-ink", "head"),
    ("head-ink-2", "head"),
    ("flow-ink", "flow"),
    ("focus-ink", "focus"),
    ("paper", "ink"),
]
MARKS = [
    *[(mark, "paper") for mark in ("held", "free-line", "clean-line", "bad-line", "line-2")],
    *[(mark, "ground") for mark in ("bad-line", "line-2", "clean-line")],
    *[(mark, "wall") for mark in ("held", "free-line", "clean-line", "bad-line", "line-2")],
    ("free-line", "free-soft"),
    ("flow-stuck", "paper"),
    ("past-line", "ground"),
]


def tokens(name: str) -> dict[str, str]:
    """The colours that a style sheet gives to the names of tokens.css."""
    text = (CSS / name).read_text("utf-8")
    return dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", text))


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def themes() -> dict[str, dict[str, str]]:
    light = tokens("tokens.css")
    return {"light": light, "dark": light | tokens("dark.css")}


def test_the_measure_agrees_with_the_definition() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_from_its_ground(theme: str) -> None:
    colours = themes()[theme]
    weak = {
        pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2)
        for pair in TEXTS
        if contrast(colours[pair[0]], colours[pair[1]]) < TEXT
    }
    assert weak == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_marks_stand_out_from_their_ground(theme: str) -> None:
    colours = themes()[theme]
    weak = {
        pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2)
        for pair in MARKS
        if contrast(colours[pair[0]], colours[pair[1]]) < MARK
    }
    assert weak == {}


def test_dark_gives_a_value_to_every_colour() -> None:
    assert set(tokens("dark.css")) == set(tokens("tokens.css"))
