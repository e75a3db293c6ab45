"""The list of the hub as CSV, for those who may see the patients in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from flow.api.formats import as_csv, local_minute
from flow.discharges import DAY
from flow.hub.board import Hub, Line
from flow.moment import Moment


def csv_of(board: Hub, moment: Moment) -> bytes:
    """One line a patient, in the order of the list, under a line of names. Times are local, with
    their offset. Of a restricted record neither name nor number is written."""
    rows = [{name: of(line, moment) for name, of in COLUMNS.items()} for line in board.lines]
    return as_csv(rows, names=COLUMNS)


COLUMNS: Final[Mapping[str, Callable[[Line, Moment], object]]] = {
    "as_at": lambda line, moment: local_minute(moment.at),
    "known_at": lambda line, moment: local_minute(moment.known_at),
    "nhs_number": lambda line, moment: line.face.nhs_number if line.face else "",
    "hospital_number": lambda line, moment: line.face.identifier if line.face else "",
    "name": lambda line, moment: line.face.name if line.face else "",
    "restricted": lambda line, moment: bool(line.face and line.face.restricted),
    "site": lambda line, moment: line.stay.site,
    "ward": lambda line, moment: line.stay.ward,
    "ward_name": lambda line, moment: line.stay.ward_name,
    "bed": lambda line, moment: line.stay.bed,
    "admitted_at": lambda line, moment: local_minute(line.stay.admitted_at),
    "nights": lambda line, moment: line.nights,
    "criteria": lambda line, moment: line.state,
    "ready_since": lambda line, moment: local_minute(line.stay.ready_since),
    "days_since_ready": lambda line, moment: line.lost.days if line.stay.ready_since else None,
    "bed_days_lost": lambda line, moment: round(line.lost / DAY, 2),
    "pathway": lambda line, moment: line.stay.pathway,
    "reason": lambda line, moment: line.stay.reason,
    "reason_label": lambda line, moment: line.stay.label,
    "family": lambda line, moment: line.stay.family,
    "open_barriers": lambda line, moment: line.stay.barriers,
    "organisation": lambda line, moment: line.stay.organisation,
    "organisation_name": lambda line, moment: line.stay.organisation_name,
    "team": lambda line, moment: line.stay.team,
    "team_name": lambda line, moment: line.stay.team_name,
    "waiting_since": lambda line, moment: local_minute(line.stay.raised_at),
    "due_at": lambda line, moment: local_minute(line.stay.due_at),
    "overdue": lambda line, moment: line.stay.overdue(moment.at),
    "escalation_level": lambda line, moment: line.stay.level,
    "expected_discharge_at": lambda line, moment: local_minute(line.stay.expected_discharge_at),
    "last_review_at": lambda line, moment: local_minute(line.stay.reviewed_at),
    "next_step": lambda line, moment: line.stay.next_step,
    "referral": lambda line, moment: line.stay.referral,
    "referral_to": lambda line, moment: line.stay.referral_to,
    "referral_answer_due_at": lambda line, moment: local_minute(line.stay.answer_due_at),
    "referral_starts_at": lambda line, moment: local_minute(line.stay.starts_at),
}
"""What is written of each patient."""
