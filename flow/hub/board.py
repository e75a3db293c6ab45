"""The board of the hub: who could leave, told in several ways that each add up to the whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from accounts.roles import Permission
from flow.board_types import Face
from flow.discharges import BANDS, LONG_STAYS, WEEK, Asked, Stay, lost_within, ready_to_leave
from flow.faces import faces
from flow.hub.filters import FILTERS, NONE, band_key, band_of, criteria_of, freed_by
from flow.hub.wishes import Wish
from flow.moment import Moment
from flow.predictions import Foretold, foretold
from patients.models import Code, CodeSet
from wards.scope import Scope

SEE: Final = Permission.SEE_COUNTS
SEE_WHO: Final = Permission.SEE_PATIENTS
NOTHING: Final = timedelta(0)


@dataclass(frozen=True, slots=True)
class Line:
    """A stay in the list. nights: midnights passed since the admission, None where none was told.
    lost: bed days so far. criteria: those met, in words. foretold: by when they are likely to
    leave; None where nothing is said of them."""

    stay: Stay
    face: Face | None
    nights: int | None
    lost: timedelta
    state: str
    criteria: tuple[str, ...]
    foretold: Foretold | None = None

    @property
    def more(self) -> int:
        """Open barriers besides the one that is reported."""
        return max(0, self.stay.barriers - 1)


@dataclass(frozen=True, slots=True)
class Section:
    """Lines that have in common what the list is grouped by."""

    key: str
    name: str
    lines: tuple[Line, ...]
    lost: timedelta


@dataclass(frozen=True, slots=True)
class Tally:
    """Patients who have something in common.

    key, name: what. lost: bed days since their discharge ready dates; week: of these, within the
    last seven days. overdue: past the target of what they wait for. alone: only of an
    organisation, those whose every open barrier lies with it. by_days: patients in each of
    `BANDS`. share: patients, of the largest of the tallies beside it, in per cent; alone_share
    alike.
    """

    key: str
    name: str
    patients: int
    lost: timedelta
    week: timedelta
    overdue: int
    alone: int
    by_days: tuple[int, ...]
    share: float = 0
    alone_share: float = 0


@dataclass(frozen=True, slots=True)
class Hub:
    """What the hub shows at a moment of the stays that were asked for.

    patients: how many. ready: of them, those who meet no criteria to reside. lost: bed days since
    their discharge ready dates. last_week: bed days of the last seven days; by those who have
    left since as well where `left_too`, else by the patients listed. unowned: for whom nobody is
    accountable. overdue: past a target. unanswered: with a place asked for and no answer.
    could_free: those whom one organisation alone could free. long_stays: how many there are of
    each length, by the same filters. by_…: see `Tally`. sections: the list, in one section unless
    it is grouped. unseen: patients counted whom the viewer may not see. choices: by filter, the
    values to choose among with how many stays each leaves.
    """

    moment: datetime
    patients: int
    ready: int
    lost: timedelta
    last_week: timedelta
    left_too: bool
    unowned: int
    overdue: int
    unanswered: int
    could_free: int
    ready_in_all: int
    long_stays: tuple[tuple[int, int], ...]
    by_pathway: tuple[Tally, ...]
    by_organisation: tuple[Tally, ...]
    by_family: tuple[Tally, ...]
    by_reason: tuple[Tally, ...]
    by_criteria: tuple[Tally, ...]
    sections: tuple[Section, ...]
    unseen: int
    choices: Mapping[str, tuple[tuple[str, str, int], ...]]

    @property
    def lines(self) -> list[Line]:
        """The list, one section after the other."""
        return [line for section in self.sections for line in section.lines]


def hub(wish: Wish, *, moment: Moment, scope: Scope) -> Hub:
    """Everything the hub shows; six queries at most."""
    at = moment.at
    asked = Asked(others_from=min(LONG_STAYS))
    rows = ready_to_leave(moment, scope=scope, permission=SEE, asked=asked)
    taken = [row for row in rows if wish.takes(row, at)]
    mine = [row for row in taken if _of_view(row, wish.long, at)]
    ready = [row for row in mine if row.ready_since is not None]
    whole = wish.only_places and not wish.long
    places = Asked(sites=wish.values("site"), wards=wish.values("ward"))
    seen = [row for row in mine if scope.may(SEE_WHO, row.ward_id)]
    lines = _lines(seen, wish, at=at)
    return Hub(
        moment=at,
        patients=len(mine),
        ready=len(ready),
        lost=_sum(row.waited(at) for row in mine),
        last_week=lost_within(moment, scope=scope, permission=SEE, asked=places)
        if whole
        else _sum(min(WEEK, row.waited(at)) for row in mine),
        left_too=whole,
        unowned=sum(1 for row in ready if not row.organisation),
        overdue=sum(1 for row in mine if row.overdue(at)),
        unanswered=sum(1 for row in mine if row.referral == "asked"),
        could_free=sum(1 for row in ready if _freed(row)),
        ready_in_all=sum(1 for r in rows if r.ready_since and _takes(wish, 0, r, at)),
        long_stays=tuple(
            (days, sum(1 for r in rows if _of_view(r, days, at) and _takes(wish, days, r, at)))
            for days in LONG_STAYS
        ),
        by_pathway=_pathways(ready, at),
        by_organisation=_tallies(ready, "organisation", at),
        by_family=_tallies(ready, "family", at),
        by_reason=_tallies(ready, "reason", at),
        by_criteria=_tallies(mine, "criteria", at),
        sections=_sections(lines, wish, at=at),
        unseen=len(mine) - len(seen),
        choices=_choices([r for r in rows if _of_view(r, wish.long, at)], wish, at),
    )


def _of_view(row: Stay, long: int, at: datetime) -> bool:
    """Whether a stay belongs to the view: ready to leave, or so many days in hospital."""
    if not long:
        return row.ready_since is not None
    stayed = row.stayed(at)
    return row.inpatient and stayed is not None and stayed >= timedelta(days=long)


def _takes(wish: Wish, long: int, row: Stay, at: datetime) -> bool:
    return wish.of_stays(long).takes(row, at)


def _freed(row: Stay) -> bool:
    return freed_by(row) == row.organisation != ""


def _sum(lengths: Iterable[timedelta]) -> timedelta:
    return sum(lengths, NOTHING)


# --- told in several ways -------------------------------------------------------------------------


def _pathways(rows: Sequence[Stay], at: datetime) -> tuple[Tally, ...]:
    """By pathway, in the order of their numbers, also those that nobody leaves by."""
    found = {one.key: one for one in _tallies(rows, "pathway", at)}
    empty = tuple(0 for _band in BANDS)
    fixed = FILTERS["pathway"].fixed or {}
    return tuple(
        found.get(key) or Tally(key, str(name), 0, NOTHING, NOTHING, 0, 0, empty)
        for key, name in fixed.items()
        if key in found or key != NONE
    )


def _tallies(rows: Iterable[Stay], by: str, at: datetime) -> tuple[Tally, ...]:
    """Groups, the most costly first, those without the thing last; criteria as they are listed."""
    members: defaultdict[str, list[Stay]] = defaultdict(list)
    for row in rows:
        members[FILTERS[by].key(row, at)].append(row)
    most = max((len(inside) for inside in members.values()), default=1)
    found = [_tally(by, key, inside, most, at) for key, inside in members.items()]
    if by == "criteria":
        order = list(FILTERS[by].fixed or ())
        return tuple(sorted(found, key=lambda one: order.index(one.key)))
    return tuple(sorted(found, key=lambda one: (one.key == NONE, -one.lost, one.name)))


def _tally(by: str, key: str, rows: Sequence[Stay], most: int, at: datetime) -> Tally:
    bands = [band_of(row, at) for row in rows]
    alone = sum(1 for row in rows if _freed(row))
    return Tally(
        key=key,
        name=name_of(by, key, rows[0]),
        patients=len(rows),
        lost=_sum(row.waited(at) for row in rows),
        week=_sum(min(WEEK, row.waited(at)) for row in rows),
        overdue=sum(1 for row in rows if row.overdue(at)),
        alone=alone,
        by_days=tuple(bands.count(band_key(low, high)) for low, high in BANDS),
        share=round(100 * len(rows) / most, 1),
        alone_share=round(100 * alone / most, 1),
    )


def name_of(by: str, key: str, row: Stay) -> str:
    """The value of a filter in words, given a stay that has it."""
    one = FILTERS[by]
    if one.fixed is not None:
        return str(one.fixed.get(key, key))
    return str(one.without) if key == NONE else one.title(row)


def _choices(
    rows: Sequence[Stay], wish: Wish, at: datetime
) -> dict[str, tuple[tuple[str, str, int], ...]]:
    """For each filter the values that would leave somebody, the other filters kept."""
    found = {}
    for name, one in FILTERS.items():
        counts: dict[str, tuple[str, int]] = {}
        for row in rows:
            if wish.takes(row, at, but=name):
                key = one.key(row, at)
                title, count = counts.get(key) or (name_of(name, key, row), 0)
                counts[key] = (title, count + 1)
        order = list(one.fixed or ())
        found[name] = tuple(
            (key, title, count)
            for key, (title, count) in sorted(
                counts.items(),
                key=lambda item: (
                    item[0] == NONE,
                    order.index(item[0]) if item[0] in order else 0,
                    item[1][0],
                ),
            )
        )
    return found


# --- the list -------------------------------------------------------------------------------------


def _lines(rows: Sequence[Stay], wish: Wish, *, at: datetime) -> list[Line]:
    known = faces({row.patient for row in rows})
    met = {slug for row in rows for slug in row.criteria or ()} if wish.long else set()
    labels = _criteria(met) if wish.long else {}
    said = foretold(((row.episode, row.site) for row in rows), at=at)
    lines = [
        Line(
            stay=row,
            face=known.get(row.patient),
            nights=_nights(row, at),
            lost=row.waited(at),
            state=criteria_of(row),
            criteria=tuple(labels.get(slug, slug) for slug in row.criteria or ()),
            foretold=said.get(row.episode),
        )
        for row in rows
    ]
    return in_order(lines, wish)


def _criteria(slugs: Iterable[str]) -> dict[str, str]:
    codes = Code.objects.filter(slug__in=list(slugs), code_set__kind=CodeSet.Kind.CRITERION)
    return dict(codes.order_by("code_set__valid_from").values_list("slug", "label"))


def _nights(row: Stay, at: datetime) -> int | None:
    if row.admitted_at is None:
        return None
    here, came = timezone.localtime(at).date(), timezone.localtime(row.admitted_at).date()
    return max(0, (here - came).days)


def _bed(text: str) -> tuple[int, str]:
    return (int(text), "") if text.isdecimal() else (1_000_000, text)


ORDERS: Final[Mapping[str, Callable[[Line], Any]]] = {
    "ready": lambda line: line.stay.ready_since,
    "nights": lambda line: line.stay.admitted_at,
    "name": lambda line: (line.face.name.casefold() or None) if line.face else None,
    "ward": lambda line: (line.stay.site_name, line.stay.ward_name, _bed(line.stay.bed)),
    "pathway": lambda line: line.stay.pathway,
    "reason": lambda line: line.stay.label or None,
    "organisation": lambda line: (
        (line.stay.organisation_name, line.stay.team_name) if line.stay.organisation else None
    ),
    "due": lambda line: line.stay.due_at,
    "expected": lambda line: line.stay.expected_discharge_at,
    "reviewed": lambda line: line.stay.reviewed_at,
    "referral": lambda line: line.stay.referral or None,
}
"""What lines are ordered by; None goes last, whichever way round."""


def in_order(lines: Iterable[Line], wish: Wish) -> list[Line]:
    """The lines as asked for; as a rule the longest first."""
    order = ORDERS[wish.sort or ("nights" if wish.long else "ready")]
    keyed = [(order(line), line) for line in lines]
    there = [(key, line) for key, line in keyed if key is not None]
    there.sort(key=lambda pair: pair[0], reverse=wish.backwards)
    return [line for _key, line in there] + [line for key, line in keyed if key is None]


def _sections(lines: Sequence[Line], wish: Wish, *, at: datetime) -> tuple[Section, ...]:
    if not lines:
        return ()
    if not wish.group:
        return (Section("", "", tuple(lines), _sum(line.lost for line in lines)),)
    inside: dict[str, list[Line]] = {}
    for line in lines:
        inside.setdefault(FILTERS[wish.group].key(line.stay, at), []).append(line)
    found = [
        Section(
            key,
            name_of(wish.group, key, mine[0].stay),
            tuple(mine),
            _sum(line.lost for line in mine),
        )
        for key, mine in inside.items()
    ]
    order = list(FILTERS[wish.group].fixed or ())
    return tuple(
        sorted(
            found,
            key=lambda one: (
                one.key == NONE,
                order.index(one.key) if one.key in order else 0,
                -one.lost,
                one.name,
            ),
        )
    )
