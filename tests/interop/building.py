"""Messages for tests: the fields that matter to a test are named, the rest is ordinary."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from interop.hl7v2.facts import Sender, meaning
from interop.hl7v2.message import Message, read
from interop.hl7v2.statements import Meaning
from wards.facts import Fact

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "hl7v2"
LONDON = ZoneInfo("Europe/London")
SENDER = Sender("PAS", LONDON)


def real_messages(source: str = "*") -> list[Path]:
    """The captured messages of a source, or of all."""
    found = sorted(DATA.glob(f"{source}/*.hl7"))
    if not found:
        pytest.skip(f"needs the captured messages in {DATA}")
    return found


def segment(name: str, **fields: str) -> str:
    """A segment with numbered fields: segment("PV1", f3="W1^A^1")."""
    numbers = {int(key[1:]): value for key, value in fields.items()}
    last = max(numbers, default=0)
    return "|".join([name, *(numbers.get(number, "") for number in range(1, last + 1))])


def adt(
    event: str,
    *more: str,
    mrn: str = "M1^^^RNM^MR",
    visit: str = "V1",
    place: str = "",
    made: str = "20260110120000",
    recorded: str = "",
    occurred: str = "",
    control: str = "C1",
    version: str = "2.5.1",
    application: str = "PAS",
    facility: str = "RNM",
    pid: dict[str, str] | None = None,
    pv1: dict[str, str] | None = None,
    msh: str = "",
) -> bytes:
    """An ADT message; with `pv1` None and neither place nor visit it has no PV1."""
    segments = [
        f"MSH|^~\\&|{application}|{facility}|FLOWBOARD|RNM|{made}||ADT^{event}|{control}|P|{version}{msh}",
        segment("EVN", f1=event, f2=recorded or made, f6=occurred),
        segment("PID", **{"f3": mrn, "f5": "SMITH^JOHN^^^MR", **(pid or {})}),
    ]
    if place or visit or pv1:
        segments.append(segment("PV1", **{"f2": "I", "f3": place, "f19": visit, **(pv1 or {})}))
    return "\r".join([*segments, *more, ""]).encode()


def parsed(raw: bytes) -> Message:
    """The message as it is read."""
    return read(raw)


def said(raw: bytes, sender: Sender = SENDER) -> Meaning:
    """What a message means."""
    return meaning(read(raw), sender)


def facts(raw: bytes, sender: Sender = SENDER) -> list[Fact]:
    """The facts of a message, their places left out."""
    return [statement.fact for statement in said(raw, sender).statements]
