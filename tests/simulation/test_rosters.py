"""Who says how many nurses the shifts of the simulated wards have."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

from simulation.care.rest import Reply, Rest
from simulation.care.rosters import Rosters, nurses
from simulation.places import Places

NIGHT = datetime(2026, 7, 14, 2, tzinfo=UTC)
"""Three in the morning in London."""


class Desk:
    """Keeps what is said of shifts by day and night, as Flowboard answers it."""

    def __init__(self, status: int = 200) -> None:
        self.said: dict[tuple[str, str, str], tuple[int | None, int | None]] = {}
        self.asked = 0
        self.status = status

    def get(self, path: str, **query: str) -> Reply:
        self.asked += 1
        day = date.fromisoformat(query["date"])
        results = []
        for shift, hour in (("day", 7), ("night", 19)):
            planned, actual = self.said.get((path, query["date"], shift), (None, None))
            start = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
            results.append(
                {"shift": shift, "start": start.isoformat(), "planned": planned, "actual": actual}
            )
        body = {"patients_per_nurse": None, "results": results, "detail": "why"}
        return Reply(self.status, body)

    def put(self, path: str, body: Mapping[str, Any]) -> Reply:
        self.said[path, body["date"], body["shift"]] = (body["planned"], body["actual"])
        return Reply(self.status, {"detail": "why"})


def rosters(desk: Desk, places: Places, said: list[str]) -> Rosters:
    return Rosters(cast(Rest, desk), places, 7, said.append)


def test_the_shifts_begun_have_nurses_at_work_and_the_others_a_plan(quarter: Places) -> None:
    desk, said = Desk(), list[str]()
    mine = rosters(desk, quarter, said)
    assert mine.write(NIGHT) == len(desk.said) > 0
    for (_, day, shift), (planned, actual) in desk.said.items():
        assert planned is not None
        assert planned >= 2
        begun = day == "2026-07-13"
        assert (actual is not None) == begun, (day, shift)
        assert actual is None or 1 <= actual <= planned + 1
    asked = desk.asked
    assert mine.write(NIGHT + timedelta(minutes=1)) == 0
    assert desk.asked == asked, "nothing is asked again before a shift begins"
    wards = len({path for path, _, _ in desk.said})
    assert mine.write(NIGHT + timedelta(hours=5)) == wards, "the shift of the day has begun"
    assert said == []


def test_what_a_ward_has_said_itself_stands(quarter: Places) -> None:
    desk = Desk()
    ward = next(w for w in quarter.wards if w.kind == "inpatient")
    key = (f"wards/{ward.code}/staffing/", "2026-07-13", "night")
    desk.said[key] = (9, None)
    rosters(desk, quarter, []).write(NIGHT)
    planned, actual = desk.said[key]
    assert planned == 9
    assert actual is not None


def test_some_shifts_are_short_and_most_are_not(quarter: Places) -> None:
    ward = next(w for w in quarter.wards if w.kind == "inpatient")
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    drawn = [nurses(ward, day, "day", seed=7) for day in days]
    assert drawn == [nurses(ward, day, "day", seed=7) for day in days]
    short = sum(there < planned for planned, there in drawn) / len(days)
    assert 0.2 < short < 0.45
    assert nurses(ward, days[0], "day", seed=7, each=1.0)[0] == len(ward.beds)


def test_a_ward_that_is_refused_is_left_alone_and_said_once(quarter: Places) -> None:
    desk, said = Desk(status=403), list[str]()
    mine = rosters(desk, quarter, said)
    assert mine.write(NIGHT) == 0
    assert len(said) == len(set(said)) == desk.asked
    assert "are not said: why" in said[0]
    mine.write(NIGHT)
    assert len(said) == desk.asked
