from __future__ import annotations

import asyncio

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts.roles import Role
from huddles.screens.listening import may_hear
from huddles.screens.pairing import revoke
from huddles.screens.recognising import COOKIE, forget
from live.stream import Caller, EventStreams
from tests.huddles.screens.hanging import hung, page_of
from tests.live.listening import Ear, run, served
from tests.screens.hospital import Hospital, build, signed_in, user

SCREEN = {"screen": "1"}


def caller(client: Client, query: dict[str, str]) -> Caller:
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    return Caller(cookies, {}, query)


def test_a_screen_hears_of_what_it_shows_and_of_itself(hospital: Hospital) -> None:
    ward, other = hospital.wards
    pages = [page_of("ward", ward), page_of("huddle"), page_of("cleaning")]
    client, screen = hung(hospital.site, "public", *pages)
    own = frozenset({screen.board, f"ward:{ward.pk}", f"huddle:{hospital.site.pk}", "cleaning"})
    more = {"system", f"site:{hospital.site.pk}", f"ward:{other.pk}", "desk", "screen:999"}
    assert may_hear(caller(client, SCREEN), own | more) == own
    assert may_hear(caller(client, {}), own) is None, "it is nobody signed in"


def test_whoever_is_signed_in_lends_a_screen_nothing(hospital: Hospital) -> None:
    manager = signed_in(user("manager", Role.SITE_MANAGER, everywhere=True))
    wanted = frozenset({"system", f"ward:{hospital.wards[0].pk}"})
    assert may_hear(caller(manager, SCREEN), wanted) is None
    assert may_hear(caller(manager, {}), wanted) == wanted
    assert settings.LIVE_AUTHORISER == "huddles.screens.listening.may_hear"


def test_nobody_hears_with_a_secret_that_is_none(hospital: Hospital) -> None:
    for secret in ("", "x", "A" * 43, "ä" * 43):
        assert may_hear(Caller({COOKIE: secret}, {}, SCREEN), frozenset({"system"})) is None


@pytest.mark.django_db(transaction=True)
def test_revoking_ends_the_stream_and_it_is_not_opened_again() -> None:
    made = build()
    client, screen = hung(made.site, "public")
    cookie = f"{COOKIE}={client.cookies[COOKIE].value}"
    asked = f"screen=1&boards={screen.board},site:{made.site.pk}"

    async def story() -> None:
        ear = await Ear.open(port, asked, cookie)
        assert ear.status == 200
        while (await ear.next("beat"))[1].split()[1] != "live":
            pass
        await asyncio.to_thread(take_back)
        assert await ear.next("ring") == ("ring", screen.board)
        with pytest.raises(EOFError):
            await ear.next("beat", timeout=5)
        assert (await Ear.open(port, asked, cookie)).status == 401

    def take_back() -> None:
        revoke(screen=screen, at=timezone.now(), by=screen.paired_by)
        connections.close_all()

    forget()
    with served(EventStreams(may_hear)) as port:
        run(story)
