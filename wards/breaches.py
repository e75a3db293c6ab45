"""When a rule that was set aside counts as a breach, not only as a decision."""

from __future__ import annotations

from typing import Final

_CAME: Final = """
(EXISTS (SELECT 1 FROM wards_movement moved
          WHERE moved.id = {0}.movement_id
            AND NOT EXISTS (SELECT 1 FROM wards_movement back WHERE back.cancels_id = moved.id))
 OR EXISTS (SELECT 1 FROM wards_reservation used
              JOIN patients_episode theirs ON theirs.id = used.episode_id
              JOIN patients_patient who ON who.id = theirs.patient_id
              JOIN wards_occupancy lay ON lay.person_id = who.person_id
                                      AND lay.bed_id = used.bed_id
             WHERE used.id = {0}.reservation_id AND used.status = 'used'
               AND lower(lay.period) BETWEEN lower(used.period) AND upper(used.period)))
"""


def lay_there(override: str) -> str:
    """SQL: whether somebody came to lie in the bed against the rule that the row of
    `wards_override`, by the name it has in the query, set aside.

    By the movement itself, unless it was taken back; of a bed that was held, where the hold was
    taken up. A hold that was given back or ran out mixed nobody. Whoever takes up the hold sets
    nothing aside anew (`wards.placing`), so that one decision counts once.
    """
    return _CAME.format(override)
