"""Keeping scenarios under a name: the deeds.

They do what was asked or raise `Refused` and change nothing. Who may do it is for the caller to
say.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import pghistory
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.audit import deed
from accounts.models import User
from accounts.refusals import Refused
from flow.forecasts.scenario import BadScenario, Scenario, to_json
from flow.forecasts.supply_reading import bed_wards_of
from flow.forecasts.wording import fault_said
from flow.models import KeptScenario
from wards.models import Occupancy, Site

MOST: Final = 60
"""How many scenarios a site keeps: more are no longer read."""
LONGEST: Final = 80


@transaction.atomic
def keep(
    *,
    site: Site,
    name: str,
    scenario: Scenario,
    by: User,
    at: datetime,
    sees: frozenset[int] | None = None,
) -> KeptScenario:
    """Keep a scenario under a name that no other of the site has.

    sees: wards whose patients `by` may see, None for every one: nobody else can be named.
    """
    if not scenario:
        raise Refused(_("This scenario changes nothing. Change something first, then keep it."))
    _check_places(site, scenario, at, sees)
    # Of two who keep the last one that there is room for, the second is told.
    Site.objects.select_for_update().get(pk=site.pk)
    if KeptScenario.objects.filter(site=site).count() >= MOST:
        raise Refused(
            _("%(most)d scenarios are kept already. Remove one that is no longer needed.")
            % {"most": MOST}
        )
    with pghistory.context(**deed("keep_scenario", by)):
        return _written(
            KeptScenario(site=site, name=_sound(name), said=to_json(scenario), by=by, kept_at=at)
        )


@transaction.atomic
def rename(*, kept: KeptScenario, name: str, by: User) -> KeptScenario:
    """Give a kept scenario another name."""
    found = KeptScenario.objects.select_for_update().filter(pk=kept.pk).first()
    if found is None:
        # Saved as it was read, it would be there again.
        raise Refused(_("Somebody has removed this scenario; it is no longer kept."))
    found.name = _sound(name)
    with pghistory.context(**deed("rename_scenario", by)):
        return _written(found)


@transaction.atomic
def remove(*, kept: KeptScenario, by: User) -> None:
    """Keep a scenario no longer; what it was stays in its history."""
    with pghistory.context(**deed("remove_scenario", by)):
        kept.delete()


def _check_places(
    site: Site, scenario: Scenario, at: datetime, sees: frozenset[int] | None
) -> None:
    """Refuse a ward without beds of the site, and whoever is not on one of them."""
    wards = bed_wards_of(site)
    named = {patient for gone in scenario.gone for patient in gone.patients}
    here = wards if sees is None else [ward for ward in wards if ward in sees]
    there = Occupancy.objects.filter(episode__in=named, ward__in=here, period__contains=at)
    try:
        scenario.check_places(
            wards=wards, patients=set(there.values_list("episode", flat=True) if named else ())
        )
    except BadScenario as bad:
        raise Refused(fault_said(bad)) from None


def _sound(name: str) -> str:
    found = " ".join(name.replace("\0", "").split())
    if not found:
        raise Refused(_("Give the scenario a name."))
    if len(found) > LONGEST:
        raise Refused(_("Give a name of at most %(most)d characters.") % {"most": LONGEST})
    return found


def _written(kept: KeptScenario) -> KeptScenario:
    try:
        with transaction.atomic():
            kept.save()
    except IntegrityError:
        raise Refused(
            _("There is a scenario “%(name)s” already. Choose another name.") % {"name": kept.name}
        ) from None
    return kept
