"""Writes the stays of visits as episodes and bed requests; only what changed is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from live.doorbell import ring
from patients.models import Episode
from patients.rows import insert, rewrite
from wards.models import BedRequest, RequestTerms, Site, Ward
from wards.projection import Claim, Request, Stay

_PRESENT: Final = (Episode.Status.IN_HOSPITAL, Episode.Status.ON_LEAVE)
_DETAILS: Final = {  # name → the length that its column holds
    "patient_class": 20,
    "specialty": 60,
    "admission_method": 60,
    "consultant": 200,
    "discharge_destination": 100,
}
_TIMES: Final = ("expected_at", "expected_discharge_at")
_FIELDS: Final = (
    "visit_id",
    "ordinal",
    "patient_id",
    "provider_id",
    "status",
    "admitted_at",
    "discharged_at",
    *_TIMES,
    *_DETAILS,
    "flags",
)


@dataclass(slots=True)
class Owned:
    """A stay, the record it belongs to, and its claims once settled against the person's others."""

    owner: int
    stay: Stay
    claims: Sequence[Claim] = ()


def write_episodes(
    tops: Mapping[int, int], stays: Mapping[int, Sequence[Owned]], people: Mapping[int, int]
) -> tuple[dict[int, list[tuple[int, Owned]]], dict[int, int]]:
    """Make the episodes of each visit equal to its stays: visit → [(episode, stay)].

    Also returns the episodes that no stay is left for (episode → visit). They still stand:
    their beds must be given up before the caller removes them.

    `tops` maps every visit to the one it counts for, `people` every record to its person. An
    episode keeps its row as long as there is a stay it can stand for: one of its own patient
    before another's, and of those the one with its admission time, else the next.
    """
    stored: dict[int, list[Episode]] = {top: [] for top in stays}
    for episode in Episode.objects.filter(visit_id__in=list(tops)).order_by("ordinal", "id"):
        stored[tops[episode.visit_id]].append(episode)
    providers = _providers(stays)
    fresh: list[Episode] = []
    changed: list[Episode] = []
    settled = False
    surplus: dict[int, int] = {}
    written: dict[int, list[tuple[Episode, Owned]]] = {}
    for top, its_stays in stays.items():
        rows = sorted(stored[top], key=lambda e: (e.visit_id != top, e.ordinal, e.pk))
        written[top] = []
        matched = _matched(its_stays, rows, people)
        for ordinal, (owned, row) in enumerate(zip(its_stays, matched, strict=True)):
            values = _values(top, ordinal, owned, providers)
            if row is None:
                fresh.append(row := Episode(**values))
            else:
                rows.remove(row)
                if any(getattr(row, name) != value for name, value in values.items()):
                    settled |= _was_to_look_at(row)
                    for name, value in values.items():
                        setattr(row, name, value)
                    changed.append(row)
            written[top].append((row, owned))
        surplus |= dict.fromkeys((row.pk for row in rows), top)
    if changed:
        rewrite(changed, _FIELDS)
    if fresh:
        insert(fresh, _FIELDS)
    pairs = [pair for both in written.values() for pair in both]
    _ring_for(fresh + changed, pairs, settled=settled)
    return {top: [(row.pk, owned) for row, owned in both] for top, both in written.items()}, surplus


def _ring_for(
    rows: Sequence[Episode], pairs: Iterable[tuple[Episode, Owned]], *, settled: bool
) -> None:
    """Where some of the rows written are stays to look at, or were (`settled`), have the lists of
    these drawn again, and the boards that count them: no ward's figures need to change for that."""
    new = {row.pk for row in rows}
    if not settled and not any(
        row.pk in new and _is_to_look_at(row, owned) for row, owned in pairs
    ):
        return
    sites = Site.objects.values_list("pk", flat=True)
    names = [f"{name}:{site}" for site in sites for name in ("site", "checks")]
    transaction.on_commit(lambda: ring(["system", "checks", *names]))


def _is_to_look_at(row: Episode, owned: Owned) -> bool:
    """Whether something is in doubt, or somebody is in hospital of whom nobody says where."""
    return bool(row.flags) or (row.status in _PRESENT and not owned.claims)


def _was_to_look_at(row: Episode) -> bool:
    """The same of a stored row; who has no place has no provider either."""
    return bool(row.flags) or (row.status in _PRESENT and row.provider_id is None)


def _matched(
    stays: Sequence[Owned], rows: Sequence[Episode], people: Mapping[int, int]
) -> list[Episode | None]:
    """For each stay the row it keeps, the best match first; None where there is none left."""
    left = list(rows)
    chosen: dict[int, Episode] = {}
    for same_person, same_time in ((True, True), (True, False), (False, True), (False, False)):
        for number, owned in enumerate(stays):
            if number in chosen:
                continue
            row = next(
                (
                    row
                    for row in left
                    if (not same_person or people.get(row.patient_id) == people[owned.owner])
                    and (not same_time or row.admitted_at == owned.stay.admitted_at)
                ),
                None,
            )
            if row is not None:
                chosen[number] = row
                left.remove(row)
    return [chosen.get(number) for number in range(len(stays))]


def _providers(stays: Mapping[int, Sequence[Owned]]) -> dict[int, int]:
    """Ward → the organisation that runs it, for the wards in which stays began."""
    wards = {o.stay.claims[0].place.ward for its in stays.values() for o in its if o.stay.claims}
    if not wards:
        return {}
    return dict(Ward.objects.filter(pk__in=wards).values_list("pk", "site__organisation_id"))


def _values(
    visit: int, ordinal: int, owned: Owned, providers: Mapping[int, int]
) -> dict[str, object]:
    stay = owned.stay
    values: dict[str, object] = {
        "visit_id": visit,
        "ordinal": ordinal,
        "patient_id": owned.owner,
        "provider_id": providers.get(stay.claims[0].place.ward) if stay.claims else None,
        "status": stay.status,
        "admitted_at": stay.admitted_at,
        "discharged_at": stay.discharged_at,
        "flags": list(stay.flags),
    }
    for name, limit in _DETAILS.items():
        values[name] = stay.details.get(name, "")[:limit]
    for name in _TIMES:
        said = stay.details.get(name)
        values[name] = datetime.fromisoformat(said) if said else None
    return values


def write_requests(wanted: Mapping[int, Iterable[Request]]) -> set[int]:
    """Make the bed requests of each episode equal to `wanted`; the wards whose figures change."""
    stored = {
        (row.episode_id, row.key): row
        for row in BedRequest.objects.filter(episode_id__in=list(wanted))
    }
    fresh: list[BedRequest] = []
    changed: list[BedRequest] = []
    wards: set[int | None] = set()
    for episode, requests in wanted.items():
        for request in requests:
            row = stored.pop((episode, request.key), None)
            values = {
                "kind": request.kind,
                "from_ward_id": request.from_ward,
                "ward_id": request.ward,
                "period": DateTimeTZRange(request.since, request.until),
            }
            if row is None:
                fresh.append(row := BedRequest(episode_id=episode, key=request.key, **values))
            elif any(getattr(row, name) != value for name, value in values.items()):
                for name, value in values.items():
                    setattr(row, name, value)
                changed.append(row)
            else:
                continue
            wards |= {row.from_ward_id, row.ward_id}
    if stored:
        wards |= {w for row in stored.values() for w in (row.from_ward_id, row.ward_id)}
        BedRequest.objects.filter(pk__in=[row.pk for row in stored.values()]).delete()
    if changed:
        rewrite(changed, ["kind", "from_ward_id", "ward_id", "period"])
    if fresh:
        BedRequest.objects.bulk_create(fresh)
        _carry_terms([row for row in fresh if row.kind != BedRequest.Kind.DISCHARGE])
    return {ward for ward in wards if ward is not None}


def _carry_terms(fresh: Sequence[BedRequest]) -> None:
    """Let what people said of a request count for the one that a message put in its place."""
    begins = {(row.episode_id, row.period.lower): row for row in fresh}
    if not begins:
        return
    before = BedRequest.objects.filter(
        episode__in={episode for episode, _ in begins},
        period__endswith__in={at for _, at in begins},
    ).exclude(kind=BedRequest.Kind.DISCHARGE)
    heirs = {
        (row.episode_id, row.key): heir
        for row in before
        if (heir := begins.get((row.episode_id, row.period.upper))) is not None
    }
    if not heirs:
        return
    said = RequestTerms.objects.filter(episode__in={episode for episode, _ in heirs})
    carried = []
    for terms in said:
        heir = heirs.get((terms.episode_id, terms.key))
        if heir is not None:
            terms.pk, terms.key = None, heir.key
            carried.append(terms)
    RequestTerms.objects.bulk_create(carried, ignore_conflicts=True)
