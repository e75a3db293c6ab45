"""Who is in hospital without a place, and what contradicts itself: seen, counted, put right."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Organisation
from accounts.roles import Role
from flow.board_types import Sight
from flow.boards import checks_board, site_board, system_board
from flow.words import DOUBTS, TO_CHECK
from interop.models import Feed
from live import shared
from live.doorbell import ring
from patients.keys import Details, PersonKey, VisitKey
from patients.models import Episode
from tests.screens.hospital import FAMILY, Hospital, build, signed_in, user
from wards.facts import Moved, MovementKind, Place
from wards.models import Occupancy, Site, Ward
from wards.movements import record
from wards.scope import scope_of, visible_episodes

LISTS = ("/to-check/", "/sites/TGH/to-check/")
ALL = Sight(patients=None)


def nowhere(
    hospital: Hospital,
    *,
    authority: str = "RXX",
    source: str = "feed",
    number: int = 1,
    family: str = "Nowhereton",
    restricted: bool = False,
) -> Episode:
    """A feed admits somebody and does not say where."""
    at = hospital.now - timedelta(hours=3)
    visit = VisitKey(source, f"NOWHERE{number}")
    fact = Moved(
        key=f"nowhere {source} {number}",
        sent_at=at,
        person=PersonKey(authority, f"N{number}"),
        details=Details({"family_name": family, "given_name": "Ada", "is_restricted": restricted}),
        visit=visit,
        kind=MovementKind.ADMITTED,
        occurred_at=at,
        admitted_at=at,
    )
    record([fact], source=source)
    return Episode.objects.get(visit__authority=source, visit__number=visit.number)


def doubtful(hospital: Hospital, ward: int = 0) -> Episode:
    """A stay that goes on, of whose end nobody told when a later one began and ended."""
    here = hospital.admit(hospital.wards[ward], ago=timedelta(hours=9), family="Resumed")
    later = replace(
        here,
        key=f"later {here.key}",
        sent_at=hospital.now - timedelta(hours=6),
        visit=VisitKey("RXX", f"later {here.key}"),
        occurred_at=hospital.now - timedelta(hours=6),
        admitted_at=hospital.now - timedelta(hours=6),
        place=Place(hospital.emergency.pk),
    )
    record([later], source="feed")
    hospital.tell(later, MovementKind.DISCHARGED)
    stay = Episode.objects.get(visit__number=here.visit.number if here.visit else "")
    assert not TO_CHECK.isdisjoint(stay.flags)
    return stay


def text(client: Client, address: str) -> str:
    shared.forget()
    response = client.get(address)
    assert response.status_code == 200, address
    return " ".join(response.content.decode().split())


def figure(page: str, name: str) -> str:
    """What stands under a figure of a board, without its marks."""
    if name not in page:
        return ""
    return page.split(f"{name}</dt>")[1].split("<strong>")[1].split("</strong>")[0]


# --- where they belong and who sees them --------------------------------------------------------


def test_who_is_nowhere_is_counted_beside_the_totals_and_listed(
    hospital: Hospital, manager: Client
) -> None:
    before = system_board(now=hospital.now, sight=ALL).sums
    stay = nowhere(hospital)
    board = system_board(now=hospital.now, sight=ALL)
    assert board.sums == before
    assert (board.checks.placeless, board.checks.to_check) == (1, 0)
    for address, link in (("/", "/to-check/"), ("/sites/TGH/", "/sites/TGH/to-check/")):
        page = text(manager, address)
        assert figure(page, "No place told") == "1"
        assert f'href="{link}"' in page
        assert "In none of these: 1 in hospital" in page
        listed = text(manager, link)
        assert "NOWHERETON, Ada" in listed
        assert "told by feed, visit NOWHERE1" in listed
        assert f'href="/stays/{stay.pk}/"' in listed


def test_without_anybody_nowhere_the_boards_say_so(hospital: Hospital, manager: Client) -> None:
    page = text(manager, "/")
    assert "No place told" not in page
    assert '<a href="/to-check/">No stay to check</a>' in page
    assert "Of everybody in hospital a place is known." in text(manager, "/to-check/")


def test_who_sees_counts_only_sees_how_many_and_nobody(
    hospital: Hospital, observer: Client
) -> None:
    nowhere(hospital)
    assert figure(text(observer, "/"), "No place told") == "1"
    for address in LISTS:
        page = text(observer, address)
        assert "Test hospital TGH" in page
        for hidden in ("NOWHERETON", "NOWHERE1", "/stays/"):
            assert hidden not in page


def test_a_ward_nurse_neither_counts_nor_sees_who_is_on_no_ward(
    hospital: Hospital, nurse: Client
) -> None:
    stay = nowhere(hospital)
    for address in ("/", "/sites/TGH/"):
        assert "No place told" not in text(nurse, address)
    assert "NOWHERETON" not in text(nurse, "/to-check/")
    assert nurse.get(f"/stays/{stay.pk}/").status_code == 403


def test_a_restricted_person_is_listed_without_a_name(hospital: Hospital, manager: Client) -> None:
    nowhere(hospital, restricted=True)
    page = text(manager, "/to-check/")
    assert "Restricted record" in page
    assert "NOWHERETON" not in page


@pytest.fixture
def two_sites(hospital: Hospital) -> Hospital:
    """The trust has a second site, so that only a feed can say which is meant."""
    return build(code="OTH")


def seen(sight: Sight, hospital: Hospital, site: Site | None = None) -> int:
    """How many are nowhere, as this viewer is told now."""
    board = checks_board(now=timezone.now(), sight=sight, site=site.pk if site else None)
    return len(board.placeless)


def sights(**where: object) -> Sight:
    return Sight.of(scope_of(user(f"u{next(iter(where))}", Role.SITE_MANAGER, **where)))


def test_of_a_trust_with_two_sites_who_holds_the_trust_sees_them(
    hospital: Hospital, two_sites: Hospital
) -> None:
    stay = nowhere(hospital)
    trust = hospital.site.organisation
    assert seen(ALL, hospital) == 1
    assert seen(ALL, hospital, hospital.site) == seen(ALL, hospital, two_sites.site) == 0
    assert seen(sights(organisation=trust), hospital) == 1
    assert seen(sights(site=hospital.site), hospital) == 0
    assert checks_board(now=hospital.now, sight=ALL).placeless[0].part == trust.name
    assert checks_board(now=hospital.now, sight=ALL).placeless[0].episode == stay.pk


def test_the_default_site_of_a_feed_says_which_site_is_meant(
    hospital: Hospital, two_sites: Hospital
) -> None:
    Feed.objects.create(
        code="pas",
        name="The PAS",
        sending_application="PAS",
        organisation=hospital.site.organisation,
        default_site=two_sites.site,
    )
    nowhere(hospital, source="pas")
    assert seen(ALL, hospital, two_sites.site) == 1
    assert seen(sights(site=two_sites.site), hospital) == 1
    assert (
        seen(Sight.of(scope_of(user("near", Role.SITE_MANAGER, site=hospital.site))), hospital) == 0
    )
    [check] = checks_board(now=hospital.now, sight=ALL).placeless
    assert (check.part, check.source) == (two_sites.site.name, "The PAS")


def test_the_organisation_of_a_feed_counts_where_the_number_names_none(hospital: Hospital) -> None:
    Feed.objects.create(
        code="pas", name="PAS", sending_application="PAS", organisation=hospital.site.organisation
    )
    nowhere(hospital, source="pas", authority="strange")
    assert seen(ALL, hospital, hospital.site) == 1


def test_what_nobody_can_place_is_seen_by_who_sees_the_whole_system(hospital: Hospital) -> None:
    stay = nowhere(hospital, authority="strange", source="stranger")
    assert seen(ALL, hospital) == 1
    assert seen(sights(everywhere=True), hospital) == 1
    trust = sights(organisation=hospital.site.organisation)
    assert seen(trust, hospital) == seen(ALL, hospital, hospital.site) == 0
    holder = user("holder", Role.SITE_MANAGER, organisation=hospital.site.organisation)
    assert not visible_episodes(Episode.objects.filter(pk=stay.pk), scope_of(holder)).exists()


@pytest.mark.parametrize("where", ["organisation", "site", "ward", "everywhere"])
def test_the_list_the_drawer_and_the_api_agree_on_who_may_see_somebody(
    hospital: Hospital, where: str
) -> None:
    stay = nowhere(hospital)
    place = {
        "organisation": hospital.site.organisation,
        "site": hospital.site,
        "ward": hospital.wards[0],
        "everywhere": True,
    }[where]
    person = user("somebody", Role.WARD_NURSE, **{where: place})
    sees = where != "ward"
    client = signed_in(person)
    assert ("NOWHERETON" in text(client, "/to-check/")) == sees
    assert client.get(f"/stays/{stay.pk}/").status_code == (200 if sees else 403)
    mine = visible_episodes(Episode.objects.filter(pk=stay.pk), scope_of(person))
    assert mine.exists() == sees
    found = client.post("/search/", {"q": "Nowhereton"}, follow=True).content.decode()
    assert (f'href="/stays/{stay.pk}/"' in found) == sees


def test_who_is_somewhere_by_another_stay_is_not_nowhere(hospital: Hospital) -> None:
    stay = nowhere(hospital)
    at = hospital.now - timedelta(hours=1)
    patient = stay.patient
    fact = Moved(
        key="elsewhere",
        sent_at=at,
        person=PersonKey(patient.authority, patient.identifier),
        visit=VisitKey("feed", "ELSEWHERE"),
        kind=MovementKind.ADMITTED,
        occurred_at=at,
        admitted_at=at,
        place=Place(hospital.wards[0].pk),
    )
    record([fact], source="feed")
    assert seen(ALL, hospital) == 0


def test_two_stays_of_one_person_without_a_place_are_one_person(hospital: Hospital) -> None:
    first = nowhere(hospital)
    again = Moved(
        key="again",
        sent_at=hospital.now - timedelta(hours=1),
        person=PersonKey("RXX", "N1"),
        visit=VisitKey("feed", "AGAIN"),
        kind=MovementKind.ADMITTED,
        occurred_at=hospital.now - timedelta(hours=1),
        admitted_at=hospital.now - timedelta(hours=1),
    )
    record([again], source="feed")
    assert Episode.objects.filter(patient=first.patient, status="in_hospital").count() == 2
    [check] = checks_board(now=hospital.now, sight=ALL).placeless
    assert check.visit == "AGAIN"


# --- how they are put right ---------------------------------------------------------------------


def test_who_is_nowhere_is_moved_to_a_bed_by_hand(hospital: Hospital, manager: Client) -> None:
    stay = nowhere(hospital)
    ward = hospital.wards[1]
    bed = hospital.beds(ward)[2]
    page = text(manager, f"/stays/{stay.pk}/")
    assert "No place told" in page
    assert "Nobody has told where they are" in page
    said = {"deed": "move", "episode_seen": stay.pk, "to": ward.pk, "bed": bed.pk}
    response = manager.post(f"/stays/{stay.pk}/?fragment=1", said)
    assert (response.status_code, response.content.decode()) == (200, "Moved to Ward 2.")
    place = Occupancy.objects.get(episode=stay)
    assert (place.ward_id, place.bed_id) == (ward.pk, bed.pk)
    stay.refresh_from_db()
    assert stay.provider == hospital.site.organisation
    assert seen(ALL, hospital) == 0


def test_who_is_nowhere_and_has_left_is_discharged(hospital: Hospital, manager: Client) -> None:
    stay = nowhere(hospital)
    said = {"deed": "discharge", "episode_seen": stay.pk}
    response = manager.post(f"/stays/{stay.pk}/?fragment=1", said)
    assert (response.status_code, response.content.decode()) == (200, "Discharged.")
    assert seen(ALL, hospital) == 0
    after = text(manager, f"/stays/{stay.pk}/")
    assert "Has left" in after
    movement = after.split('name="movement" value="')[1].split('"')[0]
    undo = {"deed": "undo", "movement": movement, "episode_seen": ""}
    assert manager.post(f"/stays/{stay.pk}/?fragment=1", undo).status_code == 200
    assert seen(ALL, hospital) == 1


def test_who_sees_them_moves_them_to_a_ward_of_their_own_and_no_other(hospital: Hospital) -> None:
    stay = nowhere(hospital)
    reader = user("mixed", Role.READER, site=hospital.site)
    assert b'name="deed"' not in signed_in(reader).get(f"/stays/{stay.pk}/").content
    reader.grants.create(role=Role.WARD_NURSE, ward=hospital.wards[1])
    client = signed_in(type(reader).objects.get(pk=reader.pk))
    page = text(client, f"/stays/{stay.pk}/")
    assert f'<option value="{hospital.wards[1].pk}" selected ' in page
    assert f'<option value="{hospital.wards[0].pk}"' not in page
    assert 'value="discharge"' not in page
    said = {"deed": "move", "episode_seen": stay.pk, "bed": "later"}
    address = f"/stays/{stay.pk}/?fragment=1"
    assert client.post(address, {**said, "to": hospital.wards[0].pk}).status_code == 403
    assert client.post(address, {**said, "to": hospital.wards[1].pk}).status_code == 200
    assert Occupancy.objects.get(episode=stay).ward == hospital.wards[1]


def test_a_reader_may_look_and_not_move(hospital: Hospital) -> None:
    stay = nowhere(hospital)
    client = signed_in(user("reader", Role.READER, everywhere=True))
    page = text(client, f"/stays/{stay.pk}/")
    assert "Ask somebody who may move patients" in page
    said = {"deed": "move", "episode_seen": stay.pk, "to": hospital.wards[0].pk, "bed": "later"}
    assert client.post(f"/stays/{stay.pk}/", said).status_code == 403


def test_the_past_shows_who_was_nowhere_then(hospital: Hospital, manager: Client) -> None:
    stay = nowhere(hospital)
    moved = Moved(
        key="found",
        sent_at=hospital.now - timedelta(hours=1),
        person=PersonKey("RXX", "N1"),
        visit=VisitKey("feed", "NOWHERE1"),
        kind=MovementKind.TRANSFERRED,
        occurred_at=hospital.now - timedelta(hours=1),
        place=Place(hospital.wards[0].pk),
    )
    record([moved], source="feed")
    then = hospital.now - timedelta(hours=2)
    assert seen(ALL, hospital) == 0
    board = checks_board(now=hospital.now, sight=ALL, at=then)
    assert [check.episode for check in board.placeless] == [stay.pk]
    # Nothing of it had been recorded then.
    assert checks_board(now=hospital.now, sight=ALL, at=then, known_at=then).placeless == ()
    page = manager.get(f"/stays/{stay.pk}/", {"at": then.isoformat()}).content.decode()
    assert "Nobody has told where they are" in page
    assert 'name="deed"' not in page


# --- what contradicts itself --------------------------------------------------------------------


def test_every_flag_to_check_has_words() -> None:
    assert DOUBTS.keys() >= TO_CHECK


@pytest.mark.parametrize("flag", sorted(TO_CHECK))
def test_any_flag_lists_an_open_stay_and_one_that_ended_lately(
    hospital: Hospital, manager: Client, flag: str
) -> None:
    staying = hospital.admit(hospital.beds(hospital.wards[1])[0], family="Staying")
    left = hospital.admit(hospital.beds(hospital.wards[1])[1], family="Lately")
    hospital.tell(left, MovementKind.DISCHARGED)
    long_ago = timedelta(hours=50)
    gone = hospital.admit(hospital.wards[1], ago=timedelta(hours=60), family="Longago")
    hospital.tell(gone, MovementKind.DISCHARGED, ago=long_ago)
    numbers = [one.visit.number for one in (staying, left, gone) if one.visit]
    Episode.objects.filter(visit__number__in=numbers).update(flags=[flag])
    page = text(manager, "/sites/TGH/to-check/")
    assert "STAYING" in page
    assert "left <strong>Ward 2, bed 2</strong>" in page
    assert "LONGAGO" not in page
    assert str(DOUBTS[flag]).split("’")[0].split("'")[0] in page
    assert figure(text(manager, "/"), "To check") == "2"
    for stay in Episode.objects.filter(visit__number__in=numbers[:2]):
        assert "To put right" in text(manager, f"/stays/{stay.pk}/")


def test_a_doubt_that_is_not_to_be_checked_is_not_listed(hospital: Hospital) -> None:
    staying = hospital.admit(hospital.wards[1])
    number = staying.visit.number if staying.visit else ""
    Episode.objects.filter(visit__number=number).update(flags=["admission_inferred"])
    assert checks_board(now=hospital.now, sight=ALL).to_check == ()


def test_a_doubt_is_noted_since_it_stands_without_a_break(hospital: Hospital) -> None:
    stay = doubtful(hospital)
    first = checks_board(now=hospital.now, sight=ALL).to_check[0].noted_at
    Episode.objects.filter(pk=stay.pk).update(specialty="surgery")
    assert checks_board(now=hospital.now, sight=ALL).to_check[0].noted_at == first
    flags = stay.flags
    Episode.objects.filter(pk=stay.pk).update(flags=[])
    Episode.objects.filter(pk=stay.pk).update(flags=flags)
    again = checks_board(now=hospital.now, sight=ALL).to_check[0].noted_at
    assert first is not None
    assert again is not None
    assert again >= first


def test_a_stay_to_check_is_seen_where_its_ward_is(
    hospital: Hospital, nurse: Client, observer: Client, manager: Client
) -> None:
    doubtful(hospital, ward=1)
    assert "Nothing to check." in text(nurse, "/to-check/")
    assert "RESUMED" in text(manager, "/to-check/")
    page = text(observer, "/to-check/")
    assert "Ward 2" in page
    assert "RESUMED" not in page
    mine = doubtful(hospital, ward=0)
    listed = text(nurse, "/to-check/")
    assert f'href="/stays/{mine.pk}/"' in listed
    assert figure(text(nurse, "/"), "To check") == "1"
    assert figure(text(manager, "/"), "To check") == "2"


def test_the_discharge_of_a_doubtful_stay_is_undone_whoever_said_it(
    hospital: Hospital, manager: Client, nurse: Client
) -> None:
    bed = hospital.beds(hospital.wards[0])[5]
    gone = hospital.admit(bed)
    hospital.tell(gone, MovementKind.DISCHARGED)
    stay = Episode.objects.get(visit__number=gone.visit.number if gone.visit else "")
    address = f"/stays/{stay.pk}/"
    # Of a stay without doubt, what a feed said is corrected at its source.
    assert 'name="movement"' not in text(nurse, address)
    Episode.objects.filter(pk=stay.pk).update(flags=[min(TO_CHECK)])
    page = text(nurse, address)
    assert "undo the discharge below" in page
    movement = page.split('name="movement" value="')[1].split('"')[0]
    undo = {"deed": "undo", "movement": movement, "episode_seen": ""}
    assert nurse.post(f"{address}?fragment=1", undo).status_code == 200
    stay.refresh_from_db()
    assert stay.status == "in_hospital"
    assert Occupancy.objects.get(episode=stay, period__upper_inf=True).bed == bed


def test_a_patient_moved_after_the_discharge_is_listed_and_brought_back(
    hospital: Hospital, nurse: Client
) -> None:
    first, second = hospital.beds(hospital.wards[0])[4:]
    gone = hospital.admit(first, family="Stillhere")
    hospital.tell(gone, MovementKind.DISCHARGED, ago=timedelta(hours=2))
    place = Place(second.ward_id, second.bay_id, second.pk)
    hospital.tell(gone, MovementKind.TRANSFERRED, ago=timedelta(hours=1), place=place)
    stay = Episode.objects.get(visit__number=gone.visit.number if gone.visit else "")
    assert stay.status == "discharged"
    page = text(nurse, "/to-check/")
    assert "STILLHERE" in page
    assert "after it had told of their discharge" in page
    drawer = text(nurse, f"/stays/{stay.pk}/")
    movement = drawer.split('name="movement" value="')[1].split('"')[0]
    undo = {"deed": "undo", "movement": movement, "episode_seen": ""}
    assert nurse.post(f"/stays/{stay.pk}/?fragment=1", undo).status_code == 200
    assert Occupancy.objects.get(episode=stay, period__upper_inf=True).bed == second
    assert "Nothing to check." in text(nurse, "/to-check/")


def test_a_discharge_dated_before_the_admission_is_listed_and_undone(
    hospital: Hospital, manager: Client, nurse: Client
) -> None:
    bed = hospital.beds(hospital.wards[0])[5]
    gone = hospital.admit(bed, ago=timedelta(hours=2), family="Misdated")
    at = hospital.now - timedelta(hours=3)
    discharge = replace(
        gone,
        key="misdated",
        kind=MovementKind.DISCHARGED,
        sent_at=hospital.now - timedelta(hours=1),
        occurred_at=at,
        discharged_at=at,
        place=None,
    )
    record([discharge], source="feed")
    stay = Episode.objects.get(visit__number=gone.visit.number if gone.visit else "")
    assert stay.status == "discharged"
    # They were on no ward for any time, so whoever looks after the site is told.
    assert "MISDATED" not in text(nurse, "/to-check/")
    assert "MISDATED" in text(manager, "/to-check/")
    drawer = text(manager, f"/stays/{stay.pk}/")
    movement = drawer.split('name="movement" value="')[1].split('"')[0]
    undo = {"deed": "undo", "movement": movement, "episode_seen": ""}
    assert manager.post(f"/stays/{stay.pk}/?fragment=1", undo).status_code == 200
    stay.refresh_from_db()
    assert stay.status == "in_hospital"
    assert "Nothing to check." in text(manager, "/to-check/")


def test_the_drawer_of_a_stay_beside_another_says_so_and_ends_it(
    hospital: Hospital, manager: Client
) -> None:
    here = hospital.admit(hospital.wards[0], ago=timedelta(hours=9), family="Twice")
    at = hospital.now - timedelta(hours=6)
    later = replace(
        here,
        key="twice",
        sent_at=at,
        visit=VisitKey("RXX", "TWICE2"),
        occurred_at=at,
        admitted_at=at,
        place=Place(hospital.wards[1].pk),
    )
    record([later], source="feed")
    stay = Episode.objects.get(visit__number=here.visit.number if here.visit else "")
    page = text(manager, f"/stays/{stay.pk}/")
    assert "by another stay of theirs" in page
    assert "On Ward 2" in page
    assert 'value="move"' not in page
    said = {"deed": "discharge", "episode_seen": stay.pk}
    assert manager.post(f"/stays/{stay.pk}/?fragment=1", said).status_code == 200
    stay.refresh_from_db()
    assert stay.status == "discharged"


# --- what it costs, and who hears of it ---------------------------------------------------------


@pytest.mark.parametrize("person", ["manager", "nurse", "observer"])
@pytest.mark.parametrize("address", LISTS)
def test_the_list_asks_as_often_for_sixty_as_for_six(
    hospital: Hospital, request: pytest.FixtureRequest, person: str, address: str
) -> None:
    client: Client = request.getfixturevalue(person)
    numbers = iter(range(100))

    def more(count: int) -> None:
        for number in range(count):
            nowhere(hospital, number=next(numbers))
            if number % 3 == 0:
                doubtful(hospital)

    def cost() -> int:
        client.get("/search/")
        shared.forget()
        ring(["checks", f"checks:{hospital.site.pk}"])
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        return len(asked)

    more(6)
    small = cost()
    # Session, user and scope, the site, the list's own, and the menu's sites.
    assert small <= 9
    more(54)
    assert cost() == small


def test_the_boards_are_rung_for_who_is_nowhere(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: object
) -> None:
    rung: set[str] = set()
    monkeypatch.setattr("wards.episode_rows.ring", rung.update)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        hospital.admit(hospital.wards[0])
    assert rung == set()
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        nowhere(hospital)
    site = hospital.site.pk
    assert rung == {"system", "checks", f"site:{site}", f"checks:{site}"}


def test_the_counts_of_sites_add_up_to_that_of_the_system(hospital: Hospital) -> None:
    trust = Organisation.objects.create(code="RYY", name="Another trust", kind="trust")
    other = Site.objects.create(code="YYY", name="Another", organisation=trust)
    Ward.objects.create(site=other, code="Y1", name="Y1")
    for number, authority in enumerate(("RXX", "RXX", "RYY")):
        nowhere(hospital, number=number, authority=authority)
    doubtful(hospital)
    sites = Site.objects.select_related("organisation")
    counts = [site_board(site, now=hospital.now, sight=ALL).checks for site in sites]
    whole = system_board(now=hospital.now, sight=ALL).checks
    assert whole.placeless == sum(one.placeless for one in counts) == 3
    assert whole.to_check == sum(one.to_check for one in counts) == 1


def test_no_name_goes_to_the_store_that_all_processes_share(
    hospital: Hospital, manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    hospital.admit(hospital.wards[0], family=FAMILY)
    nowhere(hospital)
    kept: list[bool] = []
    real = shared.rendered

    def noted(*given: object, private: bool, **more: object) -> shared.Rendered:
        kept.append(private)
        return real(*given, private=private, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("flow.showing.rendered", noted)
    text(manager, "/to-check/")
    assert kept == [True]


def test_somebody_who_looked_says_that_they_are_still_here(
    hospital: Hospital, manager: Client, observer: Client
) -> None:
    stay = doubtful(hospital)
    assert "They are still here" in text(manager, f"/stays/{stay.pk}/")
    said = {"deed": "here", "episode_seen": stay.pk}
    assert observer.post(f"/stays/{stay.pk}/", said).status_code == 403
    assert manager.post(f"/stays/{stay.pk}/", said).status_code == 302
    stay.refresh_from_db()
    assert (stay.status, stay.flags) == ("in_hospital", [])
    assert "Nothing to check." in text(manager, "/to-check/")
