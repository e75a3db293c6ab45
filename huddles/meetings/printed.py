"""The summary of a meeting as a PDF of one page, for a printer, a mail or a folder.

Made from what was kept when it ended and nothing else, so that it is the same whenever it is asked
for. Set smaller where there is more to say, down to `SMALLEST`; a longer one takes a second page.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Table, TableStyle

from huddles.meetings.figures import SHORT
from huddles.meetings.timetable import time_near
from huddles.models import Figure

LARGEST: Final = 9.0
SMALLEST: Final = 6.0
"""Sizes of the letters in points."""
_FACE, _BOLD = "DejaVuSans", "DejaVuSans-Bold"


def as_pdf(kept: dict[str, Any], *, closed_at: datetime) -> bytes:
    """The PDF of a meeting that ended at `closed_at`; `kept` as `huddles.meetings.freezing` made
    it."""
    size = LARGEST
    while True:
        body, pages = _set(kept, closed_at, size)
        if pages == 1 or size <= SMALLEST:
            return body
        size -= 0.5


@cache
def _faces() -> tuple[str, str]:
    """The names of the plain and the bold face; those of every PDF reader where the assets have
    not been collected, which lack letters beyond western Europe."""
    folder = Path(settings.BASE_DIR) / "static" / "npm" / "dejavu"
    try:
        for name in (_FACE, _BOLD):
            pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))
    except (TTFError, OSError):
        return "Helvetica", "Helvetica-Bold"
    return _FACE, _BOLD


class _Sheet:
    """The styles of one size, and what is put on the page in them."""

    def __init__(self, size: float) -> None:
        plain, self.bold = _faces()
        self.size = size
        self.plain = ParagraphStyle("plain", fontName=plain, fontSize=size, leading=size * 1.25)
        self.head = ParagraphStyle(
            "head", parent=self.plain, fontName=self.bold, fontSize=size * 1.7, leading=size * 2.1
        )
        self.part = ParagraphStyle(
            "part", parent=self.plain, fontName=self.bold, spaceBefore=size * 0.7,
            spaceAfter=size * 0.2, fontSize=size * 1.15, leading=size * 1.4,
        )  # fmt: skip
        self.story: list[Flowable] = []

    def say(self, text: str, style: ParagraphStyle | None = None) -> None:
        self.story.append(Paragraph(escape(text), style or self.plain))

    def table(
        self, head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float | None],
        *, last_is_sum: bool = False,
    ) -> None:  # fmt: skip
        bold = ParagraphStyle("bold", parent=self.plain, fontName=self.bold)
        cells = [[Paragraph(escape(one), bold) for one in head]]
        for number, row in enumerate(rows):
            style = bold if last_is_sum and number == len(rows) - 1 else self.plain
            cells.append([Paragraph(escape(one), style) for one in row])
        lines = TableStyle(
            [
                ("LINEBELOW", (0, 0), (-1, -1), 0.3, colors.HexColor("#b5c0c7")),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 4),
                ("TOPPADDING", (0, 0), (-1, -1), self.size * 0.12),
                ("BOTTOMPADDING", (0, 0), (-1, -1), self.size * 0.22),
            ]
        )
        self.story.append(Table(cells, colWidths=list(widths), style=lines, repeatRows=1))


def _set(kept: dict[str, Any], closed_at: datetime, size: float) -> tuple[bytes, int]:
    """The page set in letters of a size, and how many pages it takes."""
    sheet = _Sheet(size)
    _top(sheet, kept, closed_at)
    _agreed(sheet, kept)
    _safety(sheet, kept)
    _lines(sheet, kept)
    _previous(sheet, kept)
    _before(sheet, kept)
    out = BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=12 * mm,
        rightMargin=12 * mm,
        topMargin=10 * mm,
        bottomMargin=10 * mm,
        title=f"{kept['name']}, {kept['site']['name']}",
        author="Flowboard",
        # The same bytes whenever it is asked for.
        invariant=1,
    )
    document.build(sheet.story)
    return out.getvalue(), document.page


def _top(sheet: _Sheet, kept: dict[str, Any], closed_at: datetime) -> None:
    sheet.say(f"{kept['name']}, {_day_and_hour(kept['starts_at'])}", sheet.head)
    totals = kept["totals"]
    told = _("%(site)s. Led by %(chair)s; ended %(ended)s. %(said)s of %(wards)s wards confirmed. "
             "Figures as at %(as_at)s%(stale)s.")  # fmt: skip
    sheet.say(
        told
        % {
            "site": kept["site"]["name"],
            "chair": kept["chair"],
            "ended": f"{timezone.localtime(closed_at):%H:%M}",
            "said": totals["confirmed"],
            "wards": totals["wards"],
            "as_at": _hour(kept["as_at"]),
            "stale": _(", some out of date") if kept["stale"] else "",
        }
    )


def _agreed(sheet: _Sheet, kept: dict[str, Any]) -> None:
    sheet.say(_("Agreed"), sheet.part)
    rows = [
        [_day_and_hour(one["due_at"]), _with_place(one), one["owner"]] for one in kept["agreed"]
    ]
    if rows:
        sheet.table([_("By"), _("What"), _("Who")], rows, [28 * mm, None, 50 * mm])
    else:
        sheet.say(_("Nothing was agreed."))


def _safety(sheet: _Sheet, kept: dict[str, Any]) -> None:
    sheet.say(_("Safety"), sheet.part)
    words = {None: _("not asked of the whole site"), "": _("nothing")}
    harm, hazard = (words.get(kept[name], kept[name]) for name in ("harm", "hazard"))
    sheet.say(_("Harm in the last 24 hours: %(said)s.") % {"said": harm})
    sheet.say(_("Could hurt someone today: %(said)s.") % {"said": hazard})
    for line in kept["lines"]:
        said = [
            _("harm: %(said)s") % {"said": line["harm"]} if line["harm"] else "",
            _("could hurt: %(said)s") % {"said": line["hazard"]} if line["hazard"] else "",
            line["concern"],
        ]
        if any(said):
            sheet.say(f"{line['name']}: {'; '.join(filter(None, said))}.")


def _lines(sheet: _Sheet, kept: dict[str, Any]) -> None:
    sheet.say(_("Ward by ward"), sheet.part)
    head = [_("Ward")]
    for name in kept["figures"]:
        if name == Figure.DISCHARGES:
            head += [_("by %(hour)s") % {"hour": _near(one, kept)} for one in kept["horizons"]]
        elif name == Figure.NURSES:
            head.append(_("Nurses"))
        elif name in SHORT:
            head.append(str(SHORT[name]))
    head.append(_("Confirmed"))
    rows = [
        [line["name"], *_cells(line, kept["figures"]),
         _hour(line["confirmed_at"]) if line["confirmed_at"] else _("no")]
        for line in kept["lines"]
    ]  # fmt: skip
    totals = kept["totals"]
    said = f"{totals['confirmed']} / {totals['wards']}"
    rows.append([_("All"), *_cells(totals, kept["figures"]), said])
    wide = A4[0] - 24 * mm - 52 * mm
    widths: list[float | None] = [52 * mm, *([wide / (len(head) - 1)] * (len(head) - 1))]
    sheet.table(head, rows, widths, last_is_sum=True)


def _cells(one: dict[str, Any], figures: Sequence[str]) -> list[str]:
    found = []
    for name in figures:
        if name == Figure.DISCHARGES:
            for due in one["dues"]:
                more = f" + {due['possible']}" if due["possible"] else ""
                found.append(f"{_number(due['definite'])}{more}")
        elif name == Figure.NURSES:
            found.append(f"{_number(one['nurses_actual'])} / {_number(one['nurses_planned'])}")
        elif name in SHORT:
            found.append(_number(one["numbers"].get(name)))
    return found


def _previous(sheet: _Sheet, kept: dict[str, Any]) -> None:
    if not kept["previous"]:
        return
    sheet.say(_("From before"), sheet.part)
    rows = [
        [_day_and_hour(one["due_at"]), _with_place(one), one["owner"], _became(one, kept)]
        for one in kept["previous"]
    ]
    head = [_("By"), _("What"), _("Who"), _("Then")]
    sheet.table(head, rows, [28 * mm, None, 40 * mm, 30 * mm])


def _before(sheet: _Sheet, kept: dict[str, Any]) -> None:
    """What the last meeting said would happen, and what did."""
    before = kept["before"]
    if not before:
        return
    said = _("Said at %(when)s, and came") % {"when": _near(before["starts_at"], kept)}
    sheet.say(said, sheet.part)
    told = []
    for due in before["dues"]:
        came = _("not yet") if due["came"] is None else str(due["came"])
        words = _("by %(when)s %(definite)s definite, %(possible)s possible: %(came)s")
        told.append(
            words
            % {
                "when": _near(due["at"], kept),
                "definite": _number(due["definite"]),
                "possible": _number(due["possible"]),
                "came": came,
            }
        )
    sheet.say("; ".join(told) + ".")


def _became(one: dict[str, Any], kept: dict[str, Any]) -> str:
    if one["outcome"] == "dropped":
        return _("not needed")
    if one["ended_at"]:
        return _("done %(hour)s") % {"hour": _near(one["ended_at"], kept)}
    return _("overdue, carried on") if one["late"] else _("carried on")


def _with_place(one: dict[str, Any]) -> str:
    return f"{one['text']} ({one['place']})" if one["place"] else str(one["text"])


def _number(value: int | None) -> str:
    return "–" if value is None else str(value)


def _hour(text: str) -> str:
    return f"{timezone.localtime(datetime.fromisoformat(text)):%H:%M}"


def _near(text: str, kept: dict[str, Any]) -> str:
    """With the day where it is not that of the meeting."""
    return time_near(datetime.fromisoformat(text), datetime.fromisoformat(kept["starts_at"]))


def _day_and_hour(text: str) -> str:
    return f"{timezone.localtime(datetime.fromisoformat(text)):%a %-d %b %H:%M}"
