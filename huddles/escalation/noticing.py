"""Finding what somebody wants to be told of: each change once for each rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from flow.reading import read_as
from huddles.escalation.assessing import is_past, value_in
from huddles.escalation.rule_sets import invented
from huddles.models import Notice, NoticeRule, OpelAssessment, OpelDeclaration
from wards.models import Site

LOOK: Final = timedelta(days=1)
"""How far back changes are looked for: so long may the worker be away and nothing is missed."""
_BEFORE: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Change:
    """A level that changed. key: of what says so. before: None where there was none."""

    key: int
    site: int | None
    at: datetime
    level: int
    before: int | None


def note(*, now: datetime) -> int:
    """Write a notice for each change and each rule that speaks of it; how many were new."""
    if not settings.MAIL_READY:
        return 0
    rules = list(
        NoticeRule.objects.filter(ended_at=None, user__is_active=True).select_related("site")
    )
    about = NoticeRule.About
    found: list[Notice] = []
    for kind, changes in ((about.DECLARED, declared), (about.COMPUTED, computed)):
        mine = [rule for rule in rules if rule.about == kind]
        if mine:
            found += _of_levels(mine, changes(now), now)
    of_values = [rule for rule in rules if rule.about == about.VALUE]
    for site in {rule.site_id for rule in of_values}:
        rows = OpelAssessment.objects.filter(site=site, at__gt=now - LOOK, at__lte=now)
        course = list(rows.select_related("rule_set").order_by("at"))
        for rule in of_values:
            found += _of_value(rule, course) if rule.site_id == site else []
    before = Notice.objects.count() if found else 0
    Notice.objects.bulk_create(found, ignore_conflicts=True)
    return Notice.objects.count() - before if found else 0


def declared(now: datetime) -> list[Change]:
    """The levels declared lately, each with the one before it."""
    return _changes("huddles_opeldeclaration", "true", now)


def computed(now: datetime) -> list[Change]:
    """Where the level that is certain became another lately. One that is not certain is no
    change: the page shows it, and nothing moves."""
    return _changes("huddles_opelassessment", "level IS NOT NULL", now)


def _changes(table: str, which: str, now: datetime) -> list[Change]:
    sql = f"""
SELECT key, site, at, level, before
  FROM (SELECT id AS key, site_id AS site, at, level,
               lag(level) OVER (PARTITION BY site_id ORDER BY at) AS before
          FROM {table} WHERE {which} AND at > %(oldest)s AND at <= %(now)s) said
 WHERE level IS DISTINCT FROM before AND at > %(since)s
 ORDER BY at
"""  # noqa: S608 - tables and conditions of this module
    asked = {"now": now, "since": now - LOOK, "oldest": now - _BEFORE}
    return read_as(Change, sql, asked)


def _of_levels(
    rules: Iterable[NoticeRule], changes: Sequence[Change], now: datetime
) -> list[Notice]:
    return [
        _notice(rule, f"{rule.about}:{one.key}", _words(rule, one), one.at)
        for rule in rules
        for one in changes
        if one.site == rule.site_id and one.at >= rule.made_at and _speaks(rule, one)
    ]


def _speaks(rule: NoticeRule, change: Change) -> bool:
    """Whether the level is so high, or no longer is."""
    least = rule.level or 1
    return change.level >= least or (change.before is not None and change.before >= least)


def _of_value(rule: NoticeRule, rows: Sequence[OpelAssessment]) -> list[Notice]:
    """Where the value got past the threshold; a time without a value changes nothing."""
    found = []
    was = True  # what came before is not known, and no news
    limit = rule.threshold or 0.0
    for row in rows:
        value = value_in(row, rule.parameter)
        if value is None:
            continue
        past = is_past(row, rule.parameter, limit)
        if past and not was and row.at >= rule.made_at:
            words = _value_words(rule, row, value)
            found.append(_notice(rule, f"value:{row.pk}", words, row.at))
        was = past
    return found


def _notice(rule: NoticeRule, cause: str, words: tuple[str, str], at: datetime) -> Notice:
    subject, text = words
    return Notice(
        rule=rule, cause=cause, subject=subject[:200], text=text[:1000], at=at, next_try_at=at
    )


def place_of(site: Site | None) -> str:
    """What a notice calls the place."""
    return site.name if site else _("The system")


def _words(rule: NoticeRule, change: Change) -> tuple[str, str]:
    """Subject and text. Never the reason that somebody gave: it is free text."""
    place, when = place_of(rule.site), timezone.localtime(change.at)
    if rule.about == NoticeRule.About.DECLARED:
        subject = _("%(place)s: OPEL %(level)d declared")
        said = OpelDeclaration.objects.select_related("by").get(pk=change.key)
        text = _("OPEL %(level)d was declared by %(who)s on %(when)s.")
        who = str(said.by)
    else:
        subject = _("%(place)s: computed level is OPEL %(level)d")
        text = _("The computed level is OPEL %(level)d since %(when)s. Nobody declared it by that.")
        who = ""
        if _is_example(change):
            subject = _("%(place)s: computed level is OPEL %(level)d (example, not official)")
            text = f"{text}\n{_('It comes of invented example cut-offs and is not official.')}"
    about = {"place": place, "level": change.level, "who": who, "when": f"{when:%a %-d %b %H:%M}"}
    lines = [text % about]
    if change.before is not None:
        lines.append(_("Before: OPEL %(level)d.") % {"level": change.before})
    return subject % about, "\n".join(lines)


def _is_example(change: Change) -> bool:
    row = OpelAssessment.objects.select_related("rule_set").get(pk=change.key)
    return row.rule_set.is_example or bool(invented(row.rule_set.labels))


def _value_words(rule: NoticeRule, row: OpelAssessment, value: float) -> tuple[str, str]:
    name, unit = rule.parameter, ""
    for one in row.rule_set.said["parameters"]:
        if one["code"] == rule.parameter:
            name, unit = one["name"], one["unit"]
    about = {
        "place": place_of(rule.site),
        "name": name,
        "value": f"{value:g}",
        "limit": f"{rule.threshold:g}",
        "unit": unit,
        "when": f"{timezone.localtime(row.at):%a %-d %b %H:%M}",
    }
    return (
        _("%(place)s: %(name)s is %(value)s %(unit)s") % about,
        _("%(name)s is %(value)s %(unit)s on %(when)s, past %(limit)s.") % about,
    )
