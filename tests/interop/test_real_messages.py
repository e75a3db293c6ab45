"""Every captured message, over the real wire and in every order."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from django.db import transaction

from interop.hl7v2.framing import framed
from interop.models import Message
from tests.interop.building import DATA, real_messages
from tests.interop.delivering import apply_all, deliver, ends, keep, picture
from tests.interop.wire import Wire, code, listening, nothing_waits, until

SOURCES = (
    "ms-fhir-converter",
    "linuxforhealth",
    "simhospital",
    "ballerina",
    "google-hdh",
    "keiron-hl7types",
)
# What the senders of these sets get back; CA where MSH-15 asks for an accept acknowledgment,
# None where MSH-15 and MSH-16 forbid any.
REFUSED = {"A0X", "A18", "A34"}


@pytest.mark.django_db(transaction=True)
def test_every_message_of_every_source_comes_to_an_end_over_the_wire() -> None:
    paths = [path for source in SOURCES for path in real_messages(source)]
    answers: Counter[str | None] = Counter()
    with listening() as port, Wire(port) as wire:
        for path in paths:
            raw = path.read_bytes()
            wire.send(framed(raw))
            header = raw.decode("utf-8-sig").splitlines()[0].split("|")
            asked = header[14] if len(header) > 14 else ""
            silent = asked == "NE" and len(header) > 15 and header[15] == "NE"
            answer = None if silent else code(wire.answer())
            answers[answer] += 1
            event = header[8].split("^")[1]
            if answer is not None:
                assert answer[1] == ("R" if event in REFUSED else "A"), path
        until(nothing_waits)
    assert answers["AR"] == 8
    stored = Message.objects.count()
    repeats = sum(Message.objects.values_list("repeats", flat=True))
    assert stored + repeats == len(paths) == 239
    assert sum(ends().values()) == stored
    for message in Message.objects.exclude(status__in=["applied", "duplicate"]):
        assert message.reason, message.control_id
        assert message.reason_code != "failed"
    assert ends()["held"] == 11
    assert ends()["rejected"] == 8


@pytest.mark.django_db
@pytest.mark.parametrize("source", SOURCES)
def test_any_order_and_any_repeats_lead_to_the_same(source: str) -> None:
    raws = [path.read_bytes() for path in real_messages(source)]
    pictures = []
    for seed in range(4):
        chance = random.Random(seed)
        order = list(raws)
        if seed:
            order += chance.choices(raws, k=len(raws) // 2)
            chance.shuffle(order)
        with transaction.atomic():
            for raw in _bursts(order, chance):
                keep(*raw)
                apply_all(batch=chance.choice([1, 7, 500]))
            pictures.append(picture())
            transaction.set_rollback(True)
    for other in pictures[1:]:
        assert other == pictures[0]


def _bursts(order: list[bytes], chance: random.Random) -> list[list[bytes]]:
    """The messages in groups of random size, each of which is applied before the next comes."""
    bursts: list[list[bytes]] = []
    left = list(order)
    while left:
        size = chance.randint(1, 40)
        bursts.append(left[:size])
        left = left[size:]
    return bursts


@pytest.mark.django_db
def test_everything_at_once_is_the_same_as_source_by_source() -> None:
    if not DATA.exists():
        real_messages()
    everything = [path.read_bytes() for path in real_messages()]
    with transaction.atomic():
        for source in SOURCES:
            deliver(*(path.read_bytes() for path in real_messages(source)))
        by_source = picture()
        transaction.set_rollback(True)
    deliver(*reversed(everything))
    assert picture() == by_source
