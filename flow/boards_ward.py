"""The bed board of one ward."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from flow.bed_rows import BedRow, StayRow, arrivals_of, beds_of, stays_of, tally
from flow.board_types import (
    Arrival,
    BayBox,
    BedState,
    BedTile,
    Face,
    Occupant,
    Sight,
    WardBoard,
)
from flow.census import aged
from flow.faces import faces
from flow.feeds import feed_states
from flow.lines import View, ward_line
from flow.waits import Asked, as_waits, asked, may_see
from wards.models import Bay, BedRequest, BedStatus, Ward


def ward_board(
    ward: Ward,
    *,
    now: datetime,
    sight: Sight,
    at: datetime | None = None,
    known_at: datetime | None = None,
) -> WardBoard:
    """The beds of `ward` as they lie and everybody on it; six queries.

    Always counted from what is on the board itself, so that figures and tiles agree. Whether
    the viewer may see the ward at all is the caller's question; patients are shown where
    `sight` says so. `at`, `known_at`: as for the system board. Give `ward` with its site fetched.
    """
    view = View.of(now=now, at=at, known_at=known_at, sight=sight)
    moment = view.moment
    bays = Bay.objects.filter(ward=ward).order_by("position", "code")
    beds, stays = beds_of([ward.pk], moment), stays_of([ward.pk], moment)
    requests = asked(moment, wards=[ward.pk])
    incoming = [
        one
        for one in requests
        if one.counts_on == ward.pk and one.kind != BedRequest.Kind.DISCHARGE
    ]
    coming = {one.person for one in incoming}
    expected = [
        one for one in arrivals_of(ward.pk, moment, live=view.live) if one.person not in coming
    ]
    with_patients = sight.sees_patients(ward.pk)
    shown = {one.patient for one in incoming if may_see(one, sight)}
    if with_patients:
        shown |= {stay.patient for stay in stays} | {one.patient for one in expected}
    known = faces(shown)
    feed = feed_states(now=moment.at).get(ward.site_id) if view.live else None
    figures = tally(ward.pk, beds, stays, requests, at=moment.at)
    if view.live:
        figures = aged(figures, now=moment.at, silent=feed is not None and feed.silent)
    occupants = _occupants(stays, requests, known if with_patients else None)
    tiled = {bed.occupancy for bed in beds}
    return WardBoard(
        moment=moment.at,
        live=view.live,
        known_at=known_at,
        ward=ward_line(ward, figures, min((one.since for one in incoming), default=None)),
        site_name=ward.site.name,
        bays=tuple(_bays(bays, beds, occupants, stays)),
        bedless=tuple(
            sorted(
                (one for one in occupants.values() if one.occupancy not in tiled),
                key=lambda one: (not one.wanted_bed, one.since, one.occupancy),
            )
        ),
        incoming=as_waits(incoming, sight=sight, known=known),
        expected=tuple(
            Arrival(
                episode=one.episode,
                expected_at=one.expected_at,
                since=one.since,
                specialty=one.specialty,
                face=known.get(one.patient) if with_patients else None,
            )
            for one in expected
        ),
        feed=feed,
        with_patients=with_patients,
    )


def _occupants(
    stays: Iterable[StayRow], requests: Iterable[Asked], known: Mapping[int, Face] | None
) -> dict[int, Occupant]:
    """Everybody by occupancy, with what has been announced of them; `known`: None where the
    viewer may not see who they are."""
    leaving: dict[int, Asked] = {}
    moving: dict[int, Asked] = {}
    for one in requests:  # the oldest first
        pending = leaving if one.kind == BedRequest.Kind.DISCHARGE else moving
        pending.setdefault(one.person, one)
    occupants = {}
    for stay in stays:
        discharge, transfer = leaving.get(stay.person), moving.get(stay.person)
        occupants[stay.id] = Occupant(
            occupancy=stay.id,
            episode=stay.episode,
            since=stay.since,
            admitted_at=stay.admitted_at,
            expected_discharge_at=stay.expected_discharge_at,
            specialty=stay.specialty,
            flags=tuple(stay.flags),
            on_leave=stay.on_leave,
            inferred=stay.inferred,
            pending_discharge=discharge.since if discharge else None,
            pending_transfer=transfer.since if transfer else None,
            transfer_to=transfer.target if transfer else None,
            wanted_bed=stay.wanted_label if stay.bed is None else "",
            ready_since=stay.ready_since if known is not None else None,
            pathway=stay.pathway if known is not None else None,
            face=known.get(stay.patient) if known is not None else None,
        )
    return occupants


def _bays(
    bays: Iterable[Bay],
    beds: Iterable[BedRow],
    occupants: Mapping[int, Occupant],
    stays: Collection[StayRow],
) -> Iterable[BayBox]:
    """The bays in order, those without a bed to show left out, the beds without a bay last."""
    wanted = {stay.wanted for stay in stays if stay.bed is None}
    tiles: dict[int | None, list[BedTile]] = defaultdict(list)
    for bed in beds:
        occupant = occupants.get(bed.occupancy or 0)
        if bed.state != BedState.UNLISTED or occupant is not None:
            tiles[bed.bay].append(_tile(bed, occupant, clash=bed.id in wanted))
    for bay in bays:
        if bay.pk in tiles:
            yield BayBox(bay.pk, bay.code, bay.name, bay.sex, tuple(tiles[bay.pk]))
    if None in tiles:
        yield BayBox(None, "", "", Ward.Sex.ANY, tuple(tiles[None]))


def _tile(bed: BedRow, occupant: Occupant | None, *, clash: bool) -> BedTile:
    return BedTile(
        id=bed.id,
        label=bed.label,
        kind=bed.kind,
        funding=bed.funding,
        features=tuple(bed.features),
        state=BedState(bed.state),
        since=since(bed, occupant.since if occupant else None),
        status=bed.status,
        level=bed.level,
        status_since=bed.status_since,
        closed_reason=bed.closed_reason,
        closed_note=bed.closed_note,
        closed_until=bed.closed_until,
        clash=clash,
        occupant=occupant,
        held_until=bed.held_until,
    )


def since(bed: BedRow, occupied: datetime | None) -> datetime | None:
    """Since when the bed is in its state: the latest of the times that can have brought it.

    `occupied`: since when somebody has been in it.
    """
    if occupied is not None:
        return occupied
    times: Sequence[datetime | None]
    if bed.state == BedState.CLOSED:
        # A closure takes effect on an empty bed: when it began or when the patient left.
        times = [bed.closed_since or bed.status_since, bed.empty_since]
    elif bed.state == BedState.UNREADY:
        times = [bed.status_since, bed.empty_since]
    elif bed.state == BedState.AVAILABLE:
        ready = bed.status_since if bed.status == BedStatus.Status.UNOCCUPIED else None
        times = [bed.empty_since, ready, bed.opened_since]
    else:
        times = [bed.empty_since]
    return max((time for time in times if time is not None), default=None)
