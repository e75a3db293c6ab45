from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from flow.asking import Asked, asked, in_words, presets
from flow.beginning import Records

NOW = datetime(2026, 11, 21, 7, 30, tzinfo=UTC)
EARLIEST = datetime(2026, 3, 2, 6, tzinfo=UTC)
DAY = timedelta(days=1)
TOLD = Records(
    begin=EARLIEST,
    departures=EARLIEST + 3 * DAY,
    recorded=EARLIEST + 10 * DAY,
    cleaning=EARLIEST + 20 * DAY,
)


def ask(query: str, now: datetime = NOW, told: Records = TOLD) -> Asked:
    return asked(RequestFactory().get(f"/?{query}"), now=now, told=lambda at: told)


def at(moment: datetime, told: Records = TOLD, *, then: bool = False) -> Asked:
    """The moment, asked for by its link."""
    return ask(Asked(at=moment, then=then).query.lstrip("?"), told=told)


@pytest.mark.parametrize("query", ["", "at=", "at=now", "at=%20"])
def test_nothing_asked_is_now(query: str) -> None:
    assert ask(query) == Asked()


def test_a_time_without_an_offset_is_local() -> None:
    assert ask("at=2026-07-01T08:00").at == datetime(2026, 7, 1, 7, tzinfo=UTC)
    assert ask("at=2026-11-20T08:00").at == datetime(2026, 11, 20, 8, tzinfo=UTC)


def test_a_plus_sign_survives_addresses_that_nobody_encoded() -> None:
    assert ask("at=2026-07-01T08:00:00+01:00").at == datetime(2026, 7, 1, 7, tzinfo=UTC)


@given(
    st.datetimes(EARLIEST.replace(tzinfo=None), NOW.replace(tzinfo=None), timezones=st.just(UTC))
)
def test_a_link_leads_to_the_moment_it_was_made_for(moment: datetime) -> None:
    query = Asked(at=moment).query.lstrip("?")
    assert ask(query).at == moment


@given(st.text())
def test_whatever_is_typed_gives_a_moment_or_a_reason(typed: str) -> None:
    found = ask(f"at={quote(typed)}")
    assert (found.at is None) == (bool(found.error) or found == Asked())
    assert found.at is None or EARLIEST <= found.at <= NOW


def test_what_was_known_then_is_asked_for_by_name() -> None:
    known_now, known_then = ask("at=2026-07-01T08:00"), ask("at=2026-07-01T08:00&known=then")
    assert known_now.known_at is None
    assert known_then.known_at == known_then.at
    assert ask(known_then.query.lstrip("?")).then
    assert not ask("known=then").then


def test_the_hour_that_comes_twice_is_the_first_of_the_two() -> None:
    assert ask("at=2026-10-25T01:30").at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("hour", [0, 3, 8, 23])
def test_presets_are_past_and_at_the_hours_at_which_beds_are_counted(hour: int) -> None:
    now = NOW.replace(hour=hour, minute=1)
    offered = presets(now=now)
    moments = [datetime.fromisoformat(preset.value) for preset in offered]
    assert all(moment <= now for moment in moments)
    assert {moment.hour for moment in moments} <= {0, 8}
    assert all(now - moment < timedelta(hours=48) for moment in moments)
    assert len({preset.label for preset in offered}) == len(offered) >= 3


def test_moments_are_said_in_local_time() -> None:
    assert in_words(datetime(2026, 7, 1, 7, tzinfo=UTC)) == "Wed 1 Jul 2026, 08:00"


def test_before_the_records_begin_there_is_no_moment() -> None:
    early = at(EARLIEST - timedelta(seconds=1))
    assert early.at is None
    assert "records begin on Mon 2 Mar 2026, 06:00" in early.error
    assert at(EARLIEST).at == EARLIEST
    nothing = at(EARLIEST, Records())
    assert nothing.at is None
    assert "Nothing has been recorded yet" in nothing.error


@pytest.mark.parametrize(
    ("days", "then", "says"),
    [
        (0, False, "The records begin on Mon 2 Mar 2026, 06:00; figures before Fri 6 Mar 2026"),
        (3.9, False, "not everybody who was here"),
        (4, False, ""),
        (10, True, "The records begin on Thu 12 Mar 2026, 06:00; figures before Fri 13 Mar"),
        (10.9, True, "not everybody who was here"),
        (11, True, ""),
    ],
)
def test_figures_are_incomplete_until_a_day_after_people_were_told_to_have_left(
    days: float, then: bool, says: str
) -> None:
    told = at(EARLIEST + days * DAY, then=then).caveats
    assert [line for line in told if "Cleaning" not in line][:1] == told[: bool(says)]
    assert says in told[0]


def test_while_nobody_has_left_no_past_is_complete() -> None:
    told = at(NOW - DAY, Records(begin=EARLIEST, recorded=EARLIEST, cleaning=EARLIEST)).caveats
    assert len(told) == 1
    assert "Nobody has been told to have left" in told[0]


def test_before_anything_was_recorded_nothing_was_known() -> None:
    early = EARLIEST + 9 * DAY
    assert at(early, then=True).nothing_known
    assert not at(early).nothing_known
    assert not at(EARLIEST + 10 * DAY, then=True).nothing_known
    assert not ask("").nothing_known


def test_cleaning_is_not_known_before_it_was_first_told_of() -> None:
    before, after = at(EARLIEST + 19 * DAY).caveats, at(EARLIEST + 20 * DAY).caveats
    assert before == [
        "Cleaning is not told of before Sun 22 Mar 2026, 06:00: beds to be cleaned count as free."
    ]
    assert after == []
    never = at(NOW, Records(EARLIEST, EARLIEST, EARLIEST)).caveats
    assert never == ["Cleaning is not told of: beds to be cleaned count as free."]


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_the_edge_of_the_calendar_is_no_moment(manager: Client, at: str) -> None:
    response = manager.get("/", {"at": at})
    assert response.status_code == 400
    assert "Give a date and a time" in response.content.decode()
