"""Stays: found by what a caller knows, told with every place they were in."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.roles import Role
from accounts.tokens import TokenScope
from patients.models import Episode, Patient, PatientIdentifier, Visit
from tests.api.conftest import Caller, Value
from tests.flow.places import HOUR, START, Hospital, beds_of, make_episode, put

EPISODES = "/api/v1/episodes/"


def found(client: APIClient, **query: Value) -> list[int]:
    response = client.get(EPISODES, query)
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["results"]]


def searched(client: APIClient, **body: object) -> list[int]:
    response = client.post(f"{EPISODES}search/", body, format="json")
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["results"]]


def test_a_stay_by_its_visit_number(client: APIClient, hospital: Hospital) -> None:
    bed, wanted = beds_of(hospital.ward)[:2]
    episode = make_episode(discharged_at=START + 9 * HOUR, provider=hospital.site.organisation)
    put(hospital.emergency, start=START, end=START + 3 * HOUR, episode=episode)
    put(hospital.ward, bed, start=START + 3 * HOUR, end=START + 8 * HOUR, episode=episode)
    put(
        hospital.ward,
        wanted=wanted,
        start=START + 8 * HOUR,
        end=START + 9 * HOUR,
        episode=episode,
    )
    make_episode()
    answer = client.get(EPISODES, {"visit": episode.visit.number}).json()
    [row] = answer["results"]
    assert answer["next"] is None
    assert row["id"] == episode.pk
    assert row["status"] == "discharged"
    assert row["admitted_at"] == START.isoformat()
    assert row["discharged_at"] == (START + 9 * HOUR).isoformat()
    assert row["provider"] == hospital.site.organisation.code
    told = [
        (one["ward"], one["bay"], one["bed"], one["start"], one["end"], one["wanted_bed"])
        for one in row["occupancies"]
    ]
    times = [(START + hours * HOUR).isoformat() for hours in (0, 3, 8, 9)]
    assert told == [
        (hospital.emergency.code, None, None, times[0], times[1], None),
        (hospital.ward.code, "A", bed.label, times[1], times[2], None),
        (hospital.ward.code, None, None, times[2], times[3], wanted.label),
    ]
    assert row["patient"]["mrn"] == episode.patient.identifier
    assert client.get(f"{EPISODES}{episode.pk}/").json() == row


def test_a_stay_by_the_number_of_the_patient(client: APIClient, hospital: Hospital) -> None:
    first = make_episode()
    second = make_episode(patient=first.patient, admitted_at=START + HOUR)
    make_episode()
    both = [second.pk, first.pk]  # the latest first
    number = first.patient.identifier
    assert found(client, mrn=number) == both
    assert searched(client, mrn=number) == both
    assert found(client, mrn="nobody") == []
    PatientIdentifier.objects.create(patient=first.patient, authority="OLD", value="X77")
    assert found(client, mrn="X77") == both


def test_stays_of_merged_records_are_found_by_either_number(
    client: APIClient, hospital: Hospital
) -> None:
    old, new, elsewhere = make_episode(), make_episode(), make_episode()
    person = old.patient
    Patient.objects.filter(pk=old.patient_id).update(merged_into=new.patient, person=person)
    Patient.objects.filter(pk=new.patient_id).update(person=person)
    # The same person by NHS number, under the number of another hospital.
    Patient.objects.filter(pk=elsewhere.patient_id).update(person=person, nhs_number="9990000001")
    merged = {old.pk, new.pk}
    assert set(found(client, mrn=old.patient.identifier)) == merged
    assert set(found(client, mrn=new.patient.identifier)) == merged
    assert found(client, mrn=elsewhere.patient.identifier) == [elsewhere.pk]
    everywhere = searched(client, nhs_number="999 000 0001")
    assert set(everywhere) == merged | {elsewhere.pk}
    row = client.get(f"{EPISODES}{old.pk}/").json()
    assert row["patient"]["mrn"] == new.patient.identifier


def test_a_visit_merged_into_another_leads_to_it(client: APIClient, hospital: Hospital) -> None:
    kept, gone = make_episode(), make_episode()
    Episode.objects.filter(pk=gone.pk).delete()
    Visit.objects.filter(pk=gone.visit_id).update(merged_into=kept.visit)
    assert found(client, visit=gone.visit.number) == [kept.pk]


def test_stays_by_ward_and_status(client: APIClient, hospital: Hospital) -> None:
    here = put(hospital.ward).episode
    left = put(hospital.ward, end=START + HOUR).episode
    put(hospital.other)
    assert found(client, ward=hospital.ward.code) == [here.pk]
    assert set(found(client, ward=hospital.ward.code, at=START.isoformat())) == {here.pk, left.pk}
    assert found(client, status="discharged") == [left.pk]
    assert found(client, site=hospital.community_site.code) == []
    assert searched(client, ward=[hospital.ward.code], status=["in_hospital"]) == [here.pk]


def test_pages_follow_each_other_without_gap_or_repeat(
    client: APIClient, hospital: Hospital
) -> None:
    everything = [make_episode(admitted_at=START + (n % 3) * HOUR).pk for n in range(7)]
    everything.append(make_episode(admitted_at=None).pk)
    seen: list[int] = []
    address: str | None = f"{EPISODES}?limit=3"
    while address:
        answer = client.get(address).json()
        seen += [row["id"] for row in answer["results"]]
        address = answer["next"]
    assert sorted(seen) == sorted(everything)
    assert seen[-1] == everything[-1]
    body: dict[str, object] = {"limit": 3}
    again: list[int] = []
    while True:
        answer = client.post(f"{EPISODES}search/", body, format="json").json()
        again += [row["id"] for row in answer["results"]]
        if answer["next"] is None:
            break
        body["cursor"] = answer["next"]
    assert again == seen


def test_patients_out_of_sight_are_not_found(caller: Caller, hospital: Hospital) -> None:
    mine, other = put(hospital.ward).episode, put(hospital.other).episode
    nurse = caller(role=Role.WARD_NURSE, ward=hospital.ward)
    assert found(nurse) == [mine.pk]
    assert found(nurse, visit=other.visit.number) == []
    assert nurse.get(f"{EPISODES}{other.pk}/").status_code == 404
    observer = caller(role=Role.OBSERVER)
    assert found(observer) == []
    assert caller(scopes=[TokenScope.OCCUPANCY_READ]).get(EPISODES).status_code == 403


def test_of_a_restricted_record_only_that_is_told(client: APIClient, hospital: Hospital) -> None:
    episode = put(hospital.ward).episode
    Patient.objects.filter(pk=episode.patient_id).update(is_restricted=True)
    patient = client.get(f"{EPISODES}{episode.pk}/").json()["patient"]
    assert patient.pop("restricted") is True
    assert set(patient.values()) == {None}


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"status": "lost"}, "status"),
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"cursor": "!!!"}, "cursor"),
        ({"cursor": "WzEsMl0"}, "cursor"),
        ({"cursor": "WyJub3ciLDJd"}, "cursor"),
        ({"nhs_number": "9990000001"}, "nhs_number"),
    ],
)
def test_bad_queries_are_refused(client: APIClient, query: dict[str, str], name: str) -> None:
    response = client.get(EPISODES, query)
    assert response.status_code == 400
    assert name in response.json()["errors"]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ([], "body"),
        ({"visit": {"number": 1}}, "visit"),
        ({"visit": True}, "visit"),
        ({"family_name": "Smith"}, "family_name"),
    ],
)
def test_bad_searches_are_refused(client: APIClient, body: object, name: str) -> None:
    response = client.post(f"{EPISODES}search/", body, format="json")
    assert response.status_code == 400
    assert name in response.json()["errors"]


def test_a_body_that_is_not_json_is_refused(client: APIClient, hospital: Hospital) -> None:
    address = f"{EPISODES}search/"
    broken = client.post(address, b'{"mrn": "M1', content_type="application/json")
    assert broken.status_code == 400
    assert "M1" not in broken.content.decode()
    assert client.post(address, b"mrn=M1", content_type="text/plain").status_code == 415


def test_as_csv_each_place_has_a_line(client: APIClient, hospital: Hospital) -> None:
    episode = make_episode()
    put(hospital.emergency, end=START + HOUR, episode=episode)
    put(hospital.ward, start=START + HOUR, episode=episode)
    none_yet = make_episode(admitted_at=None, expected_at=START)
    response = client.get(EPISODES, {"format": "csv", "limit": "2"})
    lines = response.content.decode().splitlines()
    assert lines[0].startswith("id,visit,status,admitted_at")
    stays = [line.split(",")[0] for line in lines[1:]]
    assert sorted(stays) == sorted([str(episode.pk), str(episode.pk), str(none_yet.pk)])
    first = client.get(EPISODES, {"format": "csv", "limit": "1"})
    assert 'rel="next"' in first["Link"]


def test_no_more_queries_for_more_stays(client: APIClient, hospital: Hospital) -> None:
    client.get("/api/v1/sites/")
    numbers = []
    for stays in (6, 60):
        for _ in range(stays):
            episode = make_episode()
            put(hospital.emergency, end=START + HOUR, episode=episode)
            put(hospital.ward, start=START + HOUR, episode=episode)
        with CaptureQueriesContext(connection) as queries:
            client.get(EPISODES, {"limit": 1000})
        numbers.append(len(queries))
    assert numbers[0] == numbers[1] <= 3


def test_stays_are_never_kept_by_anybody(client: APIClient, hospital: Hospital) -> None:
    put(hospital.ward)
    assert client.get(EPISODES)["Cache-Control"] == "private, no-store"
