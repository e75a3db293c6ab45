"""The stays of some people: each visit's own, and what was said without a number given its place.

A *stream* is all that was said of visits that are one. Most streams stand by themselves. A
*loose* one was said without a visit number, or under an account number that the source also
names beside a visit number; what is in it goes to the numbered stays it means
(`wards/unnumbered.py`), and only what is left makes stays of its own. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from patients.keys import VisitKey
from wards.episode_rows import Owned
from wards.facts import MovementKind as Kind
from wards.ownership import Named, share_out
from wards.projection import SHARED_NUMBER, Stay, project
from wards.provenance import BY_HAND
from wards.unnumbered import Numbered, belonging, ended_by_the_next


@dataclass(frozen=True, slots=True)
class Stream:
    """What was said of visits that are one: `keys` of all of them, `merged` which of them became
    part of which."""

    keys: Sequence[VisitKey]
    named: Sequence[Named]
    merged: Mapping[int, int]

    @property
    def nameless(self) -> bool:
        """Whether the source gave no number."""
        return not any(key.number for key in self.keys)

    @property
    def name(self) -> str:
        """A text of its own, the same whatever order things arrive in."""
        return min(f"{key.authority} {key.number}" for key in self.keys)

    @property
    def sources(self) -> set[str]:
        """Who spoke of it; people at a screen always say which stay they mean."""
        return {n.told.source for n in self.named} - {BY_HAND}


@dataclass(slots=True)
class Stays:
    """The stays of each stream.

    lent: the movements that count for another stream (movement → stream). heirs: the streams to
    which each loose one gave of its own. lends: whether any stream is loose.
    """

    stays: dict[int, list[Owned]]
    lent: dict[int, int] = field(default_factory=dict)
    heirs: dict[int, list[int]] = field(default_factory=dict)
    lends: bool = False


def stays_of(streams: Mapping[int, Stream], people: Mapping[int, int]) -> Stays:
    """The stays of all streams; `people` tells for each record which person it is of."""
    nameless = [top for top, stream in streams.items() if stream.nameless]
    aliases = _aliases(streams)
    loose = {*nameless, *aliases}
    found = Stays(
        {top: _stays(s, s.named, people) for top, s in streams.items() if top not in loose},
        lends=bool(loose),
    )
    lending = _Lending(streams, people, found)
    lending.lend(aliases)
    lending.lend(dict.fromkeys(nameless))
    for top in nameless:
        for owned in found.stays[top]:
            owned.stay = ended_by_the_next(owned.stay, lending.began(top, people[owned.owner]))
    return found


def _aliases(streams: Mapping[int, Stream]) -> dict[int, list[int] | None]:
    """The streams under numbers that are but other names of visits → the streams of those."""
    named: dict[VisitKey, set[int]] = defaultdict(set)
    has_own_way = set()
    for top, stream in streams.items():
        for n in stream.named:
            if n.told.alias is not None and not stream.nameless:
                named[n.told.alias].add(top)
            if n.told.alias is not None or n.told.kind in (Kind.GIVEN, Kind.JOINED):
                has_own_way.add(top)
    aliases: dict[int, list[int] | None] = {}
    for top, stream in streams.items():
        meant = [named[key] - {top} for key in stream.keys]
        if top not in has_own_way and all(meant):
            aliases[top] = sorted(set().union(*meant), key=lambda one: streams[one].name)
    return aliases


@dataclass(frozen=True, slots=True)
class _Lending:
    """Gives what is in loose streams to the stays that it means."""

    streams: Mapping[int, Stream]
    people: Mapping[int, int]
    found: Stays

    def lend(self, wave: Mapping[int, list[int] | None]) -> None:
        """Lend from each loose stream of `wave` to the streams given, or to any of the same
        source; the stays of both follow."""
        found = self.found
        lent: dict[int, int] = {}
        for top, meant in wave.items():
            lent |= self._meant(top, meant)
        found.lent |= lent
        given: dict[int, list[Named]] = defaultdict(list)
        for stream in self.streams.values():
            for n in stream.named:
                if n.told.id in found.lent:
                    given[found.lent[n.told.id]].append(n)
        for top in {*lent.values(), *wave}:
            stream = self.streams[top]
            own = [n for n in stream.named if n.told.id not in found.lent]
            found.stays[top] = _stays(stream, [*own, *given[top]], self.people)
        for top in wave:
            heirs = {lent[n.told.id] for n in self.streams[top].named if n.told.id in lent}
            found.heirs[top] = sorted(heirs, key=lambda one: self.streams[one].name)

    def _meant(self, top: int, meant: Sequence[int] | None) -> dict[int, int]:
        """Which movements of the loose stream belong to which other."""
        by_person: dict[int, list[Named]] = defaultdict(list)
        for n in self.streams[top].named:
            by_person[self.people[n.patient]].append(n)
        lent: dict[int, int] = {}
        for person, said in by_person.items():
            if meant is None:
                tops = self._of_the_source(top)
            else:
                tops = [one for one in meant if self._speaks_of(one, person)]
                if len(tops) == 1:
                    lent |= {n.told.id: tops[0] for n in said}
                    continue
            stays = [stay for one in tops for stay in self._numbered(one, person)]
            lent |= belonging([n.told for n in said], stays)
        return lent

    def _speaks_of(self, top: int, person: int) -> bool:
        return any(self.people[n.patient] == person for n in self.streams[top].named)

    def _of_the_source(self, top: int) -> list[int]:
        """The numbered streams of which the source of this one speaks as well."""
        sources = self.streams[top].sources
        return [
            one
            for one in self.found.stays
            if not self.streams[one].nameless and not sources.isdisjoint(self.streams[one].sources)
        ]

    def _numbered(self, top: int, person: int) -> list[Numbered]:
        """The person's stays of a numbered stream. One that was cancelled is over as it begins."""
        stream, stays = self.streams[top], []
        for owned in self.found.stays[top]:
            stay = owned.stay
            if self.people[owned.owner] != person or stay.status == "expected":
                continue
            began, ended = stay.admitted_at, stay.discharged_at
            if stay.status == "cancelled":
                said = [
                    n.told.occurred_at for n in stream.named if self.people[n.patient] == person
                ]
                began = ended = began or min(said, default=None)
            if began is not None:
                inferred = "admission_inferred" in stay.flags
                stays.append(Numbered(top, stream.name, began, ended, inferred, stay.claims))
        return stays

    def began(self, top: int, person: int) -> list[datetime]:
        """When the person's numbered stays began of which the source of this stream speaks."""
        return [
            stay.began
            for one in self._of_the_source(top)
            for stay in self._numbered(one, person)
            if stay.began != stay.ended
        ]


def _stays(stream: Stream, named: Sequence[Named], people: Mapping[int, int]) -> list[Owned]:
    """The stays that these movements of a stream add up to."""
    shares = share_out(named, people, stream.merged)
    owned = [
        Owned(share.owner, stay)
        for share in shares
        for stay in project(share.movements, nameless=stream.nameless)
    ]
    if len(shares) > 1:
        for one in owned:
            if any(people[one.owner] != people[o.owner] and _meet(one, o) for o in owned):
                one.stay = flagged(one.stay, SHARED_NUMBER)
    return owned


def _meet(one: Owned, other: Owned) -> bool:
    """Whether two stays go on at the same time."""
    a, b = one.stay, other.stay
    if a.admitted_at is None or b.admitted_at is None or "cancelled" in (a.status, b.status):
        return False
    return (a.discharged_at is None or b.admitted_at < a.discharged_at) and (
        b.discharged_at is None or a.admitted_at < b.discharged_at
    )


def flagged(stay: Stay, flag: str) -> Stay:
    """The stay with one more flag."""
    return replace(stay, flags=(*stay.flags, flag))
