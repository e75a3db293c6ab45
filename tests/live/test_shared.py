from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

import pytest

from live import doorbell, shared
from live.connection import client
from tests.live.conftest import OwnRedis


class Painter:
    """Renders a different text each time and counts how often it was asked."""

    def __init__(self, text: str = "board", takes: float = 0.0) -> None:
        self.text, self.takes, self.calls = text, takes, 0

    def __call__(self) -> bytes:
        self.calls += 1
        time.sleep(self.takes)
        return f"{self.text} {self.calls}".encode()


def at_once(jobs: list[Callable[[], object]]) -> None:
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_board_is_rendered_once_for_each_version(own_redis: OwnRedis) -> None:
    painter = Painter()
    first = shared.rendered("ward:1", "counts", painter, 30)
    assert shared.rendered("ward:1", "counts", painter, 30) == first
    doorbell.ring(["ward:1"])
    second = shared.rendered("ward:1", "counts", painter, 30)
    assert (first.body, second.body) == (b"board 1", b"board 2")
    assert first.etag != second.etag


def test_another_process_takes_it_from_redis(own_redis: OwnRedis) -> None:
    painter = Painter()
    first = shared.rendered("ward:1", "counts", painter, 30)
    shared.forget()
    assert shared.rendered("ward:1", "counts", painter, 30) == first
    assert painter.calls == 1


def test_variants_and_boards_never_share(own_redis: OwnRedis) -> None:
    for again in (False, True):
        if again:
            shared.forget()
        assert shared.rendered("ward:1", "names", Painter("a"), 30).body == b"a 1"
        assert shared.rendered("ward:1", "counts", Painter("b"), 30).body == b"b 1"
        assert shared.rendered("ward:2", "names", Painter("c"), 30).body == b"c 1"


@pytest.mark.parametrize("private", [True, False])
def test_private_bytes_stay_out_of_redis(own_redis: OwnRedis, private: bool) -> None:
    shared.rendered("ward:1", "names", lambda: b"SMITH, Anna", 30, private=private)
    kept = [client().get(key) or b"" for key in client().scan_iter("*")]
    assert any(b"SMITH" in value for value in kept) is not private


def test_a_private_board_is_rendered_again_for_a_new_version(own_redis: OwnRedis) -> None:
    painter = Painter()
    shared.rendered("ward:1", "names", painter, 30, private=True)
    shared.rendered("ward:1", "names", painter, 30, private=True)
    assert painter.calls == 1
    doorbell.ring(["ward:1"])
    assert shared.rendered("ward:1", "names", painter, 30, private=True).body == b"board 2"


@pytest.mark.parametrize("private", [True, False])
def test_what_has_lived_too_long_is_rendered_again(own_redis: OwnRedis, private: bool) -> None:
    painter = Painter()
    shared.rendered("system", "all", painter, 1, private=private)
    time.sleep(1.1)
    assert shared.rendered("system", "all", painter, 1, private=private).body == b"board 2"


@pytest.mark.parametrize("private", [True, False])
def test_twenty_at_once_render_once(own_redis: OwnRedis, private: bool) -> None:
    painter = Painter(takes=0.2)
    got: list[shared.Rendered] = []
    at_once(
        [lambda: got.append(shared.rendered("system", "all", painter, 30, private=private))] * 20
    )
    assert painter.calls == 1
    assert len(set(got)) == 1
    assert len(got) == 20


def test_two_processes_at_once_render_once(own_redis: OwnRedis) -> None:
    painter = Painter(takes=0.3)
    memories = [shared._Memory(shared.ROOM), shared._Memory(shared.ROOM)]
    token = doorbell.version("system")
    assert token is not None

    def as_process(memory: shared._Memory) -> None:
        entry = shared._through_redis("system", "all", token, time.time() + 30, painter)
        memory.put(("system", "all"), entry)

    at_once([partial(as_process, memory) for memory in memories])
    assert painter.calls == 1
    assert all(memory.get(("system", "all"), token) for memory in memories)


def test_a_failed_rendering_holds_nobody_up(own_redis: OwnRedis) -> None:
    def fails() -> bytes:
        raise RuntimeError("no ink")

    with pytest.raises(RuntimeError, match="no ink"):
        shared.rendered("system", "all", fails, 30)
    started = time.monotonic()
    assert shared.rendered("system", "all", Painter(), 30).body == b"board 1"
    assert time.monotonic() - started < 0.5


def test_without_redis_every_call_renders_and_nothing_raises(own_redis: OwnRedis) -> None:
    painter = Painter()
    shared.rendered("system", "all", painter, 30)
    own_redis.stop()
    assert shared.rendered("system", "all", painter, 30).body == b"board 2"
    assert shared.rendered("system", "all", painter, 30).body == b"board 3"
    own_redis.start()
    assert shared.rendered("system", "all", painter, 30).body == b"board 4"
    assert shared.rendered("system", "all", painter, 30).body == b"board 4"


def test_memory_is_bounded_and_forgets_the_longest_unused() -> None:
    memory = shared._Memory(room=25)
    until = time.time() + 30
    for number in range(3):
        entry = shared._Entry("v", until, shared.Rendered(b"x" * 10, "e"))
        memory.put((f"ward:{number}", "all"), entry)
    assert [memory.get((f"ward:{n}", "all"), "v") is None for n in range(3)] == [True, False, False]
