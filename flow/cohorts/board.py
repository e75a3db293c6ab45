"""Who is in a cohort now: where they are on the way, who is accountable, and at what risk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from accounts.roles import Permission
from flow.board_types import Face
from flow.cohorts.people import Area, Person, areas_known, people
from flow.cohorts.steps import PHASE_WORDS, STEP_WORDS, Step
from flow.faces import faces
from flow.moment import Moment
from patients.cohorts import Judged, Phase, Risk, Who, judge, risk
from patients.home_areas import Areas
from patients.models import Cohort
from wards.scope import ALL, Places, Scope

NOTHING: Final = timedelta(0)
Known = tuple[Areas, dict[str, Area]]
"""Neighbourhoods as `areas_known` tells them."""
_PAST: Final = frozenset({"readmitted_within", "stays_from", "frailty_from", "frailty_to",
                          "residence"})  # fmt: skip
"""Criteria that earlier stays are asked for."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Whom a viewer sees: people by the ward they are on, and those of their own neighbourhoods
    wherever they are. counts: wards of which figures may be shown; patients: names as well.
    areas: neighbourhoods whose team they play for."""

    counts: Places
    patients: Places
    areas: frozenset[str]

    @classmethod
    def of(cls, scope: Scope, areas: Iterable[Area]) -> Sight:
        """What somebody with `scope` sees."""
        teams = scope.teams(Permission.OWN_STEPS)
        return cls(
            counts=scope.wards(Permission.SEE_COUNTS),
            patients=scope.wards(Permission.SEE_PATIENTS),
            areas=frozenset(a.slug for a in areas if teams == ALL or a.team in teams),
        )

    @property
    def any(self) -> bool:
        """Whether there is anything to be shown at all."""
        return bool(self.counts or self.areas)

    def counts_in(self, person: Person) -> bool:
        """Whether they may be counted."""
        return _among(person.ward_id, self.counts) or person.facts.area in self.areas

    def names(self, person: Person) -> bool:
        """Whether it may be shown who they are."""
        return _among(person.ward_id, self.patients) or person.facts.area in self.areas

    def opens(self, person: Person) -> bool:
        """Whether the page of their stay is open to the viewer: of somebody who has not come yet
        there is none, and who plays for their neighbourhood alone sees no ward."""
        return person.step is not Step.EXPECTED and _among(person.ward_id, self.patients)


def _among(ward: int | None, wards: Places) -> bool:
    return wards == ALL or ward in wards


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in the cohort. face: None where the viewer may not know who it is."""

    person: Person
    face: Face | None
    risk: Risk | None

    def lost(self, at: datetime) -> timedelta:
        """Bed days since the discharge ready date."""
        return self.person.stay.waited(at) if self.person.stay else NOTHING


@dataclass(frozen=True, slots=True)
class Tally:
    """People who have something in common. name: in words. lost: bed days since their discharge
    ready dates. share: people, of the largest beside it, in per cent."""

    key: str
    name: str
    people: int
    lost: timedelta
    share: float


@dataclass(frozen=True, slots=True)
class Wanted:
    """By what the list is narrowed; empty means any. The figures are of the whole cohort."""

    phases: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()

    def takes(self, member: Member) -> bool:
        """Whether the list shows them."""
        person = member.person
        return (
            _fits(self.phases, person.facts.phase)
            and _fits(self.steps, person.step)
            and _fits(self.owners, person.owner.key or NONE)
            and _fits(self.bands, member.risk.band if member.risk else NONE)
            and _fits(self.areas, person.facts.area or NONE)
            and _fits(self.sites, person.site or NONE)
            and _fits(self.organisations, person.owner.organisation or NONE)
        )


NONE: Final = "none"
"""The value for those who lack what is asked for."""
FIGURES_ALONE: Final = Wanted(phases=("",))
"""Lists nobody."""


def _fits(wanted: Sequence[str], value: str) -> bool:
    return not wanted or value in wanted


@dataclass(frozen=True, slots=True)
class Board:
    """A cohort at a moment, as a viewer sees it.

    people: in it, as far as they may be counted. ready: of them, who meets no criteria to reside;
    lost: their bed days. by_…: the same people told in several ways, each adding up to the whole;
    by_step and by_phase name every step and phase. not_judged: people during their stay of whom no
    criterion is false and some cannot be judged, because nobody has looked yet; lacks: what is
    missing, with how many lack it. listed: those who were asked for and whom the viewer may see,
    what somebody can act on first, the longest there first; unseen: those asked for whom the
    viewer may only count. sight: whom the viewer sees. areas: neighbourhoods of the viewer's own.
    """

    cohort: Cohort
    moment: datetime
    people: int
    ready: int
    lost: timedelta
    unowned: int
    by_phase: tuple[Tally, ...]
    by_step: tuple[Tally, ...]
    by_owner: tuple[Tally, ...]
    by_band: tuple[Tally, ...]
    by_area: tuple[Tally, ...]
    by_site: tuple[Tally, ...]
    not_judged: int
    lacks: tuple[tuple[str, int], ...]
    listed: tuple[Member, ...]
    unseen: int
    sight: Sight
    areas: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A cohort in the list of all: its people by phase, those ready to leave, their bed days, and
    of how many it cannot be said."""

    cohort: Cohort
    people: int
    phases: Mapping[Phase, int]
    ready: int
    lost: timedelta
    not_judged: int


def phases_of(who: Who) -> tuple[Phase, ...]:
    """The phases in which somebody can be in a cohort at all."""
    return tuple(phase for phase in Phase if phase in who.get("phase", tuple(Phase)))


def asks_the_past(cohorts: Iterable[Cohort]) -> bool:
    """Whether any of them asks for something that an earlier stay may tell."""
    return any(
        _PAST & {*cohort.who, *(name for driver in cohort.drivers for name in driver["who"])}
        for cohort in cohorts
    )


def board(
    cohort: Cohort,
    *,
    moment: Moment,
    scope: Scope,
    wanted: Wanted | None = None,
    known: Known | None = None,
) -> Board | None:
    """The cohort as the scope sees it; None for a viewer who may see nobody. `known`: the
    neighbourhoods, where the caller has read them already. Seven queries at most."""
    cover, areas = known or areas_known()
    sight = Sight.of(scope, areas.values())
    if not sight.any:
        return None
    wanted = wanted or Wanted()
    found = people(
        moment,
        phases=phases_of(cohort.who),
        past=asks_the_past([cohort]),
        areas=(cover, areas),
    )
    seen = [person for person in found if sight.counts_in(person)]
    judged = [(person, judge(person.facts, cohort.who)) for person in seen]
    scale = cohort.scale
    members = [
        Member(person, None, risk(person.facts, scale)) for person, told in judged if told.holds
    ]
    asked_for = [member for member in members if wanted.takes(member)]
    named = [member for member in asked_for if sight.names(member.person)]
    who = faces({member.person.patient for member in named})
    listed = [
        Member(member.person, who.get(member.person.patient), member.risk) for member in named
    ]
    return _board(cohort, moment, members, judged, listed, len(asked_for), areas, sight)


def _board(
    cohort: Cohort,
    moment: Moment,
    members: Sequence[Member],
    judged: Sequence[tuple[Person, Judged]],
    listed: Sequence[Member],
    asked_for: int,
    areas: Mapping[str, Area],
    sight: Sight,
) -> Board:
    at = moment.at

    def by(
        key: Callable[[Member], tuple[str, str]], *, all_of: Iterable[tuple[str, str]] = ()
    ) -> tuple[Tally, ...]:
        return _tallies(members, key, at, all_of)

    lacking = [told.lacks for person, told in judged if _open(person, told)]
    bands = [(band.name, band.name) for band in cohort.scale.bands]
    return Board(
        cohort=cohort,
        moment=at,
        people=len(members),
        ready=sum(1 for m in members if m.person.facts.ready_days is not None),
        lost=sum((m.lost(at) for m in members), NOTHING),
        unowned=sum(1 for m in members if not m.person.owner.key),
        by_phase=by(
            lambda m: _named(m.person.facts.phase, PHASE_WORDS),
            all_of=[_named(phase, PHASE_WORDS) for phase in Phase],
        ),
        by_step=by(
            lambda m: _named(m.person.step, STEP_WORDS),
            all_of=[_named(step, STEP_WORDS) for step in Step],
        ),
        by_owner=by(_owner),
        by_band=by(lambda m: (m.risk.band, m.risk.band) if m.risk else (NONE, ""), all_of=bands)
        if bands
        else (),
        by_area=by(lambda m: (m.person.area.slug, m.person.area.name) if m.person.area
                   else (NONE, "")),
        by_site=by(lambda m: (m.person.site or NONE, m.person.site_name)),
        not_judged=len(lacking),
        lacks=tuple(Counter(lack for lacks in lacking for lack in lacks).most_common()),
        listed=tuple(sorted(listed, key=lambda member: _order(member, at))),
        unseen=asked_for - len(listed),
        sight=sight,
        areas=tuple(area.name for area in areas.values() if area.slug in sight.areas),
    )  # fmt: skip


def _named(key: StrEnum, words: Mapping[Any, object]) -> tuple[str, str]:
    return key.value, str(words[key])


def _owner(member: Member) -> tuple[str, str]:
    owner = member.person.owner
    body = owner.organisation_name
    parts = dict.fromkeys(part for part in (owner.name, body) if part)
    return owner.key or NONE, ", ".join(parts)


def _order(member: Member, at: datetime) -> tuple[int, timedelta, int]:
    """By step, latest step of the stay first of all: who is ready waits on somebody."""
    since = member.person.since or member.person.due_at or at
    return -_URGENCY.index(member.person.step), since - at, member.person.episode


_URGENCY: Final = (
    Step.HOME, Step.SERVICE, Step.EXPECTED, Step.TREATMENT, Step.ASSESSMENT, Step.EMERGENCY,
    Step.GOING, Step.ASKED, Step.WAITING, Step.READY,
)  # fmt: skip
"""What somebody can do something about today comes first in the list: the last of these."""


def _tallies(
    members: Iterable[Member],
    key: Callable[[Member], tuple[str, str]],
    at: datetime,
    all_of: Iterable[tuple[str, str]],
) -> tuple[Tally, ...]:
    """Groups in the order of `all_of`, where it is given, else the largest first and those
    without the thing last."""
    names = dict(all_of)
    is_ordered = bool(names)
    counted: Counter[str] = Counter()
    lost: dict[str, timedelta] = {}
    for member in members:
        group, name = key(member)
        names.setdefault(group, name)
        counted[group] += 1
        lost[group] = lost.get(group, NOTHING) + member.lost(at)
    most = max(counted.values(), default=1)
    found = [
        Tally(group, name, counted[group], lost.get(group, NOTHING), 100 * counted[group] / most)
        for group, name in names.items()
    ]
    if is_ordered:
        return tuple(found)
    return tuple(sorted(found, key=lambda one: (one.key == NONE, -one.people, one.name)))


def _open(person: Person, told: Judged) -> bool:
    """Whether somebody who is here could still be found to belong."""
    return told.holds is None and person.facts.phase is Phase.DURING


def lines(*, moment: Moment, scope: Scope, known: Known | None = None) -> list[Line] | None:
    """Every cohort with its figures, as the scope sees them; None for a viewer who may see
    nobody. `known`: as for `board`. Six queries at most, however many cohorts there are."""
    cover, areas = known or areas_known()
    sight = Sight.of(scope, areas.values())
    if not sight.any:
        return None
    cohorts = list(Cohort.objects.filter(is_withdrawn=False).select_related("organisation"))
    found = people(moment, past=asks_the_past(cohorts), areas=(cover, areas))
    seen = [person for person in found if sight.counts_in(person)]
    return [_line(cohort, seen, moment.at) for cohort in cohorts]


def _line(cohort: Cohort, seen: Sequence[Person], at: datetime) -> Line:
    phases: Counter[Phase] = Counter()
    ready, lost, not_judged = 0, NOTHING, 0
    for person in seen:
        told = judge(person.facts, cohort.who)
        not_judged += _open(person, told)
        if not told.holds:
            continue
        phases[person.facts.phase] += 1
        ready += person.facts.ready_days is not None
        lost += person.stay.waited(at) if person.stay else NOTHING
    return Line(cohort, phases.total(), phases, ready, lost, not_judged)
