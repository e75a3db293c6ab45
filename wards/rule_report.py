"""What loading a file of rules did, in words for somebody at a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone

from wards.rule_changes import Changes
from wards.rule_loading import Loaded


def report(loaded: Loaded, *, dry_run: bool = False) -> Iterator[str]:
    """The version, what changed in it, limits, and what to look at."""
    is_now = "would be" if dry_run else "is"
    if loaded.is_empty:
        yield "Nothing to change."
    if loaded.version is None and loaded.before is not None:
        kept = loaded.before
        yield f"The rules are those in force: {kept.name}, version {kept.version}."
    elif loaded.version is not None:
        yield f"Version {loaded.version} {is_now} in force from {_when(loaded.valid_from)}."
        if loaded.late:
            yield "The file asked for a moment that has passed; the past keeps its rules."
        if loaded.changes is not None:
            yield from _changed(loaded.changes)
    for code, words in loaded.limits.items():
        yield f"Limits of ward {code}: {'; '.join(words)}"
    if loaded.left:
        yield f"Limits not in the file, kept: {', '.join(loaded.left)}"
    if loaded.next is not None:
        yield f"Version {loaded.next.version} takes over on {_when(loaded.next.valid_from)}."
    yield from loaded.doubts


def _changed(changes: Changes) -> Iterator[str]:
    for title, lines in (
        ("New", [f"{line.code}: {line.title}" for line in changes.added]),
        ("No longer holding", [f"{line.code}: {line.title}" for line in changes.removed]),
        ("Changed", [f"{one.line.code}: {'; '.join(one.how)}" for one in changes.changed]),
        ("Outlier table", list(changes.table)),
        ("Book", list(changes.other)),
    ):
        if lines:
            yield f"{title}:"
            yield from (f"  {line}" for line in lines)


def _when(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%a %d %b %Y %H:%M}"
