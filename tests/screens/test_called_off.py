"""What was called off by mistake is taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Role
from flow.board_types import Sight
from flow.desk.called_off import called_off
from tests.screens.desk import in_emergency, request_of
from tests.screens.hospital import Hospital, user
from tests.screens.test_desk import address_of, free_bed, page, send
from wards import requests
from wards.barriers import Said
from wards.facts import MovementKind
from wards.models import BedRequest, Reservation
from wards.requests import terms_of
from wards.scope import scope_of


def test_who_has_no_name_is_told_of_by_their_user_name(hospital: Hospital, manager: Client) -> None:
    User.objects.update(first_name="", last_name="")
    request = request_of(in_emergency(hospital, family="Waiting"))
    assert send(manager, request, deed="withdraw", reason="The wrong patient")[0] == 200
    sight = Sight.of(scope_of(User.objects.get(username="manager")))
    listed = called_off(hospital.site.pk, at=timezone.now(), sight=sight)
    assert [one.by for one in listed] == ["manager"]


def test_what_was_called_off_by_mistake_is_asked_for_as_before(
    hospital: Hospital, manager: Client, observer: Client
) -> None:
    request = request_of(in_emergency(hospital, family="Waiting", asked=3))
    bed = free_bed(hospital)
    assert send(manager, request, allocate=bed)[0] == 200
    assert send(manager, request, deed="change", priority="1")[0] == 200
    since = request.period.lower
    assert send(manager, request, deed="withdraw", reason="The wrong patient")[0] == 200
    assert not Reservation.objects.filter(status=Reservation.Status.HELD).exists()

    listed = page(manager)
    assert "Called off" in listed
    assert address_of(request) in listed
    shown = manager.get(address_of(request)).content.decode()
    assert "The wrong patient" in shown
    assert "Undo: the bed is needed" in shown
    # Who may not see the patient reads neither why, nor can they take it back.
    theirs = observer.get(address_of(request)).content.decode()
    assert "The wrong patient" not in theirs
    assert "Undo: the bed" not in theirs
    assert send(observer, request, deed="restore")[0] == 403
    assert send(manager, request, deed="withdraw", reason="Once more")[0] == 409

    assert send(manager, request, deed="restore")[0] == 200
    request.refresh_from_db()
    assert (request.period.lower, request.period.upper) == (since, None)
    assert terms_of(request).priority == 1
    held = Reservation.objects.get(status=Reservation.Status.HELD)
    assert (held.bed_id, held.decided) == (bed, True)
    listed = page(manager)
    assert "Called off" not in listed
    assert f'id="need-{request.pk}"' in listed
    # It can be called off again, and taken back again.
    assert send(manager, request, deed="withdraw", reason="Goes home")[0] == 200
    assert send(manager, request, deed="restore")[0] == 200
    assert send(manager, request, deed="restore")[0] == 409


def test_what_a_feed_called_off_is_not_for_people_to_take_back(
    hospital: Hospital, manager: Client
) -> None:
    fact = in_emergency(hospital, family="Waiting")
    request = request_of(fact)
    hospital.tell(fact, MovementKind.CANCELLED_PENDING_ADMIT, ago=timedelta(minutes=1))
    assert "Called off" not in page(manager)
    assert manager.get(address_of(request)).status_code == 404


def test_what_was_called_off_is_not_asked_for_twice(hospital: Hospital, manager: Client) -> None:
    fact = in_emergency(hospital, family="Waiting")
    request = request_of(fact)
    assert send(manager, request, deed="withdraw", reason="Goes home")[0] == 200
    stale = BedRequest.objects.get(pk=request.pk)
    hospital.tell(fact, MovementKind.PENDING_ADMIT, wanted=hospital.wards[1], ago=timedelta(0))
    assert "Called off" not in page(manager), "a bed is asked for again"
    assert manager.get(address_of(request)).status_code == 404
    with pytest.raises(Refused, match="asked for again already"):
        requests.restore(
            request=stale,
            said=Said(timezone.now(), user("bed manager", Role.BED_MANAGER, everywhere=True)),
        )
