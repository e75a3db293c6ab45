"""A receiver that makes no mistakes: the messages as a set, applied as the standard says.

Written from HL7 v2.4 chapter 3 alone, it shares nothing with Flowboard's own reading, so that a
history of the simulation can be checked against the truth it came from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
PLACING = ("A01", "A02", "A04", "A06", "A17")
CANCELS = {"A11": ("A01", "A04", "A05"), "A12": ("A02",), "A13": ("A03",)}


@dataclass(frozen=True, order=True)
class Said:
    """One thing said of one visit: `at` and `sent` in minutes and seconds since 1970."""

    at: int
    sent: int
    serial: str
    event: str
    place: tuple[str, str, str]


@dataclass
class Stay:
    """What is known of a visit: where from when, and when it ended."""

    path: list[tuple[int, tuple[str, str, str]]] = field(default_factory=list)
    end: int | None = None


@dataclass
class Known:
    """What the messages add up to."""

    stays: dict[str, Stay]
    beds: dict[tuple[str, str, str], str]
    people: dict[str, dict[str, str]]
    visit_mrn: dict[str, str]
    merged: dict[str, str]

    def mrn_of(self, visit: str) -> str:
        """The number that a visit's patient goes by after all merges."""
        number = self.visit_mrn[visit]
        while number in self.merged:
            number = self.merged[number]
        return number


def seconds(text: str) -> int:
    """An HL7 time as seconds since 1970; local times are London's."""
    digits, offset = (text[:-5], text[-5:]) if text[-5:-4] in ("+", "-") else (text, "")
    parts = [int(digits[at : at + 2]) for at in range(4, len(digits), 2)]
    local = datetime(int(digits[:4]), *parts, tzinfo=LONDON)  # type: ignore[arg-type, misc]
    if offset:
        ahead = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:]))
        local = local.replace(tzinfo=timezone(ahead if offset[0] == "+" else -ahead))
    return int(local.timestamp())


def segments_of(text: str) -> dict[str, list[list[str]]]:
    """The segments of a message by name, their fields numbered as in the standard."""
    found: dict[str, list[list[str]]] = defaultdict(list)
    for line in text.rstrip("\r").split("\r"):
        fields = line.split("|")
        if fields[0] == "MSH":
            fields.insert(1, "|")
        found[fields[0]].append(fields + [""] * (60 - len(fields)))
    return found


def understand(texts: Iterable[str], aliases: Mapping[str, str] | None = None) -> Known:
    """Everything the messages say, whatever their order and however often they came."""
    codes = {alias: code for code, alias in (aliases or {}).items()}
    known = Known({}, {}, {}, {}, {})
    said: dict[str, list[Said]] = defaultdict(list)
    bed_stamps: dict[tuple[str, str, str], tuple[int, int, str]] = {}
    heard: dict[str, tuple[int, str]] = {}
    for text in dict.fromkeys(texts):
        message = segments_of(text)
        (header,), (evn,) = message["MSH"], message["EVN"]
        event, serial = header[9].split("^")[1], header[10]
        sent, at = seconds(evn[2]), seconds(evn[6]) // 60
        if event == "A20":
            (npu,) = message["NPU"]
            bed = place_of(npu[1], codes)
            if bed_stamps.get(bed, (0, 0, "")) < (at, sent, serial):
                bed_stamps[bed] = (at, sent, serial)
                known.beds[bed] = npu[2]
            continue
        for number, pid in enumerate(message["PID"]):
            mrn = pid[3].split("^")[0]
            family, given = pid[5].split("^")[:2]
            if heard.get(mrn, (0, "")) < (sent, serial):
                heard[mrn] = (sent, serial)
                known.people[mrn] = {
                    "family": family,
                    "given": given,
                    "born": pid[7],
                    "postcode": pid[11].split("^")[4],
                }
            if event == "A40":
                known.merged[message["MRG"][0][1].split("^")[0]] = mrn
            if event in ("A31", "A40"):
                continue
            pv1 = message["PV1"][number]
            visit = pv1[19].split("^")[0]
            said[visit].append(Said(at, sent, serial, event, place_of(pv1[3], codes)))
            known.visit_mrn.setdefault(visit, mrn)
    known.stays = {visit: stay_of(each) for visit, each in said.items()}
    return known


def place_of(text: str, codes: Mapping[str, str]) -> tuple[str, str, str]:
    """Ward, bay and bed of a PL, the ward by its proper code."""
    parts = [*text.split("^"), "", "", ""]
    return (codes.get(parts[0], parts[0]), parts[1], parts[2])


def stay_of(said: Iterable[Said]) -> Stay:
    """Match cancellations in the order things were said, then walk in the order they happened."""
    stands: list[Said] = []
    for each in sorted(said, key=lambda s: (s.sent, s.serial)):
        if each.event == "A11":
            stands = []
        elif each.event in CANCELS:
            taken_back = [s for s in stands if s.event in CANCELS[each.event] and s.at == each.at]
            assert taken_back, f"{each.event} takes back nothing"
            stands.remove(taken_back[-1])
        else:
            stands.append(each)
    stay = Stay()
    for each in sorted(stands, key=lambda s: (s.at, s.sent, s.serial)):
        if each.event in PLACING:
            stay.path.append((each.at, each.place))
        elif each.event == "A03":
            assert stay.end is None, "discharged twice"
            stay.end = each.at
        elif each.event in ("A08", "A15", "A16", "A21", "A22", "A25", "A26"):
            assert stay.path, f"{each.event} before the patient came"
            assert each.place == stay.path[-1][1], f"{each.event} says another place"
    return stay
