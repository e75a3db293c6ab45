"""A small hospital, and people who see it differently."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from accounts.roles import Role
from flow import beginning
from live import shared
from tests.screens.hospital import Hospital, build, signed_in, user


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """Boards rendered by another test are of no hospital here."""
    shared.forget()
    beginning.forget()
    yield
    shared.forget()
    beginning.forget()


@pytest.fixture
def hospital(db: None) -> Hospital:
    """Two wards of six beds, four of them taken on the first."""
    made = build()
    made.fill(made.wards[0], 4)
    return made


@pytest.fixture
def manager(hospital: Hospital) -> Client:
    """Sees and moves everybody."""
    return signed_in(user("manager", Role.SITE_MANAGER, everywhere=True))


@pytest.fixture
def nurse(hospital: Hospital) -> Client:
    """Sees and moves the patients of the first ward."""
    return signed_in(user("nurse", Role.WARD_NURSE, ward=hospital.wards[0]))


@pytest.fixture
def observer(hospital: Hospital) -> Client:
    """Sees counts everywhere and no patient."""
    return signed_in(user("observer", Role.OBSERVER, everywhere=True))
