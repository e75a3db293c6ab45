"""Numbers and days, in every way in which published tables write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow.reference.values import EPOCH, LONDON, day, is_day_first, number

DAYS = st.dates(min_value=date(1990, 1, 1), max_value=date(2099, 12, 31))
COUNTS = st.integers(0, 10**10)


@given(
    COUNTS, st.sampled_from(["{}", "{:,}", " {} ", "{}.0", "{:,}.00", '"{}"', "\u00a0{}", "+{}"])
)
def test_a_count_is_read_however_it_is_written(count: int, form: str) -> None:
    found = number(form.format(count))
    assert (found.value, found.mark, found.wrong) == (Decimal(count), "", False)


@given(COUNTS)
def test_thousands_may_stand_apart_by_spaces(count: int) -> None:
    for space in (" ", "\u00a0", "\u2009", "\u202f"):
        assert number(f"{count:,}".replace(",", space)).value == count


@given(st.integers(1, 10**6), st.sampled_from(["-{}", "−{}", "({})", "-{:,}", "–{}"]))
def test_what_is_below_nought_is_kept_apart(count: int, form: str) -> None:
    found = number(form.format(count))
    assert found.value is None
    assert found.wrong
    assert found.mark


@pytest.mark.parametrize(
    "text",
    ["", " ", "NA", "n/a", "N/A", "-", "–", "—", "..", "NULL", "NaN", "#N/A", "[x]", "\u00a0"],
)
def test_words_for_no_figure_are_no_figure_and_not_nought(text: str) -> None:
    found = number(text)
    assert (found.value, found.wrong, found.suppressed) == (None, False, False)


@pytest.mark.parametrize("text", ["*", "c", "[c]", "<5", "≤7", "< 10", "1-5", "1 to 4"])
def test_small_figures_held_back_are_told_apart(text: str) -> None:
    found = number(text)
    assert (found.value, found.wrong, found.suppressed) == (None, False, True)


@pytest.mark.parametrize(
    "text",
    ["1,23", "12,34,567", "1.2.3", "twelve", "12 34", "inf", "1e999", "12 beds", "0x10", "٣"],
)
def test_what_could_mean_two_things_is_not_guessed(text: str) -> None:
    found = number(text)
    assert found.value is None or found.value == 3  # a digit is a digit in any script
    assert found.wrong or found.value == 3


@pytest.mark.parametrize(
    ("text", "value"),
    [("95.4%", "0.954"), ("£1,234.50", "1234.50"), ("1.2E3", "1200"), ("0.8784", "0.8784")],
)
def test_shares_money_and_powers(text: str, value: str) -> None:
    assert number(text).value == Decimal(value)


@given(st.text(max_size=30))
def test_any_text_at_all_is_told_without_an_error(text: str) -> None:
    found = number(text)
    assert found.value is None or (found.value >= 0 and not found.mark)
    assert len(found.mark) <= 20
    day(text)


@given(
    DAYS,
    st.sampled_from(
        ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y/%m/%d", "%Y%m%d", "%d %b %Y",
         "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%a %d %b %Y", "%B %d, %Y", "%Y-%m-%d 00:00:00",
         "%Y-%m-%dT00:00:00", "%d/%m/%Y 00:00", "%d%b%Y"]
    ),
)  # fmt: skip
def test_a_day_is_read_however_it_is_written(when: date, form: str) -> None:
    if "%y" in form and when.year < 2000:
        return
    found = day(f"{when:{form}}")
    assert found is not None
    assert (found.day, found.whole_month) == (when, False)


@given(DAYS.filter(lambda d: d >= date(1955, 1, 1)))
def test_a_spreadsheets_number_is_a_day(when: date) -> None:
    serial = (when - EPOCH).days
    for text in (str(serial), f"{serial}.0", f"{serial}.375"):
        found = day(text)
        assert found is not None
        assert found.day == when


@given(DAYS, st.sampled_from(["Z", "+00:00", ".000Z", " UTC", " GMT"]))
def test_midnight_in_england_told_in_utc_is_that_day(when: date, zone: str) -> None:
    midnight = datetime(when.year, when.month, when.day, tzinfo=LONDON).astimezone(UTC)
    found = day(f"{midnight:%Y-%m-%dT%H:%M:%S}{zone}")
    assert found is not None
    assert found.day == when


def test_summer_time_moves_no_day() -> None:
    told = [day("2021-03-28T00:00:00Z"), day("2021-03-28T23:00:00Z"), day("2021-03-29T23:00:00Z")]
    assert [one.day for one in told if one] == [date(2021, 3, 28) + timedelta(n) for n in range(3)]


@pytest.mark.parametrize(
    ("text", "when"),
    [("April 2022", date(2022, 4, 1)), ("Apr-22", date(2022, 4, 1)), ("2022-04", date(2022, 4, 1)),
     ("SEPT 2023", date(2023, 9, 1))],
)  # fmt: skip
def test_a_month_is_a_whole_month(text: str, when: date) -> None:
    found = day(text)
    assert found is not None
    assert (found.day, found.whole_month) == (when, True)


@pytest.mark.parametrize(
    "text", ["", "31/02/2022", "2022-13-01", "yesterday", "12", "99999", "1 Foo 2022", "1/1"]
)
def test_what_is_no_day_is_none(text: str) -> None:
    assert day(text) is None


def test_the_month_comes_first_only_where_nothing_else_makes_sense() -> None:
    assert is_day_first(["03/04/2022", "2022-04-25", ""])
    assert is_day_first(["03/04/2022", "25/04/2022", "04/25/2022"])
    assert not is_day_first(["03/04/2022", "04/25/2022"])
    found = day("03/04/2022", day_first=False)
    assert found is not None
    assert found.day == date(2022, 3, 4)
