"""Answers: who gets which acknowledgment, and how it is written in the sender's version.

Source: HL7 v2.8 chapter 2, sections 2.9.2 and 2.9.3 (original and enhanced mode), 2.14.5 (ERR),
2.14.8 (MSA); tables 0008 (codes), 0155 (when), 0357 (errors).

One message gets one answer. In enhanced mode that is the accept acknowledgment (CA, CE, CR)
if MSH-15 wants one, else the application acknowledgment that MSH-16 wants, else none at all.
AA and CA both mean: the message is safely stored and need not be sent again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from interop.hl7v2.delimiters import Delimiters, escaped
from interop.hl7v2.header import Header

_LONGEST_REASON: Final = 200
_DEFAULT_VERSION: Final = "2.5"


class Verdict(Enum):
    """What became of a message: the letter of its acknowledgment code."""

    TAKEN = "A"
    ERROR = "E"
    REFUSED = "R"


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict with its HL7 table 0357 code and a reason that a feed manager can act on.

    The reason names fields and never quotes the message.
    """

    verdict: Verdict
    code: str = "0"
    reason: str = ""


TAKEN: Final = Answer(Verdict.TAKEN)
_MEANINGS: Final = {
    "0": "Message accepted",
    "100": "Segment sequence error",
    "102": "Data type error",
    "200": "Unsupported message type",
    "201": "Unsupported event code",
    "207": "Application internal error",
}


def is_wanted(header: Header, verdict: Verdict) -> bool:
    """Whether the sender wants to hear this verdict at all."""
    if header.message_type == "ACK":
        return False  # an answer to an answer would never end
    accept, application = header.accept_acknowledgment, header.application_acknowledgment
    if not accept and not application:
        return True
    return _wants(accept, verdict) or _wants(application or _unless_never(accept), verdict)


def _unless_never(accept: str) -> str:
    # NE in MSH-15 alone asks for no accept acknowledgment; what is left is original mode.
    return "AL" if accept == "NE" else "NE"


def _wants(condition: str, verdict: Verdict) -> bool:
    match condition:
        case "AL":
            return True
        case "ER":
            return verdict is not Verdict.TAKEN
        case "SU":
            return verdict is Verdict.TAKEN
        case "" | "NE":
            return False
    return True  # a word that table 0155 does not have: better an answer too many than none


def acknowledgment(
    answer: Answer, *, to: Header | None, at: datetime, control_id: str, application: str
) -> bytes:
    """The ACK message for `answer`, in the version and with the delimiters of `to`.

    `to` None answers bytes in which no header could be read. Whether it is wanted is for
    the caller to ask.
    """
    header = to or Header(Delimiters())
    by = header.by
    is_accept = _wants(header.accept_acknowledgment, answer.verdict)
    code = ("C" if is_accept else "A") + answer.verdict.value
    reason = answer.reason[:_LONGEST_REASON]
    version = header.version or _DEFAULT_VERSION
    number = _number(version)
    msh = [
        "MSH",
        by.encoding_characters,
        header.receiving_application or application,
        header.receiving_facility,
        header.sending_application,
        header.sending_facility,
        at.strftime("%Y%m%d%H%M%S%z"),
        "",
        _type(header.event, number),
        control_id,
        header.processing_id or "P",
        version,
    ]
    # Answering an acknowledgment must not be asked for: that is original mode, MSH-15/16 empty.
    segments = [
        [*msh[:2], *(_component(text, by) for text in msh[2:8]), _joined(msh[8], by)]
        + [_component(text, by) for text in msh[9:]],
        ["MSA", code, _component(header.control_id, by), _component(reason, by)],
    ]
    if answer.verdict is not Verdict.TAKEN:
        segments.append(_error(answer, reason, by, number))
    text = "".join(by.field.join(segment).rstrip(by.field) + "\r" for segment in segments)
    return text.encode("utf-8", "replace")


def _number(version: str) -> tuple[int, int]:
    """The version as numbers, for comparison; what is no version counts as the default."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (2, 5)


def _type(event: str, version: tuple[int, int]) -> str:
    if not event or version < (2, 3):
        return "ACK"
    return f"ACK^{event}^ACK" if version >= (2, 4) else f"ACK^{event}"


def _joined(text: str, by: Delimiters) -> str:
    return by.component.join(_component(part, by) for part in text.split("^"))


def _component(text: str, by: Delimiters) -> str:
    return escaped(text, by)


def _error(answer: Answer, reason: str, by: Delimiters, version: tuple[int, int]) -> list[str]:
    meaning = _MEANINGS.get(answer.code, "Application internal error")
    coded = [_component(text, by) for text in (answer.code, meaning, "HL70357")]
    if version >= (2, 5):
        return ["ERR", "", "", by.component.join(coded), "E", "", "", "", _component(reason, by)]
    # Before 2.5 the place of the fault comes first: segment, sequence, field, then the code.
    return ["ERR", by.component.join(("", "", "", by.subcomponent.join(coded)))]
