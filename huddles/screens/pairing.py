"""A screen shows a code, a manager types it in: the deeds of pairing.

A browser that waits carries its secret from the start; the secret opens nothing until the code
beside it has been typed by somebody who may. So nothing has to be handed over afterwards, and no
answer that gets lost on its way can leave a screen half paired.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import pghistory
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.access import access_changed
from accounts.audit import deed
from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from huddles.models import Pairing, Screen, ScreenPage
from huddles.models.screens import EVERY
from huddles.screens.recognising import digest_of
from live.doorbell import ring
from wards.models import Site, Ward
from wards.scope import Scope

LETTERS: Final = "CDFGHJKMNPQRTVWXY34679"
"""What codes are made of: nothing that reads like something else, and no vowels, so no words."""

LENGTH: Final = 6
LIFE: Final = timedelta(minutes=10)
MOST_WAITING: Final = 1000
MOST_PAGES: Final = 8

Layout = ScreenPage.Layout


@dataclass(frozen=True, slots=True)
class Page:
    """One page that a screen is to show. ward: where the layout shows one."""

    layout: str
    ward: Ward | None
    seconds: int


@dataclass(frozen=True, slots=True)
class Look:
    """How a screen is called and looks. theme: a `Screen.Theme` value; the hours are London's."""

    name: str
    theme: str = Screen.Theme.BY_HOUR
    dark_from: int = 20
    dark_until: int = 7


def plain_code(typed: str) -> str:
    """A code as it is kept, of what somebody typed: no spaces or hyphens, capitals."""
    return "".join(typed.split()).replace("-", "").upper()


def waiting_code(*, secret: str, at: datetime) -> str | None:
    """The code of the browser that carries `secret`, while it still counts."""
    waits = Pairing.objects.filter(digest=digest_of(secret), asked_at__gt=at - LIFE).first()
    return waits.code if waits else None


@transaction.atomic
def ask(*, secret: str, at: datetime) -> str:
    """A new code for a browser that carries `secret`. Raises Refused while too many wait."""
    Pairing.objects.filter(asked_at__lte=at - LIFE).delete()
    if Pairing.objects.count() >= MOST_WAITING:
        raise Refused(_("Too many screens wait to be paired. Try again in a few minutes."))
    while True:
        code = "".join(secrets.choice(LETTERS) for _number in range(LENGTH))
        try:
            with transaction.atomic():
                Pairing.objects.create(code=code, digest=digest_of(secret), asked_at=at)
        except IntegrityError:
            continue  # somebody else drew this code
        return code


@transaction.atomic
def pair(
    *,
    code: str,
    site: Site,
    zone: str,
    look: Look,
    pages: Sequence[Page],
    scope: Scope,
    at: datetime,
    by: User,
) -> Screen:
    """Bind the browser that shows `code` to the site and the zone, from now on.

    Raises Refused where nobody waits with this code (any more), the name is taken at the site,
    or a page does not fit the site or what `by` may see.
    """
    _check(site, zone, look, pages, scope)
    waits = (
        Pairing.objects.select_for_update()
        .filter(code=plain_code(code), asked_at__gt=at - LIFE)
        .first()
    )
    if waits is None:
        raise Refused(
            _("No screen waits with this code. Codes change every 10 minutes and count once.")
        )
    _free_name(site, look.name)
    with pghistory.context(**deed("pair_screen", by)):
        screen = Screen.objects.create(
            site=site,
            name=look.name,
            zone=zone,
            theme=look.theme,
            dark_from=look.dark_from,
            dark_until=look.dark_until,
            digest=waits.digest,
            paired_at=at,
            paired_by=by,
        )
        _keep(screen, pages)
        waits.delete()
    return screen


@transaction.atomic
def change(*, screen: Screen, look: Look, pages: Sequence[Page], scope: Scope, by: User) -> Screen:
    """Call it, and let it show, something else. Raises Refused as `pair`, or once it is revoked.
    The whole system may stay on it where it stands already, whoever changes the rest."""
    stands = screen.pages.filter(layout=Layout.SYSTEM).exists()
    _check(screen.site, screen.zone, look, pages, scope, system=stands)
    found = Screen.objects.select_for_update().get(pk=screen.pk)
    if found.revoked_at is not None:
        raise Refused(_("This screen has been revoked. Pair it anew."))
    _free_name(screen.site, look.name, but=found.pk)
    with pghistory.context(**deed("change_screen", by)):
        found.name, found.theme = look.name, look.theme
        found.dark_from, found.dark_until = look.dark_from, look.dark_until
        found.edition += 1
        found.save()
        found.pages.all().delete()
        _keep(found, pages)
    _tell(found)
    return found


@transaction.atomic
def revoke(*, screen: Screen, at: datetime, by: User) -> None:
    """Take its secret back: it shows nothing from now on. Twice is once."""
    found = Screen.objects.select_for_update().get(pk=screen.pk)
    if found.revoked_at is None:
        with pghistory.context(**deed("revoke_screen", by)):
            found.revoked_at, found.revoked_by = max(at, found.paired_at), by
            found.save()
    _tell(found)


def _tell(screen: Screen) -> None:
    """Let every process forget the screen, then tell its browser to look."""
    board = screen.board
    access_changed()
    transaction.on_commit(lambda: ring([board]))


def _keep(screen: Screen, pages: Sequence[Page]) -> None:
    for position, page in enumerate(pages, start=1):
        ScreenPage.objects.create(
            screen=screen,
            position=position,
            layout=page.layout,
            ward=page.ward,
            seconds=page.seconds,
        )


def _free_name(site: Site, name: str, *, but: int | None = None) -> None:
    # One at a time for a site, so that two who choose one name hear of it in words.
    Site.objects.select_for_update(no_key=True).get(pk=site.pk)
    taken = Screen.objects.filter(site=site, name=name, revoked_at=None).exclude(pk=but or 0)
    if taken.exists():
        raise Refused(_("Another screen of this site is called that. Give it a name of its own."))


def _check(
    site: Site, zone: str, look: Look, pages: Sequence[Page], scope: Scope, *, system: bool = False
) -> None:
    if not scope.may_at_site(Permission.MANAGE_SCREENS, site.pk):
        raise Refused(_("You do not look after the screens of this site."))
    if not look.name or len(look.name) > Screen.LONGEST:
        raise Refused(_("Give it a name by which people find it, such as “Ward 3, corridor”."))
    if not 0 < len(pages) <= MOST_PAGES:
        raise Refused(_("Choose one to %(most)d pages to show.") % {"most": MOST_PAGES})
    if zone == Screen.Zone.CLOSED and not scope.may_at_site(Permission.SEE_PATIENTS, site.pk):
        raise Refused(_("A screen in a closed room is paired by somebody who sees its patients."))
    for page in pages:
        _check_page(site, page, may_show_system=system or sees_system(scope))


def sees_system(scope: Scope) -> bool:
    """Whether somebody sees the figures of every site."""
    return scope.may_everywhere(Permission.SEE_COUNTS)


def _check_page(site: Site, page: Page, *, may_show_system: bool) -> None:
    """Whether the page fits the site and what the viewer may see."""
    if not EVERY[0] <= page.seconds <= EVERY[1]:
        raise Refused(
            _("A page stays for %(least)d to %(most)d seconds.")
            % {"least": EVERY[0], "most": EVERY[1]}
        )
    if page.layout == Layout.SYSTEM and not may_show_system:
        raise Refused(_("The whole system is shown on a screen by somebody who sees all of it."))
    if page.layout not in (Layout.WARD, Layout.LOUNGE):
        if page.layout not in Layout.values or page.ward is not None:
            raise Refused(_("There is no such page."))
        return
    if page.ward is None or page.ward.site_id != site.pk:
        raise Refused(_("Choose a ward of this site."))
    if (page.ward.kind == Ward.Kind.DISCHARGE_LOUNGE) != (page.layout == Layout.LOUNGE):
        raise Refused(_("There is no such page."))
