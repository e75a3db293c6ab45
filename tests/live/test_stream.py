from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from functools import partial

import psycopg
import pytest
from asgiref.typing import HTTPScope
from django.db import connection
from pytest_django import Settings

from live import doorbell, hub, stream
from live.stream import Caller, EventStreams
from tests.live.conftest import OwnRedis
from tests.live.listening import Ear, opened, run, served


def everything(caller: Caller, boards: frozenset[str]) -> frozenset[str]:
    return boards


@pytest.fixture
def streams(own_redis: OwnRedis) -> EventStreams:
    return EventStreams(everything)


@pytest.fixture
def port(streams: EventStreams) -> Iterator[int]:
    with served(streams) as number:
        yield number


def test_a_ring_reaches_the_screens_of_that_board_and_no_other(port: int) -> None:
    async def story() -> None:
        one, other = await opened(port, "boards=ward:1,system"), await opened(port, "boards=ward:2")
        doorbell.ring(["ward:1"])
        assert await one.next("ring") == ("ring", "ward:1")
        assert await other.hears_nothing("ring")

    run(story)


def test_a_ring_is_heard_through_a_unix_socket_too(
    port: int, own_redis: OwnRedis, settings: Settings
) -> None:
    settings.REDIS_URL = own_redis.unix_url

    async def story() -> None:
        ear = await opened(port, "boards=system")
        doorbell.ring(["system"])
        assert await ear.next("ring") == ("ring", "system")

    run(story)


def test_one_ring_of_many_boards_is_heard_once_for_each_board_shown(port: int) -> None:
    async def story() -> None:
        ear = await opened(port, "boards=ward:1,system")
        doorbell.ring([f"ward:{number}" for number in range(50)] + ["system"])
        heard = {(await ear.next("ring"))[1], (await ear.next("ring"))[1]}
        assert heard == {"ward:1", "system"}
        assert await ear.hears_nothing("ring")

    run(story)


def test_a_stream_is_not_cached_nor_buffered_and_says_when_to_come_back(port: int) -> None:
    async def story() -> None:
        ear = await Ear.open(port, "boards=system")
        assert ear.headers["content-type"].startswith("text/event-stream")
        assert ear.headers["cache-control"] == "no-store"
        assert ear.headers["x-accel-buffering"] == "no"
        lines = [(await ear._reader.readline()).decode() for _ in range(2)]
        assert any(line.startswith("retry: ") for line in lines)

    run(story)


def test_beats_carry_the_servers_time(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "BEAT", 0.1)

    async def story() -> None:
        ear = await opened(port, "boards=system")
        times = [int((await ear.next("beat"))[1].split()[0]) for _ in range(3)]
        assert times == sorted(times)
        assert abs(times[-1] / 1000 - time.time()) < 5

    run(story)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "boards=",
        "boards=ward:x",
        "boards=WARD:1",
        "boards=,,",
        "board=system",
        "boards=" + ",".join(f"ward:{n}" for n in range(stream.MOST_BOARDS + 1)),
    ],
)
def test_a_request_without_sensible_boards_is_told_what_to_ask_for(port: int, query: str) -> None:
    async def story() -> None:
        ear = await Ear.open(port, query)
        assert ear.status == 400
        assert "/live/events?boards=ward:12,system" in ear.body

    run(story)


def test_other_paths_and_methods_are_refused(port: int) -> None:
    async def story() -> None:
        assert (await Ear.open(port, "/live/else")).status == 404
        posted = await Ear.open(port, "boards=system", method="POST")
        assert (posted.status, posted.headers["allow"]) == (405, "GET")

    run(story)


def test_only_what_the_caller_may_see_is_heard(own_redis: OwnRedis) -> None:
    def doorman(caller: Caller, boards: frozenset[str]) -> frozenset[str] | None:
        if "sessionid" not in caller.cookies:
            return None
        return boards & {caller.cookies["sessionid"]}

    async def story(port: int) -> None:
        assert (await Ear.open(port, "boards=system")).status == 401
        assert (await Ear.open(port, "boards=system", "sessionid=none")).status == 403
        ear = await Ear.open(port, "boards=system,words", "sessionid=words; other=1")
        await ear.next("catchup")
        doorbell.ring(["system"])
        doorbell.ring(["words"])
        assert await ear.next("ring") == ("ring", "words")

    with served(EventStreams(doorman)) as number:
        run(partial(story, number))


def test_a_full_server_sends_screens_away_for_a_while(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MOST_STREAMS", 1)

    async def story() -> None:
        await opened(port, "boards=system")
        second = await Ear.open(port, "boards=system")
        assert (second.status, second.headers["retry-after"]) == (503, "5")

    run(story)


def test_a_screen_that_goes_away_is_forgotten_and_the_last_one_ends_the_listening(
    port: int, streams: EventStreams
) -> None:
    async def story() -> None:
        one, two = await opened(port, "boards=ward:1"), await opened(port, "boards=ward:1")
        assert len(streams.hub) == 2
        await one.close()
        await two.close()
        deadline = time.monotonic() + 5
        while len(streams.hub):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        assert not streams.hub.hears
        again = await opened(port, "boards=ward:1")
        doorbell.ring(["ward:1"])
        assert await again.next("ring") == ("ring", "ward:1")

    run(story)


def test_redis_away_is_said_and_after_it_everybody_catches_up(
    port: int, own_redis: OwnRedis
) -> None:
    async def story() -> None:
        ears = [await opened(port, "boards=system") for _ in range(3)]
        own_redis.stop()
        for ear in ears:
            assert (await ear.next("beat"))[1].endswith("deaf")
        own_redis.start()
        for ear in ears:
            assert (await ear.next("catchup"))[0] == "catchup"
            assert (await ear.next("beat"))[1].endswith("live")
        doorbell.ring(["system"])
        for ear in ears:
            assert await ear.next("ring") == ("ring", "system")

    run(story)


def test_a_stream_opens_while_redis_is_away(port: int, own_redis: OwnRedis) -> None:
    own_redis.stop()

    async def story() -> None:
        ear = await Ear.open(port, "boards=system")
        assert (await ear.next("beat"))[1].endswith("deaf")
        own_redis.start()
        assert (await ear.next("catchup"))[0] == "catchup"

    run(story)


def test_a_stream_ends_after_its_life_so_that_it_is_authorised_anew(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "BEAT", 0.1)
    monkeypatch.setattr(hub, "LIFE", 0.2)

    async def story() -> None:
        ear = await opened(port, "boards=system")
        with pytest.raises(EOFError):
            await ear.next("never")

    run(story)


def test_a_client_that_takes_nothing_is_let_go_and_costs_a_bounded_amount(
    own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "BEAT", 0.05)
    monkeypatch.setattr(hub, "PATIENCE", 0.3)

    async def story() -> None:
        ears = hub.Hub(lambda: own_redis.url, lambda: "flowboard:0:rings")
        blocked = asyncio.Event()

        async def says_nothing(news: bytes, more: bool) -> None:
            await blocked.wait()

        stuck = hub.Stream(frozenset({"ward:1", "ward:2"}), says_nothing)
        ears.join(stuck)
        for _ in range(1000):
            ears._rung("ward:1 ward:2 ward:3")
        assert len(stuck.unsaid) <= 4
        started = time.monotonic()
        await stuck.speak_until(asyncio.get_running_loop().create_future())
        assert time.monotonic() - started < 2
        ears.leave(stuck)

    run(story)


def test_anything_but_http_is_refused(streams: EventStreams) -> None:
    scope: HTTPScope = {"type": "websocket"}  # type: ignore[typeddict-item]

    async def never(*_: object) -> None:
        raise AssertionError

    with pytest.raises(ValueError, match="speak HTTP"):
        asyncio.run(streams(scope, never, never))  # type: ignore[arg-type]


@pytest.mark.django_db(transaction=True)
def test_two_hundred_open_streams_hold_no_database_connection(
    own_redis: OwnRedis, settings: Settings
) -> None:
    database = connection.settings_dict

    def asks_the_database(caller: Caller, boards: frozenset[str]) -> frozenset[str]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return boards

    with psycopg.connect(
        dbname=database["NAME"],
        user=database["USER"] or None,
        password=database["PASSWORD"] or None,
        host=database["HOST"] or None,
        port=database["PORT"] or None,
        autocommit=True,
    ) as watch:

        def held() -> int:
            counted = watch.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND backend_type = 'client backend'"
            ).fetchone()
            assert counted is not None
            return int(counted[0])

        before = held()

        async def story(port: int) -> None:
            ears = [await opened(port, f"boards=ward:{n}") for n in range(200)]
            deadline = time.monotonic() + 5
            while held() > before:
                assert time.monotonic() < deadline, f"{held()} held, {before} before"
                await asyncio.sleep(0.05)
            doorbell.ring(f"ward:{n}" for n in range(200))
            for number, ear in enumerate(ears):
                assert await ear.next("ring") == ("ring", f"ward:{number}")
            assert held() <= before

        with served(EventStreams(asks_the_database)) as number:
            run(partial(story, number))


def test_a_thousand_streams_at_rest_cost_next_to_nothing(port: int) -> None:
    async def story() -> None:
        ears = await asyncio.gather(*(opened(port, "boards=system") for _ in range(1000)))
        await asyncio.sleep(0.5)
        started, spent = time.monotonic(), time.process_time()
        await asyncio.sleep(hub.BEAT * 2)
        share = (time.process_time() - spent) / (time.monotonic() - started)
        # Server and the thousand clients are this one process.
        assert share < 0.25
        doorbell.ring(["system"])
        heard = await asyncio.gather(*(ear.next("ring") for ear in ears))
        assert heard == [("ring", "system")] * 1000

    run(story)
