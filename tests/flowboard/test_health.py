"""`/health/live` and `/health/ready`: what an operator's machinery hears."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django import Settings

from accounts.models import Organisation
from flowboard.health import CHECKS
from wards.models import DirtyWard, Site, Ward

ROOT = Path(__file__).resolve().parent.parent.parent
URL = "/health/ready"


@pytest.fixture
def ward(db: None) -> Ward:
    organisation = Organisation.objects.create(code="RNM", name="Northmoor")
    site = Site.objects.create(code="NGH", name="General", organisation=organisation)
    return Ward.objects.create(code="NGH-W1", name="Ward 1", site=site, kind="inpatient")


def answer(client: Client) -> tuple[int, dict[str, Any]]:
    response = client.get(URL)
    assert response["Cache-Control"].startswith("max-age=0")
    return response.status_code, response.json()


def test_a_living_process_says_so_and_asks_nobody(client: Client) -> None:
    response = client.get("/health/live")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_a_well_installation_is_ready(client: Client, db: None) -> None:
    status, said = answer(client)
    assert status == 200
    assert said["wrong"] == []
    assert said["checks"].keys() == CHECKS.keys()


def test_a_ward_left_uncounted_for_long_is_named(client: Client, ward: Ward) -> None:
    now = datetime.now(UTC)
    DirtyWard.objects.create(ward=ward, marked_at=now - timedelta(seconds=30))
    assert answer(client)[0] == 200
    DirtyWard.objects.create(ward=ward, marked_at=now - timedelta(seconds=200))
    status, said = answer(client)
    assert (status, said["wrong"]) == (503, ["dirty_wards"])
    assert said["checks"]["dirty_wards"]["seen"].startswith("the oldest has waited 20")


def test_a_migration_not_applied_is_named(client: Client, db: None) -> None:
    MigrationRecorder.Migration.objects.filter(app="sessions").delete()
    status, said = answer(client)
    assert (status, said["wrong"]) == (503, ["migrations"])
    assert "manage.py migrate" in said["checks"]["migrations"]["seen"]


def test_redis_away_is_named(client: Client, db: None, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    status, said = answer(client)
    assert (status, said["wrong"]) == (503, ["redis"])


ASK = """
import django, json
django.setup()
from django.test import Client
response = Client(SERVER_NAME="localhost").get("/health/ready")
print(json.dumps([response.status_code, response.json()]))
print(json.dumps([Client(SERVER_NAME="localhost").get("/health/live").status_code]))
"""


def test_a_database_away_is_named_and_the_process_still_lives() -> None:
    said = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "flowboard.settings",
            "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
            "REDIS_URL": "redis://127.0.0.1:1/0",
        },
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.splitlines()
    status, found = json.loads(said[0])
    assert status == 503
    assert set(found["wrong"]) == set(CHECKS)
    assert "127.0.0.1" not in said[0]
    assert json.loads(said[1]) == [200]
