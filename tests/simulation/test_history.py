from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import hl7
import pytest

from simulation.check import count_events, table
from simulation.clock import DAY, HOUR
from simulation.history import write_history
from simulation.places import Places
from simulation.session import Session
from tests.simulation.conftest import START, drained
from tests.simulation.receiver import seconds, understand

Begin = Callable[..., Session]
DAYS = 3
END = START + DAYS * DAY


@pytest.fixture(scope="module")
def folder(quarter: Places, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("history")
    write_history(
        quarter, folder / "out.hl7", until=END, days=DAYS, seed=3, state=folder / "state",
        say=lambda text: None,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def content(folder: Path) -> str:
    with (folder / "out.hl7").open(encoding="utf-8", newline="") as file:
        return file.read()


def messages_of(content: str) -> list[str]:
    return [f"MSH{part}" for part in content.split("BTS|")[0].split("MSH")[1:]]


def test_the_file_is_one_batch_that_counts_its_messages(content: str) -> None:
    assert content.startswith("FHS|^~\\&|NORTHMOOR-PAS|RNM|")
    assert content.endswith("\rFTS|1\r")
    assert "\n" not in content
    parsed = hl7.parse_file(content)
    (batch,) = parsed
    assert len(batch) == int(content.split("\rBTS|")[1].split("\r")[0]) > 1500


def test_messages_stand_in_the_order_in_which_they_arrive(content: str) -> None:
    written = [seconds(text.split("|", 7)[6]) for text in messages_of(content)]
    assert max(written) < (END + 1) * 60
    late = sum(a > b + 60 for a, b in pairwise(written))
    assert 0 < late < len(written) / 20


def test_the_opening_tells_of_everybody_who_is_there(begin: Begin) -> None:
    session = begin(seed=3)
    texts = [text for _arrived, text in drained(session, float("inf"))]
    known = understand(texts)
    engine = session.engine
    there = {v.number: v for v in engine.state.visits.values() if v.status != "expected"}
    assert {number for number, stay in known.stays.items() if stay.path} == there.keys()
    for number, visit in there.items():
        bed = engine.beds[visit.bed] if visit.bed >= 0 else None
        place = (engine.wards[visit.ward].code, bed.room if bed else "", bed.label if bed else "")
        assert known.stays[number].path[-1][1] == place
        assert known.stays[number].end is None
    admitted = [known.stays[number].path[0][0] for number in there]
    assert min(admitted) < START - 30 * DAY, "nobody has been there for long"


def test_the_system_is_full_from_the_first_hour(content: str, quarter: Places) -> None:
    known = understand(messages_of(content), {"ERH-HAZ": "HAZEL"})
    acute = {ward.code: len(ward.beds) for ward in quarter.wards if ward.is_acute}
    rates = []
    for hour in (1, 30, 70):
        at = START + hour * HOUR
        inside = 0
        for stay in known.stays.values():
            steps = [place for since, place in stay.path if since <= at]
            if steps and (stay.end is None or stay.end > at):
                inside += steps[-1][0] in acute and bool(steps[-1][2])
        rates.append(inside / sum(acute.values()))
    assert min(rates) > 0.8
    assert max(rates) <= 1.0


def test_history_and_live_together_are_one_straight_story(
    folder: Path, content: str, quarter: Places, begin: Begin
) -> None:
    live = Session.load(folder / "state", quarter)
    live.run_until(END + DAY, each=lambda: None)
    continued = messages_of(content) + [text for _at, text in drained(live, float("inf"))]
    straight = begin(seed=3)
    straight.feed.is_full = True
    straight.run_until(END + DAY, each=lambda: None)
    whole = [text for _at, text in drained(straight, float("inf"))]
    # The history leaves out most cleaning, so control ids differ; what moves people does not.
    assert moves(continued) == moves(whole)
    assert len({text.split("|", 10)[9] for text in continued}) == len(set(continued))


def moves(texts: list[str]) -> set[tuple[int, tuple[str, str, str]]]:
    aliases = {"ERH-HAZ": "HAZEL"}
    stays = understand(texts, aliases).stays
    return {(at, place) for stay in stays.values() for at, place in stay.path}


def test_the_last_day_tells_of_trolleys_and_cleaning(content: str) -> None:
    told = [text for text in messages_of(content) if "ADT^A20" in text]
    when = [seconds(text.split("|", 7)[6]) for text in told]
    last_day = sum(second > (END - DAY) * 60 for second in when)
    assert last_day > 150
    assert sum(second <= (END - DAY) * 60 for second in when) < last_day / 3


def test_check_counts_by_event(folder: Path, content: str) -> None:
    counts = count_events(folder / "out.hl7")
    assert sum(counts.values()) == len(messages_of(content))
    assert counts["A01"] > 200
    assert table(counts).splitlines()[-1] == f"all  {sum(counts.values()):7,}"


def test_check_says_when_a_file_holds_no_messages(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("nothing to see")
    with pytest.raises(ValueError, match="holds no HL7 messages"):
        count_events(path)
