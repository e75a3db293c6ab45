"""Meetings over their life: changed under way, forgotten, missed, and what came of them."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Refused
from huddles.actions.agreeing import About, agree
from huddles.actions.states import open_at
from huddles.actions.understanding import Owner
from huddles.meetings.addresses import address_of
from huddles.meetings.due import FORGOTTEN, KEPT_IN_VIEW, meeting_of_room
from huddles.meetings.forgetting import end_forgotten
from huddles.meetings.freezing import as_seen
from huddles.meetings.happened import came_of
from huddles.meetings.holding import Said, close_meeting, confirm, open_meeting
from huddles.meetings.list_pages import DueMeeting, due_meetings
from huddles.meetings.printed import as_pdf
from huddles.meetings.timetable import LATE, Timetable
from huddles.models import Action, Huddle, HuddleLine, HuddleTemplate
from patients.models import Episode
from tests.huddles.meeting import seen_by, template_of
from tests.huddles.test_printed import read
from tests.screens.hospital import Hospital, signed_in
from wards import bed_states, movements
from wards.facts import Place
from wards.models import Ward
from wards.scope import scope_of

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def say(
    template: HuddleTemplate, starts: datetime, ward: Ward, by: User, **said: Any
) -> HuddleLine:
    return confirm(
        template=template, starts_at=starts, ward=ward, said=Said(**said), at=timezone.now(), by=by
    )


def begin(template: HuddleTemplate, starts: datetime, by: User, at: datetime) -> Huddle:
    return open_meeting(template=template, starts_at=starts, first="site", at=at, by=by)


def end(huddle: Huddle, at: datetime, by: User) -> Huddle:
    kept = as_seen(seen_by(huddle.template, huddle.starts_at, None, at))
    return close_meeting(huddle=huddle, frozen=kept, at=at, by=by)


def due(hospital: Hospital, viewer: User) -> list[DueMeeting]:
    return due_meetings(hospital.site, scope_of(viewer), at=timezone.now())


# --- changed under way --------------------------------------------------------------------------


def test_a_meeting_is_held_as_it_was_set_up_when_it_was_first_spoken_for(
    hospital: Hospital, template: HuddleTemplate, starts: datetime, chair: User
) -> None:
    ward = hospital.wards[0]
    say(template, starts, ward, chair, definite=(1, 4), possible=(3, 2))
    before = seen_by(template, starts, chair)
    local = timezone.localtime(starts)
    more = [(local + HOUR * n).time() for n in (1, 2, 3)]
    HuddleTemplate.objects.update(horizons=more, figures=["outliers"], agenda=["close"], lasts=90)
    begin(template, starts, chair, timezone.now())
    now = seen_by(template, starts, chair)
    assert now.horizons == before.horizons
    assert (now.figures, now.agenda.steps) == (before.figures, before.agenda.steps)
    assert now.ends_at - now.opens_at < timedelta(minutes=90) + HOUR
    line = next(one for one in now.lines if one.ward.id == ward.pk)
    assert [(due.definite, due.possible) for due in line.dues] == [(1, 3), (4, 2)]
    browser = signed_in(chair)
    for name in ("meeting", "room"):
        assert browser.get(address_of(name, template.pk, starts)).status_code == 200
    for each in hospital.wards:
        assert browser.get(address_of("line", template.pk, starts, each.pk)).status_code == 200
    end(Huddle.objects.select_related("template__site").get(), timezone.now(), chair)
    after = seen_by(template, starts + timedelta(days=1), chair)
    assert len(after.horizons) == 3
    assert after.agenda.steps == ("close",)


def test_what_is_known_can_be_confirmed_as_it_is(
    hospital: Hospital, template: HuddleTemplate, starts: datetime, chair: User
) -> None:
    """Fewer may leave later where more are sure to; not fewer in all."""
    ward = hospital.wards[0]
    said = say(template, starts, ward, chair, definite=(0, 6), possible=(13, 10))
    assert said.possible == [13, 10]
    for definite, possible in (((2, 1), (0, 1)), ((0, 0), (3, 2)), ((1, 2), (5, 3))):
        with pytest.raises(Refused, match="as many or more"):
            say(template, starts, ward, chair, definite=definite, possible=possible)


def test_the_lines_of_a_meeting_that_ended_stay_as_they_were_said(
    hospital: Hospital, template: HuddleTemplate, starts: datetime, chair: User
) -> None:
    line = say(template, starts, hospital.wards[0], chair, beds_free=3)
    end(begin(template, starts, chair, timezone.now()), timezone.now(), chair)
    with pytest.raises(DatabaseError, match="keeps its lines"), transaction.atomic():
        HuddleLine.objects.update(beds_free=9)
    with pytest.raises(DatabaseError, match="keeps its lines"), transaction.atomic():
        HuddleLine.objects.all().delete()
    line.pk, line.ward = None, hospital.wards[1]
    with pytest.raises(DatabaseError, match="keeps its lines"), transaction.atomic():
        line.save(force_insert=True)


# --- missed and forgotten -----------------------------------------------------------------------


def test_one_that_nobody_opened_is_due_until_half_way_to_the_next() -> None:
    held = Timetable((time(8, 15), time(9, 30)), frozenset(range(1, 8)), HOUR)
    morning = datetime.fromisoformat("2026-11-23T08:15+00:00")
    assert held.next_due(morning + timedelta(minutes=37)) == morning
    assert held.next_due(morning + timedelta(minutes=38)) == morning + timedelta(minutes=75)
    assert held.next_due(morning + timedelta(minutes=75) + LATE - HOUR / 60) == (
        morning + timedelta(minutes=75)
    )


def test_a_meeting_of_another_day_cannot_be_held_any_more(
    hospital: Hospital, template: HuddleTemplate, starts: datetime, chair: User
) -> None:
    past = starts - timedelta(days=7)
    with pytest.raises(Refused, match="Nobody opened this meeting at its time"):
        begin(template, past, chair, timezone.now())
    with pytest.raises(Refused, match="for the next one"):
        say(template, past, hospital.wards[0], chair, beds_free=3)
    assert not Huddle.objects.exists()
    begin(template, past, chair, past + LATE - HOUR)


def test_a_meeting_that_everybody_left_is_ended_and_hides_no_other(
    hospital: Hospital, template: HuddleTemplate, starts: datetime, chair: User
) -> None:
    yesterday, now = starts - timedelta(days=1), timezone.now()
    begin(template, yesterday, chair, yesterday)
    [found] = due_meetings(hospital.site, scope_of(chair), at=now)
    assert (found.starts_at, found.runs) == (starts, False)
    assert meeting_of_room(hospital.site, at=now) == (template, starts)
    soon = yesterday + FORGOTTEN - HOUR
    assert meeting_of_room(hospital.site, at=soon) == (template, yesterday)
    assert end_forgotten(now=soon) == 0
    assert (end_forgotten(now=now), end_forgotten(now=now)) == (1, 0)
    held = Huddle.objects.get(starts_at=yesterday)
    assert held.closed_at == yesterday + FORGOTTEN
    assert held.frozen is not None
    assert datetime.fromisoformat(held.frozen["moment"]) == held.closed_at
    page = signed_in(chair).get(address_of("summary", template.pk, yesterday)).content.decode()
    assert "Nobody ended it" in page


def test_the_meeting_that_runs_is_found_beside_many_of_another(
    hospital: Hospital, template: HuddleTemplate, starts: datetime, chair: User
) -> None:
    busy = template_of(hospital, starts=starts, name="Hourly", times=[time(n) for n in range(12)])
    opened = starts - KEPT_IN_VIEW
    Huddle.objects.bulk_create(
        Huddle(template=busy, starts_at=opened + timedelta(hours=n)) for n in range(100)
    )
    begin(template, starts, chair, timezone.now())
    found = {one.template: one for one in due_meetings(hospital.site, scope_of(chair),
                                                       at=timezone.now())}  # fmt: skip
    assert found[template].runs
    assert not found[busy].runs


def test_a_meeting_that_is_not_held_any_more_can_be_found_by_whoever_sets_them_up(
    hospital: Hospital, template: HuddleTemplate, chair: User
) -> None:
    HuddleTemplate.objects.update(is_active=False)
    page = signed_in(chair).get(f"/sites/{hospital.site.code}/huddles/").content.decode()
    assert f"/huddles/{template.pk}/change/" in page


# --- what came ----------------------------------------------------------------------------------


def test_who_waits_in_the_lounge_leaves_from_their_ward_and_emergency_counts_nobody(
    hospital: Hospital, starts: datetime, chair: User
) -> None:
    one, two = hospital.wards[:2]
    lounge = Ward.objects.create(
        site=hospital.site, code="DL", name="Lounge", kind=Ward.Kind.DISCHARGE_LOUNGE, position=8
    )
    template = template_of(hospital, starts=starts)
    say(template, starts, one, chair, definite=(1, 2), possible=(0, 0))
    huddle = end(begin(template, starts, chair, timezone.now()), timezone.now(), chair)
    by_lounge = Episode.objects.get(occupancies__bed=hospital.beds(one)[0])
    movements.transfer(
        episode=by_lounge, place=Place(lounge.pk), at=starts - timedelta(minutes=5), by=chair
    )
    hospital.admit(hospital.emergency, ago=HOUR)
    gone = Episode.objects.filter(occupancies__ward=hospital.emergency, discharged_at=None)[0]
    for episode in (by_lounge, gone):
        movements.discharge(episode=episode, at=starts + timedelta(minutes=9), by=chair)
    assert huddle.frozen is not None
    came = came_of(starts, huddle.frozen, at=starts + 3 * HOUR)
    assert {row.name: [due.came for due in row.dues] for row in came.wards} == {
        one.name: [1, 1], two.name: [0, 0],
    }  # fmt: skip
    assert [(due.definite, due.came) for due in came.dues] == [(1, 1), (2, 1)]
    next_day = starts + timedelta(days=1)
    later = end(begin(template, next_day, chair, next_day), next_day, chair)
    assert later.frozen is not None
    _pages, text = read(as_pdf(later.frozen, closed_at=next_day))
    assert "1 definite, 0 possible: 1" in text


def test_a_closure_may_be_taken_back_that_an_action_is_about(
    hospital: Hospital, chair: User
) -> None:
    now = timezone.now()
    closed = bed_states.close(
        bed=hospital.beds(hospital.wards[0])[5].pk, reason="staffing", since=now + HOUR, by=chair
    )
    action = agree(
        site=hospital.site, text="Find a nurse", owner=Owner(name="Jo"), due_at=now + HOUR, at=now,
        by=chair, about=About(ward=closed.ward, closure=closed, ending="reopened"),
    )  # fmt: skip
    assert bed_states.reopen(closure=closed.pk, at=now, by=chair) is None
    action.refresh_from_db()
    assert action.closure is None
    assert open_at(Action.objects.all(), at=now + HOUR).get() == action


def test_a_meeting_moved_after_a_ward_spoke_for_it_is_held_when_it_was_to_be(
    hospital: Hospital, template: HuddleTemplate, starts: datetime, chair: User
) -> None:
    say(template, starts, hospital.wards[0], chair, beds_free=3)
    local = timezone.localtime(starts) + timedelta(minutes=15)
    HuddleTemplate.objects.update(times=[local.time()])
    assert [one.starts_at for one in due(hospital, chair)] == [starts]
    begin(template, starts, chair, timezone.now())
    HuddleTemplate.objects.update(is_active=False)
    assert [(one.starts_at, one.runs) for one in due(hospital, chair)] == [(starts, True)]
    end(Huddle.objects.select_related("template__site").get(), timezone.now(), chair)
    assert due(hospital, chair) == []


def test_however_much_is_left_of_before_todays_actions_are_kept(
    hospital: Hospital, template: HuddleTemplate, starts: datetime, chair: User
) -> None:
    yesterday = starts - timedelta(days=1)
    before = end(begin(template, yesterday, chair, yesterday), yesterday, chair)
    Action.objects.bulk_create(
        Action(
            site=hospital.site, text=f"Left {n}", owner_name="Jo", due_at=yesterday + HOUR,
            agreed_at=yesterday, by=chair, huddle=before,
        )
        for n in range(205)
    )  # fmt: skip
    huddle = begin(template, starts, chair, timezone.now())
    agree(
        site=hospital.site, text="Today", owner=Owner(name="Jo"), due_at=starts + HOUR,
        at=timezone.now(), by=chair, huddle=huddle,
    )  # fmt: skip
    assert [row.action.text for row in seen_by(template, starts, chair).agreed] == ["Today"]


def test_nothing_is_agreed_in_a_meeting_that_does_not_run(
    hospital: Hospital, template: HuddleTemplate, starts: datetime, chair: User
) -> None:
    say(template, starts, hospital.wards[0], chair, beds_free=3)
    browser, here = signed_in(chair), address_of("meeting", template.pk, starts)
    said = {"deed": "agree", "line": "ring the bed office by 23:59 tomorrow, Jo"}
    assert browser.post(f"{here}?fragment=1", said).status_code == 422
    assert not Action.objects.exists()


@pytest.mark.parametrize("odd", ["00010101T0000", "99991231T2359", "20261323T0000"])
def test_an_address_of_no_time_leads_nowhere(
    template: HuddleTemplate, chair: User, odd: str
) -> None:
    browser = signed_in(chair)
    for more in ("", "room/", "summary/"):
        assert browser.get(f"/huddles/{template.pk}/{odd}/{more}").status_code == 404
