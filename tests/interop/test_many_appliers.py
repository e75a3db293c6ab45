"""Several processes apply at once: every message once, the same picture, no deadlock left over."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from interop.applying import Applier
from tests.interop.building import adt
from tests.interop.delivering import NOW, apply_all, ends, keep, picture
from wards.models import Movement, Site

pytestmark = pytest.mark.django_db(transaction=True)


def history() -> list[bytes]:
    """Twelve patients who are moved around the same five beds, often onto each other."""
    chance = random.Random(7)
    beds = [f"NGH-W1^{bay}^{bed}^NGH" for bay in "AB" for bed in "12"] + ["NGH-W9^Q^1^NGH"]
    messages = []
    for step in range(15):
        for patient in range(12):
            event = "A01" if step == 0 else "A03" if step == 14 else "A02"
            when = f"20260110{step:02}{patient:02}00"
            place = chance.choice(beds)
            messages.append(
                adt(event, mrn=f"M{patient}", visit=f"V{patient}", place=place, made=when)
            )
    return messages


@pytest.mark.parametrize("seed", range(5))
def test_many_at_once_lead_to_what_one_alone_leads_to(
    hospital: Site, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    messages = history()
    random.Random(seed).shuffle(messages)
    keep(*messages)

    def apply(size: int) -> Counter[str]:
        try:
            return apply_all(Applier(now=lambda: NOW), batch=size)
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        counts = sum(pool.map(apply, [1, 3, 7, 20, 50]), Counter[str]())
    assert ends() == {"applied": len(messages)}
    # None was in another's way, not even in one that a second try got out of.
    assert [one.getMessage() for one in caplog.records if one.name == "interop"] == []
    assert counts == {"applied": len(messages)}
    assert Movement.objects.count() == len(messages)
    together = picture()
    _empty()
    keep(*history())
    apply_all()
    assert together["stays"] == picture()["stays"]


def _empty() -> None:
    """Forget the messages and all that came of them; the places stay."""
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE interop_message, wards_movement, wards_occupancy, wards_bedrequest,"
            " patients_episode, patients_visit, patients_patientidentifier,"
            " patients_patientlink, patients_patient CASCADE"
        )
