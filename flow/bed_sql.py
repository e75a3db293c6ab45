"""The one definition of what a bed is at a moment, as SQL.

`counts` groups it and the ward board lists it, so that a tile and a figure cannot disagree.
"""

from __future__ import annotations

from flow.moment import Moment, held, said_by


def people(moment: Moment) -> str:
    """The named subqueries `occupied` and `asked` of a WITH clause.

    Named parameters: `at` and `known_at` (see `Moment.params`).

    occupied: every occupancy of the moment. asked: every open bed request of somebody who is here
    (those only expected are listed apart: `flow.bed_rows.arrivals_of`) with the ward it
    counts on (`counts_on`), the one asked for (`target`), the one the patient is on (`origin`)
    and the one a discharge counts on (`leaves`).
    """
    return f"""
occupied AS MATERIALIZED {held("wards_occupancy", moment)},
asked AS MATERIALIZED (
    SELECT r.id, r.episode_id, r.kind, r.period, r.ward_id AS target, o.ward_id AS origin,
           coalesce(r.ward_id, r.from_ward_id, o.ward_id) AS counts_on,
           coalesce(o.ward_id, r.from_ward_id) AS leaves, p.person_id
      FROM {held("wards_bedrequest", moment)} r
      JOIN patients_episode e ON e.id = r.episode_id
      JOIN patients_patient p ON p.id = e.patient_id
      LEFT JOIN occupied o ON o.person_id = p.person_id
     WHERE r.kind <> 'expected'
)"""  # noqa: S608 - the text holds names and conditions of this package alone


def common(moment: Moment, *, everywhere: bool = False) -> str:
    """The named subqueries of `people`, and `closed`, `opened` and `beds`.

    Named parameters: those of `people` and, unless `everywhere`, `wards`, a list of keys.

    beds: each bed chosen, with `state` (see `BedState`), the state that it would be in without
    a patient (`empty_state`), the latest status told of it, its closure and its occupancy.
    """
    chosen = "true" if everywhere else "b.ward_id = ANY(%(wards)s)"
    return f"""
{people(moment)},
closed AS MATERIALIZED {held("wards_closure", moment)},
opened AS MATERIALIZED {held("wards_opening", moment)},
places AS (
    SELECT b.id, b.ward_id, b.bay_id, b.label, b.kind, b.funding, b.features, b.position,
           told.status, told.level, told.occurred_at AS status_since,
           c.id AS closure_id, c.reason, c.note, c.period AS closed_period,
           opening.period AS opened_period,
           o.id AS occupancy_id, lower(o.period) AS occupied_since,
           CASE
             WHEN NOT b.is_recognised OR NOT coalesce(b.in_use @> %(at)s::timestamptz, true)
               THEN 'unlisted'
             WHEN b.funding = 'escalation' AND opening.id IS NULL THEN 'not_opened'
             WHEN c.id IS NOT NULL OR told.status = 'C' THEN 'closed'
             WHEN told.status IN ('H', 'K') THEN 'unready'
             ELSE 'available'
           END AS empty_state
      FROM wards_bed b
      LEFT JOIN occupied o ON o.bed_id = b.id
      LEFT JOIN opened opening ON opening.bed_id = b.id
      LEFT JOIN LATERAL (
           SELECT closed.* FROM closed
            WHERE closed.ward_id = b.ward_id
              AND coalesce(closed.bed_id = b.id, closed.bay_id = b.bay_id,
                           closed.bed_id IS NULL AND closed.bay_id IS NULL)
            ORDER BY closed.bed_id IS NOT NULL, closed.bay_id IS NOT NULL, closed.id
            LIMIT 1) c ON true
      LEFT JOIN LATERAL (
           SELECT latest.status, latest.level, latest.occurred_at
             FROM (SELECT b.id UNION ALL
                   SELECT alias.id FROM wards_bed alias WHERE alias.same_as_id = b.id) known(id)
            CROSS JOIN LATERAL (
                 SELECT s.status, s.level, s.occurred_at, s.sent_at, s.key
                   FROM wards_bedstatus s
                  WHERE s.bed_id = known.id AND s.occurred_at <= %(at)s
                    AND {said_by(moment, "s")}
                  ORDER BY s.occurred_at DESC, s.sent_at DESC, s.key DESC
                  LIMIT 1) latest
            ORDER BY latest.occurred_at DESC, latest.sent_at DESC, latest.key DESC
            LIMIT 1) told ON true
     WHERE b.same_as_id IS NULL AND {chosen}
),
beds AS MATERIALIZED (
    SELECT places.*,
           CASE WHEN occupancy_id IS NOT NULL AND empty_state <> 'unlisted' THEN 'occupied'
                ELSE empty_state END AS state
      FROM places
)"""  # noqa: S608 - the text holds names and conditions of this package alone
