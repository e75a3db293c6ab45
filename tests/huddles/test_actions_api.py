"""Actions over REST."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from accounts.tokens import TokenScope
from flow.api import sharing
from flow.api.finding import forget_codes
from flow.api.throttles import CallerThrottle
from huddles.api import actions
from huddles.models import Action
from patients.models import Episode
from tests.api.callers import Caller
from tests.screens.hospital import FAMILY, Hospital, build, signed_in, user
from tests.screens.rounds import Care
from wards import barriers, bed_states
from wards.barriers import Said
from wards.models import Closure

pytestmark = pytest.mark.django_db
ACTIONS, EPISODES = "/api/v1/actions/", "/api/v1/episodes/"
BOTH = (TokenScope.HUDDLES_READ, TokenScope.HUDDLES_WRITE)


@pytest.fixture(autouse=True)
def _nothing_known() -> None:
    forget_codes()
    sharing.forget()
    CallerThrottle.forget()


@pytest.fixture
def caller(hospital: Hospital) -> Caller:
    return Caller("engine", Role.BED_MANAGER, *BOTH, TokenScope.EPISODES_READ, site=hospital.site)


def soon() -> str:
    return (timezone.now() + timedelta(hours=2)).isoformat()


def test_one_is_agreed_read_done_and_opened(caller: Caller, sam: User) -> None:
    status, made = caller.post(
        ACTIONS, site="TGH", text="Ring the council", owner="sam", due_at=soon(), ward="TGH-W1"
    )
    assert status == 201, made
    assert (made["owner"], made["owner_username"], made["ward"]) == ("Sam", "sam", "TGH-W1")
    assert (made["status"], made["agreed_by"]) == ("open", "engine")
    assert [one["id"] for one in caller.get(ACTIONS)] == [made["id"]]
    here = f"{ACTIONS}{made['id']}/"
    status, done = caller.post(f"{here}done/", note="rang at ten")
    assert (status, done["status"], done["note"]) == (200, "done", "rang at ten")
    assert caller.get(ACTIONS, site="TGH") == []
    assert [one["status"] for one in caller.get(ACTIONS, status="over")] == ["done"]
    assert caller.post(f"{here}done/")[0] == 409
    assert caller.post(f"{here}reopen/")[1]["status"] == "open"
    assert caller.post(f"{here}drop/")[0] == 400
    assert caller.post(f"{here}drop/", note="not now")[1]["status"] == "dropped"
    assert caller.client.get(here).json()["ended_by"] == "engine"


def test_a_line_is_understood(caller: Caller, sam: User, hospital: Hospital) -> None:
    line = "see ward 1 bed 1 by 23:59 tomorrow, Sam"
    status, made = caller.post(ACTIONS, site="TGH", text=line)
    assert status == 201, made
    bed = hospital.beds(hospital.wards[0])[0]
    assert (made["text"], made["bed"], made["owner"]) == ("see ward 1 bed 1", bed.pk, "Sam")
    assert made["episode"] == Episode.objects.get(occupancies__bed=bed).pk


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": "x", "owner": "y"}, "due_at"),
        ({"text": "x by 23:59 tomorrow"}, "owner"),
        ({"text": "", "owner": "y", "due_at": soon()}, "text"),
        ({"text": "x", "owner": "y", "due_at": soon(), "site": "NONE"}, "site"),
        ({"text": "x", "owner": "y", "due_at": soon(), "bed": 10**12}, "bed"),
        ({"text": "x", "owner": "y", "due_at": soon(), "barrier": 9}, "barrier"),
        ({"text": "x", "owner": "y", "due_at": soon(), "closure": 9}, "closure"),
        ({"text": "x", "owner": "y", "due_at": soon(), "ending": "barrier"}, "barrier"),
        ({"text": "x", "owner": "y", "due_at": soon(), "ending": "never"}, "ending"),
        ({"text": "x", "owner": "y", "due_at": soon(), "colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_named(caller: Caller, body: dict[str, Any], field: str) -> None:
    status, problem = caller.post(ACTIONS, **({"site": "TGH"} | body))
    assert status == 400
    assert field in problem["errors"], problem
    assert not Action.objects.exists()


def test_a_time_that_is_over_is_a_conflict_with_its_reason(caller: Caller) -> None:
    due = (timezone.now() - timedelta(hours=1)).isoformat()
    status, problem = caller.post(ACTIONS, site="TGH", text="x", owner="y", due_at=due)
    assert status == 409
    assert "is over" in problem["detail"]


def test_the_same_key_agrees_once_for_each_caller(caller: Caller, hospital: Hospital) -> None:
    other = Caller("other", Role.BED_MANAGER, *BOTH, site=hospital.site)
    body = {"site": "TGH", "text": "x", "owner": "y", "due_at": soon(), "key": "1"}
    one, again = caller.post(ACTIONS, **body)[1], caller.post(ACTIONS, **body)[1]
    assert one["id"] == again["id"]
    assert other.post(ACTIONS, **body)[1]["id"] != one["id"]
    status, problem = caller.post(ACTIONS, **(body | {"text": "y"}))
    assert (status, "another action" in problem["detail"]) == (409, True)


def test_a_line_sent_again_after_its_time_is_known(
    caller: Caller, hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = {"site": "TGH", "text": "see ward 1 bed 1 in 20 min, Jo", "key": "2"}
    with monkeypatch.context() as patched:
        patched.setattr(actions, "now", lambda: timezone.now() - timedelta(hours=5))
        made = caller.post(ACTIONS, **line)[1]
    status, again = caller.post(ACTIONS, **line)
    assert (status, again["id"], again["due_at"]) == (201, made["id"], made["due_at"])
    assert caller.post(ACTIONS, **(line | {"text": "see ward 1 bed 1 in 2 h, Jo"}))[0] == 409


def test_doing_the_thing_there_ends_it(caller: Caller, care: Care, hospital: Hospital) -> None:
    stay = Episode.objects.get(occupancies__bed=hospital.beds(hospital.wards[0])[0])
    barrier = care.waits(stay, "transport")
    status, made = caller.post(
        ACTIONS, site="TGH", text="Book it", owner="TH", due_at=soon(), barrier=barrier.pk,
        ending="barrier",
    )  # fmt: skip
    assert (status, made["team"]) == (201, "TH")
    barriers.resolve(barrier=barrier, said=Said(timezone.now(), caller.user))
    told = caller.client.get(f"{ACTIONS}{made['id']}/").json()
    assert (told["status"], told["ended_by_deed"]) == ("done", True)


def test_who_may_what(caller: Caller, hospital: Hospital) -> None:
    body = {"site": "TGH", "text": f"ask {FAMILY}", "owner": "y", "due_at": soon()}
    made = caller.post(ACTIONS, **body)[1]
    here = f"{ACTIONS}{made['id']}/"
    assert caller.client.get(here).json()["text"] == f"ask {FAMILY}"
    nameless = Caller("counts", Role.BED_MANAGER, *BOTH, site=hospital.site)
    assert nameless.client.get(here).json()["text"] == "ask …"
    typed = caller.post(ACTIONS, **body | {"owner": f"{FAMILY}'s son"})[1]
    assert typed["owner"] == f"{FAMILY}'s son"
    for one in (nameless.client.get(f"{ACTIONS}{typed['id']}/").json(), *nameless.get(ACTIONS)):
        assert FAMILY not in str(one)
    assert [one["owner"] for one in nameless.get(ACTIONS)] == ["y", "… son"]
    reader = Caller("reader", Role.BED_MANAGER, TokenScope.HUDDLES_READ, site=hospital.site)
    assert reader.post(ACTIONS, **body)[0] == 403
    observer = Caller("observer", Role.OBSERVER, *BOTH, everywhere=True)
    assert observer.get(ACTIONS) == []
    assert observer.client.get(here).status_code == 404
    assert observer.post(f"{here}done/")[0] == 404
    assert observer.post(ACTIONS, **body)[0] == 403
    elsewhere = Caller("elsewhere", Role.SITE_MANAGER, *BOTH, site=build(code="OTH").site)
    assert elsewhere.post(ACTIONS, **body)[0] == 400
    assert elsewhere.client.get(here).status_code == 404
    other = Caller("beds", Role.BED_MANAGER, TokenScope.BEDS_READ, site=hospital.site)
    assert other.client.get(ACTIONS).status_code == 403
    assert caller.client.get(f"{ACTIONS}{10**30}/").status_code == 404
    assert caller.client.get(ACTIONS, {"status": "odd"}).status_code == 400


def test_what_it_is_about_is_of_one_site_and_one_ward(
    caller: Caller, care: Care, hospital: Hospital
) -> None:
    manager = Caller("manager", Role.SITE_MANAGER, *BOTH, TokenScope.EPISODES_READ, everywhere=True)
    stay = Episode.objects.get(occupancies__bed=hospital.beds(hospital.wards[0])[0])
    elsewhere = build(code="OTH")
    body = {"site": "OTH", "text": "x", "owner": "y", "due_at": soon()}
    barrier = care.waits(stay, "transport")
    bed = hospital.beds(hospital.wards[0])[0].pk
    for about in (
        {"ward": "OTH-W1", "episode": stay.pk},
        {"episode": stay.pk, "ending": "discharged"},
        {"ward": "OTH-W1", "barrier": barrier.pk},
        {"ward": "OTH-W1", "bed": bed},
        {"bed": bed},
    ):
        status, problem = manager.post(ACTIONS, **body, **about)
        assert status == 409, about
        assert "another site" in problem["detail"]
    assert not Action.objects.exists()
    assert elsewhere.site.pk
    body["site"] = "TGH"
    status, problem = manager.post(ACTIONS, **body, bed=10**30)
    assert status == 400
    assert f"key {10**30} that" in str(problem["errors"]["bed"])
    status, made = caller.post(ACTIONS, **body, barrier=barrier.pk)
    assert (status, made["ward"], made["episode"]) == (201, "TGH-W1", stay.pk)


def test_what_was_not_understood_is_told(caller: Caller, hospital: Hospital) -> None:
    status, made = caller.post(ACTIONS, site="TGH", text="see bed 99 in 20 min, Nobody")
    assert status == 201
    assert len(made["doubts"]) == 2
    status, problem = caller.post(ACTIONS, site="TGH", text="see bed 1 on Friday, Nobody")
    assert status == 400
    assert "hour" in str(problem["errors"]["due_at"])


def test_the_newest_is_on_the_last_page(caller: Caller) -> None:
    body = {"site": "TGH", "owner": "y", "due_at": soon()}
    made = [caller.post(ACTIONS, text=f"x {number}", **body)[1]["id"] for number in range(5)]
    found, asked = [], {"status": "all", "limit": "2"}
    while True:
        told = caller.client.get(ACTIONS, asked).json()
        found += [one["id"] for one in told["results"]]
        if not told["next"]:
            break
        assert len(told["results"]) == 2
        asked |= {"cursor": told["next"].partition("cursor=")[2].partition("&")[0]}
    assert found == made
    assert caller.client.get(ACTIONS, {"cursor": "odd"}).status_code == 400


@pytest.mark.parametrize(
    "place",
    [
        '["2026-13-45T00:00:00+00:00",1]',
        '["2026-11-21T08:00:00",1]',
        '["soon",1]',
        '["2026-11-21T08:00:00+00:00","1"]',
        "[" * 20_000 + "]" * 20_000,
        "[" * 20_000,
    ],
)
def test_a_cursor_that_nobody_gave_is_refused(caller: Caller, place: str) -> None:
    episodes = Caller("stays", Role.BED_MANAGER, TokenScope.EPISODES_READ, everywhere=True)
    cursor = base64.urlsafe_b64encode(place.encode()).decode()
    for one, address in ((caller, ACTIONS), (caller, "/api/v1/huddles/"), (episodes, EPISODES)):
        answer = one.client.get(address, {"cursor": cursor})
        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["cursor"]), address


def test_what_is_about_a_closure_taken_back_ends_by_no_deed(
    caller: Caller, hospital: Hospital
) -> None:
    bed = hospital.beds(hospital.wards[1])[0]
    later = timezone.now() + timedelta(hours=5)
    bed_states.close(bed=bed.pk, reason="estates", since=later, by=caller.user)
    closure = Closure.objects.get()
    made = caller.post(
        ACTIONS, site="TGH", text="x", owner="y", due_at=soon(), closure=closure.pk,
        ending="reopened",
    )[1]  # fmt: skip
    page = "/actions/?whose=site&site=TGH"
    browser = signed_in(user("chair", Role.BED_MANAGER, site=hospital.site))
    assert made["ending"] == "reopened"
    assert "over by itself when: the beds are open again" in browser.get(page).content.decode()
    bed_states.reopen(closure=closure.pk, at=timezone.now(), by=caller.user)
    told = caller.client.get(f"{ACTIONS}{made['id']}/").json()
    assert (told["status"], told["closure"], told["ending"]) == ("open", None, None)
    assert "over by itself" not in browser.get(page).content.decode()
