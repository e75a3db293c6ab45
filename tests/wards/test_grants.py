"""Giving and withdrawing roles, and who may do so."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from accounts.access import access_version
from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Role
from tests.wards.some_places import some_organisation, some_site, some_ward
from wards.grants import (
    may_manage,
    refuse_if_last_administrator,
    set_grant,
    visible_users,
    withdraw_grant,
)
from wards.models import Grant
from wards.scope import Scope, scope_of

pytestmark = pytest.mark.django_db


def somebody(name: str, *grants: dict[str, Any], **fields: Any) -> User:
    user = User.objects.create(username=name, **fields)
    for grant in grants:
        Grant.objects.create(user=user, **grant)
    return user


def ruler(name: str) -> User:
    return somebody(name, {"role": Role.ADMINISTRATOR, "everywhere": True})


@pytest.mark.django_db(transaction=True)
def test_a_grant_given_twice_is_one_and_is_audited() -> None:
    admin, nurse, ward = ruler("admin"), somebody("nurse"), some_ward().ward
    before = access_version()
    first = set_grant(user=nurse, role=Role.WARD_NURSE, ward=ward, by=admin)
    after = access_version()
    assert after != before
    assert set_grant(user=nurse, role=Role.WARD_NURSE, ward=ward, by=admin) == first
    assert access_version() == after
    withdraw_grant(grant=first, by=admin)
    assert access_version() != after
    assert not Grant.objects.filter(user=nurse).exists()
    events = Grant.pgh_event_models["insert"].objects.filter(pgh_obj_id=first.pk)  # type: ignore[attr-defined]
    told = [(e.pgh_label, e.pgh_context["user"]) for e in events.order_by("pgh_id")]
    assert told == [("insert", admin.pk), ("delete", admin.pk)]


def test_a_grant_needs_a_known_role_at_one_place() -> None:
    nurse, here = somebody("nurse"), some_ward()
    with pytest.raises(Refused, match="use one of observer, reader, ward_nurse"):
        set_grant(user=nurse, role="emperor", everywhere=True, by=None)
    with pytest.raises(Refused, match="Choose one place"):
        set_grant(user=nurse, role=Role.OBSERVER, by=None)
    with pytest.raises(Refused, match="Choose one place"):
        set_grant(user=nurse, role=Role.OBSERVER, ward=here.ward, site=here.site, by=None)
    with pytest.raises(Refused, match="Choose one place"):
        set_grant(user=nurse, role=Role.OBSERVER, ward=here.ward, everywhere=True, by=None)
    assert not Grant.objects.exists()


def test_the_last_administrator_stays() -> None:
    first = ruler("first")
    somebody("asleep", {"role": Role.ADMINISTRATOR, "everywhere": True}, is_active=False)
    somebody("local", {"role": Role.ADMINISTRATOR, "site": some_site()})
    grant = Grant.objects.get(user=first)
    with pytest.raises(Refused, match="first is the last one"):
        withdraw_grant(grant=grant, by=first)
    with pytest.raises(Refused, match="first is the last one"):
        refuse_if_last_administrator(user=first)
    ruler("second")
    refuse_if_last_administrator(user=first)
    withdraw_grant(grant=grant, by=first)
    withdraw_grant(grant=grant, by=first)


def test_a_superuser_counts_as_administrator() -> None:
    root = somebody("root", is_superuser=True)
    with pytest.raises(Refused, match="root is the last one"):
        refuse_if_last_administrator(user=root)
    only = ruler("only")
    refuse_if_last_administrator(user=root)
    withdraw_grant(grant=Grant.objects.get(user=only), by=root)


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_remove_each_other_at_once() -> None:
    rulers = [ruler("one"), ruler("two")]
    start = threading.Barrier(2)
    answers: list[str] = []

    def remove(user: User) -> None:
        start.wait()
        try:
            withdraw_grant(grant=Grant.objects.get(user=user), by=None)
            answers.append("withdrawn")
        except Refused:
            answers.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=remove, args=(user,)) for user in rulers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["refused", "withdrawn"]
    assert Grant.objects.count() == 1


def test_an_administrator_of_a_place_manages_only_who_holds_nothing_outside_it() -> None:
    trust = some_organisation()
    site = some_site(organisation=trust)
    here, elsewhere = some_ward(site=site), some_ward()
    admin = somebody("admin", {"role": Role.ADMINISTRATOR, "site": site})
    nurse = somebody("nurse", {"role": Role.WARD_NURSE, "ward": here.ward})
    both = somebody(
        "both",
        {"role": Role.WARD_NURSE, "ward": here.ward},
        {"role": Role.WARD_NURSE, "ward": elsewhere.ward},
    )
    above = somebody("above", {"role": Role.OBSERVER, "organisation": trust})
    nobody = somebody("nobody")
    root = somebody("root", {"role": Role.WARD_NURSE, "ward": here.ward}, is_superuser=True)
    everybody = [admin, nurse, both, above, nobody, root, ruler("ruler")]

    def managed(scope: Scope) -> set[User]:
        return {u for u in everybody if may_manage(scope, u, Grant.objects.filter(user=u))}

    assert managed(scope_of(admin)) == {admin, nurse}
    assert managed(scope_of(everybody[-1])) == set(everybody)
    assert managed(scope_of(nurse)) == set()
    users = User.objects.all()
    assert set(visible_users(users, scope_of(admin))) == {admin, nurse, both, root}
    assert set(visible_users(users, scope_of(everybody[-1]))) == set(everybody)
    assert set(visible_users(users, scope_of(nurse))) == set()
