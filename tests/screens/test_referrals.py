"""Places after hospital: asked on the ward, answered by the place, and the patient moved there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Organisation
from accounts.roles import Role
from patients.models import Code, Episode
from tests.screens.hospital import FAMILY, Hospital, add_beds, signed_in, user
from tests.screens.rounds import Care, care_of
from wards.barriers import Said
from wards.models import Bed, Referral, Site, Ward
from wards.referrals import refer
from wards.rounds import Found, review

LIST = "/referrals/"


@pytest.fixture
def care(hospital: Hospital) -> Care:
    return care_of(hospital)


@pytest.fixture
def elm(care: Care) -> Ward:
    """A community ward of another provider, with three beds."""
    provider = Organisation.objects.create(code="RYY", name="Community trust", kind="trust")
    site = Site.objects.create(code="COM", name="Cottage", kind="community", organisation=provider)
    ward = Ward.objects.create(site=site, code="C1", name="Elm ward", kind="community")
    for label in "123":
        Bed.objects.create(ward=ward, label=label)
    return ward


@pytest.fixture
def cottage(elm: Ward) -> Client:
    """Answers for the community provider, and sees no ward of the hospital."""
    return signed_in(user("cottage", Role.PARTNER, organisation=elm.site.organisation))


def ask(client: Client, episode: Episode, place: str, **said: str) -> int:
    return client.post(f"/referrals/ask/{episode.pk}/", {"place": place, **said}).status_code


def text(client: Client, address: str = LIST) -> str:
    response = client.get(address)
    assert response.status_code == 200, response.content[:300]
    return response.content.decode()


def test_a_place_is_asked_accepts_and_takes_the_patient(
    care: Care, elm: Ward, nurse: Client, cottage: Client
) -> None:
    stay = care.stays()[0]
    review(
        episode=stay,
        found=Found(criteria=[], pathway=2),
        said=Said(timezone.now() - timedelta(hours=2), user("doctor", None)),
    )
    form = text(nurse, f"/referrals/ask/{stay.pk}/")
    assert "Elm ward, Cottage (3 free)" in form
    assert ask(nurse, stay, f"w{elm.pk}", needs="Two to transfer") == 302
    one = Referral.objects.get()
    assert one.pathway == 2
    page = text(cottage)
    assert "Waiting for your answer" in page
    assert FAMILY.upper() in page
    assert "Two to transfer" in page
    start = timezone.localtime() + timedelta(hours=4)
    said = {"deed": "accept", "starts_at": f"{start:%Y-%m-%dT%H:%M}"}
    assert cottage.post(f"/referrals/{one.pk}/", said).status_code == 302
    assert "Accepted, not there yet" in text(nurse)
    bed = elm.beds.get(label="2")
    assert (
        cottage.post(f"/referrals/{one.pk}/", {"deed": "place", "bed": bed.pk}).status_code == 302
    )
    there = Episode.objects.get(status="in_hospital", provider__code="RYY")
    assert there.occupancies.get().bed == bed
    assert "There" in text(nurse, LIST + "?show=over")


def test_a_place_declines_with_its_reason(
    care: Care, elm: Ward, nurse: Client, cottage: Client
) -> None:
    ask(nurse, care.stays()[0], f"w{elm.pk}")
    one = Referral.objects.get()
    empty = cottage.post(f"/referrals/{one.pk}/", {"deed": "decline", "note": "Full house"})
    assert empty.status_code == 422
    assert "Choose why they cannot be taken." in empty.content.decode()
    assert "Full house" in empty.content.decode()
    why = Code.objects.get(code_set__kind="decline", slug="no-place")
    cottage.post(f"/referrals/{one.pk}/", {"deed": "decline", "reason": why.pk})
    assert "No place free in time" in text(nurse, LIST + "?show=declined")
    assert "No place free in time" in text(nurse, f"/referrals/ask/{one.episode_id}/")


def test_who_was_not_asked_sees_nothing(
    care: Care, elm: Ward, nurse: Client, hospital: Hospital
) -> None:
    ask(nurse, care.stays()[0], f"w{elm.pk}")
    one = Referral.objects.get()
    council = signed_in(care.social_worker())
    assert FAMILY.upper() not in text(council)
    assert council.get(f"/referrals/{one.pk}/").status_code == 404
    other = signed_in(user("other", Role.WARD_NURSE, ward=hospital.wards[1]))
    assert FAMILY.upper() not in text(other)
    assert other.get(f"/referrals/{one.pk}/").status_code == 404
    assert other.get(f"/referrals/ask/{one.episode_id}/").status_code == 404
    reader = signed_in(user("reader", Role.READER, ward=hospital.wards[0]))
    assert reader.get(LIST).status_code == 403
    assert reader.get(f"/referrals/ask/{one.episode_id}/").status_code == 403


def test_each_side_does_only_its_own_part(
    care: Care, elm: Ward, nurse: Client, cottage: Client
) -> None:
    ask(nurse, care.stays()[0], f"w{elm.pk}")
    address = f"/referrals/{Referral.objects.get().pk}/"
    assert "deed-accept" not in text(nurse, address)
    assert "deed-withdraw" not in text(cottage, address)
    start = f"{timezone.localtime():%Y-%m-%dT%H:%M}"
    assert nurse.post(address, {"deed": "accept", "starts_at": start}).status_code == 422
    assert cottage.post(address, {"deed": "withdraw", "note": "No"}).status_code == 422
    assert cottage.post(address, {"deed": "place"}).status_code == 422
    assert Referral.objects.get().status == "asked"
    assert nurse.post(address, {"deed": "withdraw", "note": "Going home"}).status_code == 302


def test_a_refused_form_keeps_what_was_typed(care: Care, elm: Ward, nurse: Client) -> None:
    stay = care.stays()[0]
    answer = nurse.post(f"/referrals/ask/{stay.pk}/", {"place": "", "needs": "Oxygen at night"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Choose the place that is asked." in page
    assert "Oxygen at night" in page
    ask(nurse, stay, f"w{elm.pk}")
    again = nurse.post(f"/referrals/ask/{stay.pk}/", {"place": f"w{elm.pk}", "needs": "Again"})
    assert again.status_code == 422
    assert "asked for this patient already" in again.content.decode()


def test_the_places_say_what_is_promised(care: Care, elm: Ward, nurse: Client) -> None:
    for stay in care.stays()[:2]:
        ask(nurse, stay, f"w{elm.pk}")
    page = text(nurse)
    row = page.split("Elm ward")[-1].split("</tr>")[0]
    numbers = [cell.split("<")[0] for cell in row.replace("<strong>", "").split('class="num')[1:]]
    assert [n.split(">")[1] for n in numbers[:6]] == ["3", "0", "3", "0", "3", "2"]


def test_the_page_takes_as_many_queries_for_many(
    care: Care, elm: Ward, nurse: Client, hospital: Hospital
) -> None:
    ask(nurse, care.stays()[0], f"w{elm.pk}")
    text(nurse)
    with CaptureQueriesContext(connection) as few:
        text(nurse)
    add_beds(hospital.wards[0], 40, first=6)
    hospital.fill(hospital.wards[0], 40)
    by = user("asker", None)
    for stay in Episode.objects.filter(status="in_hospital", referrals=None):
        refer(episode=stay, kind="community", ward=elm, said=Said(timezone.now(), by))
    with CaptureQueriesContext(connection) as many:
        assert text(nurse).count("step-row") > 30
    assert len(many) == len(few) <= 16
