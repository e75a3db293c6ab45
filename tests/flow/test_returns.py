"""Daily returns: counted by the definition, frozen as sent, amended with a trail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Organisation, User
from accounts.refusals import Refused
from flow.models import ReturnNumber
from flow.returns.counting import counted, window
from flow.returns.definitions import definitions, in_force
from flow.returns.submitting import Entered, sheet, submit
from patients.code_loading import built_in, load_codes
from patients.keys import PersonKey, VisitKey
from patients.models import Code, Episode
from wards.barriers import Said, raise_barrier
from wards.facts import Moved, MovementKind, Place
from wards.models import Bay, Bed, Closure, Site, Ward
from wards.movements import record
from wards.rounds import Found, review

pytestmark = pytest.mark.django_db

DAY = date(2026, 7, 15)
EIGHT = datetime(2026, 7, 15, 7, 0, tzinfo=UTC)  # 08:00 in England, by summer time


@dataclass
class Trust:
    """A trust with a ward of adults, one of children, critical care and maternity."""

    body: Organisation
    duty: User
    wards: dict[str, Ward]
    beds: dict[str, list[Bed]]

    def place(self, ward: str, number: int | None = 0) -> Place:
        bed = None if number is None else self.beds[ward][number].pk
        return Place(self.wards[ward].pk, None, bed)

    def said(self, at: datetime) -> Said:
        return Said(at, self.duty)


def moved(number: int, kind: str, at: datetime, place: Place | None = None) -> Moved:
    return Moved(
        key=f"{number} {kind} {at}",
        sent_at=at,
        person=PersonKey("T", f"P{number}"),
        kind=MovementKind(kind),
        occurred_at=at,
        admitted_at=at if kind == "admitted" else None,
        discharged_at=at if kind == "discharged" else None,
        visit=VisitKey("T", f"V{number}"),
        place=place,
    )


def came(number: int, at: datetime, place: Place) -> Episode:
    record([moved(number, "admitted", at, place)], source="pas")
    return Episode.objects.get(visit__number=f"V{number}")


def left(number: int, at: datetime) -> None:
    record([moved(number, "discharged", at)], source="pas")


@pytest.fixture
def trust() -> Trust:
    load_codes(built_in())
    body = Organisation.objects.create(code="RXX", name="Trust", kind="trust")
    site = Site.objects.create(code="TST", name="Hospital", organisation=body)
    wards, beds = {}, {}
    for code, kind, specialty in (
        ("adult", "inpatient", "general_medicine"),
        ("unit", "assessment", "acute_medicine"),
        ("child", "inpatient", "paediatrics"),
        ("icu", "critical_care", "critical_care"),
        ("birth", "maternity", "obstetrics"),
        ("mind", "inpatient", "mental_health"),
        ("ed", "emergency", "emergency_medicine"),
    ):
        ward = Ward.objects.create(site=site, code=code, name=code, kind=kind, specialty=specialty)
        Bay.objects.create(ward=ward, code="A")
        wards[code] = ward
        beds[code] = [Bed.objects.create(ward=ward, label=str(n + 1)) for n in range(4)]
    return Trust(body, User.objects.create(username="duty"), wards, beds)


def numbers(trust: Trust, kind: str, day: date = DAY) -> dict[str, float | None]:
    rules = in_force("sitrep" if kind == "sitrep" else "discharge", day)
    assert rules is not None
    return {n.key: n.value for n in counted(rules, trust.body, day, known_at=None)}


def test_bed_lines_are_a_snapshot_at_eight(trust: Trust) -> None:
    came(1, EIGHT - timedelta(hours=1), trust.place("adult"))
    came(2, EIGHT + timedelta(minutes=1), trust.place("adult", 1))
    came(3, EIGHT - timedelta(days=3), trust.place("child"))
    left(3, EIGHT)
    came(4, EIGHT - timedelta(days=1), trust.place("icu"))
    for number, ward in enumerate(("birth", "mind", "ed"), start=5):
        came(number, EIGHT - timedelta(days=9), trust.place(ward))
    Closure.objects.create(
        ward=trust.wards["child"], bed=trust.beds["child"][3], reason="infection",
        period=(EIGHT - timedelta(days=2), None),
    )  # fmt: skip
    Closure.objects.create(
        ward=trust.wards["adult"], bed=trust.beds["adult"][3], reason="staffing",
        period=(EIGHT - timedelta(days=2), None),
    )  # fmt: skip
    found = numbers(trust, "sitrep")
    assert (found["ga_adult_core_open"], found["ga_adult_core_occupied"]) == (7, 1)
    assert (found["ga_paediatric_core_open"], found["ga_paediatric_core_occupied"]) == (3, 0)
    assert (found["cc_adult_open"], found["cc_adult_occupied"]) == (4, 1)
    assert (found["ga_open"], found["ga_occupied"], found["ga_occupancy"]) == (10, 1, 10.0)
    assert (found["closed_infection_paediatric"], found["closed_infection_adult"]) == (1, 0)
    assert found["los_7"] == 0


def test_escalation_beds_count_apart_once_they_are_open(trust: Trust) -> None:
    Bed.objects.filter(pk__in=[b.pk for b in trust.beds["adult"][2:]]).update(funding="escalation")
    came(1, EIGHT - timedelta(hours=1), trust.place("adult", 3))
    found = numbers(trust, "sitrep")
    assert (found["ga_adult_core_open"], found["ga_adult_escalation_open"]) == (6, 1)
    assert found["ga_adult_escalation_occupied"] == 1
    assert found["ga_open"] == 11


@pytest.mark.parametrize(("days", "nights"), [(7, 1), (6, 0)])
def test_nights_are_midnights_in_england(trust: Trust, days: int, nights: int) -> None:
    # 23:30 in England on the day, which is 22:30 by universal time.
    late = datetime(2026, 7, 15, 22, 30, tzinfo=UTC) - timedelta(days=days)
    came(1, late, trust.place("unit", None))
    assert numbers(trust, "sitrep")["los_7"] == nights


def test_every_line_with_its_parts_adds_up_and_knows_its_patients(trust: Trust) -> None:
    for number in range(3):
        came(number, EIGHT - timedelta(days=8 * number + 1), trust.place("adult", number))
    rules = in_force("sitrep", DAY)
    assert rules is not None
    found = {n.key: n for n in counted(rules, trust.body, DAY, known_at=None)}
    assert len(found["ga_adult_core_occupied"].episodes) == 3
    assert [found[key].value for key in ("los_7", "los_14", "los_21")] == [2, 1, 0]
    assert set(found["los_14"].episodes) < set(found["los_7"].episodes)


def test_discharges_are_of_the_day_before(trust: Trust) -> None:
    start, end = window(DAY)
    assert (start, end) == (
        datetime(2026, 7, 13, 23, 0, tzinfo=UTC),
        datetime(2026, 7, 14, 23, 0, tzinfo=UTC),
    )
    noon = start + timedelta(hours=13)
    for number in range(6):
        episode = came(number, noon - timedelta(days=10), trust.place("adult", None))
        review(
            episode=episode,
            found=Found(criteria=[], pathway=number % 3),
            said=trust.said(noon - timedelta(days=2)),
        )
    left(0, noon)
    left(1, noon)
    left(2, end)  # the very end of the day is the day after
    met = Episode.objects.get(visit__number="V3")
    review(episode=met, found=Found(criteria=["oxygen"]), said=trust.said(noon))
    transport = Code.objects.get(code_set__slug="delay-reasons-2024", slug="transport")
    raise_barrier(
        episode=Episode.objects.get(visit__number="V4"), reason=transport, said=trust.said(noon)
    )
    found = numbers(trust, "discharge")
    assert found["nctr"] == 6
    assert [found[f"discharged_p{n}"] for n in range(4)] == [1, 1, 0, 0]
    assert (found["met_again"], found["remaining"]) == (1, 3)
    assert (found["remaining_7"], found["remaining_14"]) == (3, 0)
    assert (found["reason:transport"], found["reason:"]) == (1, 2)


@given(data=st.data())
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_what_became_of_everybody_adds_up(trust: Trust, data: st.DataObject) -> None:
    start, _end = window(DAY)
    hours = st.integers(-40, 40).map(lambda n: start + timedelta(hours=n))
    with transaction.atomic():
        for number in range(4):
            began = data.draw(hours)
            episode = came(number, began, trust.place("adult", None))
            for at in sorted(data.draw(st.lists(hours, max_size=4, unique=True))):
                met = data.draw(st.sampled_from([[], ["oxygen"]]))
                try:
                    review(
                        episode=episode,
                        found=Found(criteria=met, pathway=data.draw(st.sampled_from([None, 1, 3]))),
                        said=trust.said(at),
                    )
                except Refused:
                    continue
            if data.draw(st.booleans()):
                ended = data.draw(hours)
                if ended > began:
                    left(number, ended)
        found = numbers(trust, "discharge")
        parts = [found[f"discharged_{p}"] for p in ("p0", "p1", "p2", "p3", "unknown")]
        whole = [*parts, found["met_again"], found["remaining"]]
        assert found["nctr"] == sum(value or 0 for value in whole)
        reasons = sum(v or 0 for k, v in found.items() if k.startswith("reason:"))
        assert reasons == found["remaining_7"]
        transaction.set_rollback(True)


def test_what_was_sent_stays_and_corrections_show_as_differences(trust: Trust) -> None:
    came(1, EIGHT - timedelta(hours=1), trust.place("adult"))
    at = EIGHT + timedelta(hours=2)
    submit(kind="sitrep", organisation=trust.body, day=DAY, by=trust.duty, at=at)
    assert sheet("sitrep", trust.body, DAY).differences == 0
    came(2, EIGHT - timedelta(minutes=5), trust.place("adult", 1))  # told late
    mine = sheet("sitrep", trust.body, DAY)
    rows = {row.number.key: row for row in mine.rows}
    line = rows["ga_adult_core_occupied"]
    assert (line.sent, line.number.value, line.differs) == (1, 2, True)
    assert rows["ga_adult_core_open"].differs is False
    with pytest.raises(Refused, match="Say why"):
        submit(kind="sitrep", organisation=trust.body, day=DAY, by=trust.duty, at=at, seen=1)
    submit(
        kind="sitrep", organisation=trust.body, day=DAY, by=trust.duty, at=at, seen=1,
        note="An admission was typed late",
    )  # fmt: skip
    mine = sheet("sitrep", trust.body, DAY)
    assert [v.number for v in mine.versions] == [1, 2]
    line = {row.number.key: row for row in mine.rows}["ga_adult_core_occupied"]
    assert (line.before, line.sent, line.differs) == (1, 2, False)


def test_a_number_of_ones_own_needs_a_reason(trust: Trust) -> None:
    def send(why: str, value: float = 3, key: str = "ga_open") -> None:
        submit(
            kind="sitrep", organisation=trust.body, day=DAY, by=trust.duty, at=EIGHT,
            entered={key: Entered(value, why)},
        )  # fmt: skip

    with pytest.raises(Refused, match="say why"):
        send(" ")
    with pytest.raises(Refused, match="less than nought"):
        send("Beds on loan", -1)
    for value in (1e-9, 12.7):
        with pytest.raises(Refused, match="whole number"):
            send("Beds on loan", value)
    for value in (float("nan"), float("inf")):
        with pytest.raises(Refused, match="give a number"):
            send("Beds on loan", value, "ga_occupancy")
    with pytest.raises(Refused, match="no line"):
        send("Beds on loan", 3, "other")
    assert not ReturnNumber.objects.exists()
    send("Two wards are not on the system yet")
    kept = ReturnNumber.objects.get(key="ga_open")
    assert (kept.value, kept.counted) == (3, 12)


def test_a_rate_of_ones_own_keeps_its_decimals(trust: Trust) -> None:
    submit(
        kind="sitrep", organisation=trust.body, day=DAY, by=trust.duty, at=EIGHT,
        entered={"ga_occupancy": Entered(91.7, "As the trust reckons it")},
    )  # fmt: skip
    assert ReturnNumber.objects.get(key="ga_occupancy").value == 91.7


def test_two_people_do_not_send_it_twice(trust: Trust) -> None:
    submit(kind="sitrep", organisation=trust.body, day=DAY, by=trust.duty, at=EIGHT)
    with pytest.raises(Refused, match="Somebody has sent it meanwhile"):
        submit(kind="sitrep", organisation=trust.body, day=DAY, by=trust.duty, at=EIGHT)


@pytest.mark.parametrize(
    ("at", "says"),
    [
        (EIGHT + timedelta(days=15), "more than fourteen days"),
        (EIGHT - timedelta(days=1), "has not come yet"),
        (EIGHT - timedelta(minutes=1), "counted at 08:00, which has not come yet"),
    ],
)
def test_a_return_is_sent_on_its_day_or_within_fourteen(
    trust: Trust, at: datetime, says: str
) -> None:
    with pytest.raises(Refused, match=says):
        submit(kind="sitrep", organisation=trust.body, day=DAY, by=trust.duty, at=at)


def test_what_was_sent_cannot_be_edited(trust: Trust) -> None:
    submit(kind="sitrep", organisation=trust.body, day=DAY, by=trust.duty, at=EIGHT)
    with pytest.raises(DatabaseError), transaction.atomic():
        ReturnNumber.objects.update(value=0)


def test_definitions_name_their_source_and_lines_once() -> None:
    for rules in definitions():
        keys = [line.key for line in rules.lines]
        assert len(keys) == len(set(keys))
        assert rules.source
    assert in_force("sitrep", date(2020, 1, 1)) is None
