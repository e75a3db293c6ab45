"""Whose names are hidden, and what it costs to know them."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from huddles import names
from huddles.masking import masked
from huddles.names import LATELY, words_to_hide
from patients.models import Episode, Patient
from tests.screens.hospital import Hospital, build
from wards.facts import MovementKind

pytestmark = pytest.mark.django_db


@pytest.fixture
def hospital(db: None) -> Hospital:
    return build()


def hides(*said: str) -> list[bool]:
    words = words_to_hide(timezone.now())
    return [masked(text, words) != text for text in said]


def test_whoever_left_or_was_called_off_is_hidden_for_forty_days(hospital: Hospital) -> None:
    for days, family in ((39, "Lately"), (41, "Longgone")):
        stay = hospital.admit(hospital.emergency, ago=timedelta(days=days, hours=1), family=family)
        hospital.tell(stay, MovementKind.DISCHARGED, ago=timedelta(days=days))
    called = hospital.admit(hospital.emergency, family="Calledoff")
    hospital.tell(called, MovementKind.CANCELLED_ADMIT)
    assert Episode.objects.filter(status=Episode.Status.CANCELLED).exists()
    hospital.admit(hospital.emergency, family="Present")
    people = ("Lately", "Longgone", "Calledoff", "Present")
    assert hides(*people) == [True, False, True, True]
    later = timezone.now() + LATELY + timedelta(hours=1)
    words = words_to_hide(later)
    assert [masked(name, words) != name for name in people] == [False, False, False, True]


def test_other_records_of_the_same_person_are_hidden_too(hospital: Hospital) -> None:
    hospital.admit(hospital.emergency, family="Newname")
    now = Patient.objects.get(family_name="Newname")
    before = Patient.objects.create(
        authority="RXX", identifier="OLD", family_name="Maidenname", person=now
    )
    assert hides("Maidenname", "Newname") == [True, True]
    Patient.objects.filter(pk=before.pk).update(family_name="Thirdname")
    assert hides("Thirdname") == [True], "and it is known at once when that changes"


def test_who_comes_is_hidden_at_once_with_two_questions_however_many_are_there(
    hospital: Hospital,
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as found:
            words_to_hide(timezone.now())
        return len(found)

    hospital.admit(hospital.emergency, family="Firstcome")
    assert asked() == 2
    assert asked() == 2
    assert hides("Firstcome", "Secondcome") == [True, False]
    with hospital.together():
        for number in range(30):
            hospital.admit(hospital.emergency, family=f"Secondcome{'abcdefghij'[number % 10]}")
        hospital.admit(hospital.emergency, family="Secondcome")
    assert asked() == 2
    assert hides("Firstcome", "Secondcome", "Secondcomej") == [True, True, True]


def test_names_of_wards_can_be_read_where_somebody_is_called_by_a_part_of_them(
    hospital: Hospital,
) -> None:
    hospital.admit(hospital.emergency, family="Hazel")
    ward = hospital.wards[0]
    ward.name = "Hazel Ward"
    ward.save(update_fields=["name"])
    said = "Hazel to Hazel Ward"
    assert masked(said, words_to_hide(timezone.now())) == "… to Hazel Ward"


def test_it_costs_little_with_thirty_thousand_people(hospital: Hospital) -> None:
    hospital.admit(hospital.emergency, family="Template")
    letters = "translate(lpad(n::text, 6, '0'), '0123456789', 'abcdefghij')"
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "INSERT INTO patients_patient (id, person_id, authority, identifier, nhs_number,"
            " family_name, given_name, title, sex, postcode, gp_practice, is_deleted,"
            " is_restricted, stamps)"
            f" SELECT 900000 + n, 900000 + n, 'BIG', 'BIG' || n, '', 'Fam' || {letters},"
            f" 'Giv' || {letters}, '', 'unknown', '', '', false, false, '{{}}'"
            " FROM generate_series(1, 30000) AS n"
        )
        cursor.execute(
            "INSERT INTO patients_episode (id, visit_id, ordinal, patient_id, status, admitted_at,"
            " patient_class, specialty, admission_method, consultant, discharge_destination,"
            " flags)"
            " SELECT 900000 + n, 900000 + n, 0, 900000 + n, 'in_hospital', now(), '', '', '', '',"
            " '', '{}' FROM generate_series(1, 30000) AS n"
        )
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute("ANALYZE patients_patient, patients_episode")
    names.forget()
    started = time.perf_counter()
    assert len(words_to_hide(timezone.now())) > 90_000
    first = time.perf_counter() - started
    spent = []
    for _ in range(5):
        started = time.perf_counter()
        masked("Famaaabbb to see bed 12 by 11 " * 10, words_to_hide(timezone.now()))
        spent.append(time.perf_counter() - started)
    assert first < 15, "once in ten minutes"
    assert min(spent) < 0.1, "at every drawing"
