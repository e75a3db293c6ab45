"""Our figures beside those of peers: right, honest about their age, and for whom they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Organisation
from accounts.roles import Role
from flow import beginning
from flow.counts import Clock, frozen_moment
from flow.models import ReferenceFile, ReferenceValue
from flow.reference.peers import BY_SLUG, Peer, nearest, ours, peers, rank
from tests.flow.places import make_site, make_ward, put, records_begin, span
from tests.reference.tables import lines
from tests.screens.hospital import signed_in, user
from wards.models import Site, Ward

pytestmark = pytest.mark.django_db
ADDRESS = "/peers/"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    beginning.forget()
    yield
    beginning.forget()


@pytest.fixture
def site() -> Site:
    """A trust with ten beds, six of them taken for nine days; two patients ready since a week."""
    return hospital(6)


def hospital(taken: int, beds: int = 10) -> Site:
    trust = Organisation.objects.create(code="RZZ", name="Northmoor", kind="trust")
    made = make_site("NGH", organisation=trust)
    ward = make_ward(made, "W1", beds=beds)
    records_begin(ward, at=timezone.now() - 20 * DAY)
    since = timezone.now() - 9 * DAY
    for number, bed in enumerate(ward.beds.order_by("position")[:taken]):
        stay = put(ward, bed, start=since).episode
        if number < 2:
            stay.readiness.create(period=span(timezone.now() - 8 * DAY))
    return made


@pytest.fixture
def viewer(site: Site) -> Client:
    return signed_in(user("observer", Role.OBSERVER, organisation=site.organisation))


PUBLISHED = lines(
    "Code,Name,Date,G&A beds open,G&A beds occupied,> 7 days",
    [
        f"{code},{name},2020-01-{day:02},{beds},{round(beds * share)},{round(beds * share / 2)}"
        for code, name, beds, share in (
            ("RAA", "Small NHS Trust", 12, 0.5),
            ("RBB", "Middling NHS Foundation Trust", 40, 0.75),
            ("RCC", "Large NHS Trust", 800, 0.95),
            ("-", "ENGLAND", 9000, 0.9),
        )
        for day in range(1, 11)
    ],
)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    path = tmp_path / "winter.csv"
    path.write_text(PUBLISHED)
    call_command("load_national", str(path))
    return path


def text(client: Client, address: str = ADDRESS, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, response.content[:400]
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def test_without_figures_the_page_says_how_to_load_them(viewer: Client) -> None:
    said = text(viewer)
    assert "No national figures are loaded yet" in said
    assert "manage.py load_national FILE…" in said


def test_ours_stand_among_peers_and_theirs_are_not_passed_off_as_todays(
    viewer: Client, published: Path
) -> None:
    said = text(viewer)
    assert "Reference data of 1 to 10 January 2020, not of today:" in said
    assert "60.0 % of open general and acute beds" in said
    assert "higher than 1 of 3 percentile 33" in said
    assert "the 3 trusts nearest to our 10 open general and acute beds" in said
    assert "Small RAA 50.0 %" in said
    assert "ENGLAND" not in said
    assert "winter.csv: 1 to 10 January 2020" in said


def test_peers_by_size_by_hand_and_all(viewer: Client, published: Path) -> None:
    assert "RBB" not in text(viewer, ADDRESS + "?peers=1")
    by_hand = text(viewer, ADDRESS + "?body=rcc+RAA")
    assert "Large RCC" in by_hand
    assert "RBB" not in by_hand
    assert "named by hand" in by_hand
    assert "every trust of which figures" in text(viewer, ADDRESS + "?peers=all")
    assert "Nothing is loaded of RQQ." in text(viewer, ADDRESS + "?body=RQQ+RAA")


def test_what_cannot_be_read_is_told_and_kept(viewer: Client, published: Path) -> None:
    address = ADDRESS + "?peers=many&body=R!&from=2031-01-01&to=nonsense&measure=weather"
    response = viewer.get(address)
    assert response.status_code == 400
    page = response.content.decode()
    assert "Give a number from 1 to 40, or “all”." in page
    assert "“R!” is no ODS or ONS code." in page
    assert "Figures are there from 1 January 2020 to 10 January 2020." in page
    assert "This is no day; give one such as 2020-01-10." in page
    for typed in ('value="many"', 'value="R!"', 'value="2031-01-01"'):
        assert typed in page
    for hostile in ("?from=%00", "?body=%00", "?measure=%00&peers=%00", "?from=0000-00-00"):
        assert viewer.get(ADDRESS + hostile).status_code in (200, 400)


def test_only_for_those_who_see_counts_of_a_whole_organisation(site: Site, published: Path) -> None:
    ward = Ward.objects.get(code="W1")
    other = make_site("OTH", organisation=Organisation.objects.create(code="ROO", name="Other"))
    nurse = signed_in(user("nurse", Role.WARD_NURSE, ward=ward))
    partner = signed_in(user("partner", Role.PARTNER, organisation=site.organisation))
    stranger = signed_in(user("stranger", Role.OBSERVER, organisation=other.organisation))
    assert nurse.get(ADDRESS).status_code == 403
    assert partner.get(ADDRESS).status_code == 403
    assert Client().get(ADDRESS).status_code == 302
    said = text(stranger, ADDRESS + "?organisation=RZZ")
    assert "Northmoor" not in said, "another organisation's figures are not shown"


def test_our_figures_are_those_of_our_returns(site: Site) -> None:
    """Counted here by hand from what the hospital was made of."""
    now = timezone.now()
    found = ours(BY_SLUG["stay-7"], site.organisation, now=now)
    assert found.beds_open == 10
    assert len(found.days) == 7
    for day, long_stays, occupied in found.days:
        at = frozen_moment(day, Clock.SITREP)
        nights = (day - (now - 9 * DAY).astimezone(at.tzinfo).date()).days
        assert (long_stays, occupied) == (6 if nights >= 7 else 0, 6)
    ready = ours(BY_SLUG["nctr"], site.organisation, now=now)
    assert [part for _day, part, _whole in ready.days] == [2] * len(ready.days)
    assert found.values(share=False)[-1] == found.days[-1][1]


def test_days_before_the_records_begin_are_no_days_of_ours() -> None:
    trust = Organisation.objects.create(code="RNN", name="New", kind="trust")
    ward = make_ward(make_site("NEW", organisation=trust), "N1", beds=4)
    now = timezone.now()
    records_begin(ward, at=now - 2 * DAY)
    put(ward, ward.beds.first(), start=now - 2 * DAY)
    assert 1 <= len(ours(BY_SLUG["occupancy"], trust, now=now).days) <= 2


def test_middles_and_ranges_are_those_of_the_published_days(site: Site, published: Path) -> None:
    first, last = date(2020, 1, 1), date(2020, 1, 10)
    stays = BY_SLUG["stay-7"]
    found = {p.code: p for p in peers(stays, codes=None, first=first, last=last, share=True)}
    assert set(found) == {"RAA", "RBB", "RCC"}
    values = ReferenceValue.objects.filter(body__code="RCC", date__range=(first, last))

    def of(slug: str) -> dict[date, float]:
        rows = values.filter(measure__slug=slug).values_list("date", "value")
        return {when: float(value) for when, value in rows if value is not None}

    parts, wholes = of("stay-7"), of("ga-occupied")
    shares = [parts[when] / wholes[when] for when in parts]
    assert found["RCC"].middle == pytest.approx(median(shares))
    assert (found["RCC"].days, found["RCC"].size) == (10, 800)


def test_figures_in_doubt_and_missing_ones_are_left_out_and_counted(
    site: Site, published: Path
) -> None:
    def change(day: int, **values: object) -> None:
        ReferenceValue.objects.filter(
            body__code="RCC", measure__slug="ga-occupied", date=date(2020, 1, day)
        ).update(**values)

    change(2, value=0, doubt="zero")
    change(3, value=None, mark="NA")
    change(4, value=None, mark="-5", doubt="negative")
    occupancy = BY_SLUG["occupancy"]
    [large] = peers(
        occupancy, codes=["RCC"], first=date(2020, 1, 1), last=date(2020, 1, 10), share=True
    )
    assert (large.days, large.doubtful, large.missing) == (7, 2, 1)
    assert large.low == large.middle == pytest.approx(0.95)


def peer(code: str, middle: float, size: float | None = None) -> Peer:
    return Peer(code, code, middle, middle, middle, 9, 0, 0, size, None)


def test_rank_counts_equals_half() -> None:
    others = [peer("A", 1), peer("B", 2), peer("C", 2), peer("D", 3)]
    found = rank(2, others)
    assert found is not None
    assert (found.below, found.equal, found.percentile) == (1, 2, 50)
    assert rank(2, []) is None


def test_the_nearest_by_size() -> None:
    others = [peer("A", 1, 100), peer("B", 2), peer("C", 3, 52), peer("D", 4, 47)]
    assert [one.code for one in nearest(50, others, number=2)] == ["C", "D"]


def test_a_load_that_was_stopped_is_told(viewer: Client, published: Path) -> None:
    ReferenceFile.objects.update(finished_at=None, done=7)
    assert "Stopped after 7 of 120 values; load it again to go on." in text(viewer)


@pytest.mark.parametrize(("measure", "most"), [("occupancy", 25), ("nctr", 39)])
def test_the_page_asks_as_much_for_many_beds_as_for_few(
    tmp_path: Path, published: Path, measure: str, most: int
) -> None:
    path = tmp_path / "nctr.csv"
    path.write_text(lines("code,date,nctr", [f"RCC,2024-01-{day:02},90" for day in range(1, 9)]))
    call_command("load_national", str(path))
    place = hospital(4, beds=6)
    client = signed_in(user("observer", Role.OBSERVER, organisation=place.organisation))

    def asked() -> int:
        client.get(ADDRESS)
        with CaptureQueriesContext(connection) as queries:
            assert "Large" in text(client, f"{ADDRESS}?measure={measure}&peers=all")
        return len(queries)

    few = asked()
    ward = make_ward(place, "W2", beds=54)
    for bed in ward.beds.all():
        put(ward, bed, start=timezone.now() - 5 * DAY)
    assert asked() == few
    assert few <= most
