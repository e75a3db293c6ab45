"""Telling the boards of the levels of sites: as declared, and as last kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.urls import reverse

from flow.levels import LevelSaid
from flow.reading import read
from huddles.escalation.assessing import HOURLY
from huddles.escalation.rule_sets import IS_EXAMPLE
from wards.models import Site

KEPT_FOR: Final = HOURLY + timedelta(minutes=15)
"""What was computed is kept each hour: whatever is older than this and a little more, nobody has
computed since."""


def levels_at(at: datetime) -> Mapping[int, LevelSaid]:
    """The levels of every site that escalates, by its key; one query."""
    latest = "WHERE said.site_id = site.id AND said.at <= %(at)s ORDER BY said.at DESC LIMIT 1"
    sql = f"""
SELECT site.id, site.code, declared.level, computed.level_lowest, computed.level_highest,
       {IS_EXAMPLE},
       CASE WHEN computed.at < %(since)s THEN computed.at END
  FROM wards_site site
  LEFT JOIN LATERAL (SELECT level FROM huddles_opeldeclaration said {latest}) declared ON true
  LEFT JOIN LATERAL (SELECT at, level_lowest, level_highest, rule_set_id
                       FROM huddles_opelassessment said {latest}) computed ON true
  LEFT JOIN huddles_opelruleset rules ON rules.id = computed.rule_set_id
 WHERE site.kind = %(acute)s
"""  # noqa: S608 - a condition of this module; the values travel as parameters
    asked = {"at": at, "since": at - KEPT_FOR, "acute": Site.Kind.ACUTE}
    return {
        key: LevelSaid(
            declared, low, high, bool(example), late, reverse("escalation:site", args=[code])
        )
        for key, code, declared, low, high, example, late in read(sql, asked)
    }
