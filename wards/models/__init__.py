"""Places and who is in them."""

from wards.models.access import Grant
from wards.models.places import Bay, Bed, BedStatus, Closure, Opening, Site, Ward
from wards.models.stays import BedRequest, DirtyWard, Movement, Occupancy

__all__ = [
    "Bay",
    "Bed",
    "BedRequest",
    "BedStatus",
    "Closure",
    "DirtyWard",
    "Grant",
    "Movement",
    "Occupancy",
    "Opening",
    "Site",
    "Ward",
]
