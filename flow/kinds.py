"""What kinds of ward there are for the whole-system view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flow.flow_map_types import Node
from wards.models import Ward

_K = Ward.Kind

OVERNIGHT: Final = frozenset(
    {
        _K.ASSESSMENT.value,
        _K.INPATIENT.value,
        _K.CRITICAL_CARE.value,
        _K.MATERNITY.value,
        _K.COMMUNITY.value,
        _K.VIRTUAL.value,
        _K.REABLEMENT.value,
        _K.CARE_HOME.value,
    }
)
"""Kinds whose beds are beds in the sense of a bed state: patients stay in them overnight."""

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
    _K.UNRECOGNISED: Node.OTHER_UNIT,
    _K.COMMUNITY: Node.COMMUNITY,
    _K.VIRTUAL: Node.VIRTUAL,
    _K.REABLEMENT: Node.REABLEMENT,
    _K.CARE_HOME: Node.CARE_HOME,
}
"""Where a ward of each kind stands on the flow map."""
