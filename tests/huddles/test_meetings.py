"""A meeting: its lines, its steps, what is kept of it as it was seen, and the next one."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Role
from huddles.actions.agreeing import About, agree, finish
from huddles.actions.understanding import Owner
from huddles.masking import HIDDEN
from huddles.meetings.addresses import address_of
from huddles.meetings.freezing import as_seen
from huddles.meetings.happened import came_of
from huddles.meetings.holding import (
    Changed,
    Said,
    answer_safety,
    close_meeting,
    confirm,
    go_to,
    open_meeting,
    version_of,
)
from huddles.models import Action, Huddle, HuddleLine, HuddleSpeaker, HuddleTemplate
from patients.models import Episode
from tests.huddles.meeting import meeting_of, next_start, seen_by, template_of
from tests.screens.hospital import FAMILY, Hospital, add_beds, build, signed_in, user
from wards import bed_states, movements
from wards.facts import MovementKind
from wards.models import Bed
from wards.shifts import on_show, today
from wards.staffing import Nurses, say

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def opened(template: HuddleTemplate, starts: datetime, chair: User) -> Huddle:
    first = seen_by(template, starts, chair).agenda.first
    return open_meeting(
        template=template, starts_at=starts, first=first, at=timezone.now(), by=chair
    )


def ended(template: HuddleTemplate, starts: datetime, chair: User) -> Huddle:
    huddle = opened(template, starts, chair)
    now = timezone.now()
    kept = as_seen(seen_by(template, starts, None, now))
    return close_meeting(huddle=huddle, frozen=kept, at=now, by=chair)


def said(
    template: HuddleTemplate, starts: datetime, ward: Any, by: User, **more: Any
) -> HuddleLine:
    return confirm(
        template=template, starts_at=starts, ward=ward, said=Said(**more), at=timezone.now(), by=by
    )


def stay_in(bed: Bed) -> Episode:
    return Episode.objects.get(occupancies__bed=bed)


# --- what the database refuses ------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"times": []}, {"name": ""}, {"weekdays": [8]}, {"weekdays": []}, {"agenda": ["odd"]},
        {"agenda": []}, {"figures": ["odd"]}, {"lasts": 0}, {"opens_before": 721},
    ],
)  # fmt: skip
def test_a_meeting_that_cannot_be_held_is_not_kept(
    hospital: Hospital, wrong: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        template_of(hospital, **wrong)


def test_what_was_held_is_never_changed(
    template: HuddleTemplate, starts: datetime, chair: User
) -> None:
    huddle = ended(template, starts, chair)
    changes: tuple[dict[str, Any], ...] = (
        {"harm": "x"},
        {"frozen": {}},
        {"step": "close"},
        {"closed_at": None},
    )
    for change in changes:
        with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
            Huddle.objects.filter(pk=huddle.pk).update(**change)
    with pytest.raises(DatabaseError, match="Cannot delete"), transaction.atomic():
        huddle.delete()
    Huddle.objects.filter(pk=huddle.pk).update(mailed_at=timezone.now())


def test_no_meeting_ends_that_did_not_begin(template: HuddleTemplate, starts: datetime) -> None:
    huddle = Huddle.objects.create(template=template, starts_at=starts)
    with pytest.raises(IntegrityError), transaction.atomic():
        Huddle.objects.filter(pk=huddle.pk).update(closed_at=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        Huddle.objects.create(template=template, starts_at=starts)


# --- lines --------------------------------------------------------------------------------------


def test_a_line_is_filled_in_with_what_is_known(
    hospital: Hospital, template: HuddleTemplate, starts: datetime, chair: User
) -> None:
    one, two = hospital.wards
    beds = hospital.beds(one)
    leaving = stay_in(beds[0])
    horizon = seen_by(template, starts, chair).horizons[0]
    Episode.objects.filter(pk=leaving.pk).update(expected_discharge_at=horizon - HOUR / 2)
    person = hospital.admit(two, ago=HOUR)  # on the ward, without a bed
    hospital.tell(person, MovementKind.PENDING_DISCHARGE)
    Bed.objects.filter(pk__in=[beds[4].pk, beds[0].pk]).update(features=["side_room"])
    bed_states.close(bed=beds[5].pk, reason="estates", since=timezone.now() - HOUR, by=None)
    now = timezone.now()
    shift = next(one for one in on_show(today(now), settings.SHIFTS, at=now) if one.runs(now))
    say(ward=one.pk, shift=shift, nurses=Nurses(5, 4), at=now, by=chair)
    board = seen_by(template, starts, chair)
    line = next(line for line in board.lines if line.ward.id == one.pk)
    assert line.numbers == {
        "beds_free": 1, "unplaced": 0, "outliers": 0, "side_rooms": 1, "closed": 1,
    }  # fmt: skip
    assert (line.nurses_planned, line.nurses_actual, line.is_short) == (5, 4, True)
    other = next(line for line in board.lines if line.ward.id == two.pk)
    # Announced without an hour: by the last of the times alone.
    assert [due.definite for due in other.dues] == [0, 1]
    assert [due.possible for due in other.dues] == [None, None]  # nothing is foretold here
    assert board.totals.numbers["beds_free"] == 7
    assert (board.totals.confirmed, board.totals.wards) == (0, 3)


def test_what_a_ward_says_counts_and_what_it_does_not_is_marked(
    hospital: Hospital, template: HuddleTemplate, starts: datetime, chair: User
) -> None:
    one = hospital.wards[0]
    said(template, starts, one, chair, beds_free=9, definite=(2, 3), possible=(0, 1), harm="")
    board = seen_by(template, starts, chair)
    line = next(line for line in board.lines if line.ward.id == one.pk)
    assert line.numbers["beds_free"] == 9
    assert line.known.beds_free == 2
    assert [(due.definite, due.possible) for due in line.dues] == [(2, 0), (3, 1)]
    assert line.confirmed_at is not None
    assert {line.ward.id for line in board.unconfirmed} == {
        hospital.emergency.pk, hospital.wards[1].pk,
    }  # fmt: skip


def test_two_who_say_a_line_at_once_do_not_overwrite_each_other(
    hospital: Hospital, template: HuddleTemplate, starts: datetime, chair: User
) -> None:
    ward, now = hospital.wards[0], timezone.now()
    first = said(template, starts, ward, chair, beds_free=1)
    values: dict[str, Any] = {
        "template": template, "starts_at": starts, "ward": ward, "at": now, "by": chair,
    }  # fmt: skip
    with pytest.raises(Changed, match="said this line"):
        confirm(said=Said(beds_free=2), seen=0, **values)
    confirm(said=Said(beds_free=2), seen=version_of(first), **values)
    assert HuddleLine.objects.get().beds_free == 2


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ({"beds_free": -1}, "0 to 999"),
        ({"definite": (1,)}, "each of the times"),
        ({"definite": (3, 2)}, "later time"),
        ({"possible": (3, 1000)}, "0 to 999"),
        ({"harm": "x" * 301}, "Shorten"),
    ],
)
def test_a_line_that_cannot_be_is_refused(
    hospital: Hospital,
    template: HuddleTemplate,
    starts: datetime,
    chair: User,
    line: dict[str, Any],
    word: str,
) -> None:
    with pytest.raises(Refused, match=word):
        said(template, starts, hospital.wards[0], chair, **line)
    assert not HuddleLine.objects.exists()


def test_what_no_database_holds_is_left_out_of_what_is_said(
    hospital: Hospital, template: HuddleTemplate, starts: datetime, chair: User
) -> None:
    line = said(
        template,
        starts,
        hospital.wards[0],
        chair,
        concern="two\x00 short\x1b",
        harm="\x00",
        hazard="a\r\nb",
    )
    line.refresh_from_db()
    assert (line.concern, line.harm, line.hazard) == ("two short", "", "a b")


def test_lines_are_said_in_their_time_and_at_their_site(
    hospital: Hospital, template: HuddleTemplate, starts: datetime, chair: User
) -> None:
    with pytest.raises(Refused, match="another site"):
        said(template, starts, build(code="OTH").wards[0], chair)
    with pytest.raises(Refused, match="can be said from"):
        said(template, starts + timedelta(days=1), hospital.wards[0], chair)
    with pytest.raises(Refused, match="No meeting begins"):
        said(template, starts + timedelta(minutes=1), hospital.wards[0], chair)
    ended(template, starts, chair)
    with pytest.raises(Refused, match="ended"):
        said(template, starts, hospital.wards[0], chair)


def test_who_is_asked_is_the_sites_to_say(
    hospital: Hospital, template: HuddleTemplate, starts: datetime, chair: User
) -> None:
    HuddleSpeaker.objects.create(template=template, ward=hospital.emergency, is_asked=False)
    HuddleSpeaker.objects.create(template=template, ward=hospital.wards[1], who="Matron")
    lines = seen_by(template, starts, chair).lines
    assert [(one.ward.id, one.who) for one in lines] == [
        (hospital.wards[0].pk, ""), (hospital.wards[1].pk, "Matron"),
    ]  # fmt: skip


# --- the meeting --------------------------------------------------------------------------------


def test_it_is_opened_once_led_by_one_and_ended(
    template: HuddleTemplate, starts: datetime, chair: User, hospital: Hospital
) -> None:
    other = user("other", Role.SITE_MANAGER, site=hospital.site)
    huddle = opened(template, starts, chair)
    with pytest.raises(Refused, match="has opened it already"):
        opened(template, starts, other)
    now = timezone.now()
    with pytest.raises(Refused, match="leads this meeting"):
        go_to(huddle=huddle, step="close", at=now, by=other)
    go_to(huddle=huddle, step="safety", at=now, by=other, take_chair=True)
    answer_safety(huddle=huddle, harm="", hazard=" a  wet floor ", at=now, by=other)
    board = seen_by(template, starts, other)
    assert (board.step, board.safety.harm, board.safety.hazard) == ("safety", "", "a wet floor")
    kept = as_seen(seen_by(template, starts, None))
    close_meeting(huddle=huddle, frozen=kept, at=timezone.now(), by=other)
    deeds: tuple[Callable[[], object], ...] = (
        lambda: go_to(huddle=huddle, step="close", at=now, by=other),
        lambda: close_meeting(huddle=huddle, frozen=kept, at=now, by=other),
        lambda: opened(template, starts, chair),
    )
    for again in deeds:
        with pytest.raises(Refused, match="ended at"):
            again()


def test_what_was_agreed_is_carried_until_it_is_done(
    hospital: Hospital, template: HuddleTemplate, chair: User
) -> None:
    first, second = next_start() - timedelta(days=2), next_start() - timedelta(days=1)
    early = first - timedelta(minutes=5)
    one = open_meeting(
        template=template, starts_at=first, first="previous", at=early, by=chair
    )  # fmt: skip
    made = [
        agree(
            site=hospital.site, text=text, owner=Owner(user=chair), due_at=early + HOUR, at=early,
            by=chair, huddle=one,
        )
        for text in ("open", "done before", "done after")
    ]  # fmt: skip
    finish(action=made[1], at=first + HOUR, by=chair)
    finish(action=made[2], at=second + HOUR, by=chair)
    later = second + 2 * HOUR

    def carried(start: datetime, at: datetime) -> list[str]:
        return [row.action.text for row in seen_by(template, start, chair, at).previous]

    assert carried(second, second) == ["open", "done before", "done after"]
    open_meeting(template=template, starts_at=second, first="previous", at=second, by=chair)
    assert carried(next_start(), later) == ["open", "done after"]
    assert [row.action.text for row in seen_by(template, first, chair, later).agreed] == [
        "open", "done before", "done after",
    ]  # fmt: skip


def test_what_was_said_is_held_against_what_came(
    hospital: Hospital, template: HuddleTemplate, starts: datetime, chair: User
) -> None:
    one = hospital.wards[0]
    beds = hospital.beds(one)
    said(template, starts, one, chair, definite=(2, 3), possible=(1, 1))
    huddle = ended(template, starts, chair)
    assert huddle.frozen is not None
    first, last = seen_by(template, starts, chair).horizons
    movements.discharge(
        episode=stay_in(beds[0]), at=starts + timedelta(minutes=5), by=chair,
    )  # fmt: skip
    movements.discharge(
        episode=stay_in(beds[1]), at=last - timedelta(minutes=5), by=chair,
    )  # fmt: skip
    # A move to another ward is nobody's discharge.
    came = came_of(starts, huddle.frozen, at=last + HOUR)
    ward = next(row for row in came.wards if row.ward == one.pk)
    assert [(due.definite, due.possible, due.came) for due in ward.dues] == [(2, 1, 1), (3, 1, 2)]
    assert [due.came for due in came.dues] == [1, 2]
    assert all(due.missed for due in ward.dues)
    half_way = came_of(starts, huddle.frozen, at=first)
    assert [due.came for due in half_way.dues] == [1, None]
    tomorrow = starts + timedelta(days=1)
    before = seen_by(template, tomorrow, chair, tomorrow).before
    assert before is not None
    assert [due.came for due in before.dues] == [1, 2]


def test_what_is_kept_is_what_was_seen(
    hospital: Hospital, template: HuddleTemplate, starts: datetime, chair: User
) -> None:
    said(template, starts, hospital.wards[0], chair, beds_free=4, hazard=f"Mr {FAMILY} wanders")
    huddle = opened(template, starts, chair)
    agree(
        site=hospital.site, text=f"ring {FAMILY}", owner=Owner(name="Jo"), by=chair,
        due_at=timezone.now() + HOUR, at=timezone.now(), huddle=huddle,
    )  # fmt: skip
    kept = as_seen(seen_by(template, starts, None))
    close_meeting(huddle=huddle, frozen=kept, at=timezone.now(), by=chair)
    page = address_of("summary", template.pk, starts)
    before = signed_in(chair).get(page).content.decode()
    hospital.fill(hospital.wards[1], 6)
    finish(action=Action.objects.get(), at=timezone.now(), by=chair)
    after = signed_in(chair).get(page).content.decode()
    rows = r"<tbody>.*?</tbody>"
    assert re.findall(rows, before, re.S)[:2] == re.findall(rows, after, re.S)[:2]
    assert FAMILY.lower() not in after.lower()
    assert f"Mr {HIDDEN} wanders" in after
    assert f"ring {HIDDEN}" in after


# --- pages --------------------------------------------------------------------------------------


def test_a_whole_meeting_by_its_pages(
    hospital: Hospital, template: HuddleTemplate, starts: datetime, chair: User, nurse: Client
) -> None:
    browser = signed_in(chair)
    here = address_of("meeting", template.pk, starts)
    ward = hospital.wards[0]
    mine = nurse.get("/sites/TGH/huddles/").content.decode()
    assert mine.count('class="my-line"') == 1
    line = address_of("line", template.pk, starts, ward.pk)
    assert line in mine
    form = nurse.get(line).content.decode()
    assert 'name="beds_free" value="2"' in form
    answer = nurse.post(
        line,
        {
            "seen": "0",
            "beds_free": "1",
            "definite-0": "1",
            "definite-1": "2",
            "possible-0": "",
            "possible-1": "",
            "harm": "",
            "hazard": "",
        },
    )
    assert answer.status_code == 302
    assert "confirmed" in nurse.get("/sites/TGH/huddles/").content.decode()
    assert browser.post(here, {"deed": "open"}).status_code == 302
    steps = []
    for _ in range(7):
        shown = browser.get(here).content.decode()
        found = re.search(r'data-step="([^"]*)"', shown)
        assert found is not None
        steps.append(found[1])
        # Pressed twice in a hurry is one step.
        for _ in range(2):
            browser.post(f"{here}?fragment=1", {"deed": "next", "from": found[1]})
    wards = [f"ward:{one.pk}" for one in (hospital.emergency, *hospital.wards)]
    assert steps == ["previous", "site", *wards, "safety", "close"]
    room = browser.get(address_of("room", template.pk, starts)).content.decode()
    assert "What we agreed today" in room
    answer = browser.post(
        f"{here}?fragment=1",
        {"deed": "agree", "line": "see bed 1 in 30 min, Jo", "ward": str(ward.pk)},
    )
    assert answer.status_code == 200
    assert "Agreed: Jo" in answer.content.decode()
    action = Action.objects.get()
    assert (action.huddle, action.bed) == (meeting_of(template, starts), hospital.beds(ward)[0])
    wrong = browser.post(f"{here}?fragment=1", {"deed": "agree", "line": "see bed 1"})
    assert (wrong.status_code, b"by when" in wrong.content) == (422, True)
    kept = browser.post(here, {"deed": "agree", "line": "see bed 1"})
    assert (kept.status_code, b'value="see bed 1"' in kept.content) == (422, True)
    ending = browser.post(here, {"deed": "close"}, follow=True)
    assert ending.redirect_chain[-1][0] == address_of("summary", template.pk, starts)
    shown = ending.content.decode()
    assert "see bed 1" in shown
    assert "1 of 3 wards confirmed" in shown
    assert browser.get(here).status_code == 302
    assert "Held" in nurse.get("/sites/TGH/huddles/").content.decode()


def test_a_refused_line_keeps_what_was_typed(
    hospital: Hospital, template: HuddleTemplate, starts: datetime, nurse: Client
) -> None:
    line = address_of("line", template.pk, starts, hospital.wards[0].pk)
    answer = nurse.post(line, {"seen": "0", "beds_free": "two", "harm": "a fall"})
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="two"' in shown
    assert 'value="a fall"' in shown
    assert 'aria-invalid="true"' in shown
    nurse.post(line, {"seen": "0", "beds_free": "1"})
    stale = nurse.post(line, {"seen": "0", "beds_free": "3"})
    assert stale.status_code == 409
    assert 'value="3"' in stale.content.decode()
    assert "they said: 1<" in stale.content.decode()
    assert HuddleLine.objects.get().beds_free == 1


def test_who_may_what(
    hospital: Hospital, template: HuddleTemplate, starts: datetime, chair: User, nurse: Client,
    observer: Client,
) -> None:  # fmt: skip
    here = address_of("meeting", template.pk, starts)
    other = address_of("line", template.pk, starts, hospital.wards[1].pk)
    assert nurse.get(here).status_code == 200
    assert nurse.post(here, {"deed": "open"}).status_code == 403
    assert nurse.get(other).status_code == 403
    assert observer.get(here).status_code == 200
    assert observer.post(other, {"beds_free": "1"}).status_code == 403
    assert observer.get("/sites/TGH/huddles/new/").status_code == 403
    assert observer.get(f"/huddles/{template.pk}/change/").status_code == 403
    elsewhere = signed_in(user("far", Role.SITE_MANAGER, site=build(code="OTH").site))
    for name in ("meeting", "room", "summary"):
        assert elsewhere.get(address_of(name, template.pk, starts)).status_code == 403
    assert Client().get(here).status_code == 302
    manager = signed_in(chair)
    for address in (
        f"/huddles/{template.pk}/nonsense/", f"/huddles/{10**30}/20261123T0815/",
        address_of("meeting", template.pk, starts + timedelta(minutes=1)),
        address_of("summary", template.pk, starts),
        address_of("line", template.pk, starts, 10**17),
    ):  # fmt: skip
        assert manager.get(address).status_code == 404, address


def test_no_patient_is_named_in_the_room(
    hospital: Hospital, template: HuddleTemplate, starts: datetime, chair: User
) -> None:
    said(
        template, starts, hospital.wards[0], chair,
        harm=f"{FAMILY} fell", hazard=FAMILY.upper(), concern=f"{FAMILY}’s daughter",
    )  # fmt: skip
    huddle = opened(template, starts, chair)
    answer_safety(
        huddle=huddle, harm=FAMILY, hazard=f"mr {FAMILY.lower()}", at=timezone.now(), by=chair
    )
    agree(
        site=hospital.site, text=f"ring {FAMILY}", owner=Owner(name=f"son of {FAMILY}"), by=chair,
        due_at=timezone.now() + HOUR, at=timezone.now(), huddle=huddle,
        about=About(hospital.wards[0], stay_in(hospital.beds(hospital.wards[0])[0])),
    )  # fmt: skip
    browser, room = signed_in(chair), address_of("room", template.pk, starts)
    board = seen_by(template, starts, chair)
    for step in board.agenda.steps:
        go_to(huddle=huddle, step=step, at=timezone.now(), by=chair)
        assert FAMILY.lower() not in browser.get(room).content.decode().lower()
    chairs = browser.get(address_of("meeting", template.pk, starts)).content.decode()
    assert FAMILY in chairs  # who sees the patients there reads what was written


@pytest.mark.parametrize("name", ["meeting", "room", "line", "list"])
def test_as_many_queries_for_six_beds_as_for_sixty(
    hospital: Hospital, template: HuddleTemplate, starts: datetime, chair: User, name: str
) -> None:
    browser = signed_in(chair)
    more = [hospital.wards[0].pk] if name == "line" else []
    address = "/sites/TGH/huddles/"
    if name != "list":
        address = address_of(name, template.pk, starts, *more)
    opened(template, starts, chair)
    said(template, starts, hospital.wards[0], chair, beds_free=1)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(address).status_code == 200
        return len(queries)

    asked()
    few = asked()
    for ward in hospital.wards:
        add_beds(ward, 60, first=6)
    with hospital.together():
        for bed in hospital.beds(hospital.wards[1])[:40]:
            hospital.admit(bed)
    said(template, starts, hospital.wards[1], chair, beds_free=1)
    assert asked() == few <= 50


# --- how it is held -----------------------------------------------------------------------------


def test_a_meeting_is_set_up_and_changed(hospital: Hospital, chair: User) -> None:
    browser = signed_in(chair)
    form = {
        "name": "Site huddle", "times": "08:15, 1230 16.00", "weekdays": ["1", "2"], "lasts": "15",
        "opens_before": "60", "agenda": ["close", "wards"], "figures": ["nurses", "beds_free"],
        "horizons": "10:00 12:00", "mail_to": "a@example.org\nb@example.org", "is_active": "on",
        f"asked-{hospital.wards[0].pk}": "1", f"who-{hospital.wards[0].pk}": "Sister",
    }  # fmt: skip
    new = "/sites/TGH/huddles/new/"
    assert browser.get(new).status_code == 200
    assert browser.post(new, form).status_code == 302
    made = HuddleTemplate.objects.get()
    assert [f"{each:%H:%M}" for each in made.times] == ["08:15", "12:30", "16:00"]
    assert (made.agenda, made.figures) == (["wards", "close"], ["beds_free", "nurses"])
    assert made.mail_to == ["a@example.org", "b@example.org"]
    speakers = {one.ward_id: (one.who, one.is_asked) for one in made.speakers.all()}
    assert speakers == {
        hospital.wards[0].pk: ("Sister", True), hospital.wards[1].pk: ("", False),
        hospital.emergency.pk: ("", False),
    }  # fmt: skip
    who = f"who-{hospital.wards[0].pk}"
    odd = form | {"name": "Site\r\nhuddle  two", who: "Sis\x00ter\x07"}
    assert browser.post(new, odd).status_code == 302
    kept = HuddleTemplate.objects.exclude(pk=made.pk).get()
    assert (kept.name, kept.speakers.get(is_asked=True).who) == ("Site huddle two", "Sis ter")
    for name in ("\x07", "Site\x00huddle"):
        assert browser.post(new, form | {"name": name}).status_code == 422
    again = browser.post(new, form)
    assert (again.status_code, b"has a meeting of that name" in again.content) == (422, True)
    change = f"/huddles/{made.pk}/change/"
    shown = browser.get(change).content.decode()
    assert 'value="08:15, 12:30, 16:00"' in shown
    assert 'value="Sister"' in shown
    wrong = browser.post(change, form | {"times": "25:00", "mail_to": "nobody", "lasts": "0"})
    text = wrong.content.decode()
    assert wrong.status_code == 422
    assert "Give times such as" in text
    assert "is no e-mail address" in text
    assert 'value="25:00"' in text
    assert browser.post(change, form | {"lasts": "20"}).status_code == 302
    made.refresh_from_db()
    assert made.lasts == 20
