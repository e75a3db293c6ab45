"""The form of a file: taken as it comes. Its rows: each by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stays.files import at, row, text
from wards.stay_csv import (
    BACKWARDS,
    CELLS,
    QUOTES,
    Rows,
    StayFile,
    Unreadable,
    opened,
    read,
)

PLAIN = text(row())


def given(folder: Path, content: str | bytes) -> StayFile:
    path = folder / "stays.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return opened(path)


def rows(folder: Path, content: str | bytes) -> Rows:
    return read(given(folder, content))


def reasons(found: Rows) -> list[tuple[int, str]]:
    return [(one.line, one.reason) for one in found.refusals]


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        text(row(), separator=";"),
        text(row(), separator="\t"),
        text(row(), separator="|"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.encode("utf-16"),
        b"\xff\xfe" + text(row(), separator="\t").encode("utf-16-le"),
        "sep=;\n" + text(row(), separator=";"),
        "\n\n" + PLAIN + "\n,,,,\n   \n",
        PLAIN.rstrip("\n"),
        PLAIN.replace("admission_method", " Admission Method ").replace("start", "START"),
        ",".join(f'"{cell}"' for cell in PLAIN.splitlines()[0].split(",")) + "\n"
        + PLAIN.splitlines()[1],
        PLAIN + PLAIN.splitlines()[0] + "\n",  # files put together
    ],
)  # fmt: skip
def test_the_form_does_not_matter(tmp_path: Path, content: str | bytes) -> None:
    found = rows(tmp_path, content)
    assert not found.refusals
    [one] = found.rows
    assert (one.episode, one.ward, one.sex, one.age) == ("E1", "W1", "female", "78")
    assert (one.start, one.end, one.last) == (at(1, 8), at(4, 10), True)


def test_columns_in_any_order_and_more_than_are_known(tmp_path: Path) -> None:
    lines = [line.split(",") for line in text(row(consultant="Dr Ash", end="")).splitlines()]
    turned = "\n".join(",".join(reversed(cells)) for cells in lines)
    turned = turned.replace(",1,,", ",0,,")  # not the last any more
    file = given(tmp_path, turned)
    assert file.ignored == ["consultant"]
    [one] = read(file).rows
    assert (one.episode, one.end, one.last) == ("E1", None, False)


def test_usual_columns_may_be_missing_and_are_told(tmp_path: Path) -> None:
    file = given(
        tmp_path, "episode,patient,site,ward,start,end,last\nE1,P1,S,W,2025-03-01,2025-03-02,1\n"
    )
    assert file.missing == ["specialty", "sex", "age", "admission_method"]
    [one] = read(file).rows
    assert (one.specialty, one.sex, one.age, one.edd) == ("", "unknown", "", None)


def test_a_text_that_is_not_utf_8_is_read_as_windows_1252(tmp_path: Path) -> None:
    file = given(tmp_path, text(row(ward="Ward Château")).encode("cp1252"))
    assert file.encoding == "cp1252"
    assert read(file).rows[0].ward == "Ward Château"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"episode,patient\nE1,P1\n", "site, ward, start, end, last are missing"),
        (b"E1,P1,WLD,W1,300,F,78,21,2025-03-01,2025-03-02,1\n", "must name the columns"),
        (b"PK\x03\x04rest", "no plain text"),
        (b"\x1f\x8brest", "no plain text"),
        (b"epi\0sode\0", "no plain text"),
        (b"\xff\xfeab\x00", "begins as UTF-16"),
        (PLAIN.replace("ward", "ward,WARD", 1).encode(), "column ward twice"),
    ],
)
def test_what_is_no_file_of_stays_says_what_to_do(
    tmp_path: Path, content: bytes, what: str
) -> None:
    with pytest.raises(Unreadable, match=what) as caught:
        given(tmp_path, content)
    assert "P1" not in str(caught.value)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="no file"):
        opened(tmp_path / "none.csv")
    with pytest.raises(Unreadable, match="folder"):
        opened(tmp_path)


def test_each_row_is_refused_with_everything_that_is_wrong_with_it(tmp_path: Path) -> None:
    found = rows(
        tmp_path,
        text(
            row(),
            row(episode="E2", start="soon", sex="?", last="perhaps"),
            row(episode="E3", end="2025-03-01T07:59Z"),
            row(episode="E4", end=""),
            row(episode="E5"),
        ),
    )
    assert found.count == 5
    assert [one.episode for one in found.rows] == ["E1", "E4", "E5"]
    assert [line for line, _ in reasons(found)] == [3, 3, 3, 4]
    assert reasons(found)[3:] == [(4, BACKWARDS)]
    assert found.broken == {"E2": 3, "E3": 4}


def test_too_many_and_too_few_cells(tmp_path: Path) -> None:
    good = PLAIN.splitlines()[1]
    found = rows(
        tmp_path,
        f"{PLAIN}{good},more\n{good},,\n{good.rsplit(',', 1)[0]}\n",
    )
    assert reasons(found) == [(3, CELLS), (5, CELLS)]
    assert len(found.rows) == 2  # empty cells too many say nothing


def test_a_stray_quotation_mark_costs_its_own_row_alone(tmp_path: Path) -> None:
    lines = text(row(), row(episode="E2", ward='W"2'), row(episode="E3"), row(episode="E4")).split(
        "\n"
    )
    lines[2] = lines[2].replace('""', '"').replace('"W"2"', '"W2')
    found = rows(tmp_path, "\n".join(lines))
    assert reasons(found) == [(3, QUOTES)]
    assert [one.episode for one in found.rows] == ["E1", "E3", "E4"]
    assert found.broken == {"E2": 3}


def test_every_row_with_a_stray_quotation_mark_is_read_quickly(tmp_path: Path) -> None:
    head, good = PLAIN.splitlines()
    found = rows(tmp_path, "\n".join([head, *(good.replace("W1", '"W1') for _ in range(3000))]))
    assert len(found.refusals) == 3000
    assert not found.rows


def test_a_character_that_is_no_text_costs_its_own_row_alone(tmp_path: Path) -> None:
    found = rows(tmp_path, text(row(), row(episode="E\0"), row(episode="E3")))
    assert [line for line, _ in reasons(found)] == [3]
    assert [one.episode for one in found.rows] == ["E1", "E3"]


def test_a_cell_may_go_over_several_lines(tmp_path: Path) -> None:
    found = rows(tmp_path, text(row(note="one\ntwo\n\nthree"), row(episode="E2", note="four")))
    assert not found.refusals
    assert [(one.line, one.episode) for one in found.rows] == [(2, "E1"), (6, "E2")]


def test_refused_rows_loaded_again_bring_their_own_columns(tmp_path: Path) -> None:
    file = given(tmp_path, text({"line": "7", "reason": "start is no time"} | row()))
    assert file.ignored == []
    assert len(read(file).rows) == 1
