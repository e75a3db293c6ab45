"""Which rule set holds where and when, and keeping another version of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Organisation, User
from accounts.refusals import Refused
from huddles.models import OpelRuleSet
from huddles.opel.files import rule_set_of
from huddles.opel.rule_set import BadRuleSet, RuleSet
from huddles.opel.scoring import wrong_weight
from live.doorbell import ring
from wards.models import Site

BANDS: Final = "bands"
"""Under which the label of the bands is kept, beside those of the parameters."""
DATES: Final = "dates"
"""Under which the label of the days from which and until which it holds is kept."""
PUBLISHED, FILLED_IN, EXAMPLE, NOT_SET = "published", "filled_in", "example", "not_set"
IS_EXAMPLE: Final = """(rules.is_example OR
       jsonb_path_exists(rules.labels - 'dates', '$.*.kind ? (@ == "example")'))"""
"""In SQL, of a version called `rules`: whether anything of it is invented, whatever it says."""
NOT_CONFIRMED: Final = "not_confirmed"
"""Label of dates that nobody has seen published."""


def escalates(site: Site) -> bool:
    """Whether a site has a level: the parameters are those of acute hospitals."""
    return site.kind == Site.Kind.ACUTE


@dataclass(frozen=True, slots=True)
class Label:
    """Where cut-offs or bands come from, and who filled them in on which day."""

    kind: str
    by: str = ""
    on: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """A version, read. rules: an example as long as anything of it is labelled as invented,
    whatever it says of itself. weights: of the roll-up, by code of the site."""

    row: OpelRuleSet
    rules: RuleSet
    weights: Mapping[str, float]

    def label(self, of: str) -> Label:
        """Where the cut-offs of a parameter, or the bands, come from."""
        said = self.row.labels.get(of) or {}
        kind = said.get("kind", NOT_CONFIRMED if of == DATES else NOT_SET)
        return Label(kind, said.get("by", ""), said.get("on", ""))


def read(said: Mapping[str, Any]) -> tuple[RuleSet, dict[str, float]]:
    """The rules and the weights of a content. Raises BadRuleSet."""
    content = dict(said)
    weights = content.pop("weights", None) or {}
    # JSON in PostgreSQL keeps no order of names; the reader wants cuts with their scores rising.
    try:
        content["parameters"] = [
            {**one, "scores": dict(sorted((one.get("scores") or {}).items(), key=_score))}
            for one in content["parameters"]
        ]
        content["bands"] = dict(sorted((content.get("bands") or {}).items(), key=_level))
    except KeyError as error:
        raise BadRuleSet(f"{error.args[0]} is missing.") from None
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BadRuleSet(f"it cannot be read: {error}") from error
    return rule_set_of(content), _weights(weights)


def _score(cut: tuple[Any, Any]) -> int:
    return int(cut[1])


def _level(band: tuple[Any, Any]) -> int:
    return int(band[0])


def _weights(said: Any) -> dict[str, float]:
    if not isinstance(said, Mapping):
        raise BadRuleSet("weights: a table of codes of sites and numbers.")
    found = {}
    for code, weight in said.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float):
            raise BadRuleSet(f"The weight of {code} is no number.")
        if wrong := wrong_weight(weight):
            raise BadRuleSet(f"The weight of {code} is {wrong}.")
        found[str(code)] = float(weight)
    return dict(sorted(found.items()))


def stored(row: OpelRuleSet) -> Stored:
    """A version, read; those read lately are remembered, since none is ever edited."""
    rules, weights = _remembered(json.dumps(row.said, sort_keys=True))
    if invented(row.labels) and not rules.example:
        rules = replace(rules, example=True)
    return Stored(row, rules, weights)


def invented(labels: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The parameters, and the bands, whose cut-offs are labelled as invented."""
    return [of for of, label in labels.items() if of != DATES and label.get("kind") == EXAMPLE]


@lru_cache(maxsize=32)
def _remembered(text: str) -> tuple[RuleSet, dict[str, float]]:
    return read(json.loads(text))


def versions(organisation: Organisation | None) -> list[OpelRuleSet]:
    """Every version kept for the organisation (None: for all), the newest first."""
    rows = OpelRuleSet.objects.filter(organisation=organisation).select_related("by")
    return list(rows.order_by("-number"))


@dataclass(frozen=True, slots=True)
class InForce:
    """The versions that hold on a day, by organisation; under None the one for all."""

    by_organisation: Mapping[int | None, Stored]

    def of(self, site: Site) -> Stored | None:
        """The rules of a site: of its organisation, else those for all."""
        return self.by_organisation.get(site.organisation_id) or self.by_organisation.get(None)

    @property
    def of_system(self) -> Stored | None:
        """The rules by which the system is rolled up."""
        return self.by_organisation.get(None)


def in_force(day: date) -> InForce:
    """The versions that hold on `day`: of those valid then, the one valid from the latest day,
    of several the one kept last. One query."""
    rows = OpelRuleSet.objects.filter(
        Q(valid_until=None) | Q(valid_until__gt=day), valid_from__lte=day
    ).select_related("by")
    found: dict[int | None, OpelRuleSet] = {}
    for row in rows.order_by("valid_from", "number"):
        found[row.organisation_id] = row
    return InForce({key: stored(row) for key, row in found.items()})


@transaction.atomic
def keep(
    *,
    said: Mapping[str, Any],
    organisation: Organisation | None,
    labels: Mapping[str, Mapping[str, str]],
    note: str,
    by: User | None,
    seen: int | None = None,
) -> OpelRuleSet:
    """Keep a content as the next version; one that says nothing new is the last version itself.

    `labels`: as `OpelRuleSet.labels`; `seen`: the number of the last version as the caller saw
    it. Raises Refused for a content that cannot be used, for a weight of an unknown site, and
    where somebody kept another version meanwhile.
    """
    try:
        rules, weights = read(said)
    except BadRuleSet as error:
        raise Refused(str(error)) from None
    if weights and organisation is not None:
        raise Refused(_("Weights belong to the rules for all sites."))
    known = set(Site.objects.filter(code__in=weights).values_list("code", flat=True))
    if strange := sorted(set(weights) - known):
        raise Refused(_("There is no site %(code)s to weigh.") % {"code": strange[0]})
    # One after the other, also for the very first: the rows of the organisation may not exist.
    list(Organisation.objects.select_for_update(of=("self",)).order_by("pk")[:1])
    last = OpelRuleSet.objects.filter(organisation=organisation).order_by("-number").first()
    if seen is not None and seen != (last.number if last else 0):
        raise Refused(_("Somebody has kept another version meanwhile. Look at it first."))
    example = rules.example or bool(invented(labels))
    marked = {"example": True} if example else {}
    content = json.loads(json.dumps(dict(said) | marked, default=str))
    if last is not None and last.said == content:
        return last
    row = OpelRuleSet.objects.create(
        organisation=organisation,
        number=last.number + 1 if last else 1,
        code=rules.code,
        name=rules.name,
        valid_from=rules.valid_from,
        valid_until=rules.valid_until,
        is_example=example,
        said=content,
        labels={name: dict(label) for name, label in labels.items()},
        note=note,
        by=by,
    )
    transaction.on_commit(lambda: ring(["escalation"]))
    return row


def labels_of_file(said: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The labels of a content as a file has it: what it lists under `published` is; what an
    example holds besides is invented; what else is there, somebody filled in."""
    published = set(said.get("published") or ())
    rest = EXAMPLE if said.get("example") else FILLED_IN

    def label(name: str, holds: object) -> dict[str, str]:
        if not holds:
            return {"kind": NOT_SET}
        return {"kind": PUBLISHED if name in published else rest}

    found = {one["code"]: label(one["code"], one.get("scores")) for one in said["parameters"]}
    dates = PUBLISHED if said.get("dates_confirmed") else NOT_CONFIRMED
    if said.get("example"):
        dates = EXAMPLE
    return found | {BANDS: label(BANDS, said.get("bands")), DATES: {"kind": dates}}


def amended(
    last: Stored, *, said: Mapping[str, Any], by: User, at: datetime
) -> dict[str, dict[str, str]]:
    """The labels of a content that somebody made from `last`: what they changed is filled in by
    them, what they left is what it was."""
    before = {one["code"]: one.get("scores") or {} for one in last.row.said["parameters"]}
    found = {}
    mine = {"kind": FILLED_IN, "by": str(by), "on": f"{at.date():%Y-%m-%d}"}
    for one in said["parameters"]:
        scores = one.get("scores") or {}
        known = last.row.labels.get(one["code"], {"kind": NOT_SET})
        same = scores == before.get(one["code"])
        found[one["code"]] = dict(known) if same else dict(mine) if scores else {"kind": NOT_SET}
    bands = said.get("bands") or {}
    same = bands == (last.row.said.get("bands") or {})
    known = last.row.labels.get(BANDS, {"kind": NOT_SET})
    found[BANDS] = dict(known) if same else dict(mine) if bands else {"kind": NOT_SET}
    known = last.row.labels.get(DATES, {"kind": NOT_CONFIRMED})
    found[DATES] = dict(known) if _dates(said) == _dates(last.row.said) else dict(mine)
    return found


def _dates(said: Mapping[str, Any]) -> tuple[str, str]:
    return str(said["valid_from"]), str(said.get("valid_until") or "")


def will_hold(
    valid_from: date, valid_until: date | None, organisation: Organisation | None, *, on: date
) -> bool:
    """Whether a next version valid so would hold on any day from `on`: of those valid on a day the
    one valid from the latest day holds, so that an earlier one comes to hold only where that
    ends."""
    others = [
        row for row in OpelRuleSet.objects.filter(organisation=organisation)
        if row.valid_from > valid_from
    ]  # fmt: skip
    first = max(on, valid_from)
    days = [first, *(row.valid_until for row in others if row.valid_until)]
    return any(
        day >= first
        and (valid_until is None or day < valid_until)
        and not any(
            row.valid_from <= day and (row.valid_until is None or day < row.valid_until)
            for row in others
        )
        for day in days
    )
