"""Describing cohorts by hand: the deeds.

A cohort is never deleted, since its days are kept; it is withdrawn. They do what was asked or
raise `Refused` and change nothing. Who may do it is for the caller to say.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pghistory
from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.audit import deed
from accounts.models import Organisation, User
from accounts.refusals import Refused
from live.doorbell import ring
from patients.cohorts import TAKEN, Who, mistakes
from patients.models import Cohort

_MOST_ALIKE = 50
"""How many cohorts may have slugs that differ by a number alone."""


def state_of(cohort: Cohort) -> str:
    """Equal while nobody describes the cohort anew: given to a form, so that of two people who
    change it at once the second is told."""
    said = [
        cohort.title,
        cohort.about,
        cohort.source,
        cohort.who,
        cohort.is_withdrawn,
        cohort.organisation_id,
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


@transaction.atomic
def describe(
    *,
    title: str,
    about: str,
    source: str,
    who: Who,
    organisation: Organisation,
    by: User,
    cohort: Cohort | None = None,
    seen: str = "",
    scale_of: Cohort | None = None,
) -> Cohort:
    """Describe a cohort anew, or a new one where `cohort` is None; the cohort as it stands.

    seen: its `state_of` when the writer began, needed where a cohort is described anew. scale_of:
    whose bands of risk a new one takes over; one that is described anew keeps its own. Raises
    Refused for criteria that are not sound, without words, and where somebody else changed it
    since.
    """
    if wrong := mistakes(who):
        raise Refused(" ".join(wrong))
    if not title.strip() or not source.strip():
        raise Refused(_("Give a title, and say where the description comes from."))
    words = {
        "title": title.strip(),
        "about": about.strip(),
        "source": source.strip(),
        "who": dict(who),
        "organisation": organisation,
        "is_withdrawn": False,
        "by": by,
    }
    with pghistory.context(**deed("describe_cohort", by)):
        kept = _new(words, scale_of) if cohort is None else _anew(cohort, words, seen)
    transaction.on_commit(lambda: ring(["hub"]))
    return kept


def _anew(cohort: Cohort, words: dict[str, Any], seen: str) -> Cohort:
    stands = Cohort.objects.select_for_update().get(pk=cohort.pk)
    if stands.by_id is None:
        raise Refused(_("This cohort comes from a file. Copy it and change the copy."))
    if seen != state_of(stands):
        raise Refused(
            _(
                "Somebody else changed this cohort while you wrote. Look at it as it stands now, "
                "then keep yours again if you still want to."
            )
        )
    for name, value in words.items():
        setattr(stands, name, value)
    stands.save(update_fields=list(words))
    return stands


def _new(words: dict[str, Any], scale_of: Cohort | None) -> Cohort:
    scale = (
        {
            "scale_source": scale_of.scale_source,
            "drivers": scale_of.drivers,
            "bands": scale_of.bands,
        }
        if scale_of
        else {}
    )
    last = Cohort.objects.order_by("-position").values_list("position", flat=True).first()
    begin = slugify(words["title"])[:50].strip("-") or "cohort"
    for number in range(1, _MOST_ALIKE):
        slug = begin if number == 1 else f"{begin}-{number}"
        if slug in TAKEN:
            continue
        try:
            with transaction.atomic():
                return Cohort.objects.create(
                    slug=slug, position=0 if last is None else last + 1, **words, **scale
                )
        except IntegrityError:
            if not Cohort.objects.filter(slug=slug).exists():
                raise
    raise Refused(_("Many cohorts have this title. Choose another one."))


@transaction.atomic
def withdraw(*, cohort: Cohort, by: User) -> None:
    """Follow a cohort no longer: it leaves the list and is not counted; its days are kept.

    Raises Refused for a cohort from a file, which would come back with the file.
    """
    stands = Cohort.objects.select_for_update().get(pk=cohort.pk)
    if stands.by_id is None:
        raise Refused(_("This cohort comes from a file and is withdrawn by whoever loads it."))
    with pghistory.context(**deed("withdraw_cohort", by)):
        stands.is_withdrawn = True
        stands.save(update_fields=["is_withdrawn"])
    transaction.on_commit(lambda: ring(["hub"]))
