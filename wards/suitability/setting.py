"""The hospital at one moment: every bed, who lies in it, for whom it is held.

Pure: no Django. A setting is never changed; `placed` and `vacated` give the next one, so that a
proposal can be checked line by line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from wards.suitability.facts import Bay, Bed, BedState, Needs, RoomKey, Spot, Ward

SAME_BAY: Final = 0
SAME_WARD: Final = 1
SAME_SITE: Final = 2
OTHER_SITE: Final = 3

_WAITING_EMPTY: Final = frozenset({BedState.READY, BedState.NEEDS_CLEANING, BedState.BEING_CLEANED})


@dataclass(frozen=True, slots=True)
class Hospital:
    """What does not change from one setting to the next: wards, bays, and which bed is where."""

    wards: Mapping[int, Ward]
    bays: Mapping[int, Bay]
    rooms: Mapping[RoomKey, tuple[int, ...]]
    beds_of_ward: Mapping[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Setting:
    """The beds at the moment `at`.

    patients: who lies in which bed. coming: for whom a bed is held, where that is known; they
    count as there, so that nobody is put beside them who may not be. holding: which beds the
    person of a key lies in or is to come to.
    """

    at: datetime
    hospital: Hospital
    beds: Mapping[int, Bed]
    patients: Mapping[int, Needs]
    coming: Mapping[int, Needs]
    holding: Mapping[int, tuple[int, ...]]

    def ward_of(self, bed: Bed) -> Ward:
        return self.hospital.wards[bed.ward]

    def is_empty(self, bed: Bed) -> bool:
        """Nobody lies in it, it is open, and it is held for nobody."""
        return (
            bed.state in _WAITING_EMPTY
            and bed.reserved_for is None
            and bed.key not in self.patients
            and bed.key not in self.coming
        )

    def neighbours(self, bed: Bed, needs: Needs) -> list[Needs]:
        """Who shares the room with whoever lies in the bed, other than this person; whoever lies
        in the bed itself will have left."""
        found = []
        for other in self.hospital.rooms[bed.room]:
            if other == bed.key:
                continue
            for people in (self.patients, self.coming):
                who = people.get(other)
                if who is not None and who.key != needs.key:
                    found.append(who)
        return found

    def stated_sex(self, bed: Bed) -> str:
        """What the bay is for: any, female or male. A side room is for anybody."""
        room = bed.room
        return self.hospital.bays[room.key].sex if room.kind == "bay" else "any"

    def on_ward(self, ward: int) -> dict[int, Needs]:
        """Who counts on the ward, by key: of each bed whoever is to come, else who lies in it."""
        found = {}
        for bed in self.hospital.beds_of_ward[ward]:
            who = self.coming.get(bed) or self.patients.get(bed)
            if who is not None:
                found[who.key] = who
        return found

    def others_on_ward(self, bed: Bed, needs: Needs) -> dict[int, Needs] | None:
        """Who would be on the ward beside this person in this bed, by key; None when they are
        counted there already, so that the bed adds nobody."""
        there = self.on_ward(bed.ward)
        if needs.key in there:
            return None
        leaving = self.coming.get(bed.key) or self.patients.get(bed.key)
        if leaving is not None and not self.stays_elsewhere(leaving.key, bed):
            there.pop(leaving.key, None)
        return there

    def stays_elsewhere(self, key: int, bed: Bed) -> bool:
        """Whether the person counts in another bed of the same ward as well."""
        return any(
            other != bed.key and self.beds[other].ward == bed.ward
            for other in self.holding.get(key, ())
        )

    def empty_side_rooms(self, ward: int) -> int:
        """Side rooms of the ward that stand empty and are held for nobody."""
        return sum(
            1
            for key in self.hospital.beds_of_ward[ward]
            if (bed := self.beds[key]).is_side_room and self.is_empty(bed)
        )

    def distance(self, needs: Needs, bed: Bed) -> int | None:
        """Steps from where they are: the constants above; None when that is not known."""
        place = needs.place
        if place is None:
            return None
        if place.ward == bed.ward:
            same = place.bay is not None and place.bay == bed.bay
            return SAME_BAY if same else SAME_WARD
        return SAME_SITE if place.site == self.ward_of(bed).site else OTHER_SITE

    def placed(self, needs: Needs, bed: int) -> Setting:
        """With the bed held for this person."""
        was = self.beds[bed]
        lasting = (BedState.OCCUPIED, BedState.CLOSED)
        state = was.state if was.state in lasting else BedState.RESERVED
        beds, coming, holding = dict(self.beds), dict(self.coming), dict(self.holding)
        beds[bed] = replace(was, state=state, reserved_for=needs.key)
        coming[bed] = needs
        if bed not in holding.get(needs.key, ()):
            holding[needs.key] = (*holding.get(needs.key, ()), bed)
        return replace(self, beds=beds, coming=coming, holding=holding)

    def vacated(self, bed: int, *, ready_at: datetime) -> Setting:
        """With nobody in the bed, which is ready again at that moment, unless it is closed."""
        beds, patients, holding = dict(self.beds), dict(self.patients), dict(self.holding)
        state = BedState.READY if ready_at <= self.at else BedState.NEEDS_CLEANING
        if bed in self.coming:
            state = BedState.RESERVED
        if self.beds[bed].state != BedState.CLOSED:
            beds[bed] = replace(self.beds[bed], state=state, ready_at=ready_at, chance=1.0)
        who = patients.pop(bed)
        rest = tuple(other for other in holding[who.key] if other != bed)
        holding[who.key] = rest
        return replace(self, beds=beds, patients=patients, holding=holding)

    def released(self, bed: int, before: Setting) -> Setting:
        """With the bed held as it was in an earlier setting, undoing `placed`."""
        beds, coming, holding = dict(self.beds), dict(self.coming), dict(self.holding)
        who = coming.pop(bed)
        beds[bed] = before.beds[bed]
        if bed in before.coming:
            coming[bed] = before.coming[bed]
        if bed not in before.holding.get(who.key, ()):
            holding[who.key] = tuple(other for other in holding[who.key] if other != bed)
        return replace(self, beds=beds, coming=coming, holding=holding)

    def where(self, bed: int) -> Spot:
        """The place of a bed."""
        one = self.beds[bed]
        return Spot(site=self.ward_of(one).site, ward=one.ward, bay=one.bay, bed=bed)


def setting_of(
    *,
    at: datetime,
    wards: Iterable[Ward],
    beds: Iterable[Bed],
    bays: Iterable[Bay] = (),
    patients: Mapping[int, Needs] | None = None,
    coming: Mapping[int, Needs] | None = None,
) -> Setting:
    """A setting of these facts; `patients` and `coming` by the key of the bed.

    A bed with somebody in it counts as occupied, one for which somebody is to come as held for
    them. Raises ValueError for a time without zone, a bed on an unknown ward or bay, somebody in
    an unknown bed, or one person in two.
    """
    if at.tzinfo is None:
        raise ValueError("A time needs its zone.")
    wards_by, bays_by = {ward.key: ward for ward in wards}, {bay.key: bay for bay in bays}
    patients, coming = dict(patients or {}), dict(coming or {})
    beds_by = {bed.key: _as_taken(bed, patients, coming) for bed in beds}
    _check(wards_by, bays_by, beds_by, patients, coming)
    rooms: dict[RoomKey, list[int]] = defaultdict(list)
    of_ward: dict[int, list[int]] = {key: [] for key in wards_by}
    for bed in beds_by.values():
        rooms[bed.room].append(bed.key)
        of_ward[bed.ward].append(bed.key)
    holding: dict[int, tuple[int, ...]] = {}
    for people in (patients, coming):
        for key, who in people.items():
            holding[who.key] = (*holding.get(who.key, ()), key)
    hospital = Hospital(
        wards=wards_by,
        bays=bays_by,
        rooms={room: tuple(keys) for room, keys in rooms.items()},
        beds_of_ward={ward: tuple(keys) for ward, keys in of_ward.items()},
    )
    return Setting(at, hospital, beds_by, patients, coming, holding)


def _as_taken(bed: Bed, patients: Mapping[int, Needs], coming: Mapping[int, Needs]) -> Bed:
    if bed.key in patients and bed.state not in (BedState.OCCUPIED, BedState.CLOSED):
        bed = replace(bed, state=BedState.OCCUPIED)
    if bed.key in coming and bed.reserved_for is None:
        bed = replace(bed, reserved_for=coming[bed.key].key)
    return bed


def _check(
    wards: Mapping[int, Ward],
    bays: Mapping[int, Bay],
    beds: Mapping[int, Bed],
    patients: Mapping[int, Needs],
    coming: Mapping[int, Needs],
) -> None:
    for bed in beds.values():
        if bed.ward not in wards:
            raise ValueError(f"Bed {bed.key} is on ward {bed.ward}, which is not there.")
        if bed.bay is not None and (bed.bay not in bays or bays[bed.bay].ward != bed.ward):
            raise ValueError(f"Bed {bed.key} is in bay {bed.bay}, which its ward does not have.")
        who = coming.get(bed.key)
        if who is not None and bed.reserved_for != who.key:
            raise ValueError(f"Bed {bed.key} is held for one person and expects another.")
    for people in (patients, coming):
        if unknown := set(people) - set(beds):
            raise ValueError(f"Somebody is in bed {min(unknown)}, which is not there.")
    if len({who.key for who in patients.values()}) < len(patients):
        raise ValueError("One person lies in two beds.")
