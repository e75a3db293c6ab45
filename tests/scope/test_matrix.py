"""Role × place × page × API: nobody is shown a patient whom they may not see.

What somebody may see is worked out here by plain rules, apart from the code under test:

- a role that may see patients shows those of the wards it holds at, and those awaited there;
- a role that owns steps shows those whose open step belongs to the team or body it holds at, and
  those for whom its wards or body are asked for a place; where it holds at a body, only steps that
  the body itself or one of its teams owns;
- it also shows those of a neighbourhood whose team it holds at, wherever they are;
- every other role shows nobody.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts.models import User
from accounts.roles import PERMISSIONS, Permission, Role
from accounts.tokens import TokenScope, issue
from huddles.meetings.addresses import address_of
from live import shared
from tests.scope.world import FAMILIES, FORETOLD, NEIGHBOURS, OWNED, SITES, WARDS, Area, build
from tests.screens.forecasts import forget
from tests.screens.hospital import signed_in
from wards.models import Grant

pytestmark = pytest.mark.django_db

PLACES = [
    ("ward", "X1"),
    ("ward", "C1"),
    ("site", "XA"),
    ("organisation", "RXX"),
    ("organisation", "RYY"),
    ("organisation", "RCC"),
    ("organisation", "CXX"),
    ("team", "SW"),
    ("team", "TH"),
    ("team", "NT"),
    ("everywhere", ""),
]
TEAMS = {"SW": "CXX", "TH": "RXX", "NT": "RCC"}
REFERRED = {"X2": "C1"}
SEES = {Permission.SEE_PATIENTS}


def wards_of(kind: str, code: str) -> set[str]:
    """The wards at which a grant holds."""
    if kind == "everywhere":
        return set(WARDS)
    if kind == "ward":
        return {code}
    if kind == "site":
        return {ward for ward, (site, _kind) in WARDS.items() if site == code}
    if kind == "organisation":
        return {ward for ward, (site, _kind) in WARDS.items() if SITES[site] == code}
    return set()


def teams_of(kind: str, code: str) -> set[str]:
    if kind == "everywhere":
        return set(TEAMS)
    if kind == "team":
        return {code}
    return {team for team, body in TEAMS.items() if kind == "organisation" and body == code}


def bodies_of(kind: str, code: str) -> set[str]:
    if kind == "everywhere":
        return {"RXX", "RYY", "RCC", "CXX"}
    return {code} if kind == "organisation" else set()


def may_see(role: Role, kind: str, code: str) -> set[str]:
    """The wards whose patients a viewer may be shown."""
    held = PERMISSIONS[role]
    wards = wards_of(kind, code)
    seen: set[str] = set()
    if Permission.SEE_PATIENTS in held:
        seen |= wards
    if Permission.OWN_STEPS in held:
        seen |= {ward for ward, team in OWNED.items() if team in teams_of(kind, code)}
        if "NT" in teams_of(kind, code):
            seen |= NEIGHBOURS
        unowned = set(WARDS) - set(OWNED)
        seen |= {w for w in unowned if SITES[WARDS[w][0]] in bodies_of(kind, code)}
    if held & {Permission.OWN_STEPS, Permission.MOVE_PATIENTS}:
        seen |= {ward for ward, place in REFERRED.items() if place in wards}
    return seen


@pytest.fixture
def area() -> Iterator[Area]:
    shared.forget()
    forget()
    yield build()
    shared.forget()
    forget()


def addresses(area: Area) -> Iterator[str]:
    """Everything that can be looked at, of every ward."""
    today = timezone.localdate()
    yield from ("/", "/work/", "/referrals/", "/returns/", "/peers/", "/feeds/", "/people/")
    yield "/cleaning/"
    yield from ("/discharges/", "/discharges/?long=7", "/discharges/?format=csv&long=7")
    yield from (
        "/cohorts/",
        "/cohorts/our-people/",
        "/cohorts/our-neighbourhoods/",
        "/cohorts/new/?try=1",
    )
    yield from ("/cohorts/our-neighbourhoods/?format=csv", "/cohorts/waiting-on-support/")
    yield from ("/cohorts/new/?from=long-stays", "/cohorts/long-stays/edit/")
    yield from ("/referrals/?show=over", "/feeds/troubles/", "/feeds/places/", "/to-check/")
    yield from ("/screens/", "/screens/pair/?site=XA", f"/screens/{area.screen}/")
    yield f"/screens/{area.screen}/preview/1/"
    yield from ("/screen/", "/screen/waiting/", "/screen/pages/1/")
    yield from (f"/actions/?whose={whose}" for whose in ("mine", "teams", "site"))
    yield from (f"/actions/?whose=site&site={code}" for code in area.sites)
    yield from ("/huddles/", *(f"/sites/{code}/huddles/" for code in area.sites))
    yield "/sites/XA/huddles/new/"
    for huddle in (area.running, area.held):
        assert huddle is not None
        here = address_of("meeting", huddle.template_id, huddle.starts_at)
        yield from (here, f"{here}?fragment=1", f"{here}room/", f"{here}summary/")
        yield f"{here}lines/{area.wards['X2'].pk}/"
        yield f"/huddles/{huddle.template_id}/change/"
    yield from ("/rules/", *(f"/rules/?site={code}" for code in area.sites))
    yield from ("/escalation/", "/escalation/rules/", "/escalation/rules/fill-in/")
    yield "/escalation/notices/"
    yield from (f"/sites/{code}/escalation/" for code in area.sites)
    yield from (f"/sites/{code}/" for code in area.sites)
    yield from (f"/sites/{code}/to-check/" for code in area.sites)
    yield from (f"/sites/{code}/desk/" for code in area.sites)
    yield from (f"/sites/{code}/desk/proposal/" for code in area.sites)
    yield from (f"/sites/{code}/desk/expect/" for code in area.sites)
    yield from (f"/sites/{code}/desk/out-of-place/" for code in area.sites)
    yield from (f"/sites/{code}/handover/?since=24" for code in area.sites)
    yield from (f"/sites/{code}/staffing/" for code in area.sites)
    earlier = timezone.localtime() - timedelta(hours=25)
    for page in ("", f"?at={earlier:%Y-%m-%dT%H:%M}", "accuracy/", "scenarios/?open=2"):
        yield f"/sites/{FORETOLD}/forecast/{page}"
    yield from (f"/work/{body}/" for body in area.bodies)
    yield from (f"/work/{t.organisation.code}/{t.code}/" for t in area.teams.values())
    for kind, line in (("sitrep", "ga_occupied"), ("discharge", "remaining")):
        for body in ("RXX", "RYY"):
            yield f"/returns/{kind}/{body}/{today}/?line={line}"
    for code, ward in area.wards.items():
        bed = ward.beds.order_by("pk").first()
        assert bed is not None
        yield f"/wards/{code}/"
        yield f"/rounds/{code}/"
        yield f"/limits/{ward.pk}/"
        yield f"/closing/{ward.pk}/"
        yield f"/stays/{area.stays[code].pk}/sign-off/"
        yield f"/beds/{bed.pk}/"
        yield f"/stays/{area.stays[code].pk}/"
        yield f"/barriers/{area.barriers[code].pk}/"
        yield f"/requests/{area.requests[code].pk}/"
        yield f"/referrals/ask/{area.stays[code].pk}/"
        yield f"/work/RXX/TH/?ward={code}"
    assert area.referral is not None
    yield f"/referrals/{area.referral.pk}/"


def calls(area: Area) -> Iterator[str]:
    """Everything that programs can read."""
    yield from (
        f"/api/v1/{name}/"
        for name in (
            "occupancy",
            "occupancy/totals",
            "organisations",
            "sites",
            "wards",
            "beds",
            "episodes",
            "barriers",
            "referrals",
            "receiving",
            "discharges/summary",
            "returns/sitrep",
            "returns/discharge",
            "reasons",
            "reference/measures",
            "reference/bodies",
            "cohorts",
            "cohorts/our-neighbourhoods",
            "cohorts/waiting-on-support",
            "forecasts/accuracy",
            "bed-requests",
            "actions",
            "huddles",
            "escalation",
        )
    )
    yield f"/api/v1/forecasts/?site={FORETOLD}"
    yield f"/api/v1/forecasts/accuracy/?site={FORETOLD}"
    yield "/api/v1/referrals/?status=asked&status=placed"
    yield "/api/v1/barriers/?status=open&status=resolved"
    yield from (f"/api/v1/forecasts/?site={code}" for code in area.sites)
    yield from (f"/api/v1/forecasts/accuracy/?site={code}&by=ward" for code in area.sites)
    for number, (code, stay) in enumerate(area.stays.items()):
        bed = area.wards[code].beds.order_by("pk").first()
        assert bed is not None
        yield f"/api/v1/sites/{WARDS[code][0]}/"
        yield f"/api/v1/wards/{code}/"
        yield f"/api/v1/wards/{code}/beds/"
        yield f"/api/v1/wards/{code}/staffing/"
        yield f"/api/v1/beds/{bed.pk}/"
        yield f"/api/v1/episodes/?visit=V{number}"
        yield f"/api/v1/episodes/?mrn=MRN{number}"
        yield f"/api/v1/episodes/{stay.pk}/"
        yield f"/api/v1/episodes/{stay.pk}/barriers/"
        yield f"/api/v1/episodes/{stay.pk}/prediction/"
        yield f"/api/v1/episodes/{stay.pk}/reviews/"
        yield f"/api/v1/barriers/{area.barriers[code].pk}/"
        yield f"/api/v1/episodes/{stay.pk}/needs/"
        yield f"/api/v1/bed-requests/{area.requests[code].pk}/"
        yield f"/api/v1/bed-requests/{area.requests[code].pk}/matches/"
        yield f"/api/v1/bed-requests/?site={WARDS[code][0]}"
    yield from (f"/api/v1/actions/{action.pk}/" for action in area.actions.values())
    for huddle in (area.running, area.held):
        assert huddle is not None
        yield f"/api/v1/huddles/{huddle.pk}/"
    assert area.referral is not None
    yield f"/api/v1/referrals/{area.referral.pk}/"


def shown(client: Client, address: str) -> set[str]:
    """The wards whose patient's name is in the answer."""
    response = client.get(address)
    assert response.status_code < 500, address
    body = response.content.decode().lower()
    return {ward for ward, family in FAMILIES.items() if family.lower() in body}


def found(client: Client) -> set[str]:
    """The wards whose patient a search by number finds."""
    seen = set()
    for number, (ward, family) in enumerate(FAMILIES.items()):
        answer = client.post("/search/", {"q": f"MRN{number}"}, follow=True)
        if answer.status_code == 200 and family.lower() in answer.content.decode().lower():
            seen.add(ward)
    return seen


def held_at(role: Role) -> Iterator[list[tuple[str, str]]]:
    """Where somebody holds the role, one person after the other. A role that shows nobody wherever
    it is held is held at one ward, and by somebody else at all places: what these together do not
    show, none of them does."""
    fitting = [
        (kind, code)
        for kind, code in PLACES
        # Of the others such a grant is not offered, and holds at no ward.
        if kind != "team" or role in (Role.PARTNER, Role.DISCHARGE_COORDINATOR)
    ]
    if any(may_see(role, kind, code) for kind, code in fitting):
        yield from ([place] for place in fitting)
    else:
        yield fitting[:1]
        yield fitting


@pytest.mark.parametrize("role", list(Role))
def test_nobody_is_shown_more_than_they_may_see(area: Area, role: Role) -> None:
    for places in held_at(role):
        who = f"{role.value} at {', '.join(f'{kind} {code}' for kind, code in places)}"
        user = User.objects.create_user(who[:150], password="a long enough word")
        for kind, code in places:
            Grant.objects.create(user=user, role=role, **area.at(kind, code))
        allowed = set().union(*(may_see(role, kind, code) for kind, code in places))
        client = signed_in(user)
        _, secret = issue(user, "all", [scope.value for scope in TokenScope])
        program = Client(headers={"Authorization": f"Bearer {secret}"})
        seen: set[str] = set()
        for address in addresses(area):
            here = shown(client, address)
            assert here <= allowed, f"{who} is shown {here - allowed} by {address}"
            seen |= here
        told: set[str] = set()
        for address in calls(area):
            here = shown(program, address)
            assert here <= allowed, f"{who} is told {here - allowed} by {address}"
            told |= here
        assert seen == allowed, f"{who} finds {seen} on the pages and may see {allowed}"
        assert told == allowed, f"{who} is told of {told} and may see {allowed}"
        hits = found(client)
        assert hits <= allowed, f"{who} finds {hits - allowed} by searching"
        if Permission.SEE_PATIENTS in PERMISSIONS[role]:
            assert set().union(*(wards_of(kind, code) for kind, code in places)) <= hits


def test_nobody_without_a_role_is_shown_anything(area: Area) -> None:
    nobody = User.objects.create_user("nobody", password="a long enough word")
    _, secret = issue(nobody, "all", [scope.value for scope in TokenScope])
    visitors = (
        signed_in(nobody),
        Client(headers={"Authorization": f"Bearer {secret}"}),
        Client(),
    )
    for visitor in visitors:
        for address in [*addresses(area), *calls(area)]:
            assert shown(visitor, address) == set(), address


DEEDS = {
    # Said by POST alone: their own tests hold who may do them.
    "accounts:sign_out", "people:revoke_token", "people:give_role", "people:withdraw_role",
    "people:deactivate", "people:activate", "people:unlock", "people:reset_password",
    "interop:replay", "cohorts:withdraw", "flow_api:resolve", "flow_api:escalate",
    "flow_api:reassign", "flow_api:contact", "flow_api:take_back", "flow_api:accept",
    "flow_api:decline", "flow_api:withdraw", "flow_api:place", "flow_api:search_episodes",
    "flow_api:sign_return", "flow_api:close_bed", "flow_api:reopen_bed", "flow_api:bed_cleaned",
    "flow_api:ask_for_cleaning", "flow:search", "forecast:scenario", "flow_api:change_request",
    "flow_api:reserve", "flow_api:allocate", "flow_api:release", "flow_api:cancel_request",
    "flow_api:restore_request",
    "flow_api:movements", "flow_api:cancel_movement", "screens:revoke", "escalation_api:values",
    "escalation_api:withdraw",
    "huddles_api:finish_action", "huddles_api:drop_action", "huddles_api:reopen_action",
}  # fmt: skip
NO_PATIENTS = {
    ":health_live", ":health_ready", ":hl7v2", "accounts:sign_in", "accounts:change_password",
    "accounts:set_password", "people:add", "people:tokens", "people:person", "interop:new_feed",
    "interop:feed", "interop:message", "interop:map_ward", "interop:map_bed", "flow_api:problems",
    "flow_api:schema", "flow_api:docs", "flow_api:nowhere", "flow:start", "flow:found",
    "flow_api:reference", ":", "huddles:summary_pdf",
}  # fmt: skip
"""Pages that hold no patient; messages of feeds are shown to feed managers, see their own tests."""


def test_the_matrix_knows_every_address(area: Area) -> None:
    """A new page or call belongs into the matrix, or into a list above with its reason."""
    asked = {address.split("?")[0].lstrip("/") for address in [*addresses(area), *calls(area)]}
    unknown = []
    for name, pattern in patterns(get_resolver()):
        if name in DEEDS | NO_PATIENTS:
            continue
        if not any(pattern_matches(pattern, address) for address in asked):
            unknown.append((name, json.dumps(pattern)))
    assert unknown == []


def patterns(resolver: URLResolver, prefix: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from patterns(entry, prefix + str(entry.pattern), entry.namespace or space)
        else:
            assert isinstance(entry, URLPattern)
            yield f"{space}:{entry.name or ''}", prefix + str(entry.pattern)


def pattern_matches(pattern: str, address: str) -> bool:
    """Whether an address has the shape of a pattern, part by part."""
    theirs, ours = pattern.split("/"), address.split("/")
    return len(theirs) == len(ours) and all(
        their == our or (their.startswith("<") and our)
        for their, our in zip(theirs, ours, strict=True)
    )
