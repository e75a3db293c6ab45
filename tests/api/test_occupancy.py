"""What `/api/v1/occupancy/` and the lists of beds answer."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from rest_framework.test import APIClient

from accounts.roles import Role
from accounts.tokens import TokenScope
from flow import beginning, census
from flow.api import sharing
from flow.api.finding import forget_codes
from flow.counts import count
from flow.moment import Moment
from live import shared
from live.connection import client as redis_client
from live.doorbell import ring
from tests.api.conftest import Caller, Value
from tests.flow.places import (
    HOUR,
    START,
    Hospital,
    ask,
    beds_of,
    make_episode,
    make_site,
    make_ward,
    put,
    records_begin,
    span,
)
from wards.models import Bed, BedStatus, Closure, Ward

OCCUPANCY = "/api/v1/occupancy/"
PROMISED = {
    "ward",
    "site",
    "organisation",
    "kind",
    "beds_open",
    "beds_occupied",
    "beds_available",
    "beds_closed",
    "patients",
    "as_at",
    "stale",
}


def rows(client: APIClient, **query: Value) -> dict[str, dict[str, object]]:
    shared.forget()
    sharing.forget()
    response = client.get(OCCUPANCY, query)
    assert response.status_code == 200, response.content
    return {row["ward"]: row for row in response.json()["results"]}


def test_a_row_has_what_outside_readers_rely_on(client: APIClient, hospital: Hospital) -> None:
    put(hospital.ward, beds_of(hospital.ward)[0])
    put(hospital.ward)
    Closure.objects.create(
        ward=hospital.ward,
        bed=beds_of(hospital.ward)[1],
        reason="estates",
        period=(START, None),
    )
    row = rows(client)[hospital.ward.code]
    assert set(row) >= PROMISED
    expected = {
        "ward": hospital.ward.code,
        "site": hospital.site.code,
        "organisation": hospital.site.organisation.code,
        "kind": "inpatient",
        "beds_open": 5,
        "beds_occupied": 1,
        "beds_available": 4,
        "beds_closed": 1,
        "patients": 2,
        "stale": False,
    }
    assert {name: row[name] for name in expected} == expected
    as_at = parse_datetime(str(row["as_at"]))
    assert as_at is not None
    assert abs(timezone.now() - as_at) < timedelta(minutes=1)
    assert str(row["as_at"]).endswith("+00:00")


def test_rows_agree_with_the_census(client: APIClient, hospital: Hospital) -> None:
    waiting = put(hospital.emergency).episode
    ask(waiting, origin=hospital.emergency, target=hospital.ward)
    put(hospital.ward, beds_of(hospital.ward)[0])
    census.confirm_all()
    found = rows(client)
    for counted in count(Moment(timezone.now())):
        row = found[Ward.objects.get(pk=counted.ward).code]
        for name in ("beds_open", "beds_occupied", "patients", "waiting", "waiting_out"):
            assert row[name] == getattr(counted.figures, name)


def test_filters_choose_wards(client: APIClient, hospital: Hospital) -> None:
    assert set(rows(client, site=hospital.community_site.code)) == {hospital.community.code}
    assert set(rows(client, ward=hospital.ward.code)) == {hospital.ward.code}
    assert set(rows(client, kind="emergency")) == {hospital.emergency.code}
    both = rows(client, kind=["emergency", "community"])
    assert set(both) == {hospital.emergency.code, hospital.community.code}
    assert rows(client, ward=hospital.ward.code, kind="emergency") == {}


def test_a_past_moment_is_counted_as_it_was(client: APIClient, hospital: Hospital) -> None:
    put(hospital.ward, start=START, end=START + 2 * HOUR)
    code = hospital.ward.code
    assert rows(client)[code]["patients"] == 0
    past = START + HOUR
    for text in (
        past.isoformat(),
        past.isoformat().replace("+", " "),
        past.strftime("%Y-%m-%dT%H:%M:%SZ"),
        past.strftime("%Y-%m-%dT%H:%M"),  # in winter local time is UTC
    ):
        row = rows(client, at=text)[code]
        assert row["patients"] == 1
        assert row["as_at"] == past.isoformat()
    now = timezone.now().isoformat()
    assert rows(client, at=past.isoformat(), known_at=now)[code]["patients"] == 1


MOMENTS = (OCCUPANCY, "/api/v1/occupancy/totals/", "/api/v1/beds/", "/api/v1/episodes/")


@pytest.mark.parametrize("address", MOMENTS)
def test_a_moment_before_the_records_begin_is_refused_and_not_told_to_be_empty(
    client: APIClient, hospital: Hospital, address: str
) -> None:
    begin = START - 10 * HOUR
    for moment in (datetime(1990, 1, 1, tzinfo=UTC), begin - timedelta(seconds=1)):
        response = client.get(address, {"at": moment.isoformat()})
        assert response.status_code == 400
        assert f"the records begin at {begin.isoformat()}" in response.json()["detail"]
    assert client.get(address, {"at": begin.isoformat()}).status_code == 200


def test_stray_messages_of_unknown_places_begin_no_records(
    client: APIClient, hospital: Hospital
) -> None:
    stray = make_ward(hospital.site, kind="unrecognised")
    records_begin(stray, at=START - 1000 * HOUR)
    assert client.get(OCCUPANCY, {"at": (START - 500 * HOUR).isoformat()}).status_code == 400
    Ward.objects.filter(pk=stray.pk).update(same_as=hospital.ward)
    beginning.forget()
    assert client.get(OCCUPANCY, {"at": (START - 500 * HOUR).isoformat()}).status_code == 200


def test_without_any_record_there_is_no_past(client: APIClient) -> None:
    response = client.get(OCCUPANCY, {"at": START.isoformat()})
    assert response.status_code == 400
    assert "Nothing has been recorded yet" in response.json()["detail"]
    # The first record counts at once.
    records_begin(Hospital().ward)
    time.sleep(1.01)
    assert client.get(OCCUPANCY, {"at": START.isoformat()}).status_code == 200


def test_before_anything_was_recorded_nothing_was_known(
    client: APIClient, hospital: Hospital
) -> None:
    make_episode()
    past = START.isoformat()
    response = client.get(OCCUPANCY, {"at": past, "known_at": past})
    assert response.status_code == 400
    assert "first record was made at" in response.json()["errors"]["known_at"][0]


def test_answers_about_the_past_say_how_far_the_records_reach(
    client: APIClient, hospital: Hospital
) -> None:
    begin = START - 10 * HOUR
    past = {"at": START.isoformat()}
    addresses = (*MOMENTS[:3], f"/api/v1/wards/{hospital.ward.code}/beds/")
    for address in addresses:
        assert client.get(address).json()["records"] is None
        told = client.get(address, past).json()["records"]
        assert told["begin"] == begin.isoformat()
        assert told["complete_from"] == (begin + 25 * HOUR).isoformat()
        assert told["cleaning_from"] is None
    for number, (status, at) in enumerate((("K", START), ("C", START - 5 * HOUR))):
        BedStatus.objects.create(
            bed=beds_of(hospital.ward)[0],
            status=status,
            occurred_at=at,
            sent_at=at,
            source="test",
            key=f"k{number}",
        )
    beginning.forget()
    sharing.forget()
    ring(["system"])
    told = client.get(OCCUPANCY, past).json()["records"]
    assert told["cleaning_from"] == START.isoformat()


def test_asking_for_a_past_moment_looks_for_the_beginning_once(
    client: APIClient, hospital: Hospital
) -> None:
    client.get("/api/v1/sites/")
    asked = []
    for minutes in range(3):
        with CaptureQueriesContext(connection) as queries:
            client.get(OCCUPANCY, {"at": (START + timedelta(minutes=minutes)).isoformat()})
        asked.append(sum("wards_bedstatus" in q["sql"] and "first" in q["sql"] for q in queries))
    assert asked == [1, 0, 0]


@pytest.mark.parametrize(
    ("query", "name", "words"),
    [
        ({"at": "yesterday"}, "at", "offset"),
        ({"at": "2026-13-01T00:00Z"}, "at", "offset"),
        ({"at": "2999-01-01T00:00Z"}, "at", "still to come"),
        ({"at": "1066-10-14T00:00Z"}, "at", "later moment"),
        ({"at": ["2026-01-01T00:00Z", "2026-01-02T00:00Z"]}, "at", "once"),
        ({"kind": "mortuary"}, "kind", "inpatient"),
        ({"colour": "blue"}, "colour", "known are at, format, kind, known_at, site, ward"),
        ({"site": "a\x00b"}, "site", "null"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_a_way_out(
    client: APIClient, hospital: Hospital, query: dict[str, str], name: str, words: str
) -> None:
    response = client.get(OCCUPANCY, query)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert words in problem["errors"][name][0]
    assert words in problem["detail"]
    assert (problem["status"], problem["title"]) == (400, "Bad Request")


def test_a_withdrawn_ward_says_so(client: APIClient, hospital: Hospital) -> None:
    code = hospital.ward.code
    assert rows(client)[code]["in_use"]
    Bed.objects.filter(ward=hospital.ward).update(in_use=span(START - 90 * HOUR, START - HOUR))
    past = START.isoformat()
    assert not rows(client, at=past)[code]["in_use"]
    assert rows(client, at=(START - 2 * HOUR).isoformat())[code]["in_use"]
    assert rows(client, at=past)[hospital.other.code]["in_use"]


def test_only_wards_in_sight_are_told_of(caller: Caller, hospital: Hospital) -> None:
    nurse = caller(role=Role.WARD_NURSE, ward=hospital.ward)
    assert set(rows(nurse)) == {hospital.ward.code}
    at_site = caller(role=Role.OBSERVER, site=hospital.site)
    assert hospital.community.code not in rows(at_site)


def test_an_unchanged_answer_is_not_sent_again(client: APIClient, hospital: Hospital) -> None:
    census.confirm_all()
    first = client.get(OCCUPANCY)
    assert first["ETag"].startswith('"')
    assert first["Cache-Control"] == "private, no-cache"
    assert {"Accept", "Authorization", "Cookie"} <= {v.strip() for v in first["Vary"].split(",")}
    again = client.get(OCCUPANCY, HTTP_IF_NONE_MATCH=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]
    weak = client.get(OCCUPANCY, HTTP_IF_NONE_MATCH=f'"x", W/{first["ETag"]}')
    assert weak.status_code == 304
    put(hospital.ward)
    ring(["system"])
    census.confirm_all()
    changed = client.get(OCCUPANCY, HTTP_IF_NONE_MATCH=first["ETag"])
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_nothing_but_the_clock_changes_an_answer_between_confirmations(
    client: APIClient, hospital: Hospital
) -> None:
    census.confirm_all()
    for address in (OCCUPANCY, "/api/v1/beds/", f"/api/v1/wards/{hospital.ward.code}/beds/"):
        first = client.get(address)
        shared.forget()
        sharing.forget()
        again = client.get(address)
        assert again.content == first.content
        assert again["ETag"] == first["ETag"]


def test_callers_who_see_different_wards_share_no_answer(
    caller: Caller, hospital: Hospital
) -> None:
    one = caller(role=Role.OBSERVER, ward=hospital.ward)
    other = caller(role=Role.OBSERVER, ward=hospital.other)
    assert [r["ward"] for r in one.get(OCCUPANCY).json()["results"]] == [hospital.ward.code]
    assert [r["ward"] for r in other.get(OCCUPANCY).json()["results"]] == [hospital.other.code]


def test_a_hot_read_asks_the_database_nothing(client: APIClient, hospital: Hospital) -> None:
    addresses = (OCCUPANCY, f"/api/v1/wards/{hospital.ward.code}/beds/")
    for address in addresses:
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            response = client.get(address, HTTP_IF_NONE_MATCH=client.get(address)["ETag"])
        assert response.status_code == 304
        assert len(queries) == 0


def test_occupancy_as_csv(client: APIClient, hospital: Hospital) -> None:
    Ward.objects.filter(pk=hospital.ward.pk).update(name='=HYPERLINK("x")')
    for response in (
        client.get(OCCUPANCY, {"format": "csv"}),
        client.get(OCCUPANCY, HTTP_ACCEPT="text/csv"),
    ):
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        lines = response.content.decode().split("\r\n")
        assert lines[0].startswith("ward,ward_name,site,organisation,kind")
        assert len(lines) == 1 + Ward.objects.count() + 1
        assert "'=HYPERLINK" in response.content.decode()


TOTALS = "/api/v1/occupancy/totals/"


def test_totals_are_of_the_system_and_of_each_site(client: APIClient, hospital: Hospital) -> None:
    put(hospital.ward, beds_of(hospital.ward)[0])
    put(hospital.emergency)
    put(make_ward(hospital.site, kind="unrecognised"))
    site, other = hospital.site.code, hospital.community_site.code
    answer = client.get(TOTALS).json()["results"]
    told = {(row["site"], row["group"]): row for row in answer}
    assert list(told) == [
        *((None, group) for group in ("inpatient", "emergency", "all", "unrecognised")),
        *((site, group) for group in ("inpatient", "emergency", "all", "unrecognised")),
        *((other, group) for group in ("inpatient", "all")),
    ]
    groups = ("inpatient", "emergency", "all", "unrecognised")
    assert [told[site, group]["beds_open"] for group in groups] == [12, 4, 16, 0]
    assert [told[None, group]["beds_open"] for group in groups] == [16, 4, 20, 0]
    assert [told[None, group]["patients"] for group in groups] == [1, 1, 2, 1]
    assert [told[None, group]["wards"] for group in groups] == [3, 1, 4, 1]
    one = client.get(TOTALS, {"site": other}).json()["results"]
    assert [(row["site"], row["group"]) for row in one] == [(other, "inpatient"), (other, "all")]
    lines = client.get(TOTALS, {"format": "csv"}).content.decode().splitlines()
    assert lines[0].startswith("site,group,wards,beds_open")
    assert len(lines) == 1 + len(told)


def test_totals_hold_only_what_the_caller_sees(caller: Caller, hospital: Hospital) -> None:
    nurse = caller(role=Role.WARD_NURSE, ward=hospital.ward)
    for row in nurse.get(TOTALS).json()["results"]:
        assert (row["wards"], row["beds_open"]) == (1, 6)
        assert row["group"] in ("inpatient", "all")


def beds(client: APIClient, ward: Ward, **query: Value) -> dict[str, dict[str, object]]:
    response = client.get(f"/api/v1/wards/{ward.code}/beds/", query)
    assert response.status_code == 200, response.content
    return {row["bed"]: row for row in response.json()["results"]}


def test_the_beds_of_a_ward_with_their_patients(client: APIClient, hospital: Hospital) -> None:
    taken, free = beds_of(hospital.ward)[:2]
    episode = put(hospital.ward, taken).episode
    put(hospital.ward, wanted=taken)
    found = beds(client, hospital.ward)
    assert list(found) == ["1", "2", "3", "4", "5", "6"]
    row = found[taken.label]
    assert row["state"] == "occupied"
    assert row["since"] == START.isoformat()
    assert row["clash"] is True
    assert (row["ward"], row["site"], row["bay"]) == (
        hospital.ward.code,
        hospital.site.code,
        "A",
    )
    patient = row["patient"]
    assert isinstance(patient, dict)
    assert patient["episode"] == episode.pk
    assert patient["visit"] == episode.visit.number
    assert patient["mrn"] == episode.patient.identifier
    assert patient["name"].startswith("FAMILY")
    assert found[free.label]["patient"] is None
    answer = client.get(f"/api/v1/wards/{hospital.ward.code}/beds/").json()
    assert answer["ward"] == hospital.ward.code
    assert [one["wanted_bed"] for one in answer["bedless"]] == [taken.label]


def test_patients_need_a_role_and_a_scope(caller: Caller, hospital: Hospital) -> None:
    bed = beds_of(hospital.ward)[0]
    put(hospital.ward, bed)
    put(hospital.ward)
    blind = [
        caller(role=Role.OBSERVER, everywhere=True),
        caller(scopes=[TokenScope.OCCUPANCY_READ]),
    ]
    seeing = caller()
    for client, named in ((seeing, True), (blind[0], False), (blind[1], False), (seeing, True)):
        for address in (f"/api/v1/wards/{hospital.ward.code}/beds/", "/api/v1/beds/"):
            answer = client.get(address).json()
            row = next(r for r in answer["results"] if r["id"] == bed.pk)
            assert row["state"] == "occupied"
            assert (row["patient"] is not None) is named
            assert (answer["bedless"][0]["patient"] is not None) is named
        one = client.get(f"/api/v1/beds/{bed.pk}/").json()
        assert (one["patient"] is not None) is named


def test_names_are_never_kept_in_redis(client: APIClient, hospital: Hospital) -> None:
    episode = put(hospital.ward, beds_of(hospital.ward)[0]).episode
    for address in (f"/api/v1/wards/{hospital.ward.code}/beds/", "/api/v1/beds/", OCCUPANCY):
        client.get(address)
    redis = redis_client()
    kept = b""
    for key in redis.scan_iter("flowboard:board:*"):
        value = redis.get(key)
        assert isinstance(value, bytes)
        kept += value
    assert kept
    assert episode.patient.family_name.encode() not in kept.replace(b"FAMILY", b"Family")
    assert episode.patient.nhs_number.encode() not in kept


def test_beds_of_every_ward_in_their_order(client: APIClient, hospital: Hospital) -> None:
    answer = client.get("/api/v1/beds/").json()
    assert len(answer["results"]) == Bed.objects.count()
    wards = list(dict.fromkeys(row["ward"] for row in answer["results"]))
    assert wards[:3] == [hospital.emergency.code, hospital.ward.code, hospital.other.code]
    some = client.get("/api/v1/beds/", {"site": hospital.community_site.code}).json()
    assert {row["ward"] for row in some["results"]} == {hospital.community.code}


def test_a_past_bed(client: APIClient, hospital: Hospital) -> None:
    bed = beds_of(hospital.ward)[0]
    put(hospital.ward, bed, end=START + HOUR)
    past = {"at": START.isoformat()}
    assert beds(client, hospital.ward, **past)["1"]["state"] == "occupied"
    assert client.get(f"/api/v1/beds/{bed.pk}/", past).json()["state"] == "occupied"
    assert client.get(f"/api/v1/beds/{bed.pk}/").json()["state"] == "available"


def test_a_code_that_two_sites_use_asks_for_the_site(
    client: APIClient, caller: Caller, hospital: Hospital
) -> None:
    twin = make_ward(make_site(), hospital.ward.code, beds=2)
    address = f"/api/v1/wards/{twin.code}/beds/"
    response = client.get(address)
    assert response.status_code == 409
    assert response["Content-Type"] == "application/problem+json"
    assert f"?site={twin.site.code}" in response.json()["detail"]
    assert len(client.get(address, {"site": twin.site.code}).json()["results"]) == 2
    assert client.get(address, {"site": "elsewhere"}).status_code == 404
    # One that only a feed speaks of does not get into the way of the one that people know.
    Ward.objects.filter(pk=twin.pk).update(kind=Ward.Kind.UNRECOGNISED)
    forget_codes()
    assert len(client.get(address).json()["results"]) == 6
    # Who sees but one of them need not choose.
    assert len(caller(ward=twin).get(address).json()["results"]) == 2


@pytest.mark.parametrize("code", ["W 12/3", "Älterenstation", "a+b&c", "100%"])
def test_codes_may_hold_anything(client: APIClient, hospital: Hospital, code: str) -> None:
    ward = make_ward(hospital.site, code, beds=1)
    from_list = client.get(OCCUPANCY, {"ward": code}).json()["results"]
    assert [row["ward"] for row in from_list] == [code]
    for address in ("/api/v1/wards/{}/", "/api/v1/wards/{}/beds/"):
        response = client.get(address.format(quoted(code)))
        assert response.status_code == 200
    assert response.json()["ward"] == ward.code


def quoted(code: str) -> str:
    return "".join(f"%{byte:02X}" for byte in code.encode())


def test_a_ward_out_of_sight_is_not_there(caller: Caller, hospital: Hospital) -> None:
    nurse = caller(role=Role.WARD_NURSE, ward=hospital.ward)
    bed = beds_of(hospital.other)[0]
    for address in (
        f"/api/v1/wards/{hospital.other.code}/",
        f"/api/v1/wards/{hospital.other.code}/beds/",
        f"/api/v1/beds/{bed.pk}/",
        "/api/v1/wards/nowhere/beds/",
    ):
        response = nurse.get(address)
        assert response.status_code == 404
        assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("hot", [False, True])
def test_no_more_queries_for_more_beds(client: APIClient, hospital: Hospital, hot: bool) -> None:
    numbers = []
    client.get("/api/v1/sites/")  # from here on the token is known
    for number in (6, 60):
        ward = make_ward(make_site(), beds=number)
        for bed in beds_of(ward):
            put(ward, bed)
        counted = []
        for address in (
            f"{OCCUPANCY}?ward={ward.code}",
            f"{TOTALS}?site={ward.site.code}",
            f"/api/v1/wards/{ward.code}/beds/",
            f"/api/v1/beds/?ward={ward.code}",
        ):
            if hot:
                client.get(address)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(address).status_code == 200
            counted.append(len(queries))
        numbers.append(counted)
    assert numbers[0] == numbers[1]
    assert max(numbers[0]) <= (0 if hot else 7)
