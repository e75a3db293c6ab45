"""No word of a name is left, however it was typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from huddles.masking import HIDDEN, masked, words_of

WORDS = words_of(["O’Brien", "Anne-Marie", "Müller", "MRN 004711", "Smith"])


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("therapy to see SMITH by 11", f"therapy to see {HIDDEN} by 11"),
        ("Smith's tablets", f"{HIDDEN} tablets"),
        ("Smith’s tablets", f"{HIDDEN} tablets"),
        ("o'brien or OBrien", f"{HIDDEN} or {HIDDEN}"),
        ("mrs brien", f"mrs {HIDDEN}"),
        ("ask Marie, or Anne-marie", f"ask {HIDDEN}, or {HIDDEN}"),
        ("muller and Müller", f"{HIDDEN} and {HIDDEN}"),
        ("number 004711", f"number {HIDDEN}"),
        ("999 000 0018 and 9990000018", f"{HIDDEN} and {HIDDEN}"),
        ("smithy stays; blacksmith stays", "smithy stays; blacksmith stays"),
        ("Smiths want to know", f"{HIDDEN} want to know"),
        ("annemarie, anne marie", f"{HIDDEN}, {HIDDEN} {HIDDEN}"),
        ("o brien and mu ller", f"{HIDDEN} {HIDDEN} and {HIDDEN} {HIDDEN}"),
        ("smi\u00adth, mu\u0308ller", f"{HIDDEN}, {HIDDEN}"),
        ("bed 12 by 11:30", "bed 12 by 11:30"),
    ],
)
def test_what_is_hidden(typed: str, shown: str) -> None:
    assert masked(typed, WORDS) == shown


@given(
    some.lists(some.text("abcdefgé'- ", min_size=2, max_size=12), max_size=4),
    some.text(max_size=60),
    some.text(max_size=60),
)
def test_no_name_is_left(names: list[str], before: str, after: str) -> None:
    words = words_of(names)
    for name in names:
        left = masked(f"{before} {name} {after}", words)
        for word in words_of([name]):
            assert word not in words_of([left])
