"""What is missing and what looks wrong is found, and nothing is put right in silence."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from flow.reference.checking import Suspect
from flow.reference.reporting import findings
from flow.reference.series import Doubt
from tests.reference.tables import NCTR, checked, days, lines


def doubts(suspects: tuple[Suspect, ...], doubt: Doubt) -> list[tuple[date, date, str]]:
    return [(one.first, one.last, one.told) for one in suspects if one.doubt is doubt]


def test_a_nought_between_large_counts_is_kept_and_doubted() -> None:
    made, found = checked(lines(NCTR, days([262, 302, 0, 0, 434, 415])))
    assert doubts(found.suspects, Doubt.ZERO) == [
        (date(2024, 1, 3), date(2024, 1, 4), "2 beside 302 and 434")
    ]
    cells = [made.series["RAJ", "nctr"][date(2024, 1, n)] for n in range(1, 7)]
    assert [cell.value for cell in cells] == [262, 302, 0, 0, 434, 415]
    assert [cell.doubt for cell in cells] == [None, None, Doubt.ZERO, Doubt.ZERO, None, None]


def test_a_nought_among_small_counts_is_a_nought() -> None:
    _made, found = checked(lines(NCTR, days([2, 0, 3, 9, 0, 8])))
    assert not found.suspects


def test_what_comes_and_goes_may_be_nought() -> None:
    text = lines(
        "Code,Date,Delays30", ["RAJ,2024-01-01,40", "RAJ,2024-01-02,0", "RAJ,2024-01-03,40"]
    )
    assert not checked(text)[1].suspects


def test_noughts_alone_where_others_count_many() -> None:
    rows = [*days([0] * 4, code="RNZ"), *days([50] * 4, code="RAJ"), *days([60] * 4, code="RC9")]
    _made, found = checked(lines(NCTR, rows))
    assert [one.body for one in found.suspects] == ["RNZ"]
    assert "never anything else" in found.suspects[0].told


def test_a_month_without_any_delay() -> None:
    rows = [
        f"{code},2024-{month:02},{reason},{0 if (code, month) == ('RAJ', 7) else 5}"
        for code in ("RAJ", "RC9")
        for month in (6, 7, 8)
        for reason in (
            "Awaiting patient transport services",
            "Homeless with no recourse to public funds",
        )
    ]
    _made, found = checked(lines("code,month,delay_reason,delay_count", rows))
    assert doubts(found.suspects, Doubt.ZERO) == [
        (date(2024, 7, 1), date(2024, 7, 1), "every reason nought, 1 of 3")
    ]


def test_a_leap_is_doubted() -> None:
    _made, found = checked(lines(NCTR, days([248, 1936, 138])))
    assert doubts(found.suspects, Doubt.SPIKE) == [
        (date(2024, 1, 2), date(2024, 1, 2), "1936 between 248 and 138")
    ]


def test_parts_larger_than_the_whole() -> None:
    text = lines(
        "Code,Date,G&A beds open,G&A beds occupied",
        ["RAJ,2024-01-01,100,90", "RAJ,2024-01-02,100,101", "RAJ,2024-01-03,NA,101"],
    )
    _made, found = checked(text)
    assert doubts(found.suspects, Doubt.EXCEEDS) == [
        (date(2024, 1, 2), date(2024, 1, 2), "101, of 100 general and acute beds open")
    ]


def test_figures_below_nought_and_words_are_kept_as_missing() -> None:
    made, found = checked(lines(NCTR, days([5, -3, "many", "*"])))
    cells = list(made.series["RAJ", "nctr"].values())
    assert [cell.value for cell in cells] == [5, None, None, None]
    assert [cell.mark for cell in cells] == ["", "-3", "many", "*"]
    assert doubts(found.suspects, Doubt.NEGATIVE)[0][2] == "“-3” in line 3"
    assert doubts(found.suspects, Doubt.NOT_A_NUMBER)[0][2] == "“many” in line 4"
    told = findings(made, found)["missing"]
    assert (told["count"], told["suppressed"]) == (3, 1)


def test_published_shares_are_compared_and_made_anew() -> None:
    head = "Code,Date,G&A beds open,G&A beds occupied,Occupancy rate"
    rows = ["RAJ,2024-01-01,100,95,0", "RAJ,2024-01-02,100,95,95.0%", "RAJ,2024-01-03,100,95,95",
            "RAJ,2024-01-04,100,95,NA", "RAJ,2024-01-05,NA,NA,0.91"]  # fmt: skip
    made, found = checked(lines(head, rows))
    [rate] = found.rates
    assert (rate.published, rate.differ) == (3, 1)
    assert rate.examples == (("RAJ", date(2024, 1, 1), Decimal(0), Decimal("0.95")),)
    shares = [cell.value for cell in made.series["RAJ", "ga-rate"].values()]
    assert shares == [Decimal("0.95")] * 4 + [Decimal("0.91")]
    assert not found.suspects


@given(st.lists(st.sampled_from([None, "NA", 3, 0]), min_size=1, max_size=28))
def test_gaps_values_and_missing_days_add_up(values: list[object]) -> None:
    """From the first row to the last, each day has a figure, a row without one, or no row."""
    made_of = days(values)
    if not made_of or not any(value in (0, 3) for value in values):
        return
    made, found = checked(lines(NCTR, made_of))
    told = findings(made, found)
    rows = [number for number, value in enumerate(values) if value is not None]
    whole = rows[-1] - rows[0] + 1
    assert told["values"] == sum(1 for value in values if isinstance(value, int))
    assert told["zeros"] == sum(1 for value in values if value == 0)
    assert told["missing"]["count"] == told["missing_runs"]["days"] == values.count("NA")
    assert told["gaps"]["days"] == whole - len(rows)
    assert told["values"] + told["missing"]["count"] + told["gaps"]["days"] == whole


def test_a_gap_common_to_several_measures_is_told_once() -> None:
    head = "Code,Date,G&A beds open,G&A beds occupied"
    rows = ["RAJ,2024-01-01,9,8", "RAJ,2024-01-04,9,8", "RAJ,2024-01-05,9,NA"]
    _made, found = checked(lines(head, rows))
    runs = [(run.measures, run.first.day, run.last.day, run.told) for run in found.runs]
    assert runs == [(("ga-open", "ga-occupied"), 2, 3, False), (("ga-occupied",), 5, 5, True)]
