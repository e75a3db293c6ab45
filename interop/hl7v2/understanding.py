"""From bytes to meaning in one step that never fails: for use in any process."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from interop.hl7v2.events import refusal
from interop.hl7v2.facts import Sender, Unusable, meaning
from interop.hl7v2.header import Unreadable
from interop.hl7v2.message import read
from interop.hl7v2.statements import Meaning

log = logging.getLogger("interop")


class End(StrEnum):
    """What becomes of a message that was stored."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    HELD = "held"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The end of one message: `code` groups, `reason` tells a feed manager what to do."""

    end: End
    code: str = ""
    reason: str = ""


Understood = Meaning | Verdict
Understand = Callable[[Sequence[bytes], Sender], list[Understood]]


def understand(raws: Sequence[bytes], sender: Sender) -> list[Understood]:
    """What each message says, or why it says nothing that can be applied."""
    return [_understood(raw, sender) for raw in raws]


def _understood(raw: bytes, sender: Sender) -> Understood:
    try:
        message = read(raw, encoding=sender.encoding)
        refused = refusal(message.header.message_type, message.event)
        if refused:
            return Verdict(End.REJECTED, "unsupported", refused)
        said = meaning(message, sender)
    except Unreadable as error:
        return Verdict(End.HELD, "unreadable", error.reason)
    except Unusable as error:
        return Verdict(End.HELD, error.code, error.reason)
    except Exception as error:  # whatever is wrong with one message must not stop the others
        return failed(error)
    if said.ignored:
        return Verdict(End.IGNORED, "ignored", said.ignored)
    return said


def failed(error: Exception) -> Verdict:
    """The verdict on a message that made us fail; logs where, not what: it could quote a person."""
    name = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
    log.error("a message could not be applied: %s at %s", name, where)
    return Verdict(
        End.HELD,
        "failed",
        f"Applying failed ({name}). Replay it; if it fails again, tell Flowboard's maintainers.",
    )
