"""The list of beds to clean, and what the drawer says of a bed itself."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from patients.models import Episode
from tests.pages import of_persons, steady
from tests.screens.hospital import FAMILY, Hospital, add_beds, build, signed_in, user
from wards import bed_states, cleaning
from wards.bed_states import record_status, states_at
from wards.models import Bed, BedStatus, Closure, Reservation

LIST = "/cleaning/"


@pytest.fixture
def cleaner_person(hospital: Hospital) -> User:
    return user("mopsy", Role.CLEANER, site=hospital.site)


@pytest.fixture
def cleaner(cleaner_person: User) -> Client:
    """Cleans everywhere in the hospital, and sees nothing else."""
    return signed_in(cleaner_person)


@pytest.fixture
def sister(hospital: Hospital) -> User:
    return user("sister", Role.WARD_NURSE, site=hospital.site)


def ask(bed: Bed, by: User, *, level: str = "routine", ago: float = 0) -> BedStatus:
    at = timezone.now() - timedelta(minutes=ago)
    return cleaning.ask(bed=bed.pk, level=level, at=at, by=by)


def page(client: Client, address: str = LIST) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def order(text: str) -> list[int]:
    """The beds of a page, from top to bottom."""
    return [int(key) for key in re.findall(r'id="job-(\d+)"', text)]


def status(bed: Bed) -> tuple[str, str]:
    found = next(s for s in states_at(at=timezone.now(), wards=[bed.ward_id]) if s.bed == bed.pk)
    return found.status, found.level


def hold(bed: Bed, episode: Episode, *, minutes: float) -> datetime:
    now = timezone.now()
    until = now + timedelta(minutes=minutes)
    Reservation.objects.create(
        episode=episode, key="k", bed=bed, period=DateTimeTZRange(now, until)
    )
    return until


def beds(hospital: Hospital, ward: int = 1) -> list[Bed]:
    return hospital.beds(hospital.wards[ward])


# --- the list -------------------------------------------------------------------------------------


def test_the_most_urgent_bed_comes_first_and_the_page_says_why(
    hospital: Hospital, cleaner: Client, sister: User
) -> None:
    late, soon, long, short, shut = beds(hospital)[:5]
    waiting = list(Episode.objects.order_by("pk")[:2])
    for bed, ago in ((short, 5), (long, 90), (late, 3), (soon, 2), (shut, 300)):
        ask(bed, sister, ago=ago, level="terminal" if bed == soon else "routine")
    hold(late, waiting[0], minutes=90)
    until = hold(soon, waiting[1], minutes=30)
    bed_states.close(
        bed=shut.pk, reason="infection", since=timezone.now() - timedelta(hours=6), by=sister
    )
    text = page(cleaner)
    assert order(text) == [bed.pk for bed in (soon, late, long, short, shut)]
    said = steady(text)
    assert "Terminal clean" in said
    assert "Routine clean" in said
    assert f"{timezone.localtime(until):%H:%M}" in said
    assert "Closed: infection" in said
    assert "1 h 30 min" in said


def test_no_patient_stands_on_the_list(hospital: Hospital, cleaner: Client, sister: User) -> None:
    bed = beds(hospital)[0]
    ask(bed, sister)
    episode = Episode.objects.present(at=timezone.now()).order_by("-pk")[0]
    hold(bed, episode, minutes=60)
    text = page(cleaner)
    assert "Somebody waits for it" in text
    for hidden in (FAMILY, FAMILY.upper(), "MRN", episode.visit.number):
        assert hidden not in steady(text)
    assert of_persons(text) == []


def test_beds_with_somebody_in_them_wait_until_they_have_left(
    hospital: Hospital, cleaner: Client, sister: User
) -> None:
    taken, free = beds(hospital, 0)[0], beds(hospital, 0)[5]
    ask(taken, sister)
    ask(free, sister)
    assert order(page(cleaner)) == [free.pk]


def test_each_sees_the_beds_of_the_wards_they_clean(hospital: Hospital, sister: User) -> None:
    here, there = beds(hospital, 0)[5], beds(hospital, 1)[0]
    ask(here, sister)
    ask(there, sister)
    nurse = signed_in(user("one ward", Role.WARD_NURSE, ward=hospital.wards[0]))
    assert order(page(nurse)) == [here.pk]
    answer = nurse.post(LIST, {"deed": "begin", "bed": there.pk, "level": "routine"})
    assert answer.status_code == 403
    assert status(there) == ("K", "routine")
    assert nurse.post(LIST, {"deed": "begin", "bed": 0, "level": ""}).status_code == 404


@pytest.mark.parametrize("role", [Role.OBSERVER, Role.READER, Role.DISCHARGE_COORDINATOR])
def test_who_does_not_clean_has_no_list(hospital: Hospital, role: Role) -> None:
    other = signed_in(user("other", role, everywhere=True))
    assert other.get(LIST).status_code == 403
    assert other.post(LIST, {"deed": "begin"}).status_code == 403


def test_a_job_is_begun_done_and_taken_back_without_a_script(
    hospital: Hospital, cleaner: Client, sister: User
) -> None:
    bed = beds(hospital)[0]
    ask(bed, sister, level="terminal")
    said = {"bed": bed.pk, "level": "terminal"}
    begun = cleaner.post(LIST, said | {"deed": "begin"}, follow=True)
    assert begun.redirect_chain == [(LIST, 302)]
    text = begun.content.decode()
    assert "Begun: bed 1, Ward 2." in text
    assert "You are cleaning" in text
    assert status(bed) == ("H", "terminal")
    finished = cleaner.post(LIST, said | {"deed": "done"}, follow=True).content.decode()
    assert "All clean." in finished
    assert status(bed) == ("U", "terminal")
    [fact] = re.findall(r'name="status" value="(\d+)"', finished)
    back = cleaner.post(LIST, {"deed": "undo", "status": fact}, follow=True).content.decode()
    assert "Undone: bed 1, Ward 2 is as it was." in back
    assert status(bed) == ("H", "terminal")
    assert order(back) == [bed.pk]
    assert 'name="status"' not in back


def test_nobody_takes_back_what_another_said(
    hospital: Hospital, cleaner: Client, sister: User
) -> None:
    bed = beds(hospital)[0]
    asked = ask(bed, sister)
    answer = cleaner.post(f"{LIST}?fragment=1", {"deed": "undo", "status": asked.pk})
    assert answer.status_code == 409
    assert status(bed) == ("K", "routine")


def test_what_another_is_cleaning_is_told_apart_and_not_begun_twice(
    hospital: Hospital, cleaner: Client, sister: User
) -> None:
    bed = beds(hospital)[0]
    ask(bed, sister, ago=10)
    cleaning.begin(bed=bed.pk, at=timezone.now(), by=sister)
    assert "Others are cleaning" in page(cleaner)
    answer = cleaner.post(LIST, {"deed": "begin", "bed": bed.pk, "level": "routine"})
    assert answer.status_code == 409
    text = answer.content.decode()
    assert "Nothing was recorded." in text
    assert "being cleaned already" in text


def test_a_clean_that_became_terminal_is_not_done_as_the_page_had_it(
    hospital: Hospital, cleaner: Client, sister: User
) -> None:
    bed = beds(hospital)[0]
    ask(bed, sister, ago=10)
    ask(bed, sister, level="terminal")
    answer = cleaner.post(f"{LIST}?fragment=1", {"deed": "done", "bed": bed.pk, "level": "routine"})
    assert (answer.status_code, status(bed)) == (409, ("K", "terminal"))
    assert "needs a terminal clean" in answer.content.decode()


def test_how_long_a_bed_waits_outlasts_a_start_that_was_undone_and_a_feeds_repetition(
    hospital: Hospital, cleaner: Client, sister: User
) -> None:
    bed = beds(hospital)[0]
    ask(bed, sister, ago=125)
    now = timezone.now()
    begun = cleaning.begin(bed=bed.pk, at=now - timedelta(minutes=5), by=sister)
    cleaning.take_back(status=begun.pk, at=now - timedelta(minutes=4), by=sister)
    record_status(bed=bed.pk, status="K", occurred_at=now, sent_at=now, source="feed", key="again")
    assert "waits <time" in page(cleaner)
    assert "2 h 5 min" in page(cleaner)


def test_a_job_done_and_undone_is_still_as_old_as_it_was(
    hospital: Hospital, cleaner: Client, sister: User
) -> None:
    bed = beds(hospital)[0]
    ask(bed, sister, ago=125)
    now = timezone.now()
    cleaning.begin(bed=bed.pk, at=now - timedelta(minutes=61), by=sister)
    done = cleaning.done(bed=bed.pk, at=now - timedelta(minutes=1), by=sister)
    cleaning.take_back(status=done.pk, at=now, by=sister)
    assert "begun <time" in page(cleaner)
    assert "1 h 1 min" in page(cleaner)


def test_the_list_is_narrowed_to_a_site_and_a_ward(hospital: Hospital) -> None:
    other = build(code="OGH")
    someone = user("moptop", Role.CLEANER, everywhere=True)
    here, there = beds(hospital)[0], other.beds(other.wards[0])[0]
    second = other.beds(other.wards[1])[0]
    for bed in (here, there, second):
        ask(bed, someone, ago=1)
    client = signed_in(someone)
    assert len(order(page(client))) == 3
    assert order(page(client, f"{LIST}?site=TGH")) == [here.pk]
    narrowed = page(client, f"{LIST}?site=OGH&ward=OGH-W2")
    assert order(narrowed) == [second.pk]
    assert "site=OGH&amp;ward=OGH-W1" in narrowed
    sent = client.post(f"{LIST}?site=OGH", {"deed": "begin", "bed": there.pk, "level": "routine"})
    assert sent["Location"] == f"{LIST}?site=OGH"
    assert "No bed on this ward" in page(client, f"{LIST}?site=OGH&ward=nowhere")


def test_with_nothing_to_clean_the_list_says_so(cleaner: Client) -> None:
    text = page(cleaner)
    assert "All clean." in text
    assert order(text) == []


def test_the_fragment_is_the_list_alone(hospital: Hospital, cleaner: Client, sister: User) -> None:
    ask(beds(hospital)[0], sister)
    answer = cleaner.get(f"{LIST}?fragment=1")
    assert answer["X-Board"] == "cleaning"
    assert answer["Cache-Control"] == "no-store"
    assert "<html" not in answer.content.decode()


def test_a_cleaner_begins_with_the_list_and_is_offered_nothing_else(cleaner: Client) -> None:
    for address in ("/", "/start/"):
        answer = cleaner.get(address, follow=True)
        assert answer.redirect_chain[-1] == (LIST, 302)
    text = page(cleaner)
    assert ">Cleaning</a>" in text
    for other in ("System", "Discharge hub", "Our work", 'id="search"'):
        assert other not in text
    assert cleaner.get("/wards/TGH-W1/").status_code in (403, 404)


def test_who_sees_figures_has_no_entry_in_the_menu(nurse: Client) -> None:
    assert ">Cleaning</a>" not in page(nurse)


def test_sixty_beds_are_read_as_six_are(hospital: Hospital, sister: User) -> None:
    ward = hospital.wards[1]
    person = user("counted", Role.CLEANER, site=hospital.site)

    def queries() -> int:
        client = signed_in(person)
        client.get(LIST)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            text = client.get(LIST).content.decode()
        assert len(order(text)) == ward.beds.count()
        return len(seen)

    for bed in beds(hospital):
        ask(bed, sister, ago=30)
    few = queries()
    add_beds(ward, 54, first=6)
    for bed in beds(hospital)[6:]:
        ask(bed, person, ago=20)
        hold(bed, hospital_episode(bed), minutes=30)
    # What the viewer said last is looked at once more, whether it may be taken back.
    assert few <= queries() <= few + 1
    assert few <= 8


def hospital_episode(bed: Bed) -> Episode:
    """A stay of its own for each bed: nobody is held two."""
    some = Episode.objects.order_by("pk").first()
    assert some is not None
    some.pk, some.ordinal = None, bed.pk % 30_000 + 2
    some._state.adding = True
    some.save()
    return some


# --- the drawer -----------------------------------------------------------------------------------


def drawer(client: Client, bed: Bed) -> str:
    return page(client, f"/beds/{bed.pk}/")


def post(client: Client, bed: Bed, **said: object) -> tuple[int, str]:
    answer = client.post(f"/beds/{bed.pk}/?fragment=1", said | {"episode_seen": ""})
    return answer.status_code, answer.content.decode()


def test_the_drawer_asks_for_cleaning_and_says_how_it_stands(
    hospital: Hospital, nurse: Client
) -> None:
    bed = beds(hospital, 0)[5]
    assert "Needs cleaning" in drawer(nurse, bed)
    assert post(nurse, bed, deed="ask", level="")[0] == 422
    assert post(nurse, bed, deed="ask", level="terminal") == (200, "To be cleaned: terminal clean.")
    text = drawer(nurse, bed)
    assert "To be cleaned" in text
    assert "terminal clean" in text
    assert "Cleaning begins" in text
    assert post(nurse, bed, deed="begin", level="terminal") == (200, "Being cleaned.")
    assert "Cleaning begins" not in drawer(nurse, bed)
    assert post(nurse, bed, deed="clean", level="routine")[0] == 422
    assert post(nurse, bed, deed="clean", level="terminal") == (200, "Clean and ready.")
    assert status(bed) == ("U", "terminal")


def test_a_nurse_may_say_that_a_routine_clean_is_enough_after_all(
    hospital: Hospital, nurse: Client, sister: User
) -> None:
    bed = beds(hospital, 0)[5]
    ask(bed, sister, level="terminal", ago=1)
    assert post(nurse, bed, deed="ask", level="routine")[0] == 200


def test_of_a_bed_in_use_the_drawer_says_that_it_is_cleaned_afterwards(
    hospital: Hospital, nurse: Client, sister: User
) -> None:
    bed = beds(hospital, 0)[0]
    ask(bed, sister, level="terminal", ago=1)
    text = drawer(nurse, bed)
    assert "To be cleaned once they have left: terminal clean" in text
    assert "Clean and ready" not in text
    assert "Cleaning begins" not in text


def test_a_bed_manager_closes_and_reopens_a_bed(hospital: Hospital, manager: Client) -> None:
    bed = beds(hospital)[0]
    until = f"{timezone.localtime() + timedelta(days=2):%Y-%m-%dT%H:%M}"
    said = {"reason": "estates", "until": until, "note": "No hot water"}
    assert post(manager, bed, deed="close", **(said | {"reason": ""}))[0] == 422
    assert post(manager, bed, deed="close", **said) == (200, "Closed.")
    closure = Closure.objects.get()
    assert (closure.bed, closure.reason, closure.note) == (bed, "estates", "No hot water")
    text = drawer(manager, bed)
    assert "No hot water" in text
    assert "Estates" in text
    assert "Reopen the bed" in text
    assert "Close the bed" not in text
    assert post(manager, bed, deed="reopen") == (200, "Open again.")
    assert "No hot water" not in drawer(manager, bed)


def test_a_closed_ward_is_not_reopened_from_one_of_its_beds(
    hospital: Hospital, manager: Client, sister: User
) -> None:
    bed = beds(hospital)[0]
    since = timezone.now() - timedelta(hours=1)
    bed_states.close(ward=bed.ward_id, reason="infection", since=since, by=sister)
    text = drawer(manager, bed)
    assert "the whole ward" in text
    assert "Reopen the bed" not in text
    assert post(manager, bed, deed="reopen")[0] == 422
    assert Closure.objects.get().period.upper is None


def test_an_escalation_bed_is_opened_and_closed_again(hospital: Hospital, manager: Client) -> None:
    bed = beds(hospital)[0]
    Bed.objects.filter(pk=bed.pk).update(funding="escalation")
    assert "Open the escalation bed" in drawer(manager, bed)
    assert post(manager, bed, deed="open_escalation") == (200, "Opened.")
    assert "Close the escalation bed again" in drawer(manager, bed)
    assert post(manager, bed, deed="close_escalation") == (200, "No longer opened.")
    assert bed.openings.get().period.upper is not None


@pytest.mark.parametrize("deed", ["close", "reopen", "open_escalation", "close_escalation"])
def test_a_nurse_neither_closes_nor_opens_beds(
    hospital: Hospital, nurse: Client, deed: str
) -> None:
    bed = beds(hospital, 0)[5]
    text = drawer(nurse, bed)
    assert "Close the bed" not in text
    assert post(nurse, bed, deed=deed, reason="estates")[0] == 403
    assert not Closure.objects.exists()


@pytest.mark.parametrize("deed", ["ask", "begin", "clean", "close"])
def test_an_observer_says_nothing_of_a_bed(hospital: Hospital, observer: Client, deed: str) -> None:
    bed = beds(hospital, 0)[5]
    assert "Needs cleaning" not in drawer(observer, bed)
    assert post(observer, bed, deed=deed, level="routine")[0] == 403


def test_nothing_is_said_of_a_past_bed(hospital: Hospital, manager: Client) -> None:
    bed = beds(hospital)[0]
    past = (hospital.now - timedelta(hours=1)).isoformat()
    answer = manager.get(f"/beds/{bed.pk}/", {"at": past})
    assert "Needs cleaning" not in answer.content.decode()
    sent = manager.post(f"/beds/{bed.pk}/?at={past.replace('+', '%2B')}", {"deed": "ask"})
    assert sent.status_code == 403


def test_the_board_says_terminal_in_words(
    hospital: Hospital, manager: Client, sister: User
) -> None:
    ask(beds(hospital)[0], sister, level="terminal")
    text = page(manager, f"/wards/{hospital.wards[1].code}/")
    assert "Terminal clean" in text
