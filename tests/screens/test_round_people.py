"""What a board round records of the person: how frail they are, and where they live."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import Client
from django.utils import timezone

from accounts.roles import Role
from patients.models import Patient, Review
from tests.screens.hospital import Hospital, user
from tests.screens.rounds import PAGE, Care, care_of, earlier_stay, hidden, send
from wards.barriers import Said
from wards.rounds import Found, review


@pytest.fixture
def care(hospital: Hospital) -> Care:
    return care_of(hospital)


def test_frailty_and_residence_are_recorded_and_nothing_changed_keeps_them(
    care: Care, nurse: Client
) -> None:
    [one] = care.stays()[:1]
    page = nurse.get(f"{PAGE}&patient={one.pk}").content.decode()
    assert "Can Geriatr J 2020;23:210-215" in page
    assert "6 Living with moderate frailty" in page
    answer = send(nurse, one, criteria=["oxygen"], frailty="6", residence="care_home")
    assert answer.status_code == 200
    assert send(nurse, one, "confirm").status_code == 200
    first, second = Review.objects.order_by("pk")
    assert (first.frailty, first.residence) == (6, "care_home")
    assert (second.frailty, second.residence) == (6, "care_home")
    assert send(nurse, one, criteria=["oxygen"], frailty="", residence="").status_code == 200
    last = Review.objects.latest("pk")
    assert (last.frailty, last.residence) == (None, ""), "it can be taken back"


@pytest.mark.parametrize("said", [{"frailty": "10"}, {"frailty": "0"}, {"residence": "castle"}])
def test_no_other_grade_or_residence_is_taken(
    care: Care, nurse: Client, said: dict[str, str]
) -> None:
    answer = send(nurse, care.stays()[0], criteria=["oxygen"], **said)
    assert answer.status_code == 422
    assert not Review.objects.exists()


def test_who_is_young_can_be_scored_and_the_form_says_who_the_scale_is_for(
    care: Care, nurse: Client
) -> None:
    one, two = care.stays()[:2]
    Patient.objects.filter(pk=one.patient_id).update(date_of_birth=date(1999, 5, 1))
    assert "under 65" in nurse.get(f"{PAGE}&patient={one.pk}").content.decode()
    assert "under 65" not in nurse.get(f"{PAGE}&patient={two.pk}").content.decode()
    assert send(nurse, one, criteria=["oxygen"], frailty="2").status_code == 200
    assert Review.objects.get().frailty == 2


def test_what_an_earlier_stay_said_is_a_hint_and_not_filled_in(care: Care, nurse: Client) -> None:
    one, two = care.stays()[:2]
    assert "in an earlier stay" not in nurse.get(f"{PAGE}&patient={one.pk}").content.decode()
    earlier_stay(care, one, Found(frailty=6, residence="care_home"))
    page = nurse.get(f"{PAGE}&patient={one.pk}").content.decode()
    told = timezone.localtime(Review.objects.get().occurred_at)
    assert f">6</span> in an earlier stay, {told:%-d %b}" in page
    assert "care home" in page
    assert 'data-frailty="6" data-residence="care_home"' in page
    assert '<option value="6" selected' not in page
    assert "in an earlier stay" not in nurse.get(f"{PAGE}&patient={two.pk}").content.decode()
    send(nurse, one, criteria=["oxygen"])
    made = Review.objects.latest("pk")
    assert (made.frailty, made.residence) == (None, "")
    # What this stay says itself needs no hint.
    send(nurse, one, criteria=["oxygen"], frailty="5")
    page = nurse.get(f"{PAGE}&patient={one.pk}").content.decode()
    assert 'data-frailty="" data-residence="care_home"' in page
    send(nurse, one, criteria=["oxygen"], frailty="5", residence="own_home")
    assert "in an earlier stay" not in nurse.get(f"{PAGE}&patient={one.pk}").content.decode()


def test_of_a_restricted_record_no_earlier_stay_tells(care: Care, nurse: Client) -> None:
    [one] = care.stays()[:1]
    earlier_stay(care, one, Found(frailty=6))
    Patient.objects.filter(pk=one.patient_id).update(is_restricted=True)
    page = nurse.get(f"{PAGE}&patient={one.pk}").content.decode()
    assert "Restricted record" in page
    assert "in an earlier stay" not in page


def test_a_changed_grade_is_told_in_words(care: Care, nurse: Client) -> None:
    [one] = care.stays()[:1]
    page = nurse.get(f"{PAGE}&patient={one.pk}").content.decode()
    sister = user("sister", Role.WARD_NURSE, ward=care.hospital.wards[0])
    theirs = Found(criteria=["oxygen"], frailty=7, residence="supported")
    review(episode=one, found=theirs, said=Said(timezone.now(), sister))
    mine = {"deed": "save", "episode": one.pk, "day": "red", "criteria": "oxygen",
            "seen": hidden(page, "seen"), "key": "mine"}  # fmt: skip
    answer = nurse.post(f"{PAGE}&fragment=panel", mine)
    told = answer.content.decode()
    assert answer.status_code == 409
    assert "7 Living with severe frailty" in told
    assert "Sheltered or supported housing" in told
    assert '<option value="7" selected' in told, "I had not touched it"
