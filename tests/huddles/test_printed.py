"""The summary of a meeting as a PDF."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.utils import timezone
from pypdf import PdfReader

from accounts.models import User
from huddles.actions.agreeing import agree
from huddles.actions.understanding import Owner
from huddles.meetings.addresses import address_of
from huddles.meetings.freezing import as_seen
from huddles.meetings.holding import Said, close_meeting, confirm, open_meeting
from huddles.meetings.printed import as_pdf
from huddles.models import HuddleTemplate
from tests.huddles.meeting import next_start, seen_by, template_of
from tests.screens.hospital import FAMILY, Hospital, signed_in

pytestmark = pytest.mark.django_db
NOW = datetime.fromisoformat("2026-11-23T08:31+00:00")


def kept(
    hospital: Hospital, chair: User, starts: datetime
) -> tuple[HuddleTemplate, dict[str, Any]]:
    """A meeting that was held, and what was kept of it."""
    template = template_of(hospital, starts=starts)
    now = timezone.now()
    confirm(
        template=template, starts_at=starts, ward=hospital.wards[0], at=now, by=chair,
        said=Said(beds_free=4, definite=(1, 2), possible=(1, 3), hazard=f"Mr {FAMILY} & <b>"),
    )  # fmt: skip
    huddle = open_meeting(template=template, starts_at=starts, first="site", at=now, by=chair)
    agree(
        site=hospital.site, text="Ring Łukasz’s ward – now", owner=Owner(name="Zoë"), by=chair,
        due_at=now + timedelta(hours=1), at=now, huddle=huddle,
    )  # fmt: skip
    frozen = as_seen(seen_by(template, starts, None))
    close_meeting(huddle=huddle, frozen=frozen, at=timezone.now(), by=chair)
    return template, frozen


def read(body: bytes) -> tuple[int, str]:
    pages = PdfReader(BytesIO(body)).pages
    return len(pages), " ".join(" ".join(page.extract_text().split()) for page in pages)


def test_it_says_what_was_kept_on_one_page(hospital: Hospital, chair: User) -> None:
    starts = next_start()
    template, frozen = kept(hospital, chair, starts)
    answer = signed_in(chair).get(address_of("summary_pdf", template.pk, starts))
    assert answer["Content-Type"] == "application/pdf"
    pages, text = read(answer.content)
    assert pages == 1
    for word in (
        "Morning huddle", "Test hospital TGH", "1 of 3 wards confirmed", "Ring Łukasz’s ward – now",
        "Zoë", "could hurt: Mr … & <b>", "Ward 2", "1 + 1", "2 + 3", "1 / 3",
    ):  # fmt: skip
        assert word in text, word
    assert FAMILY.lower() not in text.lower()
    again = signed_in(chair).get(address_of("summary_pdf", template.pk, starts))
    assert again.content == answer.content
    assert frozen["lines"]


def test_a_large_site_is_set_smaller_and_stays_on_its_page(hospital: Hospital, chair: User) -> None:
    _template, frozen = kept(hospital, chair, next_start())
    line = next(one for one in frozen["lines"] if one["code"] == "TGH-W1")
    frozen["lines"] = [line | {"name": f"Ward {n} Acute and General Medicine"} for n in range(30)]
    frozen["agreed"] = frozen["agreed"] * 8
    pages, text = read(as_pdf(frozen, closed_at=NOW))
    assert pages == 1
    assert "Ward 29 Acute" in text


def test_what_does_not_fit_takes_more_pages_and_loses_nothing(
    hospital: Hospital, chair: User
) -> None:
    _template, frozen = kept(hospital, chair, next_start())
    one = frozen["agreed"][0]
    frozen["agreed"] = [one | {"text": f"Action {n} " + "x " * 140} for n in range(60)]
    frozen["previous"] = frozen["agreed"]
    pages, text = read(as_pdf(frozen, closed_at=NOW))
    assert pages > 1
    assert text.count("Action 59") == 2


def test_a_meeting_in_which_nothing_was_said(hospital: Hospital, chair: User) -> None:
    template, starts = template_of(hospital), next_start()
    now = timezone.now()
    open_meeting(template=template, starts_at=starts, first="site", at=now, by=chair)
    frozen = as_seen(seen_by(template, starts, None))
    _pages, text = read(as_pdf(frozen, closed_at=NOW))
    assert "Nothing was agreed." in text
    assert "not asked of the whole site" in text
    assert signed_in(chair).get(address_of("summary_pdf", template.pk, starts)).status_code == 404
