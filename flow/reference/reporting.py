"""What is told of a loaded file: to people as lines, to programs as JSON. Pure: no Django."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from flow.reference.checking import Checked, RateCheck, Run, Suspect
from flow.reference.series import Doubt, Table

SHOWN: Final = 5
"""How many examples of a finding are told."""
WORDS: Final[Mapping[Doubt, str]] = {
    Doubt.NEGATIVE: "below nought (no figure is taken from it)",
    Doubt.NOT_A_NUMBER: "not a number (no figure is taken from it)",
    Doubt.CONFLICT: "said twice, differently (the last counts)",
    Doubt.EXCEEDS: "more than what it is part of",
    Doubt.SPIKE: "far above the days beside it",
    Doubt.ZERO: "nought where counts are large",
}
DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


@dataclass(slots=True)
class Outcome:
    """What became of one file, as JSON tells it. status: loaded, unchanged, dry-run, stopped or
    failed."""

    file: str
    status: str
    error: str = ""
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def json(self) -> dict[str, Any]:
        """As one object."""
        error = {"error": self.error} if self.error else {}
        return {"file": self.file, "status": self.status, **error, **self.told}


def findings(made: Table, checked: Checked) -> dict[str, Any]:
    """What a table holds and lacks."""
    cells = [cell for series in made.series.values() for cell in series.values()]
    days = sorted(made.days)
    marks = Counter(cell.mark or "(empty)" for cell in cells if cell.value is None)
    return {
        "kind": made.kind.value,
        "encoding": made.encoding,
        "delimiter": DELIMITERS[made.delimiter],
        "digest": made.digest,
        "rows": made.rows,
        "interval": made.interval.value,
        "bodies": len(made.bodies),
        "days": len(days),
        "first": days[0].isoformat(),
        "last": days[-1].isoformat(),
        "measures": sorted(made.counted),
        "values": sum(1 for cell in cells if cell.value is not None),
        "zeros": sum(1 for cell in cells if cell.value == 0),
        "missing": {
            "count": sum(marks.values()),
            "marks": dict(marks.most_common()),
            "suppressed": sum(1 for cell in cells if cell.suppressed),
            "series_without_any": len(checked.never),
            "first": [f"{body} {measure}" for body, measure in checked.never[:SHOWN]],
        },
        "gaps": _gaps(checked.runs, told=False),
        "missing_runs": _gaps(checked.runs, told=True),
        "doubts": _doubts(checked.suspects),
        "duplicates": {
            "repeated": made.repeated,
            "filled": made.filled,
            "disagree": len(made.disagree),
        },
        "rates": [_rate(one) for one in checked.rates],
        "labels": {
            "matched": sum(1 for one in made.counted.values() if one.reason),
            "unmatched": dict(made.unmatched.most_common()),
            "mended": made.mended,
        },
        "unknown_columns": list(made.unknown_columns),
        "repeated_columns": list(made.repeated_columns),
        "left_out": {
            "bad_dates": len(made.bad_dates),
            "first_bad_dates": [
                {"line": line, "says": said} for line, said in made.bad_dates[:SHOWN]
            ],
            "without_body": len(made.no_body),
            "headings_again": made.headings_again,
            "notes": made.notes,
        },
        "month_first_dates": not made.day_first,
    }


def _gaps(runs: Iterable[Run], *, told: bool) -> dict[str, Any]:
    found = [run for run in runs if run.told is told]
    longest = sorted(found, key=lambda run: (-run.days, run.body, run.first))
    return {
        "runs": len(found),
        "days": sum(run.days for run in found),
        "bodies": len({run.body for run in found}),
        "longest": [
            {
                "body": run.body,
                "measures": _shortened(run.measures),
                "first": run.first.isoformat(),
                "last": run.last.isoformat(),
                "days": run.days,
            }
            for run in longest[:SHOWN]
        ],
    }


def _shortened(names: Sequence[str]) -> list[str]:
    if len(names) <= SHOWN:
        return list(names)
    return [*names[: SHOWN - 1], f"and {len(names) - SHOWN + 1} more"]


def _doubts(suspects: Iterable[Suspect]) -> dict[str, Any]:
    by_doubt: dict[Doubt, list[Suspect]] = {}
    for one in suspects:
        by_doubt.setdefault(one.doubt, []).append(one)
    return {
        doubt.value: {
            "values": sum(one.values for one in found),
            "runs": len(found),
            "first": [
                {
                    "body": one.body,
                    "measure": one.measure,
                    "first": one.first.isoformat(),
                    "last": one.last.isoformat(),
                    "told": one.told,
                }
                for one in _one_a_body(found)
            ],
        }
        for doubt, found in by_doubt.items()
    }


def _one_a_body(found: Iterable[Suspect]) -> list[Suspect]:
    """The first of each body, so that one body does not fill the list."""
    first: dict[str, Suspect] = {}
    for one in found:
        first.setdefault(one.body, one)
    return list(first.values())[:SHOWN]


def _rate(one: RateCheck) -> dict[str, Any]:
    return {
        "measure": one.measure,
        "published": one.published,
        "differ": one.differ,
        "first": [
            {
                "body": body,
                "date": when.isoformat(),
                "published": _number(said),
                "recomputed": _number(ours),
            }
            for body, when, said, ours in one.examples
        ],
    }


def _number(value: Decimal) -> float:
    return float(value)


def lines(outcome: Outcome) -> Iterator[str]:
    """The same for people."""
    if outcome.status == "failed":
        yield f"{outcome.file}: not loaded. {outcome.error}"
        return
    told = outcome.told
    every = {"day": "", "week": ", weekly", "month": ", monthly"}[told["interval"]]
    yield (
        f"{outcome.file}: {told['kind']}, {told['encoding']}, by {told['delimiter']}; "
        f"{_counted(told['rows'], 'row')}"
    )
    yield (
        f"  {_counted(told['bodies'], 'body')}, {_counted(told['days'], 'day')} from "
        f"{told['first']} to "
        f"{told['last']}{every}; {_counted(len(told['measures']), 'measure')}"
    )
    yield f"  {told['values']:,} values, {told['zeros']:,} of them nought"
    yield from _missing_lines(told)
    yield from _doubt_lines(told)
    yield from _row_lines(told)
    yield f"  {_result(outcome)}"


def _missing_lines(told: Mapping[str, Any]) -> Iterator[str]:
    missing = told["missing"]
    if missing["count"]:
        marks = ", ".join(f"“{mark}” {count:,}" for mark, count in missing["marks"].items())
        held = f"; {missing['suppressed']:,} suppressed" if missing["suppressed"] else ""
        yield f"  {missing['count']:,} missing: {marks}{held}"
    if missing["series_without_any"]:
        yield (
            f"  {missing['series_without_any']:,} series without any figure: "
            f"{_some(missing['first'], missing['series_without_any'])}"
        )
    for name, words in (("gaps", "without a row"), ("missing_runs", "without a figure")):
        found = told[name]
        if found["runs"]:
            runs = f"{_counted(found['runs'], 'run')} of {told['interval']}s {words}"
            yield f"  {runs}, at {_counted(found['bodies'], 'body')}, the longest:"
            for run in found["longest"]:
                length = _counted(run["days"], told["interval"])
                yield (
                    f"    {run['body']} {run['first']} to {run['last']} ({length}): "
                    f"{', '.join(run['measures'])}"
                )


def _doubt_lines(told: Mapping[str, Any]) -> Iterator[str]:
    for doubt, found in told["doubts"].items():
        values = _counted(found["values"], "value")
        yield f"  looks wrong, {WORDS[Doubt(doubt)]}: {values}, such as"
        for one in found["first"]:
            when = one["first"] + (f" to {one['last']}" if one["last"] != one["first"] else "")
            yield f"    {one['body']} {one['measure']} {when}: {one['told']}"
    for rate in told["rates"]:
        if rate["differ"]:
            first = rate["first"][0]
            yield (
                f"  {rate['measure']}: {rate['differ']:,} of {rate['published']:,} published "
                f"shares are not part over whole ({first['body']} {first['date']}: "
                f"{first['published']:g} published, {first['recomputed']:g} by the counts); "
                "the counts' are kept"
            )


def _row_lines(told: Mapping[str, Any]) -> Iterator[str]:
    twice, labels, left = told["duplicates"], told["labels"], told["left_out"]
    if any(twice.values()):
        yield (
            f"  said twice: {twice['repeated']:,} alike, {twice['filled']:,} where only one row "
            f"holds a figure, {twice['disagree']:,} differently"
        )
    if labels["matched"]:
        yield f"  {_counted(labels['matched'], 'delay reason')} known"
    if labels["unmatched"]:
        names = [f"“{name}”" for name in labels["unmatched"]]
        first = _some(names[:SHOWN], len(names))
        yield f"  {_counted(len(names), 'label')} unknown, kept as they are: {first}"
    if labels["mended"]:
        yield f"  broken characters mended in {labels['mended']:,} places"
    for name, words in (
        ("unknown_columns", "columns not understood, left out"),
        ("repeated_columns", "columns left out, as another says the same"),
    ):
        if told[name]:
            yield f"  {words}: {', '.join(told[name])}"
    if left["bad_dates"]:
        first = ", ".join(f"line {one['line']} “{one['says']}”" for one in left["first_bad_dates"])
        rows = _counted(left["bad_dates"], "row")
        yield f"  {rows} without a day that can be read, left out: {first}"
    if left["without_body"]:
        yield f"  {_counted(left['without_body'], 'row')} not saying whose they are, left out"
    if left["headings_again"] or left["notes"]:
        yield f"  {left['headings_again']} headings again, {left['notes']} notes passed over"
    if told["month_first_dates"]:
        yield "  days are written month first in this file"


def _counted(count: int, word: str) -> str:
    several = "bodies" if word == "body" else f"{word}s"
    return f"{count:,} {word if count == 1 else several}"


def _some(first: Sequence[str], count: int) -> str:
    more = f" and {count - len(first):,} more" if count > len(first) else ""
    return ", ".join(first) + more


def _result(outcome: Outcome) -> str:
    told = outcome.told
    if outcome.status == "stopped":
        return (
            f"stopped after {told['done']:,} of {told['total']:,}; "
            "run the same command to go on from there"
        )
    if outcome.status == "unchanged" and not told["kept"]:
        return "nothing to change: all of it is here already"
    verb = "would be" if outcome.status == "dry-run" else "are"
    taken = f" (taken up at {told['taken_up_at']:,})" if told["taken_up_at"] else ""
    text = (
        f"{told['new']:,} {verb} new, {told['changed']:,} changed, "
        f"{told['same']:,} as before{_kept(told['kept'])}{taken}"
    )
    for one in told["changes"]:
        text += (
            f"\n    {one['body']} {one['measure']} {one['date']}: "
            f"{_shown(one['before'])} → {_shown(one['now'])}"
        )
    if told["changed"] > len(told["changes"]):
        text += f"\n    … and {told['changed'] - len(told['changes']):,} more"
    return text


def _kept(count: int) -> str:
    said = f"{_counted(count, 'figure')} left alone where this file cannot be read"
    return f" (of them {said})" if count else ""


def _shown(value: float | None) -> str:
    return "no figure" if value is None else f"{value:,.10g}"
