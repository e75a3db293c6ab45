"""Signing in and out, lockout, the end of sessions, and choosing passwords."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.lockout import locked_names, unlock
from accounts.models import User
from accounts.people import activate, add_user, describe_user, reset_password
from accounts.refusals import Refused

pytestmark = pytest.mark.django_db

SIGN_IN = "/accounts/sign-in/"
SECRET = "correct horse battery"
INSIDE = "/accounts/password/"  # any page that needs somebody signed in


@pytest.fixture
def nurse() -> User:
    return User.objects.create_user("nurse", password=SECRET)


def try_in(client: Client, username: str = "nurse", secret: str = "wrong") -> str:  # noqa: S107
    """Post the form; the page that comes back, as text."""
    answer = client.post(SIGN_IN, {"username": username, "password": secret})
    assert answer.status_code == 200
    return answer.content.decode()


def sign_in(client: Client, **more: str) -> str:
    """Sign in; where it leads."""
    answer = client.post(SIGN_IN, {"username": "nurse", "password": SECRET, **more})
    assert answer.status_code == 302
    return answer["Location"]


def is_in(client: Client) -> bool:
    return client.get(INSIDE).status_code == 200


def test_every_page_asks_a_stranger_to_sign_in_and_leads_back(client: Client) -> None:
    answer = client.get(INSIDE)
    assert answer["Location"] == f"{SIGN_IN}?next={INSIDE}"
    assert f'value="{INSIDE}"' in client.get(answer["Location"]).content.decode()


def test_signing_in_and_out(client: Client, nurse: User) -> None:
    assert sign_in(client, next=INSIDE) == INSIDE
    assert is_in(client)
    assert client.get(SIGN_IN)["Location"] == "/start/"
    assert client.get("/accounts/sign-out/").status_code == 405
    assert is_in(client)
    answer = client.post("/accounts/sign-out/", follow=True)
    assert "You are signed out." in answer.content.decode()
    assert not is_in(client)


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "http:evil.example",
        "javascript:alert(1)",
        "https://testserver@evil.example/",
        "\x00https://evil.example",
    ],
)
def test_next_leads_nowhere_else(client: Client, nurse: User, target: str) -> None:
    assert sign_in(client, next=target) == "/start/"


def without_token(page: str) -> str:
    """A page without what is drawn anew each time."""
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page)


def test_the_answer_tells_nobody_who_has_an_account(client: Client, nurse: User) -> None:
    User.objects.create_user("leaver", password=SECRET, is_active=False)
    answers = {
        without_token(try_in(client, name, secret)).replace(name, "NAME")
        for name, secret in [("nurse", "wrong"), ("nobody", "wrong"), ("leaver", SECRET)]
    }
    assert len(answers) == 1
    assert "The username or the password is not right" in answers.pop()


class Counting(MD5PasswordHasher):
    """Counts how often a password was hashed."""

    algorithm = "counting"
    count = 0

    def encode(self, password: str, salt: str) -> str:
        Counting.count += 1
        return super().encode(password, salt)


def test_an_unknown_name_takes_as_much_hashing_as_a_known_one(
    client: Client, settings: Settings
) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.Counting"]
    User.objects.create_user("nurse", password=SECRET)
    counts = []
    for name in ("nurse", "nobody"):
        Counting.count = 0
        try_in(client, name)
        counts.append(Counting.count)
    assert counts == [1, 1]


def lock(client: Client, username: str = "nurse") -> str:
    for _ in range(4):
        try_in(client, username)
    answer = client.post(SIGN_IN, {"username": username, "password": "wrong"})
    assert answer.status_code == 429
    return answer.content.decode()


def test_five_wrong_passwords_lock_for_a_quarter_of_an_hour(client: Client, nurse: User) -> None:
    assert "You can try again in 15 minutes, at " in lock(client)
    answer = client.post(SIGN_IN, {"username": "nurse", "password": SECRET})
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 900
    assert not is_in(client)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=10))
    answer = client.post(SIGN_IN, {"username": "nurse", "password": SECRET})
    assert "You can try again in 5 minutes, at " in answer.content.decode()
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=15, seconds=1))
    assert sign_in(client) == "/start/"


def test_trying_while_locked_does_not_put_off_the_end(client: Client, nurse: User) -> None:
    lock(client)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=14))
    for _ in range(3):
        answer = client.post(SIGN_IN, {"username": "nurse", "password": "wrong"})
    assert "You can try again in a minute" in answer.content.decode()


def test_a_name_that_nobody_has_is_locked_alike(client: Client, nurse: User) -> None:
    pages = {without_token(lock(client, name)) for name in ("nurse", "nobody")}
    assert len(pages) == 1


def test_a_lock_holds_for_one_name_at_one_address(client: Client, nurse: User) -> None:
    User.objects.create_user("other", password=SECRET)
    lock(client)
    answer = client.post(SIGN_IN, {"username": "other", "password": SECRET})
    assert answer.status_code == 302
    elsewhere = Client(REMOTE_ADDR="10.1.1.1")
    assert sign_in(elsewhere) == "/start/"


def test_success_forgives_earlier_failures(client: Client, nurse: User) -> None:
    for _ in range(4):
        try_in(client)
    sign_in(client)
    client.post("/accounts/sign-out/")
    for _ in range(4):
        try_in(client)
    assert sign_in(client) == "/start/"


def test_an_administrator_lets_somebody_in_sooner(client: Client, nurse: User) -> None:
    lock(client)
    now = timezone.now()
    assert locked_names(["nurse", "other"], at=now) == {"nurse"}
    unlock(user=nurse, by=None)
    assert locked_names(["nurse", "other"], at=now) == set()
    assert sign_in(client) == "/start/"


class Clock:
    """The time that the session's limits see."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = datetime(2026, 11, 21, 8, tzinfo=UTC)
        monkeypatch.setattr(timezone, "now", lambda: self.now)

    def ahead(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock(client: Client, nurse: User, monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(monkeypatch)
    sign_in(client)
    return clock


def test_a_session_without_use_ends_and_says_why(client: Client, clock: Clock) -> None:
    clock.ahead(minutes=29, seconds=59)
    assert is_in(client)
    clock.ahead(minutes=30)
    answer = client.get(INSIDE, follow=True)
    assert answer.redirect_chain == [(f"{SIGN_IN}?next={INSIDE}", 302)]
    assert "You were signed out after 30 minutes without use. Sign in" in answer.content.decode()
    assert SESSION_KEY not in client.session


def test_a_board_in_view_keeps_the_session_for_a_shift(client: Client, clock: Clock) -> None:
    for _ in range(12 * 6 - 1):
        clock.ahead(minutes=10)
        assert is_in(client)
    clock.ahead(minutes=10)
    answer = client.get(INSIDE, follow=True)
    assert "your shift-long session had ended" in answer.content.decode()


def test_a_page_in_a_hidden_tab_does_not_keep_the_session(client: Client, clock: Clock) -> None:
    for _ in range(2):
        clock.ahead(minutes=10)
        assert client.get(INSIDE, headers={"flowboard-unseen": "1"}).status_code == 200
    clock.ahead(minutes=10)
    assert client.get(INSIDE, headers={"flowboard-unseen": "1"}).status_code == 302


def test_a_fetch_by_a_script_leaves_no_message_behind(client: Client, clock: Clock) -> None:
    clock.ahead(minutes=31)
    client.get(INSIDE, headers={"sec-fetch-mode": "cors"})
    assert "without use" not in client.get(SIGN_IN).content.decode()


def test_use_is_noted_once_a_minute(client: Client, clock: Clock) -> None:
    def writes() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert is_in(client)
        return sum("UPDATE" in q["sql"] for q in captured)

    clock.ahead(seconds=59)
    assert writes() == 0
    clock.ahead(seconds=1)
    assert writes() == 1
    assert writes() == 0


def test_the_idle_limit_can_be_set(client: Client, clock: Clock, settings: Settings) -> None:
    settings.SESSION_IDLE = timedelta(minutes=5)
    clock.ahead(minutes=6)
    assert not is_in(client)


def test_a_new_password_ends_the_other_sessions(client: Client, nurse: User) -> None:
    other = Client()
    sign_in(client)
    sign_in(other)
    form = {"old_password": SECRET, "new_password1": "a new long one", "new_password2": "other"}
    page = client.post(INSIDE, form).content.decode()
    assert "The two password fields didn’t match." in page
    assert "<title>Error: Change password" in page
    form["new_password2"] = form["new_password1"]
    page = client.post(INSIDE, form, follow=True).content.decode()
    assert "Your password is changed." in page
    assert is_in(client)
    assert not is_in(other)


def test_a_password_is_chosen_by_a_link_that_works_once(client: Client, nurse: User) -> None:
    lock(client)
    signed_in = Client(REMOTE_ADDR="10.1.1.1")
    sign_in(signed_in)
    link = reset_password(user=nurse, by=None)
    assert not is_in(signed_in)
    answer = client.get(link)
    # The secret part leaves the address bar, the history and the referrer at once.
    assert answer["Location"].endswith("/set-password/")
    page = client.get(answer["Location"]).content.decode()
    assert "<strong>nurse</strong>" in page
    new = "entirely different"
    form = {"new_password1": new, "new_password2": new}
    page = client.post(answer["Location"], form, follow=True).content.decode()
    assert "Your password is set." in page
    done = client.post(SIGN_IN, {"username": "nurse", "password": new})
    assert done.status_code == 302
    assert "does not work any more" in Client().get(link, follow=True).content.decode()


def test_a_password_set_where_somebody_else_is_signed_in_leads_to_the_sign_in_page(
    client: Client, nurse: User
) -> None:
    other = User.objects.create_user("other", password=SECRET)
    client.force_login(other, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reset_password(user=nurse, by=None))
    new = "entirely different"
    form = {"new_password1": new, "new_password2": new}
    answer = client.post(page["Location"], form, follow=True)
    assert [step for step, _ in answer.redirect_chain] == [SIGN_IN]
    assert "Your password is set. Sign in with it now." in answer.content.decode()
    assert not is_in(client)


def test_a_second_link_makes_the_first_useless(client: Client, nurse: User) -> None:
    first, second = (reset_password(user=nurse, by=None) for _ in range(2))
    assert "does not work any more" in client.get(first, follow=True).content.decode()
    assert "Choose a password" in client.get(second, follow=True).content.decode()


def test_a_link_expires(client: Client, nurse: User, settings: Settings) -> None:
    link = reset_password(user=nurse, by=None)
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert "does not work any more" in client.get(link, follow=True).content.decode()


@pytest.mark.parametrize("link", ["x/y-z", "MQ/set-password", "////", "%00/x-y"])
def test_a_made_up_link_is_answered_plainly(client: Client, nurse: User, link: str) -> None:
    answer = client.get(f"/accounts/password/{link}/")
    assert answer.status_code in (200, 404)


def test_an_added_account_waits_for_its_password(client: Client) -> None:
    user = add_user(username=" new.nurse ", first_name="N", email="N@EXAMPLE.ORG", by=None)
    assert (user.username, user.email, user.get_full_name()) == (
        "new.nurse", "N@example.org", "N",
    )  # fmt: skip
    assert not user.has_usable_password()
    try_in(client, "new.nurse", "")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"username": "NURSE"}, "Somebody is called NURSE already; choose another"),
        ({"username": ""}, "username: This field cannot be blank"),
        ({"username": "a b"}, "username: Enter a valid username"),
        ({"username": "x" * 151}, "username: Ensure this value has at most 150"),
        ({"username": "x", "email": "no"}, "email: Enter a valid email"),
        ({"username": "x", "first_name": "\x00"}, "control character; write it on one line"),
    ],
)
def test_an_account_that_cannot_be_is_refused(
    nurse: User, fields: dict[str, str], reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        add_user(**fields, by=None)  # type: ignore[arg-type]
    assert User.objects.count() == 1


def test_an_account_can_be_corrected(nurse: User) -> None:
    describe_user(
        user=nurse, first_name="Ann", last_name="Lee", email="", organisation=None, by=None
    )
    nurse.refresh_from_db()
    assert str(nurse) == "Ann Lee"
    assert nurse.check_password(SECRET)


def test_a_deactivated_account_is_signed_out_and_gets_no_link(client: Client, nurse: User) -> None:
    sign_in(client)
    User.objects.update(is_active=False)
    nurse.refresh_from_db()
    assert not is_in(client)
    with pytest.raises(Refused, match="activate the account first"):
        reset_password(user=nurse, by=None)
    activate(user=nurse, by=None)
    assert sign_in(client) == "/start/"


def test_the_pages_load_nothing_from_elsewhere_and_hold_no_script(
    client: Client, nurse: User
) -> None:
    pages = [client.get(SIGN_IN).content.decode(), lock(client)]
    unlock(user=nurse, by=None)
    sign_in(client)
    pages.append(client.get(INSIDE).content.decode())
    for page in pages:
        assert not re.search(r'(src|href|action)="(https?:)?//', page)
        assert not re.search(r"<script(?![^>]*\bsrc=)", page)
