"""Scenarios under a name: kept, renamed, removed by whom, and compared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Role
from flow.forecasts.scenario import NOTHING, Closed, Opened, Scenario, from_json
from flow.models import KeptScenario
from flow.scenario_deeds import MOST, keep, remove, rename
from tests.screens.forecasts import foretell, forget, lived_in
from tests.screens.hospital import Hospital, build, signed_in, user
from wards.models import Occupancy

SIX = Scenario(opened=(Opened(6),))


@pytest.fixture(autouse=True)
def _nothing_foretold() -> Iterator[None]:
    forget()
    yield
    forget()


@pytest.fixture
def hospital(db: None) -> Hospital:
    return lived_in()


@pytest.fixture
def here(hospital: Hospital) -> str:
    return f"/sites/{hospital.site.code}/forecast/scenarios/"


def kept(hospital: Hospital, name: str, by: User, scenario: Scenario = SIX) -> KeptScenario:
    return keep(site=hospital.site, name=name, scenario=scenario, by=by, at=timezone.now())


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return unescape(answer.content.decode())


def plain(page: str) -> str:
    """The words of the page without those that tell the time."""
    words = " ".join(re.sub(r"<[^>]+>", " ", page[page.index("<main") :]).split())
    return re.sub(r"\d+ s\b|\d\d:\d\d", "", words)


def row(page: str, name: str) -> list[int]:
    """What is there at least by this scenario, at each hour always shown."""
    table = page[page.index("compare-title") : page.index("</table>")]
    line = next(one for one in table.split("<tr>") if name in one)
    return [int(one.replace("−", "-")) for one in re.findall(r"<strong>(−?\d+)</strong>", line)]


def test_a_scenario_is_kept_found_and_compared(
    hospital: Hospital, here: str, manager: Client
) -> None:
    foretell(hospital.site)
    page = text(manager, f"{here}?open=6")
    assert "not kept yet" in page
    assert row(page, "This one") == [number + 6 for number in row(page, "As it is")]
    answer = manager.post(f"{here}?open=6", {"name": "  Six  more "})
    found = KeptScenario.objects.get()
    assert answer.headers["Location"] == f"{here}?with={found.pk}"
    assert (found.name, from_json(found.said), found.by.username) == ("Six more", SIX, "manager")
    ward = hospital.wards[0]
    shut = kept(hospital, "Shut", found.by, Scenario(closed=(Closed(ward.pk, 72),)))
    page = text(manager, f"{here}?with={found.pk}&with={shut.pk}&arrivals=1.5")
    as_it_is = row(page, "As it is")
    assert row(page, "Six more") == [number + 6 for number in as_it_is]
    assert sum(row(page, "Shut")) < sum(as_it_is)
    assert sum(row(page, "This one")) < sum(as_it_is)
    assert f"{ward.name} takes nobody in for 72 hours" in page
    assert "at least at" in page[page.index('id="compare-sentence"') :]
    # The picture as a table: each hour, of each line.
    table = page[page.index('id="compare-table"') :]
    table = table[: table.index("</table>")]
    assert re.findall(r'class="num">([^<]*)</th>', table) == [
        "As it is", "This one", "Shut", "Six more",
    ]  # fmt: skip
    hours = [
        [int(one.replace("−", "-")) for one in re.findall(r'class="num">(−?\d+)</td>', line)]
        for line in table.split("<tr>")[2:]
    ]
    assert len(hours) == 72
    assert all(more == beds + 6 for beds, _this, _shut, more in hours)


@pytest.mark.parametrize(
    ("name", "query", "said"),
    [
        ("", "?open=6", "Give the scenario a name."),
        ("taken", "?open=6", "There is a scenario “taken” already."),
        ("x" * 81, "?open=6", "Give a name of at most 80 characters."),
        ("nothing", "", "This scenario changes nothing."),
    ],
)
def test_what_cannot_be_kept_says_why_and_keeps_what_was_typed(
    hospital: Hospital, here: str, manager: Client, name: str, query: str, said: str
) -> None:
    kept(hospital, "Taken", User.objects.get(username="manager"))
    answer = manager.post(here + query, {"name": name})
    assert answer.status_code == 422
    page = unescape(answer.content.decode())
    if query:
        assert said in page
        assert f'value="{name}"' in page
    assert KeptScenario.objects.count() == 1


def test_the_database_refuses_two_of_one_name_and_none_at_all(hospital: Hospital) -> None:
    by = user("somebody", Role.BED_MANAGER, everywhere=True)
    kept(hospital, "Winter", by)
    for name, said in (("WINTER", {"arrivals": 2}), ("", {"arrivals": 2}), ("Empty", {})):
        with pytest.raises(IntegrityError), transaction.atomic():
            KeptScenario.objects.create(
                site=hospital.site, name=name, said=said, by=by, kept_at=timezone.now()
            )
    with pytest.raises(Refused, match="changes nothing"):
        kept(hospital, "Nothing", by, NOTHING)


def test_a_site_keeps_so_many_and_no_more(hospital: Hospital) -> None:
    by = user("somebody", Role.BED_MANAGER, everywhere=True)
    for number in range(MOST):
        kept(hospital, f"Number {number}", by)
    with pytest.raises(Refused, match="Remove one"):
        kept(hospital, "One more", by)
    remove(kept=KeptScenario.objects.all()[0], by=by)
    kept(hospital, "One more", by)


def test_who_kept_it_or_manages_the_beds_renames_and_removes_it(
    hospital: Hospital, here: str, manager: Client, nurse: Client, observer: Client
) -> None:
    mine = kept(hospital, "Mine", User.objects.get(username="nurse"))
    others = kept(hospital, "Of others", User.objects.get(username="manager"))
    assert nurse.post(f"{here}{others.pk}/", {"deed": "remove"}).status_code == 403
    assert observer.post(f"{here}{mine.pk}/", {"deed": "rename", "name": "X"}).status_code == 403
    assert nurse.post(f"{here}{mine.pk}/", {"deed": "rename", "name": "Ours"}).status_code == 302
    mine.refresh_from_db()
    assert mine.name == "Ours"
    page = unescape(nurse.post(
        f"{here}{mine.pk}/", {"deed": "rename", "name": "of OTHERS"}, follow=True
    ).content.decode())  # fmt: skip
    assert "There is a scenario “of OTHERS” already." in page
    assert manager.post(f"{here}{mine.pk}/", {"deed": "remove"}).status_code == 302
    assert list(KeptScenario.objects.values_list("name", flat=True)) == ["Of others"]
    assert manager.post(f"{here}{mine.pk}/", {"deed": "remove"}).status_code == 404
    assert nurse.get(f"{here}{others.pk}/").status_code == 405


def test_who_sees_counts_alone_compares_and_keeps_nothing(
    hospital: Hospital, here: str, observer: Client
) -> None:
    foretell(hospital.site)
    page = text(observer, f"{here}?open=6")
    assert "Side by side" in page
    assert "Keep it under a name" not in page
    assert observer.post(f"{here}?open=6", {"name": "Mine"}).status_code == 403


def test_what_somebody_has_removed_is_not_kept_again_by_a_new_name(hospital: Hospital) -> None:
    by = user("bed manager", Role.BED_MANAGER, site=hospital.site)
    found = kept(hospital, "Winter", by)
    remove(kept=KeptScenario.objects.get(), by=by)
    with pytest.raises(Refused, match="no longer kept"):
        rename(kept=found, name="Spring", by=by)
    assert not KeptScenario.objects.exists()


def test_what_is_not_of_the_site_is_not_kept(
    hospital: Hospital, here: str, manager: Client, nurse: Client
) -> None:
    other = build(code="OTH", known_when_sent=True)
    other.admit(other.beds(other.wards[0])[0])
    mine, others = hospital.wards
    [elsewhere, *_] = Occupancy.objects.filter(
        period__upper_inf=True, ward__site=other.site
    ).values_list("episode", flat=True)
    [first, *_] = Occupancy.objects.filter(period__upper_inf=True, ward=mine).values_list(
        "episode", flat=True
    )
    [unseen, *_] = Occupancy.objects.filter(period__upper_inf=True, ward=others).values_list(
        "episode", flat=True
    )
    noon = "@2027-01-01T12:00Z"
    for client, query, said in (
        (manager, "open=6:999999", "no ward with beds under the key 999999"),
        (manager, f"open=6:{other.wards[0].pk}", "no ward with beds"),
        (manager, f"close={other.wards[0].pk}:4", "no ward with beds"),
        (manager, f"leave={first}.99999999{noon}", "Stay 99999999 is not of somebody"),
        (manager, f"leave={elsewhere}{noon}", f"Stay {elsewhere} is not of somebody"),
        (nurse, f"leave={unseen}{noon}", f"Stay {unseen} is not of somebody"),
        (manager, "&".join(["open=500"] * 60), "30000 beds cannot be opened"),
        (manager, "open=6@0001-01-01T00:00Z", "names no time"),
    ):
        answer = client.post(f"{here}?{query}", {"name": "Cannot be"})
        assert answer.status_code in (400, 422), query
        page = unescape(answer.content.decode())
        assert said in page
        # There is no form to keep what cannot be read.
        can_be_read = "names no time" not in said and "beds cannot" not in said
        assert ('value="Cannot be"' in page) is can_be_read, query
        assert not KeptScenario.objects.exists()
    assert nurse.post(f"{here}?leave={first}{noon}", {"name": "Can be"}).status_code == 302
    assert manager.post(f"{here}?leave={unseen}{noon}", {"name": "As well"}).status_code == 302


def test_what_cannot_be_read_says_why(hospital: Hospital, here: str, manager: Client) -> None:
    found = kept(hospital, "Old", User.objects.get(username="manager"))
    said = {"open": [{"beds": 6, "ward": None, "from": "1-01-01T00:00Z"}]}
    KeptScenario.objects.filter(pk=found.pk).update(said=said)
    page = text(manager, here)
    assert "It cannot be read as it was kept: “1-01-01T00:00Z” names no time" in page


def test_who_sees_counts_alone_compares_what_others_kept_and_names_nobody(
    hospital: Hospital, here: str, manager: Client, observer: Client
) -> None:
    foretell(hospital.site)
    episode = Occupancy.objects.filter(period__upper_inf=True, ward=hospital.wards[0]).values_list(
        "episode", flat=True
    )[0]
    by = (timezone.now() + timedelta(hours=4)).strftime("%Y-%m-%dT%H:%MZ")
    manager.post(f"{here}?leave={episode}@{by}", {"name": "Home early"})
    found = KeptScenario.objects.get()
    page = text(observer, f"{here}?with={found.pk}")
    assert "1 patient has left by" in page
    assert str(episode) not in re.findall(r"leave=(\d+)", page)
    assert row(page, "Home early")
    assert f"leave={episode}" in text(manager, f"{here}?with={found.pk}")
    pages = []
    for named in (str(episode), "99999999", "0"):
        answer = observer.get(f"{here}?leave={named}@{by}")
        assert answer.status_code == 400
        pages.append(plain(unescape(answer.content.decode())))
    assert "Only those who may see patients can say" in pages[0]
    assert pages[0] == pages[1] == pages[2]


def test_a_scenario_of_another_site_is_not_here(hospital: Hospital, manager: Client) -> None:
    found = kept(hospital, "Here", User.objects.get(username="manager"))
    hospital.site.__class__.objects.create(
        code="OTH", name="Other", organisation=hospital.site.organisation
    )
    answer = manager.post(f"/sites/OTH/forecast/scenarios/{found.pk}/", {"deed": "remove"})
    assert answer.status_code == 404
    assert KeptScenario.objects.count() == 1


def test_before_any_forecast_scenarios_are_kept_and_not_compared(
    hospital: Hospital, here: str
) -> None:
    by = user("bed manager", Role.BED_MANAGER, site=hospital.site)
    found = kept(hospital, "Early", by)
    page = text(signed_in(by), f"{here}?with={found.pk}")
    assert "Nothing is foretold of this site yet" in page
    assert "Side by side" not in page
    renamed = rename(kept=found, name="Later", by=by)
    assert renamed.name == "Later"
