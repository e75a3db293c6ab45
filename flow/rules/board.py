"""The rule book that holds for a site, or for all, and what it says of each ward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from string import Formatter
from typing import Final

from django.db.models import BooleanField, Count, Q
from django.db.models.expressions import RawSQL

from flow.board_types import Sight
from flow.desk.words import KINDS
from wards.breaches import lay_there
from wards.models import CorridorSignOff, Override, Rule, RuleBook, Site, Ward, WardLimits
from wards.rule_books import FACTS, stored
from wards.rule_changes import COSTS, Changes, changes, shown, spelt
from wards.rule_files import Limits
from wards.rule_loading import limits_in
from wards.suitability import rulebook
from wards.suitability.facts import Needs
from wards.suitability.facts import Ward as WardFacts
from wards.suitability.rulebook import ANY, NEVER, OUTLIER, TAKES, RuleLine
from wards.suitability.shapes import SHAPES

DAYS: Final = (7, 28)
"""Over how many days what was set aside is counted."""
_OTHER: Final = "\0"
"""A specialty that no table names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version as it is listed. until: when the next took over; None for the last. state:
    "held" (in the past), "holds", "comes", or "never" where another took its place before."""

    number: int
    name: str
    since: datetime
    until: datetime | None
    state: str
    by: str
    note: str
    row: RuleBook


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSaid:
    """A rule in words. words: what it says, each part with whether it stands for a name or
    figure of the moment. weighs: "" where it refuses, else what it costs. set_aside: how often
    in the last `DAYS`."""

    code: str
    title: str
    words: tuple[tuple[str, bool], ...]
    weighs: str
    may_override: bool
    breach: str
    not_on: str
    figures: tuple[tuple[str, str], ...]
    source: str
    set_aside: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Whether a ward takes a specialty: takes, outlier or never; what an outlier costs."""

    verdict: str
    cost: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A ward of the outlier table. site: set on the first row of each site."""

    ward: str
    code: str
    site: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All of the page. version: None where nobody has given any rules, and facts alone hold.
    own: the book is the site's own. against: the version that `changes` compares with. facts,
    refusing, costing: the rules. specialties: the columns of `table`. breaches: how often
    somebody lay there against a rule, by what that counts as."""

    site: Site | None
    version: Version | None
    own: bool
    versions: tuple[Version, ...]
    coming: tuple[Version, ...]
    against: Version | None
    changes: Changes | None
    facts: tuple[RuleSaid, ...]
    refusing: tuple[RuleSaid, ...]
    costing: tuple[RuleSaid, ...]
    costs: tuple[tuple[str, str], ...]
    specialties: tuple[str, ...]
    table: tuple[Row, ...]
    limits: tuple[tuple[Ward, Limits], ...]
    set_aside: tuple[int, ...]
    breaches: tuple[tuple[str, tuple[int, ...]], ...]
    corridor: tuple[tuple[int, int], ...]


class NoSuchVersion(Exception):
    """There is no version of this number."""


def rules_board(
    *, site: Site | None, sight: Sight, now: datetime, number: int | None, against: int | None
) -> Board:
    """The book in force at `now` for the site (None: for all), or version `number` of it, with
    what changed since version `against` (None: since the one before). Raises NoSuchVersion."""
    rows = RuleBook.objects.filter(Q(site=site) | Q(site=None)).select_related("by")
    every = list(rows.order_by("valid_from", "version"))
    own = site is not None and any(r.site_id == site.pk and r.valid_from <= now for r in every)
    theirs = site.pk if own and site else None
    versions = _versions([row for row in every if row.site_id == theirs], now)
    coming = [] if own else _versions([row for row in every if row.site_id], now)
    chosen = _chosen(versions, number)
    before = _before(versions, chosen, against)
    book = stored(chosen.row).book if chosen else FACTS
    aside = _set_aside(site, sight, now)
    lay = [one for one in aside if one["lay"]]
    said = {code: _said(line, _counted(aside, "rule", code)) for code, line in book.lines.items()}
    refuses = [code for code in SHAPES if code in said and book.lines[code].hard]
    wards = _wards(site, sight)
    specialties = _specialties(wards, book)
    return Board(
        site=site,
        version=chosen,
        own=own,
        versions=tuple(reversed(versions)),
        coming=tuple(coming),
        against=before,
        changes=changes(stored(before.row).book, book) if before else None,
        facts=tuple(said[code] for code in refuses if SHAPES[code].fixed),
        refusing=tuple(said[code] for code in refuses if not SHAPES[code].fixed),
        costing=tuple(said[code] for code in SHAPES if code in said and code not in refuses),
        costs=tuple((words, shown(getattr(book, name))) for name, words in COSTS.items()),
        specialties=(*map(spelt, specialties), "any other"),
        table=tuple(_table(wards, book, specialties, by_site=site is None)),
        limits=tuple(_limits(site, sight)),
        set_aside=_counted(aside, "", ""),
        breaches=tuple(
            (str(Rule.Breach(kind).label), _counted(lay, "breach", kind))
            for kind in sorted({str(one["breach"]) for one in lay} - {""})
        ),
        corridor=_corridor(site, sight, now),
    )


def _versions(rows: Sequence[RuleBook], now: datetime) -> list[Version]:
    """As they took over from each other, the first one first."""
    found = []
    for place, row in enumerate(rows):
        until = rows[place + 1].valid_from if place + 1 < len(rows) else None
        if until == row.valid_from:
            state = "never"
        elif row.valid_from > now:
            state = "comes"
        else:
            state = "holds" if until is None or until > now else "held"
        found.append(
            Version(
                number=row.version,
                name=row.name,
                since=row.valid_from,
                until=until,
                state=state,
                by=str(row.by) if row.by else "",
                note=row.note,
                row=row,
            )
        )
    return found


def _chosen(versions: Sequence[Version], number: int | None) -> Version | None:
    if number is None:
        return next((one for one in versions if one.state == "holds"), None)
    for one in versions:
        if one.number == number:
            return one
    raise NoSuchVersion


def _before(
    versions: Sequence[Version], chosen: Version | None, number: int | None
) -> Version | None:
    if chosen is None:
        return None
    if number is not None:
        return _chosen(versions, number)
    place = versions.index(chosen)
    held = [one for one in versions[:place] if one.state != "never"]
    return held[-1] if held else None


def _said(line: RuleLine, set_aside: tuple[int, ...]) -> RuleSaid:
    words: list[tuple[str, bool]] = []
    for literal, name, _spec, _conversion in Formatter().parse(line.text):
        words += [(literal, False)] if literal else []
        words += [(spelt(name), True)] if name else []
    return RuleSaid(
        code=line.code,
        title=line.title,
        words=tuple(words),
        weighs="" if line.hard else shown(line.weight),
        may_override=line.hard and line.may_override,
        breach=str(Rule.Breach(line.breach).label) if line.breach else "",
        not_on=", ".join(str(Ward.Kind(kind).label) for kind in sorted(line.except_kinds)),
        figures=tuple(
            (str(KINDS.get(name, spelt(name))), shown(line.params[name]))
            for name in SHAPES[line.code].params
            if name in line.params
        ),
        source=line.source,
        set_aside=set_aside,
    )


def _seen(sight: Sight, prefix: str) -> Q:
    return Q() if sight.counts is None else Q(**{f"{prefix}__in": sight.counts})


def _set_aside(site: Site | None, sight: Sight, now: datetime) -> list[dict[str, object]]:
    """How often each rule was set aside, on wards whose figures may be seen; one query. lay:
    whether somebody came to lie there by it, which alone counts as a breach."""
    rows = Override.objects.filter(
        _seen(sight, "bed__ward"), occurred_at__gt=now - timedelta(days=max(DAYS))
    )
    if site is not None:
        rows = rows.filter(bed__ward__site=site)
    counts = {
        f"in_{days}": Count("pk", filter=Q(occurred_at__gt=now - timedelta(days=days)))
        for days in DAYS
    }
    rows = rows.annotate(lay=RawSQL(lay_there("wards_override"), [], BooleanField()))  # noqa: S611
    return [dict(one) for one in rows.order_by().values("rule", "breach", "lay").annotate(**counts)]


def _corridor(site: Site | None, sight: Sight, now: datetime) -> tuple[tuple[int, int], ...]:
    """Sign-offs of corridor care over each of `DAYS`, and those of who must never be there."""
    rows = CorridorSignOff.objects.filter(_seen(sight, "bed__ward"))
    if site is not None:
        rows = rows.filter(bed__ward__site=site)
    counts = {}
    for days in DAYS:
        lately = Q(occurred_at__gt=now - timedelta(days=days))
        counts[f"in_{days}"] = Count("pk", filter=lately)
        counts[f"never_{days}"] = Count("pk", filter=lately & ~Q(groups=[]))
    found = rows.aggregate(**counts)
    return tuple((found[f"in_{days}"], found[f"never_{days}"]) for days in DAYS)


def _counted(aside: Sequence[Mapping[str, object]], key: str, value: str) -> tuple[int, ...]:
    found = [one for one in aside if not key or one[key] == value]
    return tuple(sum(int(str(one[f"in_{days}"])) for one in found) for days in DAYS)


def _wards(site: Site | None, sight: Sight) -> list[Ward]:
    rows = Ward.objects.filter(_seen(sight, "pk"), same_as=None)
    rows = rows.exclude(kind=Ward.Kind.UNRECOGNISED).select_related("site")
    if site is not None:
        rows = rows.filter(site=site)
    return list(rows.order_by("site__position", "site__name", "position", "name"))


def _holds(book: rulebook.RuleBook, code: str, kind: str) -> bool:
    line = book.lines.get(code)
    return line is not None and kind not in line.except_kinds


def _specialties(wards: Sequence[Ward], book: rulebook.RuleBook) -> list[str]:
    named = {line.specialty for line in book.outliers} - {ANY}
    here = [ward for ward in wards if _in_table(ward, book)]
    return sorted(named | {ward.specialty for ward in here} - {""}) if here else []


def _facts_of(ward: Ward) -> WardFacts:
    return WardFacts(
        key=ward.pk, site=ward.site_id, code=ward.code, kind=ward.kind, specialty=ward.specialty
    )


def _in_table(ward: Ward, book: rulebook.RuleBook) -> bool:
    """Whether the table says anything of the ward: where outliers count, or where somebody is
    never taken."""
    if ward.kind in book.lines["not_a_bed"].names("kinds"):
        return False
    if _holds(book, OUTLIER, ward.kind):
        return True
    facts = _facts_of(ward)
    nevers = [line for line in book.outliers if line.verdict == NEVER]
    return _holds(book, "specialty_never", ward.kind) and any(
        line.matches(facts, line.specialty) for line in nevers
    )


def _table(
    wards: Sequence[Ward], book: rulebook.RuleBook, specialties: Sequence[str], *, by_site: bool
) -> list[Row]:
    rows: list[Row] = []
    last = None
    for ward in wards:
        if not _in_table(ward, book):
            continue
        facts = _facts_of(ward)
        # Few lines are about one ward, and each cell asks all lines.
        about = tuple(one for one in book.outliers if one.matches(facts, one.specialty))
        mine = replace(book, outliers=about)
        rows.append(
            Row(
                ward=ward.name,
                code=ward.code,
                site=ward.site.name if by_site and ward.site_id != last else "",
                cells=tuple(_cell(mine, facts, one) for one in (*specialties, _OTHER)),
            )
        )
        last = ward.site_id
    return rows


def _cell(book: rulebook.RuleBook, ward: WardFacts, specialty: str) -> Cell:
    verdict, cost = book.verdict(Needs(key=0, specialty=specialty), ward)
    rule = "specialty_never" if verdict == NEVER else OUTLIER
    if verdict != TAKES and not _holds(book, rule, ward.kind):
        verdict = TAKES
    return Cell(verdict=verdict, cost=shown(cost) if verdict == OUTLIER else "")


def _limits(site: Site | None, sight: Sight) -> list[tuple[Ward, Limits]]:
    rows = WardLimits.objects.filter(_seen(sight, "ward")).select_related("ward__site")
    if site is not None:
        rows = rows.filter(ward__site=site)
    order = ("ward__site__position", "ward__site__name", "ward__position", "ward__name")
    found = [(row.ward, limits_in(row)) for row in rows.order_by(*order)]
    return [(ward, limits) for ward, limits in found if limits != Limits()]
