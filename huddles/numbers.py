"""What in a text could be somebody's number, date of birth or address. Pure.

Whose it is is not asked: it is a pattern, and whatever fits is taken for it. Times, days without a
year, and the labels of beds and wards are left: "11:30", "24/11", "25 Nov", "A-12", "W12".
"""

from __future__ import annotations

import re
from typing import Final

_MONTH: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DAY: Final = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR: Final = r"(?:(?:19|20)\d\d|['’]?\d\d)(?![\w]|[:.]\d|\s*[ap]\.?m\b)"
_TH: Final = r"(?:st|nd|rd|th)?"

_PATTERNS: Final = (
    # E-mail addresses.
    r"[^\s@,;<>()]+@[^\s@,;<>()]+",
    # Dates with a year: 12/03/1941, 12.3.41, 1941-03-12, 12 March 1941, March 12th, 1941.
    rf"(?<![\d:]){_DAY}\s?[/.\-‐‑–−]\s?{_DAY}\s?[/.\-‐‑–−]\s?(?:(?:19|20)\d\d|\d\d)(?!\d)",
    r"(?<!\d)\d{1,2} \d{1,2} (?:19|20)\d\d(?!\d)",
    r"(?<!\d)(?:19|20)\d\d[/.\-‐‑–− ]\d{1,2}[/.\-‐‑–− ]\d{1,2}(?!\d)",
    rf"(?<!\d){_DAY}{_TH}(?:\s+of)?[\s./,\-‐‑–−]*{_MONTH}"
    rf"(?:[\s./\-‐‑–−]*{_YEAR}|,\s?(?:19|20)\d\d(?!\d))",
    rf"\b{_MONTH}[\s.\-]*{_DAY}{_TH}[\s,./\-]+(?:19|20)\d\d(?!\d)",
    # Postcodes; not "A1 2nd".
    r"\b[a-z]{1,2}\d[a-z\d]?\s*\d(?!(?:st|nd|rd|th|hr)\b)[abd-hjlnp-uw-z]{2}\b",
    # Telephone numbers and other long ones with single marks between the digits.
    r"(?:\+\s?)?\(?\d(?:(?:(?![:,;])[\W_]){0,3}\d){8,}",
    # Hospital numbers: letters and digits, or digits alone.
    r"\b[^\W\d_]{1,6}[./:#_\-‐‑–−]?\d{4,}[^\W_]*",
    r"\b(?=(?:[^\W\d_]*\d){5})[^\W_]+",
)
_NUMBER = re.compile("|".join(f"(?:{one})" for one in _PATTERNS), re.IGNORECASE)
_NHS = re.compile(r"(?<!\d)\d{3}[\W_]{0,3}\d{3}[\W_]{0,3}\d{4}(?!\d)")
"""An NHS number in its three groups, whatever stands between these."""


def without_numbers(text: str, sign: str) -> str:
    """`text` with `sign` in place of each of them."""
    return _NUMBER.sub(sign, _NHS.sub(sign, text))
