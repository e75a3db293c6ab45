"""Action cards: what is done at a level, by whom, and making actions of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Team, User
from accounts.refusals import Refused
from huddles.actions.agreeing import agree
from huddles.escalation.owners import Doer, doers
from huddles.models import Action, ActionCard, CardTaken, OpelDeclaration
from huddles.opel.rule_set import LEVELS
from live.doorbell import ring
from wards.models import Site

SOURCE: Final = "opel_card"
"""Of actions that were made of cards."""


@dataclass(frozen=True, slots=True)
class Card:
    """A card as the board shows it. doer: whom it means here. taken: under the declaration in
    force."""

    row: ActionCard
    who: str
    doer: Doer
    taken: CardTaken | None


def cards_of(site: Site, level: int | None, declaration: OpelDeclaration | None) -> Sequence[Card]:
    """The cards of a level at a site, by role as they stand; a fixed number of queries."""
    found = ActionCard.objects.filter(
        Q(site=site) | Q(site=None), level=level or 0, is_withdrawn=False
    ).select_related("team")
    taken = {
        one.card_id: one
        for one in CardTaken.objects.filter(declaration=declaration).select_related(
            "action__by", "action__owner", "action__team"
        )
    }
    rows = list(found.order_by("position", "pk"))
    means = doers(rows, site)
    cards = [Card(row, who_of(row), means[row.pk], taken.get(row.pk)) for row in rows]
    order = {who: place for place, who in reversed([*enumerate(one.who for one in cards)])}
    return sorted(cards, key=lambda one: order[one.who])


def who_of(card: ActionCard) -> str:
    """Who does it."""
    return card.role or str(card.team)


@transaction.atomic
def take(
    *,
    site: Site,
    cards: Collection[int],
    declaration: int,
    at: datetime,
    by: User,
    who: Mapping[str, int] = MappingProxyType({}),
) -> list[Action]:
    """Make actions of cards (their keys) under the declaration in force; those taken already are
    left. `who`: by role whom of several who hold it the cards are for (the key).

    Raises Refused where another level holds by now, a card is not of this one, or several hold its
    role and none of them was chosen.
    """
    latest = OpelDeclaration.objects.filter(site=site).order_by("-at").first()
    if latest is None or latest.pk != declaration:
        raise Refused(_("Another level has been declared meanwhile. Look at its cards."))
    rows = ActionCard.objects.select_for_update(of=("self",)).filter(
        Q(site=site) | Q(site=None), pk__in=list(cards), level=latest.level, is_withdrawn=False
    )
    found = list(rows.select_related("team").order_by("pk"))
    if len(found) < len(set(cards)):
        raise Refused(_("That card is not of the level in force. Look at the cards again."))
    taken = set(CardTaken.objects.filter(declaration=latest).values_list("card", flat=True))
    means = doers(found, site)
    made = []
    for card in found:
        if card.pk in taken:
            continue
        owner = means[card.pk].owner(who.get(card.role))
        if owner is None:
            raise Refused(
                _("Several people are %(role)s here. Choose who does it: %(text)s.")
                % {"role": card.role, "text": card.text}
            )
        action = agree(
            site=site,
            text=card.text,
            owner=owner,
            due_at=at + timedelta(minutes=card.minutes),
            at=at,
            by=by,
            source=SOURCE,
            key=f"{latest.pk}-{card.pk}",
        )
        CardTaken.objects.create(card=card, declaration=latest, action=action)
        made.append(action)
    if made:
        transaction.on_commit(lambda: ring(["escalation", f"escalation:{site.pk}"]))
    return made


@transaction.atomic
def load(said: Sequence[Any], *, site: Site | None) -> tuple[int, int]:
    """Keep the cards of a file: `level`, `who` (or `organisation` and `team`), `text` and
    `minutes` of each. Those no longer in it are withdrawn. How many were new, and withdrawn.

    Raises Refused, with what is wrong with which card.
    """
    rows = ActionCard.objects.filter(site=site)
    known = {(row.level, row.role, row.team_id, row.text): row for row in rows}
    new, kept = 0, set()
    for place, one in enumerate(said):
        card = _read(one, place)
        key = (card.level, card.role, card.team_id, card.text)
        row = known.get(key)
        if row is None:
            card.site = site
            card.save()
            row, new = card, new + 1
        kept.add(row.pk)
        ActionCard.objects.filter(pk=row.pk).update(
            position=place, minutes=card.minutes, is_withdrawn=False
        )
    gone = rows.filter(is_withdrawn=False).exclude(pk__in=kept).update(is_withdrawn=True)
    transaction.on_commit(lambda: ring(["escalation"]))
    return new, gone


def _read(one: Any, place: int) -> ActionCard:
    where = _("Card %(number)d: ") % {"number": place + 1}
    if not isinstance(one, dict):
        raise Refused(where + _("it has a level, who, text and minutes."))
    team = None
    if one.get("team"):
        team = Team.objects.filter(
            organisation__code=str(one.get("organisation", "")), code=str(one["team"])
        ).first()
        if team is None:
            raise Refused(where + _("there is no such team."))
    text, who = str(one.get("text", "")).strip(), str(one.get("who", "")).strip()
    level, minutes = one.get("level"), one.get("minutes")
    if level not in LEVELS:
        raise Refused(where + _("its level is 1, 2, 3 or 4."))
    if not text or len(text) > ActionCard.LONGEST:
        raise Refused(where + _("its text has 1 to %(most)d characters.")
                      % {"most": ActionCard.LONGEST})  # fmt: skip
    if not isinstance(minutes, int) or not 1 <= minutes <= 7 * 24 * 60:
        raise Refused(where + _("its minutes are 1 to 10080."))
    if (not who and team is None) or len(who) > 100:
        raise Refused(where + _("say who does it, in at most 100 characters."))
    return ActionCard(level=level, role=who, team=team, text=text, minutes=minutes)
