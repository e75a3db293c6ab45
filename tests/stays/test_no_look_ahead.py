"""What is written of the past hangs neither on later rows of a file nor on their order."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from patients.models import Patient, Review
from tests.stays.files import at, load, row, written
from wards import stay_import
from wards.models import Movement, Ward

pytestmark = pytest.mark.django_db

NOW = at(15, 8)
WARDS = ("W1", "W2", "W3")


def stays(seed: int) -> list[dict[str, str]]:
    """Patients with two episodes of up to four stays each, about as many before NOW as after."""
    chance = random.Random(seed)
    found = []
    for patient in range(80):
        begin = at(1) + timedelta(hours=chance.randrange(240))
        for number in range(2):
            found += episode_rows(chance, patient, number, begin)
            begin = moment(found[-1]["end"]) + timedelta(hours=chance.randrange(1, 200))
    return found


def episode_rows(
    chance: random.Random, patient: int, number: int, begin: datetime
) -> list[dict[str, str]]:
    admitted, count, found = begin, chance.randrange(1, 5), []
    for place in range(count):
        end = begin + timedelta(hours=chance.randrange(0, 120))
        found.append(
            row(
                episode=f"E{patient}-{number}",
                patient=f"P{patient}",
                start=begin.isoformat(),
                end=end.isoformat(),
                last=int(place == count - 1),
                **anything(chance, admitted, begin, end, is_first=place == number == 0),
            )
        )
        begin = end
    return found


def anything(
    chance: random.Random, admitted: datetime, begin: datetime, end: datetime, *, is_first: bool
) -> dict[str, object]:
    """What a row may say beside where and when."""
    ready = admitted + (end - admitted) * chance.random()
    plan = begin + timedelta(days=chance.randrange(9))
    return {
        "ward": chance.choice(WARDS),
        "sex": chance.choice("MF" if is_first else ("M", "F", "")),
        "age": chance.choice((30, 78, "")),
        "specialty": chance.choice((300, 340, "")),
        "admission_method": chance.choice((21, 11, "")),
        "pathway": chance.choice((0, 1, 2, "")),
        "ctr_met": chance.choice((0, 1, "", ready.isoformat())),
        "edd": chance.choice((plan.date().isoformat(), "")),
    }


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def corrupted(rows: Sequence[dict[str, str]], seed: int) -> list[dict[str, str]]:
    """The file with another future: later rows say something else, ends ahead are not told."""
    chance = random.Random(seed)
    admitted: dict[str, datetime] = {}
    found = []
    for one in rows:
        begin, end, ready = moment(one["start"]), moment(one["end"]), one["ctr_met"]
        admitted.setdefault(one["episode"], begin)
        if begin > NOW:
            other = anything(chance, admitted[one["episode"]], begin, end, is_first=False)
            one = one | {name: str(value) for name, value in other.items()} | {"specialty": "430"}
        elif len(ready) > 1 and moment(ready) > NOW:
            one = one | {"ctr_met": ""}
        if end > NOW and chance.random() < 0.5:
            one = one | {"end": ""}
        found.append(one)
    chance.shuffle(found)
    return found


def past(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What of a file was known at NOW; the database is as before."""
    with transaction.atomic():
        assert load(path).document["rows_refused"] == 0
        known = Movement.objects.filter(recorded_at__lte=NOW)
        people = Patient.objects.filter(pk__in=known.values("patient"))
        found: dict[str, list[tuple[Any, ...]]] = {
            "movements": list(
                known.order_by("visit__number", "sent_at").values_list(
                    "visit__number", "kind", "occurred_at", "recorded_at", "ward__code", "stay",
                    "key",
                )
            ),
            "reviews": list(
                Review.objects.filter(recorded_at__lte=NOW)
                .order_by("episode__visit__number", "recorded_at")
                .values_list(
                    "episode__visit__number", "recorded_at", "criteria", "pathway",
                    "expected_discharge_at", "key",
                )
            ),
            "people": list(people.order_by("identifier").values_list("identifier", "sex")),
            "wards": list(Ward.objects.order_by("code").values_list("code", "specialty")),
        }  # fmt: skip
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_another_future_in_another_order_leaves_the_past_as_it_was(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Wards have their specialty from their first stays, all of which lie before.
    monkeypatch.setattr("wards.stay_places._FIRST", 5)
    told = stays(seed)
    before = past(written(tmp_path, *told))
    assert len(before["movements"]) > 50
    assert len(before["reviews"]) > 20
    monkeypatch.setattr(stay_import, "_ROWS", 10)
    assert past(written(tmp_path, *corrupted(told, seed + 100))) == before
