"""The people pages: what administrators see and change, and what they may not."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import ApiToken, User
from accounts.roles import Role
from accounts.tokens import issue, verify
from tests.wards.some_places import SomeWard, some_ward
from wards.grants import set_grant
from wards.models import Grant

pytestmark = pytest.mark.django_db

ADMIN = Role.ADMINISTRATOR


def somebody(name: str, role: str = "", **place: Any) -> User:
    user = User.objects.create_user(name, password="a long password")
    if role:
        set_grant(user=user, role=role, **place, by=None)
    return user


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def here() -> SomeWard:
    return some_ward()


@pytest.fixture
def admin() -> User:
    return somebody("admin", ADMIN, everywhere=True)


@pytest.fixture
def site_admin(here: SomeWard) -> User:
    return somebody("site-admin", ADMIN, site=here.site)


def text(answer: Any) -> str:
    """The page of an answer of the test client."""
    return str(answer.content.decode())


def messages(answer: Any) -> str:
    found = re.search(r'<ul class="messages.*?</ul>', text(answer), re.DOTALL)
    return found[0] if found else ""


@pytest.mark.parametrize("role", [*(role for role in Role if role != ADMIN), ""])
def test_only_administrators_get_in(role: str) -> None:
    client = client_of(somebody("other", role, **({"everywhere": True} if role else {})))
    person = somebody("person")
    token, _ = issue(person, "t", ["occupancy:read"])
    pages = ["", "add/", "tokens/", f"{person.pk}/"]
    deeds = ["deactivate", "activate", "unlock", "reset-password", "roles", "roles/1/withdraw"]
    assert {client.get(f"/people/{page}").status_code for page in pages} == {403}
    assert {client.post(f"/people/{person.pk}/{deed}/").status_code for deed in deeds} == {403}
    assert client.post(f"/people/tokens/{token.pk}/revoke/").status_code == 403
    assert Client().get("/people/").status_code == 302
    assert not ApiToken.objects.exclude(revoked_at=None).exists()
    assert not User.objects.filter(is_active=False).exists()


def test_deeds_are_posts(admin: User) -> None:
    client = client_of(admin)
    for deed in ("deactivate", "activate", "unlock", "reset-password", "roles"):
        assert client.get(f"/people/{admin.pk}/{deed}/").status_code == 405


def test_the_list_shows_people_with_roles_and_can_be_searched(admin: User, here: SomeWard) -> None:
    somebody("ann.lee", Role.WARD_NURSE, ward=here.ward)
    User.objects.filter(username="ann.lee").update(first_name="Ann", last_name="Lee")
    somebody("leaver")
    User.objects.filter(username="leaver").update(is_active=False)
    client = client_of(admin)
    page = text(client.get("/people/"))
    assert f"Ward nurse, {here.ward.name} at {here.site.name}" in page
    assert "Administrator, everywhere" in page
    assert "Deactivated" in page
    found = text(client.get("/people/?q=LEE+ann"))
    assert "ann.lee" in found
    assert "leaver" not in found
    assert "Nobody is called “&lt;b&gt;”" in text(client.get("/people/?q=<b>"))
    assert client.get("/people/?page=99&q=\x00").status_code == 200


def test_the_pages_take_as_many_queries_for_six_people_as_for_sixty(
    admin: User, here: SomeWard
) -> None:
    client = client_of(admin)

    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200
        return len(captured)

    def add(count: int, name: str) -> None:
        for n in range(count):
            user = somebody(f"{name}{n}", Role.WARD_NURSE, ward=here.ward)
            set_grant(user=user, role=Role.OBSERVER, site=here.site, by=None)
            issue(user, "t", ["occupancy:read"])

    add(6, "a")
    client.get("/people/")
    few = [queries(path) for path in ("/people/", "/people/tokens/", f"/people/{admin.pk}/")]
    add(44, "b")
    some_ward()
    many = [queries(path) for path in ("/people/", "/people/tokens/", f"/people/{admin.pk}/")]
    assert few == many
    assert max(many) < 20


PERSON = {"username": "new.nurse", "first_name": "New", "last_name": "Nurse", "email": ""}


def link_in(answer: Any) -> str:
    found = re.search(r'id="link">http://testserver(/accounts/password/[^<]+)<', text(answer))
    assert found
    return found[1]


def test_a_new_person_comes_with_a_role_and_a_link_to_a_password(
    admin: User, here: SomeWard
) -> None:
    form = {**PERSON, "role": "ward_nurse", "place": f"ward:{here.ward.pk}"}
    answer = client_of(admin).post("/people/add/", form)
    assert answer["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    nurse = User.objects.get(username="new.nurse")
    assert str(nurse) == "New Nurse"
    grant = nurse.grants.get()
    assert (grant.role, grant.ward) == ("ward_nurse", here.ward)
    newcomer = Client()
    page = newcomer.get(link_in(answer), follow=True)
    chosen = {"new_password1": "quite a long one", "new_password2": "quite a long one"}
    newcomer.post(page.redirect_chain[-1][0], chosen)
    assert newcomer.login(
        username="new.nurse", password="quite a long one", request=page.wsgi_request
    )


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"username": "ADMIN"}, "Somebody is called ADMIN already"),
        ({"username": ""}, "Username: This field is required"),
        ({"role": "emperor"}, "Role: Select a valid choice"),
        ({"place": ""}, "Where: This field is required"),
        ({"place": "ward:99999999"}, "Where: Select a valid choice"),
        ({"email": "nowhere"}, "Email address: Enter a valid email"),
    ],
)
def test_a_person_that_cannot_be_added_is_not(
    admin: User, here: SomeWard, change: dict[str, str], problem: str
) -> None:
    form = {**PERSON, "role": "ward_nurse", "place": f"ward:{here.ward.pk}", **change}
    page = text(client_of(admin).post("/people/add/", form))
    assert problem in page
    assert "<title>Error: Add a person" in page
    assert User.objects.count() == 1


def test_roles_are_given_and_withdrawn(admin: User, here: SomeWard) -> None:
    nurse = somebody("nurse")
    client = client_of(admin)
    assert "No role: nurse can sign in but sees nothing." in text(
        client.get(f"/people/{nurse.pk}/")
    )
    role = {"role": "bed_manager", "place": f"organisation:{here.organisation.pk}"}
    answer = client.post(f"/people/{nurse.pk}/roles/", role, follow=True)
    assert f"Bed manager, {here.organisation.name}" in text(answer)
    grant = nurse.grants.get()
    answer = client.post(f"/people/{nurse.pk}/roles/{grant.pk}/withdraw/", follow=True)
    assert "The role is withdrawn." in messages(answer)
    assert not nurse.grants.exists()
    assert client.post(f"/people/{nurse.pk}/roles/{grant.pk}/withdraw/").status_code == 404
    answer = client.post(f"/people/{nurse.pk}/roles/", {"role": "bed_manager"}, follow=True)
    assert "Choose a role and a place." in messages(answer)
    event = Grant.pgh_event_models["insert"].objects.get(pgh_obj_id=grant.pk, pgh_label="insert")  # type: ignore[attr-defined]
    assert event.pgh_context["user"] == admin.pk


def test_the_last_administrator_is_kept(admin: User) -> None:
    client = client_of(admin)
    grant = admin.grants.get()
    answer = client.post(f"/people/{admin.pk}/roles/{grant.pk}/withdraw/", follow=True)
    assert "admin is the last one" in messages(answer)
    answer = client.post(f"/people/{admin.pk}/deactivate/", follow=True)
    assert "You cannot deactivate your own account" in messages(answer)
    assert Grant.objects.filter(pk=grant.pk).exists()


def test_a_deactivated_person_and_their_tokens_are_out_at_once(admin: User) -> None:
    nurse = somebody("nurse")
    nurses = client_of(nurse)
    client = client_of(admin)
    answer = client.post(f"/people/{nurse.pk}/deactivate/", follow=True)
    assert "nurse is deactivated." in messages(answer)
    assert nurses.get("/accounts/password/").status_code == 302
    answer = client.post(f"/people/{nurse.pk}/reset-password/", follow=True)
    assert "activate the account first" in messages(answer)
    answer = client.post(f"/people/{nurse.pk}/activate/", follow=True)
    assert "nurse may sign in again." in messages(answer)
    assert client_of(User.objects.get(pk=nurse.pk)).get("/accounts/password/").status_code == 200


def test_a_password_is_reset_by_a_link(admin: User) -> None:
    nurse = somebody("nurse")
    nurses = client_of(nurse)
    answer = client_of(admin).post(f"/people/{nurse.pk}/reset-password/")
    assert nurses.get("/accounts/password/").status_code == 302
    page = Client().get(link_in(answer), follow=True)
    assert "Choose a password" in text(page)


def test_a_locked_person_is_shown_and_let_in(admin: User) -> None:
    nurse = somebody("nurse")
    for _ in range(5):
        Client().post("/accounts/sign-in/", {"username": "nurse", "password": "x"})
    client = client_of(admin)
    assert "Locked out" in text(client.get("/people/"))
    assert "Unlock now" in text(client.get(f"/people/{nurse.pk}/"))
    client.post(f"/people/{nurse.pk}/unlock/")
    assert "Locked out" not in text(client.get("/people/"))


def test_details_are_corrected(admin: User, here: SomeWard) -> None:
    nurse = somebody("nurse")
    form = {"first_name": "Ann", "email": "a@b.example", "organisation": here.organisation.pk}
    answer = client_of(admin).post(f"/people/{nurse.pk}/", form, follow=True)
    assert "Ann is kept." in messages(answer)
    nurse.refresh_from_db()
    assert nurse.organisation == here.organisation
    bad = client_of(admin).post(f"/people/{nurse.pk}/", {"email": "no"})
    assert "Email address: Enter a valid email address." in text(bad)


def test_a_token_is_shown_once_and_revoked(admin: User) -> None:
    program = somebody("program")
    client = client_of(admin)
    form = {"user": program.pk, "name": "Dashboard", "scopes": ["occupancy:read"], "lifetime": "30"}
    answer = client.post("/people/tokens/", form)
    found = re.search(r'id="secret">(flow_[\w-]{43})<', text(answer))
    assert found
    token = verify(found[1], timezone.now())
    assert token is not None
    assert token.expires_at is not None
    assert 29 < (token.expires_at - timezone.now()).total_seconds() / 86400 <= 30
    page = text(client.get("/people/tokens/"))
    assert found[1] not in page
    assert "Read counts of beds and patients" in page
    answer = client.post(f"/people/tokens/{token.pk}/revoke/", follow=True)
    assert "“Dashboard” is revoked" in messages(answer)
    assert "Revoked" in text(answer)
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert client.post("/people/tokens/9999999/revoke/").status_code == 404


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"scopes": []}, "What it may do: This field is required"),
        ({"scopes": ["all"]}, "What it may do: Select a valid choice"),
        ({"name": " "}, "Name: This field is required"),
        ({"lifetime": "9999"}, "Works for: Select a valid choice"),
        ({"user": 99999999}, "Account: Select a valid choice"),
    ],
)
def test_a_token_that_makes_no_sense_is_not_made(
    admin: User, change: dict[str, Any], problem: str
) -> None:
    form = {"user": admin.pk, "name": "x", "scopes": ["occupancy:read"], "lifetime": "never"}
    page = text(client_of(admin).post("/people/tokens/", {**form, **change}))
    assert problem in page
    assert not ApiToken.objects.exists()


def test_an_administrator_of_a_site_stays_within_it(site_admin: User, here: SomeWard) -> None:
    elsewhere = some_ward()
    nurse = somebody("nurse", Role.WARD_NURSE, ward=here.ward)
    both = somebody("both", Role.WARD_NURSE, ward=here.ward)
    set_grant(user=both, role=Role.WARD_NURSE, ward=elsewhere.ward, by=None)
    stranger = somebody("stranger", Role.WARD_NURSE, ward=elsewhere.ward)
    root = somebody("root", Role.WARD_NURSE, ward=here.ward)
    User.objects.filter(pk=root.pk).update(is_superuser=True)
    client = client_of(site_admin)
    page = text(client.get("/people/"))
    assert ["nurse" in page, "both" in page, "stranger" in page] == [True, True, False]
    assert client.get(f"/people/{stranger.pk}/").status_code == 404
    assert "outside your places" in text(client.get(f"/people/{both.pk}/"))
    for person, status in [(nurse, 302), (both, 403), (root, 403), (stranger, 404)]:
        assert client.post(f"/people/{person.pk}/unlock/").status_code == status
        assert client.post(f"/people/{person.pk}/deactivate/").status_code == status
        assert client.post(f"/people/{person.pk}/", {"first_name": "X"}).status_code == status
        reset = client.post(f"/people/{person.pk}/reset-password/").status_code
        assert reset == (302 if status == 302 else status)  # deactivated just now
    assert not User.objects.get(pk=nurse.pk).is_active
    assert User.objects.get(pk=both.pk).check_password("a long password")


def test_an_administrator_of_a_site_gives_roles_only_there(
    site_admin: User, here: SomeWard
) -> None:
    elsewhere = some_ward()
    nurse = somebody("nurse", Role.WARD_NURSE, ward=here.ward)
    client = client_of(site_admin)
    page = text(client.get(f"/people/{nurse.pk}/"))
    assert f"site:{here.site.pk}" in page
    for place in (
        "everywhere",
        f"organisation:{here.organisation.pk}",
        f"site:{elsewhere.site.pk}",
        f"ward:{elsewhere.ward.pk}",
    ):
        assert f'value="{place}"' not in page
        client.post(f"/people/{nurse.pk}/roles/", {"role": "administrator", "place": place})
        form = {**PERSON, "role": "administrator", "place": place}
        assert "Where: Select a valid choice" in text(client.post("/people/add/", form))
    assert [g.role for g in nurse.grants.all()] == ["ward_nurse"]
    assert not User.objects.filter(username="new.nurse").exists()


def test_an_administrator_of_a_site_withdraws_roles_only_there(
    site_admin: User, here: SomeWard
) -> None:
    both = somebody("both", Role.WARD_NURSE, ward=here.ward)
    mine = both.grants.get()
    theirs = set_grant(user=both, role=Role.OBSERVER, everywhere=True, by=None)
    client = client_of(site_admin)
    assert client.post(f"/people/{both.pk}/roles/{theirs.pk}/withdraw/").status_code == 403
    answer = client.post(f"/people/{both.pk}/roles/{mine.pk}/withdraw/")
    assert answer["Location"] == "/people/"
    assert list(both.grants.all()) == [theirs]


def test_tokens_are_made_and_revoked_only_for_people_one_manages(
    site_admin: User, here: SomeWard, admin: User
) -> None:
    token, _ = issue(admin, "powerful", ["occupancy:read"])
    client = client_of(site_admin)
    assert "powerful" not in text(client.get("/people/tokens/"))
    form = {"user": admin.pk, "name": "x", "scopes": ["occupancy:read"], "lifetime": "never"}
    assert "Account: Select a valid choice" in text(client.post("/people/tokens/", form))
    assert client.post(f"/people/tokens/{token.pk}/revoke/").status_code == 404
    assert ApiToken.objects.filter(revoked_at=None).count() == 1


def test_names_are_shown_as_text(admin: User) -> None:
    nasty = somebody("nasty")
    User.objects.filter(pk=nasty.pk).update(first_name="<script>alert(1)</script>")
    client = client_of(admin)
    for path in ("/people/", f"/people/{nasty.pk}/"):
        assert "<script>alert" not in text(client.get(path))
