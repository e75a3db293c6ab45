"""What became of a file of stays: for somebody at a terminal, for a program, and the rows refused.

Terminal and program are told line numbers alone. The refused rows themselves, with whatever they
say of people, go into a file beside the one they came from.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from wards.stay_csv import ADDED, Refusal, StayFile
from wards.stay_episodes import (
    DIED_STAYING,
    ENDLESS,
    FUTURE,
    GAPS,
    OPEN_END,
    OVERLAPPING,
    REPEATED,
    UNMARKED,
    Spells,
)
from wards.stay_import import Imported
from wards.stay_places import Places

_MOST_LINES: Final = 10
_MOST_NAMES: Final = 40
_MOST_IN_JSON: Final = 1000
_NOTES: Final = {
    UNMARKED: "Episodes with an end and no row marked as last, which go on, on their last ward",
    ENDLESS: "Rows marked as last without an end; the patient is taken to be still there",
    DIED_STAYING: "Rows that say died of an episode that has not ended (no row marked as last has "
    "an end); the patient is taken to be still there and alive",
    OVERLAPPING: "Episodes that began while another of the same patient went on; who is in two "
    "places is shown where they were last told to be",
    OPEN_END: "Rows without an end that another of their episode follows; they ended then",
    REPEATED: "Rows that say the same as another, left out",
    GAPS: "Gaps between two stays of an episode, counted to the ward before",
    FUTURE: "Rows ahead of now, which come true when their time comes",
}


@dataclass(slots=True)
class Outcome:
    """All that is told of a file. rejected: where refused rows are kept, if any are."""

    path: Path
    file: StayFile
    spells: Spells
    places: Places
    imported: Imported
    dry_run: bool
    rejected: Path | None = None
    seconds: float = 0.0

    @property
    def refusals(self) -> list[Refusal]:
        """Of rows that cannot be read or do not fit, and of those that could not be loaded."""
        return [*self.spells.refusals, *self.imported.refusals]

    @property
    def refused_lines(self) -> set[int]:
        """The rows that were not loaded."""
        return {refusal.line for refusal in self.refusals}

    @property
    def in_hospital(self) -> int:
        """Episodes that have not ended."""
        return sum(spell.ended is None for spell in self.spells.spells)

    @property
    def is_all_refused(self) -> bool:
        """Whether nothing of the file could be used."""
        return not self.imported.episodes and not self.imported.stopped


def document(outcome: Outcome) -> dict[str, Any]:
    """For a program, as JSON can hold it."""
    return {
        "file": str(outcome.path),
        "dry_run": outcome.dry_run,
        "stopped": outcome.imported.stopped,
        "seconds": round(outcome.seconds, 1),
        "rows": outcome.spells.rows,
        "rows_refused": len(outcome.refused_lines),
        "episodes": {name.replace(" ", "_"): n for name, n in outcome.imported.episodes.items()},
        "episodes_in_hospital": outcome.in_hospital,
        "notes": dict(outcome.spells.notes),
        "columns_ignored": outcome.file.ignored,
        "columns_missing": outcome.file.missing,
        "encoding": outcome.file.encoding,
        "sites_made": outcome.places.new_sites,
        "wards_made": outcome.places.new_wards,
        "wards_unrecognised": outcome.places.unrecognised,
        "refused": [
            {"reason": reason, "rows": len(at), "lines": at[:_MOST_IN_JSON]}
            for reason, at in _by_reason(outcome.refusals)
        ],
        "rejected_file": str(outcome.rejected) if outcome.rejected else None,
    }


def lines(outcome: Outcome) -> Iterator[str]:
    """For somebody at a terminal."""
    spells, done = outcome.spells, outcome.imported
    refused = len(outcome.refused_lines)
    yield f"{outcome.path}: {_many(spells.rows, 'row')}, {outcome.seconds:.0f} s."
    for name, number in sorted(done.episodes.items()):
        yield f"  {name:<18} {_many(number, 'episode')}, {_many(done.rows[name], 'row')}"
    if refused:
        yield f"  {'refused':<18} {_many(refused, 'row')}"
    yield f"{_many(outcome.in_hospital, 'episode')} had not ended."
    verb = "would be made" if outcome.dry_run else "made"
    for noun, made in (("site", outcome.places.new_sites), ("ward", outcome.places.new_wards)):
        if made:
            yield f"{_many(len(made), noun)} {verb}: {_named(made)}"
    if strange := outcome.places.unrecognised:
        yield (
            f"Not recognised yet: {_named(strange)}. Patients there do not count as in hospital "
            "until somebody says on the page Places what these wards are."
        )
    for name, words in _NOTES.items():
        if number := spells.notes[name]:
            yield f"{words}: {number:,}"
    if outcome.file.ignored:
        yield f"Columns not used: {_named(outcome.file.ignored)}"
    if outcome.file.missing:
        yield f"Columns not there: {_named(outcome.file.missing)}"
    if outcome.file.encoding == "cp1252":
        yield "The file is not UTF-8; it was read as Windows-1252."
    yield from _refused(outcome)


def _refused(outcome: Outcome) -> Iterator[str]:
    if not outcome.refusals:
        return
    yield ""
    yield f"{_many(len(outcome.refused_lines), 'row')} refused:"
    for reason, at in _by_reason(outcome.refusals):
        shown = ", ".join(f"{line:,}" for line in at[:_MOST_LINES])
        more = f" and {len(at) - _MOST_LINES:,} more" if len(at) > _MOST_LINES else ""
        yield f"  {_many(len(at), 'row')}: {reason}."
        yield f"      line{'s' if len(at) > 1 else ''} {shown}{more}"
    if outcome.rejected:
        yield f"They are kept, each with its reasons, in {outcome.rejected}"
        yield "Correct them there and load that file. It may name patients."


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(name if len(name) <= 60 else f"{name[:57]}…" for name in names[:_MOST_NAMES])
    return f"{shown} …" if len(names) > _MOST_NAMES else shown


def _by_reason(refusals: Iterable[Refusal]) -> list[tuple[str, list[int]]]:
    """Each reason with its lines, the commonest first."""
    found: dict[str, set[int]] = defaultdict(set)
    for refusal in refusals:
        found[refusal.reason].add(refusal.line)
    return sorted(
        ((reason, sorted(at)) for reason, at in found.items()), key=lambda r: (-len(r[1]), r[0])
    )


def keep_refused(
    file: StayFile, refusals: Iterable[Refusal], path: Path, *, again: bool = False
) -> bool:
    """Write the refused rows with their lines and reasons to `path`; whether there were any.

    What stands there and says something else is kept beside it as `.old`, unless this run wrote
    it (`again`). For its owner's eyes alone. Raises OSError.
    """
    content = _table(file, refusals)
    if not again and path.exists() and path.read_bytes() != content:
        path.replace(path.with_name(f"{path.name}.old"))
    if not content:
        return False
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.replace(path)
    return True


def _table(file: StayFile, refusals: Iterable[Refusal]) -> bytes:
    """The refused rows as they stand in the file, in two more columns why; empty for none."""
    reasons: dict[int, list[str]] = defaultdict(list)
    for one in refusals:
        other = f" (line {one.other})" if one.other is not None else ""
        reasons[one.line].append(one.reason + other)
    if not reasons:
        return b""
    # Reasons that an earlier run wrote give way to those of this one.
    old = {n for n, name in enumerate(file.columns) if name.casefold() in ADDED}
    text = io.StringIO()
    writer = csv.writer(text, delimiter=file.separator, lineterminator="\n")

    def kept(cells: Iterable[str]) -> list[str]:
        return [cell for n, cell in enumerate(cells) if n not in old]

    # In front, where a row with too many or too few cells does not push them about.
    writer.writerow([*ADDED, *kept(file.columns)])
    for record in file.records():
        if record.line in reasons:
            cells = [record.text] if record.cells is None else kept(record.cells)
            writer.writerow([record.line, "; ".join(reasons[record.line]), *cells])
    return text.getvalue().encode("utf-8" if file.encoding == "utf-8" else "utf-8-sig")
