"""The figures of a line that are one number each: their names there and in the heads of tables."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from huddles.models import Figure

NUMBERS: Final = {
    Figure.BEDS_FREE: "beds_free",
    Figure.UNPLACED: "unplaced",
    Figure.OUTLIERS: "outliers",
    Figure.SIDE_ROOMS: "side_rooms",
    Figure.CLOSED: "closed",
}
OF_BEDS: Final = frozenset({Figure.BEDS_FREE, Figure.SIDE_ROOMS})
"""Of which the trolleys of an emergency department are none: nobody is admitted to one."""
SHORT: Final = {
    Figure.BEDS_FREE.value: _("Free now"),
    Figure.UNPLACED.value: _("Waiting"),
    Figure.OUTLIERS.value: _("Outliers"),
    Figure.SIDE_ROOMS.value: _("Side rooms"),
    Figure.CLOSED.value: _("Closed"),
}
"""In the head of a table, where there is little room."""
