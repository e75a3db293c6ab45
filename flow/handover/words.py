"""The words of a handover."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as lazy

from flow.handover.types import Kind, Lane

KINDS: Final[Mapping[Kind, tuple[str | Promise, str]]] = {
    Kind.ARRIVED: (lazy("Came to an emergency department"), "arriving"),
    Kind.ADMITTED: (lazy("Admitted to a ward"), "bed"),
    Kind.MOVED: (lazy("Moved between wards"), "transfer"),
    Kind.LEFT: (lazy("Discharged from a ward"), "leaving"),
    Kind.LEFT_EMERGENCY: (lazy("Left an emergency department, not admitted"), "leaving"),
    Kind.DIED: (lazy("Died"), "person"),
    Kind.TAKEN_BACK: (lazy("Taken back"), "past"),
    Kind.NEED_NEW: (lazy("New needs for a bed"), "waiting"),
    Kind.NEED_MET: (lazy("Needs met"), "free"),
    Kind.NEED_WITHDRAWN: (lazy("Needs withdrawn"), "close"),
    Kind.HOLD_OVER: (lazy("Held beds run out or lost"), "alert"),
    Kind.OVERRIDE: (lazy("Rules set aside"), "alert"),
    Kind.BED_CLOSED: (lazy("Closed"), "closed"),
    Kind.BED_REOPENED: (lazy("Open again"), "free"),
    Kind.ESCALATION_OPENED: (lazy("Escalation beds opened"), "escalation"),
    Kind.ESCALATION_CLOSED: (lazy("Escalation beds closed"), "not_opened"),
    Kind.CORRIDOR: (lazy("Cared for in a corridor"), "alert"),
    Kind.DEFINITE: (lazy("Discharges newly definite"), "leaving"),
    Kind.PUT_OFF: (lazy("Discharges put off"), "past"),
    Kind.BARRIER_RAISED: (lazy("Barriers raised"), "barrier"),
    Kind.BARRIER_OVER: (lazy("Barriers over"), "seen"),
    Kind.BARRIER_LATE: (lazy("Barriers past their target"), "alert"),
}
"""What each kind of change is called, and its icon."""

LANES: Final[Mapping[Lane, tuple[str | Promise, str]]] = {
    Lane.CLOCK: (lazy("Clocks run out"), "alert"),
    Lane.WANTED: (lazy("Beds wanted by"), "waiting"),
    Lane.HELD: (lazy("Held until"), "bed"),
    Lane.LEAVING: (lazy("Discharges"), "leaving"),
    Lane.ARRIVING: (lazy("Arrivals"), "arriving"),
    Lane.BARRIER: (lazy("Barriers due"), "barrier"),
    Lane.BED: (lazy("Beds open or close"), "closed"),
}
"""What each line of the picture is called, and its icon."""
