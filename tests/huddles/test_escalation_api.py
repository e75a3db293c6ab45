"""Escalation over REST: as it stands, and values told by other systems."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from accounts.roles import Role
from accounts.tokens import TokenScope
from huddles.escalation.assessing import assess
from huddles.escalation.declaring import declare
from huddles.escalation.values import tell
from huddles.models import OpelValue
from tests.api.callers import Caller
from tests.api.conftest import _nothing_remembered as _nothing_remembered
from tests.api.test_schema import agrees, resolved
from tests.huddles.rules import BUSY, load_example
from tests.screens.hospital import FAMILY, Hospital, build
from wards.models import Site

pytestmark = pytest.mark.django_db
READ, TELL = "/api/v1/escalation/", "/api/v1/escalation/values/"
WITHDRAW = f"{TELL}withdraw/"
BOTH = (TokenScope.HUDDLES_READ, TokenScope.HUDDLES_WRITE)


@pytest.fixture
def hospital() -> Hospital:
    made = build()
    made.fill(made.wards[0], 6)
    load_example("TGH=1")
    return made


@pytest.fixture
def manager(hospital: Hospital) -> Caller:
    return Caller("manager", Role.BED_MANAGER, *BOTH, site=hospital.site)


def parameter(caller: Caller, code: str) -> dict[str, Any]:
    [site] = caller.get(READ, site="TGH")
    found: dict[str, Any] = next(one for one in site["parameters"] if one["code"] == code)
    return found


def test_a_site_tells_every_parameter_and_both_levels(hospital: Hospital, manager: Caller) -> None:
    declare(
        site=hospital.site, level=3, reason="Full", seen=None, at=timezone.now(), by=manager.user
    )
    [site] = manager.get(READ, site="TGH")
    assert (site["rule_set"], site["version"], site["number"], site["example"]) == (
        "example", "1", 1, True,
    )  # fmt: skip
    assert (site["declared_level"], site["declared_reason"], site["declared_by"]) == (
        3, "Full", "manager",
    )  # fmt: skip
    assert (site["computed_level"], site["level_lowest"], site["level_highest"]) == (None, 1, 3)
    assert (site["certain_level"], site["certain_at"]) == (None, None)
    assert site["certain_example"] is False
    assert len(site["parameters"]) == 9
    told = parameter(manager, "ga_occupancy")
    assert (told["value"], told["source"], told["score"], told["most"]) == (50.0, "computed", 0, 5)
    assert (told["stale"], told["age_minutes"], told["cut_offs"]) == (False, 0, "example")
    untold = parameter(manager, "ambulance_handover")
    assert [untold[name] for name in ("value", "as_at", "score", "source")] == [None] * 4


def test_a_name_in_a_reason_is_told_to_those_alone_who_may(
    hospital: Hospital, manager: Caller
) -> None:
    for site in (hospital.site, None):
        declare(
            site=site, level=3, reason=f"Mrs {FAMILY} waits", seen=None, at=timezone.now(),
            by=manager.user,
        )  # fmt: skip
    full = Caller("full", Role.BED_MANAGER, *BOTH, TokenScope.EPISODES_READ, site=hospital.site)
    assert FAMILY in full.get(READ)[0]["declared_reason"]
    for caller in (manager, Caller("observer", Role.OBSERVER, *BOTH, site=hospital.site)):
        body = caller.client.get(READ).content.decode()
        assert FAMILY not in body
        assert body.count("Mrs … waits") == 2
    assert FAMILY not in full.client.get(READ).json()["system"]["declared_reason"]


def test_a_value_told_counts_and_says_who_told_it(hospital: Hospital, manager: Caller) -> None:
    as_at = timezone.now() - timedelta(minutes=10)
    status, told = manager.post(
        TELL, site="TGH", parameter="ambulance_handover", value=47, as_at=as_at.isoformat()
    )
    assert status == 201, told
    assert (told["value"], told["source"], told["by"]) == (47.0, "api", "manager")
    assert datetime.fromisoformat(told["as_at"]) == as_at
    row = parameter(manager, "ambulance_handover")
    assert (row["score"], row["source"], row["by"], row["stale"]) == (4, "api", "manager", False)
    assert row["age_minutes"] == pytest.approx(10, abs=1)
    old = timezone.now() - timedelta(minutes=70)
    manager.post(TELL, site="TGH", parameter="time_to_treatment", value=95, as_at=old.isoformat())
    assert not parameter(manager, "time_to_treatment")["stale"], "fresh for two hours"


def test_the_same_key_is_kept_once(hospital: Hospital, manager: Caller) -> None:
    said = {"site": "TGH", "parameter": "ambulance_handover", "value": 47, "key": "0815"}
    first, again = manager.post(TELL, **said), manager.post(TELL, **said)
    assert (first[0], again[0]) == (201, 200)
    assert first[1] == again[1]
    other_value = manager.client.post(TELL, said | {"value": 50}, "application/json")
    assert other_value.status_code == 409
    assert "Under this key 47 has been told already" in other_value.json()["detail"]
    other = Caller("other", Role.BED_MANAGER, *BOTH, site=hospital.site)
    assert other.post(TELL, **said)[0] == 201, "who numbers alike does not meet"
    assert manager.post(TELL, **said | {"parameter": "time_to_treatment"})[0] == 201
    assert OpelValue.objects.count() == 3


def test_what_cannot_be_told_is_refused(hospital: Hospital, manager: Caller) -> None:
    good = {"site": "TGH", "parameter": "ambulance_handover", "value": 47}
    ahead = (timezone.now() + timedelta(hours=1)).isoformat()
    for wrong, status, told in (
        ({"site": "NONE"}, 400, "There is no such site"),
        ({"parameter": "beds"}, 409, "is no parameter of the rules in force"),
        ({"value": -1}, 409, "from 0 to 10080"),
        ({"value": "soon"}, 400, "number"),
        ({"value": True}, 400, "number"),
        ({"parameter": "four_hour_performance", "value": 710}, 409, "from 0 to 100 percent"),
        ({"as_at": ahead}, 409, "has not come yet"),
        ({"as_at": "yesterday"}, 400, "format"),
        ({"colour": "red"}, 400, "no field of this name"),
    ):
        answer = manager.client.post(TELL, good | wrong, "application/json")
        assert answer.status_code == status, (wrong, answer.content)
        assert told in answer.content.decode()
        assert answer["Content-Type"].startswith("application/problem+json")
    assert not OpelValue.objects.exists()


def test_a_told_value_is_withdrawn(hospital: Hospital, manager: Caller) -> None:
    about = {"site": "TGH", "parameter": "ga_occupancy"}
    assert manager.post(WITHDRAW, **about)[0] == 409, "nothing was told"
    manager.post(TELL, **about, value=95)
    assert parameter(manager, "ga_occupancy")["source"] == "api"
    observer = Caller("observer", Role.OBSERVER, *BOTH, site=hospital.site)
    reader = Caller("reader", Role.BED_MANAGER, TokenScope.HUDDLES_READ, site=hospital.site)
    assert [one.post(WITHDRAW, **about)[0] for one in (observer, reader)] == [403, 403]
    status, told = manager.post(WITHDRAW, **about)
    assert (status, told["value"], told["withdrawn_by"]) == (200, 95, "manager")
    row = parameter(manager, "ga_occupancy")
    assert (row["value"], row["source"]) == (50, "computed")
    assert manager.post(WITHDRAW, **about)[0] == 409
    assert OpelValue.objects.count() == 1, "it is kept"


def test_who_may_tell_and_who_may_read(hospital: Hospital, manager: Caller) -> None:
    said = {"site": "TGH", "parameter": "ambulance_handover", "value": 47}
    elsewhere = build(code="OTH")
    reader = Caller("reader", Role.BED_MANAGER, TokenScope.HUDDLES_READ, site=hospital.site)
    teller = Caller("teller", Role.BED_MANAGER, TokenScope.HUDDLES_WRITE, site=hospital.site)
    observer = Caller("observer", Role.OBSERVER, *BOTH, site=hospital.site)
    nurse = Caller("nurse", Role.WARD_NURSE, *BOTH, ward=hospital.wards[0])
    stranger = Caller("stranger", Role.BED_MANAGER, *BOTH, site=elsewhere.site)
    assert [one.post(TELL, **said)[0] for one in (reader, teller, observer, nurse, stranger)] == [
        403, 201, 403, 403, 400,
    ]  # fmt: skip
    assert teller.client.get(READ).status_code == 403
    assert [one["site"] for one in observer.get(READ)] == ["TGH"]
    assert [one["site"] for one in nurse.get(READ)] == ["TGH"]
    assert [one["site"] for one in stranger.get(READ)] == ["OTH"]
    assert stranger.client.get(READ, {"site": "TGH"}).status_code == 400
    assert stranger.client.get(READ, {"colour": "red"}).status_code == 400
    Site.objects.filter(code="OTH").update(kind="community")
    assert stranger.client.get(READ, {"site": "OTH"}).status_code == 400
    assert stranger.get(READ) == []
    assert Client().get(READ).status_code == 401
    assert Client().post(TELL, said, "application/json").status_code == 401
    assert manager.client.get(TELL).status_code == 405


def test_a_level_of_invented_cut_offs_says_so_when_real_rules_hold(
    hospital: Hospital, manager: Caller
) -> None:
    now = timezone.now()
    for code, value in BUSY.items():
        tell(
            site=hospital.site, parameter=code, value=value, as_at=now, at=now, by=manager.user,
            source=OpelValue.Source.API,
        )  # fmt: skip
    assess(at=now)
    [site] = manager.get(READ, site="TGH")
    assert (site["example"], site["certain_level"], site["certain_example"]) == (True, 3, True)
    load_example("TGH=1", name="acute-2024-26")
    [site] = manager.get(READ, site="TGH")
    assert (site["example"], site["computed_level"]) == (False, None)
    assert (site["certain_level"], site["certain_example"]) == (3, True)


def test_without_a_site_the_system_is_told_too(hospital: Hospital, manager: Caller) -> None:
    body = manager.client.get(READ).json()
    system = body["system"]
    assert (system["site"], system["name"], system["level_highest"]) == (None, "The system", 3)
    [share] = system["sites"]
    assert (share["site"], share["share"], share["lowest"]) == ("TGH", 1.0, 0)
    assert manager.client.get(READ, {"site": "TGH"}).json()["system"] is None
    as_csv = manager.client.get(READ, {"format": "csv"}).content.decode().splitlines()
    assert len(as_csv) == 10
    assert "parameter_code" in as_csv[0]


def test_the_answers_have_the_shape_the_document_gives_them(
    hospital: Hospital, manager: Caller
) -> None:
    generator: Any = SchemaGenerator
    schema = generator().get_schema(request=None, public=True)
    told = schema["paths"][READ]["get"]
    assert {one["name"] for one in told["parameters"]} == {"site", "format"}
    shape = told["responses"]["200"]["content"]["application/json"]["schema"]
    agrees(schema, resolved(schema, shape), manager.client.get(READ).json(), READ)
    made = schema["paths"][TELL]["post"]["responses"]["201"]["content"]["application/json"]
    said = {"site": "TGH", "parameter": "ambulance_handover", "value": 47}
    agrees(schema, resolved(schema, made["schema"]), manager.post(TELL, **said)[1], TELL)
    back = schema["paths"][WITHDRAW]["post"]["responses"]["200"]["content"]["application/json"]
    del said["value"]
    agrees(schema, resolved(schema, back["schema"]), manager.post(WITHDRAW, **said)[1], WITHDRAW)
