"""The page of a site's forecast: what is said of which beds to whom, what if, and what came."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from flow.board_types import Sight
from flow.forecast_pages.hours import key_hours
from flow.forecast_pages.past import patients_past
from flow.forecasts.boards import ForecastBoard, forecast_board
from flow.forecasts.happened import Patient, happened_board
from flow.forecasts.wording import beds_said, fan_said
from flow.models import ForecastModel
from live import shared
from patients.code_loading import built_in, load_codes
from patients.models import Episode
from tests.screens.forecasts import foretell, forget, lived_in
from tests.screens.hospital import FAMILY, Hospital, add_beds, build, signed_in, user
from wards.barriers import Said
from wards.facts import MovementKind
from wards.models import Closure, Occupancy
from wards.rounds import Found, review
from wards.scope import scope_of


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
    return f"/sites/{hospital.site.code}/forecast/"


def text(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, (address, answer.status_code)
    return answer.content.decode()


def plain(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def board_of(hospital: Hospital) -> ForecastBoard:
    sight = Sight.of(scope_of(user(f"all {timezone.now()}", Role.OBSERVER, everywhere=True)))
    board = forecast_board(hospital.site, now=timezone.now(), sight=sight)
    assert board is not None
    return board


def least(page: str) -> list[int]:
    """Of the hours always shown, the free beds that there are at least, with 9 chances in 10."""
    found = re.findall(r'id="hour-\d+" data-fact="(-?\d+)/-?\d+"', page)
    return [int(one) for one in found]


# --- what is said ---------------------------------------------------------------------------------


def test_before_the_first_forecast_the_page_says_what_it_waits_for(
    hospital: Hospital, here: str, manager: Client
) -> None:
    assert "Nothing is foretold of this site yet" in text(manager, here)


def test_the_page_says_what_the_forecast_says(
    hospital: Hospital, here: str, manager: Client
) -> None:
    foretell(hospital.site)
    board = board_of(hospital)
    assert board.fan is not None
    page = text(manager, here)
    assert fan_said(board.fan, board.ahead) in unescape(page)
    hours = key_hours(board.ahead)
    assert len(hours) >= 6
    assert least(page) == [board.fan.spreads[hour].at_least(0.9) for hour in hours]
    assert any(beds_said(board.fan, hour, board.ahead) in unescape(page) for hour in hours)
    assert "model 1" in plain(page)
    # The table has every hour, the three midnights and mornings marked.
    table = page[page.index('id="fan-table"') :]
    table = table[: table.index("</table>")]
    assert table.count("<tr") == 1 + 72
    assert table.count('class="is-key"') == 6
    assert "no decision about a patient" in page


def test_the_figure_holds_the_bands_the_zero_and_what_is_planned(
    hospital: Hospital, here: str, manager: Client
) -> None:
    ward = hospital.wards[0]
    begin = timezone.now() + timedelta(hours=5)
    Closure.objects.create(ward=ward, reason="infection", period=(begin, begin + timedelta(days=2)))
    leaving = hospital.admit(hospital.beds(ward)[4])
    hospital.tell(leaving, MovementKind.PENDING_DISCHARGE, ago=timedelta(minutes=30))
    foretell(hospital.site)
    page = text(manager, here)
    figure = json.loads(unescape(re.search(r'id="fan-figure">(.*?)</script>', page)[1]))  # type: ignore[index]
    names = [trace["name"] for trace in figure["data"]]
    assert [name for name in names if "time" in name] == [
        "90 % of the time", "80 % of the time", "50 % of the time",
    ]  # fmt: skip
    assert names[-3:] == ["Beds shut", "Beds open", "Leaving"]
    board = board_of(hospital)
    assert board.fan is not None
    middle = next(trace for trace in figure["data"] if trace["name"] == "Middle")
    assert middle["y"] == [board.fan.free_now, *board.fan.quantiles[:, 3].tolist()]
    assert len(middle["x"]) == 73
    assert figure["layout"]["shapes"][0]["y0"] == 0
    planned = page[page.index('id="planned"') :]
    assert (
        "closes (Infection)" in planned[: planned.index("</ul>")].replace("prevention", "")[:2000]
    )


def test_an_old_forecast_says_so(hospital: Hospital, here: str, manager: Client) -> None:
    foretell(hospital.site, at=timezone.now() - timedelta(hours=3))
    page = text(manager, here)
    assert "This forecast is" in page
    assert "banner is-lost is-here" in page
    foretell(hospital.site)
    assert "banner is-lost is-here" not in text(manager, here)


def test_other_beds_are_chosen_by_the_address(
    hospital: Hospital, here: str, manager: Client
) -> None:
    foretell(hospital.site)
    ward = hospital.wards[1]
    page = text(manager, f"{here}?of=ward:{ward.pk}")
    assert f"{ward.name}: free beds, hour by hour" in plain(page)
    board = board_of(hospital)
    fan = next(one for one in board.pools if one.pool.name == ward.name)
    assert least(page) == [fan.spreads[hour].at_least(0.9) for hour in key_hours(board.ahead)]
    assert "Move away" in page
    assert "Chance that nobody" not in page  # the queue is one for the whole site
    nothing = text(manager, f"{here}?of=ward:999999")
    assert "not among those that you may see" in nothing


def test_a_site_without_beds_is_told_how_many_leave(hospital: Hospital, manager: Client) -> None:
    other = build(beds=0, code="NOB", known_when_sent=True)
    other.admit(other.wards[0])
    foretell(other.site)
    page = text(manager, "/sites/NOB/forecast/")
    assert "No beds are listed of this site" in plain(page)
    assert "midnight" in page


# --- for whom -------------------------------------------------------------------------------------


def test_who_sees_a_ward_alone_is_told_of_that_ward_alone(
    hospital: Hospital, here: str, nurse: Client
) -> None:
    foretell(hospital.site)
    page = text(nurse, here)
    mine, other = hospital.wards
    assert f"{mine.name}: free beds" in plain(page)
    assert other.name not in plain(page)
    assert "All beds" not in page
    assert "Chance that nobody" not in page
    assert "not among those" in text(nurse, f"{here}?of=ward:{other.pk}")
    scenario = text(nurse, f"{here}?close={other.pk}:24")
    assert other.name not in plain(scenario)


def test_who_sees_counts_sees_no_names(hospital: Hospital, here: str, observer: Client) -> None:
    foretell(hospital.site, at=timezone.now() - timedelta(hours=25))
    foretell(hospital.site)
    assert FAMILY.upper() not in text(observer, here).upper()
    at = (timezone.now() - timedelta(hours=24)).isoformat().replace("+", "%2B")
    assert FAMILY.upper() not in text(observer, f"{here}?at={at}").upper()


def test_who_has_no_role_at_the_site_is_refused(hospital: Hospital, here: str) -> None:
    foretell(hospital.site)
    nobody = signed_in(user("nobody", None))
    for address in (here, f"{here}accuracy/", f"{here}scenarios/"):
        assert nobody.get(address).status_code == 403
        assert Client().get(address).status_code == 302
    assert (
        signed_in(user("all", Role.OBSERVER, everywhere=True))
        .get("/sites/NONE/forecast/")
        .status_code
        == 404
    )


# --- what if --------------------------------------------------------------------------------------


def test_a_scenario_is_sent_by_its_address_and_changes_the_beds(
    hospital: Hospital, here: str, manager: Client
) -> None:
    foretell(hospital.site)
    as_it_is = least(text(manager, here))
    page = text(manager, f"{here}?open=6")
    assert least(page) == [number + 6 for number in as_it_is]
    assert "6 beds more on the site, from now on" in page
    assert "As it is:" in page
    assert page.count("as it is: ") == len(as_it_is)


def test_the_form_works_without_a_script_and_leads_to_an_address_to_be_sent(
    hospital: Hospital, here: str, manager: Client
) -> None:
    foretell(hospital.site)
    ward = hospital.wards[0]
    typed = {
        "try": "1", "of": "", "beds": "4", "beds_on": str(ward.pk), "beds_from": "",
        "shut": "", "shut_hours": "48", "shut_from": "", "more": "20", "p1": "3", "p2": "0",
        "p3": "", "over": "2",
    }  # fmt: skip
    answer = manager.get(here, typed)
    assert answer.status_code == 302
    assert answer.headers["Location"] == (
        f"{here}?open=4%3A{ward.pk}&arrivals=1.2&places=1%3A3&days=2"
    )
    page = text(manager, answer.headers["Location"])
    assert f"4 beds more on {ward.name}" in page
    assert "20 % more arrivals" in page
    assert 'name="beds" value="4"' in page
    assert 'name="more" value="20"' in page
    # With a script the same form is answered at once, without the way round.
    board = manager.get(here, {**typed, "fragment": "1"})
    assert board.status_code == 200
    assert f'data-address="{here}?open=4%3A{ward.pk}&amp;arrivals=1.2' in board.content.decode()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"beds": "six"}, "Beds: give a whole number from 0 to 500."),
        ({"beds": "501"}, "Beds: give a whole number from 0 to 500."),
        ({"p1": "300", "p3": "201"}, "501 places more cannot be."),
        ({"beds": "2", "beds_on": "999999"}, "Choose a ward from the list."),
        ({"beds": "2", "beds_from": "soon"}, "Choose a time from the list."),
        ({"shut": "WARD", "shut_hours": "0"}, "Hours: give a whole number from 1 to 336."),
        ({"more": "1000"}, "Arrivals more: give a whole number from -100 to 400."),
        ({"p2": "-1"}, "Places on pathway 2: give a whole number from 0 to 500."),
        ({"over": "9", "p1": "2"}, "Days: give a whole number from 1 to 3."),
    ],
)
def test_what_cannot_be_stays_as_it_was_typed_and_says_what_to_do(
    hospital: Hospital, here: str, manager: Client, typed: dict[str, str], said: str
) -> None:
    foretell(hospital.site)
    ward = str(hospital.wards[0].pk)
    sent = {name: value.replace("WARD", ward) for name, value in typed.items()}
    answer = manager.get(here, {"try": "1", **sent})
    assert answer.status_code == 400
    page = answer.content.decode()
    assert said in page
    for value in sent.values():
        assert f'value="{value}"' in page or value in ("999999", "soon", "9")
    assert "If so:" not in page


def test_an_address_that_says_no_scenario_says_why(
    hospital: Hospital, here: str, manager: Client
) -> None:
    foretell(hospital.site)
    page = text(manager, f"{here}?open=many", status=400)
    assert "“many” is no whole number" in page
    assert "has no ward with beds under the key 999999" in text(manager, f"{here}?close=999999:24")


@pytest.mark.parametrize("year", ["0001-01-01", "1899-12-31", "9999-12-31", "2201-01-01"])
def test_a_time_that_nobody_can_mean_is_refused_wherever_it_stands(
    hospital: Hospital, here: str, manager: Client, year: str
) -> None:
    foretell(hospital.site)
    episode, ward = Episode.objects.values_list("pk", flat=True)[0], hospital.wards[0].pk
    when = f"{year}T00:00Z"
    for said in (f"leave={episode}@{when}", f"open=6@{when}", f"close={ward}:48@{when}"):
        for address in (f"{here}?{said}", f"{here}scenarios/?{said}"):
            assert f"“{when}” names no time" in text(manager, address, status=400)
    for typed in (
        {"beds": "6", "beds_from": when},
        {"shut": str(ward), "shut_from": when},
        {"who": str(episode), "who_by": when},
    ):
        answer = manager.get(here, {"try": "1", **typed})
        assert answer.status_code == 400
        assert "Choose a time from the list." in answer.content.decode()
        # The part that is fetched while somebody types has the errors in its place.
        assert manager.get(here, {"try": "1", "fragment": "1", **typed}).status_code == 200
    assert manager.get(here, {"at": when}).status_code < 500


def test_patients_are_chosen_to_have_left_by_who_may_see_them(
    hospital: Hospital, here: str, manager: Client, observer: Client
) -> None:
    foretell(hospital.site)
    page = text(manager, here)
    offered = re.findall(r'name="who" value="(\d+)"', page)
    assert len(offered) == 8
    assert FAMILY.upper() in page[page.index('id="leavers"') :].upper()
    assert 'name="who"' not in text(observer, here)
    answer = manager.get(here, {"try": "1", "who": offered[:3]})
    where = answer.headers["Location"]
    assert re.search(r"leave=\d+\.\d+\.\d+%40", where)
    assert "3 patients have left by" in text(manager, where)


def test_who_sees_no_patients_names_none(
    hospital: Hospital, here: str, manager: Client, observer: Client, nurse: Client
) -> None:
    """What would follow tells on which ward somebody is, and how likely to leave."""
    foretell(hospital.site)
    other = hospital.wards[1]
    [stay, *_] = Occupancy.objects.filter(period__upper_inf=True, ward=other).values_list(
        "episode", flat=True
    )
    by = (timezone.now() + timedelta(hours=4)).strftime("%Y-%m-%dT%H:%MZ")
    told = []
    for named in (str(stay), "99999999", "0"):
        for query in (f"leave={named}@{by}", f"try=1&who={named}&who_by={by}"):
            page = text(observer, f"{here}?of=ward:{other.pk}&{query}", status=400)
            assert "Only those who may see patients can say who is to have left" in page
            told.append((least(page), "If so:" in page, "left since" in page))
    assert len(set(map(str, told))) == 1
    assert not told[0][1]
    # Of a ward whose patients somebody does not see, a stay is as one that is not there.
    seen = []
    for named in (str(stay), "99999999"):
        page = text(nurse, f"{here}?leave={named}@{by}")
        seen.append((least(page), plain(page)[plain(page).index("What if") :][:400]))
    assert seen[0] == seen[1]
    assert "1 of the patients named has left since, or is not on a ward here whose" in seen[0][1]
    assert "1 patient has left" in text(manager, f"{here}?leave={stay}@{by}")


def listed(page: str) -> dict[str, list[tuple[int, str]]]:
    """By ward, the patients who may be chosen: their episode, and what is known of them."""
    return {
        plain(name): [
            (int(episode), plain(known))
            for episode, known in re.findall(
                r'name="who" value="(\d+)".*?<span class="aside">(.*?)</span></span>',
                people,
                re.DOTALL,
            )
        ]
        for name, people in re.findall(
            r'<span class="ward-name">(.*?)</span>(.*?)</details>', page, re.DOTALL
        )
    }


def test_patients_are_listed_by_ward_those_about_to_leave_first(
    hospital: Hospital, here: str, manager: Client
) -> None:
    ward, other = hospital.wards
    _ready, announced = (hospital.admit(bed) for bed in hospital.beds(ward)[4:6])
    hospital.tell(announced, MovementKind.PENDING_DISCHARGE, ago=timedelta(minutes=30))
    stays = Episode.objects.filter(occupancies__bed__in=hospital.beds(ward)[4:6]).order_by("-pk")
    about_to_leave, ready_to = stays[:2]
    load_codes(built_in())
    review(
        episode=ready_to,
        found=Found(criteria=[], pathway=0),
        said=Said(timezone.now(), User.objects.get(username="manager")),
    )
    foretell(hospital.site)
    found = listed(text(manager, here))
    assert {name: len(people) for name, people in found.items()} == {ward.name: 6, other.name: 4}
    first, second, *rest = found[ward.name]
    assert first[0] == about_to_leave.pk
    assert first[1].startswith("bed 6, discharge announced, ")
    assert second[0] == ready_to.pk
    assert second[1].startswith("bed 5, ready to leave, ")
    assert all("anyway" in known and "ready" not in known for _episode, known in rest)
    # The beds in the address choose whose patients these are; who is chosen already stays.
    [(chosen, _known), *_more] = found[other.name]
    by = (timezone.now() + timedelta(hours=4)).strftime("%Y-%m-%dT%H:%MZ")
    page = text(manager, f"{here}?of=ward:{ward.pk}&leave={chosen}@{by}")
    narrow = listed(page)
    assert {name: len(people) for name, people in narrow.items()} == {ward.name: 6, other.name: 1}
    assert f'value="{chosen}" checked' in page


def test_who_sees_the_patients_of_one_ward_chooses_among_these(
    hospital: Hospital, here: str, nurse: Client
) -> None:
    foretell(hospital.site)
    mine, _other = hospital.wards
    assert {name: len(people) for name, people in listed(text(nurse, here)).items()} == {
        mine.name: 4
    }


def test_of_patients_who_have_left_since_the_scenario_speaks_no_more(
    hospital: Hospital, here: str, manager: Client
) -> None:
    gone = hospital.admit(hospital.beds(hospital.wards[0])[4])
    foretell(hospital.site, at=timezone.now() - timedelta(minutes=20))
    there = re.findall(r'name="who" value="(\d+)"', text(manager, here))
    assert len(there) == 9
    by = (timezone.now() + timedelta(hours=4)).strftime("%Y-%m-%dT%H:%MZ")
    scenario = f"{here}?leave={'.'.join(there)}@{by}"
    assert "9 patients have left by" in text(manager, scenario)
    hospital.tell(gone, MovementKind.DISCHARGED, ago=timedelta(minutes=10))
    foretell(hospital.site)
    page = text(manager, scenario)
    assert "8 patients have left by" in page
    assert "1 of the patients named has left since" in page


# --- the past -------------------------------------------------------------------------------------


def test_an_earlier_forecast_stands_beside_what_came_of_it(
    hospital: Hospital, here: str, manager: Client
) -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    bed = hospital.beds(hospital.wards[0])[4]
    leaver = hospital.admit(bed, ago=timedelta(hours=40), family="Longstaff")
    hospital.tell(leaver, MovementKind.DISCHARGED, ago=timedelta(hours=12))
    first = foretell(hospital.site, at=hour - timedelta(hours=30))
    for back in (22, 14, 6, 0):
        foretell(hospital.site, at=hour - timedelta(hours=back))
    at = (hour - timedelta(hours=29, minutes=30)).isoformat().replace("+", "%2B")
    page = text(manager, f"{here}?at={at}")
    assert "What was said by" in page
    assert f"Said at {timezone.localtime(first.at):%H:%M} , written down at" in plain(page)
    figure = json.loads(unescape(re.search(r'id="fan-figure">(.*?)</script>', page)[1]))  # type: ignore[index]
    counted = next(trace for trace in figure["data"] if trace["name"] == "Counted")
    # Free beds at the hours of the forecasts issued since, and at those always shown.
    seen = [number for number in counted["y"] if number is not None]
    assert (seen[0], seen[-1]) == (11, 4)
    assert len(seen) >= 4  # the four since, where they fall on hours that are always shown
    assert set(seen) == {11, 12, 4}
    assert None in counted["y"]  # no line is drawn over hours of which nothing is known
    people = page[page.index('id="everybody"') :]
    assert "LONGSTAFF" in people.upper()
    assert re.search(r"left <time[^>]*>[^<]*</time>", people)
    assert "Leave, of those who were there" in page
    assert "Free beds" in page[page.index("Leave, of those who were there") :]
    assert 'name="try"' not in page  # what if is asked of the present
    # One click away from the forecast of now.
    assert "What we said at 08:00 yesterday, and what happened" in text(manager, here)


def test_of_the_past_it_says_how_many_were_expected_to_leave_and_who_surprises(
    hospital: Hospital, manager: Client, here: str
) -> None:
    row = foretell(hospital.site)
    sight = Sight.of(scope_of(user("sees all", Role.BED_MANAGER, everywhere=True)))
    later = row.at + timedelta(hours=25)
    found = happened_board(hospital.site, now=later, sight=sight, at=row.at)
    assert found is not None
    [one, *_rest] = found.patients
    end = found.said.at + timedelta(hours=24)

    def someone(number: int, chance: float, left_at: datetime | None) -> Patient:
        return replace(one, episode=-number, chance=chance, left_at=left_at)

    people = (
        someone(1, 0.92, None), someone(2, 0.90, end), someone(3, 0.45, end), someone(4, 0.30, end),
        someone(5, 0.10, end), someone(6, 0.02, end), someone(7, 0.05, None),
        someone(8, 0.03, end + timedelta(hours=1)),
    )  # fmt: skip
    told = patients_past(replace(found, patients=people), sight=sight)
    assert told is not None
    assert (round(told.expected, 2), told.left, told.is_over) == (2.77, 5, True)
    assert [line.episode for line in told.surprises] == [-6, -1, -5]
    assert told.surprised == 3
    assert told.usual == pytest.approx(0.08 + 0.10 + 0.10 + 0.02 + 0.05 + 0.03)
    at = row.at.isoformat().replace("+", "%2B")
    assert "are expected to leave, 0 have so far" in plain(text(manager, f"{here}?at={at}"))


def test_before_the_first_forecast_there_is_nothing_to_look_back_at(
    hospital: Hospital, here: str, manager: Client
) -> None:
    foretell(hospital.site)
    at = (timezone.now() - timedelta(days=2)).isoformat().replace("+", "%2B")
    assert "Nothing had been foretold by then" in text(manager, f"{here}?at={at}")


# --- leading there, and the cost ------------------------------------------------------------------


def test_the_boards_lead_to_the_forecast_with_its_line(
    hospital: Hospital, here: str, manager: Client, nurse: Client
) -> None:
    site = f"/sites/{hospital.site.code}/"
    assert f'href="{here}"' in text(manager, site)
    foretell(hospital.site)
    board = board_of(hospital)
    assert board.fan is not None
    page = unescape(text(manager, site))
    assert any(beds_said(board.fan, hour, board.ahead) in page for hour in range(72))
    system = text(manager, "/")
    assert f'href="{here}"' in system
    assert re.search(
        r"(or more free|a bed for everybody|without a bed) at [^<]*\(9 in 10\)", system
    )
    assert "forecast <" not in system  # nor how old it is
    mine = text(nurse, site)
    assert f'href="{here}"' in mine
    assert not any(beds_said(board.fan, h, board.ahead) in unescape(mine) for h in range(72))


def test_the_system_page_says_how_old_a_forecast_is(hospital: Hospital, manager: Client) -> None:
    foretell(hospital.site, at=timezone.now() - timedelta(hours=3))
    page = plain(text(manager, "/"))
    assert re.search(r"\(9 in 10\) forecast 3 h( 0 min)? old", page)


def queries(client: Client, address: str) -> int:
    shared.forget()
    client.get(address)
    forget()
    shared.forget()
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


def test_the_pages_take_as_many_queries_for_many_beds(
    hospital: Hospital, here: str, manager: Client
) -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    at = (hour - timedelta(hours=20)).isoformat().replace("+", "%2B")
    scenario = "open=3&places=1:2"
    addresses = [
        here, f"{here}?{scenario}", f"{here}?of=ward:{hospital.wards[0].pk}", f"{here}?at={at}",
        f"{here}scenarios/?{scenario}", f"{here}accuracy/", "/discharges/?long=7",
    ]  # fmt: skip
    hospital.admit(hospital.beds(hospital.wards[0])[4], ago=timedelta(days=9))
    foretell(hospital.site, at=hour - timedelta(hours=24))
    foretell(hospital.site, at=timezone.now() - timedelta(minutes=30))
    few = [queries(manager, address) for address in addresses]
    for one in hospital.wards:
        add_beds(one, 54, first=6)
        for bed in hospital.beds(one)[6:]:
            hospital.admit(bed, ago=timedelta(days=9))
    # Half an hour later: neither midnight nor 8:00, at which a page looks, lies between the two.
    foretell(hospital.site, at=hour - timedelta(hours=23, minutes=30))
    foretell(hospital.site, at=timezone.now() - timedelta(minutes=29))
    assert [queries(manager, address) for address in addresses] == few
    assert max(few) <= 26, few


def test_a_model_row_is_read_without_its_bytes(
    hospital: Hospital, here: str, manager: Client
) -> None:
    foretell(hospital.site)
    assert ForecastModel.objects.get().blob is not None
    with CaptureQueriesContext(connection) as asked:
        text(manager, here)
    assert not any('"flow_forecastmodel"."blob"' in query["sql"] for query in asked)
