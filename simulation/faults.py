"""What goes wrong between the wards and the receiver, and how often.

Faults delay, repeat, reorder and contradict; none destroys anything. All that was true can be
worked out from the messages once the last of them has arrived, given the aliases of wards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Faults:
    """The chance that a message is affected, by kind.

    - `late_entry`: typed in late, by `late_minutes` (median; log-normal, up to hours). What
      follows for the same person is typed in after it.
    - `late_discharge`: the same for a discharge, by hours, so that the next patient is in the
      bed before the last one is known to have left.
    - `held_up`: written in time, arrives late and so out of order.
    - `repeated`: the same message arrives twice.
    - `wrong_bed`: a transfer into a wrong bed, cancelled and told again.
    - `not_gone`: a discharge typed in for a patient who stays, then cancelled.
    - `registered_twice`: a second admission of a patient, then cancelled.
    - `other_name`: an admission or transfer names a ward of `aliases` by its other name.
    - `local_segment`, `short_time`, `with_offset`: matters of style.
    """

    late_entry: float = 0.0
    late_minutes: float = 25.0
    late_discharge: float = 0.0
    held_up: float = 0.0
    repeated: float = 0.0
    wrong_bed: float = 0.0
    not_gone: float = 0.0
    registered_twice: float = 0.0
    other_name: float = 0.0
    local_segment: float = 0.0
    short_time: float = 0.0
    with_offset: float = 0.0
    aliases: Mapping[str, str] = field(default_factory=dict)


NONE: Final = Faults()

EVERYDAY: Final = Faults(
    late_entry=0.02,
    late_discharge=0.03,
    held_up=0.008,
    repeated=0.012,
    wrong_bed=0.006,
    not_gone=0.015,
    registered_twice=0.004,
    other_name=0.02,
    local_segment=0.03,
    short_time=0.03,
    with_offset=0.01,
    # The alias by which a system that was never cleaned up still knows a ward.
    aliases={"NGH-W12": "NGH WARD 12", "ERH-HAZ": "HAZEL", "NGH-SAU": "NGH-ESU"},
)
