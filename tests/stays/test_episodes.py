"""From rows to episodes: what fits, and what happens to the rest of an episode."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.stays.files import at, row, written
from wards import stay_episodes as rules
from wards.stay_csv import opened, read
from wards.stay_episodes import Spells, assembled

NOW = at(31)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def made(folder: Path, *rows: Mapping[str, str]) -> Spells:
    return assembled(read(opened(written(folder, *rows))), now=NOW)


def refused(found: Spells) -> list[tuple[int, str, int | None]]:
    return sorted((one.line, one.reason, one.other) for one in found.refusals)


ONE = row(start="2025-03-01T08:00Z", end="2025-03-02T08:00Z", last=0)
TWO = row(start="2025-03-02T08:00Z", end="2025-03-03T08:00Z", ward="W2", last=0)
THREE = row(start="2025-03-03T08:00Z", end="2025-03-04T08:00Z", ward="W3", last=1)


def test_rows_may_stand_in_any_order(folder: Path) -> None:
    found = made(folder, THREE, row(episode="E2", patient="P2"), ONE, TWO)
    assert not found.refusals
    first = next(spell for spell in found.spells if spell.number == "E1")
    assert [one.ward for one in first.rows] == ["W1", "W2", "W3"]
    assert (first.start, first.ended) == (at(1, 8), at(4, 8))
    assert not found.notes


def test_an_episode_without_a_last_row_goes_on_and_is_told(folder: Path) -> None:
    found = made(folder, ONE, TWO)
    [spell] = found.spells
    assert spell.ended is None
    assert found.notes == {rules.UNMARKED: 1}


def test_an_empty_end_is_a_patient_who_is_still_there(folder: Path) -> None:
    found = made(folder, ONE, TWO | {"end": ""})
    assert found.spells[0].ended is None
    assert not found.notes


def test_a_row_marked_as_last_without_an_end_is_a_patient_who_is_still_there(folder: Path) -> None:
    found = made(folder, ONE, TWO | {"end": "", "last": "1"})
    assert not found.refusals
    assert [one.ward for one in found.spells[0].rows] == ["W1", "W2"]
    assert found.spells[0].ended is None
    assert found.notes == {rules.ENDLESS: 1}
    # Another row after it contradicts it, as it always did.
    found = made(folder, ONE | {"end": "", "last": "1"}, TWO)
    assert refused(found) == [(2, rules.HELD_BACK, 3), (3, rules.AFTER_LAST, 2)]


@pytest.mark.parametrize("died", ["1", "2025-03-02T12:00Z"])
def test_a_death_of_who_was_not_discharged_is_not_concluded(folder: Path, died: str) -> None:
    found = made(folder, ONE | {"died": died}, TWO)
    assert not found.refusals
    [spell] = found.spells
    assert (spell.ended, spell.died) == (None, False)
    assert found.notes == {rules.UNMARKED: 1, rules.DIED_STAYING: 1}
    # Said in a row before that of the discharge, it is a death.
    found = made(folder, ONE | {"died": "1"}, TWO, THREE)
    assert found.spells[0].died is True
    assert not found.notes


def test_the_order_of_the_file_tells_nothing(folder: Path) -> None:
    moment = "2025-03-02T08:00Z"
    given = [
        row(episode="E7", patient="P0", start="2025-03-09T08:00Z", end="", last=0),
        *(row(start=moment, end=moment, ward=ward, last=0) for ward in ("W8", "W9", "W8")),
        ONE,
        THREE,
        row(episode="E2", patient="P2", start="2025-02-20T08:00Z"),
    ]

    def told(rows: list[dict[str, str]]) -> list[tuple[str, list[tuple[str, object]]]]:
        spells = made(folder, *rows).spells
        return [(spell.number, [(r.ward, r.start) for r in spell.rows]) for spell in spells]

    assert told(given) == told(given[::-1])
    assert [number for number, _ in told(given)] == ["E2", "E1", "E7"]
    assert [ward for ward, _ in told(given)[1][1]] == ["W1", "W8", "W9", "W3"]


def test_a_row_without_an_end_ended_when_the_next_began(folder: Path) -> None:
    found = made(folder, ONE | {"end": ""}, TWO, THREE)
    assert not found.refusals
    assert found.spells[0].rows[0].end == at(2, 8)
    assert found.notes == {rules.OPEN_END: 1}


def test_gaps_are_fine_and_counted(folder: Path) -> None:
    found = made(folder, ONE, THREE)
    assert not found.refusals
    assert found.notes == {rules.GAPS: 1}


def test_the_same_row_twice_counts_once(folder: Path) -> None:
    found = made(folder, ONE, ONE, TWO, THREE)
    assert [len(spell.rows) for spell in found.spells] == [3]
    assert found.notes == {rules.REPEATED: 1}


def test_stays_without_length_stand_in_the_order_of_time(folder: Path) -> None:
    moment = "2025-03-02T08:00Z"
    found = made(
        folder,
        THREE,
        TWO,
        row(start=moment, end=moment, ward="W9", last=0),
        ONE,
        row(start="2025-03-04T08:00Z", end="2025-03-04T08:00Z", ward="W8", last=1),
    )
    # The row marked as last is no longer the last.
    assert {reason for _, reason, _ in refused(found)} == {rules.AFTER_LAST, rules.HELD_BACK}
    found = made(
        folder,
        THREE | {"last": "0"},
        TWO,
        row(start=moment, end=moment, ward="W9", last=0),
        ONE,
        row(start="2025-03-04T08:00Z", end="2025-03-04T08:00Z", ward="W8", last=1),
    )
    assert not found.refusals
    assert [one.ward for one in found.spells[0].rows] == ["W1", "W9", "W2", "W3", "W8"]
    assert found.spells[0].ended == at(4, 8)


def test_one_refused_row_holds_its_whole_episode_back_and_no_other(folder: Path) -> None:
    found = made(folder, ONE, TWO | {"end": "soon"}, THREE, row(episode="E2", patient="P2"))
    assert [spell.number for spell in found.spells] == ["E2"]
    assert [(line, other) for line, _, other in refused(found)] == [(2, 3), (3, None), (4, 3)]
    assert [reason for line, reason, _ in refused(found) if line != 3] == [rules.HELD_BACK] * 2


def test_a_row_that_cannot_be_cut_into_cells_holds_its_episode_back(folder: Path) -> None:
    path = written(folder, ONE, TWO, THREE)
    lines = path.read_text().splitlines()
    lines[2] += ",more"
    path.write_text("\n".join(lines))
    found = assembled(read(opened(path)), now=NOW)
    assert not found.spells
    assert [line for line, _, _ in refused(found)] == [2, 3, 4]


def test_overlapping_stays(folder: Path) -> None:
    found = made(folder, ONE, TWO | {"start": "2025-03-02T07:59Z"}, THREE)
    assert refused(found) == [
        (2, rules.HELD_BACK, 3),
        (3, rules.OVERLAP, 2),
        (4, rules.HELD_BACK, 3),
    ]


def test_a_row_without_an_end_beside_another(folder: Path) -> None:
    found = made(folder, ONE, ONE | {"ward": "W2", "end": ""})
    assert refused(found) == [(2, rules.HELD_BACK, 3), (3, rules.OVERLAP, 2)]


def test_rows_after_the_last(folder: Path) -> None:
    found = made(folder, ONE | {"last": "1"}, TWO)
    assert refused(found) == [(2, rules.HELD_BACK, 3), (3, rules.AFTER_LAST, 2)]


def test_two_patients_under_one_episode(folder: Path) -> None:
    found = made(folder, ONE, TWO | {"patient": "P2"}, THREE)
    assert refused(found) == [
        (2, rules.TWO_PATIENTS, 3),
        (3, rules.TWO_PATIENTS, 2),
        (4, rules.HELD_BACK, 3),
    ]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"died": "2025-03-05T00:00Z"}, rules.DIED_WHEN),
        ({"died": "2025-02-28"}, rules.DIED_WHEN),
        ({"died": "2025-02-28", "last": "0"}, rules.DIED_WHEN),
        ({"ctr_met": "2025-03-04T10:01Z"}, rules.READY_WHEN),
        ({"ctr_met": "2025-02-28"}, rules.READY_WHEN),
    ],
)
def test_what_does_not_fit_the_episode(folder: Path, said: dict[str, str], reason: str) -> None:
    found = made(folder, row(**said))
    assert refused(found) == [(2, reason, None)]


def test_the_day_of_the_admission_fits_where_dates_stand_alone(folder: Path) -> None:
    found = made(folder, row(ctr_met="2025-03-01"), row(episode="E2", died="2025-03-01"))
    assert not found.refusals


def test_episodes_of_one_patient_that_overlap_are_loaded_and_counted(folder: Path) -> None:
    found = made(
        folder,
        row(),
        row(episode="E2", start="2025-03-02T08:00Z", end="2025-03-03T08:00Z"),
        row(episode="E3", start="2025-03-04T10:00Z", end=""  , last=0),
        row(episode="E4", start="2025-03-09T10:00Z", end="", last=0),
        row(episode="E5", start="2025-03-02T08:00Z", patient="P2"),
        row(episode="E6", start="2025-03-02T08:00Z", site="ELSE"),
    )  # fmt: skip
    assert len(found.spells) == 6
    assert found.notes == {rules.OVERLAPPING: 2}


def test_rows_ahead_of_now_are_counted(folder: Path) -> None:
    found = made(folder, row(end="2025-04-02T08:00Z"), row(episode="E2"))
    assert len(found.spells) == 2
    assert found.notes[rules.FUTURE] == 1


def test_a_number_that_every_row_has_is_no_number(folder: Path) -> None:
    starts = [f"2025-03-{1 + n // 24 % 28:02}T{n % 24:02}:00Z" for n in range(501)]
    found = made(folder, *(row(start=when, end=when, last=0) for when in starts))
    assert {reason for _, reason, _ in refused(found)} == {rules.TOO_MANY_ROWS}
    found = made(
        folder, *(row(episode=f"E{n}") for n in range(1001)), row(patient="P2", episode="X")
    )
    assert [spell.number for spell in found.spells] == ["X"]
    assert {reason for _, reason, _ in refused(found)} == {rules.TOO_MANY_EPISODES}
