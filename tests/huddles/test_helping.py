"""What would help most: told of what is there, with what it would give, and one click from an
action."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from flow.forecasts.clock import minute_of
from flow.forecasts.scenario import Gone, Opened, Scenario, to_json
from flow.models import KeptScenario
from huddles.meetings.addresses import address_of
from huddles.meetings.board_types import Board
from huddles.meetings.helping import Help
from huddles.models import Action, HuddleTemplate
from tests.huddles.meeting import next_start, seen_by, template_of
from tests.screens.forecasts import foretell, forget, lived_in
from tests.screens.hospital import Hospital, add_beds, signed_in, user
from tests.screens.rounds import Care
from wards import bed_states
from wards.barriers import Said
from wards.facts import MovementKind, Place
from wards.models import Bed, Closure, Ward
from wards.movements import transfer
from wards.rounds import Found, review

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
STARTS = next_start()


@pytest.fixture
def template(hospital: Hospital) -> HuddleTemplate:
    return template_of(hospital, starts=STARTS, agenda=["site"])


def seen(template: HuddleTemplate, viewer: User | None) -> Board:
    return seen_by(template, STARTS, viewer)


def helps(template: HuddleTemplate, viewer: User | None) -> dict[str, Help]:
    helping = seen(template, viewer).helping
    assert helping is not None
    return {f"{one.kind} {one.words}": one for one in helping.helps}


def test_each_thing_stands_with_the_beds_it_would_give(
    hospital: Hospital, template: HuddleTemplate, chair: User, care: Care
) -> None:
    one, two = hospital.wards
    now = timezone.now()
    critical = Ward.objects.create(
        site=hospital.site, code="TGH-ICU", name="Critical care", kind=Ward.Kind.CRITICAL_CARE,
        position=9,
    )  # fmt: skip
    add_beds(critical, 2)
    stepping = hospital.admit(hospital.beds(critical)[0])
    hospital.tell(stepping, MovementKind.PENDING_TRANSFER, wanted=two)
    leaving = hospital.admit(hospital.beds(two)[0])
    hospital.tell(leaving, MovementKind.PENDING_DISCHARGE)
    ready = care.stays()[0]
    review(episode=ready, found=Found(criteria=(), pathway=0), said=Said(now - 2 * HOUR, chair))
    medicines = care.waits(ready, "medicines-and-letter")
    beds = hospital.beds(two)
    bed_states.close(bay=beds[4].bay_id, reason="estates", since=now - HOUR, by=None)
    Bed.objects.filter(pk=beds[5].pk).update(bay=None)
    bed_states.record_status(
        bed=beds[5].pk, status="K", occurred_at=now - HOUR, sent_at=now, source="feed", key="k"
    )
    Bed.objects.filter(pk=hospital.beds(one)[5].pk).update(funding="escalation")
    found = helps(template, chair)
    assert {name: one.beds for name, one in found.items()} == {
        "leave Ward 2, bed 1: discharge announced": 1,
        f"leave Ward 1, bed 1: {medicines.reason.label}": 1,
        "closure Ward 2, Bay A: 4 beds closed, estates": 4,
        "clean Ward 2: 1 bed to be cleaned": 1,
        "step_down Critical care, bed 1: waits for a bed on a ward": 1,
        "escalation Ward 1: 1 escalation bed not open": 1,
    }
    helping = seen(template, chair).helping
    assert helping is not None
    assert (helping.gap, helping.beds) == (None, 8)
    # Who waits for two things is not helped by one.
    care.waits(ready, "transport")
    assert len(helps(template, chair)) == 5


def test_who_may_not_see_patients_is_told_of_none(
    hospital: Hospital, template: HuddleTemplate, chair: User, observer: Client
) -> None:
    leaving = hospital.admit(hospital.beds(hospital.wards[1])[0])
    hospital.tell(leaving, MovementKind.PENDING_DISCHARGE)
    watching = User.objects.get(username="observer")
    assert len(helps(template, chair)) == 1
    assert helps(template, watching) == {}
    room = address_of("room", template.pk, STARTS)
    assert observer.get(room).status_code == 403
    assert signed_in(chair).get(room).status_code == 200


def test_one_click_leads_to_an_action_that_ends_by_the_deed(
    hospital: Hospital, template: HuddleTemplate, chair: User
) -> None:
    beds = hospital.beds(hospital.wards[1])
    bed_states.close(bed=beds[4].pk, reason="staffing", since=timezone.now() - HOUR, by=None)
    browser, here = signed_in(chair), address_of("meeting", template.pk, STARTS)
    browser.post(here, {"deed": "open"})
    shown = browser.get(here).content.decode()
    button = re.search(r'data-say="([^"]*)" data-about="([^"]*)" data-ward="([^"]*)"', shown)
    assert button is not None
    say, about, ward = button.groups()
    answer = browser.post(
        f"{here}?fragment=1",
        {"deed": "agree", "line": f"{say}23:59 tomorrow, Jo", "about": about, "ward": ward},
    )
    assert answer.status_code == 200, answer.content
    action = Action.objects.get()
    assert action.text == "open Ward 2, 5 again"
    assert (action.closure, action.ending) == (Closure.objects.get(), "reopened")
    # What is not at this site, or is nothing, is no subject; the line alone counts then.
    for odd in ("closure:999", "stay:x", "odd:1", ":"):
        answer = browser.post(
            f"{here}?fragment=1",
            {"deed": "agree", "line": "do it by 23:59 tomorrow, Jo", "about": odd},
        )
        assert answer.status_code == 200
    assert Action.objects.filter(ending="").count() == 4


def test_other_words_typed_over_it_are_not_about_it_and_one_line_sent_twice_is_one_action(
    hospital: Hospital, template: HuddleTemplate, chair: User
) -> None:
    leaving = hospital.admit(hospital.beds(hospital.wards[1])[0])
    hospital.tell(leaving, MovementKind.PENDING_DISCHARGE)
    browser, here = signed_in(chair), address_of("meeting", template.pk, STARTS)
    browser.post(here, {"deed": "open"})
    [one] = helps(template, chair).values()
    once = re.search(r'id="capture-once" value="(\w+)"', browser.get(here).content.decode())
    assert once is not None
    said = {"deed": "agree", "about": one.about, "ward": str(one.ward), "once": once[1]}
    for line, answer in (
        ("order pizza by 23:59 tomorrow, Jo", "not about The patient in Ward 2, 1"),
        ("order pizza by 23:59 tomorrow, Jo", "not about"),
        (f"{one.say} by 23:59 tomorrow, Jo", "Ward 2, 1."),
    ):
        told = browser.post(f"{here}?fragment=1", said | {"line": line})
        assert answer in told.content.decode()
    other, about = Action.objects.order_by("pk")
    assert (other.text, other.episode, other.ward) == ("order pizza", None, None)
    assert other.ending == ""
    assert (about.text, about.ending) == (one.say, "discharged")


def test_a_step_down_is_over_once_they_have_come_to_a_ward(
    hospital: Hospital, template: HuddleTemplate, chair: User
) -> None:
    critical = Ward.objects.create(
        site=hospital.site, code="TGH-ICU", name="Critical care", kind=Ward.Kind.CRITICAL_CARE
    )
    add_beds(critical, 1)
    stepping = hospital.admit(hospital.beds(critical)[0])
    hospital.tell(stepping, MovementKind.PENDING_TRANSFER, wanted=hospital.wards[1])
    browser, here = signed_in(chair), address_of("meeting", template.pk, STARTS)
    browser.post(here, {"deed": "open"})
    [one] = helps(template, chair).values()
    browser.post(here, {"deed": "agree", "line": f"{one.say} by 23:59 tomorrow, Jo",
                        "about": one.about, "ward": str(one.ward)})  # fmt: skip
    action = Action.objects.get()
    assert (action.ending, action.ward) == ("moved", critical)
    bed = hospital.beds(hospital.wards[1])[0]
    assert action.episode is not None
    transfer(
        episode=action.episode, place=Place(bed.ward_id, bed.bay_id, bed.pk), at=timezone.now(),
        by=chair,
    )  # fmt: skip
    [row] = seen(template, chair).agreed
    assert row.by_deed


def test_a_kept_what_if_is_opened_and_its_steps_agreed(
    hospital: Hospital, template: HuddleTemplate, chair: User, care: Care
) -> None:
    one, now = hospital.wards[0], timezone.now()
    stays = care.stays()
    later = minute_of(now) + 120
    kept = Scenario(
        opened=(Opened(3, one.pk), Opened(2)), gone=(Gone((stays[0].pk, 10**9), later),),
        arrivals=1.2,
    )  # fmt: skip
    for name, said, when in (
        ("Open the winter beds", to_json(kept), now),
        ("Of last week", to_json(kept), now - timedelta(days=7)),
        ("Of another version", {"odd": 1}, now),
    ):
        KeptScenario.objects.create(
            site=hospital.site, name=name, said=said, by=chair, kept_at=when
        )
    [found] = seen(template, chair).what_ifs
    words = [(step.beds, step.words, step.about) for step in found.steps]
    assert found.name == "Open the winter beds"
    assert [(beds, about) for beds, _words, about in words] == [
        (3, ""), (2, ""), (1, f"stay:{stays[0].pk}"), (0, ""),
    ]  # fmt: skip
    assert words[0][1].startswith("3 beds more on Ward 1")
    assert words[2][1].startswith("Ward 1, bed 1: has left by")
    browser, here = signed_in(chair), address_of("meeting", template.pk, STARTS)
    browser.post(here, {"deed": "open"})
    shown = browser.get(here).content.decode()
    assert "What if: Open the winter beds" in shown
    assert 'data-say="open 3 beds on Ward 1 by "' in shown
    # Neither the room nor who sees one ward alone is told: it can be about anybody.
    nurse = user("nurse9", Role.WARD_NURSE, ward=one)
    assert seen(template, None).what_ifs == seen(template, nurse).what_ifs == ()


def test_the_gap_is_what_the_last_forecast_expects_and_a_full_ward_stands_out() -> None:
    hospital = lived_in(wards=2, beds=6, patients=4)
    full, roomy = hospital.wards
    for bed in hospital.beds(full)[4:]:
        hospital.admit(bed, ago=HOUR / 2)
    for _ in range(2):
        coming = hospital.admit(hospital.emergency)
        hospital.tell(coming, MovementKind.PENDING_TRANSFER, wanted=full)
    issued = foretell(hospital.site)
    leads = user("leads", Role.BED_MANAGER, site=hospital.site)
    held = template_of(hospital, starts=STARTS, agenda=["site"])
    helping = seen(held, leads).helping
    forget()
    assert helping is not None
    gap = helping.gap
    assert gap is not None
    assert gap.at == issued.at
    assert gap.until - issued.at <= 5 * HOUR
    assert (gap.free, gap.waiting) == (2, 2)
    assert gap.sure <= gap.expected
    assert [(one.name, one.waiting) for one in gap.tight] == [(full.name, 2)]
    assert gap.tight[0].expected < 2
    assert roomy.pk not in {one.ward for one in gap.tight}


def test_what_is_agreed_already_is_not_offered_again(
    hospital: Hospital, template: HuddleTemplate, chair: User
) -> None:
    beds = hospital.beds(hospital.wards[1])
    bed_states.close(bed=beds[4].pk, reason="staffing", since=timezone.now() - HOUR, by=None)
    bed_states.record_status(bed=beds[5].pk, status="K", occurred_at=timezone.now() - HOUR,
                             sent_at=timezone.now(), source="feed", key="k")  # fmt: skip
    browser, here = signed_in(chair), address_of("meeting", template.pk, STARTS)
    browser.post(here, {"deed": "open"})
    for one in helps(template, chair).values():
        assert not one.agreed
        browser.post(here, {"deed": "agree", "line": f"{one.say} by 23:59 tomorrow, Jo",
                            "about": one.about, "ward": str(one.ward)})  # fmt: skip
    found = helps(template, chair).values()
    assert [one.agreed for one in found] == [True, True]
    assert "data-say" not in browser.get(here).content.decode()


def test_the_line_says_the_hour_that_a_what_if_had() -> None:
    now = timezone.now().replace(hour=9, minute=0)
    one = Help("leave", "Ward 1, bed 1", 1, "help bed 1 to leave", 1, by=now + HOUR)
    local = timezone.localtime(now + HOUR)
    assert one.line(at=now) == f"help bed 1 to leave by {local:%H:%M}, "
    assert one.line(at=now + 2 * HOUR) == "help bed 1 to leave by "
