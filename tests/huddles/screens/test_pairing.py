from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.refusals import Refused
from accounts.roles import Role
from huddles.models import Pairing, Screen, ScreenPage
from huddles.screens import recognising
from huddles.screens.pairing import (
    LETTERS,
    LIFE,
    MOST_WAITING,
    Look,
    Page,
    ask,
    change,
    pair,
    revoke,
    waiting_code,
)
from huddles.screens.recognising import COOKIE, digest_of, new_secret
from tests.huddles.screens.hanging import carrying, hung, looker, lounge_of, page_of, shown
from tests.screens.hospital import Hospital, build, signed_in, user
from wards.scope import scope_of

Commits = Callable[..., AbstractContextManager[object]]


def code_on(client: Client) -> str:
    """The code that a screen shows."""
    page = client.get("/screen/").content.decode()
    found = re.search(r'<p class="code".*?<span>(\w{3})</span> <span>(\w{3})</span>', page)
    assert found, page
    return found[1] + found[2]


def filled(code: str, **more: str) -> dict[str, str]:
    """The form of pairing as somebody fills it."""
    rows = {f"seconds_{number}": "30" for number in range(1, 9)}
    told = {"name": "Corridor", "zone": "public", "theme": "by_hour", "show_1": "site"}
    return rows | told | {"dark_from": "20", "dark_until": "7", "code": code} | more


def said(client: Client) -> str:
    return client.get("/screen/waiting/").content.decode()


# --- the whole way ------------------------------------------------------------------------------


def test_a_screen_shows_a_code_and_once_it_is_typed_in_what_it_was_given(
    hospital: Hospital,
) -> None:
    screen = Client()
    code = code_on(screen)
    assert set(code) <= set(LETTERS)
    cookie = screen.cookies[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert cookie["max-age"] == 10 * 365 * 24 * 60 * 60
    assert code_on(screen) == code, "looking again changes nothing"
    assert said(screen) == "waiting"
    assert screen.get("/screen/pages/1/").status_code == 401

    manager = signed_in(looker(hospital.site))
    typed = f" {code[:3].lower()}-{code[3:]} "
    answer = manager.post("/screens/pair/?site=TGH", filled(typed), follow=True)
    assert "Corridor is paired" in answer.content.decode()

    assert said(screen) == "paired"
    assert "Test hospital TGH" in shown(screen)
    kept = Screen.objects.get()
    assert kept.digest == digest_of(cookie.value)
    assert cookie.value not in str(Screen.objects.values())
    assert not Pairing.objects.exists()


def test_whoever_is_signed_in_in_that_browser_changes_nothing(hospital: Hospital) -> None:
    manager = signed_in(looker())
    assert len(code_on(manager)) == 6
    assert manager.get("/screen/pages/1/").status_code == 401
    client, _screen = hung(hospital.site, "public")
    plain = shown(client)
    client.force_login(looker(), backend="django.contrib.auth.backends.ModelBackend")
    assert shown(client) == plain


def test_a_screens_secret_opens_nothing_else(hospital: Hospital) -> None:
    client, screen = hung(hospital.site, "closed")
    for address in ("/", "/sites/TGH/", "/wards/TGH-W1/", "/screens/", f"/screens/{screen.pk}/"):
        answer = client.get(address)
        assert answer.status_code == 302, address
        assert answer["Location"].startswith("/accounts/sign-in/")
    secret = client.cookies[COOKIE].value
    for asked in (client, Client(headers={"Authorization": f"Bearer {secret}"})):
        assert asked.get("/api/v1/occupancy/").status_code == 401
    for address in ("/screen/", "/screen/pages/1/", "/screen/waiting/"):
        assert client.post(address).status_code == 405


# --- codes --------------------------------------------------------------------------------------


def test_a_code_counts_once(hospital: Hospital) -> None:
    screen = Client()
    code = code_on(screen)
    manager = signed_in(looker(hospital.site))
    manager.post("/screens/pair/?site=TGH", filled(code))
    again = manager.post("/screens/pair/?site=TGH", filled(code, name="Another"))
    assert again.status_code == 422
    assert "No screen waits with this code" in again.content.decode()
    assert Screen.objects.count() == 1


def test_a_code_counts_for_ten_minutes_and_then_another_stands_there(
    hospital: Hospital,
) -> None:
    screen = Client()
    code, secret = code_on(screen), screen.cookies[COOKIE].value
    Pairing.objects.update(asked_at=timezone.now() - LIFE)
    assert said(screen) == "over"
    with pytest.raises(Refused, match="No screen waits"):
        typed_in(hospital, code)
    assert code_on(screen) != code
    assert screen.cookies[COOKIE].value != secret, "an old secret is not given a new code"


def typed_in(hospital: Hospital, code: str, *pages: Page, name: str = "Wall") -> Screen:
    by = looker(hospital.site)
    return pair(
        code=code,
        site=hospital.site,
        zone="public",
        look=Look(name),
        pages=pages or (page_of("site"),),
        scope=scope_of(by),
        at=timezone.now(),
        by=by,
    )


def test_one_address_is_given_so_many_codes_a_minute(hospital: Hospital) -> None:
    answers = [Client().get("/screen/") for _ in range(25)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 5
    assert refused[0]["Refresh"] == "30"
    assert COOKIE not in refused[0].cookies
    assert Pairing.objects.count() == 20


def test_only_so_many_wait_at_once_and_what_is_over_makes_room(hospital: Hospital) -> None:
    long_ago = timezone.now() - timedelta(minutes=5)
    Pairing.objects.bulk_create(
        Pairing(code=f"{number:06}", digest=str(number), asked_at=long_ago)
        for number in range(MOST_WAITING)
    )
    with pytest.raises(Refused, match="Too many screens wait"):
        ask(secret=new_secret(), at=timezone.now())
    secret, later = new_secret(), timezone.now() + timedelta(minutes=6)
    code = ask(secret=secret, at=later)
    assert waiting_code(secret=secret, at=later) == code
    assert Pairing.objects.count() == 1


def test_codes_cannot_be_tried_out(hospital: Hospital) -> None:
    code = code_on(Client())
    manager = signed_in(looker(hospital.site))
    told = ""
    for number in range(11):
        form = filled(f"CCC{number:03}")
        told = manager.post("/screens/pair/?site=TGH", form).content.decode()
    assert "Too many codes were typed" in told
    assert "Too many" in manager.post("/screens/pair/?site=TGH", filled(code)).content.decode()
    assert not Screen.objects.exists()


# --- what may be given to a screen --------------------------------------------------------------


def test_nobody_pairs_a_screen_for_a_site_they_do_not_look_after(hospital: Hospital) -> None:
    build(code="OTH")
    code = code_on(Client())
    manager = signed_in(looker(hospital.site))
    assert manager.get("/screens/pair/?site=OTH").status_code == 403
    assert manager.post("/screens/pair/?site=OTH", filled(code)).status_code == 403
    nurse = signed_in(user("sister", Role.WARD_NURSE, site=hospital.site))
    assert nurse.post("/screens/pair/?site=TGH", filled(code)).status_code == 403
    assert not Screen.objects.exists()


def test_a_screen_is_given_wards_of_its_own_site_alone(hospital: Hospital) -> None:
    other = build(code="OTH")
    code = code_on(Client())
    with pytest.raises(Refused, match="ward of this site"):
        typed_in(hospital, code, page_of("ward", other.wards[0]))
    manager = signed_in(looker(hospital.site))
    form = filled(code, show_1=f"ward:{other.wards[0].pk}")
    assert manager.post("/screens/pair/?site=TGH", form).status_code == 422
    assert not Screen.objects.exists()


def test_the_whole_system_is_given_by_whoever_sees_it(hospital: Hospital) -> None:
    code = code_on(Client())
    with pytest.raises(Refused, match="somebody who sees all of it"):
        typed_in(hospital, code, page_of("system"))
    client, _screen = hung(hospital.site, "public", page_of("system"), by=looker())
    assert "Whole system" in shown(client)


@pytest.mark.parametrize("seconds", [4, 3601])
def test_a_page_stays_for_a_sensible_time(hospital: Hospital, seconds: int) -> None:
    with pytest.raises(Refused, match="5 to 3600 seconds"):
        typed_in(hospital, code_on(Client()), page_of("site", seconds=seconds))


def test_a_lounge_is_no_ward_and_a_ward_no_lounge(hospital: Hospital) -> None:
    lounge = lounge_of(hospital.site)
    code = code_on(Client())
    for page in (page_of("ward", lounge), page_of("lounge", hospital.wards[0]), page_of("else")):
        with pytest.raises(Refused, match="no such page"):
            typed_in(hospital, code, page)


def test_two_screens_of_a_site_are_not_called_the_same(hospital: Hospital) -> None:
    first = typed_in(hospital, code_on(Client()))
    code = code_on(Client())
    with pytest.raises(Refused, match="name of its own"):
        typed_in(hospital, code)
    revoke(screen=first, at=timezone.now(), by=first.paired_by)
    assert typed_in(hospital, code).name == "Wall"


# --- the database has the last word -------------------------------------------------------------


def test_the_database_refuses_what_no_screen_can_be(hospital: Hospital) -> None:
    _client, screen = hung(hospital.site, "public")
    wrong: list[dict[str, object]] = [
        {"name": ""},
        {"zone": "else"},
        {"dark_from": 24},
        {"revoked_at": timezone.now()},
        {"revoked_at": screen.paired_at - timedelta(1), "revoked_by": screen.paired_by},
    ]
    for change_to in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            Screen.objects.filter(pk=screen.pk).update(**change_to)
    for page in (
        {"layout": "ward"},
        {"layout": "site", "ward": hospital.wards[0]},
        {"seconds": 4},
        {"position": 1},
    ):
        told: dict[str, object] = {"layout": "site", "position": 2} | page
        with pytest.raises(IntegrityError), transaction.atomic():
            ScreenPage.objects.create(screen=screen, **told)


# --- changed and revoked ------------------------------------------------------------------------


def test_a_revoked_screen_shows_nothing_at_once_and_a_new_code(
    hospital: Hospital, django_capture_on_commit_callbacks: Commits
) -> None:
    client, screen = hung(hospital.site, "closed", page_of("ward", hospital.wards[0]))
    assert "Ward 1" in shown(client)
    with django_capture_on_commit_callbacks(execute=True):
        revoke(screen=screen, at=timezone.now(), by=screen.paired_by)
    assert shown(client, status=401) == "not paired"
    old = client.cookies[COOKIE].value
    code_on(client)
    assert client.cookies[COOKIE].value != old
    assert carrying(old).get("/screen/pages/1/").status_code == 401


def test_a_process_that_missed_the_news_forgets_a_screen_within_seconds(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, screen = hung(hospital.site, "public")
    shown(client)  # remembered
    revoke(screen=screen, at=timezone.now(), by=screen.paired_by)  # and no word of it arrives
    assert "Test hospital" in shown(client)
    assert recognising.MEMORY < 10
    monkeypatch.setattr(time, "monotonic", lambda at=time.monotonic: at() + recognising.MEMORY)
    assert shown(client, status=401) == "not paired"


def test_what_is_changed_is_shown_at_the_next_fetch_and_makes_it_load_anew(
    hospital: Hospital, django_capture_on_commit_callbacks: Commits
) -> None:
    client, screen = hung(hospital.site, "public")
    before, by = client.get("/screen/pages/1/")["X-Edition"], screen.paired_by
    pages = [page_of("ward", hospital.wards[1])]
    with django_capture_on_commit_callbacks(execute=True):
        change(screen=screen, look=Look("Lobby"), pages=pages, scope=scope_of(by), by=by)
    answer = client.get("/screen/pages/1/")
    assert "Ward 2" in answer.content.decode()
    assert answer["X-Edition"] != before


def test_when_it_listened_is_kept_to_the_minute(hospital: Hospital) -> None:
    client, screen = hung(hospital.site, "public")
    shown(client)
    first = Screen.objects.get(pk=screen.pk).last_heard_at
    assert first is not None
    shown(client)
    assert Screen.objects.get(pk=screen.pk).last_heard_at == first
