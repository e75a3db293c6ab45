"""Beds with their state and who is in them, as the API lists them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from flow.bed_rows import BedRow, StayRow, beds_of, stays_of
from flow.board_types import Face, Sight
from flow.boards_ward import since
from flow.faces import faces
from flow.moment import Moment
from wards.models import Ward


def bed_lists(
    wards: Collection[Ward], *, moment: Moment, sight: Sight
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The beds of the wards (fetched with their sites), and the patients there without a bed.

    Who is in a bed is told only of wards where `sight` shows patients. Beds that are not on the
    books are listed while somebody is in them. Three queries at most.
    """
    place = {ward.pk: ward for ward in wards}
    beds, stays = beds_of(place, moment), stays_of(place, moment)
    shown = [stay for stay in stays if sight.sees_patients(stay.ward)]
    known = faces({stay.patient for stay in shown})
    patients = {stay.id: patient(stay, known.get(stay.patient)) for stay in shown}
    starts = {stay.id: stay.since for stay in stays}
    wanted = {stay.wanted for stay in stays if stay.bed is None}
    listed = [
        _bed(
            bed,
            place[bed.ward],
            start=starts.get(bed.occupancy or 0),
            patient=patients.get(bed.occupancy or 0),
            clash=bed.id in wanted,
        )
        for bed in beds
        if bed.state != "unlisted" or bed.occupancy is not None
    ]
    bedless = [
        {
            "ward": place[stay.ward].code,
            "site": place[stay.ward].site.code,
            "since": stay.since,
            "wanted_bed": stay.wanted_label or None,
            "patient": patients.get(stay.id),
        }
        for stay in stays
        if stay.bed is None
    ]
    return listed, bedless


def _bed(
    bed: BedRow, ward: Ward, *, start: Any, patient: dict[str, Any] | None, clash: bool
) -> dict[str, Any]:
    return {
        "id": bed.id,
        "ward": ward.code,
        "site": ward.site.code,
        "bay": bed.bay_code or None,
        "bed": bed.label,
        "kind": bed.kind,
        "funding": bed.funding,
        "features": bed.features,
        "state": bed.state,
        "since": since(bed, start),
        "status": bed.status or None,
        "level": bed.level or None,
        "status_since": bed.status_since,
        "closure": bed.closure,
        "closed_reason": bed.closed_reason or None,
        "closed_since": bed.closed_since,
        "closed_until": bed.closed_until,
        "clash": clash,
        "patient": patient,
    }


def patient(stay: StayRow, face: Face | None) -> dict[str, Any]:
    """Somebody in a bed, for a caller who may see it."""
    return {
        "episode": stay.episode,
        "visit": stay.visit or None,
        **who(face),
        "since": stay.since,
        "admitted_at": stay.admitted_at,
        "expected_discharge_at": stay.expected_discharge_at,
        "specialty": stay.specialty or None,
        "on_leave": stay.on_leave,
    }


def who(face: Face | None) -> Mapping[str, Any]:
    """Numbers and details of a person; of a restricted record nothing but that."""
    if face is None or face.restricted:
        blank: dict[str, Any] = dict.fromkeys(("mrn", "nhs_number", "name", "date_of_birth", "sex"))
        return blank | {"restricted": face is not None}
    return {
        "mrn": face.identifier,
        "nhs_number": face.nhs_number or None,
        "name": face.name or None,
        "date_of_birth": face.date_of_birth,
        "sex": face.sex,
        "restricted": False,
    }
