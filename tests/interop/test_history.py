"""Weeks of the past from files: known when they were sent, whoever applies them."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from interop.feeds import Feeds
from interop.hl7v2.framing import Fault
from interop.inbox import Incoming, store
from interop.models import Message
from interop.tasks import apply_waiting
from patients.models import Episode
from tests.interop.building import adt
from tests.interop.delivering import NOW, apply_all
from wards.models import Movement, Site

pytestmark = pytest.mark.django_db
PAST = adt("A01", visit="V1", mrn="M1", place="W1")
OTHER = adt("A01", visit="V2", mrn="M2", place="W2")


def receive(folder: Path, raw: bytes, *options: str) -> None:
    """Receive one message from a file."""
    (folder / "message").write_bytes(raw)
    call_command("receive_hl7", "--file", str(folder), *options, stdout=StringIO())


def learnt(visit: str) -> list[tuple[datetime, datetime]]:
    """When each movement was sent, and when it counts as learnt."""
    rows = Movement.objects.filter(visit__number=visit)
    return list(rows.values_list("sent_at", "recorded_at"))


def is_recent(moment: datetime) -> bool:
    return timezone.now() - moment < timedelta(minutes=5)


def test_history_counts_as_known_when_it_was_sent(hospital: Site, tmp_path: Path) -> None:
    receive(tmp_path, PAST, "--history")
    [(sent, known)] = learnt("V1")
    assert known == sent
    assert not is_recent(known)
    receive(tmp_path, OTHER)
    [(sent, known)] = learnt("V2")
    assert not is_recent(sent)
    assert is_recent(known)


def test_the_audit_history_says_when_it_was_written(hospital: Site, tmp_path: Path) -> None:
    receive(tmp_path, PAST, "--history")
    episode = Episode.objects.get(visit__number="V1")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pgh_created_at FROM patients_episodeevent WHERE pgh_obj_id = %s", [episode.pk]
        )
        assert all(is_recent(written) for (written,) in cursor.fetchall())


def test_what_was_stored_as_history_is_history_whoever_applies_it(hospital: Site) -> None:
    feeds = Feeds()
    store([Incoming(PAST)], feeds=feeds, at=NOW, is_history=True)
    store([Incoming(OTHER)], feeds=feeds, at=NOW)
    third = adt("A01", visit="V3", mrn="M3", place="W1")
    store([Incoming(third)], feeds=feeds, at=NOW, is_history=True)
    assert apply_waiting() == 3
    found = {visit: is_recent(learnt(visit)[0][1]) for visit in ("V1", "V2", "V3")}
    assert found == {"V1": False, "V2": True, "V3": False}


def test_a_message_refused_before_is_history_when_it_comes_again_as_history(
    hospital: Site,
) -> None:
    cut = Incoming(PAST, fault=Fault.CUT_OFF)
    [kept] = store([cut], feeds=Feeds(), at=NOW)
    assert kept.status is Message.Status.REJECTED
    store([Incoming(PAST)], feeds=Feeds(), at=NOW, is_history=True)
    assert apply_all() == {"applied": 1}
    [(sent, known)] = learnt("V1")
    assert known == sent


def test_a_message_known_already_stays_as_it_was(hospital: Site, tmp_path: Path) -> None:
    receive(tmp_path, PAST)
    receive(tmp_path, PAST, "--history")
    [(_, known)] = learnt("V1")
    assert is_recent(known)
    assert not Message.objects.get().is_history


def test_history_comes_from_files_alone() -> None:
    with pytest.raises(CommandError, match="--history"):
        call_command("receive_hl7", "--listen", "127.0.0.1:0", "--history")
