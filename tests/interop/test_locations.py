"""What a feed's codes stand for: by mapping, by name, or newly made and never lost."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from accounts.models import Organisation
from interop.feeds import Feeds, Known
from interop.hl7v2.places import Location
from interop.locations import Places
from interop.models import Feed, LocationCode
from wards.facts import Place
from wards.models import Bay, Bed, Site, Ward

pytestmark = pytest.mark.django_db


def feed(**values: object) -> Known:
    made = Feed.objects.create(**{"code": "PAS", "name": "PAS", **values})
    return Feeds().by_id(made.pk)


def of_trust() -> Known:
    return feed(organisation=Organisation.objects.get(code="RNM"))


def place(known: Known, *said: str) -> Place:
    """The place of facility, ward, room, bed."""
    location = Location(*said)
    with transaction.atomic():
        return Places().of(known, [location])[location]


def named(found: Place) -> tuple[str, str, str | None, str | None, bool]:
    """Site, ward, bay, bed as codes, and whether everything is recognised."""
    ward = Ward.objects.select_related("site").get(pk=found.ward)
    bay = Bay.objects.get(pk=found.bay).code if found.bay else None
    bed = Bed.objects.get(pk=found.bed) if found.bed else None
    known = ward.is_recognised and (bed is None or bed.is_recognised)
    return ward.site.code, ward.code, bay, bed.label if bed else None, known


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (("NGH", "NGH-W1", "A", "1"), ("NGH", "NGH-W1", "A", "1", True)),
        (("ngh", "ngh-w1", "a", "1"), ("NGH", "NGH-W1", "A", "1", True)),
        (("NGH", "W1", "B", "2"), ("NGH", "NGH-W1", "B", "2", True)),
        (("Northmoor General", "W1", "B", "2"), ("NGH", "NGH-W1", "B", "2", True)),
        (("", "NGH-W2", "", "2"), ("NGH", "NGH-W2", None, "2", True)),
        (("", "W2", "Room 5", "2"), ("NGH", "NGH-W2", None, "2", True)),
        (("NGH", "W1", "", "7"), ("NGH", "NGH-W1", None, "7", True)),
        (("NGH", "W1", "A", ""), ("NGH", "NGH-W1", "A", None, True)),
        (("NGH", "W1", "Q", ""), ("NGH", "NGH-W1", None, None, True)),
        (("NGH", "W1", "", ""), ("NGH", "NGH-W1", None, None, True)),
        # a label that several bays have, without a bay, is nobody's bed
        (("NGH", "W1", "", "1"), ("NGH", "NGH-W1", None, "1", False)),
        (("NGH", "W1", "Q", "1"), ("NGH", "NGH-W1", "Q", "1", False)),
        (("NGH", "W1", "A", "9"), ("NGH", "NGH-W1", "A", "9", False)),
        # a ward that is not known lies at the site that was named
        (("NGH", "W9", "A", "1"), ("NGH", "W9", "A", "1", False)),
        (("Elsewhere", "NGH-W1", "A", "1"), ("NGH", "NGH-W1", "A", "1", True)),
        (("Elsewhere", "W1", "A", "1"), ("PAS:Elsewhere", "W1", "A", "1", False)),
        (("", "W9", "A", "1"), ("PAS", "W9", "A", "1", False)),
        # a place without ward is called after the facility, else unknown
        (("Elsewhere", "", "12", "3"), ("PAS:Elsewhere", "Elsewhere", "12", "3", False)),
        (("Elsewhere", "", "", ""), ("PAS:Elsewhere", "Elsewhere", None, None, False)),
        (("", "", "12", "3"), ("PAS", "unknown", "12", "3", False)),
        (("NGH", "", "12", "3"), ("NGH", "NGH", "12", "3", False)),
    ],
)
def test_codes_are_matched_or_made(
    hospital: Site, said: tuple[str, ...], wanted: tuple[object, ...]
) -> None:
    assert named(place(of_trust(), *said)) == wanted


def test_a_feed_nobody_claimed_reaches_only_the_site_it_names(hospital: Site) -> None:
    stranger = feed()
    assert named(place(stranger, "NGH", "NGH-W1", "A", "1"))[4]
    assert named(place(stranger, "", "NGH-W1", "A", "1")) == ("PAS", "NGH-W1", "A", "1", False)


def test_the_default_site_is_where_an_unnamed_facility_is(hospital: Site) -> None:
    known = feed(default_site=hospital)
    assert named(place(known, "", "W1", "A", "1")) == ("NGH", "NGH-W1", "A", "1", True)
    assert named(place(known, "", "W9", "", ""))[:2] == ("NGH", "W9")


def test_a_ward_code_that_two_sites_have_needs_a_facility(hospital: Site) -> None:
    other = Site.objects.create(code="NCH", name="Cottage", organisation=hospital.organisation)
    Ward.objects.create(site=other, code="W2", name="Ward 2 of the cottage")
    known = of_trust()
    assert named(place(known, "NCH", "W2", "", ""))[:2] == ("NCH", "W2")
    assert named(place(known, "NGH", "W2", "", ""))[:2] == ("NGH", "NGH-W2")
    assert named(place(known, "", "W2", "", ""))[4] is False


def test_the_mapping_table_comes_first(hospital: Site) -> None:
    known = of_trust()
    ward = Ward.objects.get(code="NGH-W2")
    LocationCode.objects.create(
        feed_id=known.id, facility="NGH", point_of_care="W1", ward=ward, is_mapped=True
    )
    assert named(place(known, "NGH", "W1", "", ""))[1] == "NGH-W2"


def test_a_code_is_looked_up_once(hospital: Site, django_assert_num_queries: object) -> None:
    known, places = of_trust(), Places()
    where = [Location("NGH", "W1", "A", "1"), Location("X", "Y", "Z", "1")]
    with transaction.atomic():
        first = places.of(known, where)
    places.keep()
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert places.of(known, where) == first


def test_what_was_rolled_back_is_forgotten(db: None) -> None:
    known, places, where = feed(), Places(), Location("", "W1")
    with transaction.atomic():
        gone = places.of(known, [where])[where]
        transaction.set_rollback(True)
    places.drop()
    with transaction.atomic():
        again = places.of(known, [where])[where]
    assert Ward.objects.filter(pk=again.ward).exists()
    assert gone != again


def test_codes_that_are_too_long_are_cut_and_still_told_apart(db: None) -> None:
    known = feed()
    one, other = place(known, "", "W" * 300 + "1"), place(known, "", "W" * 300 + "2")
    assert one != other
    assert len(Ward.objects.get(pk=one.ward).code) <= 100


@pytest.mark.parametrize("facility", ["a/b", "a?b", "x" * 80, "Ysbyty Tŷ", "St. Mary's"])
def test_every_facility_has_a_site_with_a_code_for_an_address(db: None, facility: str) -> None:
    found = Ward.objects.select_related("site").get(pk=place(feed(), facility, "W1").ward)
    assert "/" not in found.site.code
    assert "?" not in found.site.code
    assert found.site.name == facility


def test_places_of_two_facilities_with_one_ward_code_are_two(db: None) -> None:
    known = feed()
    assert place(known, "A", "W1").ward != place(known, "B", "W1").ward


@pytest.mark.django_db(transaction=True)
def test_many_processes_at_once_make_each_place_once() -> None:
    known = feed()
    said = [Location("", f"W{n % 3}", "A", str(n % 5)) for n in range(15)]

    def make(order: Iterable[Location]) -> dict[Location, Place]:
        try:
            with transaction.atomic():
                return Places().of(known, order)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(make, [said, said[::-1]] * 6))
    assert all(each == found[0] for each in found)
    assert Ward.objects.count() == 3
    assert Bed.objects.count() == 15
    assert LocationCode.objects.count() == 15
