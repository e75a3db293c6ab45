"""Who a message is about: the PID, PD1 and MRG segments.

Source of the identifier types: HL7 table 0203. The NHS number is recognised by its type, its
authority, or the identifier of its namespace, and checked as the NHS Data Dictionary says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from interop.hl7v2.message import NULL, Repetition, Segment
from interop.hl7v2.timestamps import BadTime, Clock, Precision
from patients.keys import Details, Identifier, PersonKey
from patients.nhs_number import normalised

LONGEST_IDENTIFIER: Final = 100
NHS: Final = "NHS"
_NHS_TYPES: Final = frozenset({"NH", "NHS", "NHSN", "NHSNO", "NHSNBR", "NHSNMBR"})
_NHS_AUTHORITIES: Final = _NHS_TYPES | {"NHSNUMBER", "NHS NUMBER"}
_NHS_NAMESPACES: Final = frozenset(
    {
        "2.16.840.1.113883.2.1.4.1",
        "URN:OID:2.16.840.1.113883.2.1.4.1",
        "HTTPS://FHIR.NHS.UK/ID/NHS-NUMBER",
    }
)
_LOCAL: Final = frozenset({"", "MR", "MRN", "MRT", "PI", "PID", "PN", "PT"})
# Numbers given by somebody other than the sender, or to something other than the patient.
_FOREIGN_TYPES: Final = """
    AM AN ANC ANON BA BC BCT BR BRN CC CZ DDS DI DL DN DR EI EN EPID FI GI GL GN HC HPC JHN LI LN LR
    MA MB MC MCD MCN MCR MI MS NBSNR NE NI NII NIIP NPI PC PCN PE PEN PHC PHE PHO PNT PPIN PPN PRC
    PRES PRN QA RI RPH RR RRI RRP SB SID SL SN SNBSN SP SR SS SSN STN TAX TN UPIN USID VN VS WC WCN
    WP XX
"""
_FOREIGN: Final = frozenset(_FOREIGN_TYPES.split())
_NATIONAL_AUTHORITIES: Final = frozenset({"USSSA", "SSA", "USSSN"})
_SEX: Final = {
    "F": "female",
    "FEMALE": "female",
    "2": "female",
    "M": "male",
    "MALE": "male",
    "1": "male",
    "O": "other",
    "OTHER": "other",
    "A": "other",
    "N": "other",
    "X": "other",
    "9": "other",
    "U": "unknown",
    "UNKNOWN": "unknown",
    "0": "unknown",
}


@dataclass(slots=True)
class Notes:
    """What was odd about a message, for its sender. Names fields, never their content."""

    said: list[str] = field(default_factory=list)

    def add(self, note: str) -> None:
        """Note it once."""
        if note not in self.said:
            self.said.append(note)


@dataclass(frozen=True, slots=True)
class Number:
    """One CX value: an identifier as it was sent."""

    value: str
    authority: str
    namespace: str
    kind: str
    facility: str

    @property
    def is_nhs(self) -> bool:
        """Whether it claims to be an NHS number."""
        if self.kind in _NHS_TYPES or self.namespace.upper() in _NHS_NAMESPACES:
            return True
        return self.authority.upper() in _NHS_AUTHORITIES and self.kind in ("", "PI", "SS", "NI")

    @property
    def _is_foreign(self) -> bool:
        return (
            self.is_nhs
            or self.kind in _FOREIGN
            or self.kind.startswith("NN")
            or self.authority.upper() in _NATIONAL_AUTHORITIES
            or self.facility.upper() in _NATIONAL_AUTHORITIES
        )

    @property
    def rank(self) -> int | None:
        """How well it names a patient record of the sender; less is better, None is not at all."""
        if self._is_foreign:
            return None
        return 0 if self.kind in _LOCAL or self.kind.startswith("MR") else 1

    def key(self, feed: str) -> PersonKey:
        """The key of the record it names; without an authority, the feed is the authority."""
        return PersonKey((self.authority or self.namespace or feed)[:100], self.value)


def numbers(segment: Segment, field_number: int) -> list[Number]:
    """The identifiers in a field of type CX (or ST, in the oldest versions)."""
    read = [_number(repetition) for repetition in segment.repetitions(field_number)]
    return [number for number in read if number.value not in ("", NULL)]


def _number(rep: Repetition) -> Number:
    def part(component: int, subcomponent: int = 1) -> str:
        text = rep.text(component, subcomponent)
        return "" if text == NULL else text

    return Number(
        value=rep.text(1),
        authority=part(4),
        namespace=part(4, 2),
        kind=part(5).upper(),
        facility=part(6),
    )


@dataclass(frozen=True, slots=True)
class Numbers:
    """All identifiers of a PID segment: those of PID-3, those of PID-2 and PID-4, the account."""

    listed: list[Number]
    older: list[Number]
    account: str

    @property
    def all(self) -> list[Number]:
        """Every identifier of the person, PID-3 first."""
        return [*self.listed, *self.older]


def numbers_of(pid: Segment) -> Numbers:
    """The identifiers in a PID segment."""
    account = pid.text(18)
    return Numbers(
        listed=numbers(pid, 3),
        older=[*numbers(pid, 2), *numbers(pid, 4)],
        account="" if account == NULL else account,
    )


def person_key(known: Numbers, feed: str) -> PersonKey | None:
    """The record a PID segment is about.

    The first local number of PID-3; else PID-2, PID-4; else a valid NHS number; else any other
    number of PID-3; else the account (PID-18). None where there is nothing at all.
    """
    best: Number | None = None
    for number in known.listed:
        if number.rank is not None and (best is None or number.rank < (best.rank or 0)):
            best = number
    if best is None:
        best = next((number for number in known.older if number.rank is not None), None)
    if best is not None:
        return best.key(feed)
    for number in known.all:
        nhs_number = normalised(number.value) if number.is_nhs else None
        if nhs_number:
            return PersonKey(NHS, nhs_number)
    for number in known.all:
        return number.key(feed)
    return PersonKey(account_authority(feed), known.account) if known.account else None


def account_authority(feed: str) -> str:
    """The authority of a feed's account numbers, which are a series of their own."""
    return f"{feed} account"[:100]


def prior_keys(mrg: Segment, authority: str) -> list[PersonKey]:
    """The records an MRG segment gives up: its local numbers, else MRG-4, else whatever it has.

    `authority` is that of numbers which name none.
    """
    listed = numbers(mrg, 1)
    best = min((n.rank for n in listed if n.rank is not None), default=None)
    if best is not None:
        return list(dict.fromkeys(n.key(authority) for n in listed if n.rank == best))
    for number in (*numbers(mrg, 4), *listed):
        nhs_number = normalised(number.value) if number.is_nhs else None
        return [PersonKey(NHS, nhs_number) if nhs_number else number.key(authority)]
    return []


def details(
    pid: Segment,
    pd1: Segment | None,
    known: Numbers,
    key: PersonKey,
    feed: str,
    clock: Clock,
    notes: Notes,
) -> Details:
    """Everything that PID and PD1 say of the person whose record is `key`."""
    values: dict[str, str | date | datetime | bool | None] = {}
    values.update(_name(pid))
    values.update(_dates(pid, clock, notes))
    sex = pid.text(8).upper()
    if sex == NULL:
        values["sex"] = None
    elif sex in _SEX:
        values["sex"] = _SEX[sex]
    elif sex:
        notes.add("PID-8 is not a code of HL7 table 0001; the sex was left as it was.")
    _said(values, "postcode", _postcode(pid), 20)
    if pd1 is not None:
        _said(values, "gp_practice", pd1.text(3, 3) or pd1.text(3, 10) or pd1.text(3, 1), 100)
        shielded = pd1.text(12).upper()
        if shielded in ("Y", "N", NULL):
            values["is_restricted"] = shielded == "Y"
    for number in known.all:
        nhs_number = normalised(number.value) if number.is_nhs else None
        if nhs_number:
            values.setdefault("nhs_number", nhs_number)
        elif number.is_nhs:
            notes.add("An NHS number fails its check; it is kept as an ordinary identifier.")
    return Details(values, tuple(_identifiers(known.all, feed, key)))


def _identifiers(read: Iterable[Number], feed: str, key: PersonKey | None) -> Iterable[Identifier]:
    seen: set[Identifier] = set()
    for number in read:
        named = number.key(feed)
        if named == key or len(number.value) > LONGEST_IDENTIFIER:
            continue
        identifier = Identifier(named.authority, named.value, number.kind[:20])
        if identifier not in seen:
            seen.add(identifier)
            yield identifier


def _said(
    values: dict[str, str | date | datetime | bool | None], name: str, text: str, longest: int
) -> None:
    if text == NULL:
        values[name] = None
    elif text:
        values[name] = text[:longest]


def _name(pid: Segment) -> dict[str, str | date | datetime | bool | None]:
    """The legal or current name of PID-5, else the first."""
    values: dict[str, str | date | datetime | bool | None] = {}
    listed = pid.repetitions(5)
    if not listed:
        return values
    if listed[0].is_null:
        return {"family_name": None, "given_name": None, "title": None}
    legal = [n for n in listed if n.text(7).upper() in ("L", "LEGAL", "CURRENT", "OFFICIAL")]
    chosen = legal[0] if legal else listed[0]
    _said(values, "family_name", chosen.text(1), 200)
    _said(values, "given_name", chosen.text(2), 200)
    _said(values, "title", chosen.text(5), 60)
    return values


def _postcode(pid: Segment) -> str:
    """The postcode of the home address of PID-11, else of the first that has one."""
    listed = pid.repetitions(11)
    if listed and listed[0].is_null:
        return NULL
    home = [a for a in listed if a.text(7).upper() in ("H", "HOME", "P", "HP")]
    return next((a.text(5) for a in (*home, *listed) if a.text(5)), "")


def _dates(
    pid: Segment, clock: Clock, notes: Notes
) -> dict[str, str | date | datetime | bool | None]:
    values: dict[str, str | date | datetime | bool | None] = {}
    born = pid.text(7)
    if born == NULL:
        values["date_of_birth"] = None
    elif born:
        try:
            stamp = clock.read(born, pid.text(7, 2))
        except BadTime:
            stamp = None
            notes.add("PID-7 is not a date; the date of birth was left as it was.")
        if stamp is not None and stamp.precision >= Precision.DAY:
            values["date_of_birth"] = stamp.day
        elif stamp is not None:
            notes.add("PID-7 names no day; the date of birth was left as it was.")
    died, is_dead = pid.text(29), pid.text(30).upper()
    if died == NULL or (not died and is_dead in ("N", "NO", NULL)):
        values["died_at"] = None
    elif died:
        try:
            stamp = clock.read(died)
        except BadTime:
            stamp = None
            notes.add("PID-29 is not a time; the death was not recorded.")
        if stamp is not None and is_dead not in ("N", "NO"):
            values["died_at"] = stamp.at
    elif is_dead in ("Y", "YES"):
        notes.add("PID-30 says that the patient has died, but PID-29 does not say when.")
    return values
