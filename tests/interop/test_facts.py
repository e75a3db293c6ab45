"""What messages mean: each event, its times, its places, its numbers, and the key of it all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interop.hl7v2.events import BY_CODE
from interop.hl7v2.facts import Sender, Unusable
from interop.hl7v2.places import Location
from interop.hl7v2.statements import keyed
from interop.hl7v2.understanding import End, Verdict, understand
from patients.keys import PersonKey, VisitKey
from tests.interop.building import LONDON, SENDER, adt, facts, real_messages, said, segment
from wards.facts import Described, Joined, Moved, MovementKind, VisitGiven, VisitJoined

Kind = MovementKind
NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
MRG = segment("MRG", f1="M2^^^RNM^MR")


def at(hour: int, minute: int = 0) -> datetime:
    return NOON.replace(hour=hour, minute=minute)


def moved(raw: bytes) -> Moved:
    (fact,) = facts(raw)
    assert isinstance(fact, Moved)
    return fact


@pytest.mark.parametrize(
    ("event", "kinds"),
    [
        ("A01", [Kind.ADMITTED]),
        ("A02", [Kind.TRANSFERRED]),
        ("A03", [Kind.DISCHARGED]),
        ("A04", [Kind.ADMITTED]),
        ("A05", [Kind.EXPECTED]),
        ("A06", [Kind.TRANSFERRED]),
        ("A07", [Kind.TRANSFERRED]),
        ("A08", [Kind.OBSERVED]),
        ("A09", [Kind.TRACKED]),
        ("A10", [Kind.TRACKED]),
        ("A11", [Kind.CANCELLED_ADMIT]),
        ("A12", [Kind.CANCELLED_TRANSFER, Kind.OBSERVED]),
        ("A13", [Kind.CANCELLED_DISCHARGE, Kind.OBSERVED]),
        ("A14", [Kind.PENDING_ADMIT]),
        ("A15", [Kind.PENDING_TRANSFER, Kind.OBSERVED]),
        ("A16", [Kind.PENDING_DISCHARGE, Kind.OBSERVED]),
        ("A21", [Kind.LEFT]),
        ("A22", [Kind.RETURNED]),
        ("A23", [Kind.DELETED]),
        ("A25", [Kind.CANCELLED_PENDING_DISCHARGE, Kind.OBSERVED]),
        ("A26", [Kind.CANCELLED_PENDING_TRANSFER, Kind.OBSERVED]),
        ("A27", [Kind.CANCELLED_PENDING_ADMIT]),
        ("A28", [Kind.OBSERVED]),
        ("A31", [Kind.OBSERVED]),
        ("A38", [Kind.CANCELLED_EXPECTED]),
        ("A52", [Kind.CANCELLED_LEAVE, Kind.OBSERVED]),
        ("A60", [Kind.OBSERVED]),
    ],
)
def test_each_event_moves_or_sees_a_patient(event: str, kinds: list[Kind]) -> None:
    meaning = said(adt(event, place="W1^A^1^NGH"))
    assert [s.fact.kind for s in meaning.statements if isinstance(s.fact, Moved)] == kinds
    assert {s.place for s in meaning.statements} == {Location("NGH", "W1", "A", "1")}


@pytest.mark.parametrize("event", ["A28", "A31", "A60"])
def test_person_events_without_a_place_only_describe(event: str) -> None:
    (fact,) = facts(adt(event, visit="", pv1={"f2": "N"}))
    assert isinstance(fact, Described)
    assert fact.details.values["family_name"] == "SMITH"


def test_an_update_without_any_visit_only_describes() -> None:
    (fact,) = facts(adt("A08", visit=""))
    assert isinstance(fact, Described)


def test_an_update_of_a_visit_without_a_place_still_speaks_of_the_stay() -> None:
    fact = moved(adt("A08", pv1={"f10": "CARDIO"}))
    assert (fact.kind, fact.place, fact.stay["specialty"]) == (Kind.OBSERVED, None, "CARDIO")


def test_a_deleted_person_is_marked_so() -> None:
    *_, last = facts(adt("A29", visit=""))
    assert isinstance(last, Described)
    assert last.details.values == {"is_deleted": True}


# --- when --------------------------------------------------------------------------------------


def test_it_happened_when_evn_6_says_and_was_said_when_it_was_recorded() -> None:
    fact = moved(
        adt("A02", made="20260110130000", recorded="20260110125900", occurred="20260110120000")
    )
    assert (fact.occurred_at, fact.sent_at) == (NOON, at(12, 59))


def test_without_evn_6_an_admission_happened_at_pv1_44() -> None:
    fact = moved(adt("A01", made="20260110130000", pv1={"f44": "20260110120000"}))
    assert (fact.occurred_at, fact.admitted_at) == (NOON, NOON)


def test_without_evn_6_a_discharge_happened_at_pv1_45() -> None:
    fact = moved(adt("A03", made="20260110130000", pv1={"f45": "20260110120000"}))
    assert (fact.occurred_at, fact.discharged_at) == (NOON, NOON)


def test_without_either_it_happened_when_it_was_recorded_else_when_it_was_sent() -> None:
    assert moved(adt("A02", recorded="20260110115900")).occurred_at == at(11, 59)
    raw = adt("A02").replace(b"EVN|A02|20260110120000", b"EVN|A02")
    assert moved(raw).occurred_at == NOON


def test_a_recording_that_lies_after_the_message_or_names_only_a_day_is_not_when_it_was_said() -> (
    None
):
    assert moved(adt("A02", recorded="20290801070624")).sent_at == NOON
    assert moved(adt("A02", recorded="20260110")).sent_at == NOON
    assert moved(adt("A02", made="202601101200", recorded="20260110120030")).sent_at == at(
        12
    ).replace(second=30)


def test_a_date_without_time_is_refined_by_a_time_of_that_day() -> None:
    fact = moved(adt("A03", pv1={"f45": "20260110"}))
    assert (fact.occurred_at, fact.discharged_at) == (NOON, NOON)
    other_day = moved(adt("A03", pv1={"f45": "20260109"}))
    assert other_day.discharged_at == datetime(2026, 1, 9, tzinfo=UTC)


def test_a_message_that_never_says_when_is_held() -> None:
    raw = adt("A02", made="").replace(b"EVN|A02||", b"EVN|A02")
    with pytest.raises(Unusable) as held:
        said(raw)
    assert held.value.code == "no_time"


def test_pv1_44_alone_is_enough_for_an_admission() -> None:
    raw = adt("A01", made="", pv1={"f44": "20260110120000"})
    fact = moved(raw)
    assert (fact.occurred_at, fact.sent_at) == (NOON, NOON)


def test_a_time_that_is_none_is_noted_and_the_next_is_used() -> None:
    meaning = said(adt("A02", occurred="yesterday"))
    assert isinstance(meaning.statements[0].fact, Moved)
    assert meaning.statements[0].fact.occurred_at == NOON
    assert meaning.notes == ("EVN-6 is not a time; it was not used.",)


def test_a_discharge_before_the_admission_is_not_used() -> None:
    meaning = said(adt("A01", pv1={"f44": "20260110110000", "f45": "20000101000000"}))
    fact = meaning.statements[0].fact
    assert isinstance(fact, Moved)
    assert (fact.admitted_at, fact.discharged_at) == (at(11), None)
    assert meaning.notes


@pytest.mark.parametrize(
    "event", ["A11", "A13", "A16", "A23", "A25", "A26", "A27", "A38", "A05", "A14"]
)
def test_a_discharge_time_in_a_plan_or_a_cancellation_ends_nothing(event: str) -> None:
    for fact in facts(adt(event, place="W1", pv1={"f45": "20260110130000"})):
        if isinstance(fact, Moved) and fact.kind is not Kind.OBSERVED:
            assert fact.discharged_at is None


def test_a_called_off_pre_admission_tells_of_no_admission() -> None:
    assert moved(adt("A38", pv1={"f44": "20260112090000"})).admitted_at is None


def test_before_an_admission_the_times_are_expectations() -> None:
    fact = moved(adt("A05", pv1={"f44": "20260112090000", "f45": "20260114090000"}))
    assert fact.admitted_at is None
    assert fact.stay["expected_at"] == "2026-01-12T09:00:00+00:00"
    assert fact.stay["expected_discharge_at"] == "2026-01-14T09:00:00+00:00"


def test_a_pending_discharge_says_when_it_is_expected() -> None:
    pending, _ = facts(
        adt("A16", segment("PV2", f9="20260113100000"), place="W1", pv1={"f44": "20260109080000"})
    )
    assert isinstance(pending, Moved)
    assert pending.stay["expected_discharge_at"] == "2026-01-13T10:00:00+00:00"
    assert pending.admitted_at == datetime(2026, 1, 9, 8, tzinfo=UTC)


# --- where -------------------------------------------------------------------------------------


def test_places_are_the_sender_s_own_codes() -> None:
    meaning = said(
        adt("A02", place="HUH AE OMU&9.8&ISO^OMU B^Bed 03^HOMERTON UNIVER^^C", pv1={"f6": "W0^^2"})
    )
    (statement,) = meaning.statements
    assert statement.place == Location("HOMERTON UNIVER", "HUH AE OMU", "OMU B", "Bed 03")
    assert statement.from_place == Location("", "W0", "", "2")


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("", None),
        ("^^^", None),
        ('""', None),
        ('""^""^""', None),
        ("^^^Toronto^^5642", Location(facility="Toronto")),
        ("^12^3", Location(room="12", bed="3")),
        ("&1.2.3&ISO^A", Location(point_of_care="1.2.3", room="A")),
        ("4 East, room 136, bed B 4E^136", Location("", "4 East, room 136, bed B 4E", "136")),
        ("A\\T\\E", Location(point_of_care="A&E")),
    ],
)
def test_places_are_read_as_far_as_they_are_said(text: str, location: Location | None) -> None:
    assert said(adt("A01", place=text)).statements[0].place == location


def test_a_pending_transfer_wants_another_ward() -> None:
    pending, seen = said(adt("A15", place="W1^A^1", pv1={"f42": "W2"})).statements
    assert pending.wanted == Location(point_of_care="W2")
    assert seen.wanted is None
    assert seen.place == Location("", "W1", "A", "1")


def test_a_pending_admission_wants_pv1_42_or_else_the_place_it_names() -> None:
    assert said(adt("A14", place="W1", pv1={"f42": "W2"})).statements[0].wanted == Location(
        "", "W2"
    )
    assert said(adt("A14", place="W1")).statements[0].wanted == Location("", "W1")
    assert said(adt("A02", place="W1", pv1={"f42": "W2"})).statements[0].wanted is None


def test_the_temporary_place_moves_nobody() -> None:
    assert said(adt("A09", place="W1", pv1={"f11": "XRAY"})).statements[0].place == Location(
        "", "W1"
    )


# --- who and which visit ------------------------------------------------------------------------


def test_a_visit_is_named_by_its_number_else_by_the_account() -> None:
    assert moved(adt("A01", visit="V7^^^AccMgr^VN")).visit == VisitKey("PAS", "V7")
    account = moved(adt("A01", visit="", pid={"f18": "ACC^^^X"}, pv1={"f2": "I"}))
    assert account.visit == VisitKey("PAS account", "ACC")
    assert moved(adt("A01", visit="", pv1={"f2": "I"})).visit is None
    assert moved(adt("A01", visit='""', pv1={"f2": "I"})).visit is None


def test_what_is_said_of_the_stay_is_kept_and_taken_back() -> None:
    fact = moved(
        adt(
            "A01",
            pv1={
                "f2": "I",
                "f4": "21",
                "f7": "C1^GREY^MEREDITH^^^DR",
                "f10": "300",
                "f36": "19",
                "f37": '""',
            },
        )
    )
    assert fact.stay == {
        "patient_class": "I",
        "admission_method": "21",
        "consultant": "DR GREY, MEREDITH",
        "specialty": "300",
        "discharge_destination": None,
    }


def test_the_consultant_is_pv1_9_before_pv1_7_and_a_number_without_a_name() -> None:
    fact = moved(adt("A01", pv1={"f7": "C1^ONE", "f9": "C2"}))
    assert fact.stay["consultant"] == "C2"


def test_a_swap_moves_both() -> None:
    second = segment("PID", f3="M2^^^RNM^MR"), segment("PV1", f3="W1^A^1", f6="W1^A^2", f19="V2")
    meaning = said(adt("A17", *second, place="W1^A^2", pv1={"f6": "W1^A^1"}))
    assert [
        (s.fact.person.value, s.place.bed, s.from_place.bed)
        for s in meaning.statements
        if s.place and s.from_place
    ] == [("M1", "2", "1"), ("M2", "1", "2")]
    assert {s.fact.kind for s in meaning.statements if isinstance(s.fact, Moved)} == {
        Kind.TRANSFERRED
    }


@pytest.mark.parametrize("event", ["A40", "A43", "A47"])
def test_a_merge_joins_every_number_that_is_given_up(event: str) -> None:
    mrg = segment("MRG", f1="M2^^^RNM^MR~M3^^^RNM^MR")
    joins = [f for f in facts(adt(event, mrg, visit="")) if isinstance(f, Joined)]
    assert [(f.person, f.other, f.survivor) for f in joins] == [
        (PersonKey("RNM", "M1"), PersonKey("RNM", "M2"), True),
        (PersonKey("RNM", "M1"), PersonKey("RNM", "M3"), True),
    ]


def test_several_merges_in_one_message_are_all_made() -> None:
    more = segment("PID", f3="M5^^^RNM^MR"), segment("MRG", f1="M6^^^RNM^MR")
    joins = [f for f in facts(adt("A40", MRG, *more, visit="")) if isinstance(f, Joined)]
    assert [(f.person.value, f.other.value) for f in joins] == [("M1", "M2"), ("M5", "M6")]


def test_a_merge_says_where_the_survivor_is_if_it_names_a_place() -> None:
    meaning = said(adt("A40", MRG, place="W1^A^1"))
    assert [type(s.fact).__name__ for s in meaning.statements] == ["Joined", "Moved"]


def test_a_merge_with_itself_changes_nothing_and_says_so() -> None:
    meaning = said(adt("A40", segment("MRG", f1="M1^^^RNM^MR"), visit=""))
    assert [type(s.fact).__name__ for s in meaning.statements] == ["Described"]
    assert meaning.notes


def test_a_merge_without_a_number_is_held() -> None:
    with pytest.raises(Unusable) as held:
        said(adt("A40", segment("MRG", f3="ACC"), visit=""))
    assert held.value.code == "no_other"


@pytest.mark.parametrize(
    ("mrn", "prior", "authority"),
    [
        ("M1^^^RNM^MR", "M2", "RNM"),
        ("M1^^^RNM^MR", "M2^^^OLD^MR", "OLD"),
        ("M1", "M2", "PAS"),
        ("9990000018^^^NHS^NH", "M2", "PAS"),
    ],
)
def test_a_number_given_up_without_an_authority_is_of_the_survivor_s(
    mrn: str, prior: str, authority: str
) -> None:
    (join, *_) = facts(adt("A40", segment("MRG", f1=prior), mrn=mrn, visit=""))
    assert isinstance(join, Joined)
    assert join.other == PersonKey(authority, "M2")


def test_a_link_joins_and_lets_both_stand() -> None:
    meaning = facts(adt("A24", segment("PID", f3="M2^^^RNM^MR"), visit=""))
    (join,) = [f for f in meaning if isinstance(f, Joined)]
    assert (join.person.value, join.other.value, join.survivor) == ("M1", "M2", False)
    assert {f.person.value for f in meaning if isinstance(f, Described)} == {"M1", "M2"}
    with pytest.raises(Unusable):
        said(adt("A24", visit=""))


@pytest.mark.parametrize(
    ("event", "visit", "account", "mrg", "kept", "other"),
    [
        ("A42", "V1", "", {"f5": "V0"}, ("PAS", "V1"), ("PAS", "V0")),
        ("A50", "V1", "", {"f5": "V0"}, ("PAS", "V1"), ("PAS", "V0")),
        ("A41", "V1", "ACC1", {"f3": "ACC0"}, ("PAS account", "ACC1"), ("PAS account", "ACC0")),
        ("A49", "V1", "ACC1", {"f3": "ACC0"}, ("PAS account", "ACC1"), ("PAS account", "ACC0")),
        ("A06", "V1", "", {"f5": "V0"}, ("PAS", "V1"), ("PAS", "V0")),
        ("A07", "", "ACC1", {"f3": "ACC0"}, ("PAS account", "ACC1"), ("PAS account", "ACC0")),
    ],
)
def test_visits_are_joined(
    event: str,
    visit: str,
    account: str,
    mrg: dict[str, str],
    kept: tuple[str, str],
    other: tuple[str, str],
) -> None:
    raw = adt(event, segment("MRG", **mrg), visit=visit, pid={"f18": account}, pv1={"f2": "I"})
    joins = [f for f in facts(raw) if isinstance(f, VisitJoined)]
    assert [(f.visit, f.other) for f in joins] == [(VisitKey(*kept), VisitKey(*other))]


def test_a_join_of_visits_that_names_none_is_noted() -> None:
    meaning = said(adt("A42", segment("MRG", f1="M1")))
    assert not any(isinstance(s.fact, VisitJoined) for s in meaning.statements)
    assert meaning.notes


@pytest.mark.parametrize(
    ("event", "visit", "mrg", "given_"),
    [
        ("A45", "V1", {"f1": "M2", "f5": "V1"}, [("PAS", "V1")]),
        ("A45", "V1", {"f1": "M2", "f5": "V0"}, [("PAS", "V1"), ("PAS", "V0")]),
        ("A45", "", {"f1": "M2", "f3": "ACC"}, [("PAS account", "ACC")]),
        ("A44", "", {"f1": "M2", "f3": "ACC"}, [("PAS account", "ACC")]),
    ],
)
def test_a_visit_is_given_to_another_person(
    event: str, visit: str, mrg: dict[str, str], given_: list[tuple[str, str]]
) -> None:
    raw = adt(event, segment("MRG", **mrg), visit=visit, pv1={"f2": "I"})
    assert [f.visit for f in facts(raw) if isinstance(f, VisitGiven)] == [
        VisitKey(*key) for key in given_
    ]


def test_a_move_of_visits_may_give_several() -> None:
    raw = adt(
        "A45",
        segment("MRG", f1="M2", f5="V1"),
        segment("PV1", f3="W1", f19="V1"),
        segment("MRG", f1="M2", f5="V2"),
        segment("PV1", f3="W2", f19="V2"),
        visit="",
    )
    assert [f.visit.number for f in facts(raw) if isinstance(f, VisitGiven)] == ["V1", "V2"]


def test_a_bed_says_its_state() -> None:
    raw = adt("A20", segment("NPU", f1="W1^A^3^NGH", f2="K^Contaminated"), visit="")
    (bed,) = said(raw).beds
    assert (bed.bed, bed.status, bed.occurred_at) == (Location("NGH", "W1", "A", "3"), "K", NOON)


@pytest.mark.parametrize(
    ("npu", "code"),
    [({"f1": "W1^A", "f2": "K"}, "no_bed"), ({"f1": "W1^A^1", "f2": "X"}, "bad_bed_status")],
)
def test_a_bed_status_that_cannot_be_used_is_held(npu: dict[str, str], code: str) -> None:
    with pytest.raises(Unusable) as held:
        said(adt("A20", segment("NPU", **npu), visit=""))
    assert held.value.code == code
    with pytest.raises(Unusable):
        said(adt("A20", visit=""))


def test_an_alternate_number_is_knowingly_ignored() -> None:
    assert "PV1-50" in said(adt("A51")).ignored


@pytest.mark.parametrize(
    ("mrn", "code"), [("", "no_patient"), ("9" * 101, "bad_patient"), ('""', "no_patient")]
)
def test_a_message_about_nobody_is_held(mrn: str, code: str) -> None:
    with pytest.raises(Unusable) as held:
        said(adt("A01", mrn=mrn))
    assert held.value.code == code
    assert "9999" not in held.value.reason


def test_a_message_without_pid_is_held() -> None:
    with pytest.raises(Unusable) as held:
        said(b"MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|P|2.4\rPV1|1|I")
    assert held.value.code == "no_patient"


def test_a_visit_number_that_is_too_long_is_held() -> None:
    with pytest.raises(Unusable):
        said(adt("A01", visit="9" * 101))


# --- the key ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "recorded", "occurred", "times"),
    [
        # Only the header has an offset, and settles the others.
        ("20261025013000+0000", "20261025012900", "20261025012500", ("01:25", "01:29")),
        ("20261025013000+0100", "20261025012900", "20261025012500", ("00:25", "00:29")),
        # Another time of the message settles the rest as well, the header's among them.
        ("20261025013000", "20261025012900+0000", "20261025012500", ("01:25", "01:29")),
        ("20261025013000", "20261025012900", "20261025012500+0000", ("01:25", "01:29")),
        ("20261025013000", "20261025", "20261025012500+0000", ("01:25", "01:30")),
        # Sent again days later: the header tells nothing, EVN-6 does.
        ("20261028090000+0000", "20261025012900", "20261025012500+0000", ("01:25", "01:29")),
        # Nothing tells.
        ("20261025013000", "20261025012900", "20261025012500", ("00:25", "00:29")),
        ("20261028090000+0000", "20261025012900", "20261025012500", ("00:25", "00:29")),
    ],
)
def test_on_the_night_the_clocks_go_back_one_offset_settles_the_message(
    made: str, recorded: str, occurred: str, times: tuple[str, str]
) -> None:
    raw = adt("A02", place="W1", made=made, recorded=recorded, occurred=occurred)
    (moved,) = (fact for fact in facts(raw) if isinstance(fact, Moved))
    told = (moved.occurred_at, moved.sent_at)
    assert tuple(f"{moment.astimezone(UTC):%H:%M}" for moment in told) == times


def test_on_that_night_admission_and_expected_discharge_are_settled_too() -> None:
    raw = adt(
        "A01",
        segment("PV2", f9="20261025015000"),
        place="W1",
        made="20261025012000+0000",
        pv1={"f44": "20261025011500"},
    )
    (moved,) = (fact for fact in facts(raw) if isinstance(fact, Moved))
    assert moved.admitted_at == datetime(2026, 10, 25, 1, 15, tzinfo=UTC)
    assert moved.stay["expected_discharge_at"] == "2026-10-25T01:50:00+00:00"


def keys(raw: bytes, sender: Sender = SENDER) -> list[str]:
    return [statement.fact.key for statement in said(raw, sender).statements]


def test_the_same_message_in_a_new_envelope_says_the_same() -> None:
    first = adt("A02", place="W1^A^1", recorded="20260110115900", control="C1")
    again = adt(
        "A02", place="W1^A^1", recorded="20260110115900", control="C2", made="20260110180000"
    )
    assert keys(first) == keys(again)


def test_the_same_said_later_is_said_anew() -> None:
    first = adt("A02", place="W1", recorded="20260110115900", occurred="20260110110000")
    later = adt("A02", place="W1", recorded="20260110125900", occurred="20260110110000")
    assert not set(keys(first)) & set(keys(later))


def test_where_nothing_but_the_header_says_when_a_new_envelope_says_it_anew() -> None:
    first, again = (
        adt("A02", place="W1", recorded='""', occurred="20260110110000", made=made)
        for made in ("20260110120000", "20260110130000")
    )
    assert not set(keys(first)) & set(keys(again))


@pytest.mark.parametrize("name", ["sent_at", "occurred_at", "kind", "visit", "person"])
def test_the_key_holds_what_was_said_and_when(name: str) -> None:
    (statement,) = said(adt("A02", place="W1")).statements
    fact = statement.fact
    assert isinstance(fact, Moved)
    others: dict[str, object] = {
        "sent_at": fact.sent_at + timedelta(seconds=1),
        "occurred_at": fact.occurred_at + timedelta(seconds=1),
        "kind": Kind.ADMITTED,
        "visit": VisitKey("PAS", "V2"),
        "person": PersonKey("RNM", "M2"),
    }
    other = keyed(replace(statement, fact=replace(fact, **{name: others[name]})))  # type: ignore[arg-type]
    assert keyed(statement).fact.key == fact.key
    assert other.fact.key != fact.key


def test_whatever_is_not_understood_is_no_part_of_what_was_said() -> None:
    assert keys(adt("A01", place="W1")) == keys(adt("A01", "ZXX|1", "OBX|1", place="W1"))


@pytest.mark.parametrize(
    "other",
    [
        adt("A02", place="W1^A^2"),
        adt("A02", place="W1^A^1", occurred="20260110115900"),
        adt("A02", place="W1^A^1", made="20260110120001"),
        adt("A02", place="W1^A^1", visit="V2"),
        adt("A02", place="W1^A^1", mrn="M9^^^RNM^MR"),
        adt("A02", place="W1^A^1", pv1={"f10": "X"}),
        adt("A02", place="W1^A^1", pid={"f5": "SMYTH"}),
        adt("A08", place="W1^A^1"),
        adt("A02", place="", pv1={"f6": "W1^A^1"}),
    ],
)
def test_whatever_differs_in_meaning_has_another_key(other: bytes) -> None:
    assert not set(keys(adt("A02", place="W1^A^1"))) & set(keys(other))


def test_every_key_is_64_characters_and_every_fact_has_its_own() -> None:
    found = keys(adt("A45", segment("MRG", f1="M2", f5="V0"), place="W1"))
    assert len(set(found)) == len(found) == 4
    assert {len(key) for key in found} == {64}


def test_two_statements_differ_only_in_place_have_two_keys() -> None:
    one, other = said(adt("A15", place="W1", pv1={"f42": "W2"})).statements
    assert replace(one.fact, key="") != replace(other.fact, key="")
    assert one.fact.key != other.fact.key


# --- everything ---------------------------------------------------------------------------------


def test_every_captured_message_means_something_or_says_why_not() -> None:
    ends: dict[str, int] = {}
    for path in real_messages():
        (understood,) = understand([path.read_bytes()], SENDER)
        end = understood.end.value if isinstance(understood, Verdict) else "meaning"
        ends[end] = ends.get(end, 0) + 1
        if isinstance(understood, Verdict):
            assert understood.reason, path
            assert understood.code != "failed", path
    assert ends == {"meaning": 220, "held": 11, "rejected": 8}


EVENTS = st.sampled_from(sorted(BY_CODE))
VALUES = st.one_of(
    st.sampled_from(
        ["", '""', "M1^^^RNM^MR", "W1^A^1^NGH", "20260110120000", "2026", "V1", "~", "^^^", "H"]
    ),
    st.text(max_size=12),
)


@given(
    EVENTS,
    st.lists(
        st.tuples(
            st.sampled_from(["EVN", "PID", "PV1", "PV2", "PD1", "MRG", "NPU"]),
            st.dictionaries(st.integers(1, 50), VALUES, max_size=8),
        ),
        max_size=6,
    ),
    VALUES,
)
def test_no_message_makes_understanding_fail(
    event: str, body: list[tuple[str, dict[int, str]]], made: str
) -> None:
    lines = [f"MSH|^~\\&|A|B|C|D|{made}||ADT^{event}|1|P|2.5"]
    for name, fields in body:
        lines.append(segment(name, **{f"f{number}": text for number, text in fields.items()}))
    raw = "\r".join(lines).encode("utf-8", "surrogatepass")
    (understood,) = understand([raw], Sender("X", LONDON))
    assert not isinstance(understood, Verdict) or understood.code != "failed"


@given(st.binary(max_size=300))
def test_no_bytes_make_understanding_fail(raw: bytes) -> None:
    (understood,) = understand([b"MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|P|2.5\r" + raw], SENDER)
    assert not isinstance(understood, Verdict) or understood.code != "failed"


def test_a_failure_is_held_and_tells_no_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("SMITH")

    monkeypatch.setattr("interop.hl7v2.understanding.meaning", broken)
    (understood,) = understand([adt("A01")], SENDER)
    assert isinstance(understood, Verdict)
    assert (understood.end, understood.code) == (End.HELD, "failed")
    assert "SMITH" not in understood.reason
