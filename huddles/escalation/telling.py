"""Telling the boards of the levels of sites: as declared, and as last kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.urls import reverse

from flow.levels import LevelSaid
from flow.reading import read
from wards.models import Site


def levels_at(at: datetime) -> Mapping[int, LevelSaid]:
    """The levels of every site that escalates, by its key; one query."""
    latest = "WHERE said.site_id = site.id AND said.at <= %(at)s ORDER BY said.at DESC LIMIT 1"
    sql = f"""
SELECT site.id, site.code, declared.level, computed.level_lowest, computed.level_highest
  FROM wards_site site
  LEFT JOIN LATERAL (SELECT level FROM huddles_opeldeclaration said {latest}) declared ON true
  LEFT JOIN LATERAL (SELECT level_lowest, level_highest
                       FROM huddles_opelassessment said {latest}) computed ON true
 WHERE site.kind = %(acute)s
"""  # noqa: S608 - a condition of this module; the values travel as parameters
    return {
        key: LevelSaid(declared, low, high, reverse("escalation:site", args=[code]))
        for key, code, declared, low, high in read(sql, {"at": at, "acute": Site.Kind.ACUTE})
    }
