"""From stored messages to stays: in any order, whatever fails, nothing lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import permutations

import pytest
from django.db import IntegrityError, OperationalError

from interop import applying
from interop.applying import Applier, replay
from interop.models import LocationCode, Message
from patients.models import Episode, Patient
from tests.interop.building import adt, segment
from tests.interop.delivering import NOW, apply_all, deliver, ends, keep, picture, stays, way
from wards.facts import Fact
from wards.models import BedRequest, BedStatus, Occupancy, Site, Ward
from wards.movements import Outcome, record

pytestmark = pytest.mark.django_db

HISTORY = [
    adt("A01", place="NGH-W1^A^1^NGH", recorded="20260110090000", occurred="20260110090000"),
    adt("A02", place="NGH-W2^^2^NGH", recorded="20260110100000", occurred="20260110100000"),
    adt("A03", place="NGH-W2^^2^NGH", recorded="20260110113000", occurred="20260110110000"),
]


def moment(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 1, 10, hour, minute, tzinfo=UTC)


def test_a_stay_is_what_its_messages_add_up_to(hospital: Site) -> None:
    assert deliver(*HISTORY) == {"applied": 3}
    (stay,) = stays("V1")
    assert (stay.status, stay.admitted_at, stay.discharged_at) == (
        "discharged",
        moment(9),
        moment(11),
    )
    assert way(stay) == [
        ("NGH-W1", "A", "1", moment(9), moment(10)),
        ("NGH-W2", None, "2", moment(10), moment(11)),
    ]
    assert Patient.objects.get().family_name == "SMITH"


@pytest.mark.parametrize("order", [(2, 1, 0), (1, 0, 2), (1, 2, 0)])
@pytest.mark.parametrize("batch", [1, 200])
def test_the_order_of_arrival_makes_no_difference(
    hospital: Site, order: tuple[int, ...], batch: int
) -> None:
    deliver(*(HISTORY[n] for n in order), batch=batch)
    (stay,) = stays("V1")
    assert (stay.status, len(way(stay))) == ("discharged", 2)


def test_a_message_sent_again_in_a_new_envelope_changes_nothing(hospital: Site) -> None:
    deliver(*HISTORY)
    before = picture()
    again = [raw.replace(b"|C1|", b"|C2|").replace(b"20260110120000||ADT", b"20260110150000||ADT") for raw in HISTORY]  # fmt: skip  # noqa: E501
    assert deliver(*again) == {"duplicate": 3}
    assert picture() == before


def test_a_transfer_sent_again_after_its_cancellation_stays_cancelled(hospital: Site) -> None:
    cancel = adt(
        "A12", place="NGH-W1^A^1^NGH", recorded="20260110103000", occurred="20260110100000"
    )
    again = HISTORY[1].replace(b"|C1|", b"|C9|").replace(b"20260110120000||", b"20260110180000||")
    deliver(HISTORY[0], HISTORY[1], cancel, again)
    (stay,) = stays("V1")
    assert way(stay) == [("NGH-W1", "A", "1", moment(9), None)]


EXPECTED = adt(
    "A05",
    place="NGH-W1^A^1^NGH",
    recorded="20260110080000",
    pv1={"f44": "20260112090000"},
)


def called_off(recorded: str) -> bytes:
    return adt("A38", place="NGH-W1^A^1^NGH", recorded=recorded, pv1={"f44": "20260112090000"})


@pytest.mark.parametrize("event", ["A38", "A11"])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_pre_admission_is_called_off(hospital: Site, event: str, backwards: bool) -> None:
    off = called_off("20260110083000").replace(b"ADT^A38", b"ADT^" + event.encode())
    sent = [EXPECTED, off.replace(b"EVN|A38", b"EVN|" + event.encode())]
    ended = deliver(*(reversed(sent) if backwards else sent))
    assert ended == {"applied": 2}
    (stay,) = stays("V1")
    assert stay.status == "cancelled"
    assert not BedRequest.objects.filter(period__contains=NOW).exists()


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("recorded", ["20260110083000", "20260110093000"])
def test_calling_off_a_pre_admission_leaves_whoever_was_admitted(
    hospital: Site, order: tuple[int, ...], recorded: str
) -> None:
    """Said before they came or after."""
    sent = [EXPECTED, HISTORY[0], called_off(recorded)]
    deliver(*(sent[n] for n in order))
    (stay,) = stays("V1")
    assert (stay.status, stay.admitted_at) == ("in_hospital", moment(9))
    assert way(stay) == [("NGH-W1", "A", "1", moment(9), None)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_name_that_was_changed_and_changed_back_is_the_one_said_last(
    hospital: Site, order: Sequence[int]
) -> None:
    said = [
        adt("A31", visit="", recorded=f"202601101{n}0000", pid={"f5": f"{name}^JO"})
        for n, name in enumerate(("SMITH", "JONES", "SMITH"))
    ]
    deliver(*(said[n] for n in order))
    assert Patient.objects.get().family_name == "SMITH"


def test_a_bed_s_state_is_recorded(hospital: Site) -> None:
    raw = adt("A20", segment("NPU", f1="NGH-W2^^1^NGH", f2="H"), visit="")
    assert deliver(raw) == {"applied": 1}
    status = BedStatus.objects.get()
    assert (status.status, status.bed.label, status.source) == ("H", "1", "PAS-RNM")
    assert deliver(raw.replace(b"|C1|", b"|C2|")) == {"duplicate": 1}


def test_what_cannot_be_applied_is_held_or_ignored_with_the_reason(hospital: Site) -> None:
    counts = deliver(adt("A01", mrn=""), adt("A51"), *HISTORY)
    assert counts == {"held": 1, "ignored": 1, "applied": 3}
    held = Message.objects.get(status="held")
    assert (held.reason_code, held.attempts) == ("no_patient", 1)
    assert held.reason
    assert "PV1-50" in Message.objects.get(status="ignored").reason


def test_what_was_odd_is_noted_on_a_message_that_was_applied(hospital: Site) -> None:
    deliver(adt("A01", place="NGH-W1", pid={"f8": "Q"}))
    message = Message.objects.get()
    assert (message.status, message.reason_code) == ("applied", "noted")
    assert message.reason.startswith("PID-8")


def test_a_bad_message_is_held_and_the_others_go_on(
    hospital: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def picky(facts: Sequence[Fact], *, source: str, known_when_sent: bool) -> list[Outcome]:
        if any("POISON" in str(fact) for fact in facts):
            raise IntegrityError("POISON M9 SMITH")
        return record(facts, source=source, known_when_sent=known_when_sent)

    monkeypatch.setattr(applying, "record", picky)
    poison = adt("A01", mrn="M9^^^RNM^MR", visit="V9", pid={"f5": "POISON"})
    assert deliver(HISTORY[0], poison, *HISTORY[1:]) == {"applied": 3, "held": 1}
    held = Message.objects.get(status="held")
    assert held.reason_code == "failed"
    assert "POISON" not in held.reason
    assert stays("V1")[0].status == "discharged"
    monkeypatch.undo()
    assert replay([held.pk]) == 1
    assert apply_all() == {"applied": 1}
    assert stays("V9")


def test_when_the_database_goes_away_the_messages_wait(
    hospital: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("the connection is lost")

    keep(*HISTORY)
    monkeypatch.setattr(applying, "record", away)
    with pytest.raises(OperationalError):
        Applier(now=lambda: NOW).apply_batch()
    assert ends() == {"received": 3}
    monkeypatch.undo()
    assert apply_all() == {"applied": 3}


def test_held_messages_are_replayed_one_by_one_or_all_at_once(hospital: Site) -> None:
    deliver(adt("A01", mrn=""), adt("A02", mrn=""), adt("A99"))
    first = Message.objects.filter(status="held").first()
    assert first is not None
    assert replay([first.pk]) == 1
    assert ends() == {"received": 1, "held": 1, "rejected": 1}
    assert replay(Message.objects.values_list("pk", flat=True)) == 2
    assert apply_all() == {"held": 2, "rejected": 1}


def test_what_was_applied_is_not_replayed(hospital: Site) -> None:
    deliver(*HISTORY)
    assert replay(Message.objects.values_list("pk", flat=True)) == 0


def test_each_feed_has_its_own_visits_and_numbers(hospital: Site) -> None:
    other = adt("A01", application="OTHER", mrn="M1", place="NGH-W1^B^1^NGH")
    deliver(adt("A01", mrn="M1", place="NGH-W1^A^1^NGH"), other)
    assert len(stays("V1")) == 2
    assert sorted(Patient.objects.values_list("authority", flat=True)) == ["OTHER-RNM", "PAS-RNM"]


def test_movements_name_the_feed_and_the_message(hospital: Site) -> None:
    deliver(HISTORY[0])
    (movement,) = stays("V1")[0].visit.movements.all()
    assert (movement.source, movement.reference) == ("PAS-RNM", "C1")


def test_how_often_a_place_was_named_is_counted(hospital: Site) -> None:
    deliver(*HISTORY)
    counted = Counter({str(code): code.seen for code in LocationCode.objects.all()})
    assert counted == {"NGH / NGH-W1 / A / 1": 1, "NGH / NGH-W2 / 2": 2}


def test_two_patients_in_one_bed_are_both_kept(hospital: Site) -> None:
    deliver(
        adt("A01", place="NGH-W1^A^1^NGH"),
        adt("A01", mrn="M2^^^RNM^MR", visit="V2", place="NGH-W1^A^1^NGH", made="20260110130000"),
    )
    rows = Occupancy.objects.filter(period__upper_inf=True)
    assert {row.ward.code for row in rows} == {"NGH-W1"}
    assert sorted(row.bed is not None for row in rows) == [False, True]


def test_details_are_taken_back_and_the_latest_said_win(hospital: Site) -> None:
    told = {"f5": "SMITH^JOHN^^^MR", "f7": "19500101", "f8": "M", "f11": "^^^^AB1 2CD", "f30": "N"}
    nulls = {"f5": '""', "f7": '""', "f8": '""', "f11": '""'}
    later = adt("A31", visit="", made="20260111120000", pid=nulls)
    deliver(later, adt("A31", visit="", made="20260110120000", pid=told))
    person = Patient.objects.get()
    assert (person.family_name, person.date_of_birth, person.postcode) == ("", None, "")
    assert person.sex == "unknown"
    deliver(adt("A31", visit="", made="20260112120000", pid=told))
    person.refresh_from_db()
    assert (person.family_name, str(person.date_of_birth), person.sex) == (
        "SMITH",
        "1950-01-01",
        "male",
    )


def test_a_merge_in_the_feed_joins_the_stays_of_both_numbers(hospital: Site) -> None:
    deliver(
        adt("A01", place="NGH-W1^A^1^NGH"),
        adt("A01", mrn="M2^^^RNM^MR", visit="V2", place="NGH-W1^A^2^NGH", made="20260109120000"),
        adt("A40", segment("MRG", f1="M2^^^RNM^MR"), visit="", made="20260111120000"),
    )
    old, survivor = Patient.objects.get(identifier="M2"), Patient.objects.get(identifier="M1")
    assert (old.merged_into, old.person_id) == (survivor, survivor.person_id)


def test_an_unknown_place_is_shown_under_the_codes_of_the_message(db: None) -> None:
    deliver(adt("A01", place="HUH AE OMU&9.8&ISO^OMU B^Bed 03^HOMERTON UNIVER"))
    (stay,) = stays("V1")
    assert way(stay)[0][:3] == ("HUH AE OMU", "OMU B", "Bed 03")
    ward = Ward.objects.get()
    assert (ward.kind, ward.site.kind, ward.site.name) == (
        "unrecognised",
        "unrecognised",
        "HOMERTON UNIVER",
    )


def test_messages_with_the_account_alone_or_no_number_are_of_the_visit(hospital: Site) -> None:
    account = {"f18": "ACC7"}
    messages = [
        adt("A01", place="NGH-W1^A^1^NGH", recorded="20260110090000", pid=account),
        adt("A08", visit="", place="NGH-W1^A^1^NGH", recorded="20260110091500", pid=account),
        adt("A02", visit="", place="NGH-W2^^2^NGH", recorded="20260110100000"),
        adt("A03", visit="", place="NGH-W2^^2^NGH", recorded="20260110110000"),
        adt("A08", visit="", place="NGH-W2^^2^NGH", recorded="20260110113000", pid=account),
    ]
    assert deliver(*messages) == {"applied": 5}
    (stay,) = Episode.objects.all()
    assert (stay.visit.number, stay.status, stay.discharged_at) == ("V1", "discharged", moment(11))
    assert way(stay) == [
        ("NGH-W1", "A", "1", moment(9), moment(10)),
        ("NGH-W2", None, "2", moment(10), moment(11)),
    ]
