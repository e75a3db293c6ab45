from __future__ import annotations

import pytest

from accounts.row_keys import row_key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("12", 12), ("0", 0), ("9" * 18, 10**18 - 1), ("9" * 19, None), ("9" * 5000, None),
        ("", None), ("-1", None), ("1.5", None), (" 1", None), ("٣", None), ("x", None),
    ],
)  # fmt: skip
def test_a_key_is_a_number_that_the_database_can_hold(text: str, key: int | None) -> None:
    assert row_key(text) == key
