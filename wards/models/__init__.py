"""Places and who is in them."""

from wards.models.access import Grant
from wards.models.places import Bay, Bed, BedStatus, Closure, Opening, Site, Ward
from wards.models.referrals import Referral, ReferralStep
from wards.models.stays import BedRequest, Belonging, DirtyWard, Movement, Occupancy

__all__ = [
    "Bay",
    "Bed",
    "BedRequest",
    "BedStatus",
    "Belonging",
    "Closure",
    "DirtyWard",
    "Grant",
    "Movement",
    "Occupancy",
    "Opening",
    "Referral",
    "ReferralStep",
    "Site",
    "Ward",
]
