"""What is foretold of a patient, where the team works: the drawer, the board round, the hub."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from flow.forecasts.likelihood import Likely
from flow.forecasts.phrases import PURPOSE
from flow.forecasts.prediction import predicted
from flow.predictions import _told
from patients.code_loading import built_in, load_codes
from patients.models import Episode
from tests.screens.forecasts import foretell, forget, lived_in
from tests.screens.hospital import FAMILY, Hospital, add_beds
from wards.barriers import Said
from wards.rounds import Found, review

LONDON = ZoneInfo("Europe/London")


@pytest.fixture(autouse=True)
def _nothing_foretold() -> Iterator[None]:
    forget()
    yield
    forget()


@pytest.fixture
def hospital(db: None) -> Hospital:
    return lived_in()


@pytest.fixture
def stay(hospital: Hospital) -> Episode:
    """Somebody on the first ward, of whom a forecast speaks."""
    foretell(hospital.site)
    ward = hospital.wards[0]
    return Episode.objects.filter(occupancies__ward=ward, discharged_at=None).order_by("pk")[0]


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return unescape(answer.content.decode())


def words_of(stay: Episode) -> str:
    said = predicted(stay, now=timezone.now())
    assert said is not None
    return said.words


def test_the_drawer_says_by_when_how_likely_and_what_for(
    hospital: Hospital, stay: Episode, nurse: Client
) -> None:
    page = text(nurse, f"/stays/{stay.pk}/?fragment=1")
    assert words_of(stay) in page
    assert str(PURPOSE) in page
    assert "The team expects" in page
    section = page[page.index("foretold-here") :]
    shares = [int(one) for one in re.findall(r'<rect class="said"[^>]* width="(\d+)"', section)]
    assert len(shares) == 4
    assert shares == sorted(shares)
    said = predicted(stay, now=timezone.now())
    assert said is not None
    week, two = (said.days[day].chance for day in (6, 13))
    assert shares[2:] == [min(99, round(100 * week)), min(99, round(100 * two))]


def test_the_drawer_says_what_moves_it(hospital: Hospital, stay: Episode, nurse: Client) -> None:
    said = predicted(stay, now=timezone.now())
    assert said is not None
    page = text(nurse, f"/stays/{stay.pk}/?fragment=1")
    assert ("What moves it most" in page) is bool(said.drivers)
    for driver in said.drivers or ():
        assert driver.words in page


def test_of_an_earlier_moment_the_drawer_says_what_was_said_then(
    hospital: Hospital, nurse: Client
) -> None:
    early = foretell(hospital.site, at=timezone.now() - timedelta(hours=3))
    foretell(hospital.site)
    stay = Episode.objects.filter(occupancies__ward=hospital.wards[0], discharged_at=None).order_by(
        "pk"
    )[0]
    at = (timezone.now() - timedelta(hours=2)).isoformat().replace("+", "%2B")
    clock = f"{timezone.localtime(early.at):%H:%M}"
    page = re.sub(r"<[^>]+>", "", text(nurse, f"/stays/{stay.pk}/?fragment=1&at={at}"))
    # Past midnight the day stands before the time.
    assert re.search(rf"forecast of (\w+ \d+ \w+ )?{clock}", page)


def test_before_any_forecast_nothing_is_said_of_anybody(hospital: Hospital, nurse: Client) -> None:
    stay = Episode.objects.filter(occupancies__ward=hospital.wards[0], discharged_at=None).order_by(
        "pk"
    )[0]
    assert "foretold-here" not in text(nurse, f"/stays/{stay.pk}/?fragment=1")
    ward = hospital.wards[0]
    assert 'class="foretold"' not in text(nurse, f"/rounds/{ward.code}/?patient={stay.pk}")


def test_who_may_not_see_the_patient_is_told_nothing_of_them(
    hospital: Hospital, stay: Episode, nurse: Client, observer: Client
) -> None:
    bed = hospital.beds(hospital.wards[0])[0]
    assert "foretold-here" not in text(observer, f"/beds/{bed.pk}/?fragment=1")
    assert "foretold-here" in text(nurse, f"/beds/{bed.pk}/?fragment=1")
    other = hospital.beds(hospital.wards[1])[0]
    assert nurse.get(f"/beds/{other.pk}/?fragment=1").status_code == 403


def test_the_round_and_the_hub_say_it_beside_the_teams_date(
    hospital: Hospital, stay: Episode, nurse: Client, observer: Client
) -> None:
    load_codes(built_in())
    review(
        episode=stay,
        found=Found(criteria=[], pathway=0),
        said=Said(timezone.now(), User.objects.get(username="nurse")),
    )
    ward = hospital.wards[0]
    words = words_of(stay)
    page = text(nurse, f"/rounds/{ward.code}/?patient={stay.pk}")
    assert (
        words
        in page[
            page.index('for="round-expected"') : page.index(
                "</fieldset>", page.index('for="round-expected"')
            )
        ]
    )
    hub = text(nurse, "/discharges/")
    row = hub[hub.index(f'id="row-{stay.pk}"') :]
    assert words in row[: row.index("</tr>")]
    assert FAMILY.upper() in hub.upper()
    assert words not in text(observer, "/discharges/")


def test_an_old_forecast_says_when_it_was_said_and_none_of_yesterday_speaks_of_today() -> None:
    noon = datetime(2026, 6, 3, 12, tzinfo=LONDON)
    what = Likely(None, by_hour=False, not_before=None, today=0.38)
    fresh, old, later = (_told(what, noon, noon + timedelta(hours=n)) for n in (1, 2, 13))
    assert (fresh.stale, old.stale) == (False, True)
    assert fresh.words == old.words == "Today: 4 in 10"
    assert (later.words, later.today) == ("Not foretold since Wed 12:00", None)
    said = [
        render_to_string("flow/_chance_today.html", {"said": one, "moment": noon})
        for one in (fresh, old, later)
    ]
    assert ["said at" in one for one in said] == [False, True, False]
    assert ["38 %" in one for one in said] == [True, True, False]
    assert ["chance-bar" in one for one in said] == [True, True, False]


def test_the_drawer_says_how_old_a_forecast_is(hospital: Hospital, nurse: Client) -> None:
    foretell(hospital.site, at=timezone.now() - timedelta(hours=3))
    ward = hospital.wards[0]
    stay = Episode.objects.filter(occupancies__ward=ward, discharged_at=None).order_by("pk")[0]
    assert "this forecast is" in text(nurse, f"/stays/{stay.pk}/?fragment=1")
    foretell(hospital.site)
    assert "this forecast is" not in text(nurse, f"/stays/{stay.pk}/?fragment=1")


def test_the_pages_ask_as_often_at_sixty_beds_as_at_six(
    hospital: Hospital, stay: Episode, nurse: Client
) -> None:
    ward = hospital.wards[0]
    addresses = [
        f"/stays/{stay.pk}/?fragment=1",
        f"/rounds/{ward.code}/?patient={stay.pk}",
        "/discharges/?long=7",
    ]

    def cost(address: str) -> int:
        nurse.get("/search/")
        forget()
        with CaptureQueriesContext(connection) as asked:
            assert nurse.get(address).status_code == 200
        return len(asked)

    hospital.admit(hospital.beds(ward)[4], ago=timedelta(days=9))
    few = [cost(address) for address in addresses]
    add_beds(ward, 54, first=6)
    for bed in hospital.beds(ward)[6:]:
        hospital.admit(bed, ago=timedelta(days=9))
    foretell(hospital.site, at=timezone.now() + timedelta(minutes=1))
    assert [cost(address) for address in addresses] == few
    assert few[0] <= 34
