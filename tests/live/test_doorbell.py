from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import pytest
from celery import Celery, current_app
from hypothesis import given
from hypothesis import strategies as st

from live import doorbell
from live.connection import channel, client
from tests.live.conftest import OwnRedis


def published(own_redis: OwnRedis, names: list[str]) -> list[bytes]:
    with client().pubsub(ignore_subscribe_messages=True) as listener:  # type: ignore[no-untyped-call]
        listener.subscribe(channel())
        listener.get_message(timeout=1)
        doorbell.ring(names)
        heard = []
        while (message := listener.get_message(timeout=0.2)) is not None:
            heard.append(message["data"])
    return heard


def test_a_ring_publishes_the_names_once_and_nothing_else(own_redis: OwnRedis) -> None:
    assert published(own_redis, ["ward:12", "system", "ward:12"]) == [b"system ward:12"]


def test_a_ring_for_nothing_is_silent(own_redis: OwnRedis) -> None:
    assert published(own_redis, []) == []


def test_a_ring_gives_new_versions_to_the_named_boards_only(own_redis: OwnRedis) -> None:
    before = {name: doorbell.version(name) for name in ("system", "ward:1", "ward:2")}
    doorbell.ring(["system", "ward:1"])
    after = {name: doorbell.version(name) for name in before}
    assert after["system"] != before["system"]
    assert after["ward:1"] != before["ward:1"]
    assert after["ward:2"] == before["ward:2"]
    assert None not in after.values()


def test_a_redis_that_lost_its_memory_repeats_no_version(own_redis: OwnRedis) -> None:
    seen = {doorbell.version("ward:1")}
    for _ in range(3):
        client().flushall()
        seen.add(doorbell.version("ward:1"))
    assert len(seen) == 4


@given(st.text().filter(lambda text: not doorbell.is_board_name(text)))
def test_anything_but_a_board_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="names of boards"):
        doorbell.ring([text])


@pytest.mark.parametrize("text", ["SMITH, Anna", "ward:999 000 1234", "ward:", "ward:1\n", ""])
def test_words_of_a_person_are_no_board_name(text: str) -> None:
    assert not doorbell.is_board_name(text)


def test_while_redis_is_away_nothing_raises_and_the_log_says_so_once(
    own_redis: OwnRedis, caplog: pytest.LogCaptureFixture
) -> None:
    doorbell.ring(["system"])
    own_redis.stop()
    with caplog.at_level(logging.INFO, logger="live"):
        started = time.monotonic()
        for _ in range(5):
            doorbell.ring(["ward:1", "system"])
            doorbell.wake()
            assert doorbell.version("ward:1") is None
        assert time.monotonic() - started < 2
        own_redis.start()
        doorbell.ring(["ward:1"])
        assert doorbell.version("ward:1") is not None
    said = [record.getMessage() for record in caplog.records if record.name == "live"]
    assert len([line for line in said if line.startswith("redis away")]) == 1
    assert len([line for line in said if line == "redis back"]) == 1


@pytest.fixture
def broker(own_redis: OwnRedis) -> Iterator[Celery]:
    before = current_app._get_current_object()
    app = Celery("test", broker=own_redis.url, set_as_current=True)
    yield app
    before.set_current()


def test_many_wakes_within_the_gathering_are_one_task(broker: Celery) -> None:
    for _ in range(50):
        doorbell.wake()
    assert client().llen("celery") == 1


def test_a_wake_after_the_gathering_is_another_task(broker: Celery) -> None:
    doorbell.wake()
    time.sleep(doorbell.GATHER + 0.05)
    doorbell.wake()
    assert client().llen("celery") == 2
