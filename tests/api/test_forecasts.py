"""Forecasts, their record and predictions over REST."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.roles import Role
from accounts.tokens import TokenScope
from flow.forecasts import issued, issuing, learning, scoring, versions
from flow.models import Forecast, ForecastScore
from patients.models import Episode
from tests.api.conftest import Caller
from tests.forecasts.living import BEGIN, DAY, LITTLE, Hospital

pytestmark = pytest.mark.django_db
START = BEGIN + timedelta(days=4, hours=8)
MINUTE = timedelta(minutes=1)
FORECASTS = "/api/v1/forecasts/"
ACCURACY = "/api/v1/forecasts/accuracy/"


@pytest.fixture(autouse=True)
def _no_models_remembered() -> Iterator[None]:
    versions.forget()
    issued.forget()
    yield
    versions.forget()
    issued.forget()


def clock(patch: pytest.MonkeyPatch, now: datetime) -> None:
    patch.setattr(timezone, "now", lambda: now)


@pytest.fixture
def hospital(monkeypatch: pytest.MonkeyPatch) -> Hospital:
    """A forecast at 8:00 of its fifth day; it is 8:01."""
    made = Hospital(a_day=6)
    made.live(START)
    assert learning.learn(made.site, at=START, effort=LITTLE)
    assert issuing.issue(made.site, at=START, issued_at=START + MINUTE / 2)
    clock(monkeypatch, START + MINUTE)
    return made


def get(client: APIClient, address: str = FORECASTS, **query: Any) -> dict[str, Any]:
    answer = client.get(address, query)
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json()
    return told


def test_a_forecast_tells_hours_quantiles_and_who_spoke_when(
    hospital: Hospital, client: APIClient
) -> None:
    told = get(client, site=hospital.site.code)
    assert told["at"] == START.isoformat()
    assert told["issued_at"] == (START + MINUTE / 2).isoformat()
    assert (told["model_version"], told["model"]["kind"]) == (1, "staged")
    assert (told["complete"], told["stale"], told["patients"]) == (True, False, len(hospital.there))
    assert len(told["hours"]) == 72
    first, last = told["hours"][0], told["hours"][71]
    assert first["at"] == (START + timedelta(hours=1)).isoformat()
    for hour in (first, last):
        values = [hour["quantiles"][q] for q in sorted(hour["quantiles"])]
        assert values == sorted(values)
        assert hour["quantiles"]["0.05"] <= hour["mean"] <= hour["quantiles"]["0.95"]
        sure, likely = hour["at_least"]
        assert (sure["chance"], likely["chance"]) == (0.9, 0.7)
        assert hour["quantiles"]["0.05"] <= sure["beds"] <= likely["beds"]
        assert hour["open"] == 180
        assert 0 <= hour["none_free_chance"] <= 1
    assert first["quantiles"]["0.95"] - first["quantiles"]["0.05"] < 12
    assert told["free_now"] == 180 - len(hospital.there)
    assert any("free beds at" in text or "free bed at" in text for text in told["statements"])
    departures = [one for one in told["numbers"] if one["what"] == "departures"]
    horizons = {one["horizon"] for one in departures if one["part"] == "site"}
    assert horizons == {"24h", "48h", "72h", "18:00", "midnight"}
    codes = {ward.code for ward in hospital.wards}
    assert {one["key"] for one in departures if one["part"] == "ward"} == codes
    wards = [group for group in told["groups"] if group["kind"] == "ward"]
    assert {group["key"] for group in wards} == codes
    assert sum(group["free_now"] for group in wards) == told["free_now"]


def test_the_last_one_that_speaks_from_a_moment_is_told(
    hospital: Hospital, client: APIClient
) -> None:
    hospital.live(START + timedelta(hours=1))
    later = START + timedelta(hours=1)
    issuing.issue(hospital.site, at=later, issued_at=later + MINUTE)
    told = get(client, site=hospital.site.code, at=(START + MINUTE).isoformat())
    assert told["at"] == START.isoformat()
    # Of its own moment it speaks, though it was written down half a minute later.
    told = get(client, site=hospital.site.code, at=START.isoformat())
    assert (told["at"], told["issued_at"]) == (
        START.isoformat(), (START + MINUTE / 2).isoformat()
    )  # fmt: skip
    before = (START - MINUTE).isoformat()
    answer = client.get(FORECASTS, {"site": hospital.site.code, "at": before})
    assert answer.status_code == 404
    assert "speaks from then or before" in answer.json()["detail"]
    patient = of(hospital.there[0].name)
    assert get(client, patient, at=START.isoformat())["at"] == START.isoformat()
    assert client.get(patient, {"at": before}).status_code == 404


def test_a_site_has_to_be_named_and_known(hospital: Hospital, client: APIClient) -> None:
    for query in ({}, {"site": "NOWHERE"}, {"site": [hospital.site.code, hospital.site.code]}):
        answer = client.get(FORECASTS, query)
        assert answer.status_code == 400, query
        assert "site" in answer.json()["errors"]
    assert client.get(FORECASTS, {"site": hospital.site.code, "x": "1"}).status_code == 400
    ahead = (timezone.now() + DAY).isoformat()
    answer = client.get(FORECASTS, {"site": hospital.site.code, "at": ahead})
    assert answer.status_code == 400
    assert "still to come" in answer.json()["detail"]


def test_a_site_without_a_forecast_says_so(client: APIClient) -> None:
    made = Hospital()
    answer = client.get(FORECASTS, {"site": made.site.code})
    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("application/problem+json")


def test_whoever_sees_one_ward_learns_nothing_of_the_site(
    hospital: Hospital, caller: Caller
) -> None:
    mine = hospital.wards[2]
    program = caller(role=Role.WARD_NURSE, ward=mine)
    told = get(program, site=hospital.site.code)
    assert told["complete"] is False
    assert (told["hours"], told["statements"], told["patients"]) == ([], [], None)
    assert (told["free_now"], told["waiting"]) == (None, None)
    assert {(one["part"], one["key"]) for one in told["numbers"]} == {("ward", mine.code)}
    assert {one["key"] for one in told["groups"]} == {mine.code, "430"}
    answer = program.get(FORECASTS, {"site": hospital.site.code, "format": "csv"})
    lines = list(csv.DictReader(StringIO(answer.content.decode())))
    assert {line["key"] for line in lines} == {mine.code, "430"}


def test_whoever_sees_nothing_there_does_not_know_the_site(
    hospital: Hospital, caller: Caller
) -> None:
    program = caller(role=Role.BED_MANAGER, site=Hospital(seed=2).site)
    assert program.get(FORECASTS, {"site": hospital.site.code}).status_code == 400
    assert get(program, ACCURACY)["results"] == []
    assert APIClient().get(FORECASTS, {"site": hospital.site.code}).status_code == 401
    places = caller(scopes=[TokenScope.PLACES_READ])
    assert places.get(FORECASTS, {"site": hospital.site.code}).status_code == 403
    assert places.get(ACCURACY).status_code == 403


def test_csv_has_a_line_for_each_group_and_hour(hospital: Hospital, client: APIClient) -> None:
    answer = client.get(FORECASTS, {"site": hospital.site.code, "format": "csv"})
    lines = list(csv.DictReader(StringIO(answer.content.decode())))
    told = get(client, site=hospital.site.code)
    assert len(lines) == 72 * (1 + len(told["groups"]))
    assert lines[0]["kind"] == "site"
    assert int(lines[0]["quantiles_0.50"]) == told["hours"][0]["quantiles"]["0.50"]
    assert int(lines[0]["at_least_90"]) == told["hours"][0]["at_least"][0]["beds"]


def test_nothing_new_is_not_sent_again(hospital: Hospital, client: APIClient) -> None:
    query = {"site": hospital.site.code}
    tag = client.get(FORECASTS, query)["ETag"]
    again = client.get(FORECASTS, query, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_forecasts_are_told_with_few_queries(caller: Caller) -> None:
    counts = []
    for beds, a_day in ((6, 2.0), (60, 20.0)):
        made = Hospital(a_day=a_day, beds=beds)
        made.live(BEGIN + timedelta(days=2, hours=8))
        learning.learn(made.site, at=made.now, effort=LITTLE)
        issuing.issue(made.site, at=made.now)
        stay = Episode.objects.get(visit__number=f"V{made.there[0].name}")
        client = caller()
        mine = []
        for address, query in (
            (FORECASTS, {"site": made.site.code}),
            (ACCURACY, {"site": made.site.code}),
            (f"/api/v1/episodes/{stay.pk}/prediction/", {}),
        ):
            versions.forget()
            issued.forget()
            client.get("/api/v1/sites/")
            with CaptureQueriesContext(connection) as queries:
                assert client.get(address, query).status_code == 200
            mine.append(len(queries))
        counts.append(mine)
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 16


# --- The record -----------------------------------------------------------------------------


@pytest.fixture
def scored(hospital: Hospital, monkeypatch: pytest.MonkeyPatch) -> Hospital:
    hospital.live(START + timedelta(hours=31))
    clock(monkeypatch, START + timedelta(hours=31))
    assert scoring.score_due(now=START + timedelta(hours=31))
    return hospital


def test_the_record_tells_every_speaker_beside_the_forecast(
    scored: Hospital, client: APIClient
) -> None:
    told = get(client, ACCURACY, **{"site": scored.site.code, "from": "2026-03-01"})
    assert (told["from"], told["to"], told["what"]) == ("2026-03-01", "2026-03-07", "departures")
    assert (told["horizon"], told["by"], told["hours"]) == ("24h", None, None)
    by = {row["speaker"]: row for row in told["results"]}
    assert {"forecast", "kaplan_meier", "yesterday"} <= set(by)
    own = by["forecast"]
    score = ForecastScore.objects.get(
        speaker="forecast", what="departures", until="24h", part="site"
    )
    assert own["patients"] == score.patients == sum(t["patients"] for t in own["reliability"])
    assert own["log_score"] == pytest.approx(score.log_sum / score.patients)
    assert own["crps"] == pytest.approx(score.crps)
    assert own["within_90"] == score.within_90
    assert told["models"] == [
        {"site": scored.site.code, "version": 1, "kind": "staged", "forecasts": 1, "replayed": 0}
    ]
    assert told["drift"][0]["signs"] == []
    assert told["partly_hidden"] == []


def test_the_record_can_be_told_apart(scored: Hospital, client: APIClient) -> None:
    wards = get(client, ACCURACY, by="ward")["results"]
    assert {row["key"] for row in wards} == {ward.code for ward in scored.wards}
    assert {row["key"] for row in get(client, ACCURACY, by="specialty")["results"]} == {
        "300",
        "430",
    }
    assert {row["key"] for row in get(client, ACCURACY, by="hour")["results"]} == {"8"}
    horizons = {row["key"] for row in get(client, ACCURACY, by="horizon")["results"]}
    assert horizons == {"24h", "18:00", "midnight"}
    assert get(client, ACCURACY, hour="20")["results"] == []
    beds = get(client, ACCURACY, what="free_beds")["results"]
    assert {row["speaker"] for row in beds} >= {"forecast"}
    assert get(client, ACCURACY, horizon="midnight")["results"][0]["forecasts"] == 1
    lines = client.get(ACCURACY, {"format": "csv", "by": "ward"}).content.decode()
    assert "reliability" not in lines
    assert len(list(csv.DictReader(StringIO(lines)))) == len(wards)


def test_whoever_sees_one_ward_has_the_record_of_that_ward(
    scored: Hospital, caller: Caller
) -> None:
    program = caller(role=Role.WARD_NURSE, ward=scored.wards[1])
    told = get(program, ACCURACY)
    assert (told["results"], told["drift"]) == ([], [])
    assert told["partly_hidden"] == [scored.site.code]
    assert get(program, ACCURACY, by="specialty")["results"] == []
    rows = get(program, ACCURACY, by="ward")["results"]
    assert {row["key"] for row in rows} == {scored.wards[1].code}


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-03-05", "to": "2026-03-01"}, "from"),
        ({"from": "2001-01-01"}, "from"),
        ({"to": "0001-01-01"}, "to"),
        ({"from": "0001-01-01"}, "from"),
        ({"to": "9999-12-31"}, "to"),
        ({"hour": "9"}, "hour"),
        ({"horizon": "a week"}, "horizon"),
        ({"what": "everything"}, "what"),
        ({"by": "sex"}, "by"),
        ({"site": "NOWHERE"}, "site"),
    ],
)
def test_what_cannot_be_asked_is_named(
    hospital: Hospital, client: APIClient, query: dict[str, str], name: str
) -> None:
    answer = client.get(ACCURACY, query)
    assert answer.status_code == 400
    assert name in answer.json()["errors"]


# --- One patient ----------------------------------------------------------------------------


def of(patient: str) -> str:
    stay = Episode.objects.get(visit__number=f"V{patient}")
    return f"/api/v1/episodes/{stay.pk}/prediction/"


def test_a_prediction_tells_chances_words_plan_and_drivers(
    hospital: Hospital, client: APIClient
) -> None:
    name = hospital.there[0].name
    told = get(client, of(name))
    kept = issued.latest(hospital.site.pk, by=START + MINUTE)
    assert kept is not None
    place = kept.patients.place(told["episode"])
    assert place is not None
    assert [one["chance"] for one in told["hours"]] == pytest.approx(
        kept.patients.hours[place], abs=1e-4
    )
    assert len(told["hours"]) == 72
    assert len(told["days"]) == 14
    chances = [one["chance"] for one in told["days"]]
    assert chances == sorted(chances)
    assert told["model_version"] == 1
    assert told["issued_at"] == (START + MINUTE / 2).isoformat()
    assert told["words"]
    assert told["expected_discharge_at"] is None
    assert all({"fact", "words", "change"} == set(one) for one in told["drivers"])
    assert "no decision about this patient" in told["purpose"]
    lines = client.get(of(name), {"format": "csv"}).content.decode()
    assert len(lines.splitlines()) == 73


def test_a_prediction_is_for_those_who_may_see_the_patient(
    hospital: Hospital, caller: Caller
) -> None:
    patient = next(one for one in hospital.there if one.ward == 1)
    assert (
        caller(role=Role.WARD_NURSE, ward=hospital.wards[1]).get(of(patient.name)).status_code
        == 200
    )
    assert (
        caller(role=Role.WARD_NURSE, ward=hospital.wards[2]).get(of(patient.name)).status_code
        == 404
    )
    assert caller(role=Role.OBSERVER).get(of(patient.name)).status_code == 404
    counts = caller(scopes=[TokenScope.OCCUPANCY_READ])
    assert counts.get(of(patient.name)).status_code == 403
    assert APIClient().get(of(patient.name)).status_code == 401


def test_a_prediction_of_the_past_is_that_of_the_past(
    hospital: Hospital, client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = hospital.there[0].name
    before = get(client, of(name))
    later = START + timedelta(hours=2)
    hospital.live(later)
    issuing.issue(hospital.site, at=later, issued_at=later)
    clock(monkeypatch, later + MINUTE)
    assert get(client, of(name), at=(START + MINUTE).isoformat()) == before
    assert get(client, of(name))["at"] == later.isoformat()


def test_a_patient_in_no_forecast_is_told_so(hospital: Hospital, client: APIClient) -> None:
    hospital.live(START + timedelta(hours=3))
    late = Episode.objects.filter(admitted_at__gt=START).first()
    assert late is not None
    answer = client.get(f"/api/v1/episodes/{late.pk}/prediction/")
    assert answer.status_code == 404
    assert "forecast" in answer.json()["detail"]
    assert Forecast.objects.count() == 1
