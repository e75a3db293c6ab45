"""The converter's messages against the Bundles that go with them.

Compared are the patient's identifiers of PID-2, PID-3 and PID-4, ward, room and bed of PV1-3,
and the times of admission and discharge. Where Flowboard says something else on purpose, the
pair is listed below with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from interop.models import Message
from patients.models import Episode, Patient
from tests.interop.building import DATA, real_messages
from tests.interop.delivering import deliver
from wards.models import Movement, Occupancy

pytestmark = pytest.mark.django_db

PLANNED = "a pre-admission or pending admission: nobody lies there yet, its times are expected"
CALLED_OFF = "a cancelled stay: the patient is nowhere, and it has no end"
NOTHING_PENDING = "a pending admission that we never heard of is called off: there is no stay"
LATER = "PV2-9 is an expected discharge, not one that happened"

# What is compared → the messages in which Flowboard differs from the Bundle, and why.
DIFFERENT: dict[str, dict[str, str]] = {
    "place": {
        "ADT-A05-01": PLANNED,
        "ADT-A05-02": PLANNED,
        "ADT-A14-01": PLANNED,
        "ADT-A14-02": PLANNED,
        "ADT-A11-01": CALLED_OFF,
        "ADT-A11-02": CALLED_OFF,
        "ADT-A27-01": CALLED_OFF,
        "ADT-A27-02": CALLED_OFF,
    },
    "admitted": {
        "ADT-A27-01": NOTHING_PENDING,
        "ADT-A27-02": NOTHING_PENDING,
        "ADT-A05-01": PLANNED,
        "ADT-A05-02": PLANNED,
        "ADT-A14-01": PLANNED,
        "ADT-A14-02": PLANNED,
    },
    "discharged": {
        "ADT-A04-01": LATER,
        "ADT-A05-01": PLANNED,
        "ADT-A05-02": PLANNED,
        "ADT-A11-01": CALLED_OFF,
        "ADT-A11-02": CALLED_OFF,
        "ADT-A14-01": PLANNED,
        "ADT-A14-02": PLANNED,
        "ADT-A16-01": LATER,
        "ADT-A16-02": LATER,
        "ADT-A27-01": CALLED_OFF,
        "ADT-A27-02": CALLED_OFF,
    },
}
NOTHING_STANDS = {"ADT-A27-01", "ADT-A27-02"}


def bundle_of(path: Path) -> dict[str, list[dict[str, Any]]]:
    """The resources of the Bundle that goes with a message, by type."""
    found = list((DATA / "ms-fhir-converter-expected").glob(f"*/{path.stem}-expected.json"))
    assert len(found) == 1, path
    resources: dict[str, list[dict[str, Any]]] = {}
    for entry in json.loads(found[0].read_text())["entry"]:
        resource = entry["resource"]
        resources.setdefault(resource["resourceType"], []).append(resource)
    return resources


def pairs() -> Iterator[Path]:
    yield from real_messages("ms-fhir-converter")


@pytest.fixture(params=list(pairs()), ids=lambda path: path.stem)
def pair(request: pytest.FixtureRequest) -> tuple[str, bytes, dict[str, list[dict[str, Any]]]]:
    path: Path = request.param
    raw = path.read_bytes()
    deliver(raw)
    assert Message.objects.get().status == "applied"
    return path.stem, raw, bundle_of(path)


Pair = tuple[str, bytes, dict[str, list[dict[str, Any]]]]


def test_the_patient_has_the_same_identifiers(pair: Pair) -> None:
    _, raw, bundle = pair
    pids = [line.split("|") for line in raw.decode("utf-8-sig").splitlines() if line[:3] == "PID"]
    sent = {
        repetition.split("^")[0]
        for pid in pids
        for number in (2, 3, 4)
        for repetition in pid[number].split("~")
    } - {""}
    known = {
        value
        for patient in Patient.objects.prefetch_related("identifiers")
        for value in (patient.identifier, *(i.value for i in patient.identifiers.all()))
    }
    assert sent <= known
    for patient in bundle.get("Patient", []):
        theirs = {identifier["value"] for identifier in patient["identifier"]}
        assert sent <= theirs
        # What else the Bundle gathers stands in PID-19, PID-20, IN1, IN2 and DB1: insurance,
        # licences and the like, of no use for a bed, so it is not kept.
        assert not known & (theirs - sent)


def located(
    bundle: dict[str, list[dict[str, Any]]], encounter: dict[str, Any]
) -> Iterator[tuple[str, str, str]]:
    """Ward, room and bed of each place at which the Bundle puts the patient."""
    locations = {location["id"]: location for location in bundle.get("Location", [])}

    def part_of(parent: str, kind: str) -> dict[str, Any]:
        for location in locations.values():
            above = location.get("partOf", {}).get("reference", "").split("/")[-1]
            physical = location.get("physicalType", {}).get("coding", [{}])[0].get("code")
            if above == parent and physical == kind:
                return location
        return {}

    for each in encounter.get("location", []):
        ward = locations[each["location"]["reference"].split("/")[-1]]
        room = part_of(ward["id"], "ro")
        bed = part_of(room.get("id", "-"), "bd") or part_of(ward["id"], "bd")
        yield ward.get("name", ""), room.get("name", ""), bed.get("name", "")


def test_ward_room_and_bed_agree(pair: Pair) -> None:
    name, raw, bundle = pair
    for encounter in bundle.get("Encounter", []):
        theirs = list(located(bundle, encounter))
        mine = [
            (
                row.ward.code,
                row.bay.code if row.bay else "",
                row.wanted_bed.label if row.wanted_bed else "",
            )
            for row in Occupancy.objects.filter(episode__in=episodes_of(encounter))
            .select_related("ward", "bay", "wanted_bed")
            .order_by("period")
        ]
        if name in DIFFERENT["place"]:
            assert mine == []
            # It is known all the same, as a plan or as what was called off.
            assert Movement.objects.filter(ward__isnull=False).exists()
        elif theirs:
            assert set(mine) <= set(theirs), name
            (now,) = [place for place in set(theirs) if place[0] == ward_in_pv1(raw)]
            assert mine[-1] == now, name


def ward_in_pv1(raw: bytes) -> str:
    """The ward that PV1-3 names."""
    (pv1, *_) = [line for line in raw.decode("utf-8-sig").splitlines() if line[:3] == "PV1"]
    return pv1.split("|")[3].split("^")[0].split("&")[0]


def episodes_of(encounter: dict[str, Any]) -> list[Episode]:
    """The stay that the Encounter tells of; none where nothing stands of it."""
    numbers = [i["value"] for i in encounter.get("identifier", []) if i["value"].strip()]
    found = Episode.objects.filter(visit__number__in=numbers) if numbers else Episode.objects.all()
    assert len(found) <= 1
    return list(found)


def test_admission_and_discharge_times_agree(pair: Pair) -> None:
    name, _, bundle = pair
    for encounter in bundle.get("Encounter", []):
        period = encounter.get("period", {})
        stays = episodes_of(encounter)
        assert stays or name in NOTHING_STANDS
        for word, field, mine in (
            ("admitted", "start", stays[0].admitted_at if stays else None),
            ("discharged", "end", stays[0].discharged_at if stays else None),
        ):
            theirs = datetime.fromisoformat(period[field]) if field in period else None
            if name in DIFFERENT[word]:
                assert mine != theirs, f"{name} agrees by now; take it from the list"
                assert mine is None
            elif theirs is not None or word == "discharged":
                assert mine == theirs, name


def test_expected_times_are_kept_as_what_they_are(pair: Pair) -> None:
    name, _, bundle = pair
    if DIFFERENT["discharged"].get(name) not in (PLANNED, LATER):
        return
    (encounter,) = bundle["Encounter"]
    (episode,), period = episodes_of(encounter), encounter["period"]
    assert episode.expected_discharge_at == datetime.fromisoformat(period["end"])
    if DIFFERENT["admitted"].get(name) == PLANNED:
        assert episode.expected_at == datetime.fromisoformat(period["start"])


def test_every_listed_difference_is_about_a_pair_there_is() -> None:
    names = {path.stem for path in pairs()}
    assert len(names) == 57
    assert {name for listed in DIFFERENT.values() for name in listed} <= names
