"""What national files count: the measures, and the columns that hold them. Pure: no Django.

Columns are recognised by the words of their headings (`wording.key`), not by their places. Bed
lines follow the KH03 definitions (general and acute, without maternity and mental health), long
stays and criteria to reside those of the daily situation reports (NHS England, *Process and
definitions for the daily situation report web form*).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What sort of file it is."""

    NCTR = "nctr"
    DELAY_REASONS = "delay-reasons"
    SITREP = "sitrep"
    DISCHARGE_METRICS = "discharge-metrics"


class Interval(StrEnum):
    """How far the days of a series are apart."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Measure:
    """Something counted. within: what it is a part of and cannot exceed. of: it is a share from 0
    to 1, of these counts (part, whole). comes_and_goes: nought one day and many the next is
    nothing strange."""

    slug: str
    label: str
    pattern: str
    kind: Kind = Kind.SITREP
    within: str = ""
    of: tuple[str, str] | None = None
    comes_and_goes: bool = False

    @property
    def is_share(self) -> bool:
        """Whether it is a share of something."""
        return self.of is not None


_OPEN = r"(total )?(beds? )?(open|avail\w*)"
_OCC = r"(beds? )?occ(upied|upd|d| d)?"
_RATE = r"(beds? )?(occ(upancy|upied|d)?|occupancy) ?(rate|pc|percentage)?"
_N = r"(total |no |number of |numbers of )?"


def _beds(slug: str, label: str, words: str) -> tuple[Measure, Measure, Measure]:
    """Beds open, occupied, and the rate, of one sort of beds."""
    return (
        Measure(f"{slug}-open", f"{label} open", rf"{_N}({words}) {_OPEN}"),
        Measure(
            f"{slug}-occupied", f"{label} occupied", rf"{_N}({words}) {_OCC}", within=f"{slug}-open"
        ),
        Measure(
            f"{slug}-rate",
            f"{label}: share occupied",
            rf"({words}) {_RATE}",
            of=(f"{slug}-occupied", f"{slug}-open"),
        ),
    )


_ADULT = r"adults?"
_CHILD = r"paed\w*|ped\w*|children\w*"
_GA = r"(g and a|ga|general (and )?acute)( beds?)?"
_BEDS: Final = (
    *_beds("ga-adult", "Adult general and acute beds", rf"({_ADULT}) {_GA}"),
    *_beds("ga-child", "Children's general and acute beds", rf"({_CHILD}) {_GA}"),
    *_beds("ga", "General and acute beds", rf"{_GA}|total beds"),
    *_beds(
        "cc",
        "Adult critical care beds",
        r"cc adult|adult cc|(adult )?critical care( beds?)?",
    ),
    *_beds("picu", "Children's intensive care beds", rf"({_CHILD}) (intensive cared?|cc)( beds?)?"),
    *_beds("nicu", "Neonatal intensive care beds", r"neonatal (intensive care|cc)( beds?)?"),
)

_STAY = r"(.*(stay|los\b|stranded|in hospital).*\b|over |)"


def _stay(days: int, within: str) -> Measure:
    more = r"( or more| plus| and over)?"
    pattern = rf"{_STAY}{days}{more} days?{more}( los| length of stay| (long )?stay\w*)?"
    return Measure(f"stay-{days}", f"In hospital {days} days or more", pattern, within=within)


_BY_1700 = r".*discharged by (17 ?00|5 ?pm).*"
_AFTER_1700 = r".*discharged (between|after) (17 ?0[01]|5 ?pm).*"
MEASURES: Final = (
    *_BEDS,
    Measure(
        "ga-rate",
        "General and acute beds: share occupied",
        r"(bed )?occupancy( rate)?",
        of=("ga-occupied", "ga-open"),
    ),
    Measure("ga-void", "General and acute beds void", r"(.*beds )?(void|unavailable).*"),
    _stay(7, "ga-occupied"),
    _stay(14, "stay-7"),
    _stay(21, "stay-7"),
    Measure(
        "infection-closed-empty",
        "Empty beds closed for diarrhoea, vomiting or norovirus",
        r".*(\bunocc\w* beds closed.*|beds closed.* unocc\w*).*",
        within="infection-closed",
        comes_and_goes=True,
    ),
    Measure(
        "infection-closed",
        "Beds closed for diarrhoea, vomiting or norovirus",
        rf"{_N}beds closed.*",
        comes_and_goes=True,
    ),
    Measure(
        "flu-ga",
        "General and acute beds with flu patients",
        r"(.*flu.* (g and a|general).*|(g and a|general).* flu .*)",
        comes_and_goes=True,
    ),
    Measure(
        "flu-cc",
        "Critical care beds with flu patients",
        r"(.*flu.* (cc|critical care).*|(cc|critical care).* flu .*)",
        comes_and_goes=True,
    ),
    Measure(
        "handover-30",
        "Ambulance handovers delayed 30 to 60 minutes",
        r"(.*delay\w* ?)(over |)30( to)?( 60)?( min\w*)?",
        comes_and_goes=True,
    ),
    Measure(
        "handover-60",
        "Ambulance handovers delayed over 60 minutes",
        r"(.*delay\w* ?)(over |)60( min\w*)?",
        comes_and_goes=True,
    ),
    Measure("ae-closures", "A&E closures", r"(a and e |ae )?closures", comes_and_goes=True),
    Measure("ae-diverts", "A&E diverts", r"(a and e |ae )?diverts", comes_and_goes=True),
    Measure("ae-attendances", "A&E attendances", r"(total )?(a and e |ae )?attendances"),
    Measure(
        "nctr-remaining",
        "Still in hospital at the end of the day, no criteria to reside",
        r".*remain.*(criteria to reside|nctr).*|nctr remaining.*",
        Kind.NCTR,
        within="nctr",
    ),
    Measure("discharged-by-17", "Discharged by 17:00", _BY_1700, Kind.NCTR, within="discharged"),
    Measure(
        "discharged-after-17",
        "Discharged from 17:01 to 23:59",
        _AFTER_1700,
        Kind.NCTR,
        within="discharged",
    ),
    Measure(
        "discharged",
        "Discharged",
        rf"discharged( total)?|{_N}(patients |people )?discharged",
        Kind.NCTR,
    ),
    Measure(
        "nctr",
        "No criteria to reside",
        r"(?!.*(discharged|remain)).*((not|longer) meet(ing)?( the)? criteria to reside.*"
        r"|no criteria to reside.*)|(patients with |no )?nctr( patients| total)?",
        Kind.NCTR,
    ),
)
_COMPILED: Final = tuple((measure, re.compile(measure.pattern)) for measure in MEASURES)


def by_heading(words: str) -> Measure | None:
    """The measure whose column has this heading (as `wording.key` writes it)."""
    return next((measure for measure, made in _COMPILED if made.fullmatch(words)), None)


BY_SLUG: Final = {measure.slug: measure for measure in reversed(MEASURES)}


class Part(StrEnum):
    """What a column that is no measure holds."""

    CODE = "code"
    NAME = "name"
    DATE = "date"
    REASON = "reason"
    COUNT = "count"
    GROUP = "group"
    CONTEXT = "context"


_WHO = r"(nhs )?(trust|provider|org(anisation)?|hospital)( ?[0-9]{2})?"
_AREA = r"(sub )?(icb|icbl|ics|stp|sicbl|region|nhs england region|board|area)( ?[0-9]{2})?"
_PARTS: Final = tuple(
    (part, rank, re.compile(pattern))
    for part, rank, pattern in (
        (Part.CODE, 0, rf"({_WHO} |ods |)code|{_WHO} id"),
        (Part.CODE, 1, rf"{_AREA} (ons |nhs |ods )?code( h)?"),
        (Part.NAME, 0, rf"({_WHO} |)name|trust|provider|organisation"),
        (Part.NAME, 1, rf"{_AREA} name"),
        (Part.DATE, 0, r"(reporting |report |data |activity |census |snapshot )?(date|day)"),
        (Part.DATE, 1, r"(reporting |report )?(period|month|week)( start\w*| end\w*)?|week ending"),
        (Part.REASON, 0, r"(delay |delayed discharge |discharge delay )?reasons?( for delay)?"),
        (Part.REASON, 1, r"metric( name)?"),
        (Part.COUNT, 0, r"(delay |patient |delayed )?counts?|value|delays"),
        (Part.COUNT, 1, r"(number of |no of )?(patients|people|delayed patients)( delayed)?"),
        (Part.GROUP, 0, r"metric group"),
        (Part.CONTEXT, 0, rf"level|metric type|unit|{_AREA}|sub icb|year|quarter|type"),
    )
)


def part_of(words: str) -> tuple[Part, int] | None:
    """What a column of this heading holds besides measures, and how surely (nought is surest)."""
    return next(((part, rank) for part, rank, made in _PARTS if made.fullmatch(words)), None)
