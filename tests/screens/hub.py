"""People on the wards who wait to leave in every way that the hub tells apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from accounts.models import User
from patients.models import Barrier, Code, Episode
from tests.screens.hospital import FAMILY, Hospital
from tests.screens.rounds import Care, care_of
from wards.barriers import Said
from wards.models import Ward
from wards.referrals import Wanted, ask
from wards.rounds import Found, review

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
