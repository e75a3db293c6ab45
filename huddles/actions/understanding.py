"""Whom and what the words of a line mean at a site: its people, teams, beds and who is in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.refusals import Refused
from huddles.actions.one_line import LONGEST, Line, read
from huddles.actions.owners import Owner as Owner
from huddles.actions.owners import known
from huddles.actions.owners import owner_named as owner_named
from huddles.actions.when import Unclear, Why
from wards.models import Bed, Occupancy, Site, Ward

_FEW: Final = 4
"""So many wards are named where a bed is on several."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a line was understood to say.

    episode: key of the stay of whoever is in the bed named. beds: the labels said. doubts: what
    could not be told, in words for whoever typed it; what is in doubt is left out, never guessed.
    unclear: why there is no time though one seems to be said. kept: the time stays in the text too,
    which would say something else without it.
    """

    text: str
    owner: Owner
    due_at: datetime | None
    ward: Ward | None = None
    bed: Bed | None = None
    episode: int | None = None
    doubts: tuple[str, ...] = ()
    beds: tuple[str, ...] = ()
    unclear: str = ""
    kept: bool = False


def understood(line: str, *, site: Site, at: datetime, ward: Ward | None = None) -> Draft:
    """What `line` says at a site; `ward`: the one that is spoken of, whose beds are meant where no
    other is named. However much there is, a fixed number of queries at most. Raises Refused for a
    line that is too long to be one."""
    if len(line) > LONGEST:
        told = _("That has %(n)s characters; say it in %(most)s.")
        raise Refused(told % {"n": len(line), "most": LONGEST})
    said = read(line, now=timezone.localtime(at))
    text, owner, doubts = _owner(said, site)
    named, wrong = _ward_named(said, site)
    where = named or (None if wrong else ward)
    doubts += wrong
    bed = None
    if len(said.beds) > 1:
        told = _("More than one bed is named (%(beds)s); none is linked.")
        doubts += (told % {"beds": ", ".join(said.beds)},)
    elif said.beds and not wrong:
        beds = _beds(said.beds[0], site, where)
        bed = beds[0] if len(beds) == 1 else None
        if bed is None:
            doubts += (_no_bed(said.beds[0], beds, where),)
        elif named is None and _is_elsewhere(said, bed.ward):
            told = _("Bed %(label)s may be another ward's than %(ward)s's; none is linked.")
            doubts += (told % {"label": said.beds[0], "ward": bed.ward.name},)
            bed = None
    episode = None
    if bed is not None:
        inside = Occupancy.objects.filter(bed=bed, period__contains=at)
        episode = inside.values_list("episode_id", flat=True).first()
    doubts += tuple(
        _("“%(words)s” stays in the words; it is not the time.") % {"words": one}
        for one in said.left
    )
    return Draft(
        text=text,
        owner=owner,
        due_at=said.due_at,
        ward=bed.ward if bed is not None else where,
        bed=bed,
        episode=episode,
        doubts=doubts,
        beds=said.beds,
        unclear=_why(said.unclear) if said.unclear else "",
        kept=said.kept,
    )


def _why(unclear: Unclear) -> str:
    told = {
        Why.NO_HOUR: _("Say the hour with the day: “%(words)s at 10:00”."),
        Why.APART: _(
            "Say day and hour together, such as “by 11 today” or “by 9 on Friday”: “%(words)s” "
            "stands apart."
        ),
        Why.TWO_WAYS: _(
            "“%(words)s” can be read in more than one way. Say it as “by 17:00 tomorrow”, or with "
            "the date, “by 17:00 on 25 Nov”."
        ),
        Why.OVER: _("“%(words)s” is over. Give a later time."),
        Why.UNREAD: _("“%(words)s” was not understood as a time. Say “by 11” or “by 14:30”."),
    }
    return told[unclear.why] % {"words": unclear.words}


def _owner(said: Line, site: Site) -> tuple[str, Owner, tuple[str, ...]]:
    """What is to be done, who was named at the end or the beginning of it, with the team of
    "therapy to …"; alone, the latter does it."""
    text, named, doubts = _by_name(said, site)
    if said.doer:
        by_sentence, _several = known(said.doer, site, whole=True)
        if named and named.team is None:
            named = replace(named, team=by_sentence.team)
        elif not named and by_sentence:
            named = by_sentence
        elif not named and _is_a_name(said.doer):
            named, doubts = owner_named(said.doer, site)
    return text, named, doubts


def _by_name(said: Line, site: Site) -> tuple[str, Owner, tuple[str, ...]]:
    """The owner at the end of a line, or before its first comma, and the text without them."""
    if not said.owner:
        first = known(said.first, site)[0] if said.first else Owner()
        return (_after_first(said), first, ()) if first else (said.text, first, ())
    last, _several = known(said.owner, site)
    before, comma, name = said.text.rpartition(",")
    if last and comma:
        # "…, Sam, Therapies": both.
        other, _several = known(name, site)
        if other and bool(other.user) != bool(last.user):
            return before.strip(" ,"), Owner(last.user or other.user, last.team or other.team), ()
    if last or not said.first:
        return said.text, *((last, ()) if last else owner_named(said.owner, site))
    first, _several = known(said.first, site)
    if first:
        return _after_first(said), first, ()
    return said.text, *owner_named(said.owner, site)


def _after_first(said: Line) -> str:
    """What is to be done where the owner stands before the first comma."""
    return " ".join(said.said.partition(",")[2].split()).strip(" ,;.")


def _is_a_name(words: str) -> bool:
    """Whether "Sam to …" begins with somebody's name and not with what is to be done."""
    parts = words.split()
    return len(parts) <= 2 and all(re.fullmatch(r"[A-Z][\w'.-]*", part) for part in parts)


def _ward_named(said: Line, site: Site) -> tuple[Ward | None, tuple[str, ...]]:
    """The ward that a line names: "ward 7", or by its name, code or short name beside the bed."""
    if said.either_ward:
        return None, (_("More than one ward is named; none is linked."),)
    if not said.ward and not said.beds:
        return None, ()
    rows = list(Ward.objects.filter(site=site).select_related("same_as"))
    called: dict[str, set[Ward]] = {}
    for row in rows:
        real = row.same_as or row
        if row.kind == Ward.Kind.UNRECOGNISED and row.same_as is None:
            continue
        for form in _forms(row):
            called.setdefault(form, set()).add(real)
    if said.ward:
        word = said.ward.lower()
        found = called.get(f"ward {word}") or called.get(word) or called.get(f"w{word}") or set()
        if len(found) == 1:
            return next(iter(found)), ()
        if found or any(char.isdigit() for char in word):
            told = _("More than one ward is called %(ward)s.") if found else _(
                "There is no ward %(ward)s here."
            )  # fmt: skip
            return None, (told % {"ward": said.ward},)
    found = _beside(said, called)
    if len(found) > 1:
        names = ", ".join(sorted(one.name for one in found))
        return None, (_("More than one ward can be meant (%(wards)s).") % {"wards": names},)
    return next(iter(found), None), ()


def _is_elsewhere(said: Line, ward: Ward) -> bool:
    """Whether the line names the ward away from the bed: "bed 4 to ward 8" is no bed of ward 8."""
    forms = {form for one in (ward, *ward.also_known_as.all()) for form in _forms(one)}
    for word in said.elsewhere:
        if {f"ward {word.lower()}", f"w{word.lower()}", word.lower()} & forms:
            return True
    words = said.text.lower()
    return any(
        re.search(rf"\b(?:to|with|onto|into)\s+(?:the\s+)?{re.escape(form)}(?![\w-])", words)
        or re.match(rf"{re.escape(form)}\s+to\s+(?:take|accept|receive|have)\b", words)
        for form in forms
    )


def _beside(said: Line, called: dict[str, set[Ward]]) -> set[Ward]:
    """The wards of the longest name that stands just before or after the bed."""
    before = said.before.lower().rstrip(" ,:'")
    before = re.sub(r"(?:'s|,|\bward)$", "", before).rstrip(" ,")
    after = re.sub(r"^[\s,]*(?:(?:on|in|of|at)\s+)?(?:the\s+)?", "", said.after.lower())
    best: tuple[int, set[Ward]] = (0, set())
    for form, wards in called.items():
        stands = re.search(rf"(?:^|[^\w-]){re.escape(form)}$", before) or re.match(
            rf"{re.escape(form)}(?![\w-])", after
        )
        if stands and len(form) > best[0]:
            best = (len(form), wards)
    return best[1]


def _forms(ward: Ward) -> Iterable[str]:
    """What people call a ward: its name, the name without "ward", its code, the end of it, and the
    first letters of a name of three words or more."""
    name, code = ward.name.lower(), ward.code.lower()
    bare = re.sub(r"^ward\s+|\s+ward$", "", name)
    words = [word for word in re.findall(r"[a-z]+", name) if word not in ("and", "of", "the")]
    short = "".join(word[0] for word in words) if len(words) > 2 else ""
    # A number alone is no name of a ward beside a bed; after the word "ward" it is.
    end = code.rpartition("-")[2]
    forms = {name, bare, code, end, short, f"ward {bare}", f"ward {end}"}
    return {form for form in forms if len(form) > 1 and not form.isdigit()}


def _beds(label: str, site: Site, ward: Ward | None) -> list[Bed]:
    """The beds of that label on the ward spoken of or, where none is, at the site."""
    fits = Q(label__iexact=label)
    if label.isdigit():
        # "bed 12" is the bed that people call so, be its label 12, B12 or W7-12; never 112.
        number = str(int(label))
        fits |= Q(label__iregex=rf"^([A-Za-z]+|[A-Za-z]*[0-9]+[-/ ][A-Za-z]*)?[- ]?0*{number}$")
    rows = Bed.objects.filter(fits, ward__site=site, same_as=None, ward__same_as=None)
    if ward is not None:
        rows = rows.filter(ward=ward)
    found = list(rows.select_related("ward", "bay").order_by("ward__position", "position"))
    exact = [bed for bed in found if bed.label.lower() == label.lower()]
    return exact or found


def _no_bed(label: str, beds: Sequence[Bed], ward: Ward | None) -> str:
    if not beds:
        if ward is not None:
            said = _("No bed %(label)s was found on %(ward)s.")
            return said % {"label": label, "ward": ward.name}
        return _("No bed %(label)s was found.") % {"label": label}
    wards = list(dict.fromkeys(bed.ward.name for bed in beds))
    if len(wards) == 1:
        labels = ", ".join(bed.label for bed in beds[:_FEW])
        told = _("More than one bed of %(ward)s can be meant by %(label)s (%(labels)s).")
        return told % {"ward": wards[0], "label": label, "labels": labels}
    names = ", ".join(wards[:_FEW])
    if len(wards) > _FEW:
        names = _("%(names)s and %(more)d more") % {"names": names, "more": len(wards) - _FEW}
    said = _("Bed %(label)s is on more than one ward (%(wards)s); name the ward.")
    return said % {"label": label, "wards": names}
