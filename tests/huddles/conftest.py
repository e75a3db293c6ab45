"""The hospital of the screens, and those who agree and do."""

from __future__ import annotations

from datetime import datetime

import pytest

from accounts.models import User
from accounts.roles import Role
from huddles.models import HuddleTemplate
from tests.huddles.meeting import next_start, template_of
from tests.screens.conftest import (
    _nothing_remembered as _nothing_remembered,
)
from tests.screens.conftest import (
    hospital as hospital,
)
from tests.screens.conftest import (
    manager as manager,
)
from tests.screens.conftest import (
    nurse as nurse,
)
from tests.screens.conftest import (
    observer as observer,
)
from tests.screens.hospital import Hospital, user
from tests.screens.rounds import Care, care_of


@pytest.fixture
def sam(hospital: Hospital) -> User:
    """A ward nurse of the second ward, called Sam."""
    return user("sam", Role.WARD_NURSE, ward=hospital.wards[1])


@pytest.fixture
def care(hospital: Hospital) -> Care:
    """Teams, codes and a ladder."""
    return care_of(hospital)


@pytest.fixture
def chair(hospital: Hospital) -> User:
    """Leads the meetings of the site."""
    return user("chair", Role.BED_MANAGER, site=hospital.site)


@pytest.fixture
def starts() -> datetime:
    """When the next meeting begins."""
    return next_start()


@pytest.fixture
def template(hospital: Hospital, starts: datetime) -> HuddleTemplate:
    """How it is held."""
    return template_of(hospital, starts=starts)
