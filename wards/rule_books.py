"""Rule books as they are kept: reading the one in force, and keeping a new version.

A version is never edited, so that what was decided by it can be looked up again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from django.db import connection, transaction
from django.db.models import F, Max, Q

from accounts.models import User
from accounts.refusals import Refused
from wards.models import OutlierLine, Rule, RuleBook, Site, Ward
from wards.rule_changes import COSTS
from wards.suitability import rulebook
from wards.suitability.defaults import EXAMPLE
from wards.suitability.rulebook import BadRuleBook, Param
from wards.suitability.shapes import SHAPES

FACTS: Final = rulebook.RuleBook(
    version="facts alone",
    name="Facts alone",
    lines={code: EXAMPLE.lines[code] for code, shape in SHAPES.items() if shape.needed},
)
"""What holds where nobody has given any rules: a bed that is closed, taken or held is no bed."""
_LOCK: Final = 0x72756C65
"""Of the advisory lock under which versions are numbered."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A version of a book as it is kept, and the rules it holds."""

    pk: int
    site: int | None
    name: str
    version: int
    valid_from: datetime
    book: rulebook.RuleBook


def book_for(*, ward: int, at: datetime) -> Stored | None:
    """The book in force for a ward at a moment: its site's own, else that of all; None where
    nobody has given any."""
    site = Ward.objects.values_list("site_id", flat=True).filter(pk=ward).first()
    return book_of_site(site, at=at)


def book_of_site(site: int | None, *, at: datetime) -> Stored | None:
    """The book in force for a site at a moment; one query, and three for a book not read yet."""
    rows = RuleBook.objects.filter(Q(site=site) | Q(site=None), valid_from__lte=at)
    found = rows.order_by(F("site").asc(nulls_last=True), "-valid_from", "-version")
    row = found.only("pk", "recorded_at").first()
    return None if row is None else stored(row)


def stored(row: RuleBook) -> Stored:
    """The rules of a version; three queries for one not read yet."""
    # A database that was made anew (a restored one, or a test's) may use a key again.
    return _read(connection.settings_dict["NAME"], row.pk, row.recorded_at)


@lru_cache(maxsize=32)
def _read(_database: str, pk: int, _recorded_at: datetime) -> Stored:
    row = RuleBook.objects.get(pk=pk)
    lines = OutlierLine.objects.filter(book=row).select_related("ward")
    return Stored(
        pk=row.pk,
        site=row.site_id,
        name=row.name,
        version=row.version,
        valid_from=row.valid_from,
        book=_book(
            f"{row.name}, version {row.version}",
            row.name,
            [_line(rule) for rule in Rule.objects.filter(book=row)],
            [
                rulebook.OutlierLine(
                    specialty=line.specialty or rulebook.ANY,
                    verdict=line.verdict,
                    ward_code=line.ward.code if line.ward else "",
                    ward_specialty=line.ward_specialty,
                    ward_kind=line.ward_kind,
                    cost=line.cost,
                )
                for line in lines
            ],
            row.costs,
        ),
    )


def keep_book(
    *,
    site: Site | None,
    book: rulebook.RuleBook,
    valid_from: datetime,
    by: User | None,
    note: str = "",
) -> RuleBook:
    """Keep a book as the next version for the site (or for all, with None) from a moment on.

    Raises Refused where a line names a ward that is not there.
    """
    wards = _wards_named(book, site)
    with transaction.atomic():
        wait_for_others()
        last = RuleBook.objects.filter(site=site).aggregate(last=Max("version"))["last"]
        row = RuleBook.objects.create(
            site=site,
            name=book.name,
            version=(last or 0) + 1,
            valid_from=valid_from,
            costs={name: _plain(getattr(book, name)) for name in COSTS},
            note=note[:500],
            by=by,
        )
        Rule.objects.bulk_create(
            Rule(
                book=row,
                code=line.code,
                title=line.title,
                text=line.text,
                source=line.source,
                hard=line.hard,
                weight=line.weight,
                may_override=line.may_override,
                breach=line.breach,
                except_kinds=sorted(line.except_kinds),
                params={name: _plain(value) for name, value in line.params.items()},
                position=number,
            )
            for number, line in enumerate(book.lines.values())
        )
        OutlierLine.objects.bulk_create(
            OutlierLine(
                book=row,
                ward=wards[line.ward_code] if line.ward_code else None,
                ward_specialty=line.ward_specialty,
                ward_kind=line.ward_kind,
                specialty="" if line.specialty == rulebook.ANY else line.specialty,
                verdict=line.verdict,
                cost=line.cost,
                position=number,
            )
            for number, line in enumerate(book.outliers)
        )
    return row


def wait_for_others() -> None:
    """Keep everybody else from keeping a version until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def same_rules(kept: Stored, book: rulebook.RuleBook) -> bool:
    """Whether a book says what the stored version says, whatever its version is called."""
    mine = kept.book
    return (
        mine.name == book.name
        and dict(mine.lines) == dict(book.lines)
        and set(mine.outliers) == set(book.outliers)  # the most exact counts, whatever the order
        and all(getattr(mine, name) == getattr(book, name) for name in COSTS)
    )


def _book(
    version: str,
    name: str,
    lines: Sequence[rulebook.RuleLine],
    outliers: Sequence[rulebook.OutlierLine],
    costs: Mapping[str, object],
) -> rulebook.RuleBook:
    said = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in costs.items()
        if key in COSTS
    }
    return rulebook.RuleBook(
        version=version,
        name=name,
        lines={line.code: line for line in lines},
        outliers=tuple(outliers),
        **said,  # type: ignore[arg-type]  # as `keep_book` wrote them
    )


def _line(rule: Rule) -> rulebook.RuleLine:
    params: dict[str, Param] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in rule.params.items()
    }
    return rulebook.RuleLine(
        code=rule.code,
        title=rule.title,
        text=rule.text,
        source=rule.source,
        hard=rule.hard,
        weight=rule.weight,
        may_override=rule.may_override,
        breach=rule.breach,
        except_kinds=frozenset(rule.except_kinds),
        params=params,
    )


def _wards_named(book: rulebook.RuleBook, site: Site | None) -> dict[str, Ward]:
    codes = {line.ward_code for line in book.outliers if line.ward_code}
    rows = Ward.objects.filter(code__in=codes, same_as=None)
    if site is not None:
        rows = rows.filter(site=site)
    found: dict[str, Ward] = {}
    for ward in rows:
        if ward.code in found:
            raise Refused(
                f"The outlier table names {ward.code}, which two sites have. "
                "Give each site a book of its own."
            )
        found[ward.code] = ward
    if missing := sorted(codes - set(found)):
        raise Refused(
            f"The outlier table names a ward that is not there: {', '.join(missing)}. "
            "Use the codes of the places file."
        )
    return found


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


__all__ = [
    "FACTS",
    "BadRuleBook",
    "Stored",
    "book_for",
    "book_of_site",
    "keep_book",
    "same_rules",
    "stored",
    "wait_for_others",
]
