"""What the header of every page offers, by what the viewer may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.roles import Permission
from patients.models import Neighbourhood
from wards.models import Site
from wards.scope import ALL, Scope, scope_of


@dataclass(frozen=True, slots=True)
class Item:
    """One entry: where it leads, whether the viewer is in that part (`current`) or on that very
    page (`here`), and what opens below it."""

    label: str
    address: str
    current: bool = False
    here: bool = False
    below: tuple[Item, ...] = ()


def address_of(name: str) -> str:
    """The address of a named page; empty where the part that has it is not installed."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


class Navigation:
    """The header's entries for one request; it asks the database only where it is drawn."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def _scope(self) -> Scope:
        return scope_of(self._request.user)

    @property
    def _signed_in(self) -> bool:
        return self._request.user.is_authenticated

    @cached_property
    def items(self) -> Sequence[Item]:
        """What the viewer may use, in the order of the header."""
        if not self._signed_in:
            return ()
        return tuple(
            item
            for item in (
                self._item(_("System"), "flow:system", Permission.SEE_COUNTS, exactly=True),
                self._sites(),
                self._desk(),
                self._leaving(),
                self._our_people(),
                self._huddles(),
                self._item(_("Our work"), "flow:work", Permission.OWN_STEPS),
                self._cleaning(),
                self._item(_("Feeds"), "interop:feeds", Permission.MANAGE_FEEDS),
                self._item(_("People"), "people:people", Permission.MANAGE_PEOPLE),
            )
            if item is not None
        )

    @cached_property
    def account(self) -> Sequence[Item]:
        """What a person can do about their own account."""
        named = ((_("Change password"), "accounts:change_password"),)
        return tuple(
            Item(str(label), address) for label, name in named if (address := address_of(name))
        )

    @property
    def zone(self) -> str:
        """The time zone in which every page speaks."""
        return timezone.get_current_timezone_name()

    @property
    def actions(self) -> str:
        """Where an action about something is agreed; empty for those who agree none anywhere."""
        agrees = (Permission.MOVE_PATIENTS, Permission.PLAN_DISCHARGE)
        if not self._signed_in or not any(self._scope.may_anywhere(one) for one in agrees):
            return ""
        return address_of("huddles:actions")

    @property
    def sign_out(self) -> str:
        """Where signing out is posted to."""
        return address_of("accounts:sign_out")

    @property
    def search(self) -> str:
        """Where a search is posted to; empty where there is nobody to search for, as for those
        who clean and see nothing else."""
        if not self._signed_in or self._only_cleans:
            return ""
        return address_of("flow:search")

    def _item(
        self, label: object, name: str, permission: Permission, *, exactly: bool = False
    ) -> Item | None:
        address = address_of(name)
        if not address or not self._scope.may_anywhere(permission):
            return None
        path = self._request.path
        here = path == address
        return Item(str(label), address, here or (not exactly and path.startswith(address)), here)

    @cached_property
    def _site_rows(self) -> list[tuple[int, str, str, str]]:
        """Key, code, name and kind of the sites of which the viewer may see at least one ward."""
        held = self._scope.sites_in_part(Permission.SEE_COUNTS)
        sites = Site.objects.exclude(kind=Site.Kind.UNRECOGNISED)
        if held != ALL:
            sites = sites.filter(pk__in=held)
        return list(sites.values_list("pk", "code", "name", "kind"))

    def _sites(self) -> Item | None:
        """These sites, and the rules by which their beds are given."""
        path = self._request.path
        below = []
        for _pk, code, name, _kind in self._site_rows:
            address = reverse("flow:site", args=[code])
            below.append(Item(name, address, path == address, path == address))
        if not below:
            return None
        rules = reverse("rules:rules")
        below.append(Item(str(_("Rules for giving beds")), rules, path == rules, path == rules))
        known = ("/sites/", "/wards/", "/rounds/", rules)
        elsewhere = _is_of_the_desk(path) or _is_of_huddles(path)
        current = path.startswith(known) and not elsewhere
        return Item(str(_("Sites")), below[0].address, current, below=tuple(below))

    @cached_property
    def _has_neighbourhood(self) -> bool:
        """Whether the viewer plays for the team of a neighbourhood and sees no ward; one query,
        for those alone who own steps and see no figures."""
        scope = self._scope
        if scope.may_anywhere(Permission.SEE_COUNTS):
            return False
        teams = scope.teams(Permission.OWN_STEPS)
        if not teams:
            return False
        looked_after = Neighbourhood.objects.all()
        return (looked_after if teams == ALL else looked_after.filter(team__in=teams)).exists()

    @property
    def _sees_cohorts(self) -> bool:
        return self._scope.may_anywhere(Permission.SEE_COUNTS) or self._has_neighbourhood

    def _our_people(self) -> Item | None:
        """Everybody of the viewer's neighbourhoods, for whom that is the place to begin."""
        address = address_of("cohorts:our_people")
        if not address or not self._has_neighbourhood:
            return None
        return Item(str(_("Our people")), address)

    def _desk(self) -> Item | None:
        """The desk of the first site where the viewer gives beds: a hospital before others."""
        held = self._scope.sites_in_part(Permission.MOVE_PATIENTS)
        theirs = [row for row in self._site_rows if held == ALL or row[0] in held]
        theirs.sort(key=lambda row: row[3] != Site.Kind.ACUTE)
        if not theirs:
            return None
        path = self._request.path
        address = reverse("desk:desk", args=[theirs[0][1]])
        current = _is_of_the_desk(path)
        return Item(str(_("Desk")), address, current, path == address)

    def _cleaning(self) -> Item | None:
        """The beds to clean, for those who are there for nothing else."""
        if self._scope.may_anywhere(Permission.SEE_COUNTS):
            return None
        return self._item(_("Cleaning"), "cleaning:beds", Permission.CLEAN_BEDS)

    @property
    def _only_cleans(self) -> bool:
        scope = self._scope
        others = (Permission.SEE_COUNTS, Permission.OWN_STEPS)
        cleans = scope.may_anywhere(Permission.CLEAN_BEDS)
        return cleans and not any(scope.may_anywhere(other) for other in others)

    def _below(self, offered: Sequence[tuple[object, str, bool]]) -> list[Item]:
        """The entries of a menu: label, name of the page, and whether it is the viewer's."""
        path = self._request.path
        return [
            Item(str(label), address, path.startswith(address), path == address)
            for label, name, is_theirs in offered
            if is_theirs and (address := address_of(name))
        ]

    def _leaving(self) -> Item | None:
        """What has to do with going on from hospital."""
        scope = self._scope
        plans = scope.may_anywhere(Permission.PLAN_DISCHARGE)
        answers = scope.may_anywhere(Permission.OWN_STEPS)
        bodies = scope.organisations(Permission.SEE_COUNTS)
        offered = (
            (_("Discharge hub"), "hub:hub", scope.may_anywhere(Permission.SEE_COUNTS)),
            (_("Cohorts"), "cohorts:list", self._sees_cohorts),
            (_("Places after hospital"), "referrals:list", plans or answers),
            (_("Returns"), "returns:list", bool(bodies)),
            (_("National peers"), "peers:peers", bool(bodies)),
        )
        below = self._below(offered)
        if not below:
            return None
        current = any(item.current for item in below)
        return Item(str(_("Leaving")), below[0].address, current, below=tuple(below))

    def _huddles(self) -> Item | None:
        """What is agreed in meetings, and what they look at."""
        scope = self._scope
        counts = scope.may_anywhere(Permission.SEE_COUNTS)
        offered = (
            (_("Huddles"), "huddles:huddles", counts),
            (_("Actions"), "huddles:actions", counts or scope.may_anywhere(Permission.OWN_STEPS)),
            (_("Escalation"), "escalation:system", counts),
            (_("Wall screens"), "screens:list", scope.may_anywhere(Permission.MANAGE_SCREENS)),
        )
        below = self._below(offered)
        if not below:
            return None
        current = _is_of_huddles(self._request.path) or any(item.current for item in below)
        if len(below) == 1:
            return below[0]
        return Item(str(_("Huddles")), below[0].address, current, below=tuple(below))


def _is_of_huddles(path: str) -> bool:
    """Whether an address belongs to the meetings of a site, or to its level of escalation."""
    return path.startswith("/sites/") and ("/huddles/" in path or path.endswith("/escalation/"))


def _is_of_the_desk(path: str) -> bool:
    """Whether an address belongs to the desk of a site, or to what is done there."""
    return "/desk/" in path or path.endswith("/handover/") or path.startswith("/requests/")


def navigation(request: HttpRequest) -> dict[str, Navigation]:
    """Context processor: `navigation` in every template."""
    return {"navigation": Navigation(request)}
