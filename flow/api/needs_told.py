"""A need for a bed, and what is known of beds for it, as the API tells them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from flow.api.bed_lists import who
from flow.desk.matches import Match
from flow.desk.types import HeldBed, Lapsed, Need
from patients.models import CareNeeds
from wards.care_needs import Needed
from wards.models import Reservation
from wards.suitability.findings import Finding


def need_told(
    need: Need, *, at: datetime, names: bool, ended_at: datetime | None = None
) -> dict[str, Any]:
    """A request. Of whom the caller may not see by name, only what the figures tell as well;
    `names`: whether the answer may name anybody."""
    sees = need.may_see
    hidden = need.face is None or need.face.restricted
    return {
        "id": need.id,
        "episode": need.episode if sees else None,
        "patient": dict(who(need.face)) if sees and names else None,
        "kind": need.kind.value,
        "priority": need.priority,
        "since": need.since,
        "due_at": need.due_at,
        "ended_at": ended_at,
        "from_ward": need.origin.code if need.origin else None,
        "from_site": need.origin.site if need.origin else None,
        "from_bed": (need.bed or None) if sees else None,
        "ward": need.target.code if need.target else None,
        "site": need.target.site if need.target else None,
        "specialty": need.specialty or None,
        "elective": need.elective,
        "asked_by": (need.asked_by or None) if sees else None,
        "note": (need.note or None) if sees else None,
        "sex": None if hidden else need.sex or None,
        "age": None if hidden else need.age,
        "waits_for": need.waits_for if ended_at is None else None,
        "clocks": [
            {
                "kind": clock.kind.value,
                "since": clock.since,
                "ends_at": clock.ends_at,
                "over": clock.is_over(at),
            }
            for clock in need.clocks
        ],
        "held": _held(need.held) if need.held else None,
        "lapsed": _lapsed(need.lapsed) if need.lapsed else None,
        "needs": needed_told(need.needed) if need.needed else None,
    }


def flat(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same for CSV: of the clocks only the one that runs out first, of lists their words."""
    found = []
    for row in rows:
        first: Mapping[str, Any] = min(
            row["clocks"], key=lambda clock: clock["ends_at"], default={}
        )
        rest = {name: value for name, value in row.items() if name not in ("clocks", "history")}
        found.append({**rest, "clock": {name: first.get(name) for name in ("kind", "ends_at")}})
    return found


def needed_told(needed: Needed) -> dict[str, Any]:
    """What somebody needs of a bed."""
    told = asdict(needed)
    return {name: list(v) if isinstance(v, tuple) else v for name, v in told.items()}


def said_told(row: CareNeeds) -> dict[str, Any]:
    """What was said at a time of what somebody needs."""
    return {
        "id": row.pk,
        "occurred_at": row.occurred_at,
        "recorded_at": row.recorded_at,
        "by": str(row.by) if row.by else None,
        **{one.name: getattr(row, one.name) for one in fields(Needed)},
    }


def reservation_told(row: Reservation) -> dict[str, Any]:
    """A bed that is or was held, and how that ended."""
    return {
        "id": row.pk,
        "bed": row.bed_id,
        "label": row.bed.label,
        "ward": row.bed.ward.code,
        "site": row.bed.ward.site.code,
        "since": row.period.lower,
        "until": row.period.upper,
        "status": row.status,
        "decided": row.decided,
        "by": str(row.by) if row.by else None,
        "overridden": [{"code": one.rule, "reason": one.reason} for one in row.overrides.all()],
    }


def match_told(match: Match, *, may_override: bool) -> dict[str, Any]:
    """A bed for a request, with what speaks for it and against it."""
    judged = match.judged
    return {
        "bed": match.bed,
        "label": match.label,
        "ward": match.ward.code,
        "site": match.ward.site,
        "bay": match.bay or None,
        "state": match.state.value,
        "ready_at": match.ready_at,
        "chance": round(match.chance, 3),
        "suitable": judged.suitable,
        "may_override": judged.overridable and may_override,
        "score": judged.score,
        "cost": round(judged.cost, 2),
        "reasons": [_reason(one) for one in (*judged.against, *judged.for_it)],
    }


def _reason(one: Finding) -> dict[str, Any]:
    return {
        "code": one.code,
        "title": one.title,
        "text": one.text,
        "speaks": "against" if one.against else "for",
        "hard": one.hard,
        "cost": round(one.cost, 2),
        "breach": one.breach or None,
    }


def _held(held: HeldBed) -> dict[str, Any]:
    return {
        "id": held.reservation,
        "bed": held.bed,
        "label": held.label,
        "ward": held.ward.code,
        "site": held.ward.site,
        "until": held.until,
        "decided": held.decided,
        "state": held.state,
    }


def _lapsed(lapsed: Lapsed) -> dict[str, Any]:
    return {
        "bed": lapsed.bed,
        "label": lapsed.label,
        "ward": lapsed.ward,
        "why": lapsed.why,
        "at": lapsed.at,
    }
