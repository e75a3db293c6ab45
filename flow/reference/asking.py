"""What somebody asks to be compared: read from the address, so that a view can be sent on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from django.http import QueryDict
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from flow.reference.peers import COMPARISONS, THEIR_DAYS, Available, Comparison

PEERS: Final = 12
MOST: Final = 40
EVERY: Final = "all"
_CODE: Final = re.compile(r"[A-Za-z0-9]{2,10}")


@dataclass(slots=True)
class Wish:
    """What is compared with whom. number: peers by size, 0 for every trust. codes: by hand.
    errors: what could not be read, by the name of the field; typed: as it was typed."""

    comparison: Comparison
    share: bool
    number: int
    codes: tuple[str, ...]
    first: date
    last: date
    errors: dict[str, str] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)

    @property
    def by_hand(self) -> bool:
        """Whether the peers were named."""
        return bool(self.codes)


def wish(query: QueryDict, known: Mapping[str, Available]) -> Wish | None:
    """What is asked for; None where nothing is published that we count alike."""
    there = [one for one in COMPARISONS if one.part in known]
    if not there:
        return None
    errors: dict[str, str] = {}
    typed = {
        name: query.get(name, "").replace("\0", "")[:400].strip()
        for name in ("measure", "show", "peers", "body", "from", "to")
    }
    if len(query.getlist("body")) > 1:
        typed["body"] = " ".join(query.getlist("body")).replace("\0", "")[:400]
    chosen = next((one for one in there if one.slug == typed["measure"]), None)
    if typed["measure"] and chosen is None:
        errors["measure"] = _("There are no national figures of this; choose one of the list.")
    comparison = chosen or there[0]
    first, last = _days(typed, known[comparison.part], errors)
    return Wish(
        comparison=comparison,
        share=typed["show"] != "count",
        number=_number(typed["peers"], errors),
        codes=_codes(typed["body"], errors),
        first=first,
        last=last,
        errors=errors,
        typed=typed,
    )


def _number(text: str, errors: dict[str, str]) -> int:
    if not text:
        return PEERS
    if text == EVERY:
        return 0
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= MOST:
        errors["peers"] = _("Give a number from 1 to %d, or “all”.") % MOST
        return PEERS
    return int(text)


def _codes(text: str, errors: dict[str, str]) -> tuple[str, ...]:
    words = [word.upper() for word in re.split(r"[\s,;]+", text) if word]
    wrong = [word for word in words if not _CODE.fullmatch(word)]
    if wrong:
        errors["body"] = _("“%s” is no ODS or ONS code.") % wrong[0][:40]
        return ()
    if len(words) > MOST:
        errors["body"] = _("Name at most %d.") % MOST
        return ()
    return tuple(dict.fromkeys(words))


def _days(typed: Mapping[str, str], there: Available, errors: dict[str, str]) -> tuple[date, date]:
    last = _day("to", typed, there, errors) or there.last
    first = _day("from", typed, there, errors)
    if first is None:
        first = max(there.first, last - timedelta(days=THEIR_DAYS - 1))
    if first > last:
        errors["from"] = _("This is after the last day.")
        first = max(there.first, last - timedelta(days=THEIR_DAYS - 1))
    return first, last


def _day(
    name: str, typed: Mapping[str, str], there: Available, errors: dict[str, str]
) -> date | None:
    text = typed[name]
    if not text:
        return None
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if found is None:
        errors[name] = _("This is no day; give one such as %s.") % there.last.isoformat()
    elif not there.first <= found <= there.last:
        errors[name] = _("Figures are there from %(first)s to %(last)s.") % {
            "first": f"{there.first:%-d %B %Y}",
            "last": f"{there.last:%-d %B %Y}",
        }
        return None
    return found
