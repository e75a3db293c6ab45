"""What a file of messages holds, counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path


def count_events(path: Path) -> Counter[str]:
    """Messages by trigger event. Raises ValueError where the file holds no messages."""
    counts: Counter[str] = Counter()
    text = path.read_text(encoding="utf-8").replace("\n", "\r")
    for segment in text.split("\r"):
        if segment.startswith("MSH|"):
            fields = segment.split("|")
            kind = fields[8].split("^") if len(fields) > 8 else []
            counts[kind[1] if len(kind) > 1 else "?"] += 1
    if not counts:
        raise ValueError(f"{path} holds no HL7 messages (no segment begins with MSH|)")
    return counts


def table(counts: Counter[str]) -> str:
    """The counts as lines to read."""
    lines = [f"{event}  {count:7,}" for event, count in sorted(counts.items())]
    return "\n".join([*lines, f"all  {sum(counts.values()):7,}"])
