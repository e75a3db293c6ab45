from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from flow.listening import may_hear
from live.stream import Caller
from tests.screens.hospital import Hospital, build


def caller(client: Client) -> Caller:
    cookie = client.cookies.get(settings.SESSION_COOKIE_NAME)
    cookies = {settings.SESSION_COOKIE_NAME: cookie.value} if cookie else {}
    return Caller(cookies=cookies, headers={}, query={})


def everything(hospital: Hospital) -> frozenset[str]:
    wards = [*hospital.wards, hospital.emergency]
    site = {f"{kind}:{hospital.site.pk}" for kind in ("site", "forecast", "escalation", "huddle")}
    return frozenset(
        {"system", "forecasts", "escalation", *site, *(f"ward:{ward.pk}" for ward in wards)}
    )


def test_who_sees_everything_hears_everything(
    hospital: Hospital, manager: Client, observer: Client
) -> None:
    wanted = everything(hospital)
    assert may_hear(caller(manager), wanted) == wanted
    assert may_hear(caller(observer), wanted) == wanted


def test_a_nurse_hears_of_the_own_ward_its_site_and_the_system(
    hospital: Hospital, nurse: Client
) -> None:
    other = build(code="OTH")
    wanted = everything(hospital) | everything(other)
    site = {f"{kind}:{hospital.site.pk}" for kind in ("site", "forecast", "escalation", "huddle")}
    own = frozenset({"system", "forecasts", "escalation", *site, f"ward:{hospital.wards[0].pk}"})
    assert may_hear(caller(nurse), wanted) == own


@pytest.mark.parametrize("name", ["ward", "site", "system:1", "meeting:3", "else"])
def test_what_is_no_board_is_never_heard(hospital: Hospital, manager: Client, name: str) -> None:
    assert may_hear(caller(manager), frozenset({name})) == frozenset()


def test_nobody_signed_in_is_told_so(hospital: Hospital, nurse: Client) -> None:
    wanted = everything(hospital)
    assert may_hear(Caller({}, {}, {}), wanted) is None
    assert may_hear(Caller({settings.SESSION_COOKIE_NAME: "made up"}, {}, {}), wanted) is None
    known = caller(nurse)
    nurse.logout()
    assert may_hear(known, wanted) is None


def test_a_person_switched_off_hears_nothing(hospital: Hospital, nurse: Client) -> None:
    User.objects.filter(username="nurse").update(is_active=False)
    assert not may_hear(caller(nurse), everything(hospital))
