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
from flow.forecasts.scenario import Scenario, to_json
from flow.models import KeptScenario
from wards.models import Site

MOST: Final = 60
"""How many scenarios a site keeps: more are no longer read."""
LONGEST: Final = 80


@transaction.atomic
def keep(*, site: Site, name: str, scenario: Scenario, by: User, at: datetime) -> KeptScenario:
    """Keep a scenario under a name that no other of the site has."""
    if not scenario:
        raise Refused(_("This scenario changes nothing. Change something first, then keep it."))
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
    kept.name = _sound(name)
    with pghistory.context(**deed("rename_scenario", by)):
        return _written(kept)


@transaction.atomic
def remove(*, kept: KeptScenario, by: User) -> None:
    """Keep a scenario no longer; what it was stays in its history."""
    with pghistory.context(**deed("remove_scenario", by)):
        kept.delete()


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
