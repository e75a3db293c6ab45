"""The NHS number: ten digits, the last a modulus 11 check.

Source: NHS Data Dictionary, "NHS NUMBER": weights 10 to 2 over the first nine digits; check
digit is 11 minus the remainder modulo 11, 11 counts as 0, and 10 is never issued.
"""

from __future__ import annotations

import re
from typing import Final

TEST_RANGE_PREFIX: Final = "999"


def normalised(text: str) -> str | None:
    """The ten digits of a valid NHS number written with or without spaces or dashes, or None."""
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(r"[0-9]{10}", digits) or not digits.strip(digits[0]):
        return None
    return digits if check_digit(digits[:9]) == int(digits[9]) else None


def check_digit(first_nine: str) -> int | None:
    """The tenth digit for nine given ones, or None where no number may be issued."""
    total = sum(int(d) * w for d, w in zip(first_nine, range(10, 1, -1), strict=True))
    digit = (11 - total % 11) % 11
    return None if digit == 10 else digit


def spaced(number: str) -> str:
    """As people read it: 999 123 4567."""
    return f"{number[:3]} {number[3:6]} {number[6:]}" if len(number) == 10 else number
