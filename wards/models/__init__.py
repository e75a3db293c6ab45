"""Places and who is in them."""

from wards.models.access import Grant
from wards.models.corridors import CorridorSignOff
from wards.models.places import Bay, Bed, BedStatus, Closure, Opening, Site, Ward
from wards.models.placing import (
    OutlierLine,
    Override,
    RequestTerms,
    Reservation,
    Rule,
    RuleBook,
    Staffing,
    WardLimits,
)
from wards.models.referrals import Referral, ReferralStep
from wards.models.stays import BedRequest, Belonging, DirtyWard, Movement, Occupancy

__all__ = [
    "Bay",
    "Bed",
    "BedRequest",
    "BedStatus",
    "Belonging",
    "Closure",
    "CorridorSignOff",
    "DirtyWard",
    "Grant",
    "Movement",
    "Occupancy",
    "Opening",
    "OutlierLine",
    "Override",
    "Referral",
    "ReferralStep",
    "RequestTerms",
    "Reservation",
    "Rule",
    "RuleBook",
    "Site",
    "Staffing",
    "Ward",
    "WardLimits",
]
