"""Who somebody is, as a board shows them to a viewer who may see it."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q

from flow.board_types import Face
from patients.models import Patient


def faces(patients: Collection[int]) -> dict[int, Face]:
    """The face of each record, by its primary key; one query.

    Of merged records, the one whose details count speaks for all. Who is restricted in any
    of them is shown as restricted and no more.
    """
    if not patients:
        return {}
    same = Patient.objects.filter(pk__in=list(patients)).values("person_id")
    found = Patient.objects.filter(Q(pk__in=list(patients)) | Q(person_id__in=same))
    records = {record.pk: record for record in found}
    return {pk: _face(records, pk) for pk in patients if pk in records}


def _face(records: dict[int, Patient], pk: int) -> Face:
    way = [records[pk]]
    while (following := records.get(way[-1].merged_into_id or 0)) and following not in way:
        way.append(following)
    said = way[-1]
    if any(record.is_restricted for record in way):
        return Face(patient=said.pk, restricted=True)
    return Face(
        patient=said.pk,
        name=said.display_name,
        initials=said.initials,
        nhs_number=said.nhs_number,
        identifier=said.identifier,
        date_of_birth=said.date_of_birth,
        sex=said.sex,
    )
