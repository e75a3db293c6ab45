"""What the tests of feeds share."""

from __future__ import annotations

import pytest

from accounts.models import Organisation
from interop.api import ReceiveHl7
from wards.models import Bay, Bed, Site, Ward


@pytest.fixture(autouse=True)
def _no_feeds_of_other_tests() -> None:
    """A process remembers feeds for some seconds; those of the test before are gone."""
    ReceiveHl7.feeds.forget()


@pytest.fixture
def hospital(db: None) -> Site:
    """Northmoor General with wards NGH-W1 (bays A and B of two beds each, one bed without a
    bay) and NGH-W2 (beds 1 and 2)."""
    trust = Organisation.objects.create(code="RNM", name="Northmoor", kind="trust")
    site = Site.objects.create(code="NGH", name="Northmoor General", organisation=trust)
    w1 = Ward.objects.create(site=site, code="NGH-W1", name="Ward 1")
    for code, labels in (("A", "12"), ("B", "12")):
        bay = Bay.objects.create(ward=w1, code=code)
        for label in labels:
            Bed.objects.create(ward=w1, bay=bay, label=label)
    Bed.objects.create(ward=w1, label="7")
    w2 = Ward.objects.create(site=site, code="NGH-W2", name="Ward 2")
    for label in "12":
        Bed.objects.create(ward=w2, label=label)
    return site
