"""The least that can carry a message from Redis to many event streams: what others would write.

One subscription, one queue for each stream, nothing else: nobody is asked who they are, no
beat, no board names, no end to what a slow client piles up.
"""

from __future__ import annotations

import asyncio
from typing import Any

import redis.asyncio

from flowboard.start import prepare

CHANNEL = "bench:bare"
ENV = prepare()
_queues: set[asyncio.Queue[bytes]] = set()
_listening: list[asyncio.Task[None]] = []


async def _listen() -> None:
    async with redis.asyncio.Redis.from_url(ENV.redis_url) as line, line.pubsub() as ear:
        await ear.subscribe(CHANNEL)
        async for message in ear.listen():
            if message["type"] == "message":
                news = b"event: ring\ndata: " + message["data"] + b"\n\n"
                for queue in _queues:
                    queue.put_nowait(news)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Every request is an event stream."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            _listening.append(asyncio.create_task(_listen()))
            await send({"type": "lifespan.startup.complete"})
        _listening[0].cancel()
        await send({"type": "lifespan.shutdown.complete"})
        return
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    _queues.add(queue)
    headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b": here\n\n", "more_body": True})
    try:
        while True:
            await send({"type": "http.response.body", "body": await queue.get(), "more_body": True})
    except asyncio.CancelledError:
        return  # the server ends
    finally:
        _queues.discard(queue)
