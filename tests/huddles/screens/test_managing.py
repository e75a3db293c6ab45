from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.roles import PERMISSIONS, Permission, Role
from huddles.models import Screen
from tests.huddles.screens.hanging import hung, looker, page_of, shown, words
from tests.screens.hospital import Hospital, build, signed_in, user


@pytest.fixture
def manager(hospital: Hospital) -> Client:
    """Looks after the screens of one site."""
    return signed_in(looker(hospital.site))


def text(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return answer.content.decode()


def test_one_page_lists_what_each_shows_and_when_it_last_listened(
    hospital: Hospital, manager: Client
) -> None:
    pages = [page_of("site"), page_of("ward", hospital.wards[1])]
    client, live = hung(hospital.site, "staff", *pages)
    shown(client)
    _client, silent = hung(hospital.site, "closed")
    ago = timezone.now() - timedelta(minutes=6)
    Screen.objects.filter(pk=silent.pk).update(last_heard_at=ago)
    _client, new = hung(hospital.site, "public")
    page = text(manager, "/screens/")
    rows = {
        screen.pk: words(page.split(f'id="screen-{screen.pk}"')[1].split("</tr>")[0])
        for screen in (live, silent, new)
    }
    assert "Site · Ward 2" in rows[live.pk]
    assert "Silent" not in rows[live.pk]
    assert "Closed room" in rows[silent.pk]
    assert "Silent" in rows[silent.pk]
    assert "never" in rows[new.pk]
    assert "Silent" not in rows[new.pk], "it was paired a moment ago"


def test_a_manager_sees_and_changes_the_screens_of_their_own_site(
    hospital: Hospital, manager: Client
) -> None:
    other = build(code="OTH")
    _client, screen = hung(other.site, "public")
    assert screen.name not in text(manager, "/screens/")
    for address in (f"/screens/{screen.pk}/", f"/screens/{screen.pk}/preview/1/"):
        text(manager, address, status=404)
    assert manager.post(f"/screens/{screen.pk}/", {}).status_code == 404
    assert manager.post(f"/screens/{screen.pk}/revoke/").status_code == 404
    assert Screen.objects.get(pk=screen.pk).revoked_at is None


@pytest.mark.parametrize("role", list(Role))
def test_who_looks_after_no_screens_has_no_page_for_it(hospital: Hospital, role: Role) -> None:
    _client, screen = hung(hospital.site, "public")
    person = signed_in(user("somebody", role, everywhere=True))
    allowed = Permission.MANAGE_SCREENS in PERMISSIONS[role]
    for address in ("/screens/", "/screens/pair/?site=TGH", f"/screens/{screen.pk}/"):
        text(person, address, status=200 if allowed else 403)
    if Permission.SEE_COUNTS in PERMISSIONS[role]:
        assert ('href="/screens/"' in text(person, "/")) == allowed


def filled(**more: str) -> dict[str, str]:
    rows = {f"seconds_{number}": "30" for number in range(1, 9)}
    told = {"name": "Lobby", "theme": "dark", "show_1": "cleaning", "show_3": "huddle"}
    return rows | told | {"dark_from": "20", "dark_until": "7", "seconds_3": "15"} | more


def test_a_screen_is_called_and_shows_something_else(hospital: Hospital, manager: Client) -> None:
    client, screen = hung(hospital.site, "staff")
    page = text(manager, f"/screens/{screen.pk}/")
    assert f'value="{screen.name}"' in page
    answer = manager.post(f"/screens/{screen.pk}/", filled(), follow=True)
    assert "Lobby is kept" in answer.content.decode()
    found = Screen.objects.get(pk=screen.pk)
    assert (found.name, found.theme, found.zone, found.edition) == ("Lobby", "dark", "staff", 2)
    assert [(p.position, p.layout, p.seconds) for p in found.pages.all()] == [
        (1, "cleaning", 30),
        (2, "huddle", 15),
    ]
    assert client.get("/screen/").status_code == 200


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"name": " "}, "This field is required"),
        ({"show_1": ""}, "This field is required"),
        ({"show_2": "ward:999999"}, "Select a valid choice"),
        ({"show_2": "system"}, "Select a valid choice"),
        ({"seconds_1": "4"}, "greater than or equal to 5"),
        ({"theme": "by_hour", "dark_until": "20"}, "Choose another hour"),
        ({"dark_from": "24"}, "less than or equal to 23"),
    ],
)
def test_what_cannot_be_is_said_beside_what_was_typed(
    hospital: Hospital, manager: Client, wrong: dict[str, str], why: str
) -> None:
    _client, screen = hung(hospital.site, "staff")
    answer = manager.post(f"/screens/{screen.pk}/", filled(**wrong))
    assert answer.status_code == 422
    assert why in answer.content.decode()
    assert Screen.objects.get(pk=screen.pk).edition == 1


def test_the_whole_system_stays_on_a_screen_but_is_previewed_by_who_sees_it(
    hospital: Hospital, manager: Client
) -> None:
    _client, screen = hung(hospital.site, "public", page_of("system"), page_of("site"))
    address = f"/screens/{screen.pk}/"
    text(manager, f"{address}preview/1/", status=403)
    text(manager, f"{address}preview/2/")
    page = text(manager, address)
    assert 'value="system" selected' in page
    assert f"{address}preview/1/" not in page
    text(signed_in(looker()), f"{address}preview/1/")

    def kept(**more: str) -> list[str]:
        assert manager.post(address, filled(**more)).status_code == 302
        return list(screen.pages.order_by("position").values_list("layout", flat=True))

    assert kept(show_1="system", show_3="site") == ["system", "site"]
    assert kept(show_1="site", show_3="") == ["site"]
    answer = manager.post(address, filled(show_1="system"))
    assert answer.status_code == 422, "taken off, it is put on again by who sees it"


def test_a_preview_is_what_the_screen_shows(hospital: Hospital, manager: Client) -> None:
    client, screen = hung(hospital.site, "closed", page_of("ward", hospital.wards[0]))
    fragment = shown(client)
    assert fragment in text(manager, f"/screens/{screen.pk}/preview/1/")
    text(manager, f"/screens/{screen.pk}/preview/2/", status=404)


def test_revoked_it_is_on_no_list_and_cannot_be_changed(
    hospital: Hospital, manager: Client
) -> None:
    _client, screen = hung(hospital.site, "public")
    answer = manager.post(f"/screens/{screen.pk}/revoke/", follow=True)
    assert "shows nothing any more" in answer.content.decode()
    assert f'id="screen-{screen.pk}"' not in text(manager, "/screens/")
    text(manager, f"/screens/{screen.pk}/", status=404)
    assert manager.post(f"/screens/{screen.pk}/", filled()).status_code == 404


def test_deeds_need_the_pages_own_form(hospital: Hospital) -> None:
    _client, screen = hung(hospital.site, "public")
    stranger = Client(enforce_csrf_checks=True)
    stranger.force_login(looker(), backend="django.contrib.auth.backends.ModelBackend")
    for address in ("/screens/pair/?site=TGH", f"/screens/{screen.pk}/revoke/"):
        assert stranger.post(address, filled()).status_code == 403


def test_the_list_asks_as_often_for_many_screens_as_for_one(
    hospital: Hospital, manager: Client
) -> None:
    by = looker()

    def asked() -> int:
        with CaptureQueriesContext(connection) as found:
            text(manager, "/screens/")
        return len(found)

    hung(hospital.site, "public", page_of("ward", hospital.wards[0]), by=by)
    text(manager, "/screens/")  # the first request of a session writes when it began
    few = asked()
    assert few <= 10
    for _number in range(10):
        hung(hospital.site, "staff", page_of("ward", hospital.wards[1]), by=by)
    assert asked() == few
