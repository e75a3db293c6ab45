"""Every message is kept before it is answered, once, under the right feed."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.models import Organisation
from interop.feeds import Feeds, code_for
from interop.hl7v2.ack import Verdict
from interop.hl7v2.framing import Fault
from interop.inbox import Incoming, store
from interop.models import Feed, Message
from tests.interop.building import adt
from tests.interop.delivering import NOW, apply_all, ends, keep

pytestmark = pytest.mark.django_db


def test_a_message_is_kept_as_it_came_with_what_its_header_says() -> None:
    raw = adt("A01", control="C77", made="20260110120000")
    (kept,) = keep(raw)
    message = Message.objects.get(pk=kept.id)
    assert bytes(message.raw) == raw
    assert (message.control_id, message.event, message.status) == ("C77", "ADT^A01", "received")
    assert message.received_at == NOW
    assert message.sent_at is not None
    assert message.peer == "test"
    assert kept.is_new
    assert kept.answer.verdict is Verdict.TAKEN


def test_the_same_bytes_are_kept_once_and_counted() -> None:
    raw = adt("A01")
    first, again = keep(raw, raw)
    assert (first.is_new, again.is_new, first.id == again.id) == (True, False, True)
    (third,) = keep(raw.replace(b"\r", b"\r\n") + b"\r\n")
    assert (third.is_new, third.id) == (False, first.id)
    message = Message.objects.get()
    assert message.repeats == 2  # those within one call are counted too
    assert message.repeated_at == NOW
    assert third.answer.verdict is Verdict.TAKEN


def test_many_messages_are_one_statement(django_assert_num_queries: object) -> None:
    feeds = Feeds()
    store([Incoming(adt("A01", control="first"))], feeds=feeds, at=NOW)
    with django_assert_num_queries(1):  # type: ignore[operator]
        kept = store(
            [Incoming(adt("A08", control=str(n))) for n in range(300)], feeds=feeds, at=NOW
        )
    assert len({each.id for each in kept}) == 300


@pytest.mark.parametrize(
    ("raw", "code", "reason"),
    [
        (adt("A99"), "unsupported", "Event not supported: A99"),
        (adt("A01").replace(b"ADT^A01", b"ORU^R01"), "unsupported", "takes ADT"),
        (adt("").replace(b"ADT^", b"ADT"), "unsupported", "MSH-9"),
        (b"hello", "unreadable", "MSH"),
        (b"MSH", "unreadable", "MSH"),
        (b"", "unreadable", "MSH"),
        (b"\x00\xff\xfe", "unreadable", "MSH"),
    ],
)  # fmt: skip
def test_what_is_refused_is_kept_with_the_reason(raw: bytes, code: str, reason: str) -> None:
    (kept,) = keep(raw)
    message = Message.objects.get(pk=kept.id)
    assert (message.status, message.reason_code) == ("rejected", code)
    assert reason in message.reason
    assert kept.answer.verdict is Verdict.REFUSED
    assert kept.answer.reason == message.reason
    assert bytes(message.raw) == raw


def test_an_event_that_only_evn_names_is_known() -> None:
    (kept,) = keep(adt("A01", version="2.1").replace(b"|ADT^A01|", b"|ADT|"))
    assert kept.answer.verdict is Verdict.TAKEN


def test_a_broken_transmission_is_kept_and_asked_for_again() -> None:
    (kept,) = store([Incoming(adt("A01")[:80], "test", Fault.CUT_OFF)], feeds=Feeds(), at=NOW)
    assert kept.answer.verdict is Verdict.ERROR
    assert Message.objects.get().status == "rejected"


@pytest.mark.parametrize("fault", Fault)
def test_what_sending_again_cannot_mend_is_not_asked_for_again(fault: Fault) -> None:
    (kept,) = store([Incoming(adt("A01"), "test", fault)], feeds=Feeds(), at=NOW)
    mends = fault in (Fault.CUT_OFF, Fault.UNFRAMED)
    assert kept.answer.verdict is (Verdict.ERROR if mends else Verdict.REFUSED)
    message = Message.objects.get()
    assert (message.status, message.reason_code, message.reason) == (
        "rejected",
        "transmission",
        fault.value,
    )
    assert len(fault.value) <= 200  # as much as an acknowledgment holds


@pytest.mark.parametrize("in_one_call", [True, False])
def test_what_was_cut_off_counts_once_it_has_come_whole(in_one_call: bool) -> None:
    raw = adt("A01")
    cut, whole = Incoming(raw, fault=Fault.CUT_OFF), Incoming(raw)
    feeds = Feeds()
    if in_one_call:
        answers = store([whole, cut], feeds=feeds, at=NOW)
    else:
        answers = [kept for each in (cut, whole) for kept in store([each], feeds=feeds, at=NOW)]
    assert {kept.answer.verdict for kept in answers} == {Verdict.ERROR, Verdict.TAKEN}
    message = Message.objects.get()
    assert (message.status, message.reason_code, message.reason) == ("received", "", "")
    apply_all()
    assert ends() == {"applied": 1}
    store([cut], feeds=feeds, at=NOW)
    assert ends() == {"applied": 1}, "what was applied stays so"


def test_an_acknowledgment_from_a_sender_is_kept_and_ignored() -> None:
    (kept,) = keep(b"MSH|^~\\&|PAS|RNM|FB|X|2026||ACK^A01|1|P|2.4\rMSA|AA|77")
    assert Message.objects.get(pk=kept.id).status == "ignored"


def test_a_null_byte_or_a_long_number_does_not_stop_storing() -> None:
    keep(adt("A01", control="C" * 500), adt("A02", control="\x00C2"))
    assert sorted(len(m.control_id) for m in Message.objects.all()) == [2, 200]


def test_storing_rings_for_those_who_apply() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_listening_channels()")
    keep(adt("A01"))
    assert ends() == {"received": 1}
    assert apply_all() == {"applied": 1}


# --- feeds --------------------------------------------------------------------------------------


def test_a_stranger_gets_a_feed_of_its_own() -> None:
    Organisation.objects.create(code="RNM", name="Northmoor")
    keep(adt("A01"), adt("A02"), adt("A03", application="OTHER"))
    assert sorted(Feed.objects.values_list("code", "is_recognised", "organisation__code")) == [
        ("OTHER-RNM", False, "RNM"),
        ("PAS-RNM", False, "RNM"),
    ]


def test_a_stranger_who_says_no_name_is_the_unknown_feed() -> None:
    (kept,) = keep(b"MSH|^~\\&|||||2026||ADT^A01|1|P|2.4\rPID|1||1")
    assert Message.objects.get(pk=kept.id).feed.code == "unknown"


def test_strangers_may_be_turned_away(settings: pytest.FixtureRequest) -> None:
    settings.HL7_STRANGERS = "refuse"  # type: ignore[attr-defined]
    (kept,) = keep(adt("A01"))
    assert kept.answer.verdict is Verdict.REFUSED
    message = Message.objects.get()
    assert (message.status, message.reason_code) == ("rejected", "unknown_sender")


def test_a_feed_that_was_set_up_takes_patterns_and_the_closest_wins() -> None:
    wide = Feed.objects.create(code="wide", name="Wide", sending_application="PAS*")
    close = Feed.objects.create(
        code="close", name="Close", sending_application="pas", sending_facility="RN*"
    )
    kept = keep(adt("A01"), adt("A02", facility="ELSE"), adt("A03", application="PASX"))
    feeds = {m.pk: m.feed_id for m in Message.objects.all()}
    assert [feeds[k.id] for k in kept] == [close.pk, wide.pk, wide.pk]


def test_a_feed_made_for_a_stranger_takes_that_sender_alone() -> None:
    first = keep(adt("A01", facility=""))[0].id
    second = keep(adt("A02", facility="RNM"))[0].id
    feeds = {m.pk: m.feed.code for m in Message.objects.select_related("feed")}
    assert (feeds[first], feeds[second]) == ("PAS", "PAS-RNM")


def test_codes_of_feeds_are_the_sender_s_words_or_tell_themselves_apart() -> None:
    assert code_for("PAS", "RNM") == "PAS-RNM"
    assert code_for("A B", "") != code_for("A-B", "")
    assert len(code_for("x" * 100, "y" * 100)) <= 60
    assert code_for("é", "") != code_for("è", "")
    assert code_for("-", "-") != code_for("--", "") != ""


def test_two_strangers_at_once_get_one_feed() -> None:
    one, other = Feeds(), Feeds()
    store([Incoming(adt("A01", application="X"))], feeds=one, at=NOW)
    store([Incoming(adt("A02", application="Y"))], feeds=other, at=NOW)
    store([Incoming(adt("A03", application="Y"))], feeds=one, at=NOW)
    assert Feed.objects.count() == 2
