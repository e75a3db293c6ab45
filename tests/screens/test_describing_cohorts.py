"""Describing a cohort on a page: tried by its address, kept, changed, copied and withdrawn."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import Organisation, User
from accounts.refusals import Refused
from accounts.roles import Role
from live.doorbell import ring, version
from patients.cohort_deeds import describe, state_of, withdraw
from patients.cohort_loading import built_in, load_cohorts
from patients.cohorts import CRITERIA
from patients.models import Cohort
from tests.screens.cohorts import Followed, followed_of
from tests.screens.hospital import Hospital, build, signed_in, user
from tests.screens.test_cohorts import figures, page_of

NEW = "/cohorts/new/"
WORDS = {"title": "Ours at 75", "about": "For the huddle", "source": "Local, agreed by the board"}


@pytest.fixture
def hospital(db: None) -> Hospital:
    return build()


@pytest.fixture
def followed(hospital: Hospital) -> Followed:
    return followed_of(hospital)


@pytest.fixture
def trust(followed: Followed) -> Organisation:
    return followed.leaving.care.trust


@pytest.fixture
def writer(trust: Organisation) -> User:
    return user("coordinator", Role.DISCHARGE_COORDINATOR, organisation=trust)


@pytest.fixture
def mine(trust: Organisation, writer: User) -> Cohort:
    return describe(
        title="Mine", about="", source="Local", who={"age_from": 75}, organisation=trust, by=writer
    )


def found_by(page: str) -> int:
    [number] = re.findall(r'finds-figures"><div data-fact="(\d+)"', page)
    return int(number)


def keep(client: Client, address: str = NEW, status: int = 302, **said: Any) -> str:
    answer = client.post(address, {**WORDS, "organisation": "RXX", **said})
    assert answer.status_code == status, answer.content.decode()[:3000]
    return answer.headers.get("Location", "") if status == 302 else answer.content.decode()


# --- trying ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "people"),
    [
        ("try=yes", 10),
        ("age_from=75", 10),
        ("age_from=75&ready=yes", 5),
        ("ready=no&phase=during", 3),
        ("ready_days_from=5", 2),
        ("frailty_from=5&frailty_to=6", 2),
        ("residence=care_home&residence=own_home", 1),
        ("area=north", 3),
        ("of_any_area=yes&phase=after", 1),
        ("pathway=2&pathway=3", 2),
        ("site=TGH&days_from=7&phase=during", 5),
        ("waiting_organisation=CXX", 2),
        ("waiting_reason=transport", 1),
        ("stays_from=3", 0),
    ],
)
def test_criteria_are_tried_by_their_address_and_nothing_is_kept(
    followed: Followed, manager: Client, query: str, people: int
) -> None:
    before = Cohort.objects.count()
    assert found_by(page_of(manager, f"{NEW}?{query}")) == people
    assert Cohort.objects.count() == before


def test_what_was_tried_stands_in_the_form_again(followed: Followed, manager: Client) -> None:
    page = page_of(manager, f"{NEW}?age_from=75&ready=yes&pathway=2&title=Ours+at+75")
    assert 'name="age_from" inputmode="numeric" autocomplete="off" value="75"' in page
    assert '<option value="yes" selected>' in page
    assert 'name="pathway" value="2" checked' in page
    assert 'value="Ours at 75"' in page
    answer = manager.get(f"{NEW}?age_from=75&age_to=&title=")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{NEW}?age_from=75")


def test_every_criterion_has_a_field(followed: Followed, manager: Client) -> None:
    page = page_of(manager, NEW)
    for name in CRITERIA:
        assert f'name="{name}"' in page, name


def test_every_mistake_is_told_at_once_and_nothing_typed_is_lost(
    followed: Followed, manager: Client
) -> None:
    query = "age_from=old&frailty_from=12&ready=perhaps&site=T9&colour=red&days_from=-3"
    page = page_of(manager, f"{NEW}?{query}", 400)
    told = page.split("nhsuk-error-summary__list")[1].split("</ul>")[0]
    for words in (
        "Aged at least: Give a whole number from 0 to 120",
        "Clinical Frailty Scale at least: Give a whole number from 1 to 9",
        "yes or no",
        "There is no “T9” here",
        "“colour” is no criterion",
        "In hospital for at least, in days",
    ):
        assert words in told
    for typed in ('value="old"', 'value="12"', 'value="T9" checked', 'value="-3"'):
        assert typed in page
    assert "finds-figures" not in page
    page = page_of(manager, f"{NEW}?age_from=80&age_to=70", 400)
    assert "nobody fits" in page


def test_each_sees_what_the_criteria_find_for_them(followed: Followed, manager: Client) -> None:
    ward = followed.hospital.wards[1]
    client = signed_in(user("here", Role.DISCHARGE_COORDINATOR, ward=ward))
    page = page_of(client, f"{NEW}?age_from=75")
    assert found_by(page) == 3
    # A role at a ward is none at an organisation.
    assert "you have no such role at a whole one" in page
    assert 'name="title"' not in page
    assert keep(client, status=422, age_from="75")
    assert not Cohort.objects.filter(title=WORDS["title"]).exists()


def test_only_some_roles_describe_cohorts(followed: Followed, nurse: Client) -> None:
    for address in (NEW, "/cohorts/our-neighbourhoods/edit/"):
        assert nurse.get(address).status_code == 403
        assert nurse.post(address, WORDS).status_code == 403
    page = page_of(nurse, "/cohorts/our-neighbourhoods/")
    assert "/cohorts/new/" not in page
    assert "Describe a cohort" not in page_of(nurse, "/cohorts/")


# --- keeping --------------------------------------------------------------------------------------


def test_what_was_tried_is_kept_with_who_said_it(
    followed: Followed, writer: User, trust: Organisation
) -> None:
    client = signed_in(writer)
    address = keep(client, age_from="75", ready="yes", residence=["care_home"])
    assert address == "/cohorts/ours-at-75/"
    kept = Cohort.objects.get(slug="ours-at-75")
    assert kept.who == {"age_from": 75, "ready": True, "residence": ["care_home"]}
    assert (kept.by, kept.organisation, kept.source) == (writer, trust, WORDS["source"])
    page = page_of(client, address)
    assert figures(page)[0] == 1
    assert "aged 75 or over, meeting no criteria to reside, usually living in: care home" in page
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pgh_label, pgh_context ->> 'deed', pgh_context ->> 'user'"
            " FROM patients_cohortevent WHERE pgh_obj_id = %s",
            [kept.pk],
        )
        assert cursor.fetchall() == [("insert", "describe_cohort", str(writer.pk))]
    assert keep(client, age_from="75") == "/cohorts/ours-at-75-2/"


@pytest.mark.parametrize("title", ["New", "Our people", "§§§"])
def test_a_title_never_makes_the_address_of_another_page(
    followed: Followed, writer: User, title: str
) -> None:
    client = signed_in(writer)
    address = keep(client, title=title, age_from="75")
    assert address not in ("/cohorts/new/", "/cohorts/our-people/", "/cohorts//")
    assert title in page_of(client, address)


def test_a_form_that_is_refused_keeps_what_was_typed(followed: Followed, manager: Client) -> None:
    page = keep(manager, status=422, title="", source=" ", age_from="old", days_from="7")
    told = page.split("nhsuk-error-summary__list")[1].split("</ul>")[0]
    assert "Aged at least" in told
    assert "Title" in told
    assert "Where this description comes from" in told
    for typed in ('value="old"', 'value="7"', "For the huddle", 'value="RXX" selected'):
        assert typed in page
    assert "Nothing was kept" in page
    assert not Cohort.objects.exclude(by=None).exists()


def test_a_cohort_belongs_to_a_body_of_its_writer(followed: Followed, writer: User) -> None:
    page = keep(signed_in(writer), status=422, organisation="CXX", age_from="75")
    assert "Whose cohort it is" in page
    assert not Cohort.objects.exclude(by=None).exists()


# --- changing, copying, withdrawing ---------------------------------------------------------------


def test_a_cohort_is_changed_and_keeps_its_bands(
    followed: Followed, writer: User, mine: Cohort
) -> None:
    ground = Cohort.objects.get(slug="losing-ground-in-a-bed")
    scale = {"drivers": ground.drivers, "bands": ground.bands, "scale_source": "Local"}
    Cohort.objects.filter(pk=mine.pk).update(**scale)
    client = signed_in(writer)
    page = page_of(client, "/cohorts/mine/edit/")
    assert found_by(page) == 9, "who is expected is on no ward of theirs"
    assert 'value="Mine"' in page
    assert "It keeps its bands of risk: Lower, Raised, High" in page
    assert found_by(page_of(client, "/cohorts/mine/edit/?age_from=75&ready=yes")) == 5
    assert found_by(page_of(client, "/cohorts/mine/edit/?try=yes")) == 9, "no criteria at all"
    seen = re.findall(r'name="seen" value="(\w+)"', page)[0]
    address = keep(client, "/cohorts/mine/edit/", ready="yes", seen=seen)
    assert address == "/cohorts/mine/"
    mine.refresh_from_db()
    assert (mine.who, mine.title) == ({"ready": True}, WORDS["title"])
    assert {name: getattr(mine, name) for name in scale} == scale


def test_of_two_who_change_it_at_once_the_second_is_told(
    followed: Followed, writer: User, mine: Cohort, trust: Organisation
) -> None:
    client = signed_in(writer)
    seen = state_of(mine)
    describe(
        title="Mine", about="", source="Local", who={"age_from": 80}, organisation=trust,
        by=writer, cohort=mine, seen=seen,
    )  # fmt: skip
    page = keep(client, "/cohorts/mine/edit/", status=422, age_from="60", seen=seen)
    assert "Somebody else changed this cohort" in page
    assert 'value="60"' in page
    assert Cohort.objects.get(pk=mine.pk).who == {"age_from": 80}
    [now] = re.findall(r'name="seen" value="(\w+)"', page)
    keep(client, "/cohorts/mine/edit/", age_from="60", seen=now)
    assert Cohort.objects.get(pk=mine.pk).who == {"age_from": 60}


def test_a_value_that_is_no_longer_offered_can_stay(
    followed: Followed, writer: User, mine: Cohort
) -> None:
    Cohort.objects.filter(pk=mine.pk).update(who={"site": ["GONE"], "age_from": 75})
    client = signed_in(writer)
    page = page_of(client, "/cohorts/mine/edit/")
    assert 'value="GONE" checked' in page
    [seen] = re.findall(r'name="seen" value="(\w+)"', page)
    refused = keep(client, "/cohorts/mine/edit/", status=422, site=["GONE"], age_from="70")
    assert "Somebody else changed this cohort" in refused, "who does not say what they saw"
    keep(client, "/cohorts/mine/edit/", site=["GONE"], age_from="70", seen=seen)
    mine.refresh_from_db()
    assert mine.who == {"age_from": 70, "site": ["GONE"]}


def test_what_comes_from_a_file_is_copied_and_not_changed(followed: Followed, writer: User) -> None:
    client = signed_in(writer)
    page = page_of(client, "/cohorts/losing-ground-in-a-bed/")
    assert "/edit/" not in page
    address = "/cohorts/losing-ground-in-a-bed/edit/"
    for answer in (client.get(address), client.post(address, WORDS)):
        assert answer.status_code == 403
        assert "Copy it" in answer.content.decode()
    [copies] = re.findall(r'href="(/cohorts/new/\?from=[\w-]+)"', page)
    page = page_of(client, copies)
    assert found_by(page) == 5
    assert "The bands of risk are copied too" in page
    said: dict[str, Any] = {"from": "losing-ground-in-a-bed", "age_from": "80", "ready": "yes"}
    keep(client, **said)
    kept, origin = (
        Cohort.objects.get(slug=slug) for slug in ("ours-at-75", "losing-ground-in-a-bed")
    )
    assert (kept.bands, kept.drivers, kept.scale_source) == (
        origin.bands, origin.drivers, origin.scale_source,
    )  # fmt: skip
    assert origin.who == {"phase": ["during"], "age_from": 75, "ready": True}
    assert client.get(f"{NEW}?from=none-such").status_code == 404


def test_a_cohort_of_another_body_is_copied_and_not_changed(
    followed: Followed, mine: Cohort
) -> None:
    body = Organisation.objects.get(code="RCC")
    other = signed_in(user("other", Role.SITE_MANAGER, organisation=body))
    everywhere = user("looks", Role.READER, everywhere=True)
    Grant = type(everywhere.grants.get())  # the reader's own role gives nothing more
    Grant.objects.create(user=User.objects.get(username="other"), role="reader", everywhere=True)
    page = page_of(other, "/cohorts/mine/")
    assert "/edit/" not in page
    assert "/cohorts/new/?from=mine" in page
    assert other.get("/cohorts/mine/edit/").status_code == 403
    assert other.post("/cohorts/mine/withdraw/").status_code == 403


def test_a_cohort_is_withdrawn_and_its_days_are_kept(
    followed: Followed, writer: User, mine: Cohort
) -> None:
    client = signed_in(writer)
    assert client.get("/cohorts/mine/withdraw/").status_code == 405
    answer = client.post("/cohorts/mine/withdraw/", follow=True)
    assert "is withdrawn" in answer.content.decode()
    assert "cohort-mine" not in answer.content.decode()
    assert "Withdrawn." in page_of(client, "/cohorts/mine/")
    mine.refresh_from_db()
    keep(client, "/cohorts/mine/edit/", age_from="75", seen=state_of(mine))
    ring(["hub"])  # as it would be at the commit
    assert 'id="cohort-mine"' in page_of(client, "/cohorts/")
    refused = client.post("/cohorts/our-neighbourhoods/withdraw/")
    assert refused.status_code == 403


def test_the_deeds_refuse_what_makes_no_sense(
    followed: Followed, writer: User, trust: Organisation
) -> None:
    said: dict[str, Any] = {
        "title": "T", "about": "", "source": "S", "who": {}, "organisation": trust, "by": writer,
    }  # fmt: skip
    from_file = Cohort.objects.get(slug="long-stays")
    for wrong, words in (
        ({"who": {"colour": "red"}}, "no criterion"),
        ({"title": " "}, "title"),
        ({"source": ""}, "comes from"),
        ({"cohort": from_file}, "comes from a file"),
    ):
        with pytest.raises(Refused, match=words):
            describe(**{**said, **wrong})
    with pytest.raises(Refused, match="comes from a file"):
        withdraw(cohort=from_file, by=writer)
    assert not Cohort.objects.exclude(by=None).exists()


@pytest.mark.django_db(transaction=True)
def test_whoever_looks_hears_of_a_new_cohort(hospital: Hospital) -> None:
    body = Organisation.objects.get(code="RXX")
    before = version("hub")
    describe(title="T", about="", source="S", who={}, organisation=body, by=user("writes", None))
    assert version("hub") != before


def test_a_file_that_names_a_cohort_makes_it_its_own(followed: Followed, writer: User) -> None:
    Cohort.objects.filter(slug="long-stays").update(by=writer, title="Changed")
    load_cohorts(built_in())
    kept = Cohort.objects.get(slug="long-stays")
    assert (kept.by, kept.title) == (None, "Long stays")
