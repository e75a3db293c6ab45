"""Two trusts and a community provider, each ward with somebody whose name says where they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Organisation, Team, User
from huddles.actions.agreeing import About, agree
from huddles.actions.understanding import Owner
from huddles.meetings.board import board_of
from huddles.meetings.freezing import as_seen
from huddles.meetings.holding import Said as Line
from huddles.meetings.holding import close_meeting, confirm, open_meeting
from huddles.models import Action, Huddle, HuddleTemplate
from patients.code_loading import built_in, load_codes
from patients.cohort_loading import built_in as built_in_cohorts
from patients.cohort_loading import load_cohorts
from patients.keys import Details, PersonKey, VisitKey
from patients.models import Barrier, Code, Episode, HomeArea, Neighbourhood
from tests.huddles.screens.hanging import hung, page_of
from tests.screens.forecasts import foretell
from tests.screens.hospital import nhs_number
from wards.barriers import Said, raise_barrier
from wards.care_needs import Needed, say
from wards.facts import Moved, MovementKind, Place
from wards.models import Bay, Bed, BedRequest, Referral, Site, Ward
from wards.movements import record
from wards.referrals import refer
from wards.requests import Terms, ask
from wards.rounds import Found, review

AGO = timedelta(days=9)


@dataclass
class Area:
    """Everything a viewer could be shown. families: by ward, the name that nobody else has.
    screen: key of one in a closed room that shows a ward. actions: by ward, of its patient.
    running, held: meetings of one site, of which every ward's line names its patient."""

    bodies: dict[str, Organisation] = field(default_factory=dict)
    sites: dict[str, Site] = field(default_factory=dict)
    wards: dict[str, Ward] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    families: dict[str, str] = field(default_factory=dict)
    stays: dict[str, Episode] = field(default_factory=dict)
    barriers: dict[str, Barrier] = field(default_factory=dict)
    referral: Referral | None = None
    requests: dict[str, BedRequest] = field(default_factory=dict)
    screen: int = 0
    actions: dict[str, Action] = field(default_factory=dict)
    running: Huddle | None = None
    held: Huddle | None = None

    def at(self, kind: str, code: str) -> Mapping[str, Any]:
        """Where a grant is: `ward`, `site`, `organisation`, `team` or `everywhere`."""
        if kind == "everywhere":
            return {"everywhere": True}
        known: dict[str, Mapping[str, Any]] = {
            "ward": self.wards,
            "site": self.sites,
            "organisation": self.bodies,
            "team": self.teams,
        }
        return {kind: known[kind][code]}


BODIES = {"RXX": ("trust", "QXX"), "RYY": ("trust", "QXX"), "RCC": ("community", "QXX")}
WARDS = {  # code → site, kind
    "X1": ("XA", "inpatient"),
    "X2": ("XA", "inpatient"),
    "X3": ("XB", "inpatient"),
    "Y1": ("YA", "inpatient"),
    "C1": ("CA", "community"),
}
SITES = {"XA": "RXX", "XB": "RXX", "YA": "RYY", "CA": "RCC"}
FAMILIES = {
    "X1": "Quillfeather",
    "X2": "Brambleworth",
    "X3": "Thistlecroft",
    "Y1": "Wintergarth",
    "C1": "Oxendale",
}
FORETOLD = "XA"
"""The site of which forecasts were issued two days ago and now."""
OWNED = {"X1": "SW", "X2": "TH"}
"""Which team owns the barrier of the ward's patient."""
NEIGHBOURS = {"X3", "Y1"}
"""Wards whose patient is registered in the neighbourhood of the team NT."""
PRACTICE = "P90001"


def build() -> Area:
    load_codes(built_in())
    area = Area()
    board = Organisation.objects.create(code="QXX", name="Board", kind="icb")
    for code, (kind, _parent) in BODIES.items():
        area.bodies[code] = Organisation.objects.create(
            code=code, name=f"Body {code}", kind=kind, parent=board
        )
    area.bodies["CXX"] = Organisation.objects.create(
        code="CXX", name="Council", kind="council", parent=board
    )
    area.teams["TH"] = _team(area.bodies["RXX"], "TH", "therapy")
    area.teams["SW"] = _team(area.bodies["CXX"], "SW", "social_work")
    area.teams["NT"] = _team(area.bodies["RCC"], "NT", "neighbourhood")
    near = Neighbourhood.objects.create(slug="near", name="Near", team=area.teams["NT"])
    HomeArea.objects.create(neighbourhood=near, is_practice=True, code=PRACTICE)
    load_cohorts(built_in_cohorts())
    for code, body in SITES.items():
        kind = "community" if body == "RCC" else "acute"
        area.sites[code] = Site.objects.create(
            code=code, name=f"Site {code}", kind=kind, organisation=area.bodies[body]
        )
    by = User.objects.create(username="somebody")
    for number, (code, (site, kind)) in enumerate(WARDS.items()):
        ward = Ward.objects.create(
            site=area.sites[site], code=code, name=f"Ward {code}", kind=kind, specialty="medicine"
        )
        bay = Bay.objects.create(ward=ward, code="A")
        beds = [Bed.objects.create(ward=ward, bay=bay, label=label) for label in "12"]
        # Whoever lies there is somebody whose corridor care is signed off.
        Bed.objects.filter(pk=beds[0].pk).update(features=[Bed.Feature.CORRIDOR])
        area.wards[code], area.families[code] = ward, FAMILIES[code]
        practice = PRACTICE if code in NEIGHBOURS else "P80000"
        area.stays[code] = _admitted(
            number, FAMILIES[code], practice, Place(ward.pk, bay.pk, beds[0].pk)
        )
    said = Said(timezone.now() - timedelta(days=1), by)
    for code, stay in area.stays.items():
        review(episode=stay, found=Found(criteria=[], pathway=2), said=said)
        team = area.teams.get(OWNED.get(code, ""))
        reason = Code.objects.get(code_set__slug="delay-reasons-2024", slug="p3-capacity")
        area.barriers[code] = raise_barrier(
            episode=stay,
            reason=reason,
            said=said,
            team=team,
            organisation=team.organisation if team else stay.provider,
        )
        area.requests[code] = ask(
            episode=stay, ward=None, terms=Terms(note=f"For {FAMILIES[code]}"), said=said
        )
        say(episode=stay, needed=Needed(wanders=True), said=said)
    for days in (2, 0):
        foretell(area.sites[FORETOLD], at=timezone.now() - timedelta(days=days))
    area.referral = refer(
        episode=area.stays["X2"], kind="community", ward=area.wards["C1"], said=said
    )
    closed = page_of("ward", area.wards["X1"])
    _client, screen = hung(area.sites["XA"], "closed", closed)
    area.screen = screen.pk
    for code, stay in area.stays.items():
        team = area.teams.get(OWNED.get(code, ""))
        area.actions[code] = _agreed(area.wards[code], stay, FAMILIES[code], team, by)
    area.held = _meeting(area, timezone.now() - timedelta(days=1), by, ends=True)
    area.running = _meeting(area, timezone.now() + timedelta(minutes=10), by, ends=False)
    return area


def _agreed(ward: Ward, stay: Episode, family: str, team: Team | None, by: User) -> Action:
    """An action about the ward's patient, with the name typed into it."""
    now = timezone.now()
    return agree(
        site=ward.site,
        text=f"Ring the daughter of {family}",
        owner=Owner(team=team, name=f"A friend of {family}"),
        due_at=now + timedelta(hours=1),
        at=now,
        by=by,
        about=About(ward, stay),
    )


def _meeting(area: Area, starts: datetime, by: User, *, ends: bool) -> Huddle:
    """A meeting of the first site, every line with a name in it; run to its end, or running."""
    site, starts = area.sites["XA"], starts.replace(second=0, microsecond=0)
    local = timezone.localtime(starts)
    template = HuddleTemplate.objects.create(
        site=site,
        name=f"Huddle {starts:%d %H:%M}",
        times=[time(local.hour, local.minute)],
        agenda=["wards", "safety"],
    )
    template = HuddleTemplate.objects.select_related("site__organisation").get(pk=template.pk)
    for code, (where, _kind) in WARDS.items():
        if where == "XA":
            told = Line(concern=FAMILIES[code], harm=FAMILIES[code].lower(), hazard="")
            ward = area.wards[code]
            confirm(template=template, starts_at=starts, ward=ward, said=told, at=starts, by=by)
    board = board_of(template, starts, at=starts, viewer=None, scope=None)
    huddle = open_meeting(
        template=template, starts_at=starts, first=board.agenda.first, at=starts, by=by
    )
    if not ends:
        return huddle
    board = board_of(template, starts, at=starts, viewer=None, scope=None)
    return close_meeting(huddle=huddle, frozen=as_seen(board), at=starts, by=by)


def _team(body: Organisation, code: str, kind: str) -> Team:
    return Team.objects.create(organisation=body, code=code, name=f"Team {code}", kind=kind)


def _admitted(number: int, family: str, practice: str, place: Place) -> Episode:
    at = timezone.now() - AGO
    fact = Moved(
        key=f"admit {number}",
        sent_at=at,
        person=PersonKey("RXX", f"MRN{number}"),
        details=Details(
            {
                "family_name": family,
                "nhs_number": nhs_number(number + 1),
                "gp_practice": practice,
            }
        ),
        visit=VisitKey("RXX", f"V{number}"),
        kind=MovementKind.ADMITTED,
        occurred_at=at,
        admitted_at=at,
        place=place,
    )
    record([fact], source="feed", known_when_sent=True)
    return Episode.objects.get(visit__number=f"V{number}")
