"""Screens that hang already, and the browsers in them."""

from __future__ import annotations

import re
from itertools import count

from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from huddles.models import Screen
from huddles.screens.pairing import Look, Page, ask, pair
from huddles.screens.recognising import COOKIE, new_secret
from tests.screens.hospital import user
from wards.models import Site, Ward
from wards.scope import scope_of

_numbers = count(1)
ZONES = ("public", "staff", "closed")


def looker(site: Site | None = None) -> User:
    """Who looks after the screens of a site, or of all."""
    where: dict[str, object] = {"everywhere": True} if site is None else {"site": site}
    return user(f"looker {next(_numbers)}", Role.SITE_MANAGER, **where)


def page_of(layout: str, ward: Ward | None = None, seconds: int = 30) -> Page:
    return Page(layout, ward, seconds)


def hung(
    site: Site, zone: str, *pages: Page, by: User | None = None, theme: str = "light"
) -> tuple[Client, Screen]:
    """A screen that is paired, and its browser."""
    secret, by, now = new_secret(), by or looker(), timezone.now()
    code = ask(secret=secret, at=now)
    screen = pair(
        code=code,
        site=site,
        zone=zone,
        look=Look(f"Screen {next(_numbers)}", theme=theme),
        pages=pages or (page_of("site"),),
        scope=scope_of(by),
        at=now,
        by=by,
    )
    return carrying(secret), screen


def carrying(secret: str) -> Client:
    """A browser that carries a secret."""
    client = Client()
    client.cookies[COOKIE] = secret
    return client


def lounge_of(site: Site) -> Ward:
    """A discharge lounge of the site."""
    kind = Ward.Kind.DISCHARGE_LOUNGE
    return Ward.objects.create(site=site, code="DL", name="Lounge", kind=kind, position=8)


def every_page(ward: Ward, lounge: Ward) -> list[Page]:
    """A playlist of every layout."""
    whole = [page_of(layout) for layout in ("system", "site", "huddle", "cleaning")]
    return [*whole, page_of("ward", ward), page_of("lounge", lounge)]


def shown(client: Client, number: int = 1, status: int = 200) -> str:
    """What the screen shows on a page of its playlist."""
    answer = client.get(f"/screen/pages/{number}/")
    assert answer.status_code == status, answer.content
    return answer.content.decode()


def words(page: str) -> str:
    """The words of a page without its markup."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def figures(page: str) -> dict[str, str]:
    """The figures of a wall by what they count."""
    found = re.findall(r"<dt>([^<]*)</dt><dd data-fact=\"([^\"]*)\"", page)
    return {label: text.replace("&lt;", "<") for label, text in found}
