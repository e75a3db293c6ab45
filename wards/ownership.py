"""Whose each stay of a visit is, when several patients were named for it.

A visit number should be one patient's. Where feeds use one for two, nobody may lose their bed to
the other, so what was said is shared out, in the order in which the source said it:

- what opens a stay (an admission, an announcement) belongs to the patient it names, and is a
  stay of its own where the visit was somebody else's until then;
- anything else said of another patient corrects whose the stay is;
- a visit given to a patient (A44, A45) or merged into one of theirs (A42) is theirs from there
  back: everything said of it before.

Pure, and a function of what was said alone, never of the order it arrived in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from wards.facts import MovementKind as Kind
from wards.said import Told, said_order

OPENING: Final = frozenset({Kind.ADMITTED, Kind.EXPECTED, Kind.PENDING_ADMIT})


@dataclass(frozen=True, slots=True)
class Named:
    """A movement, the visit it was said of, and the patient record named with it."""

    told: Told
    visit: int
    patient: int


@dataclass(slots=True)
class Share:
    """What was said of one patient's stays: `owner` is the record last named for them."""

    owner: int
    movements: list[Told] = field(default_factory=list)


def share_out(
    named: Sequence[Named], persons: Mapping[int, int], merged: Mapping[int, int]
) -> list[Share]:
    """Share out all that was said of a visit and those merged into it, by patient.

    `persons` tells for each record which person it is of; records of one person share. `merged`
    tells which visit each visit became part of, without circles.
    """
    ordered = sorted(named, key=lambda n: said_order(n.told))
    givings = _givings(ordered, merged)
    shares: dict[int, Share] = {}  # person → share; the one last spoken of stands last
    for n in ordered:
        if n.told.kind is Kind.GIVEN or n.told.kind is Kind.JOINED:
            continue
        owner = _given_to(n, givings)
        person = persons[owner]
        share = shares.pop(person, None)
        if share is None and shares and n.told.kind not in OPENING:
            share = shares.pop(_meant(n.told, shares))
        if share is None:
            share = Share(owner)
        share.owner = owner
        share.movements.append(n.told)
        shares[person] = share
    return sorted(shares.values(), key=lambda share: said_order(share.movements[0]))


def _meant(told: Told, shares: Mapping[int, Share]) -> int:
    """The person whose stay `told` corrects: the one it takes something back of, else the one
    last spoken of."""
    for person, share in shares.items():
        if told.cancels is not None and any(m.id == told.cancels for m in share.movements):
            return person
    return list(shares)[-1]


@dataclass(frozen=True, slots=True)
class _Giving:
    """From here back, what was said of `visits` is the patient's."""

    order: tuple[object, ...]
    visits: frozenset[int]
    patient: int


def _given_to(n: Named, givings: Sequence[_Giving]) -> int:
    """The record that a movement counts for: the last one it was given to, else its own."""
    order = said_order(n.told)
    later = [g for g in givings if n.visit in g.visits and g.order > order]
    return later[-1].patient if later else n.patient


def _givings(ordered: Sequence[Named], merged: Mapping[int, int]) -> list[_Giving]:
    """What gives visits to patients, in the order said; of the joins of a visit the last counts."""
    joins = {n.visit: n for n in ordered if n.told.kind is Kind.JOINED and n.visit in merged}
    giving = [n for n in ordered if n.told.kind is Kind.GIVEN or joins.get(n.visit) is n]
    if not giving:
        return []
    visits = {n.visit: _way_up(n.visit, merged) for n in ordered}
    return [
        _Giving(
            said_order(n.told),
            frozenset(visit for visit, way in visits.items() if n.visit in way),
            n.patient,
        )
        for n in giving
    ]


def _way_up(visit: int, merged: Mapping[int, int]) -> list[int]:
    """The visit and those it was merged into, directly and by way of others."""
    way = [visit]
    while way[-1] in merged:
        way.append(merged[way[-1]])
    return way
