"""The names of the grades of the Clinical Frailty Scale, version 2.0.

Rockwood K, Theou O. Using the Clinical Frailty Scale in allocating scarce health care resources.
Can Geriatr J 2020;23:210-215. It is scored as the person was two weeks before they fell ill, and
was validated for people of 65 and over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

GRADES: Final[Mapping[int, Promise]] = {
    1: _("Very fit"),
    2: _("Fit"),
    3: _("Managing well"),
    4: _("Living with very mild frailty"),
    5: _("Living with mild frailty"),
    6: _("Living with moderate frailty"),
    7: _("Living with severe frailty"),
    8: _("Living with very severe frailty"),
    9: _("Terminally ill"),
}
SCALE: Final = _(
    "Clinical Frailty Scale, version 2.0 (Rockwood K, Theou O, Can Geriatr J 2020;23:210-215): how "
    "they were two weeks before they fell ill. Scored for people of 65 and over."
)
SCORED_FROM: Final = 65
"""Age in years from which it is scored."""
