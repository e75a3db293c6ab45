"""Whatever is done, in whatever order: the confirmed census equals a fresh count, every face of
a board shows the same, and a past moment is shown as it was when it was the present."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Role
from flow import beginning, census
from flow.api import sharing
from flow.boards import (
    Figures,
    Group,
    Sight,
    Sums,
    SystemBoard,
    Total,
    WardLine,
    site_board,
    system_board,
    ward_board,
)
from flow.counts import NUMBERS, count
from flow.kinds import GROUP_OF
from flow.moment import Moment
from live.doorbell import ring
from patients.keys import PersonKey
from patients.models import Episode
from tests.flow.places import START, Hospital, beds_of, make_ward, records_begin
from wards.bed_states import close, open_escalation, record_status
from wards.facts import Place
from wards.models import Bed, Grant, Movement, Ward
from wards.movements import AlreadyKnown, admit, cancel, discharge, leave, return_, swap, transfer

pytestmark = pytest.mark.django_db

ALL = Sight(patients=None)


@dataclass(frozen=True)
class Step:
    """One thing that somebody does; the numbers choose whom and where."""

    deed: str
    who: int
    other: int
    refresh: bool


steps = st.lists(
    st.builds(
        Step,
        st.sampled_from(
            [
                "admit",
                "admit",
                "admit",
                "transfer",
                "transfer",
                "swap",
                "discharge",
                "leave",
                "return",
                "cancel",
                "clean",
                "close",
                "open",
            ]
        ),
        st.integers(0, 9),
        st.integers(0, 30),
        st.booleans(),
    ),
    min_size=4,
    max_size=14,
)


class Story:
    """People and beds of one hospital, and what happens there, a few minutes apart."""

    def __init__(self) -> None:
        self.hospital = Hospital()
        for kind in ("day_case", "discharge_lounge", "virtual", "unrecognised"):
            make_ward(self.hospital.site, kind=kind, beds=2)
        self.by = User.objects.create_user(f"manager{User.objects.count()}")
        Grant.objects.create(user=self.by, role=Role.SITE_MANAGER, everywhere=True)
        self.wards = list(Ward.objects.order_by("pk"))
        self.beds: list[Bed] = [bed for ward in self.wards for bed in beds_of(ward)]
        self.now = START
        records_begin(self.hospital.ward)
        spare = beds_of(self.hospital.ward)[-1]
        Bed.objects.filter(pk=spare.pk).update(funding="escalation")

    def place(self, number: int) -> Place:
        bed = self.beds[number % len(self.beds)]
        if number % 7 == 6:
            return Place(bed.ward_id)
        return Place(bed.ward_id, bed.bay_id, bed.pk)

    def episode(self, number: int) -> Episode:
        found = list(Episode.objects.filter(status__in=["in_hospital", "on_leave"]).order_by("pk"))
        if not found:
            raise Refused("Nobody is here.")
        return found[number % len(found)]

    def do(self, step: Step) -> None:
        self.now += timedelta(minutes=7)
        now, by = self.now, self.by
        match step.deed:
            case "admit":
                person, place = PersonKey("RT1", f"P{step.who}"), self.place(step.other)
                try:
                    admit(person=person, place=place, at=now, by=by)
                except AlreadyKnown as known:  # a readmission, once confirmed
                    admit(person=person, place=place, at=now, by=by, confirmed=known.record)
            case "transfer":
                place = self.place(step.other)
                transfer(episode=self.episode(step.who), place=place, at=now, by=by)
            case "swap":
                one, other = self.episode(step.who), self.episode(step.other)
                swap(one=one, other=other, at=now, by=by)
            case "discharge":
                discharge(episode=self.episode(step.who), at=now, by=by)
            case "leave":
                leave(episode=self.episode(step.who), at=now, by=by)
            case "return":
                return_(episode=self.episode(step.who), at=now, by=by)
            case "cancel":
                told = list(Movement.objects.order_by("-pk")[:3])
                if told:
                    cancel(movement=told[step.other % len(told)], at=now, by=by)
            case "clean":
                record_status(
                    bed=self.beds[step.other % len(self.beds)].pk,
                    status="HKUC"[step.who % 4],
                    occurred_at=now,
                    sent_at=now,
                    source="test",
                    key=now.isoformat(),
                )
            case "close":
                bed = self.beds[step.other % len(self.beds)].pk
                close(reason="estates", since=now, bed=bed, by=by)
            case "open":
                bed = self.beds[step.other % len(self.beds)].pk
                open_escalation(bed=bed, since=now, by=by)


def as_past(board: SystemBoard) -> SystemBoard:
    """A live board as it should look when it is asked for later."""

    def settled(figures: Figures) -> Figures:
        return replace(figures, as_at=board.moment)

    def added(sums: Sums) -> Sums:
        return Sums(
            tuple(replace(part, figures=settled(part.figures)) for part in sums.parts),
            replace(sums.everything, figures=settled(sums.everything.figures)),
        )

    return replace(
        board,
        live=False,
        sums=added(board.sums),
        sites=tuple(replace(site, sums=added(site.sums), feed=None) for site in board.sites),
    )


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_live_equals_fresh_and_the_past_stays_as_it_was(story: list[Step]) -> None:
    with transaction.atomic():
        tell(story)
        transaction.set_rollback(True)


def tell(story: list[Step]) -> None:
    world = Story()
    seen: list[tuple[datetime, SystemBoard]] = []
    undone = False
    for step in story:
        try:
            with transaction.atomic():
                world.do(step)
        except Refused:
            continue
        undone = undone or step.deed == "cancel"
        world.now += timedelta(minutes=1)
        if step.refresh:
            census.refresh(at=world.now)
        live = census.present([w.pk for w in world.wards], now=world.now)
        fresh = {c.ward: c for c in count(Moment(world.now))}
        for ward, counted in live.items():
            for name in NUMBERS:
                assert getattr(counted.figures, name) == getattr(fresh[ward].figures, name)
        seen.append((world.now, system_board(now=world.now, sight=ALL)))
    later = world.now + timedelta(hours=1)
    for moment, board in seen:
        if not undone:  # an undone movement is undone in the past as well
            past = system_board(now=later, at=moment, sight=ALL)
            assert replace(past, flow=board.flow) == as_past(board)
    faces_agree(world)


def faces_agree(world: Story) -> None:
    """Pages and the API show the same, of wards, sites and the system."""
    now = world.now
    board = system_board(now=now, at=now, sight=ALL)
    client = APIClient()
    client.force_login(world.by)
    ring(["system"])
    sharing.forget()
    beginning.forget()
    answer = client.get("/api/v1/occupancy/", {"at": now.isoformat()})
    rows = {row["ward"]: row for row in answer.json()["results"]}
    totals = {
        (row["site"], row["group"]): row
        for row in client.get("/api/v1/occupancy/totals/", {"at": now.isoformat()}).json()[
            "results"
        ]
    }
    totals_agree(board, totals, rows)
    for site in {ward.site for ward in world.wards}:
        page = site_board(site, now=now, at=now, sight=ALL)
        assert page.site == next(one for one in board.sites if one.id == site.pk)
        site_lines = (*page.wards, *page.unrecognised)
        for line in site_lines:
            ward = next(w for w in world.wards if w.pk == line.place.id)
            own = ward_board(ward, now=now, at=now, sight=ALL).ward
            assert own == line
            for name in NUMBERS:
                assert rows[ward.code][name] == getattr(own.figures, name)


Row = dict[str, Any]


def totals_agree(board: SystemBoard, totals: dict[tuple[str | None, str], Row], rows: Row) -> None:
    """Of every group the system is the sum of its sites and a site the sum of its wards, on the
    pages and in the API alike; and the groups make up the whole."""

    def added(parts: Iterable[Row]) -> Row:
        listed = list(parts)
        return {name: sum(part[name] for part in listed) for name in NUMBERS}

    def numbers(total: Total | None) -> Row:
        return {name: getattr(total.figures, name) if total else 0 for name in NUMBERS}

    kinds: dict[str, str] = {kind: group.value for kind, group in GROUP_OF.items()}
    pages: list[tuple[str | None, Sums, list[WardLine]]] = [
        (None, board.sums, list(board.unrecognised))
    ]
    for site in board.sites:
        strangers = [one for one in board.unrecognised if one.place.site == site.code]
        pages.append((site.code, site.sums, strangers))
    for code, sums, strangers in pages:
        own = [row for row in rows.values() if code in (None, row["site"])]
        shown: dict[str, Total | None] = {str(part.group): part for part in sums.parts}
        for group in Group:
            wards = added(row for row in own if kinds[row["kind"]] == group)
            told = totals.get((code, group), dict.fromkeys(NUMBERS, 0))
            assert {name: told[name] for name in NUMBERS} == wards
            if group == Group.UNRECOGNISED:
                page = added({n: getattr(s.figures, n) for n in NUMBERS} for s in strangers)
            else:
                page = numbers(shown.get(group))
            assert page == wards
            assert added(
                totals[key] for key in totals if key[0] is not None and key[1] == group
            ) == added(totals[key] for key in totals if key == (None, group))
        everything = added(row for row in own if row["recognised"])
        assert {name: totals[code, "all"][name] for name in NUMBERS} == everything
        assert numbers(sums.everything) == everything
        assert added(numbers(part) for part in sums.parts) == everything
        assert numbers(sums.head) == numbers(sums.parts[0])
