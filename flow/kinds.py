"""What kinds of ward there are for the whole-system view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flow.figure_types import Group
from flow.flow_map_types import Node
from wards.models import Ward

_K = Ward.Kind

GROUP_OF: Final[Mapping[str, Group]] = {
    _K.ASSESSMENT: Group.INPATIENT,
    _K.INPATIENT: Group.INPATIENT,
    _K.CRITICAL_CARE: Group.INPATIENT,
    _K.MATERNITY: Group.INPATIENT,
    _K.COMMUNITY: Group.INPATIENT,
    _K.VIRTUAL: Group.HOME,
    _K.REABLEMENT: Group.HOME,
    _K.CARE_HOME: Group.HOME,
    _K.EMERGENCY: Group.EMERGENCY,
    _K.DAY_CASE: Group.DAY,
    _K.THEATRE: Group.DAY,
    _K.CLINIC: Group.DAY,
    _K.DISCHARGE_LOUNGE: Group.LOUNGE,
    _K.UNRECOGNISED: Group.UNRECOGNISED,
}
"""With what a ward of each kind is added up."""

INPATIENT: Final = sorted(kind for kind, group in GROUP_OF.items() if group is Group.INPATIENT)
"""Kinds of ward on which a stay can be a long one: a care home is meant to be lived in."""

NODE_OF: Final[Mapping[str, Node]] = {
    _K.EMERGENCY: Node.EMERGENCY,
    _K.ASSESSMENT: Node.ASSESSMENT,
    _K.INPATIENT: Node.WARDS,
    _K.MATERNITY: Node.WARDS,
    _K.CRITICAL_CARE: Node.CRITICAL_CARE,
    _K.DAY_CASE: Node.OTHER_UNIT,
    _K.THEATRE: Node.OTHER_UNIT,
    _K.DISCHARGE_LOUNGE: Node.OTHER_UNIT,
    _K.CLINIC: Node.OTHER_UNIT,
    _K.UNRECOGNISED: Node.UNRECOGNISED,
    _K.COMMUNITY: Node.COMMUNITY,
    _K.VIRTUAL: Node.VIRTUAL,
    _K.REABLEMENT: Node.REABLEMENT,
    _K.CARE_HOME: Node.CARE_HOME,
}
"""Where a ward of each kind stands on the flow map."""
