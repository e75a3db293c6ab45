"""Notes for the next shift: written, said to be done, and read.

A note is never edited and never taken away: who finds it wrong writes another, and says that the
first is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pghistory
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.audit import deed
from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from flow.models import HandoverNote, HandoverNoteDone
from live.doorbell import ring
from wards.models import Site, Ward
from wards.scope import Scope


def may_write(scope: Scope, site: Site, ward: int | None) -> bool:
    """Whether somebody may write a note for this ward, or with None for the whole site, and say
    that it is done: they move patients there."""
    if ward is None:
        return scope.may_at_site(Permission.MOVE_PATIENTS, site.pk)
    return scope.may(Permission.MOVE_PATIENTS, ward)


def may_read(scope: Scope, note: HandoverNote) -> bool:
    """Whether somebody may read a note, which may say something of any patient it is about: they
    see the patients of its ward, or of the whole site where it is for all."""
    if note.ward_id is None:
        return scope.may_at_site(Permission.SEE_PATIENTS, note.site_id)
    return scope.may(Permission.SEE_PATIENTS, note.ward_id)


@transaction.atomic
def write(*, site: Site, ward: int | None, text: str, at: datetime, by: User) -> HandoverNote:
    """Leave a note at `site` for one ward, or with `ward` None for all of it.

    Raises Refused for a note that says nothing or too much, and for a ward of another site. The
    caller has checked that they may write it (`may_write`).
    """
    plain = " ".join(text.split())
    if not plain:
        raise Refused(_("Write what the next shift should know."))
    if len(plain) > HandoverNote.LONGEST:
        raise Refused(
            _("The note has %(n)s characters; shorten it to %(most)s.")
            % {"n": len(plain), "most": HandoverNote.LONGEST}
        )
    if ward is not None and not Ward.objects.filter(pk=ward, site=site).exists():
        raise Refused(_("That ward is not one of this site. Choose another."))
    with pghistory.context(**deed("write_handover_note", by)):
        note = HandoverNote.objects.create(
            site=site, ward_id=ward, text=plain, recorded_at=at, by=by
        )
    transaction.on_commit(_ring)
    return note


def finish(*, note: HandoverNote, at: datetime, by: User) -> HandoverNoteDone:
    """Say that what the note asked for is done. Raises Refused where somebody said so already."""
    try:
        with transaction.atomic(), pghistory.context(**deed("finish_handover_note", by)):
            done = HandoverNoteDone.objects.create(note=note, recorded_at=at, by=by)
            transaction.on_commit(_ring)
    except IntegrityError:
        raise Refused(_("Somebody has said already that it is done.")) from None
    return done


def _ring() -> None:
    ring(["handover"])


def notes_of(site: Site, *, since: datetime, at: datetime, scope: Scope) -> Sequence[HandoverNote]:
    """The notes of the site that the reader may read: those not done, and those done since then,
    the latest first; one query."""
    rows = (
        HandoverNote.objects.filter(site=site, recorded_at__lte=at)
        .filter(Q(done__isnull=True) | Q(done__recorded_at__gte=since))
        .select_related("by", "ward", "done__by")
        .order_by("-recorded_at", "-pk")
    )
    return [note for note in rows if may_read(scope, note)]
