"""Loading a file of ward stays as history: episode by episode, many to a transaction.

Everything goes the way of any movement (`wards.recording.keep`), said when it happened. What was
loaded before is known by its content: the same file changes nothing, a longer one adds what is
new, and one that contradicts is refused unless it is to replace what was loaded.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db import InterfaceError, OperationalError, connection

from patients.keys import VisitKey
from wards.by_hand import transacted
from wards.facts import Moved, MovementKind
from wards.recording import keep
from wards.stay_csv import Refusal
from wards.stay_episodes import Spell
from wards.stay_facts import SOURCE, Meanings, Reviewed, Telling, corrected, taken_back, telling
from wards.stay_reviews import keep_reviews

log = logging.getLogger("wards")

NEW: Final = "new"
EXTENDED: Final = "extended"
CORRECTED: Final = "corrected"
KNOWN: Final = "known already"
ELSEWHERE: Final = "known from a feed"

CONTRADICTS: Final = (
    "the episode was loaded before and this file says something else of it, or holds only a part "
    "of it; load all its rows together, and with --replace if this file is right"
)
MOVED_SINCE: Final = (
    "somebody has moved this patient in Flowboard since the episode was loaded; correct it there"
)
REVIEWED: Final = (
    "ctr_met or pathway was loaded otherwise before, and a review cannot be taken back; correct it "
    "in Flowboard"
)
NOT_STORED: Final = "could not be stored, by a mistake of Flowboard's own; tell who looks after it"

_ROWS: Final = 1500
"""About how many rows share a transaction."""
_LOCK: Final = 0x696D706F
"""Advisory lock of PostgreSQL by which one import waits for another ("impo")."""
_INSTANT: Final = timedelta(microseconds=1)
_MOVEMENTS: Final = """
    SELECT v.authority, v.number, m.source, m.kind, m.sent_at, m.key
      FROM unnest(%s::text[], %s::text[]) AS asked(authority, number)
      JOIN patients_visit v USING (authority, number)
      JOIN wards_movement m ON m.visit_id = v.id
"""
_REVIEWS: Final = """
    SELECT v.authority, v.number, r.key
      FROM unnest(%s::text[], %s::text[]) AS asked(authority, number)
      JOIN patients_visit v USING (authority, number)
      JOIN patients_episode e ON e.visit_id = v.id
      JOIN patients_review r ON r.episode_id = e.id
     WHERE r.source = %s
"""


@dataclass(slots=True)
class Imported:
    """What became of the episodes. episodes, rows: how many by outcome. stopped: before all."""

    episodes: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)
    stopped: bool = False


@dataclass(slots=True)
class _Stored:
    """What is known of an episode. times: how often it was corrected; keys: of what was loaded
    and stands, reviews among them; sent_at: when the last of all was said."""

    times: int = 0
    keys: set[str] = field(default_factory=set)
    reviews: set[str] = field(default_factory=set)
    others: bool = False
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Wish:
    """An episode and what is to be recorded of it."""

    spell: Spell
    outcome: str
    moved: Sequence[Moved] = ()
    reviewed: Sequence[Reviewed] = ()


def import_spells(
    spells: Sequence[Spell],
    meanings: Meanings,
    *,
    at: datetime,
    replace: bool = False,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda rows: None,
) -> Imported:
    """Load the episodes; what is known of them stays as it is.

    replace: where a file contradicts what was loaded before, the file is right. dry_run: only
    compare. progress is told how many rows are done. A KeyboardInterrupt ends it between two
    transactions; the same call goes on from there. Raises OperationalError or InterfaceError when
    the database goes away.
    """
    done = Imported()
    rows = 0
    try:
        for batch in _batches(spells):
            _load(batch, meanings, done, at=at, replace=replace, dry_run=dry_run)
            rows += sum(len(spell.rows) for spell in batch)
            progress(rows)
    except KeyboardInterrupt:
        connection.close()
        done.stopped = True
    return done


def _batches(spells: Sequence[Spell]) -> Iterator[list[Spell]]:
    """Episodes by the thousand rows or so, those of one patient together."""
    batch: list[Spell] = []
    rows = 0
    for spell in spells:
        goes_on = bool(batch) and spell.patient == batch[-1].patient
        if rows >= _ROWS and not goes_on:
            yield batch
            batch, rows = [], 0
        batch.append(spell)
        rows += len(spell.rows)
    if batch:
        yield batch


def _load(
    batch: Sequence[Spell],
    meanings: Meanings,
    done: Imported,
    *,
    at: datetime,
    replace: bool,
    dry_run: bool,
) -> None:
    """One batch in one transaction; if that fails, each episode in its own."""

    def deed() -> list[_Wish]:
        with connection.cursor() as cursor:
            # The file is still there: what a crash takes back is loaded by the next run.
            cursor.execute("SET LOCAL synchronous_commit = off")
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        wishes = _wishes(batch, meanings, at=at, replace=replace)
        if not dry_run:
            _record(wishes, meanings)
        return wishes

    try:
        wishes = transacted(deed)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        if len(batch) > 1:
            log.warning("a batch failed (%s); one by one", type(error).__name__)
            for spell in batch:
                _load([spell], meanings, done, at=at, replace=replace, dry_run=dry_run)
            return
        log.error("an episode could not be stored: %s", type(error).__name__)
        wishes = [_Wish(batch[0], NOT_STORED)]
    for wish in wishes:
        if wish.outcome in (NEW, EXTENDED, CORRECTED, KNOWN, ELSEWHERE):
            done.episodes[wish.outcome] += 1
            done.rows[wish.outcome] += len(wish.spell.rows)
        else:
            done.refusals += [Refusal(row.line, wish.outcome) for row in wish.spell.rows]


def _wishes(
    batch: Sequence[Spell], meanings: Meanings, *, at: datetime, replace: bool
) -> list[_Wish]:
    said = {spell.number: telling(spell, meanings) for spell in batch}
    stored = _stored([meanings.visit(spell) for spell in batch])
    wishes = []
    for spell in batch:
        visit = meanings.visit(spell)
        known = stored.get(visit)
        told = said[spell.number]
        if known is None:
            wishes.append(_Wish(spell, NEW, told.moved, told.reviewed))
        else:
            wishes.append(_against(spell, told, known, at=at, replace=replace))
    return wishes


def _against(spell: Spell, said: Telling, known: _Stored, *, at: datetime, replace: bool) -> _Wish:
    """What an episode adds to what is known of it."""
    if not known.keys:
        return _Wish(spell, ELSEWHERE)
    # A correction is said last, also of an episode dated ahead of now.
    at = at if known.sent_at is None else max(at, known.sent_at + _INSTANT)
    told = corrected(said, times=known.times, at=at) if known.times else said
    fresh, gone = told.keys - known.keys, known.keys - told.keys
    if not fresh and not (gone and replace):
        return _Wish(spell, KNOWN)
    if not gone:
        moved = [fact for fact in told.moved if fact.key in fresh]
        return _Wish(spell, EXTENDED, moved, [r for r in told.reviewed if r.key in fresh])
    if not replace:
        return _Wish(spell, CONTRADICTS)
    if known.others:
        return _Wish(spell, MOVED_SINCE)
    if known.reviews - told.keys:
        return _Wish(spell, REVIEWED)
    times = known.times + 1
    moved = [taken_back(said, times=times, at=at), *corrected(said, times=times, at=at).moved]
    return _Wish(spell, CORRECTED, moved, [r for r in told.reviewed if r.key in fresh])


def _stored(visits: Sequence[VisitKey]) -> dict[VisitKey, _Stored]:
    """What is known of these episodes."""
    asked = [[visit.authority for visit in visits], [visit.number for visit in visits]]
    found: dict[VisitKey, _Stored] = defaultdict(_Stored)
    ours: dict[VisitKey, list[tuple[datetime, str, str]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_MOVEMENTS, asked)
        for authority, number, source, kind, sent_at, key in cursor.fetchall():
            visit = VisitKey(authority, number)
            known = found[visit]
            known.sent_at = max(known.sent_at or sent_at, sent_at)
            if source == SOURCE:
                ours[visit].append((sent_at, kind, key))
            else:
                known.others = True
        cursor.execute(_REVIEWS, [*asked, SOURCE])
        for authority, number, key in cursor.fetchall():
            found[VisitKey(authority, number)].reviews.add(key)
    for visit, movements in ours.items():
        known = found[visit]
        backs = [sent_at for sent_at, kind, _ in movements if kind == MovementKind.DELETED]
        stands = [key for sent_at, _, key in movements if not backs or sent_at > max(backs)]
        known.times, known.keys = len(backs), {*stands, *known.reviews}
    return dict(found)


def _record(wishes: Sequence[_Wish], meanings: Meanings) -> None:
    """Keep what is new."""
    facts = [fact for wish in wishes for fact in wish.moved]
    if facts:
        keep(facts, source=SOURCE, known_when_sent=True)
    reviewed = {meanings.visit(w.spell): w.reviewed for w in wishes if w.reviewed}
    admitted = {meanings.visit(wish.spell): wish.spell.start for wish in wishes}
    if reviewed:
        keep_reviews(reviewed, admitted)
