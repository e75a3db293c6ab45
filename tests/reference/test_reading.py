"""Tables of every shape: encodings, columns, labels, rows that are none."""

from __future__ import annotations

import gzip
import io
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from flow.reference.files import Unreadable, decoded, sources
from flow.reference.measures import Interval, Kind
from flow.reference.series import Doubt
from flow.reference.wording import key, mended
from tests.reference.tables import NCTR, days, lines, read

PLAIN = lines(NCTR, days([262, 0, "NA"]))


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8 with BOM"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16 without BOM"),
        ("utf-16-be", "UTF-16 without BOM"),
        ("utf-32", "UTF-32"),
        ("cp1252", "Windows-1252"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_every_encoding_and_line_end_says_the_same(encoding: str, name: str, end: str) -> None:
    text = lines(
        "Name,Code,Date,Delay reason,Delay count",
        ["King’s – Lynn,RCX,2024-06-01,Hospital process – Awaiting patient transport services,3"],
        end,
    )
    made = read(text.encode(encoding))
    assert made.encoding == name
    assert made.bodies["RCX"].name == "King’s – Lynn"
    assert set(made.counted) == {"delay-transport"}
    assert made.series["RCX", "delay-transport"][date(2024, 6, 1)].value == 3


def test_two_encodings_in_one_file_are_read_line_by_line() -> None:
    head = "code,date,delay_reason,delay_count\r\n"
    one = "RAJ,2024-06-01,Hospital process – Awaiting patient transport services,1\r\n"
    other = "RC9,2024-06-01,Hospital process – Awaiting patient transport services,2\r\n"
    data = b"\xef\xbb\xbf" + head.encode() + one.encode() + other.encode("cp1252")
    made = read(data)
    assert made.encoding == "UTF-8 and Windows-1252 mixed"
    assert set(made.counted) == {"delay-transport"}
    assert len(made.series) == 2


def test_byte_order_marks_within_a_file_put_together_are_passed_over() -> None:
    part = lines(NCTR, days([1])).encode("utf-8-sig")
    other = lines(NCTR, days([2], code="RC9")).encode("utf-8-sig")
    made = read(part + other)
    assert made.headings_again == 1
    assert set(made.bodies) == {"RAJ", "RC9"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_delimiter(delimiter: str) -> None:
    made = read(PLAIN.replace(",", delimiter))
    assert made.delimiter == delimiter
    assert [cell.value for cell in made.series["RAJ", "nctr"].values()] == [262, 0, None]


def test_columns_in_any_order_with_titles_above_and_notes_below() -> None:
    text = (
        "Title: patients in hospital\n\nPublished,1 May 2024\n"
        "Do not meet criteria to reside,Remarks,Date,Org Code\n"
        '"1,262",fine,01/04/2024,raj\n'
        "7,,02/04/2024,raj\n"
        "Source: NHS England\n"
    )
    made = read(text)
    assert made.kind is Kind.NCTR
    assert made.unknown_columns == ("Remarks",)
    assert {when: cell.value for when, cell in made.series["RAJ", "nctr"].items()} == {
        date(2024, 4, 1): Decimal(1262),
        date(2024, 4, 2): Decimal(7),
    }
    assert made.notes == 1


@pytest.mark.parametrize("code", ["", "-", "–", "NA", "n/a"])
def test_a_body_without_a_code_goes_by_its_name(code: str) -> None:
    made = read(lines("Code,Name,Date,nctr", [f"{code},England (total),2024-01-01,5"]))
    assert set(made.bodies) == {"ENGLAND (TOTAL)"}


def test_a_situation_report_by_its_columns() -> None:
    text = lines(
        "Code,Name,Date,G&A Beds Open,G&A beds occ'd,Occupancy rate,CC Adult Open,CC Adult Occ,"
        "No. beds closed due to norovirus etc.,No. unoccupied beds closed due to norovirus etc.,"
        "No. beds occupied by long-stay patients (> 7 days),"
        "No. beds occupied by long-stay patients (> 14 days),"
        "No. beds occupied by long-stay patients (> 21 days),Delays30,Diverts",
        [
            "-,ENGLAND (All Acute Trusts),2019-12-02T00:00:00Z,97742,93405,0,9,8,7,6,5,4,3,2,1",
            "-,ENGLAND (Type 1 Acute Trusts),2019-12-02T00:00:00Z,90000,9,0,9,8,7,6,5,4,3,2,1",
        ],
    )
    made = read(text)
    assert made.kind is Kind.SITREP
    assert not made.unknown_columns
    assert set(made.bodies) == {"ENGLAND (ALL ACUTE TRUSTS)", "ENGLAND (TYPE 1 ACUTE TRUSTS)"}
    assert set(made.counted) == {
        "ga-open", "ga-occupied", "ga-rate", "cc-open", "cc-occupied", "infection-closed",
        "infection-closed-empty", "stay-7", "stay-14", "stay-21", "handover-30", "ae-diverts",
    }  # fmt: skip


LABELS = [
    "Hospital process – Awaiting patient transport services",
    "Hospital process- Awaiting patient transport services",
    "HOSPITAL PROCESS — awaiting\u00a0patient  transport services ",
    "Hospital process â€“ Awaiting patient transport services",
    "Hospital process \x96 Awaiting patient transport services",
    "Hospital process ? Awaiting patient transport services",
    "Hospital process \ufffd Awaiting patient transport services",
    "Awaiting patient transport services",
    "Hospital process â€“ AwaitingÂ patient transport services",
]


@pytest.mark.parametrize("label", LABELS)
def test_a_delay_reason_is_known_in_spite_of_its_spelling(label: str) -> None:
    made = read(lines("code,date,reason,count", [f"RAJ,2024-06-01,{label},4"]))
    assert set(made.counted) == {"delay-transport"}
    assert made.counted["delay-transport"].reason == "transport"
    assert not made.unmatched


def test_a_label_nobody_knows_is_kept_and_told() -> None:
    rows = ["RAJ,2024-06-01,Awaiting a miracle,4", "RAJ,2024-07-01,Awaiting a miracle,5"]
    made = read(lines("code,date,reason,count", rows))
    assert dict(made.unmatched) == {"Awaiting a miracle": 2}
    [counted] = made.counted.values()
    assert (counted.slug, counted.label) == ("delay-awaiting-a-miracle", "Awaiting a miracle")
    assert counted.interval is Interval.MONTH


def test_long_labels_that_begin_alike_stay_apart() -> None:
    start = "Awaiting " + "something very long " * 8
    rows = [f"RAJ,2024-06-01,{start}one,1", f"RAJ,2024-06-01,{start}two,2"]
    made = read(lines("code,date,reason,count", rows))
    assert len(made.counted) == 2
    assert not made.disagree


def test_a_column_for_each_reason() -> None:
    head = "Code,Date,Awaiting patient transport services,Homeless with no recourse to public funds"
    made = read(lines(head, ["RAJ,2024-06-01,3,4"]))
    assert made.kind is Kind.DELAY_REASONS
    assert set(made.counted) == {"delay-transport", "delay-no-recourse"}


def test_the_published_monthly_file_keeps_groups_apart() -> None:
    head = "Period,Level,Region,ICB,Org Code,Org Name,Metric,Metric Type,Metric Group,Value"
    label = "Hospital process – Awaiting patient transport services"
    made = read(
        lines(
            head,
            [
                f'01/06/2024,Provider,London,QMF,R1H,Barts,"{label}",Count,Delay reason,11',
                f'01/06/2024,Provider,London,QMF,R1H,Barts,"{label}",Count,Delay reason LOS 14+,4',
                f'01/06/2024,Provider,London,QMF,R1H,Barts,"{label}",Cost,LOS 7+ cost,"£4,000"',
            ],
        )
    )
    assert made.kind is Kind.DISCHARGE_METRICS
    values = {slug: series[date(2024, 6, 1)].value for (_, slug), series in made.series.items()}
    assert values["delay-transport"] == 11
    assert values["delay-los-14-transport"] == 4
    assert sorted(values.values(), key=lambda v: v or 0) == [4, 11, 4000]


def test_months_and_weeks_are_series_of_their_own() -> None:
    head = "code,date,nctr"
    months = read(lines(head, ["RAJ,April 2024,1", "RAJ,May 2024,2"]))
    assert (months.interval, set(months.counted)) == (Interval.MONTH, {"nctr-by-month"})
    weeks = read(lines(head, [f"RAJ,2024-04-{day:02},1" for day in (1, 8, 15, 22)]))
    assert (weeks.interval, set(weeks.counted)) == (Interval.WEEK, {"nctr-by-week"})


def test_rows_without_day_or_body_are_left_out_and_told() -> None:
    made = read(lines(NCTR, ["RAJ,someday,1", ",2024-01-02,2", "RAJ,2024-01-03,3"]))
    assert made.bad_dates == [(2, "someday")]
    assert made.no_body == [3]
    assert made.rows == 1


def test_a_day_said_twice() -> None:
    told = ("1,5", "1,5", "2,5", "2,6", "3,NA", "3,7", "4,8", "4,NA")
    rows = [f"RAJ,2024-01-0{one}" for one in told]
    made = read(lines(NCTR, rows))
    series = list(made.series["RAJ", "nctr"].values())
    assert [cell.value for cell in series] == [5, 6, 7, 8]
    assert [cell.doubt for cell in series] == [None, Doubt.CONFLICT, None, None]
    assert (made.repeated, made.filled, len(made.disagree)) == (1, 2, 1)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a,b,c\n1,2,3\n", "of no known kind (“a”, “b”, “c”). Expected are"),
        (b"", "it has none"),
        (NCTR.encode(), "has headings and no figures"),
        (f"{NCTR}\nRAJ,someday,1\n".encode(), "line 2 says “someday”"),
        (b"\xff\xfea", "It begins as UTF-16 and is not"),
        (bytes(range(256)) * 40, "It is no text"),
        (b"Code,Name,Date\nRAJ,Mid,2024-01-01\n", "of no known kind"),
    ],
)
def test_what_is_no_table_of_ours_is_refused_with_what_is_expected(data: bytes, said: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(data)
    assert said in str(refused.value)


def test_an_open_quotation_mark_swallows_no_file_unseen() -> None:
    text = lines(NCTR, ["RAJ,2024-01-01,1", '"RAJ,2024-01-02,2', *["RAJ,2024-01-03,3"] * 9000])
    with pytest.raises(Unreadable, match="quotation mark is not closed"):
        read(text)


def test_packed_files(tmp_path: Path) -> None:
    data = PLAIN.encode()
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(data))
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("one.csv", data)
        archive.writestr("inner/two.csv.gz", gzip.compress(data))
        archive.writestr("__MACOSX/._one.csv", b"junk")
    (tmp_path / "c.csv").write_bytes(data)
    names = ("a.csv.gz", "b.zip", "c.csv")
    found = [one for name in names for one in sources(tmp_path / name)]
    assert [one.name for one in found] == [
        "a.csv.gz", "b.zip/one.csv", "b.zip/inner/two.csv.gz", "c.csv",
    ]  # fmt: skip
    assert len({one.digest for one in found}) == 1


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("cut.csv.gz", gzip.compress(PLAIN.encode() * 50)[:-20], "damaged"),
        ("cut.zip", b"PK\x03\x04rest", "damaged"),
        ("old.xls", b"\xd0\xcf\x11\xe0rest", "Save the sheet as CSV"),
    ],
)
def test_damaged_and_foreign_files_are_refused(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(Unreadable, match=said):
        list(sources(tmp_path / name))


def test_a_workbook_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
    (tmp_path / "book.xlsx").write_bytes(packed.getvalue())
    with pytest.raises(Unreadable, match="workbook"):
        list(sources(tmp_path / "book.xlsx"))
    with pytest.raises(Unreadable, match="There is no file"):
        list(sources(tmp_path / "none.csv"))


def test_decoding_never_fails_on_text_of_single_bytes() -> None:
    every = bytes(range(32, 256))
    assert decoded(every).encoding == "Windows-1252"


def test_wording_is_compared_by_its_words() -> None:
    assert key("Home-based  (Pathway 1)") == key("home based – pathway 1")
    assert key("King’s") == key("King's") == "kings"
    assert key("G&A beds occ'd") == "g and a beds occd"
    assert mended("King’s") == "King’s"
    assert mended("KingÃ¢â‚¬â„¢s") == "King’s"
    assert mended("KingÂ’s Ã") == "KingÂ’s Ã"
    assert mended("Â£5 toÂ  6") == "£5 to  6"
    assert mended("Zoë, à la carte") == "Zoë, à la carte"
