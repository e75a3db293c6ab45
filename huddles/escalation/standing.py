"""Where sites and the system stand: every value with its score, the computed and the declared
level, the last level that was certain."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from huddles.escalation.measuring import COMPUTED, OURS, measured
from huddles.escalation.rule_sets import InForce, Label, Stored, in_force, invented
from huddles.escalation.values import latest
from huddles.models import OpelAssessment, OpelDeclaration, OpelValue
from huddles.opel.rule_set import Parameter
from huddles.opel.scoring import Reached, Result, RolledUp, Scored, Told, rolled_up, scored
from wards.models import Site

LOOK: Final = timedelta(days=14)
"""How far back a level that was certain is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One parameter of a site. source: "computed", "hand", "api" or "" where there is no value;
    by: who told it; said: the key of what they told. ours: whether our data can tell it. beside:
    what our data tell where something told counts instead."""

    scored: Scored
    source: str
    by: str
    said: int | None
    ours: bool
    beside: Told | None
    label: Label

    @property
    def parameter(self) -> Parameter:
        """What it is about."""
        return self.scored.parameter

    @property
    def told(self) -> Told | None:
        """The value that counts."""
        return self.scored.told

    @property
    def counts(self) -> bool:
        """Whether its score is certain."""
        return self.told is not None and not self.scored.stale and self.scored.score is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A site in the roll-up of the system. share: of the whole, from 0 to 1."""

    site: Site
    share: float
    result: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A site, or with none the system. stored: the rules in force; None where there are none, and
    then nothing is computed. lines: of a site. shares: of the system; empty without weights.
    certain: the assessment at which a level was last certain. declared: the level in force.
    counted: of a site where something told counts instead of what Flowboard counts, what would be
    computed without that."""

    site: Site | None
    at: datetime
    stored: Stored | None
    reached: Reached | None
    lines: tuple[Line, ...]
    shares: tuple[Share, ...]
    certain: OpelAssessment | None
    declared: OpelDeclaration | None
    counted: Result | None = None

    @property
    def level(self) -> int | None:
        """The computed level; None where it is not certain."""
        return self.reached.level if self.reached else None

    @property
    def levels(self) -> tuple[int, int] | None:
        """The levels between which it lies."""
        return self.reached.levels if self.reached else None

    @property
    def is_example(self) -> bool:
        """Whether the computed level comes of invented cut-offs."""
        return self.stored is not None and self.stored.rules.example

    @property
    def certain_is_example(self) -> bool:
        """Whether the level that was last certain came of invented cut-offs."""
        if self.certain is None:
            return False
        rules = self.certain.rule_set
        return rules.is_example or bool(invented(rules.labels))

    @property
    def wanting(self) -> tuple[Line, ...]:
        """The parameters without a value, or whose value is too old."""
        return tuple(one for one in self.lines if one.told is None or one.scored.stale)

    @property
    def told_instead(self) -> tuple[Line, ...]:
        """The parameters that score something else because somebody told them instead of what
        Flowboard counts, where the computed level is another by that."""
        if self.counted is None or self.counted.levels == self.levels:
            return ()
        pairs = zip(self.lines, self.counted.parameters, strict=True)
        return tuple(
            line
            for line, other in pairs
            if (line.scored.lowest, line.scored.highest) != (other.lowest, other.highest)
        )

    @property
    def result(self) -> Result | None:
        """Of a site."""
        return self.reached if isinstance(self.reached, Result) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standings:
    """All that was asked for at a moment: sites by their key, and the system."""

    at: datetime
    sites: Mapping[int, Standing]
    system: Standing


def standings(sites: Collection[Site], *, at: datetime) -> Standings:
    """Where `sites` stand at `at`, and the system by the sites that its rules weigh; a fixed
    number of queries."""
    rules = in_force(timezone.localtime(at).date())
    weighed = _weighed(rules, sites)
    every = {site.pk: site for site in (*sites, *weighed)}
    values = _values(every.values(), at)
    certain = _certain(every, at)
    declared = _declared(every, at)
    found = {
        site.pk: _of_site(
            site, rules.of(site), values[site.pk], certain.get(site.pk), declared.get(site.pk), at
        )
        for site in sites
    }
    shares = _shares(rules.of_system, weighed, values, at)
    return Standings(
        at=at,
        sites=found,
        system=Standing(
            site=None,
            at=at,
            stored=rules.of_system,
            reached=_rolled(rules.of_system, shares),
            lines=(),
            shares=shares,
            certain=certain.get(None),
            declared=declared.get(None),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Value:
    """What is known of one parameter of one site."""

    computed: Told | None
    said: OpelValue | None


def _weighed(rules: InForce, sites: Collection[Site]) -> list[Site]:
    """The sites that the system's rules weigh."""
    weights = rules.of_system.weights if rules.of_system else {}
    known = {site.code: site for site in sites}
    if lacking := set(weights) - set(known):
        known |= {site.code: site for site in Site.objects.filter(code__in=lacking)}
    found = [known[code] for code in weights if code in known]
    return sorted(found, key=lambda site: (site.position, site.name, site.pk))


def _values(sites: Collection[Site], at: datetime) -> dict[int, dict[str, _Value]]:
    computed = measured(list(sites), at=at)
    said = latest([site.pk for site in sites], at=at)
    found: dict[int, dict[str, _Value]] = {}
    for site in sites:
        theirs = {code: row for (key, code), row in said.items() if key == site.pk}
        mine = computed[site.pk]
        found[site.pk] = {
            code: _Value(mine.get(code), theirs.get(code)) for code in {*mine, *theirs}
        }
    return found


def _chosen(parameter: Parameter, value: _Value | None, at: datetime) -> tuple[Told | None, str]:
    """The value that counts and where it comes from: what somebody told while it is fresh, else
    the later one."""
    if value is None:
        return None, ""
    said = value.said
    told = None if said is None else Told(said.value, said.as_at, said.source)
    mine = value.computed
    if told is not None and (
        mine is None or at - told.as_at <= parameter.stale_after or told.as_at > mine.as_at
    ):
        return told, told.source
    return (mine, COMPUTED) if mine is not None else (None, "")


def _scored(stored: Stored, values: Mapping[str, _Value], at: datetime) -> Result:
    chosen = {
        one.code: told
        for one in stored.rules.parameters
        if (told := _chosen(one, values.get(one.code), at)[0]) is not None
    }
    return scored(chosen, stored.rules, at=at)


def _of_site(
    site: Site,
    stored: Stored | None,
    values: Mapping[str, _Value],
    certain: OpelAssessment | None,
    declared: OpelDeclaration | None,
    at: datetime,
) -> Standing:
    result = _scored(stored, values, at) if stored else None
    lines = _lines(stored, result, values, at) if stored and result else ()
    return Standing(
        site=site,
        at=at,
        stored=stored,
        reached=result,
        lines=lines,
        shares=(),
        certain=certain,
        declared=declared,
        counted=_counted(stored, lines, at) if stored else None,
    )


def _counted(stored: Stored, lines: Sequence[Line], at: datetime) -> Result | None:
    """What would be computed were nothing told instead of what Flowboard counts; None where
    nothing is."""
    if not any(one.beside for one in lines):
        return None
    chosen = {one.parameter.code: told for one in lines if (told := one.beside or one.told)}
    return scored(chosen, stored.rules, at=at)


def _lines(
    stored: Stored, result: Result, values: Mapping[str, _Value], at: datetime
) -> tuple[Line, ...]:
    found = []
    for one in result.parameters:
        value = values.get(one.parameter.code)
        source = _chosen(one.parameter, value, at)[1]
        said = value.said if value and source != COMPUTED else None
        found.append(
            Line(
                scored=one,
                source=source,
                by=str(said.by) if said else "",
                said=said.pk if said else None,
                ours=one.parameter.code in OURS,
                beside=value.computed if value and said else None,
                label=stored.label(one.parameter.code),
            )
        )
    return tuple(found)


def _shares(
    stored: Stored | None,
    weighed: Sequence[Site],
    values: Mapping[int, Mapping[str, _Value]],
    at: datetime,
) -> tuple[Share, ...]:
    """The sites of the roll-up, all by the system's own rules."""
    if stored is None or not weighed:
        return ()
    whole = sum(stored.weights[site.code] for site in weighed)
    return tuple(
        Share(
            site=site,
            share=stored.weights[site.code] / whole,
            result=_scored(stored, values[site.pk], at),
        )
        for site in weighed
    )


def _rolled(stored: Stored | None, shares: Sequence[Share]) -> RolledUp | None:
    if stored is None or not shares:
        return None
    return rolled_up({one.site.code: (one.share, one.result) for one in shares}, stored.rules)


def _certain(sites: Collection[int], at: datetime) -> dict[int | None, OpelAssessment]:
    rows = OpelAssessment.objects.filter(
        Q(site__in=list(sites)) | Q(site=None), level__isnull=False, at__lte=at, at__gt=at - LOOK
    )
    newest = rows.select_related("rule_set").order_by("site_id", "-at").distinct("site_id")
    return {row.site_id: row for row in newest}


def _declared(sites: Collection[int], at: datetime) -> dict[int | None, OpelDeclaration]:
    rows = OpelDeclaration.objects.filter(Q(site__in=list(sites)) | Q(site=None), at__lte=at)
    newest = rows.select_related("by").order_by("site_id", "-at").distinct("site_id")
    return {row.site_id: row for row in newest}
