"""Small published tables made up for the tests, and where the real ones lie."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from flow.reference.checking import Checked, check
from flow.reference.files import Source
from flow.reference.series import Table, table
from flow.reference.wording import Reason, Reasons

REAL: Final = Path(__file__).resolve().parents[3] / "shared" / "data" / "system"

needs_real = pytest.mark.skipif(
    not REAL.is_dir() and not os.environ.get("CI"),
    reason=f"the published files are not there ({REAL})",
)

REASONS: Final = Reasons(
    [
        Reason("transport", "Awaiting patient transport services", "Hospital process"),
        Reason("no-recourse", "Homeless with no recourse to public funds", "Interface process"),
        Reason("readiness-concerns", "Patient/family/carer concerns over discharge readiness"),
    ]
)
NCTR: Final = "nhs_trust22_code,date,do_not_meet_criteria_to_reside"


def lines(head: str, rows: Iterable[str], end: str = "\n") -> str:
    return end.join([head, *rows]) + end


def days(values: Iterable[object], *, code: str = "RAJ", month: str = "2024-01") -> list[str]:
    """Rows of one trust, a day each; None leaves the day out."""
    return [
        f"{code},{month}-{number:02},{value}"
        for number, value in enumerate(values, 1)
        if value is not None
    ]


def read(data: str | bytes, reasons: Reasons = REASONS) -> Table:
    return table(Source("made.csv", data.encode() if isinstance(data, str) else data), reasons)


def checked(data: str | bytes) -> tuple[Table, Checked]:
    made = read(data)
    return made, check(made)
