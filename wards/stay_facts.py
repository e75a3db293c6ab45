"""What an episode of a file says, as facts and reviews.

Pure: no Django. Everything is said when it happened: an admission at its start, a move at its
start, a discharge at its end, what is known of a stay from the start of its row on. What a row
repeats of the row before is not said again, and no row fills in what an earlier one left empty.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from patients.keys import Details, PersonKey, VisitKey
from wards.facts import Described, Moved, MovementKind, Place
from wards.stay_csv import Row
from wards.stay_episodes import Spell

SOURCE: Final = "import"
"""Who says it."""
DIED: Final = "79"
"""NHS Data Dictionary, DISCHARGE DESTINATION: not applicable, patient died or stillbirth."""
_INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Meanings:
    """What the codes of a file stand for. wards: by site and ward as written. authorities: whose
    the numbers of an episode and its patient are, by the site where it began."""

    wards: Mapping[tuple[str, str], Place]
    authorities: Mapping[str, str]

    def person(self, spell: Spell) -> PersonKey:
        """Whose episode it is."""
        return PersonKey(self.authorities[spell.site], spell.patient)

    def visit(self, spell: Spell) -> VisitKey:
        """The number of the episode."""
        return VisitKey(self.authorities[spell.site], spell.number)


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What was found of a patient at a moment: whether criteria to reside were met (None: nobody
    looked), the pathway, and the expected discharge as it stood."""

    key: str
    occurred_at: datetime
    criteria_met: bool | None
    pathway: int | None
    expected_discharge_at: datetime | None


@dataclass(frozen=True, slots=True)
class Telling:
    """All that an episode says; keys stand for the meaning, so that a repeat is known."""

    moved: Sequence[Moved]
    reviewed: Sequence[Reviewed]


def sexes(spells: Iterable[Spell], meanings: Meanings) -> dict[PersonKey, Described]:
    """The sex of each person: what the earliest of their rows says that says one.

    `spells` in the order of time. Sex is kept of the person, and known of all their stays: what
    a later row says must not reach back to earlier ones.
    """
    found: dict[PersonKey, Described] = {}
    for spell in spells:
        row = next((row for row in spell.rows if row.sex != "unknown"), None)
        person = meanings.person(spell)
        if row is None or (person in found and found[person].sent_at <= row.start):
            continue
        found[person] = Described(
            key=_key(meanings.visit(spell), person.value, row.start, row.sex),
            sent_at=row.start,
            person=person,
            details=Details({"sex": row.sex}),
        )
    return found


def telling(spell: Spell, meanings: Meanings) -> Telling:
    """The facts and reviews of an episode."""
    return Telling(list(_moved(spell, meanings)), list(_reviewed(spell, meanings)))


def _moved(spell: Spell, meanings: Meanings) -> Iterator[Moved]:
    person, visit = meanings.person(spell), meanings.visit(spell)
    known: dict[str, str | None] = {}
    said_last: datetime | None = None
    for number, row in enumerate(spell.rows):
        stay = {name: text for name, text in _stay(row).items() if known.get(name) != text}
        known |= stay
        if number == 0 and row.age:
            stay["age"] = row.age
        # What happened at one moment was said in the order of the rows.
        sent_at = said_last = _after(said_last, row.start)
        place = (row.site.casefold(), row.ward.casefold())
        yield Moved(
            key=_key(visit, person.value, number == 0, sent_at, *place, sorted(stay.items())),
            sent_at=sent_at,
            person=person,
            kind=MovementKind.TRANSFERRED if number else MovementKind.ADMITTED,
            occurred_at=row.start,
            visit=visit,
            place=meanings.wards[row.site, row.ward],
            stay=stay,
        )
    if spell.ended is None:
        return
    died_at = max(spell.died, spell.start) if isinstance(spell.died, datetime) else None
    yield Moved(
        key=_key(visit, person.value, "discharged", spell.ended, bool(spell.died), died_at),
        sent_at=_after(said_last, spell.ended),
        person=person,
        details=Details({"died_at": died_at} if died_at else {}),
        kind=MovementKind.DISCHARGED,
        occurred_at=spell.ended,
        visit=visit,
        stay={"discharge_destination": DIED} if spell.died else {},
    )


def _stay(row: Row) -> dict[str, str | None]:
    said = {
        "specialty": row.specialty,
        "admission_method": row.admission_method,
        "expected_discharge_at": row.edd.isoformat() if row.edd else "",
    }
    return {name: text for name, text in said.items() if text}


def _after(before: datetime | None, at: datetime) -> datetime:
    return at if before is None or before < at else before + _INSTANT


def _reviewed(spell: Spell, meanings: Meanings) -> Iterator[Reviewed]:
    """What rows say of criteria to reside and pathway, each where it changes what was known.

    A pathway is known from the start of its row, whatever time `ctr_met` says: that may lie
    ahead. Nor is that time known before the row that says it has begun.
    """
    met_at: dict[datetime, bool] = {}
    pathway_at: dict[datetime, int] = {}
    for row in spell.rows:
        if isinstance(row.ctr_met, datetime):
            met_at[max(row.ctr_met, row.start)] = False
        elif row.ctr_met is not None:
            met_at[row.start] = row.ctr_met
        if row.pathway is not None:
            pathway_at[row.start] = row.pathway
    met: bool | None = None
    pathway: int | None = None
    for at in sorted({*met_at, *pathway_at}):
        before = (met, pathway)
        met, pathway = met_at.get(at, met), pathway_at.get(at, pathway)
        if (met, pathway) == before or (spell.ended is not None and at >= spell.ended):
            continue
        plan = next((r.edd for r in reversed(spell.rows) if r.edd and r.start <= at), None)
        yield Reviewed(
            key=_key(meanings.visit(spell), "reviewed", at, met, pathway, plan),
            occurred_at=at,
            criteria_met=met,
            pathway=pathway,
            expected_discharge_at=plan,
        )


def _key(visit: VisitKey | None, *said: object) -> str:
    assert visit is not None, "every episode of a file has a number"
    parts = (visit.authority, visit.number, *said)
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()
