"""From the rows of a file to whole episodes, and what no row can tell by itself.

Pure: no Django. An episode is taken whole or not at all: a stay with a hole in it would be a
wrong stay, so where one row is refused the others of its episode are held back with it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from wards.stay_csv import Refusal, Row, Rows
from wards.stay_values import LONDON

_MOST_ROWS: Final = 500
_MOST_EPISODES: Final = 1000
"""No patient has so many: to work out where they were would take for ever."""
_FOREVER: Final = datetime.max.replace(tzinfo=UTC)

TWO_PATIENTS: Final = (
    "the episode is another patient's in another row; give each patient's episode its own number"
)
AFTER_LAST: Final = (
    "follows a row of its episode that is marked as last; mark the latest of them alone"
)
OVERLAP: Final = (
    "overlaps another row of its episode: one patient on two wards; correct start or end"
)
DIED_WHEN: Final = "died lies outside the episode; correct it, or write 1"
READY_WHEN: Final = "ctr_met is a time outside the episode; correct it, or write 1 or 0"
TOO_MANY_ROWS: Final = (
    "the episode has more than 500 rows; look whether the column episode holds its number"
)
TOO_MANY_EPISODES: Final = (
    "the patient has more than 1000 episodes; look whether the column patient holds their number"
)
HELD_BACK: Final = (
    "another row of this episode is refused; correct that one and load all its rows together"
)

OPEN_END: Final = "rows_without_end_closed_by_the_next"
REPEATED: Final = "rows_repeated"
GAPS: Final = "gaps_between_stays"
UNMARKED: Final = "episodes_with_end_but_not_marked_last"
ENDLESS: Final = "rows_marked_last_without_end_read_as_still_there"
DIED_STAYING: Final = "rows_with_died_of_episodes_not_ended_read_as_still_there"
OVERLAPPING: Final = "episodes_overlapping_another_of_the_patient"
FUTURE: Final = "rows_after_now"


@dataclass(frozen=True, slots=True)
class Spell:
    """One episode as a file tells it: its ward stays in order of time.

    ended: when the patient was discharged; None while they are still in hospital. died: whether
    they died then, or when. An end or a death that the file gives an open episode is left out:
    the patient is on the last ward until somebody says that they have left.
    """

    number: str
    patient: str
    rows: Sequence[Row]
    ended: datetime | None
    died: bool | datetime

    @property
    def start(self) -> datetime:
        """The admission."""
        return self.rows[0].start

    @property
    def site(self) -> str:
        """Where it began, as the file writes it."""
        return self.rows[0].site


@dataclass(slots=True)
class Spells:
    """Whole episodes, those of each patient together; rows refused; what else was noticed."""

    spells: list[Spell] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    rows: int = 0


def assembled(found: Rows, *, now: datetime) -> Spells:
    """The episodes of the rows. `now` tells what lies ahead."""
    done = Spells(refusals=list(found.refusals), rows=found.count)
    of_episode: dict[str, list[Row]] = defaultdict(list)
    for row in found.rows:
        of_episode[row.episode].append(row)
    by_patient: dict[tuple[str, str], list[Spell]] = defaultdict(list)
    for number, rows in of_episode.items():
        if len(rows) > _MOST_ROWS:
            done.refusals += [Refusal(row.line, TOO_MANY_ROWS) for row in rows]
            continue
        notes: Counter[str] = Counter()
        refusals, spell = _spell(number, rows, found.broken.get(number), notes)
        done.refusals += refusals
        if spell is not None:
            done.notes += notes
            by_patient[spell.site.casefold(), spell.patient].append(spell)
    # In the order of time, so that what is stored first does not hang on the order of the file.
    in_turn = sorted((min((s.start, s.number) for s in of), who) for who, of in by_patient.items())
    for spells in (by_patient[who] for _, who in in_turn):
        if len(spells) > _MOST_EPISODES:
            done.refusals += [Refusal(r.line, TOO_MANY_EPISODES) for s in spells for r in s.rows]
            continue
        spells.sort(key=lambda s: (s.start, s.number))
        done.notes[OVERLAPPING] += _overlapping(spells)
        done.spells += spells
    done.notes[FUTURE] = sum(
        row.start > now or (row.end is not None and row.end > now)
        for spell in done.spells
        for row in spell.rows
    )
    done.notes = +done.notes
    return done


def _spell(
    number: str, rows: list[Row], broken: int | None, notes: Counter[str]
) -> tuple[list[Refusal], Spell | None]:
    """The episode of these rows, or why it is refused: for each row its own reason, and for
    those with none that another row has one."""
    ordered = _in_order(rows, notes)
    refusals = list(_contradictions(ordered))
    ended = ordered[-1].end if ordered[-1].last else None
    refusals += _outside(ordered, ended)
    if not refusals and broken is None:
        notes[UNMARKED] += ended is None and ordered[-1].end is not None
        notes[ENDLESS] += ended is None and ordered[-1].last
        said = [row.died for row in ordered if row.died]
        if ended is None:
            notes[DIED_STAYING] += len(said)
            said = []
        died = max((d for d in said if isinstance(d, datetime)), default=bool(said))
        return [], Spell(number, ordered[0].patient, ordered, ended, died)
    because = broken if broken is not None else refusals[0].line
    faulty = {refusal.line for refusal in refusals}
    refusals += [Refusal(r.line, HELD_BACK, because) for r in rows if r.line not in faulty]
    return refusals, None


def _in_order(rows: list[Row], notes: Counter[str]) -> list[Row]:
    """By time, each once; a stay without an end that another follows ended when that began."""
    rows = sorted(rows, key=_turn)
    once: list[Row] = []
    for row in rows:
        if once and replace(row, line=once[-1].line) == once[-1]:
            notes[REPEATED] += 1
        else:
            once.append(row)
    for place, (row, following) in enumerate(pairwise(once)):
        if row.end is None:
            notes[OPEN_END] += 1
            once[place] = replace(row, end=following.start)
        elif row.end < following.start:
            notes[GAPS] += 1
    return once


def _turn(row: Row) -> tuple[object, ...]:
    """What rows are put in order by; where time leaves it open by what they say, so that they
    may stand in any order in the file."""
    said = (row.specialty, row.sex, row.age, row.admission_method)
    more = (str(row.edd), str(row.ctr_met), str(row.pathway), str(row.died))
    time = (row.start, row.end is None, row.end or row.start, row.last)
    return (*time, row.site, row.ward, *said, *more, row.line)


def _contradictions(rows: Sequence[Row]) -> Iterator[Refusal]:
    for row in rows:
        if row.patient != rows[0].patient:
            yield Refusal(row.line, TWO_PATIENTS, rows[0].line)
            yield Refusal(rows[0].line, TWO_PATIENTS, row.line)
            return
    for row, following in pairwise(rows):
        if row.last:
            yield Refusal(following.line, AFTER_LAST, row.line)
        elif row.end is not None and row.end > following.start:
            yield Refusal(following.line, OVERLAP, row.line)


def _outside(rows: Sequence[Row], ended: datetime | None) -> Iterator[Refusal]:
    """What is said of the episode and does not fit it."""
    start = rows[0].start
    for row in rows:
        died, ready = row.died, row.ctr_met
        if isinstance(died, datetime) and not _within(died, start, ended or died):
            yield Refusal(row.line, DIED_WHEN)
        if isinstance(ready, datetime) and not _within(ready, start, ended or ready):
            yield Refusal(row.line, READY_WHEN)


def _within(at: datetime, start: datetime, end: datetime) -> bool:
    """Whether a time lies in an episode. The day of the admission does, for who gives dates."""
    return start.astimezone(LONDON).replace(hour=0, minute=0, second=0, microsecond=0) <= at <= end


def _overlapping(spells: Iterable[Spell]) -> int:
    """How many begin before an earlier one has ended; `spells` are in order."""
    count, until = 0, datetime.min.replace(tzinfo=UTC)
    for spell in spells:
        count += spell.start < until
        until = max(until, spell.ended or _FOREVER)
    return count
