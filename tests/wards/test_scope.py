"""Who may do what, where: roles at places and everything below them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test.utils import CaptureQueriesContext

from accounts.models import Organisation, User
from accounts.roles import PERMISSIONS, Permission, Role
from patients.models import Episode, Patient, Visit
from tests.wards.some_places import some_organisation, some_site, some_ward
from wards.models import BedRequest, Grant, Occupancy, Site, Ward
from wards.scope import scope_of, visible_episodes, visible_patients

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SEE = Permission.SEE_PATIENTS


@dataclass(frozen=True)
class System:
    """A board over two trusts, one of which has a subsidiary of its own.

    icb ── trust ── near (w1, w2, odd) and subsidiary ── far (w3);  icb ── other ── apart (w4)
    """

    icb: Organisation
    trust: Organisation
    subsidiary: Organisation
    near: Site
    far: Site
    apart: Site
    wards: dict[str, Ward]

    def place(self, name: str) -> dict[str, Any]:
        """The arguments of a grant at the named place."""
        if name == "everywhere":
            return {"everywhere": True}
        if name in self.wards:
            return {"ward": self.wards[name]}
        kind = "site" if name in ("near", "far", "apart") else "organisation"
        return {kind: getattr(self, name)}


@pytest.fixture
def system() -> System:
    icb = some_organisation()
    trust = some_organisation(parent=icb)
    subsidiary = some_organisation(parent=trust)
    other = some_organisation(parent=icb)
    near, far, apart = (some_site(organisation=o) for o in (trust, subsidiary, other))
    wards = {
        "w1": some_ward(site=near).ward,
        "w2": some_ward(site=near).ward,
        "w3": some_ward(site=far).ward,
        "w4": some_ward(site=apart).ward,
        "odd": Ward.objects.create(site=near, code="ODD", name="ODD", kind=Ward.Kind.UNRECOGNISED),
    }
    return System(icb, trust, subsidiary, near, far, apart, wards)


BELOW = {
    "everywhere": {"w1", "w2", "odd", "w3", "w4"},
    "icb": {"w1", "w2", "odd", "w3", "w4"},
    "trust": {"w1", "w2", "odd", "w3"},
    "subsidiary": {"w3"},
    "near": {"w1", "w2", "odd"},
    "w1": {"w1"},
    "odd": {"odd"},
}


def somebody(name: str = "somebody", **fields: Any) -> User:
    return User.objects.create(username=name, **fields)


@pytest.mark.parametrize("place", BELOW)
@pytest.mark.parametrize("role", Role)
def test_a_role_holds_at_its_place_and_everything_below(
    system: System, role: Role, place: str
) -> None:
    user = somebody()
    Grant.objects.create(user=user, role=role, **system.place(place))
    scope = scope_of(user)
    for permission in Permission:
        carried = permission in PERMISSIONS[role]
        for name, ward in system.wards.items():
            assert scope.may(permission, ward.pk) == (carried and name in BELOW[place])
        expected = {system.wards[name].pk for name in BELOW[place]} if carried else set()
        if place == "everywhere" and carried:
            assert scope.wards(permission) == "all"
        else:
            assert scope.wards(permission) == frozenset(expected)
        assert scope.may_anywhere(permission) == carried


def test_a_whole_site_is_told_from_a_part_of_it(system: System) -> None:
    user = somebody()
    Grant.objects.create(user=user, role=Role.WARD_NURSE, ward=system.wards["w1"])
    Grant.objects.create(user=user, role=Role.WARD_NURSE, site=system.far)
    scope = scope_of(user)
    assert scope.sites(SEE) == frozenset({system.far.pk})
    assert scope.sites_in_part(SEE) == frozenset({system.far.pk, system.near.pk})
    assert scope.may_at_site(SEE, system.far.pk)
    assert not scope.may_at_site(SEE, system.near.pk)
    assert scope.organisations(SEE) == frozenset()


def test_several_roles_add_up(system: System) -> None:
    user = somebody()
    Grant.objects.create(user=user, role=Role.OBSERVER, everywhere=True)
    Grant.objects.create(user=user, role=Role.BED_MANAGER, organisation=system.trust)
    Grant.objects.create(user=user, role=Role.FEED_MANAGER, ward=system.wards["w4"])
    scope = scope_of(user)
    assert scope.wards(Permission.SEE_COUNTS) == "all"
    assert scope.wards(SEE) == frozenset(w.pk for w in system.wards.values())
    assert scope.wards(Permission.MANAGE_FEEDS) == frozenset({system.wards["w4"].pk})
    assert scope.organisations(SEE) == frozenset({system.trust.pk, system.subsidiary.pk})


def test_nobody_may_do_anything_without_a_grant(system: System) -> None:
    Grant.objects.create(user=somebody("else"), role=Role.ADMINISTRATOR, everywhere=True)
    leaver = somebody("leaver", is_active=False)
    Grant.objects.create(user=leaver, role=Role.ADMINISTRATOR, everywhere=True)
    unknown_role = somebody("odd")
    Grant.objects.create(user=unknown_role, role="emperor", everywhere=True)
    for user in (AnonymousUser(), somebody(), leaver, unknown_role):
        scope = scope_of(user)
        assert not any(scope.may_anywhere(permission) for permission in Permission)
        assert scope.wards(SEE) == frozenset()
        assert not scope.may(SEE, system.wards["w1"].pk)


def test_a_superuser_may_do_everything(system: System) -> None:
    scope = scope_of(somebody(is_superuser=True))
    assert all(scope.wards(permission) == "all" for permission in Permission)
    assert scope.may_everywhere(Permission.MANAGE_PEOPLE)


def test_the_scope_takes_one_query_a_request_however_much_is_granted(system: System) -> None:
    user = somebody()
    for place in BELOW:
        Grant.objects.create(user=user, role=Role.BED_MANAGER, **system.place(place))
    with CaptureQueriesContext(connection) as captured:
        scope_of(user).wards(SEE)
        assert scope_of(user).may(SEE, system.wards["w1"].pk)
    assert len(captured) == 1
    again = User.objects.get(pk=user.pk)
    with CaptureQueriesContext(connection) as captured:
        scope_of(again)
    assert len(captured) == 1


def test_organisations_in_a_ring_do_not_hang(system: System) -> None:
    Organisation.objects.filter(pk=system.icb.pk).update(parent=system.subsidiary)
    user = somebody()
    Grant.objects.create(user=user, role=Role.OBSERVER, organisation=system.trust)
    assert scope_of(user).wards(Permission.SEE_COUNTS) == frozenset(
        w.pk for w in system.wards.values()
    )


def test_equal_keys_mean_equal_rights_however_granted(system: System) -> None:
    def key(name: str, *grants: tuple[Role, str]) -> str:
        user = somebody(name)
        for role, place in grants:
            Grant.objects.create(user=user, role=role, **system.place(place))
        return scope_of(user).key

    far_singly = key("a", (Role.WARD_NURSE, "far"))
    assert far_singly == key("b", (Role.WARD_NURSE, "far"), (Role.WARD_NURSE, "w3"))
    assert far_singly == key("c", (Role.WARD_NURSE, "far"), (Role.OBSERVER, "far"))
    others = {
        key("d"),
        key("e", (Role.WARD_NURSE, "near")),
        key("f", (Role.BED_MANAGER, "far")),
        key("g", (Role.WARD_NURSE, "everywhere")),
        key("h", (Role.OBSERVER, "far")),
        key("i", (Role.WARD_NURSE, "w3")),
    }
    assert len(others | {far_singly}) == 7


def stay(number: str, of: Patient | None = None) -> Episode:
    patient = of or Patient.objects.create(authority="T", identifier=number)
    visit = Visit.objects.create(authority="T", number=number, patient=patient)
    return Episode.objects.create(
        visit=visit, patient=patient, status="in_hospital", admitted_at=NOON
    )


def was_on(episode: Episode, ward: Ward, since: datetime, until: datetime | None) -> None:
    Occupancy.objects.create(
        episode=episode,
        person=episode.patient,
        ward=ward,
        period=DateTimeTZRange(since, until),
        claim_start=since,
        claim_key="k",
    )


def test_a_patient_is_visible_where_they_are_were_or_are_awaited(system: System) -> None:
    w1, w2, w3, w4 = (system.wards[name] for name in ("w1", "w2", "w3", "w4"))
    moved = stay("moved")
    was_on(moved, w1, NOON, NOON + HOUR)
    was_on(moved, w2, NOON + HOUR, None)
    earlier = stay("earlier", of=moved.patient)  # of the same person, elsewhere
    was_on(earlier, w4, NOON - 9 * HOUR, NOON - 8 * HOUR)
    awaited = stay("awaited")
    BedRequest.objects.create(
        episode=awaited,
        kind="transfer",
        from_ward=w4,
        ward=w3,
        period=DateTimeTZRange(NOON, None),
        key="k",
    )
    nowhere = stay("nowhere")

    def seen(name: str, *places: str, role: Role = Role.WARD_NURSE) -> set[int]:
        user = somebody(name)
        for place in places:
            Grant.objects.create(user=user, role=role, **system.place(place))
        scope = scope_of(user)
        episodes = set(visible_episodes(Episode.objects.all(), scope).values_list("pk", flat=True))
        people = set(visible_patients(Patient.objects.all(), scope).values_list("pk", flat=True))
        assert people == set(
            Episode.objects.filter(pk__in=episodes).values_list("patient", flat=True)
        )
        return episodes

    assert seen("a", "w1") == {moved.pk}
    assert seen("b", "w2") == {moved.pk}
    assert seen("c", "w3") == {awaited.pk}
    assert seen("d", "w4") == {earlier.pk, awaited.pk}
    assert seen("e", "near", "far") == {moved.pk, awaited.pk}
    assert seen("f", "everywhere") == {moved.pk, earlier.pk, awaited.pk, nowhere.pk}
    assert seen("g") == set()
    assert seen("h", "icb", role=Role.OBSERVER) == set()
