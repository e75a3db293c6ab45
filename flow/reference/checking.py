"""What is missing in published series, and what looks wrong. Pure: no Django.

Nothing is put right: figures stay as published, with the doubt beside them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import median
from typing import Final

from flow.reference.measures import BY_SLUG
from flow.reference.series import Cell, Doubt, Keys, Series, Table, steps

LARGE: Final = 10
"""A count that is usually this large is nought by chance on less than one day in 20,000 (if it
is a Poisson count: exp(-10)), so a nought beside such counts is suspicious."""
LARGE_REASON: Final = 30
"""The same of one delay reason: these counts are no Poisson counts, they come and go more."""
SPIKE_TIMES: Final = 3
SPIKE_BY: Final = 100
"""A count is suspiciously high at more than three times its neighbours, and 100 above them."""
RATE_APART: Final = Decimal("0.001")
"""A published share further than this from the counts is another share."""


@dataclass(frozen=True, slots=True)
class Run:
    """Days on end without a figure. measures: of which; told: a row is there and says so."""

    body: str
    measures: tuple[str, ...]
    first: date
    last: date
    days: int
    told: bool


@dataclass(frozen=True, slots=True)
class Suspect:
    """A figure that looks wrong, or a run of noughts; told: why. values: how many."""

    body: str
    measure: str
    first: date
    last: date
    doubt: Doubt
    told: str
    values: int = 1


@dataclass(frozen=True, slots=True)
class RateCheck:
    """Published shares against the counts they are made of. differ: how many are further than
    `RATE_APART` from them; examples of those."""

    measure: str
    published: int
    differ: int
    examples: tuple[tuple[str, date, Decimal, Decimal], ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """All findings about a table."""

    runs: tuple[Run, ...]
    never: tuple[Keys, ...]
    suspects: tuple[Suspect, ...]
    rates: tuple[RateCheck, ...]


def check(made: Table) -> Checked:
    """Find what is missing and what looks wrong, and mark it in the table's cells.

    Published shares are replaced by shares of the counts wherever both counts are there.
    """
    rates = tuple(_rates(made))
    suspects = [*_wrong(made), *_conflicts(made), *_exceeding(made)]
    for keys, series in made.series.items():
        measure = BY_SLUG.get(_plain(keys[1]))
        if measure is None:
            suspects += [*_zeros(keys, series, LARGE_REASON), *_spikes(keys, series)]
        elif not measure.is_share and not measure.comes_and_goes:
            suspects += [*_zeros(keys, series, LARGE), *_spikes(keys, series)]
    suspects += _silent(made)
    runs = _runs(made)
    never = tuple(
        keys
        for keys, series in made.series.items()
        if all(cell.value is None for cell in series.values())
    )
    return Checked(tuple(runs), never, tuple(suspects), rates)


def _plain(slug: str) -> str:
    return slug.partition("-by-")[0]


def _beside(made: Table, slug: str, other: str) -> str:
    """The slug of another measure, in the interval of this one."""
    return other + slug[len(_plain(slug)) :]


def _wrong(made: Table) -> Iterator[Suspect]:
    for (body, measure), series in made.series.items():
        for when, cell in series.items():
            if cell.doubt in (Doubt.NEGATIVE, Doubt.NOT_A_NUMBER):
                told = f"“{cell.mark}” in line {cell.line}"
                yield Suspect(body, measure, when, when, cell.doubt, told)


def _conflicts(made: Table) -> Iterator[Suspect]:
    for body, measure, when, before, now, line in made.disagree:
        told = f"{before}, and {now} in line {line}"
        yield Suspect(body, measure, when, when, Doubt.CONFLICT, told)


def _exceeding(made: Table) -> Iterator[Suspect]:
    """Parts that are larger than the whole they are part of."""
    for (body, slug), series in made.series.items():
        measure = BY_SLUG.get(_plain(slug))
        if measure is None or not measure.within:
            continue
        whole = made.series.get((body, _beside(made, slug, measure.within)))
        for when, cell in series.items() if whole else ():
            limit = whole.get(when) if whole else None
            if cell.value is None or limit is None or limit.value is None:
                continue
            if cell.value > limit.value:
                cell.doubt = cell.doubt or Doubt.EXCEEDS
                told = f"{cell.value}, of {limit.value} {BY_SLUG[measure.within].label.lower()}"
                yield Suspect(body, slug, when, when, Doubt.EXCEEDS, told)


def _figures(series: Series) -> list[tuple[date, Cell, Decimal]]:
    return [
        (when, cell, cell.value) for when, cell in sorted(series.items()) if cell.value is not None
    ]


def _zeros(keys: Keys, series: Series, large: int) -> Iterator[Suspect]:
    """Noughts beside counts of `large` and more on every side that has any."""
    found = _figures(series)
    start = 0
    while start < len(found):
        if found[start][2]:
            start += 1
            continue
        end = start
        while end < len(found) and not found[end][2]:
            end += 1
        beside = [found[i][2] for i in (start - 1, end) if 0 <= i < len(found)]
        if beside and min(beside) >= large:
            for _when, cell, _value in found[start:end]:
                cell.doubt = cell.doubt or Doubt.ZERO
            told = f"{end - start} beside {' and '.join(map(str, beside))}"
            first, last = found[start][0], found[end - 1][0]
            yield Suspect(*keys, first, last, Doubt.ZERO, told, end - start)
        start = end


def _spikes(keys: Keys, series: Series) -> Iterator[Suspect]:
    """Counts far above both neighbours."""
    found = [one for one in _figures(series) if one[2]]
    for before, (when, cell, value), after in zip(found, found[1:], found[2:], strict=False):
        beside = max(before[2], after[2])
        if value > SPIKE_TIMES * beside and value - beside > SPIKE_BY:
            cell.doubt = cell.doubt or Doubt.SPIKE
            told = f"{value} between {before[2]} and {after[2]}"
            yield Suspect(*keys, when, when, Doubt.SPIKE, told)


def _silent(made: Table) -> Iterator[Suspect]:
    """Series of noughts alone where other bodies count ten and more; and days on which a body
    says nought of every delay reason."""
    typical: dict[str, list[Decimal]] = defaultdict(list)
    for (_body, slug), series in made.series.items():
        if figures := [cell.value for cell in series.values() if cell.value is not None]:
            typical[slug].append(median(figures))
    for (body, slug), series in made.series.items():
        found = _figures(series)
        if not found or any(value for _when, _cell, value in found):
            continue
        others, measure = median(typical[slug]), BY_SLUG.get(_plain(slug))
        if others >= LARGE and measure is not None and not measure.comes_and_goes:
            yield _doubted(body, slug, found, f"never anything else; others {others:g}")
    yield from _without_delays(made)


def _without_delays(made: Table) -> Iterator[Suspect]:
    sums: dict[str, dict[date, list[Cell]]] = defaultdict(lambda: defaultdict(list))
    for (body, slug), series in made.series.items():
        if made.counted[slug].reason:
            for when, cell in series.items():
                sums[body][when].append(cell)
    for body, days in sums.items():
        silent = [
            (when, cell, Decimal(0))
            for when, cells in sorted(days.items())
            if len(cells) > 1 and all(cell.value == 0 for cell in cells)
            for cell in cells
        ]
        if silent:
            count = len({when for when, _cell, _value in silent})
            yield _doubted(body, "delay", silent, f"every reason nought, {count} of {len(days)}")


def _doubted(body: str, slug: str, found: list[tuple[date, Cell, Decimal]], told: str) -> Suspect:
    for _when, cell, _value in found:
        cell.doubt = cell.doubt or Doubt.ZERO
    return Suspect(body, slug, found[0][0], found[-1][0], Doubt.ZERO, told, len(found))


def _rates(made: Table) -> Iterator[RateCheck]:
    """Compare published shares with the counts, and put the shares of the counts in their place."""
    for slug in sorted({slug for _body, slug in made.series}):
        measure = BY_SLUG.get(_plain(slug))
        if measure is None or measure.of is None:
            continue
        published, differing = 0, []
        part_slug, whole_slug = (_beside(made, slug, one) for one in measure.of)
        for (body, its), series in made.series.items():
            if its != slug:
                continue
            parts, wholes = made.series.get((body, part_slug)), made.series.get((body, whole_slug))
            for when, cell in series.items():
                said = _share(cell.value)
                cell.value = said
                part, whole = _at(parts, when), _at(wholes, when)
                if part is None or not whole:
                    continue
                ours = round(part / whole, 4)
                if said is not None:
                    published += 1
                    if abs(said - ours) > RATE_APART:
                        differing.append((body, when, said, ours))
                cell.value, cell.mark, cell.doubt = ours, "", None
        yield RateCheck(slug, published, len(differing), tuple(differing[:5]))


def _share(value: Decimal | None) -> Decimal | None:
    """A share; one above 2 was published in per cent."""
    return value / 100 if value is not None and value > 2 else value


def _at(series: Series | None, when: date) -> Decimal | None:
    cell = series.get(when) if series else None
    return cell.value if cell else None


def _runs(made: Table) -> list[Run]:
    """Days without a figure between a body's first and last row; those that several measures
    share told once."""
    walk = steps(made.interval)
    range_of: dict[str, tuple[date, date]] = {}
    for (body, _slug), series in made.series.items():
        first, last = min(series), max(series)
        known = range_of.get(body, (first, last))
        range_of[body] = (min(known[0], first), max(known[1], last))
    shared: dict[tuple[str, date, date, int, bool], list[str]] = defaultdict(list)
    for (body, slug), series in made.series.items():
        if all(cell.value is None for cell in series.values()):
            continue
        whole = [*walk(*range_of[body])]
        for told in (False, True):
            for run in _stretches(whole, _gaps(series, whole, told=told)):
                shared[body, run[0], run[-1], len(run), told].append(slug)
    return [
        Run(body, tuple(slugs), first, last, days, told)
        for (body, first, last, days, told), slugs in sorted(shared.items())
    ]


def _gaps(series: Series, whole: Iterable[date], *, told: bool) -> set[date]:
    """Days without a row; or, told, those whose row holds no figure."""
    if told:
        return {when for when, cell in series.items() if cell.value is None}
    return {when for when in whole if when not in series}


def _stretches(whole: Iterable[date], gaps: set[date]) -> Iterator[list[date]]:
    run: list[date] = []
    for when in whole:
        if when in gaps:
            run.append(when)
        elif run:
            yield run
            run = []
    if run:
        yield run
