"""The page of a board round: who may, what is recorded, what is refused, what is kept."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from live import shared
from patients.models import Barrier, Episode, Readiness, Review
from tests.screens.hospital import FAMILY, Hospital, add_beds, signed_in, user
from tests.screens.rounds import PAGE, Care, care_of, code, hidden, send
from wards.barriers import Said
from wards.models import Ward
from wards.rounds import Found, review

TODAY = "%Y-%m-%d"


@pytest.fixture
def care(hospital: Hospital) -> Care:
    return care_of(hospital)


def ago(**length: float) -> Any:
    return timezone.now() - timedelta(**length)


# --- who may --------------------------------------------------------------------------------------


def test_who_sees_the_patients_of_the_ward_sees_its_round(care: Care, nurse: Client) -> None:
    page = nurse.get(PAGE).content.decode()
    assert page.count('class="roundrow') == 4
    assert FAMILY.upper() in page
    assert 'value="save"' in page
    for person in (
        user("other", Role.WARD_NURSE, ward=care.hospital.wards[1]),
        user("counts", Role.OBSERVER, everywhere=True),
        care.social_worker(),
    ):
        client = signed_in(person)
        assert client.get(PAGE).status_code == 403
        assert client.get(f"{PAGE}&fragment=1").status_code == 403
        body = {"deed": "save", "episode": care.stays()[0].pk}
        assert client.post(PAGE, body).status_code == 403
    assert nurse.get("/rounds/TGH-W2/").status_code == 403
    assert nurse.get("/rounds/NOWHERE/").status_code == 404
    assert not Review.objects.exists()


def test_a_reader_looks_and_records_nothing(care: Care) -> None:
    reader = signed_in(user("reader", Role.READER, everywhere=True))
    page = reader.get(PAGE).content.decode()
    assert "You may look at this round" in page
    assert 'value="save"' not in page
    assert 'value="raise"' not in page
    assert reader.post(PAGE, {"deed": "save", "episode": care.stays()[0].pk}).status_code == 403


def test_a_restricted_record_stays_closed(care: Care, nurse: Client) -> None:
    bed = care.hospital.beds(care.hospital.wards[0])[5]
    care.hospital.admit(bed, family="Secretname", restricted=True)
    episode = care.stays()[-1]
    page = nurse.get(f"{PAGE}&patient={episode.pk}").content.decode()
    assert "Restricted record" in page
    assert "SECRETNAME" not in page


# --- what is recorded -----------------------------------------------------------------------------


def test_none_met_sets_the_discharge_ready_date_and_goes_on_to_the_next(
    care: Care, nurse: Client
) -> None:
    one, two = care.stays()[:2]
    day = timezone.localdate() + timedelta(days=2)
    why = code("therapy", "red-day-reasons")
    answer = send(
        nurse, one, none_met="on", expected=day.strftime(TODAY), pathway="1", red_reason=why.pk,
        senior="on", medicines="to_prescribe", transport="to_book", next_step=" Stairs ",
    )  # fmt: skip
    assert answer.status_code == 200
    assert answer["X-Said"] == "Saved."
    assert f'data-patient="{two.pk}"' in answer.content.decode()
    made = Review.objects.get()
    assert (made.episode_id, made.criteria, made.pathway, made.day) == (one.pk, [], 1, "red")
    assert (made.red_reason, made.senior_reviewed, made.next_step) == (why, True, "Stairs")
    assert (made.medicines, made.transport) == ("to_prescribe", "to_book")
    assert made.expected_discharge_at is not None
    assert f"{timezone.localtime(made.expected_discharge_at):%Y-%m-%d %H}" == f"{day} 17"
    assert Readiness.objects.get().episode_id == one.pk
    page = nurse.get(f"{PAGE}&patient={one.pk}").content.decode()
    assert "Ready to leave since" in page
    assert "by Nurse" in page


def test_nothing_changed_is_one_deed_and_a_new_day_begins_red(care: Care, nurse: Client) -> None:
    [one] = care.stays()[:1]
    by = User.objects.get(username="nurse")
    plan = timezone.now() + timedelta(days=1)
    Episode.objects.filter(pk=one.pk).update(admitted_at=ago(days=3))
    found = Found(
        criteria=["oxygen"], day="green", senior_reviewed=True, pathway=2, next_step="Echo",
        expected_discharge_at=plan,
    )  # fmt: skip
    review(episode=one, found=found, said=Said(ago(days=1), by))
    answer = send(nurse, one, "confirm", pathway="3", next_step="not to be heard")
    assert answer.status_code == 200
    made = Review.objects.order_by("pk").last()
    assert made is not None
    assert (made.criteria, made.pathway, made.next_step) == (["oxygen"], 2, "Echo")
    assert (made.day, made.senior_reviewed) == ("red", False)
    assert made.expected_discharge_at == plan, "the hour too is as it was"
    assert made.round is not None


def test_the_reviews_of_one_round_share_its_key(care: Care, nurse: Client) -> None:
    one, two, three = care.stays()[:3]
    send(nurse, one, criteria=["oxygen"])
    send(nurse, two, criteria=["oxygen"])
    first, second = Review.objects.order_by("pk")
    assert first.round == second.round
    Review.objects.all()
    by = User.objects.get(username="nurse")
    assert first.round is not None
    old = review(
        episode=three, found=Found(criteria=["oxygen"]), said=Said(ago(hours=4), by), key="old"
    )
    assert old.round is None


def test_the_same_form_sent_twice_is_recorded_once(care: Care, nurse: Client) -> None:
    [one] = care.stays()[:1]
    page = nurse.get(f"{PAGE}&patient={one.pk}").content.decode()
    body = {
        "deed": "save", "episode": one.pk, "day": "green", "criteria": ["oxygen"],
        "seen": hidden(page, "seen"), "key": hidden(page, "key"),
    }  # fmt: skip
    for _ in range(2):  # the first answer was lost with the line
        assert nurse.post(f"{PAGE}&fragment=panel", body).status_code == 200
    assert Review.objects.count() == 1


def test_without_a_script_one_is_led_to_the_next(care: Care, nurse: Client) -> None:
    one, two = care.stays()[:2]
    page = nurse.get(f"{PAGE}&patient={one.pk}").content.decode()
    body = {"deed": "save", "episode": one.pk, "day": "green", "criteria": ["oxygen"],
            "seen": hidden(page, "seen"), "key": "k"}  # fmt: skip
    answer = nurse.post(PAGE, body)
    assert (answer.status_code, answer["Location"]) == (302, f"{PAGE}&patient={two.pk}")


def test_the_end_of_a_round_says_who_did_it(care: Care, nurse: Client) -> None:
    for episode in care.stays():
        answer = send(nurse, episode, criteria=["oxygen"])
    assert "Everybody has been seen today" in answer.content.decode()
    assert "by Nurse" in answer.content.decode()
    assert "Everybody has been seen today" in nurse.get(PAGE).content.decode()


# --- what is refused keeps what was typed ---------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({}, "Tick the criteria that are met, or “None met”."),
        ({"criteria": ["oxygen"], "none_met": "on"}, "Take one back."),
        ({"criteria": ["oxygen"], "exception": "Dr Ash"}, "somebody who meets none"),
        ({"none_met": "on", "expected": "2020-01-01"}, "This day has passed"),
        ({"none_met": "on", "expected": "soon"}, "Give a date"),
        ({"none_met": "on", "pathway": "7"}, "Select a valid choice"),
        ({"none_met": "on", "day": ""}, "red or green"),
    ],
)
def test_a_refused_form_says_why_and_keeps_what_was_typed(
    care: Care, nurse: Client, said: dict[str, Any], says: str
) -> None:
    [one] = care.stays()[:1]
    answer = send(nurse, one, next_step="Family at two", **said)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Nothing was recorded" in page
    assert says in page
    assert 'value="Family at two"' in page
    assert not Review.objects.exists()


def test_a_place_at_home_may_leave_the_criteria_unsaid(care: Care, manager: Client) -> None:
    ward = care.hospital.wards[1]
    Ward.objects.filter(pk=ward.pk).update(kind=Ward.Kind.VIRTUAL)
    care.hospital.admit(care.hospital.beds(ward)[0])
    episode = Episode.objects.get(occupancies__ward=ward)
    page = manager.get(f"/rounds/TGH-W2/?patient={episode.pk}").content.decode()
    body = {"deed": "save", "episode": episode.pk, "day": "green",
            "seen": hidden(page, "seen"), "key": "k"}  # fmt: skip
    assert manager.post("/rounds/TGH-W2/?fragment=panel", body).status_code == 200
    assert Review.objects.get().criteria is None
    assert not Readiness.objects.exists()


def test_a_stale_form_is_told_what_changed_and_undoes_nobodys_word(
    care: Care, nurse: Client
) -> None:
    [one] = care.stays()[:1]
    page = nurse.get(f"{PAGE}&patient={one.pk}").content.decode()
    sister = user("sister", Role.WARD_NURSE, ward=care.hospital.wards[0])
    theirs = Found(criteria=["oxygen"], pathway=2, medicines="ready", day="green")
    review(episode=one, found=theirs, said=Said(timezone.now(), sister))
    mine = {
        "deed": "save", "episode": one.pk, "day": "red", "none_met": "on", "pathway": "1",
        "next_step": "Family at two", "seen": hidden(page, "seen"), "key": "mine",
    }  # fmt: skip
    answer = nurse.post(f"{PAGE}&fragment=panel", mine)
    told = answer.content.decode()
    assert answer.status_code == 409
    assert Review.objects.count() == 1
    for words in ("Somebody has changed this", "By Sister", "Pathway", "not said", "Ready"):
        assert words in told
    assert 'value="Family at two"' in told, "what I typed stands"
    assert re.search(r'name="pathway" value="1"[^>]*checked', told), "over what was changed"
    assert re.search(r'name="medicines" value="ready"[^>]*checked', told), "I had not touched it"
    assert re.search(r'name="day" value="green"[^>]*checked', told)
    again = mine | {"seen": hidden(told, "seen"), "medicines": "ready", "day": "green"}
    again["key"] = "again"
    assert nurse.post(f"{PAGE}&fragment=panel", again).status_code == 200
    made = Review.objects.order_by("pk").last()
    assert made is not None
    assert (made.pathway, made.medicines, made.day) == (1, "ready", "green")


def test_a_confirmation_of_what_no_longer_stands_is_refused(care: Care, nurse: Client) -> None:
    [one] = care.stays()[:1]
    by = User.objects.get(username="nurse")
    review(episode=one, found=Found(criteria=["oxygen"]), said=Said(ago(hours=2), by))
    page = nurse.get(f"{PAGE}&patient={one.pk}").content.decode()
    review(episode=one, found=Found(criteria=[]), said=Said(ago(hours=1), by))
    body = {"deed": "confirm", "episode": one.pk, "seen": hidden(page, "seen"), "key": "k"}
    answer = nurse.post(f"{PAGE}&fragment=panel", body)
    assert answer.status_code == 409
    assert "none met" in answer.content.decode()
    assert Review.objects.count() == 2


@pytest.mark.parametrize("seen", ["", "nonsense", "1/nonsense", "99999999/"])
def test_a_form_that_is_not_whole_records_nothing_over_a_review(
    care: Care, nurse: Client, seen: str
) -> None:
    [one] = care.stays()[:1]
    by = User.objects.get(username="nurse")
    review(episode=one, found=Found(criteria=["oxygen"]), said=Said(ago(hours=2), by))
    answer = send(nurse, one, none_met="on", seen=seen)
    assert answer.status_code == 409
    assert Review.objects.count() == 1


def test_who_has_left_the_ward_is_not_reviewed(care: Care, nurse: Client) -> None:
    gone = Episode.objects.exclude(pk__in=[e.pk for e in care.stays()]).latest("pk")
    body = {"deed": "save", "episode": gone.pk, "day": "red", "none_met": "on", "seen": "/"}
    answer = nurse.post(f"{PAGE}&fragment=panel", body)
    assert answer.status_code == 409
    assert "has left the ward" in answer.content.decode()
    assert not Review.objects.exists()


# --- barriers at the round ------------------------------------------------------------------------


def test_a_barrier_is_raised_and_resolved_at_the_round(care: Care, nurse: Client) -> None:
    [one] = care.stays()[:1]
    empty = send(nurse, one, "raise", note="Lift is broken")
    assert empty.status_code == 422
    assert 'value="Lift is broken"' in empty.content.decode()
    answer = send(nurse, one, "raise", reason=code("p3-capacity").pk, note="Near the daughter")
    assert (answer.status_code, answer["X-Said"]) == (200, "Raised, with Social work.")
    page = answer.content.decode()
    assert "Residential/nursing home care not yet available" in page
    assert f'data-patient="{one.pk}"' in page, "one stays with the patient"
    made = Barrier.objects.get()
    assert (made.team, made.note) == (care.social_work, "Near the daughter")
    assert send(nurse, one, "raise", reason=code("p3-capacity").pk).status_code == 409
    assert send(nurse, one, "resolve", barrier=made.pk).status_code == 200
    made.refresh_from_db()
    assert made.outcome == "resolved"
    other = care.waits(care.stays()[1], "transport")
    assert send(nurse, one, "resolve", barrier=other.pk).status_code == 409


# --- the ward board -------------------------------------------------------------------------------


def test_the_ward_board_says_whether_the_ward_was_confirmed(care: Care, nurse: Client) -> None:
    page = nurse.get("/wards/TGH-W1/").content.decode()
    assert "Not confirmed today, 0 of 4 seen" in page
    assert f'href="{PAGE.replace("&", "&amp;")}"' in page
    for episode in care.stays():
        send(nurse, episode, none_met="on")
    shared.forget()  # nothing rings in a test's own transaction
    page = nurse.get("/wards/TGH-W1/").content.decode()
    assert "Not confirmed" not in page
    assert "<strong>4</strong> ready to leave" in page
    yesterday = (timezone.now() - timedelta(hours=3)).isoformat()
    past = nurse.get("/wards/TGH-W1/", {"at": yesterday}).content.decode()
    assert "Not confirmed today, 0 of 4 seen" in past


def test_who_sees_counts_alone_is_not_led_to_the_round(care: Care, observer: Client) -> None:
    page = observer.get("/wards/TGH-W1/").content.decode()
    assert "Not confirmed today" in page
    assert "/rounds/" not in page
    assert "Not confirmed" not in observer.get("/wards/TGH-ED/").content.decode()


# --- cost -----------------------------------------------------------------------------------------


def test_the_page_asks_as_often_at_sixty_beds_as_at_six(care: Care, nurse: Client) -> None:
    def cost(query: str = "") -> int:
        nurse.get("/search/")
        with CaptureQueriesContext(connection) as asked:
            assert nurse.get(PAGE + query).status_code == 200
        return len(asked)

    care.waits(care.stays()[0], "transport")
    small = (cost(), cost("&fragment=1"), cost("&fragment=panel"))
    assert max(small) <= 13
    add_beds(care.hospital.wards[0], 54, first=6)
    for bed in care.hospital.beds(care.hospital.wards[0])[6:]:
        care.hospital.admit(bed)
    for episode in care.stays()[::2]:
        care.waits(episode, "therapy-review")
    assert (cost(), cost("&fragment=1"), cost("&fragment=panel")) == small
