"""Loading a file of ward stays as history: episode by episode, many to a transaction.

Everything goes the way of any movement (`wards.recording.keep`), said when it happened. What was
loaded before is known by its content: the same file changes nothing, a longer one adds what is
new, and one that contradicts is refused unless it is to replace what was loaded.
"""

from __future__ import annotations

import gc
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db import InterfaceError, OperationalError, connection

from patients.keys import PersonKey, VisitKey
from wards.by_hand import transacted
from wards.facts import Fact, Moved, MovementKind
from wards.recording import keep
from wards.stay_csv import Refusal
from wards.stay_difference import Known, Loaded, correction, difference, extension
from wards.stay_episodes import Spell
from wards.stay_facts import SOURCE, Meanings, Reviewed, Telling, sexes, telling
from wards.stay_reviews import keep_reviews

log = logging.getLogger("wards")

NEW: Final = "new"
EXTENDED: Final = "extended"
CORRECTED: Final = "corrected"
KNOWN: Final = "known already"
ELSEWHERE: Final = "known from a feed"
_TAKEN: Final = frozenset({NEW, EXTENDED, CORRECTED, KNOWN})
"""Of these episodes the file counts."""

CONTRADICTS: Final = (
    "the episode was loaded before and this file says something else of it, or holds only a part "
    "of it; load all its rows together, and with --replace if this file is right"
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
_MOVEMENTS: Final = """
    SELECT v.authority, v.number, m.source, m.id, m.key, m.kind, m.occurred_at, m.sent_at,
           m.cancels_id
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
_SEX_KNOWN: Final = """
    SELECT p.authority, p.identifier
      FROM unnest(%s::text[], %s::text[]) AS asked(authority, identifier)
      JOIN patients_patient p USING (authority, identifier)
     WHERE p.sex <> 'unknown'
"""


@dataclass(slots=True)
class Imported:
    """What became of the episodes. episodes, rows: how many by outcome. stopped: before all."""

    episodes: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)
    stopped: bool = False


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
    gc.freeze()  # all episodes are in memory and stay there: collecting need not look at them
    try:
        for batch in _batches(spells, meanings):
            _load(batch, meanings, done, replace=replace, dry_run=dry_run)
            rows += sum(len(spell.rows) for spell in batch)
            progress(rows)
    except KeyboardInterrupt:
        connection.close()
        done.stopped = True
    finally:
        gc.unfreeze()
    return done


def _batches(spells: Iterable[Spell], meanings: Meanings) -> Iterator[list[Spell]]:
    """Episodes by the thousand rows or so, all of one person together in the order of time."""
    of_person: dict[PersonKey, list[Spell]] = defaultdict(list)
    for spell in spells:
        of_person[meanings.person(spell)].append(spell)
    batch: list[Spell] = []
    rows = 0
    for mine in of_person.values():
        if rows >= _ROWS:
            yield batch
            batch, rows = [], 0
        batch += sorted(mine, key=lambda spell: (spell.start, spell.number))
        rows += sum(len(spell.rows) for spell in mine)
    if batch:
        yield batch


def _load(
    batch: Sequence[Spell],
    meanings: Meanings,
    done: Imported,
    *,
    replace: bool,
    dry_run: bool,
) -> None:
    """One batch in one transaction; if that fails, each episode in its own."""

    def deed() -> list[_Wish]:
        with connection.cursor() as cursor:
            # The file is still there: what a crash takes back is loaded by the next run.
            cursor.execute("SET LOCAL synchronous_commit = off")
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        wishes = _wishes(batch, meanings, replace=replace)
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
                _load([spell], meanings, done, replace=replace, dry_run=dry_run)
            return
        log.error("an episode could not be stored: %s", type(error).__name__)
        wishes = [_Wish(batch[0], NOT_STORED)]
    for wish in wishes:
        if wish.outcome in {*_TAKEN, ELSEWHERE}:
            done.episodes[wish.outcome] += 1
            done.rows[wish.outcome] += len(wish.spell.rows)
        else:
            done.refusals += [Refusal(row.line, wish.outcome) for row in wish.spell.rows]


def _wishes(batch: Sequence[Spell], meanings: Meanings, *, replace: bool) -> list[_Wish]:
    said = {spell.number: telling(spell, meanings) for spell in batch}
    stored = _known([meanings.visit(spell) for spell in batch])
    wishes = []
    for spell in batch:
        known, told = stored.get(meanings.visit(spell)), said[spell.number]
        if known is None:
            wishes.append(_Wish(spell, NEW, told.moved, told.reviewed))
        else:
            wishes.append(_against(spell, told, known, replace=replace))
    return wishes


def _against(spell: Spell, said: Telling, known: Known, *, replace: bool) -> _Wish:
    """What an episode adds to what is known of it."""
    if not known.loaded:
        return _Wish(spell, ELSEWHERE)
    found = difference(said, known)
    if not found.is_new and not (found.contradicts and replace):
        return _Wish(spell, KNOWN)
    if not found.contradicts:
        return _Wish(spell, EXTENDED, extension(found, known), found.reviewed)
    if not replace:
        return _Wish(spell, CONTRADICTS)
    if found.gone_reviews:
        return _Wish(spell, REVIEWED)
    return _Wish(spell, CORRECTED, correction(said, found, known), found.reviewed)


def _known(visits: Sequence[VisitKey]) -> dict[VisitKey, Known]:
    """What is known of these episodes; nothing of those that are new."""
    asked = [[visit.authority for visit in visits], [visit.number for visit in visits]]
    found: dict[VisitKey, Known] = defaultdict(Known)
    with connection.cursor() as cursor:
        cursor.execute(_MOVEMENTS, asked)
        for authority, number, source, pk, key, kind, occurred, sent, cancels in cursor.fetchall():
            known = found[VisitKey(authority, number)]
            if source == SOURCE:
                loaded = Loaded(pk, key, MovementKind(kind), occurred, sent, cancels)
                known.loaded.append(loaded)
        cursor.execute(_REVIEWS, [*asked, SOURCE])
        for authority, number, key in cursor.fetchall():
            found[VisitKey(authority, number)].reviews.add(key)
    return dict(found)


def _record(wishes: Sequence[_Wish], meanings: Meanings) -> None:
    """Keep what is new."""
    facts: list[Fact] = [fact for wish in wishes for fact in wish.moved]
    told = sexes([wish.spell for wish in wishes if wish.outcome in _TAKEN], meanings)
    known = _sex_known(told)
    facts += [fact for person, fact in told.items() if person not in known]
    if facts:
        keep(facts, source=SOURCE, known_when_sent=True)
    reviewed = {meanings.visit(w.spell): w.reviewed for w in wishes if w.reviewed}
    admitted = {meanings.visit(wish.spell): wish.spell.start for wish in wishes}
    if reviewed:
        keep_reviews(reviewed, admitted)


def _sex_known(people: Iterable[PersonKey]) -> set[PersonKey]:
    """Those of these people whose sex is known already; a file changes nothing of it."""
    asked = list(people)
    with connection.cursor() as cursor:
        cursor.execute(_SEX_KNOWN, [[p.authority for p in asked], [p.value for p in asked]])
        return {PersonKey(*row) for row in cursor.fetchall()}
