from collections import Counter
from random import Random

import hl7
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.engine import Happening
from simulation.messages import PLAIN, Style, Writer, escaped
from simulation.people import invent
from simulation.places import Places
from tests.simulation.conftest import START, Run
from tests.simulation.receiver import place_of
from tests.simulation.test_people import is_valid

pytestmark = pytest.mark.xdist_group("fortnight")  # what is simulated once serves all of them

TOLD = {
    "A01", "A02", "A03", "A04", "A05", "A06", "A08", "A11", "A12", "A13", "A14", "A15", "A16",
    "A17", "A20", "A21", "A22", "A25", "A26", "A27", "A31", "A40",
}  # fmt: skip


@pytest.fixture(scope="module")
def parsed(fortnight: Run) -> list[hl7.Message]:
    return [hl7.parse(text) for text in fortnight.texts[::3]]


def test_a_fortnight_tells_every_kind_of_event(fortnight: Run) -> None:
    told = Counter(text.split("|", 9)[8].split("^")[1] for text in fortnight.texts)
    assert set(told) == TOLD


def test_headers_say_who_what_and_when(parsed: list[hl7.Message]) -> None:
    for message in parsed:
        header = message.segment("MSH")
        assert str(header[3]) == "NORTHMOOR-PAS"
        assert str(header[4]) in ("RNM", "RNC", "NMC", "NCP")
        assert str(header[9][0][0]) == "ADT"
        assert str(header[12]) == "2.4"
        assert str(header[18]) == "UNICODE UTF-8"
        assert str(message.segment("EVN")[1]) == str(header[9][0][1])


def test_a_control_id_names_one_message(fortnight: Run) -> None:
    by_id: dict[str, set[str]] = {}
    for text in fortnight.texts:
        by_id.setdefault(text.split("|", 10)[9], set()).add(text)
    assert all(len(same) == 1 for same in by_id.values())


def test_places_exist_and_name_their_site(
    parsed: list[hl7.Message], quarter: Places, fortnight: Run
) -> None:
    real = {
        (ward.code, bed.room, bed.label): ward.site for ward in quarter.wards for bed in ward.beds
    }
    sites = {ward.code: ward.site for ward in quarter.wards}
    codes = {alias: code for code, alias in fortnight.faults.aliases.items()}
    seen = 0
    for message in parsed:
        segment = {"NPU": 1, "PV1": 3}
        for name, field in segment.items():
            for each in message.segments(name) if name in str(message) else ():
                text = str(each[field])
                place = place_of(text, codes)
                site = real[place] if place[2] else sites[place[0]]
                assert text.split("^")[3] == site
                seen += 1
    assert seen > 2000


def test_patients_have_numbers_for_tests_only(parsed: list[hl7.Message]) -> None:
    numbers = [
        str(number).split("^")
        for message in parsed
        if "\rPID|" in str(message)
        for pid in message.segments("PID")
        for number in str(pid[3]).split("~")
    ]
    nhs = {number for number, *_rest, kind in numbers if kind == "NH"}
    assert len(nhs) > 500
    assert all(number.startswith("999") and is_valid(number) for number in nhs)
    assert {kind for *_rest, kind in numbers} == {"MR", "NH"}


def test_names_beyond_ascii_arrive_as_they_are(fortnight: Run) -> None:
    assert any("Łukowicz" in text or "Ødegren" in text for text in fortnight.texts)


def test_expected_dates_are_told_and_put_off(fortnight: Run) -> None:
    dates: dict[str, set[str]] = {}
    for text in fortnight.texts:
        if "\rPV2|" in text and "\rPV1|" in text:
            visit = text.split("\rPV1|")[1].split("|")[18]
            planned = text.split("\rPV2|")[1].split("\r")[0].split("|")
            if len(planned) > 8 and planned[8]:
                dates.setdefault(visit, set()).add(planned[8])
    assert len(dates) > 300
    assert sum(len(said) > 2 for said in dates.values()) > 20


def test_a_death_is_told_with_the_discharge(fortnight: Run) -> None:
    died = [text for text in fortnight.texts if "ADT^A03" in text and "|79|" in text]
    assert died
    for text in died:
        assert text.split("\rPID|")[1].split("\r")[0].endswith("|Y")


@given(st.text(max_size=60))
def test_escaped_text_breaks_no_message_and_comes_back(text: str) -> None:
    kept = text.replace("\r", " ").replace("\n", " ")
    message = hl7.parse(f"MSH|^~\\&|A|B\rZNM|1|{escaped(text)}|end\r")
    assert str(message.segment("ZNM")[3]) == "end" if kept.isprintable() else True
    field = str(message.segment("ZNM")[2])
    back = field
    for code, sign in (("\\F\\", "|"), ("\\S\\", "^"), ("\\T\\", "&"), ("\\R\\", "~")):
        back = back.replace(code, sign)
    if "\\" not in kept:
        assert back == kept


def test_style_changes_how_times_are_written_not_what_they_say(quarter: Places) -> None:
    writer = Writer(quarter, "QNM")
    person = invent(Random(1), key=1, at=START, sex="F", age=40)
    person.mrn["RNM"] = "M1"
    what = Happening(at=START, event="A31", person=person, organisation="RNM")
    plain = writer.write(what, sent=START * 60 + 5, control_id="1", style=PLAIN)
    short = writer.write(what, sent=START * 60 + 5, control_id="1", style=Style(digits=12))
    zoned = writer.write(what, sent=START * 60 + 5, control_id="1", style=Style(with_offset=True))
    assert "\rEVN|A31|20261021010005||||20261021010000\r" in plain
    assert "\rEVN|A31|202610210100||||202610210100\r" in short
    assert "\rEVN|A31|20261021010005+0100||||20261021010000+0100\r" in zoned
