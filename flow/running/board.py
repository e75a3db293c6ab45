"""How the wards of a site are staffed, beside what they have to look after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.conf import settings
from django.db.models import Count

from accounts.roles import Permission
from wards.models import Occupancy, Site, Staffing, Ward
from wards.rule_books import book_of_site
from wards.rule_files import Limits
from wards.rule_loading import limits_in
from wards.scope import ALL, Scope
from wards.shifts import Shortage, Worked, on_show, per_nurse, shortage
from wards.staffing import Nurses, nurses_of, said_of
from wards.suitability.rulebook import RuleBook

UNSTAFFED: Final = (Ward.Kind.UNRECOGNISED, Ward.Kind.THEATRE, Ward.Kind.CLINIC)
"""Kinds of ward whose nurses are not said by shifts of patients in beds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A shift of a ward. key: of its fields in the form. ratio: patients now for each nurse at
    work, else planned; None where nobody can know."""

    key: str
    worked: Worked
    nurses: Nurses
    said_at: datetime | None
    said_by: str
    runs: bool
    ratio: float | None
    short: Shortage


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A ward. most: patients for each nurse; own: by its own limit, else by the rules. over: how
    many patients more than its limit. may: whether the viewer manages its beds."""

    ward: Ward
    patients: int
    limits: Limits
    most: float | None
    own: bool
    over: int
    may: bool
    cells: tuple[Cell, ...]

    @property
    def running(self) -> Cell | None:
        """The shift that is being worked."""
        return next((cell for cell in self.cells if cell.runs), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The wards of a site. planned, actual: nurses of the running shift, over the wards that have
    said; said: how many wards have said who is at work, of `wards`. short: wards short now."""

    moment: datetime
    day: date
    shifts: tuple[Worked, ...]
    rows: tuple[Row, ...]
    planned: int
    actual: int
    said: int
    short: int

    @property
    def may(self) -> bool:
        """Whether the viewer may say anything here."""
        return any(row.may for row in self.rows)

    @property
    def is_told(self) -> bool:
        """Whether anything is known from which a ward could be found short now."""
        return self.said > 0 or self.short > 0

    @property
    def patients(self) -> int:
        """On all wards shown."""
        return sum(row.patients for row in self.rows)


def staffing_board(site: Site, *, day: date, now: datetime, scope: Scope) -> Board:
    """The shifts of a day on the wards in sight, and with today the one of last night that runs
    still; five queries, and three for a rule book not read yet."""
    held = scope.wards(Permission.SEE_COUNTS)
    wards = Ward.objects.filter(site=site, same_as=None).exclude(kind__in=UNSTAFFED)
    if held != ALL:
        wards = wards.filter(pk__in=held)
    places = list(wards.select_related("limits", "site").order_by("position", "name"))
    shifts = on_show(day, settings.SHIFTS, at=now)
    said = said_of([ward.pk for ward in places], shifts)
    patients = patients_on([ward.pk for ward in places], at=now)
    stored = book_of_site(site.pk, at=now)
    rows = tuple(
        _row(
            ward,
            patients.get(ward.pk, 0),
            [(one, said.get((ward.pk, one.start))) for one in shifts],
            stored.book if stored else None,
            now=now,
            may=scope.may(Permission.MANAGE_BEDS, ward.pk),
        )
        for ward in places
    )
    running = [cell for row in rows if (cell := row.running) is not None]
    told = [cell.nurses for cell in running if cell.nurses.actual is not None]
    return Board(
        moment=now,
        day=day,
        shifts=tuple(shifts),
        rows=rows,
        planned=sum(one.nurses.planned or 0 for one in running),
        actual=sum(one.actual or 0 for one in told),
        said=len(told),
        short=sum(bool(row.over or (row.running and row.running.short)) for row in rows),
    )


def patients_on(wards: Sequence[int], *, at: datetime) -> dict[int, int]:
    """Everybody on each ward, with or without a bed; one query."""
    rows = Occupancy.objects.filter(ward__in=wards, period__contains=at)
    counted = rows.order_by().values_list("ward").annotate(number=Count("person", distinct=True))
    return dict(counted)


def limit_for(ward: Ward, limits: Limits, book: RuleBook | None) -> float | None:
    """Patients for each nurse at most: the ward's own limit, else that of the rules."""
    if limits.patients_per_nurse is not None:
        return limits.patients_per_nurse
    line = book.lines.get("nurse_ratio") if book is not None else None
    if line is None or ward.kind in line.except_kinds:
        return None
    return line.number("patients")


def key_of(ward: int, worked: Worked) -> str:
    """What the fields of a shift are called in the form."""
    return f"{ward}-{worked.start:%Y%m%dT%H%M}"


def _row(
    ward: Ward,
    patients: int,
    said: Sequence[tuple[Worked, Staffing | None]],
    book: RuleBook | None,
    *,
    now: datetime,
    may: bool,
) -> Row:
    kept = getattr(ward, "limits", None)
    limits = limits_in(kept) if kept is not None else Limits()
    most = limit_for(ward, limits, book)
    return Row(
        ward=ward,
        patients=patients,
        limits=limits,
        most=most,
        own=limits.patients_per_nurse is not None,
        over=max(0, patients - limits.most_patients) if limits.most_patients is not None else 0,
        may=may,
        cells=tuple(_cell(ward, patients, worked, row, most, now) for worked, row in said),
    )


def _cell(
    ward: Ward,
    patients: int,
    worked: Worked,
    row: Staffing | None,
    most: float | None,
    now: datetime,
) -> Cell:
    nurses = nurses_of(row)
    over = worked.is_over(now)
    there = nurses.planned if nurses.actual is None else nurses.actual
    return Cell(
        key=key_of(ward.pk, worked),
        worked=worked,
        nurses=nurses,
        said_at=row.recorded_at if row else None,
        said_by=str(row.by) if row and row.by else "",
        runs=worked.runs(now),
        # Of a shift that is over nobody knows here how many patients it had.
        ratio=None if over else per_nurse(patients, there),
        short=shortage(
            planned=nurses.planned,
            actual=nurses.actual,
            patients=0 if over else patients,
            most=most,
        ),
    )
