from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from flow.search import KEPT
from patients.models import Patient
from tests.screens.hospital import FAMILY, Hospital, add_beds
from wards.models import BedRequest


def searched(client: Client, words: str) -> str:
    """Search for the words; the address of what was found."""
    response = client.post("/search/", {"q": words})
    assert response.status_code == 302
    return response["Location"]


def search(client: Client, words: str) -> str:
    response = client.get(searched(client, words))
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    return str(response.content.decode())


def test_what_was_found_has_an_address_that_says_nothing(
    hospital: Hospital, nurse: Client, manager: Client
) -> None:
    address = searched(nurse, FAMILY)
    assert re.fullmatch(r"/search/[\w-]{12}/", address)
    for _ in range(2):  # coming back
        assert FAMILY.upper() in nurse.get(address).content.decode()
    strange = manager.get(address)
    assert strange.status_code == 404
    assert "Type it again" in strange.content.decode()


def test_a_search_is_kept_for_an_hour_and_ten_at_most(
    hospital: Hospital, nurse: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = [searched(nurse, f"{FAMILY}{number}") for number in range(KEPT + 2)]
    statuses = [nurse.get(address).status_code for address in addresses]
    assert statuses == [404] * 2 + [200] * KEPT
    monkeypatch.setattr("flow.search.KEPT_FOR", timedelta(0))
    assert nurse.get(addresses[-1]).status_code == 404
    searched(nurse, "Ward")
    assert len(nurse.session["searches"]) == 1


def test_nothing_typed_is_asked_again(nurse: Client) -> None:
    page = nurse.post("/search/", {"q": "  "}).content.decode()
    assert 'id="words"' in page
    assert "Nothing fits" not in page


def test_words_in_the_address_are_not_searched_for(hospital: Hospital, manager: Client) -> None:
    page = manager.get("/search/?q=Featherstonehaugh").content.decode()
    assert FAMILY.upper() not in page
    assert "Nothing fits" not in page


@pytest.mark.parametrize("words", ["Ward 1", "ward 1", "TGH-W1", "general_med"])
def test_wards_are_found_by_name_code_and_specialty(manager: Client, words: str) -> None:
    assert "/wards/TGH-W1/?site=TGH" in search(manager, words)


@pytest.mark.parametrize("words", ["Ward 1 bed 5", "bed 5 w1", "w1 5", "TGH-W1, 5", "tgh 5", "5"])
def test_beds_are_found_by_their_label_after_words_of_their_ward(
    hospital: Hospital, nurse: Client, words: str
) -> None:
    bed = hospital.beds(hospital.wards[0])[4]
    hospital.admit(bed, family="Inside")
    page = search(nurse, words)
    assert f"#bed-{bed.pk}" in page
    assert "INSIDE" in page


def test_who_is_in_a_bed_is_for_those_who_see_them(
    hospital: Hospital, nurse: Client, observer: Client
) -> None:
    bed = hospital.beds(hospital.wards[0])[4]
    hospital.admit(bed, family="Inside")
    page = search(observer, "Ward 1 5")
    assert f"#bed-{bed.pk}" in page
    assert "occupied" in page
    assert "INSIDE" not in page
    other = hospital.beds(hospital.wards[1])[4]
    assert f"#bed-{other.pk}" not in search(nurse, "5")


def test_who_is_to_come_is_found_with_the_way_to_their_request(
    hospital: Hospital, manager: Client, nurse: Client
) -> None:
    due = (hospital.now + timedelta(hours=2)).isoformat()[:16]
    said = {"family_name": "Winter", "ward": hospital.wards[1].pk, "expected_at": due}
    manager.post("/sites/TGH/desk/expect/", {**said, "priority": 3})
    request = BedRequest.objects.get(kind="expected")
    page = search(manager, "Winter")
    assert f"/requests/{request.pk}/" in page
    assert "expected on Ward 2" in page
    assert "WINTER" not in search(nurse, "Winter")


def test_patients_are_found_by_number_and_by_the_beginnings_of_names(
    hospital: Hospital, nurse: Client
) -> None:
    patient = Patient.objects.filter(family_name=FAMILY).order_by("pk").first()
    assert patient is not None
    spaced = f"{patient.nhs_number[:3]} {patient.nhs_number[3:6]} {patient.nhs_number[6:]}"
    for words in (patient.identifier, patient.nhs_number, spaced, "Feather Given", "feath, giv"):
        page = search(nurse, words)
        assert patient.display_name in page, words
        assert "Ward 1, bed 1" in page
    for words in ("stonehaugh", patient.identifier[:-1], patient.nhs_number[:-1]):
        assert FAMILY.upper() not in search(nurse, words), words


def test_a_search_finds_nobody_on_wards_of_others(
    hospital: Hospital, nurse: Client, observer: Client
) -> None:
    hospital.admit(hospital.beds(hospital.wards[1])[0], family="Otherward")
    assert "OTHERWARD" not in search(nurse, "Otherward")
    assert "TGH-W2" not in search(nurse, "Ward 2")
    assert FAMILY.upper() not in search(observer, FAMILY)


def test_a_restricted_record_is_found_by_number_and_stays_closed(
    hospital: Hospital, nurse: Client
) -> None:
    hidden = hospital.admit(
        hospital.beds(hospital.wards[0])[5], family="Secretname", restricted=True
    )
    page = search(nurse, hidden.person.value)
    assert "Restricted record" in page
    assert "SECRETNAME" not in page
    assert "Restricted record" not in search(nurse, "Secretname")


def test_nothing_found_says_how_to_search(manager: Client) -> None:
    assert "Names are found by their beginning" in search(manager, "zzz")


def test_what_is_typed_comes_back_harmless(manager: Client) -> None:
    page = search(manager, "<script>alert(1)</script>")
    assert "<script>alert" not in page


def test_a_search_asks_as_often_for_many_as_for_few(hospital: Hospital, manager: Client) -> None:
    def cost() -> int:
        address = searched(manager, FAMILY)
        with CaptureQueriesContext(connection) as asked:
            assert FAMILY.upper() in manager.get(address).content.decode()
        return len(asked)

    few = cost()
    add_beds(hospital.wards[1], 24, first=6)
    hospital.fill(hospital.wards[1], 30)
    assert cost() == few <= 12
    assert "There are more" in search(manager, FAMILY)
