from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import pytest

from simulation.faults import NONE, Faults
from simulation.session import Session
from tests.simulation.conftest import Run, run
from tests.simulation.receiver import Known, seconds, understand

pytestmark = pytest.mark.xdist_group("fortnight")  # what is simulated once serves all of them

Begin = Callable[..., Session]

BAD_DAY = Faults(
    late_entry=0.12,
    late_discharge=0.25,
    held_up=0.15,
    repeated=0.15,
    wrong_bed=0.08,
    not_gone=0.08,
    registered_twice=0.05,
    other_name=0.2,
    local_segment=0.1,
    short_time=0.2,
    with_offset=0.1,
    aliases={"ERH-HAZ": "HAZEL", "ERH-AMU": "MAU"},
)


@pytest.fixture(scope="module")
def bad_days(begin: Begin) -> Run:
    return run(begin(faults=BAD_DAY), days=6)


@pytest.fixture(scope="module")
def good_days(begin: Begin) -> Run:
    return run(begin(faults=NONE), days=6)


@pytest.fixture(scope="module", params=["fortnight", "good_days", "bad_days"])
def stretch(request: pytest.FixtureRequest) -> Run:
    result: Run = request.getfixturevalue(request.param)
    return result


_KNOWN: dict[str, Known] = {}


@pytest.fixture
def known(stretch: Run, request: pytest.FixtureRequest) -> Known:
    """What the messages of the stretch tell; read once, since that takes long."""
    name = request.node.callspec.params["stretch"]
    if name not in _KNOWN:
        _KNOWN[name] = understand(stretch.texts, stretch.faults.aliases)
    return _KNOWN[name]


def test_the_messages_determine_where_everybody_was(stretch: Run, known: Known) -> None:
    truth = stretch.truth()
    assert len(truth) > 700
    for number, (path, end) in truth.items():
        stay = known.stays[number]
        assert (stay.path, stay.end) == (path, end), number
    invented = {number for number, stay in known.stays.items() if stay.path} - truth.keys()
    assert invented == set()


def test_the_messages_determine_the_state_of_every_bed(stretch: Run, known: Known) -> None:
    engine = stretch.session.engine
    for bed in engine.beds:
        if bed.kind in ("bed", "trolley") and not engine.state.occupant[bed.number]:
            told = known.beds.get(stretch.place(bed.ward, bed.number), "U")
            assert told == engine.state.condition[bed.number]


def test_the_messages_determine_who_everybody_is(stretch: Run, known: Known) -> None:
    engine = stretch.session.engine
    checked = 0
    for visit in engine.state.visits.values():
        person = engine.person_of(visit)
        if visit.number not in known.visit_mrn:
            continue
        mrn = known.mrn_of(visit.number)
        assert mrn == person.mrn[visit.organisation]
        # A correction is told once, by one of the organisations that know the person.
        if len(person.mrn) == 1:
            checked += 1
            assert known.people[mrn] == {
                "family": person.said("family"),
                "given": person.said("given"),
                "born": person.said("born").replace("-", ""),
                "postcode": person.said("postcode"),
            }
    assert checked > 100


def events(texts: list[str]) -> Counter[str]:
    return Counter(text.split("|", 9)[8].split("^")[1] for text in texts)


def test_every_fault_happens_on_bad_days(bad_days: Run) -> None:
    texts = bad_days.texts
    count = events(texts)
    assert len(texts) > len(set(texts)) + 200, "no repeats"
    assert count["A12"] >= 10
    assert count["A13"] >= 5
    assert sum("|XV" in text and "ADT^A11" in text for text in texts) >= 3
    assert sum("|HAZEL^" in text or "|MAU^" in text for text in texts) >= 10
    assert sum("\rZNM|" in text for text in texts) >= 100
    recorded = [text.split("\rEVN|")[1].split("|")[1] for text in texts]
    assert sum(len(time) == 12 for time in recorded) >= 100
    assert sum("+" in time for time in recorded) >= 100


def test_messages_arrive_late_and_out_of_order(fortnight: Run) -> None:
    written = [seconds(text.split("|", 7)[6]) for text in fortnight.texts]
    behind = [
        arrived - made for (arrived, _), made in zip(fortnight.arrivals, written, strict=True)
    ]
    assert max(behind) > 20 * 60
    assert sum(a > b for a, b in pairwise(written)) > 50
    entered_late = [
        made - seconds(text.split("\rEVN|")[1].split("\r")[0].split("|")[5])
        for text, made in zip(fortnight.texts, written, strict=True)
    ]
    assert sum(delay > 30 * 60 for delay in entered_late) > 50
    assert sum(delay < 60 for delay in entered_late) > 0.8 * len(entered_late)


def test_beds_clash_while_a_discharge_is_late(fortnight: Run) -> None:
    """By what has arrived, a newcomer lies in a bed that its last patient has not left."""
    inside: dict[str, str] = {}
    clashes = 0
    for text in fortnight.texts:
        event = text.split("|", 9)[8].split("^")[1]
        if event not in ("A01", "A02", "A03"):
            continue
        pv1 = text.split("\rPV1|")[1].split("\r")[0].split("|")
        visit, place = pv1[18], pv1[2]
        if event == "A03":
            inside.pop(visit, None)
        else:
            clashes += place.split("^")[2] != "" and place in inside.values()
            inside[visit] = place
    assert clashes >= 5


def test_faults_do_not_change_what_is_true(good_days: Run, bad_days: Run) -> None:
    assert good_days.truth() == bad_days.truth()


def test_a_world_without_faults_sends_each_message_once_and_in_order(good_days: Run) -> None:
    texts = good_days.texts
    assert len(texts) == len(set(texts))
    assert not events(texts).keys() & {"A12", "A13"}
    written = [seconds(text.split("|", 7)[6]) for text in texts]
    assert written == sorted(written)
