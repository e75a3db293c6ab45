"""Keeping what was computed: whenever it is another than before, and each hour."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction

from huddles.escalation.standing import Standing, standings
from huddles.models import NoticeRule, OpelAssessment
from live.doorbell import ring
from wards.models import Site

HOURLY: Final = timedelta(hours=1)
_LOCK: Final = 0x6F70656C
"""The advisory lock under which assessments are written ("opel")."""

Thresholds = Mapping[int, frozenset[tuple[str, float]]]
"""By site, the values of parameters past which somebody wants to be told."""


@dataclass(frozen=True, slots=True)
class Written:
    """An assessment that was written, and the one before it, if any."""

    now: OpelAssessment
    before: OpelAssessment | None


def assessed_sites() -> list[Site]:
    """The sites that escalate: acute hospitals."""
    return list(Site.objects.filter(kind=Site.Kind.ACUTE).select_related("organisation"))


def assess(*, at: datetime) -> list[Written]:
    """Compute every site and the system, and keep what is another than before; what was written.

    Safe with any number of workers: whoever comes while another is at it leaves at once, and a
    moment before the last one kept is not assessed again.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            row = cursor.fetchone()
        if row is None or not row[0]:
            return []
        sites = assessed_sites()
        found = standings(sites, at=at)
        every = [*found.sites.values(), found.system]
        last = _last(sites)
        watched = _watched()
        written = []
        for one in every:
            key = one.site.pk if one.site else None
            before, fresh = last.get(key), _row(one)
            if fresh is None or (before is not None and before.at >= at):
                continue
            if before is None or _differs(before, fresh, watched.get(key or 0, frozenset())):
                written.append(Written(fresh, before))
        OpelAssessment.objects.bulk_create([one.now for one in written])
        names = _names(one.now for one in written)
        transaction.on_commit(lambda: ring(names))
    return written


def _last(sites: Collection[Site]) -> dict[int | None, OpelAssessment]:
    """The one kept last of each site and of the system; a read of the index for each."""
    parts = [OpelAssessment.objects.filter(site=None).order_by("-at")[:1]]
    parts += [OpelAssessment.objects.filter(site=one).order_by("-at")[:1] for one in sites]
    rows = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
    return {row.site_id: row for row in rows}


def _row(one: Standing) -> OpelAssessment | None:
    reached = one.reached
    if reached is None or one.stored is None:
        return None
    low, high = reached.levels or (None, None)
    return OpelAssessment(
        site=one.site,
        at=one.at,
        rule_set=one.stored.row,
        # A mean of sites is no whole number; a hair's breadth from floating point is no change.
        score=round(reached.score, 6),
        lowest=round(reached.lowest, 6),
        highest=round(reached.highest, 6),
        level=reached.level,
        level_lowest=low,
        level_highest=high,
        inputs=_inputs(one),
    )


def _inputs(one: Standing) -> dict[str, Any]:
    """Every value as it was; of the system what each site scored."""
    if one.site is None:
        return {
            share.site.code: {
                "share": round(share.share, 6),
                "score": share.result.score,
                "lowest": share.result.lowest,
                "highest": share.result.highest,
                "level": share.result.level,
            }
            for share in one.shares
        }
    return {
        line.parameter.code: {
            "value": line.told.value if line.told else None,
            "as_at": line.told.as_at.isoformat() if line.told else None,
            "source": line.source,
            "score": line.scored.score,
            "stale": line.scored.stale,
        }
        for line in one.lines
    }


def _differs(
    before: OpelAssessment, now: OpelAssessment, watched: Iterable[tuple[str, float]]
) -> bool:
    said = ("rule_set_id", "score", "lowest", "highest", "level", "level_lowest", "level_highest")
    if any(getattr(before, name) != getattr(now, name) for name in said):
        return True
    if now.at - before.at >= HOURLY:
        return True
    if now.site_id is not None and _sources(before) != _sources(now):
        return True
    return any(is_past(before, code, limit) != is_past(now, code, limit) for code, limit in watched)


def _sources(row: OpelAssessment) -> dict[str, tuple[str, bool]]:
    return {code: (said["source"], said["stale"]) for code, said in row.inputs.items()}


def value_in(row: OpelAssessment, code: str) -> float | None:
    """The fresh value of a parameter in an assessment of a site; None where there was none."""
    said = row.inputs.get(code)
    if not said or said["stale"] or said["value"] is None:
        return None
    return float(said["value"])


def is_past(row: OpelAssessment | None, code: str, limit: float) -> bool:
    """Whether the value was beyond the limit, towards the worse by the rules of the time."""
    if row is None or (value := value_in(row, code)) is None:
        return False
    falls = any(
        one["code"] == code and one["worse"] == "lower" for one in row.rule_set.said["parameters"]
    )
    return value < limit if falls else value > limit


def _watched() -> dict[int, frozenset[tuple[str, float]]]:
    rules = NoticeRule.objects.filter(about=NoticeRule.About.VALUE, ended_at=None)
    found: dict[int, set[tuple[str, float]]] = {}
    for site, code, limit in rules.values_list("site", "parameter", "threshold"):
        found.setdefault(site or 0, set()).add((code, limit or 0.0))
    return {site: frozenset(those) for site, those in found.items()}


def _names(rows: Iterable[OpelAssessment]) -> list[str]:
    keys = {row.site_id for row in rows}
    if not keys:
        return []
    return ["escalation", *(f"escalation:{key}" for key in keys if key)]
