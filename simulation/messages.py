"""HL7 v2.4 messages as the hospitals' systems write them.

Source of the segments: HL7 v2.4 chapters 2 and 3. Admission method, discharge method and
destination are codes of the NHS Data Dictionary; the specialty is named as in the places file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from simulation.clock import hl7_time
from simulation.engine import Happening
from simulation.people import Person
from simulation.places import Places
from simulation.state import NOWHERE, Visit

APPLICATION: Final = "NORTHMOOR-PAS"
RECEIVER: Final = "FLOWBOARD"
_STRUCTURES: Final = {
    "A04": "ADT_A01", "A08": "ADT_A01", "A11": "ADT_A09", "A12": "ADT_A12", "A13": "ADT_A01",
    "A14": "ADT_A05", "A22": "ADT_A21", "A25": "ADT_A21", "A26": "ADT_A21", "A27": "ADT_A21",
    "A31": "ADT_A05", "A40": "ADT_A39",
}  # fmt: skip
_CONSULTANTS: Final = (
    "Ashcombe^Ruth", "Brindlecote^Owen", "Calderwick^Priya", "Dunholme^Marcus", "Elmstow^Zoë",
    "Ferncliffe^Imran", "Garthwell^Helen", "Hollinbeck^Kwame", "Inglestead^Siân", "Kelthorpe^Paul",
    "Loxbury^Nadia", "Merrowby^Ivan", "Netherfold^Grace", "Oakmere^Hassan", "Pendlewick^Una",
    "Quernford^Simon", "Ravenstow^Amara", "Saltgate^Colin", "Thornholt^Leila", "Ulverdale^Edward",
)  # fmt: skip
_ESCAPED: Final = str.maketrans(
    {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\r": " ", "\n": " "}
)
_METHOD_ADVISED: Final = "1"
_METHOD_DIED: Final = "4"


@dataclass(frozen=True, slots=True)
class Style:
    """How one message is written: habits and oddities that change nothing it says.

    `digits` of times (12 or 14), `with_offset` whether they carry theirs, `local` a Z segment,
    `ward` a name that this sender sometimes uses in place of the ward's code.
    """

    digits: int = 14
    with_offset: bool = False
    local: str = ""
    ward: str = ""


PLAIN: Final = Style()


def escaped(text: str) -> str:
    """Text as it stands in a field."""
    return text.translate(_ESCAPED)


def _segment(name: str, fields: Sequence[str]) -> str:
    return "|".join((name, *fields)).rstrip("|")


def _numbered(name: str, fields: dict[int, str]) -> str:
    return _segment(name, [fields.get(n, "") for n in range(1, max(fields) + 1)])


class Writer:
    """Writes messages about the places of one system."""

    def __init__(self, places: Places, receiver: str) -> None:
        self.places = places
        self.receiver = receiver

    def write(self, what: Happening, *, sent: int, control_id: str, style: Style = PLAIN) -> str:
        """One message, its segments ended by carriage returns.

        `sent` is when the sender recorded and wrote it, in seconds since 1970.
        """
        segments = [
            self._msh(what, sent, control_id, style),
            self._evn(what, sent, style),
            *self._body(what, style),
        ]
        if style.local:
            segments.append(f"ZNM|1|{style.local}")
        return "".join(f"{segment}\r" for segment in segments)

    def location(self, ward: int, bed: int, style: Style = PLAIN) -> str:
        """A place as PL: ward, bay, bed, facility."""
        if ward == NOWHERE:
            return ""
        there = self.places.wards[ward]
        room, label = "", ""
        if bed != NOWHERE:
            room, label = self.places.beds[bed].room, self.places.beds[bed].label
        code = style.ward or there.code
        return "^".join(escaped(part) for part in (code, room, label, there.site))

    def organisation(self, what: Happening) -> str:
        """Whose system tells it."""
        if what.visit is not None:
            return what.visit.organisation
        if what.organisation or what.ward == NOWHERE:
            return what.organisation or next(iter(what.person.mrn if what.person else ()), "")
        return self.places.wards[what.ward].organisation

    def _msh(self, what: Happening, sent: int, control_id: str, style: Style) -> str:
        structure = _STRUCTURES.get(what.event, f"ADT_{what.event}")
        fields = [
            "^~\\&", APPLICATION, self.organisation(what), RECEIVER, self.receiver,
            _time(sent, style), "", f"ADT^{what.event}^{structure}", control_id, "P", "2.4",
            "", "", "AL", "NE", "GBR", "UNICODE UTF-8",
        ]  # fmt: skip
        return _segment("MSH", fields)

    def _evn(self, what: Happening, sent: int, style: Style) -> str:
        recorded, occurred = _time(sent, style), _time(what.at * 60, style)
        return _segment("EVN", [what.event, recorded, "", "", "", occurred])

    def _body(self, what: Happening, style: Style) -> Iterable[str]:
        if what.status:
            yield _segment("NPU", [self.location(what.ward, what.bed, style), what.status])
            return
        organisation = self.organisation(what)
        for part in (what, what.other):
            if part is None or part.person is None:
                continue
            yield _pid(part.person, organisation, part.at * 60 if part.died else 0, style)
            if what.event != "A17":
                yield _segment("PD1", ["", "", f"^^{part.person.practice}"])
            if part.old_number:
                yield _segment("MRG", [f"{part.old_number}^^^{organisation}^MR"])
            if part.visit is not None:
                yield self._pv1(part, part.visit, style)
                plans = _pv2(part.visit, style)
                if plans and what.event != "A17":
                    yield plans

    def _pv1(self, what: Happening, visit: Visit, style: Style) -> str:
        fields = {
            1: "1",
            2: visit.patient_class,
            3: self.location(what.ward, what.bed, style),
            4: visit.method,
            6: self.location(what.from_ward, what.from_bed),
            7: _consultant(visit),
            10: visit.specialty,
            19: f"{visit.number}^^^{visit.organisation}^VN",
        }
        if what.wanted != NOWHERE:
            fields[42] = self.location(what.wanted, NOWHERE)
        if visit.admitted:
            fields[44] = _time(visit.admitted * 60, style)
        if what.event == "A03":
            fields[36] = _METHOD_DIED if what.died else _METHOD_ADVISED
            fields[37] = what.destination
            fields[45] = _time(what.at * 60, style)
        return _numbered("PV1", fields)


def _pid(person: Person, organisation: str, died: int, style: Style) -> str:
    numbers = [f"{person.mrn[organisation]}^^^{organisation}^MR"]
    if person.nhs_number:
        numbers.append(f"{person.nhs_number}^^^NHS^NH")
    fields = {
        1: "1",
        3: "~".join(numbers),
        5: "^".join(
            escaped(x) for x in (person.said("family"), person.said("given"), "", "", person.title)
        ),
        7: person.said("born").replace("-", ""),
        8: person.sex,
        11: f"{escaped(person.address)}^^{escaped(person.town)}^^{person.said('postcode')}^GBR^H",
    }
    if died:
        fields[29], fields[30] = _time(died, style), "Y"
    return _numbered("PID", fields)


def _pv2(visit: Visit, style: Style) -> str:
    fields: dict[int, str] = {}
    if visit.status == "expected" and visit.expected_at:
        fields[8] = _time(visit.expected_at * 60, style)
    if visit.expected_discharge:
        fields[9] = _time(visit.expected_discharge * 60, style)
    if visit.status == "leave" and visit.leave_until:
        fields[47] = _time(visit.leave_until * 60, style)
    return _numbered("PV2", fields) if fields else ""


def _consultant(visit: Visit) -> str:
    # A few consultants to each specialty, the same ones always.
    start = sum(visit.specialty.encode()) % len(_CONSULTANTS)
    number = (start + visit.consultant) % len(_CONSULTANTS)
    return f"C{4_100_200 + 37 * number}^{_CONSULTANTS[number]}^^^Dr"


def _time(second: int, style: Style) -> str:
    return hl7_time(second, digits=style.digits, with_offset=style.with_offset)
