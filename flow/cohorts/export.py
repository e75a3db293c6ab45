"""The people of a cohort as CSV, for those who may see who they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from flow.api.formats import as_csv, local_minute
from flow.cohorts.board import Board, Member
from flow.discharges import DAY
from flow.moment import Moment


def csv_of(board: Board, moment: Moment) -> bytes:
    """One line a person, in the order of the list, under a line of names. Times are local, with
    their offset. Of a restricted record neither name nor number is written."""
    rows = [{name: of(one, moment) for name, of in COLUMNS.items()} for one in board.listed]
    return as_csv(rows, names=COLUMNS)


COLUMNS: Final[Mapping[str, Callable[[Member, Moment], object]]] = {
    "as_at": lambda one, moment: local_minute(moment.at),
    "known_at": lambda one, moment: local_minute(moment.known_at),
    "nhs_number": lambda one, moment: one.face.nhs_number if one.face else "",
    "name": lambda one, moment: one.face.name if one.face else "",
    "restricted": lambda one, moment: bool(one.face and one.face.restricted),
    "phase": lambda one, moment: one.person.facts.phase.value,
    "step": lambda one, moment: one.person.step.value,
    "since": lambda one, moment: local_minute(one.person.since),
    "organisation": lambda one, moment: one.person.owner.organisation,
    "accountable": lambda one, moment: one.person.owner.name,
    "site": lambda one, moment: one.person.site,
    "ward": lambda one, moment: one.person.ward,
    "ward_name": lambda one, moment: one.person.ward_name,
    "bed": lambda one, moment: one.person.stay.bed if one.person.stay else "",
    "neighbourhood": lambda one, moment: one.person.facts.area,
    "expected_at": lambda one, moment: local_minute(one.person.due_at),
    "admitted_at": lambda one, moment: local_minute(one.person.admitted_at),
    "left_at": lambda one, moment: local_minute(one.person.left_at),
    "days": lambda one, moment: (
        None if one.person.facts.days is None else round(one.person.facts.days, 2)
    ),
    "ready_since": lambda one, moment: (
        local_minute(one.person.stay.ready_since) if one.person.stay else ""
    ),
    "bed_days_lost": lambda one, moment: round(one.lost(moment.at) / DAY, 2),
    "waiting_on": lambda one, moment: one.person.stay.label if one.person.stay else "",
    "frailty": lambda one, moment: one.person.facts.frailty,
    "residence": lambda one, moment: one.person.facts.residence,
    "band": lambda one, moment: one.risk.band if one.risk else "",
    "drivers": lambda one, moment: "; ".join(one.risk.drivers) if one.risk else "",
    "not_known": lambda one, moment: "; ".join(one.risk.lacks) if one.risk else "",
}
"""What is written of each person."""
