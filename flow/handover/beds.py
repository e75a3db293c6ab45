"""What happened to beds: held and lost, given against a rule, closed and opened again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from django.urls import reverse
from django.utils.translation import gettext as _

from flow.handover.since import in_short
from flow.handover.types import Kind, Told
from flow.reading import person_sql, read
from wards.breaches import lay_there
from wards.models import Closure, Reservation, Rule

_PATIENT: Final = """
  JOIN patients_episode e ON e.id = x.episode_id
  JOIN wards_bed bed ON bed.id = x.bed_id
  JOIN wards_ward ward ON ward.id = bed.ward_id
  LEFT JOIN LATERAL (
       SELECT o.ward_id FROM wards_occupancy o WHERE o.episode_id = e.id
        ORDER BY lower(o.period) DESC LIMIT 1) place ON true"""
_HOLDS_SQL: Final = f"""
SELECT upper(x.period), CASE WHEN x.status = 'held' THEN 'lapsed' ELSE x.status END,
       e.id, e.patient_id, ward.id, ward.name, bed.label, place.ward_id, asked.ward_id
  FROM wards_reservation x {_PATIENT}
  LEFT JOIN wards_bedrequest asked ON asked.episode_id = e.id AND asked.key = x.key
 WHERE x.status IN ('held', 'lapsed', 'lost')
   AND upper(x.period) >= %(since)s AND upper(x.period) < %(until)s
   AND (ward.id = ANY(%(wards)s) OR place.ward_id = ANY(%(wards)s)
        OR asked.ward_id = ANY(%(wards)s))
"""  # noqa: S608 - names of ours alone; the values travel as parameters


def holds_over(*, since: datetime, until: datetime, wards: Collection[int]) -> list[Told]:
    """Beds that were held and ran out, or were lost to somebody else, in `[since, until)`; one
    query. The patient is named to whoever sees them where they are, or where they are to come."""
    rows = read(_HOLDS_SQL, _params(since, until, wards))
    return [
        Told(
            kind=Kind.HOLD_OVER,
            at=at,
            told_at=at,
            wards=(here, asked),
            words=_("%(ward)s, bed %(bed)s: %(why)s")
            % {"ward": ward, "bed": bed, "why": Reservation.Status(why).label.lower()},
            patient=patient,
            episode=episode,
            address=reverse("flow:stay", args=[episode]),
        )
        for at, why, episode, patient, _ward, ward, bed, here, asked in rows
    ]


_OVERRIDES_SQL: Final = f"""
SELECT x.occurred_at, x.recorded_at, x.rule, coalesce(rule.title, x.rule),
       CASE WHEN {lay_there("x")} THEN x.breach ELSE '' END, x.reason,
       {person_sql("u")},
       e.id, e.patient_id, ward.id, ward.name, bed.label, place.ward_id
  FROM wards_override x {_PATIENT}
  JOIN accounts_user u ON u.id = x.by_id
  LEFT JOIN wards_rule rule ON rule.book_id = x.book_id AND rule.code = x.rule
 WHERE x.recorded_at >= %(since)s AND x.recorded_at < %(until)s
   AND (ward.id = ANY(%(wards)s) OR place.ward_id = ANY(%(wards)s))
"""  # noqa: S608 - names of ours alone; the values travel as parameters


def overrides(*, since: datetime, until: datetime, wards: Collection[int]) -> list[Told]:
    """Rules set aside in `[since, until)`: which, by whom, why, and as what it counts once
    somebody lay there (`wards.breaches`); one query.
    The reason is somebody's own words, for those who may see the patient."""
    found = []
    rows = read(_OVERRIDES_SQL, _params(since, until, wards))
    for at, told_at, _code, title, breach, reason, by, episode, patient, *place in rows:
        _ward, ward, bed, here = place
        words = _("%(rule)s: %(ward)s, bed %(bed)s, by %(by)s") % {
            "rule": title,
            "ward": ward,
            "bed": bed,
            "by": by,
        }
        counts = Rule.Breach(breach).label if breach else ""
        found.append(
            Told(
                kind=Kind.OVERRIDE,
                at=at,
                told_at=told_at,
                wards=(here,),
                words=words,
                more=_("counted as %(what)s") % {"what": counts.lower()} if counts else "",
                private=reason,
                patient=patient,
                episode=episode,
                address=reverse("flow:stay", args=[episode]),
            )
        )
    return found


_SHUT_SQL: Final = """
SELECT x.id, lower(x.period), upper(x.period), x.recorded_at,
       (SELECT min(was.pgh_created_at) FROM {table}event was
         WHERE was.pgh_obj_id = x.id AND upper(was.period) = upper(x.period)),
       ward.id, ward.name, bed.id, coalesce(bed.label, ''), {more}
       coalesce({by}, '')
  FROM {table} x {joins}
  LEFT JOIN accounts_user u ON u.id = x.by_id
 WHERE ward.id = ANY(%(wards)s)
   AND (x.recorded_at >= %(since)s OR upper(x.period) >= %(since)s
        OR EXISTS (SELECT 1 FROM {table}event was
                    WHERE was.pgh_obj_id = x.id AND was.pgh_label = 'update'
                      AND was.pgh_created_at >= %(since)s))
"""


def closures(*, since: datetime, until: datetime, wards: Collection[int]) -> list[Told]:
    """Beds, bays and wards that were recorded to be closed, or open again, in `[since, until)`;
    one query."""
    sql = _SHUT_SQL.format(
        table="wards_closure",
        by=person_sql("u"),
        more="x.reason, x.note, coalesce(nullif(bay.name, ''), bay.code, ''),",
        joins="""JOIN wards_ward ward ON ward.id = x.ward_id
  LEFT JOIN wards_bed bed ON bed.id = x.bed_id
  LEFT JOIN wards_bay bay ON bay.id = x.bay_id""",
    )
    found = []
    for _id, start, stop, told, stop_told, *rest in read(sql, _params(since, until, wards)):
        ward, name, bed, label, reason, note, bay, by = rest
        where = name + (f", {bay}" if bay else "")
        if label:
            where = _("%(ward)s, bed %(bed)s") % {"ward": name, "bed": label}
        words = f"{where}: {Closure.Reason(reason).label.lower()}"
        address = reverse("flow:bed", args=[bed]) if bed else ""
        if since <= told < until:
            more = [_("by %(who)s") % {"who": by}] if by else []
            more += [note] if note else []
            if start > until:
                more.append(_("from %(when)s") % {"when": in_short(start)})
            found.append(
                Told(Kind.BED_CLOSED, start, told, (ward,), words, more=" · ".join(more),
                     address=address)
            )  # fmt: skip
        found += _ended(Kind.BED_REOPENED, stop, stop_told, ward, words, address, since, until)
    return found


def openings(*, since: datetime, until: datetime, wards: Collection[int]) -> list[Told]:
    """Escalation beds that were recorded to be opened, or closed again, in `[since, until)`; one
    query."""
    sql = _SHUT_SQL.format(
        table="wards_opening",
        by=person_sql("u"),
        more="",
        joins="JOIN wards_bed bed ON bed.id = x.bed_id JOIN wards_ward ward"
        " ON ward.id = bed.ward_id",
    )
    found = []
    for _id, start, stop, told, stop_told, *rest in read(sql, _params(since, until, wards)):
        ward, name, bed, label, by = rest
        words = _("%(ward)s, bed %(bed)s") % {"ward": name, "bed": label}
        address = reverse("flow:bed", args=[bed])
        if since <= told < until:
            more = _("by %(who)s") % {"who": by} if by else ""
            found.append(
                Told(Kind.ESCALATION_OPENED, start, told, (ward,), words, more=more,
                     address=address)
            )  # fmt: skip
        found += _ended(Kind.ESCALATION_CLOSED, stop, stop_told, ward, words, address, since, until)
    return found


def _ended(
    kind: Kind,
    stop: datetime | None,
    stop_told: datetime | None,
    ward: int,
    words: str,
    address: str,
    since: datetime,
    until: datetime,
) -> list[Told]:
    """That it ended, where both that it did and that it was said lie before `until`."""
    if stop is None or stop >= until:
        return []
    known = max(stop, stop_told or stop)
    if not since <= known < until:
        return []
    return [Told(kind, stop, known, (ward,), words, address=address)]


def _params(since: datetime, until: datetime, wards: Collection[int]) -> dict[str, Any]:
    return {"since": since, "until": until, "wards": sorted(wards)}
