"""What a message means: from its segments to facts, in Flowboard's own vocabulary.

Everything here depends on the message and the feed alone, never on when it arrived or on what
came before, so that the same messages in any order say the same things.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from interop.hl7v2 import people
from interop.hl7v2.events import BY_CODE, Deed, Event
from interop.hl7v2.message import NULL, Message, Segment
from interop.hl7v2.places import location
from interop.hl7v2.statements import BedStatement, Meaning, Statement, digest, keyed
from interop.hl7v2.stays import Stay, stay_of
from interop.hl7v2.times import NoTime, Times, clock_of, times_of
from interop.hl7v2.timestamps import Clock
from patients.keys import PersonKey, VisitKey
from wards.facts import (
    Described,
    Details,
    Joined,
    Moved,
    MovementKind,
    VisitGiven,
    VisitJoined,
)

BED_STATES = frozenset("CHIKOU")
"""HL7 table 0116."""


class Unusable(Exception):
    """A readable message that cannot be applied as it is; `code` groups, `reason` explains.

    The reason names fields and never quotes them.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Sender:
    """What must be known of a feed to understand its messages."""

    code: str
    zone: ZoneInfo
    encoding: str = ""


def meaning(message: Message, sender: Sender) -> Meaning:
    """What `message` says. Raises Unusable with the reason where it cannot be said.

    The caller has asked `events.refusal` before.
    """
    event = BY_CODE[message.event]
    if event.deed is Deed.IGNORE:
        return Meaning(ignored=f"{event.code} {event.name}: {event.note}")
    notes = people.Notes()
    if not message.as_declared:
        notes.add("MSH-18 does not name the character set that the message is written in.")
    reader = _Reader(message, sender, event, clock_of(message, event, sender.zone), notes)
    try:
        if event.deed is Deed.BED_STATUS:
            return Meaning(beds=(reader.bed_status(),), notes=tuple(notes.said))
        statements = list(reader.statements())
    except NoTime as error:
        raise Unusable("no_time", str(error)) from None
    if not statements:
        raise Unusable("says_nothing", "The message holds nothing that can be acted on.")
    return Meaning(tuple(statements), (), tuple(notes.said))


@dataclass(frozen=True, slots=True)
class _Group:
    """One person of a message, with the visit and the old numbers that go with it."""

    pid: Segment
    pv1: Segment | None
    pv2: Segment | None
    mrg: Segment | None
    person: PersonKey
    details: Details
    times: Times
    visit: VisitKey | None
    stay: Stay


@dataclass(frozen=True, slots=True)
class _Reader:
    message: Message
    sender: Sender
    event: Event
    clock: Clock
    notes: people.Notes

    def statements(self) -> Iterator[Statement]:
        groups = list(self._groups())
        if not groups:
            raise Unusable("no_patient", "The message has no PID segment.")
        deed = self.event.deed
        if deed is Deed.LINK:
            yield from self._link(groups)
        elif deed not in (Deed.SWAP, Deed.MERGE, Deed.JOIN_VISITS, Deed.GIVE_VISIT):
            if len(groups) > 1:
                self.notes.add("Only the first PID segment was read.")
            groups = groups[:1]
        for group in groups:
            yield from self._group(group)

    def _group(self, group: _Group) -> Iterator[Statement]:
        match self.event.deed:
            case Deed.MOVE | Deed.SWAP:
                yield from self._move(group)
            case Deed.MERGE:
                yield from self._merge(group)
            case Deed.JOIN_VISITS:
                yield from self._join_visits(group)
            case Deed.GIVE_VISIT:
                yield from self._give_visit(group)
        if self.event.sighting and group.pv1 is not None and location(group.pv1.first(3)):
            yield from self._moved(group, MovementKind.OBSERVED)
        elif self.event.deed is not Deed.MOVE and self.event.deed is not Deed.SWAP:
            yield self._described(group)
        if self.event.deed is Deed.REMOVE:
            yield self._described(replace(group, details=Details({"is_deleted": True})))

    def _groups(self) -> Iterator[_Group]:
        for found in self.message.groups():
            pid, pv1, pv2 = found["PID"], found.get("PV1"), found.get("PV2")
            known = people.numbers_of(pid)
            person = people.person_key(known, self.sender.code)
            if person is None:
                raise Unusable("no_patient", "PID-3, PID-2, PID-4 and PID-18 hold no number.")
            if len(person.value) > people.LONGEST_IDENTIFIER:
                raise Unusable("bad_patient", "The patient number is longer than 100 characters.")
            described = people.details(
                pid, found.get("PD1"), known, person, self.sender.code, self.clock, self.notes
            )
            times = times_of(self.message, self.event, pv1, self.clock, self.notes)
            yield _Group(
                pid=pid,
                pv1=pv1,
                pv2=pv2,
                mrg=found.get("MRG"),
                person=person,
                details=described,
                times=times,
                visit=self._visit(pid, pv1),
                stay=stay_of(pv1, pv2, self.event, self.clock, self.notes),
            )

    def _visit(self, pid: Segment, pv1: Segment | None) -> VisitKey | None:
        """PV1-19, else the account; None where the sender does not number visits."""
        number = _said(pv1.text(19)) if pv1 else ""
        return self._numbered(number) if number else self._account(pid.text(18))

    def _numbered(self, number: str) -> VisitKey:
        return VisitKey(self.sender.code, self._fitting(number))

    def _account(self, number: str) -> VisitKey | None:
        # Account numbers are a series of their own: they must not meet the visit numbers.
        if not _said(number):
            return None
        return VisitKey(people.account_authority(self.sender.code), self._fitting(number))

    def _fitting(self, number: str) -> str:
        if len(number) > people.LONGEST_IDENTIFIER:
            raise Unusable("bad_visit", "The visit number is longer than 100 characters.")
        return number

    def _move(self, group: _Group) -> Iterator[Statement]:
        if group.pv1 is None and self.event.kind in (MovementKind.OBSERVED, MovementKind.TRACKED):
            yield self._described(group)  # nothing is said of any stay
            return
        kind = MovementKind.TRANSFERRED if self.event.deed is Deed.SWAP else self.event.kind
        assert kind is not None, "the table gives every move a kind"
        yield from self._moved(group, kind)
        if self.event.code in ("A06", "A07"):
            yield from self._joined_visits(group)

    def _moved(self, group: _Group, kind: MovementKind) -> Iterator[Statement]:
        times, pv1 = group.times, group.pv1
        place = location(pv1.first(3)) if pv1 else None
        wanted = location(pv1.first(42)) if pv1 else None
        if kind in (MovementKind.EXPECTED, MovementKind.PENDING_ADMIT):
            wanted = wanted or place
        elif kind is not MovementKind.PENDING_TRANSFER:
            wanted = None
        account = self._account(group.pid.text(18))
        fact = Moved(
            key="",
            sent_at=times.sent_at,
            person=group.person,
            details=group.details,
            kind=kind,
            occurred_at=times.occurred_at,
            visit=group.visit,
            alias=account if account != group.visit else None,
            admitted_at=times.admitted_at,
            discharged_at=times.discharged_at,
            stay={**group.stay, **times.vague},
            reference=self.message.header.control_id[:100],
        )
        before = location(pv1.first(6)) if pv1 else None
        yield keyed(Statement(fact, place, before, wanted))

    def _described(self, group: _Group) -> Statement:
        fact = Described(
            key="", sent_at=group.times.sent_at, person=group.person, details=group.details
        )
        return keyed(Statement(fact))

    def _link(self, groups: list[_Group]) -> Iterator[Statement]:
        if len(groups) < 2:
            raise Unusable("no_other", "A link needs two PID segments.")
        for other in groups[1:]:
            yield from self._joined(groups[0], [other.person], survivor=False)

    def _merge(self, group: _Group) -> Iterator[Statement]:
        others = people.prior_keys(group.mrg, self._authority(group)) if group.mrg else []
        if not others:
            raise Unusable("no_other", "MRG-1 names no number that was given up.")
        yield from self._joined(group, others, survivor=True)

    def _authority(self, group: _Group) -> str:
        """Whose numbers those of MRG are that do not say so: as a rule that of the survivor."""
        authority = group.person.authority
        is_local = authority not in (people.NHS, people.account_authority(self.sender.code))
        return authority if is_local else self.sender.code

    def _joined(
        self, group: _Group, others: Iterable[PersonKey], *, survivor: bool
    ) -> Iterator[Statement]:
        for other in others:
            if other == group.person:
                self.notes.add("A record was joined with itself; nothing changes.")
                continue
            if len(other.value) > people.LONGEST_IDENTIFIER:
                raise Unusable("bad_patient", "A number in MRG-1 is longer than 100 characters.")
            fact = Joined(
                key="",
                sent_at=group.times.sent_at,
                person=group.person,
                details=group.details,
                other=other,
                survivor=survivor,
            )
            yield keyed(Statement(fact))

    def _join_visits(self, group: _Group) -> Iterator[Statement]:
        joined = list(self._joined_visits(group))
        if not joined:
            self.notes.add("MRG names no other visit or account number; none were joined.")
        yield from joined

    def _joined_visits(self, group: _Group) -> Iterator[Statement]:
        if group.mrg is None:
            return
        number = _said(group.pv1.text(19)) if group.pv1 else ""
        account = self._account(group.pid.text(18))
        pairs: list[tuple[VisitKey | None, VisitKey | None]] = []
        if self.event.code not in ("A41", "A49"):
            pairs.append((self._numbered(number) if number else None, self._prior_visit(group)))
        if self.event.code in ("A41", "A49") or group.visit == account:
            pairs.append((account, self._account(group.mrg.text(3))))
        for kept, other in pairs:
            if kept is None or other is None or kept == other:
                continue
            fact = VisitJoined(
                key="",
                sent_at=group.times.sent_at,
                person=group.person,
                details=group.details,
                visit=kept,
                other=other,
            )
            yield keyed(Statement(fact))

    def _prior_visit(self, group: _Group) -> VisitKey | None:
        number = _said(group.mrg.text(5)) if group.mrg else ""
        return self._numbered(number) if number else None

    def _give_visit(self, group: _Group) -> Iterator[Statement]:
        number = _said(group.pv1.text(19)) if group.pv1 else ""
        before = self._prior_visit(group)
        given: list[VisitKey | None] = [self._numbered(number) if number else None, before]
        if self.event.code == "A44" or not any(given):
            given.append(self._account(group.mrg.text(3)) if group.mrg else None)
            given.append(self._account(group.pid.text(18)))
        visits = list(dict.fromkeys(visit for visit in given if visit is not None))
        if not visits:
            self.notes.add("No visit or account number says which visit was moved.")
        for visit in visits:
            fact = VisitGiven(
                key="",
                sent_at=group.times.sent_at,
                person=group.person,
                details=group.details,
                visit=visit,
            )
            yield keyed(Statement(fact))
        if number and before and before != self._numbered(number):
            yield from self._joined_visits(group)

    def bed_status(self) -> BedStatement:
        """The bed and state of an NPU segment."""
        npu = self.message.first("NPU")
        if npu is None:
            raise Unusable("no_bed", "A20 needs an NPU segment.")
        bed, status = location(npu.first(1)), npu.text(2).upper()
        if bed is None or not bed.bed:
            raise Unusable("no_bed", "NPU-1 names no bed.")
        if status not in BED_STATES:
            raise Unusable("bad_bed_status", "NPU-2 is not a code of HL7 table 0116.")
        times = times_of(self.message, self.event, None, self.clock, self.notes)
        key = digest((bed, status, times.occurred_at, times.sent_at))
        return BedStatement(bed, status, times.occurred_at, times.sent_at, key)


def _said(text: str) -> str:
    return "" if text == NULL else text
