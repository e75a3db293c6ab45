"""Lists of work and the drawer of a barrier: whose, in which order, and what is done there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Team, User
from accounts.roles import Role
from flow.listening import may_hear
from patients.models import Barrier, BarrierStep
from tests.pages import steady
from tests.screens.hospital import FAMILY, Hospital, add_beds, signed_in, user
from tests.screens.rounds import Care, care_of, code
from tests.screens.test_listening import caller
from wards.barriers import Said
from wards.rounds import Found, review

LIST = "/work/CXX/SW/"
HOUR = timedelta(hours=1)


@pytest.fixture
def care(hospital: Hospital) -> Care:
    return care_of(hospital)


@pytest.fixture
def council(care: Care) -> Client:
    return signed_in(care.social_worker())


def do(client: Client, barrier: Barrier, deed: str, **said: object) -> Any:
    return client.post(f"/barriers/{barrier.pk}/?fragment=1", {"deed": deed, **said})


def rows(page: str) -> list[int]:
    parts = page.split('class="step-row')[1:]
    return [int(part.split('id="barrier-')[1].split('"')[0]) for part in parts]


# --- whose ----------------------------------------------------------------------------------------


def test_a_partner_sees_their_own_steps_and_nothing_else(care: Care, council: Client) -> None:
    one, two, three, _four = care.stays()
    mine = care.waits(one, "p3-capacity")
    theirs = care.waits(two, "therapy-review")
    page = steady(council.get(LIST).content.decode())
    assert rows(page) == [mine.pk]
    assert FAMILY.upper() in page
    assert "Ward 1" in page
    for hidden in ("/wards/", "/rounds/", "Therapies", "MRN", "V0"):
        assert hidden not in page, hidden
    drawer = steady(council.get(f"/barriers/{mine.pk}/").content.decode())
    assert "999 " in drawer, "the NHS number, to know who is meant"
    for hidden in ("/wards/", "/rounds/", "MRN", f"V{one.visit.number}"):
        assert hidden not in drawer, hidden
    for address in (
        "/work/RXX/TH/", "/work/RXX/", "/wards/TGH-W1/", "/rounds/TGH-W1/", "/sites/TGH/",
    ):  # fmt: skip
        assert council.get(address).status_code == 403, address
    assert council.get(f"/barriers/{theirs.pk}/").status_code == 404
    assert do(council, theirs, "resolve").status_code == 404
    bed = care.hospital.beds(care.hospital.wards[0])[0]
    assert council.get(f"/beds/{bed.pk}/").status_code == 403
    assert council.get(f"/stays/{one.pk}/").status_code == 403
    assert council.get("/").headers["Location"] == "/work/"
    assert three.pk


def test_one_is_led_to_the_own_list_and_hears_of_it_alone(care: Care, council: Client) -> None:
    assert council.get("/work/").headers["Location"] == LIST
    names = {f"team:{care.social_work.pk}", f"team:{care.therapy.pk}", "hub", "system"}
    assert may_hear(caller(council), frozenset(names)) == frozenset(
        {f"team:{care.social_work.pk}", "hub"}
    )


def test_without_a_team_there_is_no_work(care: Care, nurse: Client, observer: Client) -> None:
    mine = care.waits(care.stays()[0], "p3-capacity")
    for client in (nurse, observer):
        assert client.get("/work/").status_code == 403
        assert client.get(LIST).status_code == 403
        assert 'href="/work/"' not in client.get("/search/").content.decode()
    assert nurse.get(f"/barriers/{mine.pk}/").status_code == 200, "of a patient on the own ward"
    assert observer.get(f"/barriers/{mine.pk}/").status_code == 404
    other = signed_in(user("other", Role.WARD_NURSE, ward=care.hospital.wards[1]))
    assert other.get(f"/barriers/{mine.pk}/").status_code == 404
    looks = signed_in(user("looks", Role.READER, everywhere=True))
    assert "What to do" not in looks.get(f"/barriers/{mine.pk}/").content.decode()
    assert do(looks, mine, "resolve").status_code == 403
    assert nurse.get("/work/CXX/NO/").status_code == 404
    assert nurse.get("/work/NO/").status_code == 404


def test_a_manager_sees_all_teams_the_costly_first_and_what_is_nobodys(
    care: Care, manager: Client
) -> None:
    one, two, three, four = care.stays()
    by = User.objects.get(username="manager")
    review(episode=two, found=Found(criteria=[]), said=Said(timezone.now() - 4 * HOUR, by))
    care.waits(one, "p3-capacity", ago=5 * HOUR)
    care.waits(two, "therapy-review", ago=5 * HOUR)
    nobodys = care.waits(three, "p2-capacity")
    no_team = care.waits(four, "transport")
    assert (nobodys.organisation, no_team.organisation) == (None, care.trust)
    page = manager.get("/work/").content.decode()
    assert page.index("Therapies") < page.index("Social work")
    assert "with none of its teams" in page
    assert rows(page) == [nobodys.pk]
    assert "Nobody accountable" in page
    assert rows(manager.get("/work/RXX/").content.decode()) == [no_team.pk]
    assert 'href="/work/"' in manager.get("/search/").content.decode()


# --- in which order, and which --------------------------------------------------------------------


def test_the_most_costly_come_first_and_then_the_oldest(care: Care, council: Client) -> None:
    one, two, three, four = care.stays()
    by = User.objects.create(username="doctor")
    now = timezone.now()
    for episode, hours in ((two, 2), (three, 4)):
        review(episode=episode, found=Found(criteria=[]), said=Said(now - hours * HOUR, by))
    old = care.waits(one, "p3-capacity", ago=4 * HOUR)
    costly = care.waits(two, "p3-capacity", ago=3 * HOUR)
    late = care.waits(three, "p3-capacity", ago=HOUR)  # ready for four hours, waited for one
    new = care.waits(four, "p3-capacity", ago=2 * HOUR)
    page = council.get(LIST).content.decode()
    assert rows(page) == [costly.pk, late.pk, old.pk, new.pk]
    assert "<strong>0.1</strong> bed days" in page
    assert "not ready to leave yet" in page


def test_lists_are_filtered_by_status_and_ward(care: Care, council: Client) -> None:
    one, two, three, _ = care.stays()
    late, escalated, done = (care.waits(e, "p3-capacity") for e in (one, two, three))
    Barrier.objects.filter(pk=late.pk).update(due_at=timezone.now() - HOUR)
    assert do(council, escalated, "escalate").status_code == 200
    assert do(council, done, "resolve").status_code == 200
    for query, found in (
        ("", {late.pk, escalated.pk}), ("?status=overdue", {late.pk}),
        ("?status=escalated", {escalated.pk}), ("?status=done", {done.pk}),
        ("?status=nonsense", {late.pk, escalated.pk}), ("?ward=TGH-W1", {late.pk, escalated.pk}),
        ("?ward=TGH-W2", set()), ("?ward=TGH-W1&status=done", {done.pk}),
    ):  # fmt: skip
        page = council.get(LIST + query).content.decode()
        assert set(rows(page)) == found, query
    assert (
        'href="/work/CXX/SW/?status=overdue&amp;ward=TGH-W1"'
        in council.get(LIST + "?ward=TGH-W1").content.decode()
    )
    Barrier.objects.filter(pk=done.pk).update(period=(timezone.now() - 20 * 24 * HOUR,
                                                      timezone.now() - 8 * 24 * HOUR))  # fmt: skip
    assert rows(council.get(LIST + "?status=done").content.decode()) == []


# --- what is done ---------------------------------------------------------------------------------


def test_a_step_is_chased_escalated_put_off_handed_over_and_done(
    care: Care, council: Client
) -> None:
    mine = care.waits(care.stays()[0], "p3-capacity")
    assert do(council, mine, "contact", note="").status_code == 422
    said = do(council, mine, "contact", note="Rang the home: Monday")
    assert (said.status_code, said["Content-Type"]) == (200, "text/plain; charset=utf-8")
    page = council.get(LIST).content.decode()
    assert "Rang the home: Monday" in page
    assert "(Council)" in page
    assert b"Escalated to Matron" in do(council, mine, "escalate", note="No answer").content
    assert b"Escalated to Head of service" in do(council, mine, "escalate").content
    refused = do(council, mine, "escalate", note="kept")
    assert refused.status_code == 422
    assert b"no step above" in refused.content
    assert b'value="kept"' in refused.content
    assert do(council, mine, "due", due_at="2020-01-01T10:00", note="x").status_code == 422
    later = f"{timezone.localtime() + timedelta(days=3):%Y-%m-%dT%H:%M}"
    assert do(council, mine, "due", due_at=later, note="").status_code == 422
    assert do(council, mine, "due", due_at=later, note="Builder is ill").status_code == 200
    drawer = council.get(f"/barriers/{mine.pk}/?fragment=1").content.decode()
    for words in ("Head of service", "Builder is ill", "Chased", "No answer", "Raised: Social"):
        assert words in drawer, words
    assert do(council, mine, "resolve", note="Place from Monday").status_code == 200
    kinds = BarrierStep.objects.filter(barrier=mine).order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == [
        "raised", "contacted", "escalated", "escalated", "due_changed", "resolved",
    ]  # fmt: skip
    assert rows(council.get(LIST).content.decode()) == []
    assert do(council, mine, "contact", note="late").status_code == 422
    assert do(council, mine, "reopen").status_code == 200
    assert rows(council.get(LIST).content.decode()) == [mine.pk]


def test_a_step_that_is_handed_over_leaves_the_list(care: Care, council: Client) -> None:
    mine = care.waits(care.stays()[0], "p3-capacity")
    assert do(council, mine, "hand").status_code == 422
    said = do(council, mine, "hand", owner=f"t{care.therapy.pk}", person="Jo", note="Stairs first")
    assert b"Handed over to Therapies" in said.content
    assert rows(council.get(LIST).content.decode()) == []
    assert council.get(f"/barriers/{mine.pk}/").status_code == 404
    therapist = signed_in(user("therapist", Role.PARTNER, team=care.therapy))
    assert rows(therapist.get("/work/RXX/TH/").content.decode()) == [mine.pk]
    mine.refresh_from_db()
    assert (mine.team, mine.person) == (care.therapy, "Jo")


def test_a_step_turns_into_another_or_was_a_mistake(care: Care, nurse: Client) -> None:
    mine = care.waits(care.stays()[0], "p3-arrangements")
    said = do(nurse, mine, "replace", reason=code("p3-capacity").pk, note="No place free")
    assert said.status_code == 200
    made = Barrier.objects.get(outcome="")
    assert made.reason.slug == "p3-capacity"
    assert do(nurse, made, "mistaken").status_code == 200
    assert nurse.get(f"/barriers/{made.pk}/").status_code == 404, "it counts for nothing"


def test_without_a_script_one_comes_back_to_the_list(care: Care, council: Client) -> None:
    mine = care.waits(care.stays()[0], "p3-capacity")
    answer = council.post(f"/barriers/{mine.pk}/", {"deed": "contact", "note": "Rang"})
    assert (answer.status_code, answer.headers["Location"]) == (302, LIST)


# --- cost -----------------------------------------------------------------------------------------


def test_a_list_asks_as_often_for_sixty_as_for_six(care: Care, manager: Client) -> None:
    barrier = care.waits(care.stays()[0], "p3-capacity")
    care.waits(care.stays()[1], "p2-capacity")
    addresses = (LIST, f"{LIST}?fragment=1", "/work/", f"/barriers/{barrier.pk}/?fragment=1")

    def cost() -> list[int]:
        counted = []
        for address in addresses:
            manager.get("/search/")
            with CaptureQueriesContext(connection) as asked:
                assert manager.get(address).status_code == 200
            counted.append(len(asked))
        return counted

    few = cost()
    assert max(few) <= 15
    Team.objects.create(organisation=care.council, code="X", name="Another")
    add_beds(care.hospital.wards[0], 54, first=6)
    for bed in care.hospital.beds(care.hospital.wards[0])[6:]:
        care.hospital.admit(bed)
    for episode in care.stays()[2:]:
        care.waits(episode, "p3-capacity")
        care.waits(episode, "p2-capacity")
    assert cost() == few
