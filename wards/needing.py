"""What the rules are told of a person: from their stay, what was said of them, and the request."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from patients.models import CareNeeds, Episode, Patient
from wards.care_needs import latest
from wards.models import BedRequest, Occupancy, RequestTerms, Ward
from wards.suitability.facts import Isolation, NeedKind, Needs, Spot

_LONDON: Final = ZoneInfo("Europe/London")
_AT_HOME: Final = (
    Ward.Kind.COMMUNITY,
    Ward.Kind.VIRTUAL,
    Ward.Kind.REABLEMENT,
    Ward.Kind.CARE_HOME,
)
_ISOLATION: Final = {
    CareNeeds.Isolation.NONE: Isolation.NONE,
    CareNeeds.Isolation.SIDE_ROOM: Isolation.SIDE_ROOM,
    CareNeeds.Isolation.NEGATIVE_PRESSURE: Isolation.NEGATIVE_PRESSURE,
}
_SEXES: Final[Mapping[str, str]] = {
    Patient.Sex.FEMALE: "F",
    Patient.Sex.MALE: "M",
    Patient.Sex.OTHER: "X",
}
"""As the rules write them; of any other nothing is known."""


def needs_of(
    episodes: Collection[int],
    *,
    at: datetime,
    requests: Mapping[int, BedRequest] | None = None,
    terms: Mapping[int, RequestTerms] | None = None,
) -> dict[int, Needs]:
    """The needs of these stays by episode; three queries, however many.

    `requests`, `terms`: by episode, what is asked for those who wait. Give the requests with
    their wards fetched.
    """
    rows = (
        Episode.objects.filter(pk__in=list(episodes))
        .select_related("patient")
        .only(
            "specialty",
            "admission_method",
            "patient__sex",
            "patient__date_of_birth",
            "patient__person_id",
        )
    )
    said = latest(episodes, at=at)
    spots = _spots(episodes, at)
    found = {}
    for row in rows:
        spot, kind = spots.get(row.pk, (None, ""))
        request = (requests or {}).get(row.pk)
        asked = (terms or {}).get(row.pk)
        found[row.pk] = _needs(row, said.get(row.pk), spot, kind, request, asked, at)
    return found


def kind_of(
    asked: str,
    *,
    method: str,
    on: str,
    target: str,
    from_site: int | None,
    to_site: int | None,
) -> NeedKind:
    """Why a bed is needed. `asked`: the kind of request; `on`, `target`: kinds of the ward that the
    patient is on and of the one asked for, "" where there is none; and their sites."""
    if target in _AT_HOME:
        return NeedKind.COMMUNITY
    if asked == BedRequest.Kind.EXPECTED:
        if is_elective(method):
            return NeedKind.ELECTIVE
        # NHS Data Dictionary, ADMISSION METHOD: transfers from another provider.
        return NeedKind.TRANSFER_IN if method in ("81", "2B") else NeedKind.EXPECTED
    if on == Ward.Kind.EMERGENCY:
        return NeedKind.ED_ADMISSION
    if on == Ward.Kind.CRITICAL_CARE:
        return NeedKind.STEP_DOWN
    if to_site is not None and from_site not in (None, to_site):
        return NeedKind.TRANSFER_IN
    if on == Ward.Kind.ASSESSMENT:
        return NeedKind.ASSESSMENT_MOVE
    if asked == BedRequest.Kind.ADMIT:
        return NeedKind.ELECTIVE if is_elective(method) else NeedKind.ED_ADMISSION
    return NeedKind.WARD_MOVE


def is_elective(method: str) -> bool:
    """Whether an admission method is elective: NHS Data Dictionary, ADMISSION METHOD, codes that
    begin with 1; HL7 table 0007, C."""
    return method[:1] == "1" or method == "C"


def _spots(episodes: Collection[int], at: datetime) -> dict[int, tuple[Spot, str]]:
    rows = Occupancy.objects.filter(episode__in=list(episodes), period__contains=at).values_list(
        "episode_id", "ward__site_id", "ward_id", "bay_id", "bed_id", "ward__kind"
    )
    return {
        episode: (Spot(site=site, ward=ward, bay=bay, bed=bed), kind)
        for episode, site, ward, bay, bed, kind in rows
    }


def _needs(
    row: Episode,
    said: CareNeeds | None,
    spot: Spot | None,
    on: str,
    request: BedRequest | None,
    asked: RequestTerms | None,
    at: datetime,
) -> Needs:
    kind = NeedKind.WARD_MOVE
    if request is not None:
        wanted = request.ward
        kind = kind_of(
            request.kind,
            method=row.admission_method,
            on=on,
            target=wanted.kind if wanted else "",
            from_site=spot.site if spot else None,
            to_site=wanted.site_id if wanted else None,
        )
    needs = said or CareNeeds()
    patient = row.patient
    return Needs(
        key=patient.person_id or patient.pk,
        kind=kind,
        sex=_SEXES.get(patient.sex, ""),
        age=_age(patient.date_of_birth, at),
        specialty=(asked.specialty if asked else "") or row.specialty,
        wanted_ward=request.ward_id if request else None,
        place=spot,
        isolation=_ISOLATION[CareNeeds.Isolation(needs.isolation)],
        infections=frozenset(needs.infections),
        requires=frozenset(needs.requires),
        not_alone=needs.not_alone,
        wander_risk=needs.wanders,
        falls_risk=needs.falls_risk,
        immunosuppressed=needs.immunosuppressed,
        end_of_life=needs.end_of_life,
        acuity=needs.acuity,
        elective=is_elective(row.admission_method),
        corridor_groups=frozenset(needs.corridor_groups),
        priority=asked.priority if asked else RequestTerms.Priority.SOON,
        since=_waits_since(row, request, asked) if request else None,
    )


def _waits_since(row: Episode, request: BedRequest, asked: RequestTerms | None) -> datetime:
    """Since when they go without; whoever is announced does from when they are to be here."""
    since: datetime = request.period.lower
    due = (asked.due_at if asked else None) or row.expected_at
    if request.kind == BedRequest.Kind.EXPECTED and due is not None:
        return max(since, due)
    return since


def _age(born: date | None, at: datetime) -> int | None:
    if born is None:
        return None
    today = at.astimezone(_LONDON).date()
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
