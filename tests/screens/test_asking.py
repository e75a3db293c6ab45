from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from flow.asking import EARLIEST, Asked, asked, in_words, presets

NOW = datetime(2026, 11, 21, 7, 30, tzinfo=UTC)


def ask(query: str, now: datetime = NOW) -> Asked:
    return asked(RequestFactory().get(f"/?{query}"), now=now)


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
