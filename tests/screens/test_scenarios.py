"""Scenarios under a name: kept, renamed, removed by whom, and compared."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
from tests.screens.hospital import Hospital, signed_in, user

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
