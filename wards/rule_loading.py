"""Loading a file of rules: kept as the next version where it says something new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime

import pghistory
from django.db import transaction

from accounts.audit import deed
from accounts.models import User
from accounts.refusals import Refused
from wards.models import RuleBook, Site, Ward, WardLimits
from wards.place_entries import FileMistaken, Mistake
from wards.rule_books import Stored, book_of_site, keep_book, same_rules, wait_for_others
from wards.rule_changes import Changes, changes, shown, spelt
from wards.rule_files import Limits, RuleFile
from wards.suitability.defaults import EXAMPLE
from wards.suitability.rulebook import ANY


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What loading a file did, or would do.

    before: the book in force until then; None where there was none. version: the one made; None
    where the file says what `before` says. late: the file asked for a moment that has passed.
    changes: against `before`. limits: what changed of each ward, in words. left: wards whose
    limits the file does not name. next: a later version that takes over after this one. doubts:
    what may be a slip.
    """

    before: Stored | None
    version: int | None
    valid_from: datetime
    late: bool
    changes: Changes | None
    limits: Mapping[str, tuple[str, ...]]
    left: tuple[str, ...]
    next: RuleBook | None
    doubts: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether the file says nothing new."""
        return self.version is None and not self.limits


def load_rules(
    file: RuleFile,
    *,
    site: Site | None,
    at: datetime,
    dry_run: bool = False,
    by: User | None = None,
) -> Loaded:
    """Keep the book of the file as the next version for the site (None: for all), and the limits
    of its wards.

    The version holds from `valid_from` of the file on, and never from before `at`: what was
    decided meanwhile was decided by other rules. A book that says what is in force then is not
    kept again. Raises FileMistaken for a ward that is not there, or is at two sites.
    """
    moment = max(file.valid_from or at, at)
    with transaction.atomic(), pghistory.context(**deed("load_rules", by)):
        wait_for_others()
        wards = _wards(file, site)
        before = book_of_site(site.pk if site else None, at=moment)
        is_new = before is None or not same_rules(before, file.book)
        limits = _limits_changed(file, wards)
        version = None
        if is_new:
            version = _next_version(site)
            if not dry_run:
                kept = keep_book(
                    site=site, book=file.book, valid_from=moment, by=by, note=file.note
                )
                version = kept.version
        if not dry_run:
            for code in limits:
                said = asdict(file.limits[code])
                WardLimits.objects.update_or_create(ward=wards[code], defaults=said)
        return Loaded(
            before=before,
            version=version,
            valid_from=moment,
            late=file.valid_from is not None and file.valid_from < at,
            changes=changes(before.book, file.book) if before and is_new else None,
            limits=limits,
            left=_left(file, site),
            next=RuleBook.objects.filter(site=site, valid_from__gt=moment)
            .order_by("valid_from", "-version")
            .first(),
            doubts=tuple(_doubts(file)),
        )


def rules_of(site: Site | None, *, at: datetime) -> RuleFile:
    """The book in force for a site (None: for all), or the example where there is none, and the
    limits of its wards. Raises Refused where two wards with limits have one code."""
    found = book_of_site(site.pk if site else None, at=at)
    limits: dict[str, Limits] = {}
    for row in _limits_of(site):
        if row.ward.code in limits:
            raise Refused(
                f"Two sites have a ward {row.ward.code} with limits. Write the rules of one site: "
                "--site CODE."
            )
        limits[row.ward.code] = limits_in(row)
    return RuleFile(book=found.book if found else EXAMPLE, limits=limits)


def limits_in(row: WardLimits) -> Limits:
    """The limits that a row keeps."""
    return Limits(**{field.name: getattr(row, field.name) for field in fields(Limits)})


def _limits_of(site: Site | None) -> Iterable[WardLimits]:
    rows = WardLimits.objects.select_related("ward__site")
    if site is not None:
        rows = rows.filter(ward__site=site)
    return rows.order_by("ward__site__position", "ward__position", "ward__code")


def _next_version(site: Site | None) -> int:
    last = RuleBook.objects.filter(site=site).order_by("-version").first()
    return last.version + 1 if last else 1


def _wards(file: RuleFile, site: Site | None) -> dict[str, Ward]:
    """The wards that the file names; raises FileMistaken where one is not there, or twice."""
    rows = Ward.objects.filter(code__in=file.lines, same_as=None).select_related("site")
    if site is not None:
        rows = rows.filter(site=site)
    found: dict[str, list[Ward]] = {}
    for ward in rows:
        found.setdefault(ward.code, []).append(ward)
    where = f"at {site.name}" if site else "there"
    mistakes = [
        Mistake(line, f"ward {code}", f"is not {where}; use the codes of the places file.")
        for code, line in file.lines.items()
        if code not in found
    ]
    for code, several in found.items():
        if len(several) > 1:
            sites = ", ".join(sorted(ward.site.code for ward in several))
            message = f"is at several sites ({sites}); load the file for one of them: --site."
            mistakes.append(Mistake(file.lines[code], f"ward {code}", message))
    if mistakes:
        raise FileMistaken(mistakes)
    return {code: several[0] for code, several in found.items()}


def _limits_changed(file: RuleFile, wards: Mapping[str, Ward]) -> dict[str, tuple[str, ...]]:
    rows = WardLimits.objects.filter(ward__in=[wards[code] for code in file.limits])
    known = {row.ward_id: limits_in(row) for row in rows}
    found = {}
    for code, limits in file.limits.items():
        if words := limits_changed(known.get(wards[code].pk, Limits()), limits):
            found[code] = words
    return found


def limits_changed(old: Limits, new: Limits) -> tuple[str, ...]:
    """What is different in the new limits, each in a few words."""
    return tuple(
        f"{spelt(field.name)} {_limit(new, field.name)}, was {_limit(old, field.name)}"
        for field in fields(Limits)
        if getattr(old, field.name) != getattr(new, field.name)
    )


def _limit(limits: Limits, name: str) -> str:
    value = getattr(limits, name)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "no limit" if value is None else shown(value)


def _left(file: RuleFile, site: Site | None) -> tuple[str, ...]:
    """Wards that have limits of which the file says nothing."""
    return tuple(
        row.ward.code
        for row in _limits_of(site)
        if row.ward.code not in file.limits and limits_in(row) != Limits()
    )


def _doubts(file: RuleFile) -> Iterable[str]:
    named = {line.specialty for line in file.book.outliers} - {ANY}
    named |= {line.ward_specialty for line in file.book.outliers} - {""}
    there = set(Ward.objects.filter(same_as=None).values_list("specialty", flat=True))
    if strange := sorted(named - there):
        yield f"No ward has the specialty {', '.join(strange)}: check the spelling."
