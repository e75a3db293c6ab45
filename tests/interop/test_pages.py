"""The pages about feeds: who may see what, what they say, what they do, at what cost."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Organisation, User
from accounts.roles import Role
from flow.feeds import feed_states
from interop.feeds import Feeds
from interop.hl7v2.framing import Fault
from interop.inbox import Incoming, store
from interop.models import Feed, Message
from interop.overview import feed_lines, shown
from tests.interop.building import adt
from tests.interop.delivering import NOW, apply_all, deliver, ends, keep
from tests.pages import steady
from wards.grants import set_grant
from wards.models import Bed, Occupancy, Site, Ward
from wards.scope import scope_of

pytestmark = pytest.mark.django_db
PAGES = ["/feeds/", "/feeds/troubles/", "/feeds/places/"]


def person(client: Client, role: Role = Role.FEED_MANAGER, **where: Any) -> User:
    user = User.objects.create_user(username=f"user {User.objects.count()}")
    set_grant(user=user, role=role, by=None, **(where or {"everywhere": True}))
    client.force_login(user)
    return user


@pytest.fixture
def manager(client: Client) -> User:
    return person(client)


@pytest.mark.parametrize("page", [*PAGES, "/feeds/messages/1/", "/feeds/1/"])
def test_pages_are_for_feed_managers_who_have_signed_in(client: Client, page: str) -> None:
    assert client.get(page).status_code == 302
    person(client, Role.WARD_NURSE)
    assert client.get(page).status_code == 403


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_there_before_anything_was_received(
    client: Client, manager: User, page: str
) -> None:
    assert client.get(page).status_code == 200


def test_the_overview_says_how_each_feed_does(
    client: Client, manager: User, hospital: Site
) -> None:
    keep(adt("A01", mrn=""), adt("A99"), adt("A02", place="NGH-W1"), adt("A08", control="2"))
    apply_all()
    Message.objects.update(received_at=timezone.now() - timedelta(hours=2))
    keep(adt("A03", application="OTHER"))
    page = client.get("/feeds/").content.decode()
    assert "PAS at RNM" in page
    assert "New sender" in page
    assert "Quiet" in page
    assert "?feed=" in page
    assert "1 held and 1 refused" in page


@pytest.mark.parametrize("page", PAGES)
def test_the_cost_of_a_page_does_not_grow(
    client: Client, manager: User, hospital: Site, page: str, django_assert_max_num_queries: Any
) -> None:
    def messages(number: int) -> list[bytes]:
        sender = f"S{number}"
        return [
            adt("A01", mrn="", application=sender),
            adt("A99", application=sender),
            adt("A01", application=sender, place=f"X{number}^A^{number}", visit=sender),
            adt("A02", application=sender, place=f"NGH-W1^A^{number}Q^NGH", visit=sender),
        ]

    deliver(*messages(1))
    client.get(page)
    with django_assert_max_num_queries(40) as few:
        client.get(page)
    deliver(*(raw for number in range(2, 12) for raw in messages(number)))
    with django_assert_max_num_queries(len(few.captured_queries)):
        response = client.get(page)
    assert response.status_code == 200


def test_troubles_are_listed_with_reasons_and_can_be_narrowed(
    client: Client, manager: User
) -> None:
    deliver(adt("A01", mrn="", control="NOBODY"), adt("A99", control="STRANGE"))
    page = client.get("/feeds/troubles/").content.decode()
    assert "hold no number" in page
    assert "Event not supported: A99" in page
    held = client.get("/feeds/troubles/?status=held").content.decode()
    assert "NOBODY" in held
    assert "STRANGE" not in held
    by_reason = client.get("/feeds/troubles/?reason=unsupported").content.decode()
    assert "STRANGE" in by_reason
    assert "NOBODY" not in by_reason
    feed = Feed.objects.get()
    assert "NOBODY" in client.get(f"/feeds/troubles/?feed={feed.pk}").content.decode()
    assert client.get("/feeds/troubles/?feed=x&status=y&page=z").status_code == 200


def test_messages_are_replayed_one_by_one_or_all(client: Client, manager: User) -> None:
    deliver(adt("A01", mrn=""), adt("A02", mrn=""), adt("A99"))
    one = Message.objects.filter(status="held").first()
    assert one is not None
    response = client.post("/feeds/replay/", {"message": one.pk, "next": "/feeds/troubles/?x=1"})
    assert response["Location"] == "/feeds/troubles/?x=1"
    assert ends() == {"received": 1, "held": 1, "rejected": 1}
    response = client.post("/feeds/replay/", {"status": "held", "next": "https://elsewhere/"})
    assert response["Location"] == "/feeds/troubles/"
    assert ends() == {"received": 2, "rejected": 1}
    client.post("/feeds/replay/", {})
    assert ends() == {"received": 3}
    assert client.get("/feeds/replay/").status_code == 405


def test_a_message_is_shown_as_it_came_to_those_who_may_see_patients(
    client: Client, manager: User
) -> None:
    deliver(adt("A01", mrn="M77^^^RNM^MR", place="W1"))
    page = client.get(f"/feeds/messages/{Message.objects.get().pk}/").content.decode()
    assert "M77^^^RNM^MR" in page
    assert "SMITH" in page


def test_a_message_is_masked_for_everybody_else(client: Client, hospital: Site) -> None:
    deliver(adt("A01", mrn="M77^^^RNM^MR", place="NGH-W1^A^1^NGH", visit="V55"))
    Feed.objects.update(organisation=None)
    person(client, Role.FEED_MANAGER, site=hospital)
    page = client.get(f"/feeds/messages/{Message.objects.get().pk}/").content.decode()
    assert "NGH-W1^A^1^NGH" in page
    assert "MSH|" in page
    for secret in ("M77", "SMITH", "V55"):
        assert secret not in steady(page)
    assert "masked" in page


def test_masking_leaves_nothing_but_places_and_times() -> None:
    raw = (
        b"MSH|^~\\&|A|B\rPID|1||M1||SMITH\rPV1|1|I|W1^A^1|21|||C1^GREY|||300|||||||||V1|||||||"
        b"||||||||||||||||||20260110\rZZZ|secret\rnonsense SMITH\rNK1|SMITH"
    )
    lines = shown(raw, patients=False)
    assert "SMITH" not in "".join(lines)
    assert "secret" not in "".join(lines)
    assert "GREY" not in "".join(lines)
    assert lines[2].startswith("PV1|•••|I|W1^A^1|•••|||•••|||300|")
    assert lines[2].endswith("|20260110")
    assert shown(raw, patients=True)[1] == "PID|1||M1||SMITH"
    assert shown(b"\xff\xfe garbage SMITH", patients=False) == ["•••"]
    assert shown(b"ANN|19600101\rPV1|1|I|W1", patients=False) == ["•••", "PV1|•••|I|W1"]


def test_an_empty_block_can_be_looked_at_and_replayed(client: Client, hospital: Site) -> None:
    store([Incoming(b"", "10.0.0.1", Fault.EMPTY)], feeds=Feeds(), at=timezone.now())
    person(client, Role.FEED_MANAGER, everywhere=True)
    message = Message.objects.get()
    assert "The block held nothing" in client.get("/feeds/troubles/").content.decode()
    page = client.get(f"/feeds/messages/{message.pk}/").content.decode()
    assert "<li>Nothing</li>" in page
    client.post("/feeds/replay/", {"message": message.pk})
    apply_all()
    assert ends() == {"held": 1}


def test_feeds_of_others_are_out_of_reach(client: Client, hospital: Site) -> None:
    other = Organisation.objects.create(code="XYZ", name="Another trust")
    deliver(adt("A01", mrn=""), adt("A01", mrn="", application="EPR", facility="XYZ"))
    mine, theirs = Feed.objects.get(code="PAS-RNM"), Feed.objects.get(code="EPR-XYZ")
    person(client, Role.FEED_MANAGER, organisation=other)
    page = client.get("/feeds/").content.decode()
    assert theirs.name in page
    assert mine.name not in page
    message = Message.objects.get(feed=mine)
    assert client.get(f"/feeds/messages/{message.pk}/").status_code == 404
    assert client.get(f"/feeds/{mine.pk}/").status_code == 404
    client.post("/feeds/replay/", {"message": message.pk})
    client.post("/feeds/replay/", {})
    message.refresh_from_db()
    assert message.status == "held"


def plain(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def test_no_page_says_none_where_it_means_none_that_you_may_see(
    client: Client, hospital: Site
) -> None:
    other = Organisation.objects.create(code="XYZ", name="Another trust")
    elsewhere = Site.objects.create(code="XYH", name="Another hospital", organisation=other)
    deliver(adt("A01", mrn=""), adt("A99"), adt("A01", mrn="", control="2"))
    assert ends() == {"held": 2, "rejected": 1}
    sentence = (
        "1 other feed, with 2 held and 1 refused message, is seen by whoever manages feeds at "
        "their place, or everywhere."
    )
    person(client, Role.SITE_MANAGER, site=elsewhere)
    page = plain(client.get("/feeds/troubles/").content.decode())
    assert "None in the feeds that you see." in page
    assert "You see the feeds of Another hospital" in page
    assert sentence in page
    assert "Every message that was received" not in page
    page = plain(client.get("/feeds/").content.decode())
    assert "Nothing has been received" not in page
    assert sentence in page
    page = plain(client.get("/feeds/places/").content.decode())
    assert "every ward that a feed has named is known" not in page
    assert "None at the sites you manage feeds for." in page
    # Whoever sees all feeds is told the whole truth, and a narrowed list speaks of itself alone.
    person(client)
    Message.objects.exclude(status="rejected").delete()
    page = plain(client.get("/feeds/troubles/?status=held").content.decode())
    assert "None that is asked for above." in page
    Message.objects.all().delete()
    page = plain(client.get("/feeds/troubles/").content.decode())
    assert "None. Every message that was received has been applied" in page
    assert "You see the feeds of" not in page


def test_the_feeds_of_a_whole_body_are_named_by_the_body(client: Client, hospital: Site) -> None:
    person(client, Role.SITE_MANAGER, organisation=hospital.organisation)
    keep(adt("A01"))
    page = plain(client.get("/feeds/").content.decode())
    assert "You see the feeds of Northmoor, those that name a place there" in page
    assert "There are no others." in page


def test_every_feed_manager_sees_what_nobody_is_known_to_send_but_not_whom_it_is_about(
    client: Client, hospital: Site
) -> None:
    deliver(adt("A01", mrn="", application="LAB", facility="ELSEWHERE"))
    feed = Feed.objects.get()
    assert feed.organisation is None
    person(client, Role.SITE_MANAGER, site=hospital)
    assert feed.name in client.get("/feeds/").content.decode()
    assert "hold no number" in client.get("/feeds/troubles/").content.decode()
    page = client.get(f"/feeds/messages/{Message.objects.get().pk}/").content.decode()
    assert "SMITH" not in page
    assert "masked" in page
    # To say whose it is would open its messages.
    assert client.get(f"/feeds/{feed.pk}/").status_code == 404
    assert f'href="/feeds/{feed.pk}/"' not in client.get("/feeds/").content.decode()
    client.post("/feeds/replay/", {"message": Message.objects.get().pk})
    assert ends() == {"received": 1}
    apply_all()
    # Once it names a place of somebody, it is nobody's no more.
    other = Site.objects.create(
        code="XYH",
        name="Another hospital",
        organisation=Organisation.objects.create(code="XYZ", name="Another trust"),
    )
    Ward.objects.create(site=other, code="XYH-W1", name="Ward 1")
    deliver(adt("A01", application="LAB", facility="ELSEWHERE", place="XYH-W1^^^XYH"))
    assert feed.name not in client.get("/feeds/").content.decode()
    person(client, Role.SITE_MANAGER, site=other)
    assert feed.name in client.get("/feeds/").content.decode()
    assert client.get(f"/feeds/{feed.pk}/").status_code == 404
    Feed.objects.update(default_site=other)
    assert client.get(f"/feeds/{feed.pk}/").status_code == 200


def said_before() -> int:
    [line] = feed_lines(scope_of(User.objects.latest("pk")), now=NOW)
    return line.said_before


def test_what_was_said_before_is_counted(client: Client, manager: User, hospital: Site) -> None:
    raw = adt("A01", place="NGH-W1^A^1^NGH")
    deliver(raw)
    assert said_before() == 0
    assert [kept.is_new for kept in keep(raw, raw, raw)] == [False] * 3
    assert said_before() == 3
    other = adt("A02", place="NGH-W1^A^2^NGH", control="2")
    assert [kept.is_new for kept in keep(other, raw, other)] == [True, False, False]
    assert said_before() == 5
    deliver(adt("A01", place="NGH-W1^A^1^NGH", control="another"))
    assert ends() == {"applied": 2, "duplicate": 1}
    assert said_before() == 6
    # Of older messages only that they came again today.
    Message.objects.update(received_at=NOW - timedelta(days=2))
    assert said_before() == 2
    Message.objects.update(repeated_at=NOW - timedelta(days=2))
    assert said_before() == 0


def test_what_is_known_of_a_feed_can_be_changed(
    client: Client, manager: User, hospital: Site
) -> None:
    keep(adt("A01"))
    feed = Feed.objects.get()
    assert client.get(f"/feeds/{feed.pk}/").status_code == 200
    values = {
        "name": "The PAS",
        "sending_application": "PAS",
        "sending_facility": "RN*",
        "organisation": hospital.organisation_id,
        "default_site": hospital.pk,
        "timezone": "Europe/Dublin",
        "encoding": "8859/1",
        "quiet_after": "15",
        "is_recognised": "on",
    }
    assert client.post(f"/feeds/{feed.pk}/", values).status_code == 302
    feed.refresh_from_db()
    assert (feed.name, feed.timezone, feed.is_recognised, feed.code) == (
        "The PAS",
        "Europe/Dublin",
        True,
        "PAS-RNM",
    )
    bad = client.post(f"/feeds/{feed.pk}/", {**values, "timezone": "Mars", "encoding": "runes"})
    assert bad.status_code == 200
    assert "Not a time zone" in bad.content.decode()
    assert "Not a character set" in bad.content.decode()


def test_a_feed_may_be_set_up_before_its_first_message(
    client: Client, manager: User, hospital: Site
) -> None:
    assert client.get("/feeds/new/").status_code == 200
    values = {"code": "EPR", "name": "The EPR", "sending_application": "EPR*"}
    values |= {"timezone": "Europe/London", "is_recognised": "on"}
    wrong = client.post("/feeds/new/", {**values, "code": "no good/"})
    assert "letters, digits" in wrong.content.decode()
    assert client.post("/feeds/new/", values).status_code == 302
    keep(adt("A01", application="EPR2"))
    assert Message.objects.get().feed.code == "EPR"
    person(client, Role.FEED_MANAGER, site=hospital)
    assert client.get("/feeds/new/").status_code == 403


def test_unknown_places_are_listed_with_their_patients_and_can_be_mapped(
    client: Client, manager: User, hospital: Site
) -> None:
    deliver(adt("A01", place="WARD ONE^A^1"), adt("A08", place="WARD ONE^A^1", control="2"))
    page = client.get("/feeds/places/").content.decode()
    assert "WARD ONE" in page
    assert "2 times" in page
    ward = Ward.objects.get(code="WARD ONE")
    assert client.get(f"/feeds/places/wards/{ward.pk}/").status_code == 200
    real = Ward.objects.get(code="NGH-W1")
    response = client.post(
        f"/feeds/places/wards/{ward.pk}/", {"deed": "same", "same_as": real.pk}, follow=True
    )
    assert "stay was put there" in response.content.decode()
    row = Occupancy.objects.select_related("ward", "bed__bay").get()
    assert row.ward == real
    assert row.bed is not None
    assert row.bed.bay is not None
    assert (row.bed.bay.code, row.bed.label) == ("A", "1")
    assert client.get(f"/feeds/places/wards/{ward.pk}/").status_code == 404
    assert "WARD ONE" not in client.get("/feeds/places/").content.decode()


@pytest.mark.parametrize("named", ["NGH", "ngh", "Northmoor General"])
def test_what_strangers_say_of_a_site_is_sorted_out_by_its_manager(
    client: Client, hospital: Site, named: str
) -> None:
    """Whatever body the feed belongs to, and whether anybody knows it."""
    other = Organisation.objects.create(code="XYZ", name="Another trust")
    elsewhere = Site.objects.create(code="XYH", name="Another hospital", organisation=other)
    place = f"EAST WING^A^1^{named}"
    deliver(
        adt("A01", place=place, application="EPR", facility="XYZ"),
        adt("A01", mrn="M2", visit="V2", place=place, application="ODD", facility="ONE"),
        adt("A01", mrn="M3", visit="V3", place="OTHER^A^1^SOMEWHERE", application="EPR",
            facility="XYZ", control="3"),
    )  # fmt: skip
    wards = Ward.objects.filter(code="EAST WING")
    assert {ward.site == hospital for ward in wards} == {True, False}
    person(client, Role.SITE_MANAGER, site=hospital)
    page = client.get("/feeds/places/").content.decode()
    assert page.count(">EAST WING</span></a>") == 1, "the board of the one at the site itself"
    assert page.count("Say what it is") == 2
    assert "OTHER" not in page
    real = Ward.objects.get(code="NGH-W1")
    for ward in wards:
        address = f"/feeds/places/wards/{ward.pk}/"
        form = client.get(address).content.decode()
        assert "Another hospital" not in form.split("<h2", 1)[1]
        assert client.post(address, {"deed": "same", "same_as": real.pk}).status_code == 302
    there = Occupancy.objects.filter(ward=real).values_list("episode__visit__number", flat=True)
    assert set(there) == {"V1", "V2"}
    person(client, Role.SITE_MANAGER, site=elsewhere)
    assert (
        "None at the sites you manage feeds for." in client.get("/feeds/places/").content.decode()
    )


def test_an_unknown_ward_may_be_accepted(client: Client, manager: User, hospital: Site) -> None:
    deliver(adt("A01", place="NEW^A^1"))
    ward = Ward.objects.get(code="NEW")
    address = f"/feeds/places/wards/{ward.pk}/"
    wrong = client.post(address, {"deed": "new", "name": "", "kind": "x", "site": ""})
    assert wrong.status_code == 200
    values = {"deed": "new", "name": "New ward", "kind": "inpatient", "site": hospital.pk}
    assert client.post(address, values).status_code == 302
    ward.refresh_from_db()
    assert (ward.name, ward.kind, ward.site) == ("New ward", "inpatient", hospital)


def test_an_unknown_bed_of_a_known_ward_can_be_mapped_or_accepted(
    client: Client, manager: User, hospital: Site
) -> None:
    deliver(
        adt("A01", place="NGH-W1^A^ONE^NGH"),
        adt("A01", mrn="M2", visit="V2", place="NGH-W1^A^TWO^NGH"),
    )
    assert "ONE" in client.get("/feeds/places/").content.decode()
    one, two = Bed.objects.get(label="ONE"), Bed.objects.get(label="TWO")
    real = Bed.objects.get(ward__code="NGH-W1", bay__code="A", label="1")
    assert client.get(f"/feeds/places/beds/{one.pk}/").status_code == 200
    client.post(f"/feeds/places/beds/{one.pk}/", {"deed": "same", "same_as": real.pk})
    client.post(f"/feeds/places/beds/{two.pk}/", {"deed": "new"})
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.same_as, two.is_recognised) == (real, True)


def test_the_boards_hear_how_long_ago_a_site_s_feeds_were_heard(hospital: Site) -> None:
    deliver(adt("A01", place="NGH-W1^A^1^NGH"))
    now = timezone.now()
    Message.objects.update(received_at=now - timedelta(minutes=10))
    state = feed_states(now=now)[hospital.pk]
    assert (state.heard_at, state.silent) == (now - timedelta(minutes=10), False)
    Feed.objects.update(quiet_after=5)
    assert feed_states(now=now)[hospital.pk].silent
    Feed.objects.update(quiet_after=None)
    assert not feed_states(now=now)[hospital.pk].silent
